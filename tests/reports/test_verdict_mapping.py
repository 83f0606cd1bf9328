"""The table of verdicts in the documentation is what the code does."""

from __future__ import annotations

from pathlib import Path

from profiles.verdict import Verdict
from reports.formats import FORMATS
from reports.junit import ELEMENTS
from reports.oscal.results import STATES
from reports.pytest_html import OUTCOMES

DOCS = Path(__file__).parents[2] / "docs"


def table(page: str, first: str) -> list[list[str]]:
    """The rows of the table whose first column is headed ``first``."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_table_of_verdicts_is_what_the_code_does() -> None:
    rows = {row[0].strip("`"): row for row in table("verdicts.md", "verdict")}
    assert rows.keys() == set(Verdict)
    for verdict in Verdict:
        _, _, pytest_word, junit_word, oscal, _ = rows[verdict]
        assert OUTCOMES[verdict] == pytest_word
        assert (ELEMENTS[verdict] or "passed") == junit_word
        status = STATES[verdict]
        assert (f"{status.state}, {status.reason}" if status else "none") == oscal.partition(";")[0]


def test_formats_for_programs_are_those_there_are() -> None:
    named = {row[0].strip("`") for row in table("reports.md", "`--format`")}
    assert named <= FORMATS.keys()
    assert {"oscal", "junit", "pytest-html", "csv", "xlsx"} <= named
