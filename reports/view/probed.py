"""What the probes of a bundle told beside the results: delays and layers of every object, from one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from profiles.indicators import find
from reports.bundle import Bundle
from reports.result import Result
from reports.view.delays import Delays
from reports.view.reached import METHODS
from reports.view.reached import Reached


@dataclass(frozen=True)
class Probed:
    """What is shown of the probes at the objects behind any result."""

    delays: Delays
    reached: Mapping[str, str]  #: by object, its layers, see :mod:`reports.view.reached`


#: A page and its pictures are made one after the other; the observations are read for both together.
_READ: WeakKeyDictionary[Bundle, Probed] = WeakKeyDictionary()


def probed(bundle: Bundle) -> Probed:
    """What the probes told; the observations are read once for a bundle, as a stream.

    Raises:
        UserMistake: if a file of the bundle is missing or malformed.
    """
    if (known := _READ.get(bundle)) is not None:
        return known
    based = [(one, one.observations) for one in bundle.campaign.results if one.observations is not None]
    methods = {method for result, rows in based if tells_delays(result) for method in rows.methods} | METHODS
    targets = {target for _, rows in based for target in rows.targets}
    reached, delays = Reached(), Delays()
    delays.note(reached.noting(bundle.observations(methods, targets)))
    _READ[bundle] = Probed(delays, reached.layers())
    return _READ[bundle]


def tells_delays(result: Result) -> bool:
    """Whether the delays of its probes tell a reader something: not beside a picture, nor of what is to be closed."""
    indicator = find(result.indicator)
    of_terminals = indicator is None or not {"terminal", "area"}.isdisjoint(indicator.objects)
    return not result.scope and result.exhibit is None and of_terminals
