"""The fleet's report: its numbers are those of the bundles, and nothing in it is more than text."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from profiles.problem import UserMistake
from profiles.verdict import Verdict
from profiles.weights import load_weights
from reports.bundle import Bundle
from reports.fleet.pages import write_summary
from reports.fleet.query import open_index
from reports.fleet.summary import FleetTable
from reports.fleet.summary import Summary
from reports.fleet.summary import summarise
from reports.scoring import score_bundle
from reports.wording import Said
from reports.wording import same

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>|\u202e`'


def summed(indexed: Path, weights: Path | None = None) -> Summary:
    with open_index(indexed) as opened:
        return summarise(opened, now=NOW, weights=load_weights(weights) if weights else None)


def table(summary: Summary, id: str) -> list[tuple[Any, ...]]:
    found = next(it for it in summary.tables if it.id == id)
    return [tuple(cell.en if isinstance(cell, Said) else cell for cell in row) for row in found.rows]


def test_its_numbers_are_those_of_the_bundles(fleet: Path, indexed: Path) -> None:
    bundles = [Bundle.open(path) for path in fleet.iterdir()]
    summary = summed(indexed)
    outcomes = Counter(it.campaign.outcome.value for it in bundles)
    assert {row[0].lower(): row[1] for row in table(summary, "outcomes")} == {
        word: outcomes[word] for word in ("conformant", "nonconformant", "incomplete")
    }
    for item, counts in summary.verdicts:
        expected = Counter(r.verdict for it in bundles for r in it.campaign.results if r.item == item)
        assert counts == expected
    values = sorted(
        r.value for it in bundles for r in it.campaign.results if r.item == "5G-RSRP" and r.value is not None
    )
    row = next(row for row in table(summary, "values") if row[0] == "5G-RSRP")
    assert (row[1], row[2], row[3], row[7]) == ("dBm", len(values), values[0], values[-1])
    for row in table(summary, "values"):
        mine = [r for it in bundles for r in it.campaign.results if r.item == row[0]]
        assert row[2] + row[8] == sum(r.verdict is not Verdict.NOT_APPLICABLE for r in mine)
    failing = Counter(
        (r.item, one.reason)
        for it in bundles
        for r in it.campaign.results
        if not r.scope and r.verdict is not Verdict.PASS
        for one in r.failing
    )
    assert sum(row[2] for row in table(summary, "reasons")) == sum(failing.values())
    assert sum(row[2] for row in table(summary, "groups")) == len(bundles)


def test_scores_are_there_only_with_weights(fleet: Path, indexed: Path, weights: Path) -> None:
    without = summed(indexed)
    assert not without.scores
    assert "scores" not in [it.id for it in without.tables]
    assert any("no scores" in it.en for it in without.sentences)
    given = summed(indexed, weights)
    totals = [score_bundle(Bundle.open(path), weights)[0].total for path in fleet.iterdir()]
    lows = sorted(it.low for it in totals if it)
    assert table(given, "scores")[0][1] == round(float(100 * lows[0]), 2)
    assert table(given, "scores")[1][5] == round(float(100 * max(it.high for it in totals if it)), 2)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_is_one_file_with_everything_in_it(indexed: Path, weights: Path, tmp_path: Path, language: str) -> None:
    write_summary(summed(indexed, weights), tmp_path / "fleet.html", language)
    page = (tmp_path / "fleet.html").read_text("utf-8")
    assert f'<html lang="{language}">' in page
    assert page.count("<img") == 2
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert ("Fleet report" in page) == (language == "en")


def test_a_hostile_name_is_shown_and_does_nothing(tmp_path: Path) -> None:
    hostile = FleetTable("t", same("t"), (same("a"), same("n")), ((same(HOSTILE), 3),))
    summary = Summary(same("title"), [same(HOSTILE)], [hostile])
    for name in ("fleet.html", "fleet.md", "fleet.xlsx"):
        write_summary(summary, tmp_path / name, "en")
    for name in ("fleet.html", "fleet.md"):
        text = (tmp_path / name).read_text("utf-8")
        assert "<script" not in text
        assert "\u202e" not in text
        assert "‹U+202E›" in text
    rows = [line for line in (tmp_path / "fleet.md").read_text("utf-8").splitlines() if line.startswith("| =")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [3]
    book = openpyxl.load_workbook(tmp_path / "fleet.xlsx")
    cells = [book["summary"]["A2"], book["t"]["A2"]]
    assert {cell.data_type for cell in cells} == {"s"}
    assert book["t"]["B2"].value == 3


def test_an_unknown_suffix_is_told(indexed: Path, tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match=r"\.html, \.md, \.xlsx"):
        write_summary(summed(indexed), tmp_path / "fleet.pdf", "en")
    with pytest.raises(UserMistake, match="cannot be written"):
        write_summary(summed(indexed), tmp_path / "absent" / "fleet.html", "en")
    with pytest.raises(UserMistake, match="cannot be written"):
        write_summary(summed(indexed), tmp_path / "absent" / "fleet.xlsx", "en")
