"""The register and all lists of failing objects as compact data, for a page's script that draws rows when asked for.

There is one table of objects, a column for each of their properties, and every list refers to it; what repeats (zones,
classes, reasons, notes, which items ask for an object) is stored once. So 20,000 endpoints that all fail stay a few
megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import Protocol

from profiles.verdict import Verdict
from reports.view.listing import PAGE
from reports.view.listing import Row
from reports.view.listing import Thing
from reports.view.register import STATES
from reports.view.register import Asking
from reports.view.register import RegisterView
from reports.view.register import State
from reports.view.register import state_of
from reports.view.register import view_register
from reports.wording import Said
from reports.wording import reached
from reports.wording import same

_STATE_CODES = {state: code for code, state in enumerate(STATES)}


class Listed(Protocol):
    """What the script must know of an item."""

    @property
    def anchor(self) -> str:
        """Its id in the page."""

    @property
    def id(self) -> str:
        """Its id in the plan."""

    @property
    def title(self) -> Said:
        """Its name."""

    @property
    def verdict(self) -> Verdict:
        """What came of it."""


class PagedData:
    """All objects of the plant, and the rows of all lists.

    Args:
        things: every object of the plant; what findings name besides joins them.
        asked: the items that ask for each object.
        reached: by id, its layers as :mod:`reports.view.reached` tells them.
        verdicts: of all items, by id, in order.
    """

    def __init__(
        self,
        things: Iterable[Thing],
        asked: Asking,
        reached: Mapping[str, str],
        verdicts: Mapping[str, Verdict],
    ) -> None:
        self._things: dict[Thing, int] = {}
        for thing in things:
            _index(self._things, thing)
        self._declared = len(self._things)
        self._asked = asked
        self._reached = reached
        self._places = {item: place for place, item in enumerate(verdicts)}
        self._verdicts = list(verdicts.values())
        self._reasons: dict[Said, int] = {}
        self._notes: dict[Said, int] = {}
        self._named: dict[int, list[int]] = {}
        self._lists: dict[str, list[list[int]]] = {}

    def add(self, item: str, anchor: str, every: Sequence[Row]) -> None:
        """Keep the rows of the item's list, which stands at ``anchor``."""
        listed = [
            [_index(self._things, row.thing), _index(self._reasons, row.reason), _index(self._notes, row.note)]
            for row in every
        ]
        for thing, _, _ in listed:
            self._named.setdefault(thing, []).append(self._places[item])
        self._lists[anchor] = listed

    def register(self) -> RegisterView:
        """The objects in numbers, once every list was added."""
        return view_register(list(self._things), self._states())

    def as_json(self, items: Iterable[Listed]) -> dict[str, Any]:
        """Plain data, as the script reads it; ``items`` are all of the report's, in order."""
        asked: dict[int, int] = {}
        columns = {name: _Column() for name in ("zone", "area", "cls", "technology", "layers")}
        asks = []
        short = {text: reached(text) for text in {"", *self._reached.values()}}
        for place, thing in enumerate(self._things):
            columns["zone"].add(same(thing.zone))
            columns["area"].add(same(thing.area))
            columns["cls"].add(thing.cls)
            columns["technology"].add(thing.technology)
            declared = place < self._declared
            columns["layers"].add(short[self._reached.get(thing.id, "") if declared else ""])
            asks.append(_index(asked, self._entry(place, thing)))
        return {
            "page": PAGE,
            "items": [[item.anchor, item.id, _plain(item.title), item.verdict] for item in items],
            "things": {
                "id": [thing.id for thing in self._things],
                "name": [thing.name for thing in self._things],
                "addresses": [thing.addresses for thing in self._things],
                "asked": asks,
                "state": [_STATE_CODES[state] for state in self._states()],
            }
            | {name: column.codes for name, column in columns.items()},
            "words": {name: column.words() for name, column in columns.items()},
            "asked": [[2 * one.item + one.drawn for one in self._asked.entries[entry]] for entry in asked],
            "reasons": [_plain(reason) for reason in self._reasons],
            "notes": [_plain(note) for note in self._notes],
            "lists": self._lists,
        }

    def _entry(self, place: int, thing: Thing) -> int:
        """What asks for a declared object; a zone, or a stranger that a finding names, may share its id."""
        return self._asked.entry(thing.id) if place < self._declared else 0

    def _states(self) -> list[State]:
        """How each object stands; of most no list has anything to say, and they stand as their entry does."""
        unnamed: dict[int, State] = {}
        found = []
        for place, thing in enumerate(self._things):
            entry, named = self._entry(place, thing), self._named.get(place)
            if named is None and entry not in unnamed:
                unnamed[entry] = state_of(self._asked.entries[entry], (), self._verdicts)
            found.append(unnamed[entry] if named is None else state_of((), named, self._verdicts))
        return found


class _Column:
    """One property of all objects: every different text once."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self._texts: dict[Said, int] = {}

    def add(self, text: Said) -> None:
        self.codes.append(_index(self._texts, text))

    def words(self) -> list[Any]:
        return [_plain(text) for text in self._texts]


def _plain(text: Said) -> str | Said:
    """One text where both languages have the same."""
    return text.zh if text.zh == text.en else text


def _index(table: dict[Any, int], value: Any) -> int:  # noqa: ANN401 - any hashable value
    return table.setdefault(value, len(table))
