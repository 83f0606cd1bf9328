"""Checks as a table of subjects and items; large ones fold what gives no reason for action."""

from __future__ import annotations

from collections.abc import Container
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

from reports.exhibit import MatrixRecord
from reports.figures import count
from reports.view.listing import Thing
from reports.view.listing import called
from reports.wording import Said
from reports.wording import check
from reports.wording import say

SUBJECTS, ITEMS = 40, 20  #: of a table that is shown in full
_NOTED = 6  #: items up to which a cell has room for its word and its note

#: Which mark of the page stands for an outcome, and its word's code.
_OUTCOMES: dict[bool | None, tuple[str, str]] = {
    True: ("pass", "matrix.passed"),
    False: ("fail", "matrix.failed"),
    None: ("not-tested", "matrix.not-made"),
}


class Cell(NamedTuple):
    """One check, or several of which the worst is shown."""

    mark: str
    word: Said
    note: str


class Line(NamedTuple):
    """One subject."""

    name: Said
    cells: list[Cell | None]  #: ``None`` where nothing was to be checked


class MatrixView(NamedTuple):
    """The table."""

    corner: Said
    items: list[Said]
    lines: list[Line]
    tallies: list[tuple[str, Said, str]]  #: mark, word and number of cells
    folded: Said | None  #: what is not shown
    narrow: bool  #: whether cells have room for words


def is_between_zones(record: MatrixRecord, zones: Container[str]) -> bool:
    """Whether zones were checked against zones."""
    return all(id in zones for id in (*record.subjects, *record.items))


def matrix_view(record: MatrixRecord, known: Mapping[str, Thing], *, between_zones: bool = False) -> MatrixView:
    """The table of ``record``, in which indices that lead nowhere are left out.

    Args:
        record: as kept with the result.
        known: what the plant knows of its objects, or zones, by id.
        between_zones: whether zones were checked against zones, and ``known`` knows them.
    """
    sound = [it for it in record.cells if 0 <= it[0] < len(record.subjects) and 0 <= it[1] < len(record.items)]
    open_cells = [it for it in sound if not it[2]]
    subjects = _shown(len(record.subjects), SUBJECTS, [it[0] for it in open_cells])
    items = _shown(len(record.items), ITEMS, [it[1] for it in open_cells])
    narrow = len(items) <= _NOTED
    cells = {(subject, item): _cell(passed, note) for subject, item, passed, note in sound}
    if between_zones:  # in one order, so that what is not asked of a zone itself makes a diagonal
        order = {id: index for index, id in enumerate(record.subjects)}
        items.sort(key=lambda index: order.get(record.items[index], len(order)))
    return MatrixView(
        corner=say("matrix.from-to" if between_zones else "matrix.corner"),
        items=[called(id, known) if between_zones else check(id) for id in (record.items[index] for index in items)],
        lines=[
            Line(called(record.subjects[subject], known), [cells.get((subject, item)) for item in items])
            for subject in subjects
        ],
        tallies=[_tally(outcome, [it[2] for it in sound]) for outcome in (False, None, True)],
        folded=_folded(record, len(subjects), len(items)),
        narrow=narrow,
    )


def _shown(total: int, most: int, open_ones: Sequence[int]) -> list[int]:
    """All of them, or of too many only those with an open check, as many as there is room for."""
    return list(range(total)) if total <= most else sorted(set(open_ones))[:most]


def _folded(record: MatrixRecord, subjects: int, items: int) -> Said | None:
    left_subjects = len(record.subjects) - subjects + record.more_subjects
    left_items = len(record.items) - items + record.more_items
    if not left_subjects and not left_items:
        return None
    return say("matrix.folded", subjects=count(left_subjects), items=count(left_items))


def _cell(passed: bool | None, note: str) -> Cell:
    mark, word = _OUTCOMES[passed]
    return Cell(mark, say(word), note)


def _tally(outcome: bool | None, outcomes: Sequence[bool | None]) -> tuple[str, Said, str]:
    mark, word = _OUTCOMES[outcome]
    return mark, say(word), count(sum(it is outcome for it in outcomes))
