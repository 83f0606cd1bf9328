"""Where the areas of a plant lie on a map: their own corners, or a place beside the map where they have none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from fixtures.plant.model import Area

Corner = tuple[float, float]
_FARTHEST_M = 1e6  #: from the origin; farther corners are none of a plant
A_ROW = 12  #: points in one row
_COLUMNS = 6  #: of areas without corners


class Shape(NamedTuple):
    """The outline of one area."""

    area: Area
    corners: tuple[Corner, ...]
    placed: bool  #: whether these are the plant's own coordinates

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def shapes(areas: Sequence[Area]) -> list[Shape]:
    """Every area's outline; those without corners stand in rows below the others."""
    own = [Shape(it, it.polygon_m, True) for it in areas if _has_room(it)]
    bare = [it for it in areas if not _has_room(it)]
    if not bare:
        return own
    boxes = [it.box for it in own] or [(0.0, 60.0, 120.0, 60.0)]
    left, bottom, right = min(it[0] for it in boxes), min(it[1] for it in boxes), max(it[2] for it in boxes)
    columns = min(_COLUMNS, len(bare))
    wide = max(right - left, 1.0) / columns
    high = wide / 2.2
    made = []
    for index, area in enumerate(bare):
        x, y = left + wide * (index % columns), bottom - high * 1.25 * (1 + index // columns)
        far, top = x + wide * 0.94, y + high
        made.append(Shape(area, ((x, y), (far, y), (far, top), (x, top)), False))
    return own + made


def spots(shape: Shape, many: int) -> list[Corner]:
    """So many places in rows in the lower half of an outline: where a point stands in its area is not recorded."""
    _, bottom, _, top = shape.box
    rows = max(1, math.ceil(many / A_ROW))
    found: list[Corner] = []
    for row in range(rows):
        here = min(A_ROW, many - row * A_ROW)
        y = bottom + (top - bottom) * (0.34 if rows == 1 else 0.55 - 0.45 * row / (rows - 1))
        left, right = _inside(shape, y)
        found += [(left + (right - left) * (index + 0.5) / here, y) for index in range(here)]
    return found


def _inside(shape: Shape, y: float) -> tuple[float, float]:
    """The longest stretch of a height that lies inside the outline."""
    edges = pairwise([*shape.corners, shape.corners[0]])
    crossings = sorted(x1 + (x2 - x1) * (y - y1) / (y2 - y1) for (x1, y1), (x2, y2) in edges if (y1 > y) != (y2 > y))
    stretches = list(zip(crossings[::2], crossings[1::2], strict=False)) or [(shape.box[0], shape.box[2])]
    return max(stretches, key=lambda it: it[1] - it[0])


def _has_room(area: Area) -> bool:
    """Whether its corners enclose something that can be drawn to scale."""
    if len(area.polygon_m) < 3 or any(abs(it) > _FARTHEST_M for corner in area.polygon_m for it in corner):
        return False
    left, bottom, right, top = Shape(area, area.polygon_m, True).box
    return right - left > 0 and top - bottom > 0
