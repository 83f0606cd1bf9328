"""One bar for each object, the worst first, against the limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from profiles.evidence import is_met
from profiles.quantity import exact
from reports.drawings.axes import accepted
from reports.drawings.axes import axis
from reports.drawings.axes import domain
from reports.drawings.axes import domain_from_zero
from reports.drawings.axes import limit_line
from reports.drawings.svg import Scale
from reports.drawings.svg import clipped
from reports.drawings.svg import drawing
from reports.drawings.svg import element
from reports.drawings.svg import words
from reports.figures import count
from reports.figures import number
from reports.figures import with_unit
from reports.wording import Said
from reports.wording import same
from reports.wording import say

MOST = 40  #: objects drawn; the others are told in one line

#: Units of levels, in which zero is no origin: a bar from zero would show the reference, and not the value.
_LEVELS = frozenset({"dBm"})
_WIDTH, _LEFT, _RIGHT = 700.0, 196.0, 552.0
_TOP, _ROW = 30.0, 22.0
_LABEL = 26  #: half-width characters for which there is room


class Bar(NamedTuple):
    """One object with its value; ``None`` where it has none."""

    name: str
    value: float | None


class Limit(NamedTuple):
    """What each value is compared with, in its unit."""

    op: str
    value: float
    text: str  #: in words, with the sign and the unit


def bars_chart(bars: Sequence[Bar], unit: str, limit: Limit | None = None) -> Markup:
    """The bars, worst first: those that miss the limit, those without a value, then the rest.

    Args:
        bars: at least one; every value is finite.
        unit: of the values and the limit.
        limit: ``None`` where nothing is compared.
    """
    ordered = sorted(bars, key=lambda bar: _badness(bar, limit))
    shown, rest = ordered[:MOST], ordered[MOST:]
    known = [bar.value for bar in shown if bar.value is not None] + ([limit.value] if limit else [])
    level = unit in _LEVELS
    low, high = (domain if level else domain_from_zero)(known or [0.0], unit)
    scale, base = Scale(low, high, _LEFT, _RIGHT), _TOP + _ROW * len(shown) + 4
    origin = scale.at(limit.value if limit else low) if level else scale.at(0.0)
    parts = [accepted(scale, limit.value, limit.op, _TOP, base)] if limit else []
    parts.append(axis(scale, base, unit))
    if not level and low < 0:
        parts.append(element("line", x1=origin, x2=origin, y1=_TOP, y2=base, class_="axis"))
    for index, bar in enumerate(shown):
        parts.append(_row(bar, _TOP + _ROW * index + _ROW / 2 + 2, scale, origin, limit, level=level))
    if limit:
        parts.append(limit_line(scale, limit.value, limit.text, _TOP, base))
    if rest:
        parts.append(words(0, base + 38, _folded(rest, unit), class_="tick"))
    missed = sum(misses(bar, limit) for bar in bars)
    title = say("chart.bars-title", count=count(len(bars)))
    desc = say("chart.bars-desc", missed=count(missed), limit=limit.text) if limit else None
    return drawing(_WIDTH, base + (46 if rest else 24), title, desc, *parts, class_="chart bars")


def misses(bar: Bar, limit: Limit | None) -> bool:
    """Whether its value is on the wrong side of the limit, exactly."""
    return limit is not None and bar.value is not None and not is_met(limit.op, exact(bar.value), exact(limit.value))


def _badness(bar: Bar, limit: Limit | None) -> tuple[int, float]:
    """What sorts the worst first; without a limit nothing is bad, and the largest comes first."""
    if bar.value is None:
        return 1, 0.0
    if limit is None:
        return 2, -bar.value
    worse = {">": bar.value, "<": -bar.value}.get(limit.op[0], -abs(bar.value / 2 - limit.value / 2))
    return (0 if misses(bar, limit) else 2), worse


def _row(bar: Bar, y: float, scale: Scale, origin: float, limit: Limit | None, *, level: bool) -> Markup:
    label = words(_LEFT - 10, y + 4, same(clipped(bar.name, _LABEL)), class_="bar-name", anchor="end")
    rail = element("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="grid")
    if bar.value is None:
        about = words(_RIGHT + 10, y + 4, say("chart.no-value"), class_="bar-value")
        return _named(bar.name, "–", label + rail + about)
    at, missed = scale.at(bar.value), misses(bar, limit)
    told = number(bar.value, limit.value if limit else None)
    style = "missed" if missed else "bar"
    start, width = min(at, origin), abs(at - origin)
    thickness = 2.0 if level else 11.0
    parts = [label, rail, element("rect", x=start, y=y - thickness / 2, width=width, height=thickness, class_=style)]
    if missed:
        parts.append(element("path", d=_cross(at, y), class_="cross"))
    elif level or width < 2:
        parts.append(element("circle", cx=at, cy=y, r=4, class_=style))
    value = Said(*(f"{told} ✕ {word}" for word in say("chart.missed"))) if missed else same(told)
    parts.append(words(_RIGHT + 10, y + 4, value, class_="bar-value missed" if missed else "bar-value"))
    return _named(bar.name, told, Markup().join(parts))


def _named(name: str, told: str, inner: Markup) -> Markup:
    return element("g", element("title", f"{name}: {told}") + inner)


def _cross(x: float, y: float) -> str:
    left, right, top, bottom = x - 4, x + 4, y - 4, y + 4
    return f"M{left:.1f} {top:.1f}L{right:.1f} {bottom:.1f}M{left:.1f} {bottom:.1f}L{right:.1f} {top:.1f}"


def _folded(rest: Sequence[Bar], unit: str) -> Said:
    values = [bar.value for bar in rest if bar.value is not None and math.isfinite(bar.value)]
    if not values:
        return say("chart.bars-rest", count=count(len(rest)), range="–")
    told = with_unit(f"{number(min(values))} … {number(max(values))}", unit)
    return say("chart.bars-rest", count=count(len(rest)), range=told)
