"""Cells: nothing that a spreadsheet would run, and numbers that stay numbers."""

from __future__ import annotations

import csv
import io
import math
import re
from datetime import UTC
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.tables.cells import MAX_UNITS
from reports.tables.cells import disarmed
from reports.tables.cells import fitting
from reports.tables.cells import is_command
from reports.tables.cells import moment_of
from reports.tables.cells import plain

LEADS = tuple("=+-@＝＋－＠")
TEXTS = st.text(alphabet=st.one_of(st.sampled_from("=+-@;, \t\r\n'\"|!0aA\x00\u202e\ud800＝"), st.characters()))


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("=cmd|'/C calc'!A0", "'=cmd|'/C calc'!A0"),
        ("+86 21 5555", "'+86 21 5555"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(1;2)", "'@SUM(1;2)"),
        ("\t=1", " '=1"),
        ("\r=1", "‹U+000D›=1"),
        ("  =1", "  '=1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a =1"),
        ("＝1", "'＝1"),
        ("-5", "-5"),
        ("-5.25", "-5.25"),
        ("-5 dBm", "'-5 dBm"),
        ("PLC-1", "PLC-1"),
        ("≥ 100 %", "≥ 100 %"),
        ("", ""),
    ],
)
def test_commands_are_disarmed_and_nothing_else_is_touched(text: str, cell: str) -> None:
    assert disarmed(text) == cell


@given(TEXTS)
def test_no_way_of_parting_a_line_gives_a_command(text: str) -> None:
    cell = disarmed(text)
    cell.encode()
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(["before", cell, "after"])
    line = buffer.getvalue()
    assert line.count("\n") == 1
    assert next(csv.reader(io.StringIO(line, newline=""))) == ["before", cell, "after"]
    pieces = [cell, *line.split(";")[1:], *line.split("\t")[1:]]
    for piece in pieces:
        bare = piece.lstrip()
        assert not bare.startswith(LEADS) or re.fullmatch(r"[+-][0-9]+(\.[0-9]+)?", bare), piece
    assert disarmed(cell) == cell


@given(TEXTS)
def test_a_workbook_keeps_the_letters(text: str) -> None:
    assert fitting(text) == fitting(fitting(text))
    assert is_command(fitting(text)) == (disarmed(text) != fitting(text))


@pytest.mark.parametrize("letter", ["a", "厂", "😀"])
@pytest.mark.parametrize("length", [MAX_UNITS - 1, MAX_UNITS, MAX_UNITS + 1, 3 * MAX_UNITS])
def test_long_texts_are_cut_with_a_mark(letter: str, length: int) -> None:
    text = letter * length
    cell = fitting(text)
    assert len(cell.encode("utf-16-le")) // 2 <= MAX_UNITS
    if len(text.encode("utf-16-le")) // 2 <= MAX_UNITS:
        assert cell == text
    else:
        found = re.fullmatch(rf"({letter}+)… \(\+(\d+)\)", cell)
        assert found
        assert len(found[1]) + int(found[2]) == length


def test_numbers_that_no_spreadsheet_holds_are_texts() -> None:
    assert [plain(one) for one in (math.inf, -math.inf, math.nan)] == ["∞", "−∞", "NaN"]
    assert plain(-(2**53)) == -(2**53)
    assert plain(2**53 + 1) == str(2**53 + 1)
    assert plain(-12.5) == -12.5


def test_moments_are_told_in_utc_or_as_written() -> None:
    assert moment_of("2027-01-15T16:00:00.5+08:00") == datetime(2027, 1, 15, 8, tzinfo=UTC)
    assert moment_of(1_800_000_000_999_999_999) == datetime(2027, 1, 15, 8, tzinfo=UTC)
    assert moment_of(None) is None
    assert [moment_of(one) for one in ("yesterday", "2027-01-15T08:00:00", 10**40)] == [
        "yesterday", "2027-01-15T08:00:00", str(10**40),
    ]  # fmt: skip
