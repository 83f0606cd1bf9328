"""The empirical distribution of many values: which share of all is not above which value, with the limit.

Where small values are good, the vertical scale is that of the tail: 90 %, 99 % and 99.9 % are equally far apart, so
that what the limit is about can be seen. What was lost has no value, counts as infinite, and stands apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.drawings.axes import accepted
from reports.drawings.axes import axis
from reports.drawings.axes import domain
from reports.drawings.axes import limit_line
from reports.drawings.bars import Limit
from reports.drawings.svg import Scale
from reports.drawings.svg import anchor_at
from reports.drawings.svg import drawing
from reports.drawings.svg import element
from reports.drawings.svg import words
from reports.figures import count
from reports.figures import number
from reports.figures import with_unit
from reports.wording import Said
from reports.wording import same
from reports.wording import say

_WIDTH, _HEIGHT = 640.0, 286.0
_LEFT, _RIGHT, _LOST = 66.0, 540.0, 594.0
_TOP, _BASE = 34.0, 238.0
_STEPS = 120  #: values up to which every step of the distribution is drawn as one
_DECADES = 20  #: ratio of the largest value to the least from which the axis is logarithmic
_TAIL = 100  #: values from which there is a tail worth a scale of its own


@dataclass(frozen=True, slots=True)
class Distributed:
    """A distribution; all numbers are finite and in ``unit``."""

    unit: str
    points: Sequence[tuple[float, float]]  #: value, and the share of all that are not above it; both rising
    n: int
    lost: int
    quantile: float | None = None  #: that was asked for
    quantile_value: float | None = None  #: its value; ``None`` if it is not finite or not known


class _Rising:
    """Heights of shares: linear, or by how few are left above."""

    def __init__(self, n: int, *, tail: bool) -> None:
        self._least = 0.5 / max(n, 1)  # half a value is left above the last one
        self._decades = -math.log10(self._least)
        self.tail = tail

    def at(self, share: float) -> float:
        share = min(max(share, 0.0), 1.0)
        up = -math.log10(max(1 - share, self._least)) / self._decades if self.tail else share
        return _BASE - min(up, 1.0) * (_BASE - _TOP)

    def ticks(self) -> Iterator[tuple[float, str]]:
        """Shares with round names."""
        if not self.tail:
            yield from ((share / 100, f"{share} %") for share in (0, 25, 50, 75, 100))
            return
        yield from ((0.0, "0 %"), (0.5, "50 %"))
        for nines in range(1, math.ceil(self._decades)):
            digits = "9" * nines
            yield 1 - 10.0**-nines, ("90 %" if nines == 1 else f"{digits[:2]}.{digits[2:]}".rstrip(".") + " %")


def curve_chart(made: Distributed, limit: Limit | None = None) -> Markup:
    """The distribution with the limit, the quantile asked for, and the share of what was lost."""
    scale = _scale(made, limit)
    up = _Rising(made.n, tail=made.n >= _TAIL and (limit is None or limit.op.startswith("<")))
    parts = [accepted(scale, limit.value, limit.op, _TOP, _BASE)] if limit else []
    parts += [_grid(share, text, up) for share, text in up.ticks()]
    parts.append(axis(scale, _BASE, made.unit))
    if made.points:
        parts.append(element("path", d=_path(made, scale, up), class_="curve"))
    if made.lost:
        parts.append(_lost(made, scale, up))
    if limit:
        parts.append(limit_line(scale, limit.value, limit.text, _TOP, _BASE))
    if made.quantile is not None:
        parts.append(_quantile(made.quantile, made.quantile_value, made.unit, scale, up))
    parts.append(words(0, 12, say("chart.curve-share"), class_="axis-title"))
    title = say("chart.curve-title", n=count(made.n), lost=count(made.lost))
    return drawing(_WIDTH, _HEIGHT - 20, title, say("chart.curve-desc", **_ends(made)), *parts, class_="chart curved")


def facts(made: Distributed) -> list[tuple[Said, Said]]:
    """The distribution in figures, none of them but those that are known exactly."""
    told: list[tuple[Said, Said]] = [(say("chart.attempts"), same(count(made.n)))]
    if made.points:
        for name, (value, _) in (("minimum", made.points[0]), ("maximum", made.points[-1])):
            told.append((say(f"chart.{name}"), same(with_unit(number(value), made.unit))))
    if made.quantile is not None and made.quantile_value is not None:
        asked = with_unit(number(made.quantile_value), made.unit)
        told.append((same(_quantile_name(made.quantile)), same(asked)))
    share = number(100 * made.lost / made.n) if made.n else "0"
    told.append((say("chart.lost"), same(f"{count(made.lost)} ({share}\u00a0%)")))
    return told


def _ends(made: Distributed) -> dict[str, str]:
    if not made.points:
        return {"low": "–", "high": "–"}
    return {
        name: with_unit(number(value), made.unit)
        for name, (value, _) in (("low", made.points[0]), ("high", made.points[-1]))
    }


def _scale(made: Distributed, limit: Limit | None) -> Scale:
    ends = (made.points[0], made.points[-1]) if made.points else ()
    known = [value for value, _ in ends] + ([limit.value] if limit else [])
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if low > 0 and high / _DECADES >= low:
        return Scale(max(low / 1.2, 5e-324), min(high, 1.4e308) * 1.2, _LEFT, _RIGHT, log=True)
    start, end = domain([low, high], made.unit)
    return Scale(max(start, 0.0) if low >= 0 else start, end, _LEFT, _RIGHT)


def _path(made: Distributed, scale: Scale, up: _Rising) -> str:
    """Steps where every value is known, straight lines between the ranks that were kept of more."""
    steps = made.n - made.lost <= _STEPS
    x, y = scale.at(made.points[0][0]), up.at(0.0)
    moves = [f"M{x:.1f} {y:.1f}"]
    for value, share in made.points:
        x, y = scale.at(value), up.at(share)
        moves.append(f"H{x:.1f}V{y:.1f}" if steps else f"L{x:.1f} {y:.1f}")
    return "".join(moves)


def _lost(made: Distributed, scale: Scale, up: _Rising) -> Markup:
    """The rest of the way up belongs to what was lost; it stands apart, behind the axis."""
    found = 1 - made.lost / made.n if made.n else 0.0
    y, start = up.at(found), scale.at(made.points[-1][0]) if made.points else _LEFT
    share = number(100 * made.lost / made.n) if made.n else "–"
    told = Said(*(f"{word} {share} %" for word in say("chart.lost")))
    return Markup().join(
        [
            element("line", x1=start, x2=_LOST + 16, y1=y, y2=y, class_="gap"),
            element("rect", x=_LOST - 16, y=_TOP, width=32, height=max(y - _TOP, 1.5), class_="lost"),
            element("line", x1=_LOST - 32, x2=_LOST + 32, y1=_BASE, y2=_BASE, class_="axis"),
            words(_LOST, _BASE + 18, told, class_="tick", anchor="middle"),
        ]
    )


def _quantile(share: float, value: float | None, unit: str, scale: Scale, up: _Rising) -> Markup:
    y, name = up.at(share), _quantile_name(share)
    if value is None:
        line = element("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="quantile")
        return line + words(_RIGHT, y - 5, same(name), class_="quantile-text", anchor="end")
    x = scale.at(value)
    told = same(f"{name} = {with_unit(number(value), unit)}")
    anchor = anchor_at(x, _LEFT, _RIGHT)
    return Markup().join(
        [
            element("line", x1=_LEFT, x2=x, y1=y, y2=y, class_="quantile"),
            element("line", x1=x, x2=x, y1=y, y2=_BASE, class_="quantile"),
            element("circle", cx=x, cy=y, r=4.5, class_="value"),
            words(x + {"start": 9, "end": -9}.get(anchor, 0), y - 8, told, class_="quantile-text halo", anchor=anchor),
        ]
    )


def _quantile_name(share: float) -> str:
    return f"p{100 * share:.6g}"


def _grid(share: float, text: str, up: _Rising) -> Markup:
    y = up.at(share)
    line = element("line", x1=_LEFT, x2=_RIGHT, y1=y, y2=y, class_="grid")
    return line + words(_LEFT - 8, y + 4, same(text), class_="tick", anchor="end")
