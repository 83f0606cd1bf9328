"""What a result shows of its data: one value for each object, a distribution, or checks, as records of the bundle."""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from pydantic import Field
from pydantic import FiniteFloat

from profiles.reduced import Bars
from profiles.reduced import Curve
from profiles.reduced import Exhibit
from profiles.reduced import Matrix
from reports.record import Record


class BarsRecord(Record):
    """One value for each object, in the order of the register."""

    format: Literal["bars/1"] = "bars/1"
    unit: str
    rows: tuple[tuple[str, FiniteFloat | None], ...]  #: object and its value; ``None`` where it has none


class CurveRecord(Record):
    """The empirical distribution of many values."""

    format: Literal["curve/1"] = "curve/1"
    unit: str
    points: tuple[tuple[FiniteFloat, FiniteFloat], ...]  #: value, and the share of all that are not above it
    n: int  #: all values, lost ones included
    lost: int  #: of them those without a value, which count as infinite


class MatrixRecord(Record):
    """Checks by subject and item; the worst of several in one cell."""

    format: Literal["matrix/1"] = "matrix/1"
    subjects: tuple[str, ...]
    items: tuple[str, ...]
    cells: tuple[tuple[int, int, bool | None, str], ...]  #: index of subject and item, outcome, notes
    more_subjects: int = 0  #: further subjects, none of them worse than those named
    more_items: int = 0  #: and further items


ExhibitRecord = Annotated[BarsRecord | CurveRecord | MatrixRecord, Field(discriminator="format")]


def record_of(exhibit: Exhibit | None) -> BarsRecord | CurveRecord | MatrixRecord | None:
    """The record of what a judgement shows."""
    match exhibit:
        case Bars(unit, rows):
            return BarsRecord(unit=unit, rows=rows)
        case Curve(unit, points, n, lost):
            return CurveRecord(unit=unit, points=points, n=n, lost=lost)
        case Matrix(subjects, items, cells, more_subjects, more_items):
            return MatrixRecord(
                subjects=subjects, items=items, cells=cells, more_subjects=more_subjects, more_items=more_items
            )
    return None
