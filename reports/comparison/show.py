"""A comparison as a terminal table, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Group
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports.comparison.compare import Change
from reports.comparison.compare import Comparison
from reports.comparison.compare import Difference
from reports.comparison.movement import Movement
from reports.comparison.movement import Trend
from reports.comparison.series import Series
from reports.figures import interval_of
from reports.figures import moment
from reports.figures import value_with_share
from reports.result import Result
from reports.wording import SHAPES
from reports.wording import Said
from reports.wording import say
from reports.wording import verdict
from reports.wording import visible

_STYLES = {Trend.BETTER: "green", Trend.WORSE: "bold red", Trend.OTHER: ""}
_NAMED = 5  #: objects named


def as_table(comparison: Comparison, language: str) -> RenderableType:
    """What changed, for a terminal."""
    lines = [Text(visible(line)) for line in _heading(comparison, language)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for code in ("item", "before", "after", "remark"):
        table.add_column(_said(f"compare.{code}", language), overflow="fold", ratio=2 if code == "remark" else 1)
    for change in _telling(comparison):
        cells = (visible(cell) for cell in _cells(change, language))
        table.add_row(*(Text(cell, _STYLES[change.trend]) for cell in cells))
    return Group(*lines, *([table] if table.row_count else []), Text(_closing(comparison, language), "bold"))


def as_markdown(comparison: Comparison, language: str) -> str:
    """What changed, as a Markdown document."""
    lines = [f"# {_said('compare.title', language)}", ""]
    lines += [f"- {_escaped(line)}" for line in _heading(comparison, language)]
    rows = [_cells(change, language) for change in _telling(comparison)]
    if rows:
        names = [_said(f"compare.{code}", language) for code in ("item", "before", "after", "remark")]
        lines += ["", _line(names), _line(["---"] * len(names)), *(_line(map(_escaped, row)) for row in rows)]
    lines += ["", _escaped(_closing(comparison, language)), "", _said("compare.overlap", language), ""]
    return "\n".join(lines)


def as_record(comparison: Comparison) -> dict[str, Any]:
    """Everything, for machines (``plantproof-comparison/1``)."""
    return {
        "format": "plantproof-comparison/1",
        "before": vars(comparison.before),
        "after": vars(comparison.after),
        "asked": [vars(one) for one in comparison.asked],
        "worse": len(comparison.worse),
        "changes": [_change_record(change) for change in comparison.changes],
    }


def series_table(found: Series, language: str) -> RenderableType:
    """The values of all campaigns beside each other, for a terminal."""
    title = _said("compare.series-title", language)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", title=title)
    table.add_column(_said("compare.item", language), overflow="fold")
    for day in _days(found):
        table.add_column(day, overflow="fold", justify="right")
    table.add_column(_said("compare.remark", language), overflow="fold")
    for row in _series_rows(found, language):
        table.add_row(*(Text(visible(cell)) for cell in row))
    return table


def series_markdown(found: Series, language: str) -> str:
    """The values of all campaigns beside each other, as Markdown."""
    names = [_said("compare.item", language), *_days(found)]
    names.append(_said("compare.remark", language))
    lines = [f"## {_said('compare.series-title', language)}", "", _line(names), _line(["---"] * len(names))]
    lines += [_line(map(_escaped, row)) for row in _series_rows(found, language)]
    return "\n".join([*lines, ""])


def series_record(found: Series) -> dict[str, Any]:
    """The values of all campaigns, for machines (``plantproof-series/1``)."""
    return {
        "format": "plantproof-series/1",
        "campaigns": [vars(side) for side in found.sides],
        "items": [
            {
                "item": row.item,
                "results": [_result_record(result) for result in row.results],
                "moved": list(row.moved),
                "overall": row.overall,
            }
            for row in found.rows
        ],
    }


def _series_rows(found: Series, language: str) -> Iterator[list[str]]:
    for row in found.rows:
        remark = "" if row.overall is Movement.NONE else _said(f"compare.moved-{row.overall}", language)
        yield [row.item, *(_result(result, language) for result in row.results), remark]


def _days(found: Series) -> list[str]:
    """When each campaign began: the day, and the time too if two began on one day."""
    days = [moment(side.started)[:10] for side in found.sides]
    return days if len(set(days)) == len(days) else [moment(side.started) for side in found.sides]


def _heading(comparison: Comparison, language: str) -> Iterator[str]:
    for code, side in (("before", comparison.before), ("after", comparison.after)):
        word = _said(f"outcome.{side.outcome}", language)
        yield f"{_said(f'compare.{code}', language)}: {side.plant} · {moment(side.started)} · {word} · {side.campaign}"
    if comparison.asked:
        told = "; ".join(_asked(one, language) for one in comparison.asked)
        yield f"{_said('compare.scope', language)}: {told}"


def _closing(comparison: Comparison, language: str) -> str:
    changes = comparison.changes
    left_out = sum(change.left_out for change in changes)
    if not any(change.telling for change in changes) and not comparison.asked and not left_out:
        return _said("compare.nothing", language)
    told = _said(
        "compare.summary",
        language,
        items=len(changes) - left_out,
        verdicts=sum(change.verdict_changed and not change.left_out for change in changes),
        moved=sum(change.value_moved for change in changes),
        better=sum(change.trend is Trend.BETTER for change in changes),
        worse=len(comparison.worse),
    )
    return f"{told} {_said('compare.left-out', language, count=left_out)}" if left_out else told


def _telling(comparison: Comparison) -> list[Change]:
    """What belongs in front of a reader, what got worse first."""
    order = [Trend.WORSE, Trend.BETTER, Trend.OTHER]
    return sorted((one for one in comparison.changes if one.telling), key=lambda change: order.index(change.trend))


def _cells(change: Change, language: str) -> tuple[str, str, str, str]:
    name = f"{change.item}\n{change.title.in_language(language)}"
    remarks = [_said(f"compare.trend-{change.trend}", language)]
    if change.value_moved or change.moved is Movement.UNSURE:
        remarks.append(_said(f"compare.moved-{change.moved}", language))
    for code, objects in _objects(change):
        if objects:
            more = f", … ({len(objects)})" if len(objects) > _NAMED else ""
            remarks.append(_said(f"compare.{code}", language, objects=", ".join(objects[:_NAMED]) + more))
    remarks += [_asked(one, language) for one in change.asked]
    told = "; ".join(remark for remark in remarks if remark)
    return name, _result(change.before, language), _result(change.after, language), told


def _objects(change: Change) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "broken", change.broken
    yield "mended", change.mended
    yield "dropped", change.dropped


def _result(result: Result | None, language: str) -> str:
    if result is None:
        return _said("compare.absent", language)
    word = f"{SHAPES[result.verdict]} {verdict(result.verdict).in_language(language)}"
    value = value_with_share(result)
    span = f" ({interval_of(result)})" if result.interval is not None else ""
    return word if value == "–" else f"{word} {value}{span}"


def _asked(one: Difference, language: str) -> str:
    sides = (moment(side) if one.code == "order" else side for side in (one.before, one.after))
    before, after = (side or "–" for side in sides)
    return _said(f"compare.asked-{one.code}", language, before=before, after=after)


def _change_record(change: Change) -> dict[str, Any]:
    return {
        "item": change.item,
        "before": _result_record(change.before),
        "after": _result_record(change.after),
        "verdict_changed": change.verdict_changed,
        "moved": change.moved,
        "trend": change.trend,
        "asked": [vars(one) for one in change.asked],
        "broken": list(change.broken),
        "mended": list(change.mended),
        "dropped": list(change.dropped),
    }


def _result_record(result: Result | None) -> dict[str, Any] | None:
    if result is None:
        return None
    told = {"verdict", "value", "unit", "interval", "numerator", "denominator", "n"}
    return result.model_dump(mode="json", include=told)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Text that no Markdown reader takes for markup."""
    marked = "".join(f"\\{letter}" if letter in "\\`*_[]<>|#~" else letter for letter in visible(text))
    return marked.replace("&", "&amp;").replace("\n", "<br>")


def _said(code: str, language: str, **facts: object) -> str:
    said: Said = say(code, **facts)
    return said.in_language(language)
