"""What the document says, before it is anything's file format."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Outcome
from profiles.verdict import Verdict
from reports.document import items
from reports.document.blocks import Block
from reports.document.blocks import Document
from reports.document.blocks import Facts
from reports.document.blocks import Heading
from reports.document.blocks import Paragraph
from reports.document.blocks import Run
from reports.document.blocks import Table
from reports.document.compose import compose
from reports.document.compose import summary
from reports.markdown import render
from reports.pdf import markup
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view
from reports.word import write_document

ENDED = "2027-01-15T08:01:34+00:00"


def runs(blocks: list[Block]) -> Iterator[Run]:
    for block in blocks:
        match block:
            case Paragraph():
                yield from block.text
            case Facts():
                yield from (run for name, text in block.rows for run in (Run(name), *text))
            case Table():
                yield from (run for row in block.rows for text in row for run in text)


def chapter(made: Document, anchor: str) -> list[Block]:
    """The blocks from one heading to the next of its level."""
    blocks = list(made.blocks)
    start = next(i for i, it in enumerate(blocks) if isinstance(it, Heading) and it.anchor == anchor)
    level = blocks[start].level
    end = (i for i, it in enumerate(blocks[start + 1 :], start + 1) if isinstance(it, Heading) and it.level <= level)
    return blocks[start : next(end, len(blocks))]


def told(made: Document, anchor: str) -> str:
    return " ".join(run.text for run in runs(chapter(made, anchor)))


def number_of(page: Page, id: str) -> int:
    return next(item.number for item in page.items if item.id == id)


@pytest.fixture(scope="module")
def page(example: Any) -> Page:
    return view(material(example()), register=False)


def test_every_item_is_in_the_table_with_its_verdict_and_what_is_open_says_why(document: Any, page: Page) -> None:
    verdicts, left = told(document(), "verdicts"), told(document(), "open")
    for item in page.items:
        assert item.id in verdicts
        assert (item.id in left) == (item.verdict in OPEN_VERDICTS or item.verdict is Verdict.NOT_APPLICABLE)
        if item.verdict in OPEN_VERDICTS:
            assert item.reason.zh in left


def test_a_failing_item_tells_value_limit_rule_sources_objects_and_what_to_do(document: Any, page: Page) -> None:
    item = next(one for one in page.items if one.id == "NET-RCH-E")
    text = told(document(), f"item-{item.number}")
    assert item.limit is not None
    assert item.remedy is not None
    parts = [item.figures.value, item.figures.share, item.figures.threshold, item.limit.document, item.limit.origin.zh]
    parts += [item.basis.rule.zh, item.basis.methods, item.figures.uncertainty.zh, item.remedy.zh, item.evidence.times]
    parts += ["停产检修期间断电", item.failing[0].thing.id, item.failing[0].reason.zh]
    assert [part for part in parts if part not in text] == []
    assert f"此处列出 {items.LISTED} 个，共 {item.failing_total} 个" in text


def test_the_report_says_who_asked_under_which_conditions_and_how_to_check(document: Any, page: Page) -> None:
    text = told(document(), "particulars")
    for part in ("示例集团", "上海临港", "未载明", "夜班未测", "jump-a", page.items[0].basis.definition.zh):
        assert part in text
    assert page.fingerprint in told(document(), "check")


def test_headings_are_numbered_without_gaps(document: Any) -> None:
    last = [0, 0, 0]
    for heading in (it for it in document().blocks if isinstance(it, Heading)):
        number = [int(part) for part in heading.number.split(".")]
        assert number == [*last[: heading.level - 1], last[heading.level - 1] + 1]
        last = [*number, 0, 0, 0][:3]


def test_of_many_items_those_that_need_action_have_sections_and_the_others_a_table(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "_SECTIONS", 2)
    made = compose(page, [], ENDED, "zh")
    sections = {it.anchor for it in made.blocks if isinstance(it, Heading) and it.anchor.startswith("item-")}
    assert sections == {f"item-{number_of(page, id)}" for id in ("NET-RCH-E", "NET-RCH-X")}
    others = told(made, "others-network")
    for id in ("NET-RCH-S", "NET-RCH-P", "NET-LAT-E"):
        assert id in others
    anchors = {it.anchor for it in made.blocks if isinstance(it, Heading)}
    assert {run.link for run in runs(list(made.blocks)) if run.link} <= anchors


def test_lists_stay_short_however_many_objects_fail(make_lasting: Any) -> None:
    bundle = make_lasting(endpoints=20_000, failing=20_000, echoes=0)
    made = compose(view(material(bundle), register=False), [], ENDED, "en")
    assert sum(len(it.rows) for it in made.blocks if isinstance(it, Table)) < 200
    assert "20,000" in told(made, "remedies")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_campaign_in_which_nothing_was_measured_is_told_in_every_format(
    example: Any, tmp_path: Path, language: str
) -> None:
    found = material(replace(example(), particulars=type(example().particulars)(), waivers=()))
    nothing = [
        one.model_copy(
            update={"verdict": Verdict.NOT_TESTED, "reason": "not-run", "value": None, "failing": (), "threshold": None}
        )
        for one in found.campaign.results
        if not one.scope
    ]
    for results in (nothing, []):
        campaign = found.campaign.model_copy(update={"results": tuple(results), "outcome": Outcome.INCOMPLETE})
        made = compose(view(replace(found, campaign=campaign), register=False), [], ENDED, language)
        assert told(made, "open")
        assert not [it for it in made.blocks if isinstance(it, Heading) and it.anchor in ("details", "waivers")]
        write_document(made, tmp_path / "empty.docx")
        assert markup(made)
        assert render(made)


def test_a_summary_has_what_fails_and_no_pictures(example: Any) -> None:
    made = summary(example(), "en")
    assert [it.anchor for it in made.blocks if isinstance(it, Heading) and it.level == 1] == [
        "summary", "verdicts", "remedies", "waivers", "open", "departures", "check",
    ]  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("language", ["zh", "en"])
def test_libreoffice_lays_the_word_file_out(document: Any, tmp_path: Path, language: str) -> None:
    """Every chapter, caption and page number comes through a word processor of others."""
    from pypdf import PdfReader

    assert shutil.which("soffice"), "LibreOffice is not installed"
    made = document(language=language)
    write_document(made, tmp_path / "report.docx")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", str(tmp_path), "report.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    pages = [page.extract_text() for page in PdfReader(tmp_path / "report.pdf").pages]
    text = "".join(pages).replace("\n", "").replace(" ", "")
    for heading in (it for it in made.blocks if isinstance(it, Heading)):
        assert f"{heading.number}{heading.text}".replace(" ", "") in text
    last = f"第 {len(pages)} 页，共 {len(pages)} 页" if language == "zh" else f"Page {len(pages)} of {len(pages)}"
    assert last.replace(" ", "") in pages[-1].replace(" ", "").replace("\n", "")
