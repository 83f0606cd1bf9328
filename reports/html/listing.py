"""Lists of failing objects: the first rows for the page itself, all of them as compact data for paging.

What repeats is stored once: objects that fail several requirements, reasons, notes. So 20,000 failing endpoints stay
a few megabytes, and nothing is drawn before a reader asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any
from typing import NamedTuple

from fixtures.plant.model import Plant
from reports.result import FindingRecord
from reports.wording import Said
from reports.wording import reason
from reports.wording import same
from reports.wording import say

#: Rows shown without paging, and rows of a page.
PAGE = 100


class Thing(NamedTuple):
    """What the plant file says of one object; empty where it says nothing."""

    id: str
    name: str = ""
    zone: str = ""
    area: str = ""
    cls: Said = Said("", "")
    addresses: str = ""


class Row(NamedTuple):
    """One failing object and why."""

    thing: Thing
    reason: Said
    note: str


def things(plant: Plant) -> dict[str, Thing]:
    """Every object of the plant that a finding may name, by id."""
    zones = {zone.id: zone.name or zone.id for zone in plant.zones}
    areas = {area.id: area.name or area.id for area in plant.areas}
    found = {}
    for device in plant.devices:
        found[device.id] = Thing(
            device.id, device.kind, zones.get(device.zone, device.zone), "", _NO_CLASS, _all(device)
        )
    for area in plant.areas:
        zone, classes = zones.get(area.zone, area.zone), [say(f"class.{cls}") for cls in area.classes]
        spoken = Said("、".join(cls.zh for cls in classes), ", ".join(cls.en for cls in classes))
        for point in area.points:
            found[point.id] = Thing(point.id, "", zone, areas[area.id], spoken, _all(point))
    for endpoint in plant.endpoints:
        zone, area_name = zones.get(endpoint.zone, endpoint.zone), areas.get(endpoint.area or "", endpoint.area or "")
        cls = say(f"class.{endpoint.cls}")
        found[endpoint.id] = Thing(endpoint.id, endpoint.name, zone, area_name, cls, _all(endpoint))
    return found


def rows(findings: Sequence[FindingRecord], known: dict[str, Thing]) -> list[Row]:
    """The findings with what the plant knows of their objects."""
    return [Row(known.get(one.target) or Thing(one.target), reason(one.reason), one.note) for one in findings]


@dataclass
class PagedData:
    """All rows of all lists, for the page's script: tables of what repeats, and index triples."""

    lists: dict[str, list[list[int]]] = field(default_factory=dict)
    _things: dict[Thing, int] = field(default_factory=dict)
    _reasons: dict[Said, int] = field(default_factory=dict)
    _notes: dict[str, int] = field(default_factory=dict)
    _classes: dict[Said, int] = field(default_factory=dict)

    def add(self, anchor: str, every: Sequence[Row]) -> None:
        """Keep the rows of the list at ``anchor``."""
        self.lists[anchor] = [
            [_index(self._things, row.thing), _index(self._reasons, row.reason), _index(self._notes, row.note)]
            for row in every
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain data, as the script reads it."""
        plain = [[*thing[:4], _index(self._classes, thing.cls), thing.addresses] for thing in self._things]
        return {
            "page": PAGE,
            "things": plain,
            "classes": list(self._classes),
            "reasons": list(self._reasons),
            "notes": list(self._notes),
            "lists": self.lists,
        }


_NO_CLASS = same("")


def _index(table: dict[Any, int], value: Any) -> int:  # noqa: ANN401 - any hashable value
    return table.setdefault(value, len(table))


def _all(holder: Any) -> str:  # noqa: ANN401 - endpoints, points and devices all have addresses
    return ", ".join(str(address) for address in holder.addresses)
