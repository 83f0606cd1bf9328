"""A table of outcomes as a picture: tinted runs of cells, a mark in each, names of rows and columns."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING
from typing import Any

from reports.pictures import marks
from reports.pictures.axes import boxes
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import TINY
from reports.pictures.sheet import Sheet
from reports.pictures.wording import tell
from reports.pictures.wording import width
from reports.pictures.wording import wrapped
from reports.wording import Said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 28
MOST_COLUMNS = 28
_DOTTED = 260  #: cells up to which a passed one has a dot besides its tint
_ROW_NAME = 15.0  #: widths of names, in type sizes
_WIDE_PT = 520.0  #: room for a table and the names of its rows

Cells = Mapping[tuple[int, int], bool | None]  #: outcome by row and column


def worst(total: int, most: int, outcomes: Sequence[tuple[int, bool | None]]) -> list[int]:
    """Which of so many rows (or columns) are shown, in their order: of too many, those with most failures, then open.

    Args:
        total: how many there are.
        most: how many are shown.
        outcomes: of each cell, its row and outcome.
    """
    badness = [[0, 0] for _ in range(total)]
    for index, outcome in outcomes:
        badness[index][0] -= outcome is False
        badness[index][1] -= outcome is None
    return sorted(sorted(range(total), key=badness.__getitem__)[:most])


def draw(sheet: Sheet, axes: Axes, rows: Sequence[Said], columns: Sequence[Said], cells: Cells) -> float:
    """The table, with the columns' names on top; returns how high these are, points."""
    tinted: dict[str, list[tuple[float, float, float, float]]] = {}
    for row in range(len(rows)):
        tints = [marks.OUTCOMES[cells[row, it]].tint if (row, it) in cells else "" for it in range(len(columns))]
        for tint, run in groupby(range(len(columns)), key=tints.__getitem__):
            wide = list(run)
            tinted.setdefault(tint, []).append((wide[0] - 0.5, row - 0.5, len(wide), 1))
    for tint, at in tinted.items():
        boxes(axes, at if tint else (), facecolor=tint, edgecolor="none")
    lines = [(-0.5, it - 0.5, len(columns), 0) for it in range(len(rows) + 1)]
    lines += [(it - 0.5, -0.5, 0, len(rows)) for it in range(len(columns) + 1)]
    boxes(axes, lines, facecolor="none", edgecolor=marks.RULE, lw=0.5)
    size = _marker_size(sheet, len(rows), len(columns))
    for outcome, mark in marks.OUTCOMES.items():
        places = [(column, row) for (row, column), one in cells.items() if one is outcome]
        if places and (outcome is not True or len(cells) <= _DOTTED):
            face = "none" if mark.hollow else mark.colour
            axes.plot(
                [it[0] for it in places], [it[1] for it in places], mark.marker, ms=size, mfc=face, mec=mark.colour,
                mew=1.1, ls="",
            )  # fmt: skip
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=3)
    axes.spines[:].set_visible(False)
    type_size = SMALL if len(rows) <= 22 else TINY
    axes.set_yticks(range(len(rows)), [sheet.text(it, _ROW_NAME) for it in rows], size=type_size)
    beside = max((width(sheet.text(it, _ROW_NAME)) for it in rows), default=0) * type_size
    names = _column_names(sheet, columns, (_WIDE_PT - beside) / max(len(columns), 1) * 0.94 / type_size)
    axes.set_xticks(range(len(columns)), names, size=type_size)
    return type_size * 1.35 * max((name.count("\n") + 1 for name in names), default=0) + 4


def _column_names(sheet: Sheet, columns: Sequence[Said], room: float) -> list[str]:
    """Names in three lines at most that fit above their cells, which are ``room`` type sizes wide."""
    return ["\n".join(wrapped(sheet.text(it), max(room, 2), 3)) for it in columns]


def _marker_size(sheet: Sheet, rows: int, columns: int) -> float:
    high = float(sheet.figure.get_size_inches()[1]) * 72
    return max(2.5, min(9.0, 0.6 * (high - 120) / max(rows, 1), 0.6 * 400 / max(columns, 1)))


def keys(sheet: Sheet, cells: Cells, words: Mapping[bool | None, Said]) -> list[Any]:
    """Entries of a legend: each outcome that occurs, with how many cells have it."""
    from matplotlib.lines import Line2D

    found = []
    for outcome, mark in marks.OUTCOMES.items():
        many = sum(one is outcome for one in cells.values())
        if many:
            label = sheet.text(tell("grid.key", word=words[outcome], count=f"{many:,}"))
            face = "white" if mark.hollow else mark.colour
            found.append(
                Line2D([], [], marker=mark.marker, ls="", ms=7, mfc=face, mec=mark.colour, mew=1.2, label=label)
            )
    return found
