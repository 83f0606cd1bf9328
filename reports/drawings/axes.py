"""What several charts share: the part of an axis to show, its line with ticks, and where the limit lies."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from markupsafe import Markup

from reports.drawings.svg import Scale
from reports.drawings.svg import anchor_at
from reports.drawings.svg import element
from reports.drawings.svg import words
from reports.figures import with_unit
from reports.wording import same
from reports.wording import say

_MOST = sys.float_info.max


def domain(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The part of the axis to show: what is there with some room; shares never beyond 0 and 100 %."""
    low, high = min(values), max(values)
    if unit == "count" and low >= 0:  # whole numbers, and none below nothing
        return -max(high, 5.0) / 25, min(high * 1.1, _MOST) if high > 5 else 5.0
    room = max(high / 8 - low / 8, 2.0 if unit == "%" else max(abs(low), abs(high)) / 10, 1e-6)
    low, high = max(low - room, -_MOST), min(high + room, _MOST)
    if unit == "%" and min(values) >= 0 and max(values) <= 100:
        low, high = max(low, 0.0), min(high, 100.0)
    return low, high


def domain_from_zero(values: Sequence[float], unit: str) -> tuple[float, float]:
    """The part of an axis that bars stand on: zero, what is there, and some room beyond."""
    low, high = min(0.0, *values), max(0.0, *values)
    room = max(high / 20 - low / 20, 1e-9 if low or high else 1.0)
    low, high = (max(low - room, -_MOST) if low < 0 else 0.0), (min(high + room, _MOST) if high > 0 or not low else 0.0)
    return low, min(high, 100.0) if unit == "%" and max(values) <= 100 else high


def axis(scale: Scale, y: float, unit: str = "") -> Markup:
    """A horizontal axis with its ticks; the last one has the unit."""
    parts = [element("line", x1=scale.start, x2=scale.end, y1=y, y2=y, class_="axis")]
    ticks = scale.ticks()
    for index, (value, text) in enumerate(ticks):
        at = scale.at(value)
        told = with_unit(text, unit) if index == len(ticks) - 1 else text
        parts.append(element("line", x1=at, x2=at, y1=y, y2=y + 4, class_="axis"))
        parts.append(words(at, y + 18, same(told), class_="tick", anchor="middle"))
    return Markup().join(parts)


def accepted(scale: Scale, limit: float, op: str, top: float, base: float) -> Markup:
    """The tinted side of the limit, on which a value meets it."""
    at = scale.at(limit)
    start, end = {">": (at, scale.end), "<": (scale.start, at)}.get(op[0], (at - 2, at + 2))
    return element("rect", x=start, y=top, width=max(0.0, end - start), height=base - top, class_="accepted")


def limit_line(scale: Scale, limit: float, text: str, top: float, base: float) -> Markup:
    """The limit as a line, with its words above."""
    at = scale.at(limit)
    label = words(
        at, top - 8, say("chart.limit", limit=text), class_="limit-text", anchor=anchor_at(at, scale.start, scale.end)
    )
    return element("line", x1=at, x2=at, y1=top - 2, y2=base, class_="limit") + label
