"""What a plant file amounts to, as tables for a person: a mistake in a register shows in its sums."""

from __future__ import annotations

from collections import Counter
from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from typing import get_args

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from fixtures.objects import measuring_vantages
from fixtures.objects import objects
from fixtures.plant.draft import Draft
from fixtures.plant.facility_checks import unmeasured
from fixtures.plant.internet import servers
from fixtures.plant.model import Plant
from fixtures.plant.model import Zone
from fixtures.plant.problems import CATALOGUE
from fixtures.scope import describe
from fixtures.scope import permits
from profiles.document import dotted
from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from profiles.requirement import ObjectClass
from profiles.requirement import Technology
from reports.wording import visible

_NOTHING = "–"
_FACILITIES = ("flow", "clock", "modem", "onu", "node", "identifier", "server")


def summary(plant: Plant) -> Iterator[Table | Text]:
    """A line and tables, in the current language."""
    facts = {
        "plant": plant.plant,
        "organisation": plant.organisation or _NOTHING,
        "endpoints": len(plant.endpoints),
        "unaddressed": sum(not endpoint.addresses for endpoint in plant.endpoints),
        "devices": len(plant.devices),
        "conduits": len(plant.conduits),
        "tailoring": len(plant.tailoring),
    }
    yield Text(visible(_text("summary", **facts)))
    yield _zones(plant)
    yield _limits(plant)
    yield _register(plant)
    if plant.areas:
        yield _areas(plant)
    if any(_facilities_of(plant)):
        yield _facilities(plant)
    yield _vantages(plant)
    for it in unmeasured(Draft.of_plant(plant)):
        remark = Problem(it.code, CATALOGUE, path=dotted(it.path), facts=it.facts)
        yield Text(visible(remark.text(current_language())))


def _zones(plant: Plant) -> Table:
    endpoints = Counter(endpoint.zone for endpoint in plant.endpoints)
    devices = Counter(device.zone for device in plant.devices)
    measuring = measuring_vantages(plant)
    table = _table("zones", numeric=(4, 5), whole=(0, 3))
    for zone in plant.zones:
        networks = "\n".join(map(str, zone.networks)) or _NOTHING
        vantage = measuring.get(zone.id, _NOTHING)
        _add(table, zone.id, zone.name, _kind(zone), networks, endpoints[zone.id], devices[zone.id], vantage)
    return table


def _limits(plant: Plant) -> Table:
    """What the permits made of levels and budgets: each vantage point's share of them, not what the file names."""
    zones = {zone.id: zone for zone in plant.zones}
    table = _table("limits", numeric=(3, 4, 5, 6))
    for allowance in sorted(describe(permits(plant)), key=lambda it: list(zones).index(it.zone.zone)):
        it = allowance.zone
        limits = (it.packets_per_s, it.packets_per_s_per_device, it.bits_per_s, it.total_bytes)
        shown = [_text("unlimited") if limit is None else f"{limit:,.4g}" for limit in limits]
        _add(table, it.zone, allowance.vantage, _text(f"level-{it.level}"), *shown, _window(zones[it.zone]))
    return table


def _register(plant: Plant) -> Table:
    """Endpoints by class and technology, with sums."""
    counts = Counter((endpoint.cls, endpoint.technology) for endpoint in plant.endpoints)
    present = [name for name in get_args(Technology) if any(technology == name for _, technology in counts)]
    table = _table("register")
    for name in (*present, _text("sum")):
        table.add_column(name, justify="right")
    for cls in get_args(ObjectClass):
        row = [counts[cls, technology] for technology in present]
        _add(table, f"{cls} {_text(f'class-{cls}')}", *row, sum(row))
    sums = [sum(count for (_, technology), count in counts.items() if technology == name) for name in present]
    _add(table, _text("sum"), *sums, sum(sums))
    return table


def _areas(plant: Plant) -> Table:
    endpoints = Counter(endpoint.area for endpoint in plant.endpoints)
    table = _table("areas", numeric=(4, 5))
    for area in plant.areas:
        _add(table, area.id, area.name, " ".join(area.classes), area.zone, len(area.points), endpoints[area.id])
    return table


def _facilities(plant: Plant) -> Table:
    """How many of each kind there are, and from which vantage points they are measured."""
    table = _table("facilities", numeric=(1,))
    measured: dict[str, dict[str, None]] = defaultdict(dict)
    for it in objects(plant):
        measured[it.member.basis] |= {vantage: None for vantage, _ in it.assign()}
    for kind, section in zip(_FACILITIES, _facilities_of(plant), strict=True):
        if section:
            _add(table, _text(f"facility-{kind}"), len(section), ", ".join(measured[kind]) or _NOTHING)
    return table


def _facilities_of(plant: Plant) -> Sequence[Sequence[object]]:
    return (
        plant.flows,
        plant.clocks,
        plant.modems,
        plant.onus,
        plant.nodes,
        plant.identifiers,
        [*servers(plant.services)],
    )


def _vantages(plant: Plant) -> Table:
    measured: dict[str, list[str]] = defaultdict(list)
    for zone, measuring in measuring_vantages(plant).items():
        measured[measuring].append(zone)
    own = Counter(endpoint.vantage for endpoint in plant.endpoints)
    table = _table("vantages", numeric=(4,))
    for vantage in plant.vantages:
        zones = ", ".join(measured[vantage.id]) or _NOTHING
        _add(table, vantage.id, vantage.where, vantage.zone or _NOTHING, zones, own[vantage.id])
    return table


def _table(name: str, numeric: Collection[int] = (), whole: Collection[int] = (0,)) -> Table:
    """An empty table; the columns ``numeric`` and ``whole`` are never broken over lines."""
    title, *headers = _text(name).split("|")
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, header in enumerate(headers):
        kept = index in numeric or index in whole
        table.add_column(header, justify="right" if index in numeric else "left", no_wrap=kept, overflow="fold")
    return table


def _add(table: Table, *cells: object) -> None:
    table.add_row(*(Text(visible(str(cell))) for cell in cells))  # as text: ids may hold what rich takes for markup


def _kind(zone: Zone) -> str:
    return _text(f"kind-{zone.kind}") + (f" ({_text('lab')})" if zone.lab else "")


def _window(zone: Zone) -> str:
    budget = zone.budget
    if budget is None or not (budget.open_from or budget.open_until):
        return _text("always")
    return " … ".join(it.isoformat(timespec="minutes") if it else "" for it in (budget.open_from, budget.open_until))


def _text(code: str, **facts: object) -> str:
    return Texts.of("fixtures").get(f"plant.{code}", current_language(), **facts)
