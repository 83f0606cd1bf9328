"""``--plan``: every action and its price, and nothing sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from conformance.bulk import Priced
from conformance.plugin.refusals import REASONS
from conformance.plugin.refusals import Foreseen
from conformance.records import is_record
from probes.permit import LEVELS
from probes.permit import Permit
from profiles.language import Texts

#: Width of a plan that goes to a file or a pipe.
PLAIN_WIDTH = 160


def print_plan(console: Console, plan: Sequence[Foreseen], permits: Mapping[str, Permit], open_items: int) -> None:
    """Print one row per action, the totals, what the permits will refuse, and how many items nothing can measure."""
    texts = Texts.of("conformance")
    priced = [one.priced for one in plan]
    table = Table(*texts.get("plan.columns").split("|"), title=texts.get("plan.title"), title_justify="left")
    for column in table.columns[4:9]:
        column.justify = "right"
    for one in plan:
        action, cost = one.priced.action, one.priced.cost
        table.add_row(
            action.vantage,
            action.method,
            str(action.window + 1),
            " ".join(sorted({target.zone for target in action.targets})),
            str(len({target.id for target in action.targets})),
            str(len(action.targets)),
            f"{cost.packets:,}",
            f"{cost.bytes:,}",
            f"{cost.duration_s:.1f} s",
            "\n".join([cost.level, *_refused(one)]),
        )
    console.print(table)
    console.print(texts.get("plan.total", **_total(priced)))
    for warning in _warnings(priced, permits):
        console.print(warning, style="yellow")
    if open_items:
        console.print(texts.get("plan.open", count=open_items))


def _refused(one: Foreseen) -> Iterator[str]:
    """What will be refused of an action, a line for each reason, with how many targets if not all of them."""
    texts = Texts.of("conformance")
    for reason, count in one.refused.items():
        why = texts.get(f"plan.refused-{reason}") if reason in REASONS else reason
        part = f" ({count}/{len(one.priced.action.targets)})" if count < len(one.priced.action.targets) else ""
        yield texts.get("plan.refused-targets", why=why) + part


def _total(priced: Sequence[Priced]) -> dict[str, str]:
    """Sums over all actions; the duration is that of the busiest vantage, with the pauses between its windows."""
    busy_s: dict[str, float] = {}
    paused_s = max((entry.action.not_before_s for entry in priced), default=0.0)
    for entry in priced:
        vantage = entry.action.vantage
        busy_s[vantage] = busy_s.get(vantage, 0.0) + entry.cost.duration_s
    return {
        "packets": f"{sum(entry.cost.packets for entry in priced):,}",
        "bytes": f"{sum(entry.cost.bytes for entry in priced):,}",
        "duration": f"{max(busy_s.values(), default=0.0) + paused_s:.1f} s",
    }


def _warnings(priced: Sequence[Priced], permits: Mapping[str, Permit]) -> Iterator[str]:
    """What the plan asks for and will not get: zones of too low a level, and budgets of bytes that will not do."""
    texts = Texts.of("conformance")
    refused: dict[str, set[str]] = {}
    planned: Counter[tuple[str, str]] = Counter()
    for action, cost in ((it.action, it.cost) for it in priced if not is_record(it.action)):
        zones = permits[action.vantage].zones
        for zone in {target.zone for target in action.targets}:
            if zone not in zones or LEVELS.index(zones[zone].level) < LEVELS.index(cost.level):
                refused.setdefault(zone, set()).update(one.id for one in action.targets if one.zone == zone)
            elif len({target.zone for target in action.targets}) == 1:
                planned[action.vantage, zone] += cost.bytes
    for zone, objects in refused.items():
        yield texts.get("plan.refused", zone=zone, count=len(objects))
    for (vantage, zone), size in planned.items():
        budget = permits[vantage].zones[zone].total_bytes
        if budget is not None and size > budget:
            yield texts.get("plan.budget", zone=zone, vantage=vantage, budget=f"{budget:,}", planned=f"{size:,}")
