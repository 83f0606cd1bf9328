"""The register of indicators: built in, and added by other packages through the entry point group below."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any

from profiles.observation import Observation
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

#: Modules named in this entry point group are imported, and their ``@indicator`` functions join the register.
ENTRY_POINT_GROUP = "plantproof.indicators"
_BUILT_IN = ("profiles.indicators.reachability",)

Reduce = Callable[[Register, Iterable[Observation], Any], Reduced]


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
    reduce: Reduce | None = None  #: ``None`` while nothing computes it

    @property
    def definition(self) -> str:
        """How it is computed: the first paragraph of the function's docstring."""
        return (self.reduce.__doc__ or "").strip().split("\n\n")[0] if self.reduce else ""


_implemented: dict[str, Indicator] = {}


def indicator(
    id: str, *, unit: str, methods: tuple[str, ...], parameters: type[Strict] = NoParameters
) -> Callable[[Reduce], Reduce]:
    """Declare the decorated pure function as the indicator ``id``; its title stands in ``catalogue.toml``.

    Raises:
        ValueError: if the function has no docstring or the id is taken.
    """

    def declare(reduce: Reduce) -> Reduce:
        if not reduce.__doc__:
            raise ValueError(f"indicator {id} needs a docstring that says how it is computed")
        if id in _implemented:
            raise ValueError(f"indicator {id} is declared twice")
        title = _catalogue().get(id, {}).get("title", {"zh": id, "en": id})
        _implemented[id] = Indicator(id, unit, title, methods, parameters, reduce)
        return reduce

    return declare


@cache
def _catalogue() -> dict[str, Any]:
    return tomllib.loads(files("profiles.indicators").joinpath("catalogue.toml").read_text("utf-8"))


@cache
def known() -> Mapping[str, Indicator]:
    """Every indicator by id: those computed and those only named."""
    for module in _BUILT_IN:
        import_module(module)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        entry.load()
    named = {id: Indicator(id, entry["unit"], entry["title"]) for id, entry in _catalogue().items()}
    return named | _implemented


def find(id: str) -> Indicator | None:
    """The indicator ``id``, or ``None`` if there is none of that name."""
    return known().get(id)


def is_computed(id: str) -> bool:
    """Whether ``id`` is an indicator that something computes; one that is only named cannot be measured yet."""
    found = find(id)
    return found is not None and found.reduce is not None
