"""The report as a Word file: read with python-docx and lxml, as others read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import docx
import pytest
from docx.oxml.ns import qn
from lxml import etree

from reports.document.blocks import Document
from reports.document.blocks import Figure
from reports.document.blocks import Heading
from reports.document.blocks import Table
from reports.word import write_document

Written = Callable[..., Path]
BOTH = pytest.mark.parametrize("language", ["zh", "en"])
KINDS = pytest.mark.parametrize("kind", ["plain", "hostile"])


def text_of(path: Path) -> str:
    return "\n".join("".join(found.itertext(qn("w:t"))) for found in docx.Document(str(path)).element.iter(qn("w:p")))


@KINDS
@BOTH
def test_every_part_is_well_formed_and_every_relationship_leads_somewhere(
    written: Written, kind: str, language: str
) -> None:
    with ZipFile(written(kind, language)) as archive:
        names = set(archive.namelist())
        for name in names:
            if name.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(name))
        relations = etree.fromstring(archive.read("word/_rels/document.xml.rels"))
        targets = {one.get("Id"): f"word/{one.get('Target')}" for one in relations}
        assert set(targets.values()) <= names
        body = archive.read("word/document.xml").decode()
    assert set(re.findall(r'r:(?:embed|id)="([^"]+)"', body)) <= set(targets)


@BOTH
def test_headings_are_word_s_own_and_numbered_by_word(written: Written, document: Any, language: str) -> None:
    read = docx.Document(str(written(language=language)))
    found = [(int(one.style.name[-1]), one.text) for one in read.paragraphs if one.style.name.startswith("Heading")]
    assert found == [(it.level, it.text) for it in document(language=language).blocks if isinstance(it, Heading)]
    assert read.styles["Heading 1"].element.find(f".//{qn('w:numId')}").get(qn("w:val")) == "1"


@BOTH
def test_links_and_contents_lead_to_places_that_exist(written: Written, language: str) -> None:
    root = docx.Document(str(written(language=language))).element
    places = [one.get(qn("w:name")) for one in root.iter(qn("w:bookmarkStart"))]
    assert len(places) == len(set(places))
    assert {one.get(qn("w:anchor")) for one in root.iter(qn("w:hyperlink"))} <= set(places)
    assert any(" TOC " in (one.text or "") for one in root.iter(qn("w:instrText")))


@BOTH
def test_captions_are_counted_by_fields_from_one_without_a_gap(written: Written, document: Any, language: str) -> None:
    root = docx.Document(str(written(language=language))).element
    fields: dict[str, list[int]] = {}
    for one in root.iter(qn("w:fldSimple")):
        _, name, *_ = one.get(qn("w:instr")).split()
        fields.setdefault(name, []).append(int("".join(one.itertext(qn("w:t")))))
    blocks = document(language=language).blocks
    tables = sum(isinstance(it, Table) for it in blocks)
    figures = sum(isinstance(it, Figure) for it in blocks)
    assert tables
    assert figures
    names = ("表", "图") if language == "zh" else ("Table", "Figure")
    assert fields == {names[0]: list(range(1, tables + 1)), names[1]: list(range(1, figures + 1))}


def test_tables_repeat_their_head_do_not_split_rows_and_fit_the_page(written: Written) -> None:
    read = docx.Document(str(written()))
    room = read.sections[0].page_width - read.sections[0].left_margin - read.sections[0].right_margin
    for table in read.element.iter(qn("w:tbl")):
        rows = list(table.iter(qn("w:tr")))
        assert all(row.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in rows)
        if table.find(f".//{qn('w:tblStyle')}").get(qn("w:val")) == "ReportTable":
            assert rows[0].find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
        columns = [int(one.get(qn("w:w"))) for one in table.iter(qn("w:gridCol"))]
        assert sum(columns) * 635 <= room
        for row in rows:
            spans = [cell.find(f".//{qn('w:gridSpan')}") for cell in row.iter(qn("w:tc"))]
            assert sum(1 if it is None else int(it.get(qn("w:val"))) for it in spans) == len(columns)


def test_pictures_say_what_they_show_and_keep_their_shape(written: Written, document: Any) -> None:
    read = docx.Document(str(written()))
    figures = [it for it in document().blocks if isinstance(it, Figure)]
    told = [one.get("descr") for one in read.element.iter(qn("wp:docPr"))]
    assert told == [it.alternative for it in figures]
    for shape in read.inline_shapes:
        image = read.part.related_parts[shape._inline.graphic.graphicData.pic.blipFill.blip.embed].image
        assert shape.width / shape.height == pytest.approx(image.px_width / image.px_height, rel=0.01)


def test_chinese_type_is_set_on_the_styles(written: Written) -> None:
    read = docx.Document(str(written()))
    fonts = read.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:rFonts')}")
    assert (fonts.get(qn("w:eastAsia")), fonts.get(qn("w:ascii"))) == ("宋体", "Times New Roman")
    for level in (1, 2, 3):
        found = read.styles[f"Heading {level}"].element.find(f".//{qn('w:rFonts')}")
        assert found.get(qn("w:eastAsia")) == "黑体"
    used = {one.get(qn("w:eastAsia")) for one in read.styles.element.iter(qn("w:rFonts"))} - {None}
    with ZipFile(written()) as archive:
        listed = {one.get(qn("w:name")) for one in etree.fromstring(archive.read("word/fontTable.xml"))}
    assert used <= listed


def test_every_style_used_is_defined(written: Written) -> None:
    read = docx.Document(str(written()))
    defined = {one.get(qn("w:styleId")) for one in read.styles.element.iter(qn("w:style"))}
    tags = [qn(f"w:{name}") for name in ("pStyle", "rStyle", "tblStyle")]
    assert {one.get(qn("w:val")) for one in read.element.iter(*tags)} <= defined


@BOTH
def test_properties_head_and_foot_tell_what_report_it_is(written: Written, example: Any, language: str) -> None:
    read = docx.Document(str(written(language=language)))
    properties, campaign = read.core_properties, example().campaign
    assert campaign.plant in properties.title
    assert properties.author == "示例制造有限公司"
    assert properties.identifier == campaign.campaign
    assert properties.created.isoformat() == properties.modified.isoformat() == campaign.ended_utc
    section = read.sections[0]
    assert campaign.campaign in section.header.paragraphs[0].text
    assert section.different_first_page_header_footer
    told = etree.tostring(section.footer._element).decode()
    assert " PAGE " in told
    assert " NUMPAGES " in told


def test_the_cover_names_who_answers_and_what_nobody_stated(written: Written) -> None:
    read = docx.Document(str(written()))
    facts = {row.cells[0].text: row.cells[1].text for row in read.tables[0].rows}
    assert (facts["委托方"], facts["测试地点"], facts["测试机构"]) == ("示例集团", "上海临港", "未载明")
    signatures = {row.cells[0].text: row.cells[1].text for row in read.tables[1].rows[1:]}
    assert signatures == {"测试人员": "张三", "见证人": "", "批准人": "李四"}
    assert "结果仅对所测对象" in text_of(written())


@KINDS
def test_what_a_user_wrote_stays_text(written: Written, kind: str) -> None:
    text = text_of(written(kind))
    assert ("<script>alert(1)</script>]]>&amp;{{7*7}}" in text) == (kind == "hostile")
    assert "\u202e" not in text
    assert ("‹U+202E›" in text) == (kind == "hostile")


def test_the_same_document_is_the_same_bytes(document: Any, tmp_path: Path) -> None:
    made: Document = document()
    first, second = tmp_path / "a.docx", tmp_path / "b.docx"
    for out in (first, second):
        write_document(made, out)
    assert first.read_bytes() == second.read_bytes()
    with ZipFile(first) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
