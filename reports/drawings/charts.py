"""Charts as inline SVG, by pure functions: every finite input gives a well-formed picture within its frame.

Colours and fonts come from the page's style sheet by class, so that a chart follows dark mode and print.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from profiles.verdict import Verdict
from reports.drawings.axes import accepted
from reports.drawings.axes import axis
from reports.drawings.axes import domain
from reports.drawings.axes import limit_line
from reports.drawings.svg import Scale
from reports.drawings.svg import drawing
from reports.drawings.svg import element
from reports.drawings.svg import words
from reports.figures import count
from reports.figures import number
from reports.figures import with_unit
from reports.view.delays import Distribution
from reports.wording import Said
from reports.wording import same
from reports.wording import say
from reports.wording import verdict

_WIDTH = 560.0
_SIDE = 16.0  #: room left and right of an axis, for half a tick label
#: The delay chart, from left to right: shares, the axis of delays, and lost packets apart from it.
_DELAY_WIDTH, _DELAY_LEFT, _DELAY_RIGHT, _DELAY_LOST = 640.0, 36.0, 540.0, 594.0
_DELAY_TOP, _DELAY_BASE = 66.0, 208.0
_SHORTEST_MS, _LONGEST_MS = 1e-3, 1e9  #: delays beyond are drawn in the end bins


@dataclass(frozen=True, slots=True)
class Reading:
    """A value to be drawn against its limit; all numbers are finite and in ``unit``."""

    value: float
    unit: str
    low: float | None = None  #: lower end of the interval; ``None`` is unbounded
    high: float | None = None  #: upper end; ``None`` is unbounded
    has_interval: bool = True  #: ``False`` if there is none at all
    limit: float | None = None
    op: str = ">="  #: comparison of the threshold; decides which side is tinted
    limit_text: str = ""  #: the threshold in words
    interval_text: str = "–"  #: the interval in words


def interval_chart(reading: Reading) -> Markup:
    """The value and its interval against the limit, on one axis."""
    value, unit, low, high = reading.value, reading.unit, reading.low, reading.high
    limit, op, limit_text = reading.limit, reading.op, reading.limit_text
    known = [one for one in (value, low, high, limit) if one is not None]
    scale = Scale(*domain(known, unit), _SIDE, _WIDTH - _SIDE)
    parts = []
    if limit is not None:
        parts.append(accepted(scale, limit, op, 24, 64))
    parts.append(axis(scale, 64, unit))
    if reading.has_interval:
        parts.append(_span(scale, low, high))
    if limit is not None:
        parts.append(limit_line(scale, limit, limit_text, 24, 64))
    parts.append(element("circle", cx=scale.at(value), cy=42, r=5, class_="value"))
    told = with_unit(number(value, limit), unit)
    title = (
        say("chart.interval-title", value=told, limit=limit_text)
        if limit_text
        else say("chart.value-title", value=told)
    )
    return drawing(
        _WIDTH, 88, title, say("chart.interval-desc", interval=reading.interval_text), *parts, class_="chart interval"
    )


def bar(value: float, top: float, name: str, told: str, limit: float | None = None) -> Markup:
    """One row's bar on the scale from 0 to ``top``, with a mark at the limit."""
    scale = Scale(0, top if top > 0 else 1, 1, 199)
    parts = [
        element("rect", x=1, y=4, width=198, height=10, class_="rail"),
        element("rect", x=1, y=4, width=max(0.0, scale.at(value) - 1), height=10, class_="bar"),
    ]
    if limit is not None and 0 <= limit <= scale.high:
        parts.append(element("line", x1=scale.at(limit), x2=scale.at(limit), y1=0, y2=18, class_="limit"))
    return drawing(200, 18, say("chart.bar-title", name=name, value=told), None, *parts, class_="chart row")


def bar_axis(top: float, unit: str) -> Markup:
    """The axis that stands above a column of :func:`bar` rows."""
    high = top if top > 0 else 1
    ends = [(1.0, "start", 0.0), (100.0, "middle", high / 2), (199.0, "end", high)]
    labels = [
        words(x, 11, same(with_unit(number(value), unit if anchor == "end" else "")), class_="tick", anchor=anchor)
        for x, anchor, value in ends
    ]
    return drawing(200, 14, same(f"0 – {with_unit(number(high), unit)}"), None, *labels, class_="chart row")


def tally_bar(counts: Sequence[tuple[Verdict, int]]) -> Markup:
    """How many items ended with which verdict, as shares of one bar; the words stand beside it."""
    total = sum(number for _, number in counts)
    x, parts = 0.0, []
    for word, items in counts:
        width = _WIDTH * items / total if total else 0.0
        about = Said(*(f"{name} {items}" for name in verdict(word)))
        inner = element("title", f"{about.zh} · {about.en}")
        parts.append(element("rect", inner, x=x, y=0, width=max(0.0, width - 2), height=12, class_=f"fill {word}"))
        x += width
    return drawing(_WIDTH, 12, say("page.tally"), None, *parts, class_="chart tally", stretch=True)


def delay_chart(delays: Distribution) -> Markup:
    """A histogram of delays with p50, p95 and p99, and the share of lost packets in a bin of its own."""
    quantity = say(f"quantity.{delays.quantity}")
    low, high = _delay_range(delays)
    scale = Scale(low, high, _DELAY_LEFT, _DELAY_RIGHT, log=high / low >= 5)
    shares = [bin / delays.attempts * 100 for bin in delays.histogram(low, high, log=scale.log)]
    peak = max([*shares, delays.lost / delays.attempts * 100, 1e-9])
    up = Scale(0, peak, _DELAY_BASE, _DELAY_TOP)
    parts = [_grid(up), *_columns(shares, scale, up)]
    parts.append(_lost_column(delays, up))
    parts.append(axis(scale, _DELAY_BASE))
    parts += [_quantile(name, value, row, scale) for row, (name, value) in enumerate(delays.named_quantiles())]
    described = "delay-axis" if scale.log else "delay-axis-linear"
    parts.append(
        words(
            (_DELAY_LEFT + _DELAY_RIGHT) / 2,
            _DELAY_BASE + 38,
            say(f"chart.{described}", quantity=quantity),
            class_="axis-title",
            anchor="middle",
        )
    )
    parts.append(words(0, 52, say("chart.share-axis"), class_="axis-title"))
    title = say("chart.delay-title", quantity=quantity, n=count(delays.attempts), lost=count(delays.lost))
    told = {name: ms(value) for name, value in [*delays.named_quantiles(), ("max", delays.maximum_ms)]}
    return drawing(_DELAY_WIDTH, _DELAY_BASE + 46, title, say("chart.delay-desc", **told), *parts, class_="chart delay")


def ms(value: float) -> Said:
    """A delay in milliseconds; an infinite one is a lost packet."""
    return same(with_unit(number(value), "ms")) if math.isfinite(value) else say("chart.infinite")


def _delay_range(delays: Distribution) -> tuple[float, float]:
    if not delays.answered:
        return 0.1, 1000.0
    low, high = (min(max(end, _SHORTEST_MS), _LONGEST_MS) for end in (delays.minimum_ms, delays.maximum_ms))
    return (low, high) if high > low * 1.01 else (low * 0.9, low * 1.1)


def _span(scale: Scale, low: float | None, high: float | None) -> Markup:
    """The interval's bar; a bounded end has a cap, an unbounded one runs to the edge with an arrow head."""
    start = scale.start if low is None else scale.at(low)
    end = scale.end if high is None else scale.at(high)
    parts = [element("line", x1=start, x2=end, y1=42, y2=42, class_="span")]
    for at, bounded, toward in ((start, low is not None, 6), (end, high is not None, -6)):
        if bounded:
            parts.append(element("line", x1=at, x2=at, y1=36, y2=48, class_="span"))
        else:
            parts.append(
                element("path", d=f"M{at + toward:.1f} 37L{at:.1f} 42L{at + toward:.1f} 47", class_="span arrow")
            )
    return Markup().join(parts)


def _grid(up: Scale) -> Markup:
    parts = []
    for value, text in up.ticks(4):
        y = up.at(value)
        parts.append(element("line", x1=_DELAY_LEFT, x2=_DELAY_RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(words(_DELAY_LEFT - 6, y + 4, same(text), class_="tick", anchor="end"))
    return Markup().join(parts)


def _columns(shares: Sequence[float], scale: Scale, up: Scale) -> list[Markup]:
    width = (scale.end - scale.start) / len(shares)
    columns = []
    for index, share in enumerate(shares):
        if share:
            x, y = scale.start + index * width + 0.5, up.at(share)
            columns.append(element("rect", x=x, y=y, width=width - 1, height=_DELAY_BASE - y, class_="bar"))
    return columns


def _lost_column(delays: Distribution, up: Scale) -> Markup:
    """Lost packets have no delay; they stand apart, behind the axis, so that they cannot be overlooked."""
    share = delays.lost / delays.attempts * 100
    y = up.at(share)
    told = Said(*(f"{word} {number(share)} %" for word in say("chart.lost")))
    bar = element("rect", x=_DELAY_LOST - 16, y=y, width=32, height=_DELAY_BASE - y, class_="lost")
    axis = element("line", x1=_DELAY_LOST - 32, x2=_DELAY_LOST + 32, y1=_DELAY_BASE, y2=_DELAY_BASE, class_="axis")
    return bar + axis + words(_DELAY_LOST, _DELAY_BASE + 18, told, class_="tick", anchor="middle")


def _quantile(name: str, value: float, row: int, scale: Scale) -> Markup:
    """A vertical line and its label; each has a row of its own, so that labels never meet."""
    y = 12.0 + row * 14
    at = scale.at(value) if math.isfinite(value) else _DELAY_LOST
    told = Said(*(f"{name} {text}" for text in ms(value)))
    end = at > _DELAY_RIGHT * 0.8
    label = words(at - 5 if end else at + 5, y, told, class_="quantile-text", anchor="end" if end else "start")
    return element("line", x1=at, x2=at, y1=y - 9, y2=_DELAY_BASE, class_="quantile") + label
