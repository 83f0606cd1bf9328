"""Delays: which share of all packets took no longer than a time; what was lost took for ever (RFC 7679, section 5).

The vertical axis spreads the tail (90, 99, 99.9 %), where limits are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import NamedTuple

import numpy as np

from profiles.requirement import Rule
from reports.exhibit import CurveRecord
from reports.figures import count
from reports.figures import number
from reports.figures import value_in
from reports.pictures import marks
from reports.pictures.axes import finite_limit
from reports.pictures.axes import legend_above
from reports.pictures.axes import limit_across
from reports.pictures.axes import nines
from reports.pictures.axes import nines_axis
from reports.pictures.axes import plain_log
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import limit_source
from reports.pictures.source import standing
from reports.pictures.wording import tell
from reports.result import Result
from reports.view.delays import Distribution
from reports.view.probed import probed
from reports.wording import Said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = len(marks.LINES)  #: curves in one picture
_ECHO = "round-trip-delay"
_SHORTEST_MS, _LONGEST_MS = 1e-6, 1e9  #: that are drawn
_STEPS = 160  #: points of a curve


class _Curve(NamedTuple):
    """One distribution: shares of all that are not above each value; ascending."""

    name: Said
    values: list[float]
    shares: list[float]
    n: int
    lost: int

    def at(self, share: float) -> float:
        """The least value that ``share`` of all do not exceed; infinite if too many were lost."""
        return next((value for value, one in zip(self.values, self.shares, strict=True) if one >= share), math.inf)


def found(source: Source) -> Iterator[Found]:
    """One picture of the echoes of all reachability items, and one for each result that keeps a distribution."""
    if curves := _echoes(source):
        n, lost = sum(it.n for it in curves), sum(it.lost for it in curves)
        caption = tell("delays.caption-echo", n=count(n), lost=count(lost), items=len(curves))
        yield Found("echo", tell("delays.title-echo"), caption, lambda sheet: _draw_echoes(sheet, curves))
    for result in source.results:
        record = result.exhibit
        if isinstance(record, CurveRecord) and record.unit == "ms" and record.points and record.n > 0:
            yield _of_result(source, result, record)


def _of_result(source: Source, result: Result, record: CurveRecord) -> Found:
    title = tell("delays.title-curve", item=source.title(result))
    points = sorted(record.points)
    curve = _Curve(title, [_drawable(it) for it, _ in points], [it for _, it in points], record.n, record.lost)
    about = tell("delays.about", n=count(record.n), lost=count(record.lost), standing=standing(result))
    asked = source.requirement(result)
    quantile = asked.quantile if asked is not None and result.rule == Rule.R4 else None
    caption = tell("delays.caption", item=source.title(result), about=about)
    notes = [it for it in (limit_source(result), tell("delays.note")) if it]

    def draw(sheet: Sheet) -> None:
        sheet.lay_out(title, about, notes)
        axes = sheet.figure.add_subplot()
        _curves(sheet, axes, [curve], result)
        if quantile is not None:
            _quantile(sheet, axes, curve, quantile, result)

    return Found(result.item, title, caption, draw)


def _echoes(source: Source) -> list[_Curve]:
    wanted = [it for it in source.of_indicators("access-reachability") if it.observations][:_MOST]
    if not wanted:
        return []
    delays = probed(source.bundle).delays
    return [
        _of_distribution(source.title(result), one)
        for result in wanted
        if result.observations
        for one in delays.behind(result.observations.model_copy(update={"methods": ("icmp-echo",)}))
        if one.quantity == _ECHO and one.answered
    ]


def _of_distribution(name: Said, one: Distribution) -> _Curve:
    """Its values at ranks that lie closer together towards the greatest."""
    last = one.answered - 1
    ranks = {round(last * (1 - (1 - step / _STEPS) ** 3)) for step in range(_STEPS + 1)} | {0, last}
    kept = sorted(ranks)
    values = [_drawable(float(one.delays_ms[it])) for it in kept]
    return _Curve(name, values, [(it + 1) / one.attempts for it in kept], one.attempts, one.lost)


def _drawable(delay_ms: float) -> float:
    """A delay that has a place on a logarithmic axis; those beyond stand at its ends."""
    return min(max(delay_ms, _SHORTEST_MS), _LONGEST_MS)


def _draw_echoes(sheet: Sheet, curves: Sequence[_Curve]) -> None:
    n, lost = sum(it.n for it in curves), sum(it.lost for it in curves)
    about = tell("delays.about-echo", n=count(n), lost=count(lost), items=len(curves))
    sheet.lay_out(tell("delays.title-echo"), about, [tell("delays.note-echo"), tell("delays.note")])
    axes = sheet.figure.add_subplot()
    _curves(sheet, axes, curves, None)
    legend_above(axes, columns=1)


def _curves(sheet: Sheet, axes: Axes, curves: Sequence[_Curve], result: Result | None) -> None:
    axes.set_xscale("log")
    for curve, (line, colour) in zip(curves, marks.LINES, strict=False):
        heights = [nines(it, curve.n) for it in curve.shares]
        told = tell(
            "delays.row", name=Said(*(sheet.text(it, 24) for it in curve.name)), n=count(curve.n),
            lost=number(100 * curve.lost / curve.n), p50=_ms(curve.at(0.5)), p99=_ms(curve.at(0.99)),
        )  # fmt: skip
        axes.step(curve.values, heights, where="post", color=colour, ls=line, lw=1.7, label=sheet.text(told))
    nines_axis(axes, max(nines(it.shares[-1], it.n) for it in curves))
    axes.set_xlabel(sheet.text(tell("delays.axis-x")))
    axes.set_ylabel(sheet.text(tell("delays.axis-y")))
    axes.grid(visible=True)
    threshold = result.threshold if result else None
    limit = finite_limit(threshold, "ms")
    if limit is not None and not 0 < limit <= _LONGEST_MS:
        limit = None
    known = [it for curve in curves for it in (curve.values[0], curve.values[-1])]
    known += [] if limit is None else [limit]
    axes.set_xlim(max(min(known), 1e-6) / 1.4, max(known) * 1.6)
    plain_log(axes)
    if threshold is not None and limit is not None:
        limit_across(sheet, axes, threshold, limit)


def _quantile(sheet: Sheet, axes: Axes, curve: _Curve, quantile: float, result: Result) -> None:
    """The quantile that was judged, with its interval."""
    value = value_in(result, "ms")
    if value is None or not 0 < value <= _LONGEST_MS:
        return
    height = nines(quantile, curve.n)
    mark = marks.of(result.verdict)
    interval = result.interval
    low = interval.low if interval and interval.low else value
    high = interval.high if interval and interval.high is not None else axes.get_xlim()[1]
    if interval and np.isfinite(high):
        axes.plot([low, high], [height, height], color=marks.INK, lw=2.2, marker="|", ms=9, mew=1.6, zorder=6)
    face = "white" if mark.hollow else mark.colour
    axes.plot([value], [height], mark.marker, ms=9, mfc=face, mec=mark.colour, mew=1.6, zorder=7)
    told = tell("delays.quantile", quantile=f"{100 * quantile:g}", value=_ms(value))
    axes.annotate(
        sheet.text(told), (value, height), (-10, 8), textcoords="offset points", ha="right", size=SMALL, weight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
    )  # fmt: skip


def _ms(value: float) -> str:
    return f"{number(value)}\u00a0ms" if math.isfinite(value) else "∞"
