"""The drawn parts of an item: value against limit, breakdowns, delay distributions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.drawings.bars import Bar
from reports.drawings.bars import Limit
from reports.drawings.bars import bars_chart
from reports.drawings.charts import Reading
from reports.drawings.charts import bar
from reports.drawings.charts import bar_axis
from reports.drawings.charts import delay_chart
from reports.drawings.charts import interval_chart
from reports.drawings.charts import ms
from reports.drawings.curve import Distributed
from reports.drawings.curve import curve_chart
from reports.drawings.curve import facts as curve_facts
from reports.drawings.matrix import MatrixView
from reports.drawings.matrix import matrix_view
from reports.exhibit import BarsRecord
from reports.exhibit import CurveRecord
from reports.exhibit import MatrixRecord
from reports.figures import count
from reports.figures import interval_of
from reports.figures import limit_in
from reports.figures import limit_of
from reports.figures import number
from reports.figures import share_of
from reports.figures import threshold_text
from reports.figures import value_in
from reports.figures import value_of
from reports.figures import worst_first
from reports.result import Result
from reports.view.delays import Distribution
from reports.view.listing import Thing
from reports.view.listing import called
from reports.wording import Said
from reports.wording import dimension_value
from reports.wording import reason
from reports.wording import same
from reports.wording import say
from reports.wording import verdict


class Part(NamedTuple):
    """One row of a breakdown."""

    name: Said
    share: str
    value: str
    bar: Markup
    remark: Said | None  #: why there is no value


class Breakdown(NamedTuple):
    """The parts of one dimension."""

    dimension: Said
    axis: Markup
    parts: list[Part]


class DelayView(NamedTuple):
    """One delay distribution."""

    quantity: Said
    chart: Markup
    facts: list[tuple[Said, Said]]


def value_chart(result: Result) -> Markup:
    """The value against its limit; nothing where there is neither a limit nor an interval to compare it with."""
    limit = limit_of(result)
    if result.value is None or not math.isfinite(result.value) or (limit is None and result.interval is None):
        return Markup()
    reading = Reading(
        value=result.value,
        unit=result.unit,
        low=result.interval.low if result.interval else None,
        high=result.interval.high if result.interval else None,
        has_interval=result.interval is not None,
        limit=limit,
        op=result.threshold.op if result.threshold else ">=",
        limit_text=threshold_text(result.threshold) if limit is not None else "",
        interval_text=interval_of(result),
    )
    return interval_chart(reading)


class Picture(NamedTuple):
    """What a result shows of its data: a drawing with its facts, or a table of checks."""

    title: Said
    chart: Markup
    facts: list[tuple[Said, Said]]
    matrix: MatrixView | None


def picture(
    result: Result, quantile: float | None, known: Mapping[str, Thing], *, between_zones: bool = False
) -> Picture | None:
    """The picture of the result's exhibit, if it has one.

    Args:
        result: with its limit.
        quantile: that was asked for, under rule R4.
        known: what the plant knows of its objects, or zones, by id.
        between_zones: whether zones were checked against zones, and ``known`` knows them.
    """
    match result.exhibit:
        case BarsRecord(unit=unit, rows=rows) if rows:
            bars = [Bar(called(id, known).zh, value) for id, value in rows]
            return Picture(say("item.bars"), bars_chart(bars, unit, _limit(result, unit)), [], None)
        case CurveRecord(unit=unit, points=points, n=n, lost=lost) if n:
            value = value_in(result, unit) if quantile is not None else None
            made = Distributed(unit, points, n, lost, quantile, value)
            return Picture(say("item.curve"), curve_chart(made, _limit(result, unit)), curve_facts(made), None)
        case MatrixRecord() as record if record.cells:
            return Picture(say("item.matrix"), Markup(), [], matrix_view(record, known, between_zones=between_zones))
    return None


def _limit(result: Result, unit: str) -> Limit | None:
    limit = limit_in(result.threshold, unit)
    if result.threshold is None or limit is None or not math.isfinite(limit):
        return None
    return Limit(result.threshold.op, limit, threshold_text(result.threshold))


def breakdowns(whole: Result, parts: Sequence[Result], names: Mapping[tuple[str, str], str]) -> list[Breakdown]:
    """The parts by dimension, the worst first.

    Args:
        whole: the result that they are parts of.
        parts: one result for each value of each dimension.
        names: what the plant calls a value of a dimension.
    """
    dimensions: dict[str, list[Result]] = {}
    for part in parts:
        dimensions.setdefault(next(iter(part.scope)), []).append(part)
    limit = limit_of(whole)
    return [_breakdown(name, worst_first(found, whole.threshold), limit, names) for name, found in dimensions.items()]


def _breakdown(
    name: str, parts: Sequence[Result], limit: float | None, names: Mapping[tuple[str, str], str]
) -> Breakdown:
    values = [part.value for part in parts if part.value is not None and math.isfinite(part.value)]
    unit = parts[0].unit
    top = 100.0 if unit == "%" and max(values, default=0) <= 100 else max([*values, limit or 0.0])
    told = []
    for part in parts:
        id, value = part.scope[name], value_of(part)
        called = same(f"{names[name, id]} {id}") if (name, id) in names else dimension_value(name, id)
        drawn = bar(part.value, top, called.zh, value, limit) if part.value in values else Markup()
        told.append(Part(called, share_of(part), value, drawn, _remark(part)))
    try:
        said = say(f"dimension.{name}")
    except KeyError:
        said = same(name)
    return Breakdown(said, bar_axis(top, unit), told)


def _remark(part: Result) -> Said | None:
    """The verdict's word and the reason, where a part has no value."""
    if part.value is not None:
        return None
    why = reason(part.reason, part.facts)
    return Said(*(f"{word}: {words}" for word, words in zip(verdict(part.verdict), why, strict=True)))


def delay_view(one: Distribution) -> DelayView:
    """One distribution, drawn and in numbers."""
    facts = [(same(name), ms(value)) for name, value in one.named_quantiles()]
    facts.append((say("chart.minimum"), ms(one.minimum_ms)))
    facts.append((say("chart.maximum"), ms(one.maximum_ms)))
    share = number(100 * one.lost / one.attempts)
    facts.append((say("chart.lost"), same(f"{count(one.lost)} ({share}\u00a0%)")))
    facts.append((say("chart.attempts"), same(count(one.attempts))))
    if one.instrument_errors:
        facts.append((say("chart.instrument"), same(count(one.instrument_errors))))
    return DelayView(say(f"quantity.{one.quantity}"), delay_chart(one), facts)
