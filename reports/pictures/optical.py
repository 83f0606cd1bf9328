"""Optical power: what each unit receives, between what its receiver needs and what it bears."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import NamedTuple

from reports.figures import count
from reports.figures import number
from reports.pictures import marks
from reports.pictures.axes import finite_limit
from reports.pictures.axes import legend_above
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import TINY
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import limit_source
from reports.pictures.source import standing
from reports.pictures.wording import tell
from reports.result import Result
from reports.wording import Said
from reports.wording import reason

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 22  #: units
_MOST_DBM = 100  #: no receiver survives more; such a reading is none


class _Unit(NamedTuple):
    """One unit; powers in dBm."""

    name: Said
    power: float | None
    sensitivity: float
    overload: float | None

    @property
    def margin(self) -> float:
        """Distance from the nearer end, dB; less than any of a unit without a reading."""
        if self.power is None:
            return -math.inf
        above = self.power - self.sensitivity
        return above if self.overload is None else min(above, self.overload - self.power)


def found(source: Source) -> Iterator[Found]:
    """One picture for each result about the margin of optical units."""
    for result in source.of_indicators("onu-rx-margin"):
        if units := _units(source, result):
            yield _of_result(source, result, units)


def _units(source: Source, result: Result) -> list[_Unit]:
    """The units that were asked for, the worst first."""
    asked = set(result.observations.targets) if result.observations else set()
    powers: dict[str, float] = {}
    for row in source.bundle.observations({"snmp-read"}, asked):
        first = row.quantity == "onu-rx-power" and not row.window and not row.attempt
        if first and row.value is not None and abs(row.value) <= _MOST_DBM:
            powers[row.target] = row.value
    units = [
        _Unit(source.thing(it.id), powers.get(it.id), it.sensitivity_dbm, it.overload_dbm)
        for it in source.bundle.plant.onus
        if it.id in asked
    ]
    return sorted(units, key=lambda it: it.margin) if powers else []


def _of_result(source: Source, result: Result, units: list[_Unit]) -> Found:
    read = [it for it in units if it.power is not None]
    title = tell("optical.title", item=source.title(result))
    facts = {"n": count(len(read)), "open": count(len(units) - len(read)), "standing": standing(result)}
    about = tell("optical.about", **facts)
    accuracy = [reason(it, result.facts) for it in result.notes if it == "monitor-accuracy"]
    notes = [it for it in (limit_source(result), tell("optical.note"), *accuracy) if it]
    if rest := units[_MOST:]:
        told = {"count": count(len(rest)), "low": number(rest[0].margin), "high": number(rest[-1].margin)}
        notes.insert(0, tell("optical.more", **told))

    def draw(sheet: Sheet) -> None:
        sheet.lay_out(title, about, notes)
        _draw(sheet, units[:_MOST], finite_limit(result.threshold, "dB"))

    return Found(result.item, title, tell("optical.caption", about=about), draw)


def _draw(sheet: Sheet, units: list[_Unit], limit: float | None) -> None:
    axes = sheet.figure.add_subplot()
    ends = [it.sensitivity for it in units] + [it.overload for it in units if it.overload is not None]
    powers = [it.power for it in units if it.power is not None]
    low, high = min([*ends, *powers]) - 1.5, max([*ends, *powers]) + 1.5
    if not any(it.overload is not None for it in units):
        high += 4
    axes.set_xlim(low, high)
    for row, unit in enumerate(units):
        _unit(axes, row, unit, limit, (low, high), 7.5 if len(units) < 14 else 5.5)
    axes.set_yticks(
        range(len(units)), [sheet.text(it.name, 17) for it in units], size=SMALL if len(units) < 18 else TINY
    )
    axes.set_ylim(len(units) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x")
    axes.set_xlabel(sheet.text(tell("optical.axis-x")))
    beside = axes.secondary_yaxis("right")
    size = SMALL if len(units) < 18 else TINY
    beside.set_yticks(range(len(units)), [sheet.text(_told(it)) for it in units], size=size)
    beside.tick_params(length=0)
    beside.spines["right"].set_visible(False)
    legend_above(axes, list(_keys(sheet, limit)), columns=4)


def _unit(axes: Axes, row: int, unit: _Unit, limit: float | None, ends: tuple[float, float], size: float) -> None:
    """The range in which the receiver works, within it the part that keeps the limit, and what it receives."""
    top = ends[1] if unit.overload is None else unit.overload
    kept = max(limit or 0.0, 0.0)
    axes.barh(row, top - unit.sensitivity, left=unit.sensitivity, height=0.56, facecolor="white", edgecolor=marks.GREY,
              hatch="////", lw=0.8)  # fmt: skip
    inner = top - (0 if unit.overload is None else kept)
    if inner > unit.sensitivity + kept:
        axes.barh(row, inner - unit.sensitivity - kept, left=unit.sensitivity + kept, height=0.56,
                  facecolor=marks.MET.tint, edgecolor="none")  # fmt: skip
    if unit.power is None:
        return
    mark = marks.REPORTED if limit is None else marks.MET if unit.margin >= limit else marks.FAILED
    face = "white" if mark.hollow else mark.colour
    axes.plot([unit.power], [row], mark.marker, ms=size, mfc=face, mec=mark.colour, mew=1.3, zorder=5)


def _told(unit: _Unit) -> Said:
    return tell("optical.none") if unit.power is None else tell("optical.margin", margin=number(unit.margin))


def _keys(sheet: Sheet, limit: float | None) -> Iterator[object]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    for name, mark in (("met", marks.MET), ("failed", marks.FAILED)):
        label = sheet.text(tell(f"optical.power-{name}"))
        yield Line2D([], [], marker=mark.marker, ls="", ms=7, mfc=mark.colour, mec=mark.colour, label=label)
        if limit is None:
            return
    yield Patch(facecolor=marks.MET.tint, edgecolor="none", label=sheet.text(tell("optical.within")))
    yield Patch(facecolor="white", edgecolor=marks.GREY, hatch="////", label=sheet.text(tell("optical.short")))
