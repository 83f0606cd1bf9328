"""What of a reduced value a reader may look at, small enough to be kept with the result. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from profiles.reduced import Bars
from profiles.reduced import Cell
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Curve
from profiles.reduced import Exhibit
from profiles.reduced import Matrix
from profiles.reduced import Measurement
from profiles.reduced import Reduced
from profiles.reduced import Samples

MOST_BARS = 200  #: objects drawn one by one; the failing ones are listed by name in any case
POINTS = 120  #: of a distribution; half of them beyond its 90th percentile, where limits lie
MOST_SUBJECTS = 120  #: of a matrix: the worst of them, and of the items
MOST_ITEMS = 40
_NOTE_CHARACTERS = 200  #: of each cell; the findings have the whole of it


def exhibit(reduced: Reduced) -> Exhibit | None:
    """Bars, a distribution or a matrix of ``reduced``; nothing where the value and its interval say it all."""
    match reduced:
        case Checklist(checks) if checks:
            return _matrix(checks)
        case Measurement(unit=unit, parts=parts) if 0 < len(parts) <= MOST_BARS:
            return Bars(unit, tuple((label, _finite(value)) for label, value in parts))
        case Samples(values, unit, labels=labels) if len(labels) == len(values) and 0 < len(values) <= MOST_BARS:
            return Bars(unit, tuple((label, _finite(value)) for label, value in zip(labels, values, strict=True)))
        case Samples(values, unit) if values:
            return _curve(values, unit)
    return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _curve(values: Iterable[float], unit: str) -> Curve:
    """Every value of a short list; of a long one, values at evenly spread ranks, closer together in the upper tail."""
    everything = [value for value in values if not math.isnan(value)]
    usable = sorted(value for value in everything if math.isfinite(value))
    total, found = len(everything), len(usable)
    body = {round(step * 0.9 * (found - 1) / (POINTS // 2)) for step in range(POINTS // 2)}
    tail = {round((found - 1) * (1 - 0.1 * (1 - step / (POINTS // 2)) ** 3)) for step in range(POINTS // 2 + 1)}
    ranks = sorted(rank for rank in body | tail if 0 <= rank < found)
    return Curve(unit, tuple((usable[rank], (rank + 1) / total) for rank in ranks), total, total - found)


def _matrix(checks: Iterable[Check]) -> Matrix:
    subjects: dict[str, int] = {}
    items: dict[str, int] = {}
    cells: dict[tuple[int, int], list[Check]] = {}
    for check in checks:
        at = subjects.setdefault(check.subject, len(subjects)), items.setdefault(check.item, len(items))
        cells.setdefault(at, []).append(check)
    rows = [(*at, _worst(found), _notes(found)) for at, found in sorted(cells.items())]
    return _bounded(list(subjects), list(items), rows)


def _bounded(subjects: list[str], items: list[str], rows: list[Cell]) -> Matrix:
    """The matrix without its best subjects and items, where there are too many of them; what is kept stays in order."""
    kept_subjects = _kept(len(subjects), MOST_SUBJECTS, ((subject, passed) for subject, _, passed, _ in rows))
    kept_items = _kept(len(items), MOST_ITEMS, ((item, passed) for _, item, passed, _ in rows))
    return Matrix(
        tuple(subjects[index] for index in kept_subjects),
        tuple(items[index] for index in kept_items),
        tuple(
            (kept_subjects[subject], kept_items[item], passed, note)
            for subject, item, passed, note in rows
            if subject in kept_subjects and item in kept_items
        ),
        len(subjects) - len(kept_subjects),
        len(items) - len(kept_items),
    )


def _kept(total: int, most: int, outcomes: Iterable[tuple[int, bool | None]]) -> dict[int, int]:
    """Which ones are kept, each with its new index: those with most failures first, then with most checks not made."""
    badness = [[0, 0] for _ in range(total)]
    for index, passed in outcomes:
        badness[index][0] -= passed is False
        badness[index][1] -= passed is None
    worst = sorted(range(total), key=badness.__getitem__)[:most]
    return {index: place for place, index in enumerate(sorted(worst))}


def _worst(checks: list[Check]) -> bool | None:
    outcomes = {check.passed for check in checks}
    return False if False in outcomes else None if None in outcomes else True


def _notes(checks: list[Check]) -> str:
    told = "; ".join(check.note for check in checks if not check.passed and check.note)
    return told if len(told) <= _NOTE_CHARACTERS else f"{told[: _NOTE_CHARACTERS - 1]}…"
