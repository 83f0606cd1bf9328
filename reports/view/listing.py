"""Objects and lists of failing objects, with what the plant file says of each."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from fixtures.objects import Object
from fixtures.objects import objects
from fixtures.plant.model import Plant
from profiles.reduced import Member
from reports.result import FindingRecord
from reports.wording import Said
from reports.wording import dimension_value
from reports.wording import note
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
    technology: Said = Said("", "")


class Row(NamedTuple):
    """One failing object and why."""

    thing: Thing
    reason: Said
    note: Said


def things(plant: Plant) -> dict[str, Thing]:
    """Every object of the plant that a finding may name, by id."""
    zones = {zone.id: zone.name or zone.id for zone in plant.zones}
    areas = {area.id: area.name or area.id for area in plant.areas}
    found = {}
    for device in plant.devices:
        found[device.id] = Thing(
            device.id, device.kind, zones.get(device.zone, device.zone), "", say("object.device"), _all(device)
        )
    for area in plant.areas:
        zone, classes = zones.get(area.zone, area.zone), [say(f"class.{cls}") for cls in area.classes]
        spoken = Said("、".join(cls.zh for cls in classes), ", ".join(cls.en for cls in classes))
        for point in area.points:
            technology = dimension_value("technology", point.technology)
            found[point.id] = Thing(point.id, "", zone, areas[area.id], spoken, _all(point), technology)
    for endpoint in plant.endpoints:
        zone, area_name = zones.get(endpoint.zone, endpoint.zone), areas.get(endpoint.area or "", endpoint.area or "")
        cls, technology = say(f"class.{endpoint.cls}"), dimension_value("technology", endpoint.technology)
        found[endpoint.id] = Thing(endpoint.id, endpoint.name, zone, area_name, cls, _all(endpoint), technology)
    for one in objects(plant):
        if one.member.id not in found:
            found[one.member.id] = _facility(one, zones)
    return found


def zone_things(plant: Plant) -> dict[str, Thing]:
    """Every zone by id; zones have a space of ids of their own, so that one may be called like an object."""
    return {
        zone.id: Thing(
            zone.id, zone.name, zone.name or zone.id, "", say("object.zone"), ", ".join(map(str, zone.networks))
        )
        for zone in plant.zones
    }


def called(id: str, known: Mapping[str, Thing]) -> Said:
    """An object as a reader knows it: its name where it has one, and its id."""
    thing = known.get(id)
    if thing is None or not thing.name or thing.name == id:
        return same(id)
    return same(f"{thing.name} {id}")


def _facility(one: Object, zones: Mapping[str, str]) -> Thing:
    """An object that is no terminal: a flow, a clock, a passage, ..., with where it is and where it is asked."""
    seen = [assignment for _, assignment in one.assign()]
    name = next((str(name) for it in seen if (name := getattr(it.source, "name", ""))), "")
    addresses = dict.fromkeys(address for it in seen for address in it.addresses)
    zone = zones.get(one.zone, one.zone)
    return Thing(one.member.id, name, zone, "", _kind(one.member), ", ".join(addresses))


def _kind(member: Member) -> Said:
    """What kind of object it is; of an element, which."""
    kind = member.fact("kind", member.basis)
    try:
        return say(f"object.{kind}")
    except (KeyError, TypeError):
        return same(kind)


def rows(findings: Sequence[FindingRecord], known: dict[str, Thing]) -> list[Row]:
    """The findings with what the plant knows of their objects."""
    return [
        Row(known.get(one.target) or Thing(one.target), reason(one.reason), note(one.reason, one.note))
        for one in findings
    ]


def _all(holder: Any) -> str:  # noqa: ANN401 - endpoints, points and devices all have addresses
    return ", ".join(str(address) for address in holder.addresses)
