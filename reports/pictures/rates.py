"""Rates: what each terminal, or each reference server, reached in each direction, and their mean with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from fixtures.objects import servers
from fixtures.objects import terminals
from profiles.indicators import find
from profiles.reduced import Measurement
from profiles.reduced import Register
from reports.figures import count
from reports.figures import number
from reports.pictures import marks
from reports.pictures.axes import finite_limit
from reports.pictures.axes import legend_above
from reports.pictures.axes import limit_across
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import limit_source
from reports.pictures.source import standing
from reports.pictures.wording import joined
from reports.pictures.wording import tell
from reports.result import Result
from reports.wording import Said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INDICATORS = {"mean-access-rate": terminals.objects, "mean-internet-access-rate": servers.objects}
_DIRECTIONS = ("up", "down")
_DOTS = 60  #: objects drawn one by one; more make a histogram
_BINS = 36
_UNIT = "Mbit/s"
_GREATEST = 1e9  #: in that unit; no line carries more


class _Direction(NamedTuple):
    """What was measured in one direction."""

    name: str
    found: Measurement
    judged: bool

    @property
    def values(self) -> list[float]:
        """One mean rate for each object."""
        return [value for _, value in self.found.parts]


def found(source: Source) -> Iterator[Found]:
    """One picture for each result about mean rates."""
    for result in source.of_indicators(*_INDICATORS):
        if directions := _directions(source, result):
            yield _of_result(source, result, directions)


def _directions(source: Source, result: Result) -> list[_Direction]:
    """Each direction that was asked for, reduced by the result's own indicator."""
    asked, indicator = source.requirement(result), find(result.indicator)
    if asked is None or result.observations is None or indicator is None or indicator.reduce is None:
        return []
    wanted = set(result.observations.targets)
    members = (it.member for it in _INDICATORS[result.indicator](source.bundle.plant))
    register = Register(tuple(it for it in members if it.id in wanted))
    rows = list(source.bundle.observations(result.observations.methods, wanted))
    made = []
    for name in _DIRECTIONS:
        try:
            parameters = indicator.parameters.model_validate({**asked.parameters, "direction": name})
            direction = str(getattr(indicator.parameters.model_validate(asked.parameters), "direction", "both"))
        except ValidationError:  # of another version's bundle
            return []
        reduced = indicator.reduce(register, rows, parameters) if direction in (name, "both") else None
        if isinstance(reduced, Measurement) and reduced.parts and max(it for _, it in reduced.parts) < _GREATEST:
            judged = direction == name or f"judged-by-{name}" in result.notes
            made.append(_Direction(name, reduced, judged))
    return made


def _of_result(source: Source, result: Result, directions: Sequence[_Direction]) -> Found:
    kind = "servers" if result.indicator == "mean-internet-access-rate" else "terminals"
    title = tell("rates.title", item=source.title(result))
    many = tell(f"rates.{kind}", n=count(max(it.found.n for it in directions)), unknown=count(_unknown(directions)))
    about = joined([many, standing(result)])
    notes = [it for it in (limit_source(result), tell("rates.note")) if it]

    def draw(sheet: Sheet) -> None:
        sheet.lay_out(title, about, notes)
        every = sheet.figure.subplots(len(directions), 1, sharex=True, squeeze=False)
        values = [value for it in directions for value in it.values]
        limit = finite_limit(result.threshold, _UNIT)
        reach = [it.found.value + sign * _half(it) for it in directions for sign in (-1, 1)]
        known = [*values, *reach, *([limit] if limit is not None else [])]
        spread = max(max(known) - min(known), max(known) * 0.05, 1e-9)
        ends = max(0.0, min(known) - 0.12 * spread), max(known) + 0.12 * spread
        for index, (axes, one) in enumerate(zip(every[:, 0], directions, strict=True)):
            axes.set_xlim(*ends)
            _direction(sheet, axes, one, ends)
            if result.threshold is not None and limit is not None:
                limit_across(sheet, axes, result.threshold, limit, label=index == 0)
        every[-1, 0].set_xlabel(sheet.text(tell("rates.axis-x")))
        above = SMALL * 1.6 if limit is not None else 0
        legend_above(every[0, 0], list(_keys(sheet, max(len(it.values) for it in directions))), above_pt=above)

    return Found(result.item, title, tell("rates.caption", about=about), draw)


def _unknown(directions: Sequence[_Direction]) -> int:
    return max(it.found.unknown for it in directions)


def _direction(sheet: Sheet, axes: Axes, one: _Direction, ends: tuple[float, float]) -> None:
    """Dots in columns, or a histogram; above them the mean and its interval."""
    values = np.array(one.values)
    bins = np.linspace(*ends, _BINS + 1)
    counts = np.histogram(values, bins)[0]
    top = max(int(counts.max()), 4)
    if len(values) <= _DOTS:
        xs, ys = [], []
        for index in range(_BINS):
            last = index == _BINS - 1
            inside = np.sort(values[(values >= bins[index]) & ((values < bins[index + 1]) | last)])
            xs += list(inside)
            ys += [place + 0.5 for place in range(len(inside))]
        axes.plot(xs, ys, "o", ms=6, mfc=marks.MET.tint, mec=marks.BLUE, mew=1, ls="")
        axes.set_yticks([])
    else:
        axes.stairs(counts, bins, fill=True, facecolor=marks.MET.tint, edgecolor=marks.BLUE, lw=0.8)
        axes.set_ylabel(sheet.text(tell("rates.axis-y")))
    axes.set_ylim(0, top * 1.75)
    height = top * 1.36
    half, mean = _half(one), one.found.value
    if half > 0:
        axes.plot([mean - half, mean + half], [height, height], color=marks.INK, lw=2, marker="|", ms=9, mew=1.6)
    axes.plot([mean], [height], "D", ms=7, mfc=marks.INK if one.judged else "white", mec=marks.INK, mew=1.4, zorder=5)
    fraction = (mean - ends[0]) / (ends[1] - ends[0])
    side, shift = ("right", -12) if fraction > 0.5 else ("left", 12)
    edge = mean - half if side == "right" else mean + half
    axes.annotate(sheet.text(_mean(one)), (edge, height), (shift, 0), textcoords="offset points", ha=side, va="center",
                  size=SMALL, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})  # fmt: skip
    axes.set_title(sheet.text(tell(f"rates.{one.name}")), size=SMALL + 0.5, weight="bold", loc="right")
    axes.grid(visible=True, axis="x")


def _half(one: _Direction) -> float:
    """Half of the interval's width; 0 where there is none."""
    half = one.found.expanded_uncertainty
    return half if math.isfinite(half) else 0.0


def _mean(one: _Direction) -> Said:
    half = _half(one)
    told = {"mean": number(one.found.value), "n": count(one.found.n), "half": number(float(f"{half:.2g}"))}
    return tell("rates.mean" if half > 0 else "rates.mean-only", **told)


def _keys(sheet: Sheet, most: int) -> Iterator[object]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    if most <= _DOTS:
        label = sheet.text(tell("rates.key-dot"))
        yield Line2D([], [], marker="o", ls="", ms=6, mfc=marks.MET.tint, mec=marks.BLUE, label=label)
    else:
        yield Patch(facecolor=marks.MET.tint, edgecolor=marks.BLUE, label=sheet.text(tell("rates.key-bars")))
    label = sheet.text(tell("rates.key-mean"))
    yield Line2D([], [], marker="D", ls="-", color=marks.INK, ms=6, mfc=marks.INK, mec=marks.INK, label=label)
