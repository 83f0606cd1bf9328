"""Checks as a table: every outcome by mark and word, zones in one order, large ones folded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from profiles.exhibit import exhibit
from profiles.reduced import Check
from profiles.reduced import Checklist
from reports.drawings.matrix import ITEMS
from reports.drawings.matrix import SUBJECTS
from reports.drawings.matrix import MatrixView
from reports.drawings.matrix import is_between_zones
from reports.drawings.matrix import matrix_view
from reports.exhibit import MatrixRecord
from reports.exhibit import record_of
from reports.view.listing import Thing
from reports.wording import say

ZONES = {
    id: Thing(id, name, name, "", say("object.zone")) for id, name in (("a", "一区"), ("b", "二区"), ("c", "三区"))
}


def seen(*checks: Check, known: dict[str, Thing] | None = None) -> MatrixView:
    record = record_of(exhibit(Checklist(checks)))
    assert isinstance(record, MatrixRecord)
    between_zones = known is not None and is_between_zones(record, known)
    return matrix_view(record, known or {}, between_zones=between_zones)


def test_each_outcome_has_its_mark_and_its_word() -> None:
    made = seen(Check("s", "x", True), Check("s", "y", False, "port 80"), Check("s", "z", None, "no control"))
    assert [(cell.mark, cell.word.en, cell.note) for cell in made.lines[0].cells if cell] == [
        ("pass", "passed", ""), ("fail", "failed", "port 80"), ("not-tested", "not made", "no control"),
    ]  # fmt: skip
    assert [(word.en, number) for _, word, number in made.tallies] == [
        ("failed", "1"),
        ("not made", "1"),
        ("passed", "1"),
    ]
    assert made.folded is None


def test_a_zone_matrix_has_an_empty_diagonal_and_the_plants_names() -> None:
    made = seen(*(Check(one, two, True) for one in "abc" for two in "cab" if one != two), known=ZONES)
    assert made.corner.en == "from \\ to"
    assert [name.zh for name in made.items] == [line.name.zh for line in made.lines] == ["一区 a", "二区 b", "三区 c"]
    for row, line in enumerate(made.lines):
        assert [cell is None for cell in line.cells] == [column == row for column in range(3)]


def test_items_that_are_no_zones_are_called_by_their_texts_or_as_they_are() -> None:
    made = seen(Check("a", "something-nobody-named", True), known=ZONES)
    assert made.corner.en == "object \\ check"
    assert made.items[0].zh == "something-nobody-named"


def test_a_large_table_keeps_what_failed_and_counts_the_rest() -> None:
    checks = [Check(f"d{row}", f"c{column}", (row, column) != (41, 7)) for row in range(50) for column in range(25)]
    made = seen(*checks)
    assert [line.name.en for line in made.lines] == ["d41"]
    assert [name.en for name in made.items] == ["c7"]
    assert made.folded is not None
    assert "49 objects and 24 checks" in made.folded.en
    assert {word.en: number for _, word, number in made.tallies}["passed"] == "1,249"


def test_a_large_table_without_a_failure_shows_its_counts_only() -> None:
    made = seen(*(Check(f"d{row}", "c", True) for row in range(SUBJECTS + 1)))
    assert made.lines == []
    assert made.folded is not None


cells = st.tuples(st.integers(-2, 70), st.integers(-2, 30), st.sampled_from([True, False, None]), st.text(max_size=9))


@given(st.integers(0, 60), st.integers(0, 25), st.lists(cells, max_size=80), st.integers(0, 9))
def test_any_record_gives_a_table_of_bounded_size(
    subjects: int, items: int, made: list[tuple[int, int, bool | None, str]], more: int
) -> None:
    record = MatrixRecord(
        subjects=tuple(f"s{index}" for index in range(subjects)),
        items=tuple(f"i{index}" for index in range(items)),
        cells=tuple(made), more_subjects=more, more_items=more,
    )  # fmt: skip
    found = matrix_view(record, {})
    assert len(found.lines) <= SUBJECTS
    assert len(found.items) <= ITEMS
    assert all(len(line.cells) == len(found.items) for line in found.lines)
    assert (found.folded is None) == (not more and len(found.lines) == subjects and len(found.items) == items)
