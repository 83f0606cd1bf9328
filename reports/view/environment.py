"""Under which conditions the test was made: the vantage points, the clocks, the versions, and what people noted."""

from __future__ import annotations

from typing import NamedTuple

from fixtures.plant.model import Plant
from fixtures.plant.model import VantagePoint
from reports.bundle import Event
from reports.figures import count
from reports.figures import number
from reports.figures import with_unit
from reports.view.fact import Fact
from reports.view.fact import fact
from reports.view.material import Material
from reports.wording import Said
from reports.wording import same
from reports.wording import say

_OPENED = "vantage-opened"
_SYNCHRONISED = {"true": "yes", "false": "no"}


class VantageView(NamedTuple):
    """One vantage point: where it is, what it runs on, and how well its clock is kept."""

    id: str
    where: str  #: as the plant file names it
    zones: Said  #: in which it stands, and which it measures
    host: str
    system: str
    clock: Said
    offset: str  #: of its clock against the test host's; empty if unknown
    sessions: int  #: how often it was opened; none if it never was


class Environment(NamedTuple):
    """The conditions of the test."""

    vantages: list[VantageView]
    facts: list[Fact]
    conditions: list[str]  #: as noted by people; empty if nobody did


def environment(material: Material) -> Environment:
    """The conditions of the test, from the bundle."""
    opened: dict[str, list[Event]] = {}
    for event in material.events:
        if event.kind == _OPENED:
            opened.setdefault(event.facts.get("vantage", ""), []).append(event)
    return Environment(
        vantages=[_vantage(one, material.plant, opened.get(one.id, [])) for one in material.plant.vantages],
        facts=_facts(material),
        conditions=list(material.particulars.conditions),
    )


def _facts(material: Material) -> list[Fact]:
    campaign, manifest = material.campaign, material.manifest
    versions = ", ".join(f"{name} {version}" for name, version in campaign.versions.items())
    return [
        fact("environment.host", campaign.host),
        fact("environment.sealed-by", manifest.host),
        fact("environment.kernel", manifest.kernel),
        fact("environment.clock", _clock(manifest.clock.get("synchronised", ""), manifest.clock)),
        fact("environment.versions", versions),
    ]


def _vantage(point: VantagePoint, plant: Plant, opened: list[Event]) -> VantageView:
    facts = opened[-1].facts if opened else {}
    machine = (facts.get("system", ""), facts.get("kernel", ""), facts.get("machine", ""))
    python = facts.get("python", "")
    clock = {key.removeprefix("clock."): value for key, value in facts.items() if key.startswith("clock.")}
    synchronised = clock.get("synchronised", "")
    return VantageView(
        id=point.id,
        where=point.where,
        zones=_zones(point, plant),
        host=facts.get("hostname", ""),
        system=" ".join(filter(None, machine)) + (f", Python {python}" if python else ""),
        clock=_clock(_SYNCHRONISED.get(synchronised, synchronised), clock) if opened else say("environment.not-opened"),
        offset=_offset(facts),
        sessions=len(opened),
    )


def _zones(point: VantagePoint, plant: Plant) -> Said:
    names = {zone.id: zone.name or zone.id for zone in plant.zones}
    measured = [names.get(id, id) for id in point.measures]
    parts = [say("environment.stands-in", zone=names.get(point.zone, point.zone))] if point.zone else []
    if measured:
        parts.append(say("environment.measures", zones=Said("、".join(measured), ", ".join(measured))))
    return Said("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def _clock(synchronised: str, facts: dict[str, str]) -> Said:
    """Whether something disciplines the clock, and by how much it may then be off; as written, if it is neither."""
    if synchronised == "yes":
        error = facts.get("maximum_error_us") or facts.get("max_error_us") or ""
        return say("environment.clock-kept", error=count(int(error)) if error.isdecimal() else error or "–")
    if synchronised in ("no", "unknown"):
        return say(f"environment.clock-{'free' if synchronised == 'no' else 'unknown'}")
    return same(synchronised)


def _offset(facts: dict[str, str]) -> str:
    """The clock's offset against the test host's with its uncertainty, or nothing."""
    try:
        told = [number(float(facts[f"offset.{name}"])) for name in ("offset_ms", "uncertainty_ms")]
    except (KeyError, ValueError):
        return ""
    return with_unit(" ± ".join(told), "ms")
