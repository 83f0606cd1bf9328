"""``plantproof score``: the score sheet of a bundle, under the weights that a user set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer

from profiles.language import Texts
from profiles.language import current_language

if TYPE_CHECKING:
    from rich.table import Table

    from profiles.score import Bounds
    from profiles.score import Score
    from profiles.weights import Weights
    from reports.bundle import Bundle

_texts = Texts.of("conformance")


def score(
    bundle: Annotated[Path, typer.Argument(help=_texts.get("cli.bundle"))],
    weights: Annotated[Path | None, typer.Option("--weights", metavar="FILE", help=_texts.get("cli.weights"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_texts.get("cli.json"))] = False,
    template: Annotated[bool, typer.Option("--template", help=_texts.get("cli.score-template"))] = False,
) -> None:
    """Score a bundle by weights; exit 4 where one is missing."""
    from reports import scoring
    from reports.sound import open_bundle
    from reports.sound import sound_bundle
    from reports.wording import visible

    if template:
        typer.echo(visible(scoring.template(open_bundle(bundle))), nl=False)
        return
    opened = sound_bundle(bundle, "score-altered")
    found, used = scoring.score_bundle(opened, weights)
    if as_json:
        typer.echo(json.dumps(_record(opened, found, used), ensure_ascii=False, indent=1))
    else:
        _print(opened, found, used)


def _record(bundle: Bundle, score: Score, weights: Weights) -> dict[str, Any]:
    """For machines: exact fractions beside what is shown."""
    return {
        "campaign": bundle.campaign.campaign,
        "plant": bundle.campaign.plant,
        "set_by": weights.set_by,
        "total": _bounds(score.total),
        "pillars": [
            {"pillar": it.pillar, "weight": None if it.weight is None else str(it.weight), **_bounds(it.bounds)}
            for it in score.pillars
        ],
        "open": score.open,
        "not_applicable": score.left_out,
        "informative": score.informative,
    }


def _bounds(bounds: Bounds | None) -> dict[str, Any]:
    from reports.scoring import shown

    if bounds is None:
        return {"low": None, "high": None, "points": None}
    return {"low": str(bounds.low), "high": str(bounds.high), "points": shown(bounds)}


def _print(bundle: Bundle, score: Score, weights: Weights) -> None:
    from rich.console import Console
    from rich.text import Text

    from reports.scoring import shown
    from reports.wording import visible

    said = Texts.of("reports")
    console = Console()
    assert score.total is not None  # noqa: S101 - it was refused otherwise
    console.print(Text(visible(bundle.campaign.plant), "bold"))
    console.print(_table(score, weights))
    console.print(Text(said.get("score.total", points=shown(score.total)), "bold"))
    for code, items in (("open", score.open), ("left-out", score.left_out), ("informative", score.informative)):
        if items:
            console.print(Text(said.get(f"score.{code}", count=len(items), items=visible(", ".join(items)))))
    by = visible(weights.set_by) or said.get("score.nobody")
    console.print(Text(said.get("score.by" if weights.document else "score.by-profile", by=by), "dim"))
    console.print(Text(said.get("score.means"), "dim"))


def _table(score: Score, weights: Weights) -> Table:
    from rich import box
    from rich.table import Table

    from reports.scoring import shown
    from reports.wording import pillar

    said = Texts.of("reports")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    columns = ["pillar", "points", "met", "open-weight", "failed", *(["weight"] if weights.pillars is not None else [])]
    for name in columns:
        table.add_column(said.get(f"score.column.{name}"), justify="left" if name == "pillar" else "right")
    for it in score.pillars:
        points = shown(it.bounds) if it.bounds else "–"
        sums = [f"{float(weight):g}" for weight in (it.sums.met, it.sums.open, it.sums.failed)]
        own = [] if it.weight is None else [f"{float(it.weight):g}"]
        table.add_row(pillar(it.pillar).in_language(current_language()), points, *sums, *own)
    return table
