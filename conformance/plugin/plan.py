"""``--plan``: every action and its price, and nothing sent."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from conformance.bulk import Priced
from profiles.language import Texts

#: Width of a plan that goes to a file or a pipe.
PLAIN_WIDTH = 160


def print_plan(console: Console, priced: Sequence[Priced], open_items: int) -> None:
    """Print one row per action, the totals, and how many items nothing can measure."""
    texts = Texts.of("conformance")
    table = Table(*texts.get("plan.columns").split("|"), title=texts.get("plan.title"), title_justify="left")
    for column in table.columns[4:9]:
        column.justify = "right"
    for action, cost in ((entry.action, entry.cost) for entry in priced):
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
            cost.level,
        )
    console.print(table)
    console.print(texts.get("plan.total", **_total(priced)))
    if open_items:
        console.print(texts.get("plan.open", count=open_items))


def _total(priced: Sequence[Priced]) -> dict[str, str]:
    """Sums over all actions; the duration is that of the busiest vantage."""
    busy_s: dict[str, float] = {}
    for entry in priced:
        vantage = entry.action.vantage
        busy_s[vantage] = busy_s.get(vantage, 0.0) + entry.cost.duration_s
    return {
        "packets": f"{sum(entry.cost.packets for entry in priced):,}",
        "bytes": f"{sum(entry.cost.bytes for entry in priced):,}",
        "duration": f"{max(busy_s.values(), default=0.0):.1f} s",
    }
