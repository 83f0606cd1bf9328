"""The register of indicators: built in, and added by other packages through the entry point group below."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.resources import files
from pkgutil import iter_modules
from typing import Any

from profiles.extensions import extensions
from profiles.observation import Observation
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

#: Modules named in this entry point group are imported, and their ``@indicator`` functions join the register.
ENTRY_POINT_GROUP = "plantproof.indicators"

#: Kinds of objects that an indicator may speak about, and the pillar room whose suite measures them.
OBJECTS = (
    "terminal",  # a registered object with its addresses
    "area",  # a survey point of an activity area
    "coverage",  # an activity area in which access by one technology is sampled
    "element",  # a network element: device, server, or the segment of a zone
    "passage",  # from one zone to one service in another, over one IP version
    "flow",  # a cyclic flow from a talker to a listener
    "clock",  # a node that is synchronised by PTP or gPTP
    "modem",  # a 5G modem or terminal with a command port
    "onu",  # an optical network unit
    "node",  # a compute node
    "identifier",  # an identifier to be resolved
    "server",  # a reference server on the internet
)

Reduce = Callable[[Register, Iterable[Observation], Any], Reduced]
#: Whether a member of the register counts under some parameters; a sample is drawn from those alone.
Counts = Callable[[Member, Any], bool]


def every_member(_member: Member, _parameters: Strict) -> bool:
    """Every member of the register counts."""
    return True


class NoParameters(Strict):
    """Parameters of an indicator that has none."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: what is reported, in which unit, from which methods, and how it is reduced."""

    id: str
    unit: str
    title: Mapping[str, str]  #: zh and en
    methods: tuple[str, ...] = ()  #: methods whose observations ``reduce`` reads
    parameters: type[Strict] = NoParameters
    objects: tuple[str, ...] = ("terminal", "area")  #: which of :data:`OBJECTS` it speaks about
    reduce: Reduce | None = None  #: ``None`` while nothing computes it
    counts: Counts = every_member  #: which members of the register it is the share, or the mean, of
    sampled: bool = True  #: whether a sample of its objects can be drawn

    @property
    def definition(self) -> str:
        """How it is computed: the first paragraph of the function's docstring."""
        return (self.reduce.__doc__ or "").strip().split("\n\n")[0] if self.reduce else ""


_implemented: dict[str, Indicator] = {}


def indicator(
    id: str,
    *,
    unit: str,
    methods: tuple[str, ...],
    parameters: type[Strict] = NoParameters,
    objects: tuple[str, ...] = ("terminal", "area"),
    title: Mapping[str, str] | None = None,
    counts: Counts = every_member,
    sampled: bool = True,
) -> Callable[[Reduce], Reduce]:
    """Declare the decorated pure function as the indicator ``id``.

    Args:
        id: its id, by which profiles name it.
        unit: unit of its value.
        methods: the methods whose observations it reads.
        parameters: model of its parameters in a profile.
        objects: kinds of objects that it speaks about, of :data:`OBJECTS`.
        title: zh and en; of the built-in ones it stands in ``catalogue.toml``.
        counts: whether a member of the register counts under the requirement's parameters, where not all of them do.
        sampled: whether a sample of its objects can be drawn; not where they are no population of equals.

    Raises:
        ValueError: if the function has no docstring, the id is taken, or there are no such objects.
    """

    def declare(reduce: Reduce) -> Reduce:
        if not reduce.__doc__:
            raise ValueError(f"indicator {id} needs a docstring that says how it is computed")
        if id in _implemented:
            raise ValueError(f"indicator {id} is declared twice")
        if unknown := set(objects).difference(OBJECTS):
            raise ValueError(f"indicator {id} speaks about unknown objects: {', '.join(sorted(unknown))}")
        said = title or _catalogue().get(id, {}).get("title", {"zh": id, "en": id})
        _implemented[id] = Indicator(id, unit, said, methods, parameters, objects, reduce, counts, sampled)
        return reduce

    return declare


@cache
def _catalogue() -> dict[str, Any]:
    return tomllib.loads(files("profiles.indicators").joinpath("catalogue.toml").read_text("utf-8"))


@cache
def known() -> Mapping[str, Indicator]:
    """Every indicator by id: those computed and those only named.

    Raises:
        UserMistake: if what another package adds cannot be used.
    """
    for module in iter_modules([str(files("profiles.indicators"))]):
        import_module(f"profiles.indicators.{module.name}")
    for extension in extensions(ENTRY_POINT_GROUP):
        with extension.used():
            import_module(extension.module)
    named = {id: Indicator(id, entry["unit"], entry["title"]) for id, entry in _catalogue().items()}
    return named | _implemented


def find(id: str) -> Indicator | None:
    """The indicator ``id``, or ``None`` if there is none of that name."""
    return known().get(id)


def is_computed(id: str) -> bool:
    """Whether ``id`` is an indicator that something computes; one that is only named cannot be measured yet."""
    found = find(id)
    return found is not None and found.reduce is not None
