"""Each rule of annex 4 kept, and broken in each way that it can be broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.text import WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt

from profiles.verdict import ExitStatus
from reports.forms.answer import Checked
from reports.forms.answer import Mark
from reports.forms.check import check_form
from reports.forms.form import load_form
from tests.reports.forms.conftest import DECIMAL
from tests.reports.forms.conftest import FILLER
from tests.reports.forms.conftest import FULL
from tests.reports.forms.conftest import SMALL
from tests.reports.forms.conftest import Written
from tests.reports.forms.conftest import answer
from tests.reports.forms.conftest import codes
from tests.reports.forms.conftest import png

Check = Callable[..., Checked]
_MANUAL = {"A4-ASSESSMENT", "A4-SEAL", "A4-TRUE", "A4-SECRETS"}


def test_a_good_document_leaves_only_what_a_person_has_to_see(checked: Check, good: Written) -> None:
    said = checked(good)
    assert {one.rule.id for one in said.answers if one.mark is not Mark.PASS} == _MANUAL
    assert said.status is ExitStatus.INCOMPLETE


def test_what_a_person_has_seen_is_passed(checked: Check, good: Written) -> None:
    assert checked(good, seen=_MANUAL).status is ExitStatus.CONFORMANT


def test_nobody_can_say_a_failure_away(checked: Check, good: Written) -> None:
    said = checked(good.but(font="宋体"), seen={"A4-FONT", *_MANUAL})
    assert said.status is ExitStatus.NONCONFORMANT


def shifted(*captions: str) -> Written:
    usual = list(Written().captions)
    usual[: len(captions)] = captions
    return Written(captions=tuple(usual))


def pictures(*first: bytes) -> Written:
    usual = list(Written().pictures)
    usual[: len(first)] = first
    return Written(pictures=tuple(usual))


def more_pictures(extra: bytes) -> Written:
    usual = Written()
    captions = (*usual.captions, "图 11 附加")
    return usual.but(pictures=(*usual.pictures, extra), captions=captions, mention="见图 1 至图 11。")


def cover(label: str, value: str | None) -> Written:
    kept = tuple((name, value if name == label else given) for name, given in Written().cover)
    return Written(cover=tuple(pair for pair in kept if pair[1] is not None))  # type: ignore[arg-type]


def without(heading: str) -> Written:
    return Written(headings=tuple(one for one in Written().headings if not one.startswith(heading)))


def swapped(one: str, other: str) -> Written:
    headings = list(Written().headings)
    a, b = (next(at for at, text in enumerate(headings) if text.startswith(part)) for part in (one, other))
    headings[a], headings[b] = headings[b], headings[a]
    return Written(headings=tuple(headings))


@pytest.mark.parametrize(
    ("written", "rule", "mark", "code"),
    [
        (Written(filler=FILLER * 12), "A4-LENGTH", Mark.FAIL, "length-word"),
        (Written(filler=FILLER * 26), "A4-LENGTH", Mark.FAIL, "length-word"),
        (Written(font="宋体"), "A4-FONT", Mark.FAIL, "font-share"),
        (Written(font="仿宋"), "A4-FONT", Mark.FAIL, "font-share"),
        (Written(points=14), "A4-FONT", Mark.FAIL, "font-share"),
        (Written(line=28), "A4-SPACING", Mark.FAIL, "spacing-exact"),
        (pictures(png(size=DECIMAL - 1)), "A4-PIC-SIZE", Mark.FAIL, "picture-small"),
        (pictures(png(size=DECIMAL, seed=99)), "A4-PIC-SIZE", Mark.WARN, "picture-decimal"),
        (pictures(png(size=SMALL - 1, seed=99)), "A4-PIC-SIZE", Mark.WARN, "picture-decimal"),
        (pictures(png(size=SMALL - 1, seed=99)), "A4-PIC-COUNT", Mark.FAIL, "picture-count"),
        (more_pictures(png(size=1000, seed=99)), "A4-PIC-SIZE", Mark.WARN, "picture-small"),
        (more_pictures(png(200, 100, seed=99)), "A4-PIC-PIXELS", Mark.WARN, "picture-coarse"),
        (pictures(png(3999, 2000)), "A4-PIC-PIXELS", Mark.FAIL, "picture-coarse"),
        (pictures(png(seed=1)), "A4-PIC-COUNT", Mark.FAIL, "picture-count"),
        (Written(pictures=()), "A4-PIC-COUNT", Mark.FAIL, "picture-count"),
        (Written(pictures=()), "A4-PIC-CAPTION", Mark.FAIL, "picture-none"),
        (Written(captions=Written().captions[:9]), "A4-PIC-CAPTION", Mark.FAIL, "caption-missing"),
        (shifted("图 1 甲", "图 1 乙"), "A4-PIC-CAPTION", Mark.FAIL, "caption-order"),
        (shifted("图 1 甲", "图 3 乙"), "A4-PIC-CAPTION", Mark.FAIL, "caption-order"),
        (shifted("图 2 甲", "图 1 乙"), "A4-PIC-CAPTION", Mark.FAIL, "caption-order"),
        (shifted("图 1"), "A4-PIC-CAPTION", Mark.FAIL, "caption-empty"),
        (shifted("测试结果示意"), "A4-PIC-CAPTION", Mark.FAIL, "caption-missing"),
        (Written(mention="见图 1 至图 9。"), "A4-PIC-MENTION", Mark.WARN, "caption-unnamed"),
        (Written(picture_exact=True), "A4-PIC-WHOLE", Mark.WARN, "picture-cut-by-line"),
        (without("第三部分"), "A4-PARTS", Mark.FAIL, "part-missing"),
        (swapped("第二部分", "第三部分"), "A4-PARTS", Mark.FAIL, "part-order"),
        (without("2、智能工厂整体架构"), "A4-REQUIRED", Mark.FAIL, "section-missing"),
        (without("1、技术创新"), "A4-REQUIRED", Mark.WARN, "section-missing"),
        (Written(texts={"2、品牌品质": ""}), "A4-REQUIRED", Mark.FAIL, "section-empty"),
        (Written(texts={"2、品牌品质": "【待填：财务状况】"}), "A4-REQUIRED", Mark.FAIL, "section-empty"),
        (Written(texts={"1、智能工厂建设历程": ""}), "A4-REQUIRED", Mark.WARN, "section-empty"),
        (Written(tail="【待填：其他】"), "A4-PLACEHOLDER", Mark.WARN, "placeholder"),
        (cover("企业名称", ""), "A4-ENTERPRISE", Mark.FAIL, "field-empty"),
        (cover("企业名称", "（需加盖公章）"), "A4-ENTERPRISE", Mark.FAIL, "field-empty"),
        (cover("企业名称", None), "A4-ENTERPRISE", Mark.FAIL, "field-missing"),
        (cover("工厂名称", "示例一号车间"), "A4-FACTORY", Mark.FAIL, "factory-suffix"),
        (cover("工厂名称", "甲乙丙丁戊己庚辛壬癸子智能工厂"), "A4-FACTORY", Mark.FAIL, "factory-long"),
        (cover("工厂名称", "甲乙丙丁戊己庚辛壬癸A智能工厂"), "A4-FACTORY", Mark.WARN, "factory-rounding"),
        (cover("所属行业", "化工"), "A4-INDUSTRY", Mark.FAIL, "word-other"),
        (Written(first="以下说明成效。"), "A4-SCENES", Mark.WARN, "scenes-none"),
        (Written(tail="网关地址 192.0.2.17。"), "A4-SECRETS", Mark.FAIL, "leak"),
    ],
)
def test_a_broken_rule_is_told(written: Written, rule: str, mark: Mark, code: str, checked: Check) -> None:
    said = answer(checked(written), rule)
    assert said.mark is mark
    assert code in [one.code for one in said.findings if one.mark is mark]


def test_every_rule_of_annex_4_that_a_program_can_judge_is_broken_above() -> None:
    broken = {case[1] for case in test_a_broken_rule_is_told.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert {rule.id for rule in load_form("annex4-2025").rules} - broken == _MANUAL - {"A4-SECRETS"}


def test_the_sizes_are_those_of_the_form(tmp_path: Path) -> None:
    sizes = (FULL, FULL - 1, 5_000_000, 5_000_000 - 1, *[FULL] * 9)
    drawn = tuple(png(size=size, seed=seed) for seed, size in enumerate(sizes))
    captions = tuple(f"图 {number} 示意" for number in range(1, len(drawn) + 1))
    Written(pictures=drawn, captions=captions).document().save(str(tmp_path / "full.docx"))
    said = check_form(tmp_path / "full.docx", "annex4-2025")
    assert sorted(codes(said, "A4-PIC-SIZE")) == ["picture-decimal", "picture-decimal", "picture-small"]
    assert answer(said, "A4-PIC-COUNT").findings[0].facts["qualified"] == 10


@pytest.mark.parametrize(
    "written",
    [
        cover("工厂名称", "甲乙丙丁戊己庚辛壬癸智能工厂"),
        cover("工厂名称", "甲乙丙丁戊己庚辛壬ABC智能工厂"),
        cover("工厂名称", "ABCDEF智能工厂"),
    ],
)
def test_names_of_fourteen_characters_will_do(written: Written, checked: Check) -> None:
    assert answer(checked(written), "A4-FACTORY").mark is Mark.PASS


def test_the_place_of_what_is_wrong_is_told(checked: Check, good: Written) -> None:
    document = good.document()
    paragraph = document.paragraphs[2]
    paragraph.runs[0].font.size = Pt(12)
    found = next(one for one in answer(checked(document), "A4-FONT").findings if one.code == "font-other")
    assert found.start == " ".join(paragraph.text.split())[:24] + "…"
    assert found.paragraph > len(good.cover) * 2
    assert "12" in found.text("zh")


def test_headings_and_tables_in_another_type_are_warned_of(checked: Check, good: Written) -> None:
    document = good.document()
    document.paragraphs[0].runs[0].font.size = Pt(22)
    document.tables[0].cell(0, 0).paragraphs[0].paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    said = checked(document)
    assert answer(said, "A4-FONT").mark is Mark.WARN
    assert answer(said, "A4-SPACING").mark is Mark.WARN


def test_the_self_assessment_report_does_not_count(checked: Check, good: Written) -> None:
    document = good.document()
    document.add_paragraph(FILLER * 200)
    said = answer(checked(document), "A4-LENGTH")
    assert said.mark is Mark.PASS
    assert "length-left-out" in [one.code for one in said.findings]


def test_a_document_that_is_long_enough_only_with_its_text_boxes_fails(checked: Check, good: Written) -> None:
    document = good.but(filler=FILLER * 12).document()
    box = OxmlElement("w:txbxContent")
    inner = OxmlElement("w:p")
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = FILLER * 50
    run.append(text)
    inner.append(run)
    box.append(inner)
    drawing = OxmlElement("w:drawing")
    drawing.append(box)
    document.paragraphs[1].runs[0]._r.append(drawing)
    found = answer(checked(document), "A4-LENGTH")
    assert found.mark is Mark.FAIL
    assert {"length-word", "length-running"} == set(codes_of(found))


def codes_of(said: Any) -> list[str]:
    return [one.code for one in said.findings if one.mark is Mark.FAIL]


def test_captions_above_their_pictures_will_do(checked: Check, good: Written) -> None:
    document = good.document()
    for paragraph in [one for one in document.paragraphs if one._p.findall(f".//{qn('w:drawing')}")]:
        caption = paragraph._p.getnext()
        caption.getparent().remove(caption)
        paragraph._p.addprevious(caption)
    assert codes(checked(document), "A4-PIC-CAPTION") == []


def test_pictures_side_by_side_have_captions_side_by_side(checked: Check, good: Written) -> None:
    document = good.document()
    first, second = [one._p for one in document.paragraphs if one._p.findall(f".//{qn('w:drawing')}")][:2]
    first.addnext(second)  # picture, picture, caption, caption
    assert codes(checked(document), "A4-PIC-CAPTION") == []
    caption = second.getnext()
    caption.getparent().remove(caption)
    assert "caption-missing" in codes(checked(document), "A4-PIC-CAPTION")


def test_running_text_that_begins_like_a_caption_is_running_text(checked: Check, good: Written) -> None:
    document = good.document()
    one = document.paragraphs[2]
    one.runs[0].text = "图 1 " + one.runs[0].text
    one.runs[0].font.size = Pt(9)
    said = checked(document)
    assert answer(said, "A4-FONT").mark is Mark.FAIL
    assert codes(said, "A4-PIC-CAPTION") == []


def test_a_line_that_reads_like_a_heading_is_none_where_a_heading_is(checked: Check, good: Written) -> None:
    document = good.document()
    document.add_paragraph("第一部分见前文")
    said = checked(document)
    assert codes(said, "A4-PARTS") == []


def test_pictures_cropped_linked_and_missing_are_told(checked: Check, good: Written) -> None:
    document = good.document()
    fills = document.element.body.findall(f".//{qn('pic:blipFill')}")
    shown = OxmlElement("a:srcRect")
    shown.set("l", "10000")
    fills[0].find(qn("a:blip")).addnext(shown)
    linked = document.part.relate_to("https://www.example.com/a.png", "http://x/image", is_external=True)
    blip = fills[1].find(qn("a:blip"))
    del blip.attrib[qn("r:embed")]
    blip.set(qn("r:link"), linked)
    fills[2].find(qn("a:blip")).set(qn("r:embed"), "rId9999")
    said = checked(document)
    assert codes(said, "A4-PIC-WHOLE") == ["picture-cut"]
    assert {"picture-linked", "picture-missing"} <= set(codes(said, "A4-PIC-SIZE"))


def test_an_empty_document_fails_and_does_not_crash(checked: Check) -> None:
    document = docx.Document()
    said = checked(document)
    assert said.status is ExitStatus.NONCONFORMANT
    assert answer(said, "A4-FONT").mark is Mark.FAIL
