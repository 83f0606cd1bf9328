"""Segmentation: from which zone what could be reached in which other one, and what is meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from profiles.indicators.segmentation import ANYWHERE
from reports.exhibit import MatrixRecord
from reports.figures import count
from reports.pictures import grid
from reports.pictures import marks
from reports.pictures.axes import boxes
from reports.pictures.axes import legend_above
from reports.pictures.found import Found
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import limit_source
from reports.pictures.source import standing
from reports.pictures.wording import tell
from reports.result import Result
from reports.wording import Said
from reports.wording import same

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 26  #: zones
_NUMBERED = 8  #: zones up to which a column has its zone's name; more are numbered as the rows are
_Pair = tuple[str, str]


def found(source: Source) -> Iterator[Found]:
    """One picture for each result about passages between zones."""
    for result in source.of_indicators("user-domain-violations"):
        if isinstance(result.exhibit, MatrixRecord) and result.exhibit.cells:
            yield _of_result(source, result, result.exhibit)


def _of_result(source: Source, result: Result, record: MatrixRecord) -> Found:
    outcomes = _outcomes(source, record)
    zones = [it.id for it in source.bundle.plant.zones]
    at = {id: index for index, id in enumerate(zones)}
    both = [(at[zone], one) for pair, one in outcomes.items() for zone in pair]
    shown = [zones[it] for it in grid.worst(len(zones), _MOST, both)]
    numbered = len(shown) > _NUMBERED
    rows = [_row(source, id, index if numbered else 0) for index, id in enumerate(shown, 1)]
    columns = [same(index) if numbered else source.zone(id) for index, id in enumerate(shown, 1)]
    place = {id: index for index, id in enumerate(shown)}
    cells = {(place[a], place[b]): one for (a, b), one in outcomes.items() if a in place and b in place}
    allowed = {(it.source, it.destination) for it in source.bundle.plant.conduits}
    broken = {_pair(it.target) for it in result.failing if it.reason == "conduit-broken"}
    drawn = {pair: pair in broken for pair in allowed if pair[0] in place and pair[1] in place}
    title = tell("segmentation.title", item=source.title(result))
    leaks = sum(one is False for one in outcomes.values())
    facts = {"zones": len(zones), "leaks": leaks, "open": sum(one is None for one in outcomes.values())}
    about = tell("segmentation.about", n=count(result.n), standing=standing(result), **facts)
    notes = [it for it in (limit_source(result), tell("segmentation.note")) if it]
    if len(shown) < len(zones):
        notes.insert(0, tell("segmentation.more", count=count(len(zones) - len(shown))))

    def draw(sheet: Sheet) -> None:
        sheet.lay_out(title, about, notes)
        axes = sheet.figure.add_subplot()
        above = grid.draw(sheet, axes, rows, columns, cells)
        _diagonal(axes, len(shown))
        _conduits(axes, {(place[a], place[b]): bad for (a, b), bad in drawn.items()})
        words = {it: tell(f"segmentation.{name}") for it, name in ((True, "blocked"), (False, "leak"), (None, "open"))}
        handles = [*grid.keys(sheet, cells, words), *_keys(sheet, list(drawn.values()))]
        legend_above(axes, handles, columns=5, above_pt=above)
        axes.set_ylabel(sheet.text(tell("segmentation.from")), rotation=0, ha="right", labelpad=6)
        axes.set_xlabel(sheet.text(tell("segmentation.to")))
        axes.xaxis.set_label_position("bottom")

    return Found(result.item, title, tell("segmentation.caption", about=about), draw)


def _outcomes(source: Source, record: MatrixRecord) -> dict[_Pair, bool | None]:
    """What was found between two zones; from a zone in which nothing stands, nothing is known of any other."""
    zones = [it.id for it in source.bundle.plant.zones]
    known = set(zones)
    found: dict[_Pair, bool | None] = {}
    for subject, item, passed, _ in record.cells:
        if not (0 <= subject < len(record.subjects) and 0 <= item < len(record.items)):
            continue
        origin, destination = record.subjects[subject], record.items[item]
        ends = [it for it in zones if it != origin] if destination == ANYWHERE else [destination]
        for end in ends:
            if origin in known and end in known:
                found[origin, end] = passed
    return found


def _row(source: Source, id: str, number: int) -> Said:
    name = source.zone(id)
    return Said(*(f"{number}. {it}" for it in name)) if number else name


def _pair(passage: str) -> _Pair:
    """Origin and destination of a passage's id, ``origin > destination: holder ...``."""
    origin, _, rest = passage.partition(" > ")
    return origin, rest.partition(":")[0]


def _diagonal(axes: Axes, zones: int) -> None:
    """A zone is not asked about itself."""
    boxes(axes, ((at - 0.5, at - 0.5, 1, 1) for at in range(zones)), facecolor=marks.GREY, edgecolor="none")


def _conduits(axes: Axes, conduits: dict[tuple[int, int], bool]) -> None:
    """A triangle in the corner of each cell that has a declared conduit; a hollow one where it does not pass."""
    for bad in (False, True):
        at = [pair for pair, broken in conduits.items() if broken is bad]
        face = "white" if bad else marks.INK
        xs, ys = [column + 0.3 for _, column in at], [row - 0.28 for row, _ in at]
        axes.plot(xs, ys, ">", ms=4.5, mfc=face, mec=marks.ORANGE if bad else marks.INK, mew=1.2, ls="")


def _keys(sheet: Sheet, conduits: list[bool]) -> Iterator[object]:
    from matplotlib.lines import Line2D

    for bad, name in ((False, "allowed"), (True, "broken")):
        if many := conduits.count(bad):
            face, edge = ("white", marks.ORANGE) if bad else (marks.INK, marks.INK)
            label = sheet.text(tell("grid.key", word=tell(f"segmentation.{name}"), count=f"{many:,}"))
            yield Line2D([], [], marker=">", ls="", ms=5, mfc=face, mec=edge, mew=1.2, label=label)
