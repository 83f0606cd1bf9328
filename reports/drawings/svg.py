"""Small parts of which the charts are made: escaped elements, scales that survive any finite number, and ticks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

from markupsafe import Markup

from reports.figures import number
from reports.wording import Said
from reports.wording import visible

_MAX_TICKS = 12
Attributes = dict[str, str | float | None]


def element(name: str, content: str | Markup = "", /, **attributes: str | float | None) -> Markup:
    """An element with its attributes and content escaped; ``None`` leaves an attribute out, ``class_`` is ``class``."""
    told = "".join(f' {_key(key)}="{_told(value)}"' for key, value in attributes.items() if value is not None)
    inner = content if isinstance(content, Markup) else escape(visible(content))
    return Markup(f"<{name}{told}>{inner}</{name}>" if inner else f"<{name}{told}/>")  # noqa: S704 - escaped above


def words(x: float, y: float, said: Said, *, class_: str = "", anchor: str | None = None) -> Markup:
    """A label: once where both languages say the same, else once in each, of which the page shows one."""
    at: Attributes = {"x": x, "y": y, "text-anchor": anchor}
    if said.zh == said.en:
        return element("text", said.zh, class_=class_ or None, **at)
    chinese = element("text", said.zh, class_=f"zh {class_}".strip(), lang="zh-CN", **at)
    return chinese + element("text", said.en, class_=f"en {class_}".strip(), lang="en", **at)


def drawing(
    width: float, height: float, title: Said, desc: Said | None, *parts: Markup, class_: str, stretch: bool = False
) -> Markup:
    """The picture: it scales with its container, and says what it shows to those who do not see it.

    Args:
        width: of the frame, in the units of its parts.
        height: of the frame.
        title: what it is.
        desc: what it shows.
        parts: elements, the later ones above the earlier.
        class_: for the style sheet.
        stretch: fill the container's width at a height of its own; for pictures without text.
    """
    about = element("title", _both(title)) + (element("desc", _both(desc)) if desc else Markup())
    inner = about + Markup().join(parts)
    box = f"0 0 {_told(width)} {_told(height)}"
    ratio = "none" if stretch else None
    return element("svg", inner, viewBox=box, preserveAspectRatio=ratio, role="img", class_=class_)


def clipped(text: str, room: int) -> str:
    """``text``, cut off with an ellipsis where it takes more than ``room`` half-width characters."""
    widths = [2 if east_asian_width(letter) in "FW" else 1 for letter in text]
    if sum(widths) <= room:
        return text
    kept = 0
    while sum(widths[: kept + 1]) < room:
        kept += 1
    return text[:kept] + "…"


def anchor_at(x: float, left: float, right: float) -> str:
    """How a label at ``x`` is anchored so that it stays between ``left`` and ``right``."""
    share = (x - left) / (right - left)
    return "start" if share < 0.18 else "end" if share > 0.82 else "middle"


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to coordinates, linearly or by logarithm; what lies outside is put at the nearer end."""

    low: float
    high: float
    start: float  #: coordinate of ``low``
    end: float  #: coordinate of ``high``
    log: bool = False  #: needs ``low > 0``

    def at(self, value: float) -> float:
        """The coordinate of ``value``."""
        return self.start + self.share(value) * (self.end - self.start)

    def share(self, value: float) -> float:
        """Where ``value`` lies between ``low`` (0) and ``high`` (1)."""
        inside = min(max(value, self.low), self.high)
        if self.log:
            low, high, inside = math.log(self.low), math.log(self.high), math.log(inside)
        else:  # halves, because the difference of two finite numbers may not be finite
            low, high, inside = self.low / 2, self.high / 2, inside / 2
        return (inside - low) / (high - low) if high > low else 0.5

    def ticks(self, wanted: int = 5) -> list[tuple[float, str]]:
        """Round values within the scale and how they are written."""
        found = list(self._log_ticks(wanted) if self.log else self._linear_ticks(wanted))
        return found if len(found) > 1 else [(self.low, number(self.low)), (self.high, number(self.high))]

    def _linear_ticks(self, wanted: int) -> Iterator[tuple[float, str]]:
        rough = self.high / wanted - self.low / wanted
        if not 1e-9 < rough < 1e15 or rough <= 1e-12 * max(abs(self.low), abs(self.high)):
            return
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
        digits = max(0, -math.floor(math.log10(step)) + (1 if step / power == 2.5 else 0))
        first = math.ceil(self.low / step - 1e-9)
        for index in range(first, first + _MAX_TICKS):
            if index * step <= self.high + step * 1e-9:
                yield index * step, f"{index * step + 0.0:,.{digits}f}".replace("-", "−")

    def _log_ticks(self, wanted: int) -> Iterator[tuple[float, str]]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        decades = math.log10(self.high) - math.log10(self.low)
        factors = (1, 2, 5) if decades < wanted * 0.7 else (1,)
        every = max(1, round((last - first) / _MAX_TICKS))
        for power in range(first, last + 1, every):
            for factor in factors:
                value = factor * 10.0**power
                if self.low <= value <= self.high:
                    yield value, number(value)


def _both(said: Said) -> str:
    return said.zh if said.zh == said.en else f"{said.zh} · {said.en}"


def _key(key: str) -> str:
    return key.rstrip("_")


def _told(value: str | float | None) -> str:
    if isinstance(value, str):
        return escape(visible(value))
    return f"{value:.1f}".removesuffix(".0") if value else "0"
