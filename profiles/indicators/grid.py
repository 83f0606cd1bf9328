"""The grid on which coverage is counted: square cells of the plant's coordinates, whose origin is a corner of one.

A cell belongs to the areas in which its centre lies, so that areas with a common border share no cell, and the same
plant has the same cells each year. Shared by indicators; computes none itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import pairwise

#: A cell, by column and row: it reaches from ``column * size`` to ``(column + 1) * size``, and so upwards.
Cell = tuple[int, int]
Corners = Sequence[tuple[float, float]]

MOST_CELLS = 1_000_000  #: of one area: 25 km² at 5 m


class TooManyCellsError(ValueError):
    """The area has more cells than can be walked."""


def cell_at(x_m: float, y_m: float, size_m: float) -> Cell:
    """The cell in which a position lies."""
    return math.floor(x_m / size_m), math.floor(y_m / size_m)


def cells_of(corners: Corners, size_m: float) -> frozenset[Cell]:
    """The cells whose centres lie inside the polygon (even-odd rule).

    Raises:
        TooManyCellsError: if there may be more than :data:`MOST_CELLS`.
    """
    if len(corners) < 3:
        return frozenset()
    lows, highs = ([bound(axis) / size_m for axis in zip(*corners, strict=True)] for bound in (min, max))
    columns, rows = (high - low + 1 for low, high in zip(lows, highs, strict=True))
    if not columns * rows <= MOST_CELLS:  # also if it is infinite or no number
        raise TooManyCellsError
    return frozenset(
        (column, row)
        for row in range(math.floor(lows[1]), math.ceil(highs[1]) + 1)
        for column in _columns(corners, row, size_m)
    )


def described(cell: Cell, size_m: float) -> str:
    """Where a cell is, for a reader."""
    (left, right), (bottom, top) = ((at * size_m, (at + 1) * size_m) for at in cell)
    return f"x {left:g}-{right:g} m, y {bottom:g}-{top:g} m"


def _columns(corners: Corners, row: int, size_m: float) -> Iterator[int]:
    """The columns of the cells of one row whose centres lie inside: between every other pair of crossings."""
    y = (row + 0.5) * size_m
    edges = map(sorted, pairwise([*corners, corners[0]]))  # so that a common border is the same for both its areas
    crossings = sorted(x1 + (x2 - x1) * (y - y1) / (y2 - y1) for (x1, y1), (x2, y2) in edges if (y1 > y) != (y2 > y))
    for left, right in zip(crossings[::2], crossings[1::2], strict=True):
        yield from range(math.ceil(left / size_m - 0.5), math.ceil(right / size_m - 0.5))
