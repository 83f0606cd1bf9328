"""What a document says, resolved as Word resolves it: looks, stories, revisions, fields, pictures, asides."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.oxml.ns import qn
from docx.shared import Pt
from PIL import Image

from reports.forms.document import Document
from reports.forms.media import measure
from reports.forms.reading import read_document
from tests.reports.forms.conftest import png
from tests.reports.forms.conftest import rewritten

_W = nsdecls("w")
_FIELD = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> SEQ 图 </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>3</w:t></w:r>'
    '<w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t> 示意</w:t></w:r>'
)
_RUBY = (
    "<w:r><w:ruby><w:rt><w:r><w:t>han</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>汉</w:t></w:r></w:rubyBase>"
    "</w:ruby></w:r>"
)


def read(document: Any, tmp_path: Path) -> Document:
    path = tmp_path / "read.docx"
    document.save(str(path))
    return read_document(path)


def paragraph(xml: str) -> Any:
    """A document with one paragraph of this content."""
    document = docx.Document()
    document.element.body.insert(0, parse_xml(f"<w:p {nsdecls('w', 'r')}>{xml}</w:p>"))
    return document


@pytest.mark.parametrize(
    ("xml", "shown"),
    [
        ("<w:r><w:t>甲</w:t></w:r><w:del><w:r><w:delText>乙</w:delText></w:r></w:del>", "甲"),
        ("<w:ins><w:r><w:t>甲</w:t></w:r></w:ins>", "甲"),
        ("<w:moveFrom><w:r><w:t>甲</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>乙</w:t></w:r></w:moveTo>", "乙"),
        ("<w:r><w:rPr><w:vanish/></w:rPr><w:t>甲</w:t></w:r><w:r><w:t>乙</w:t></w:r>", "乙"),
        ('<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>甲</w:t></w:r>', "甲"),
        (_FIELD, "3 示意"),
        ('<w:fldSimple w:instr="PAGE"><w:r><w:t>7</w:t></w:r></w:fldSimple>', "7"),
        ("<w:hyperlink><w:r><w:t>甲</w:t></w:r></w:hyperlink>", "甲"),
        ("<w:sdt><w:sdtContent><w:r><w:t>甲</w:t></w:r></w:sdtContent></w:sdt>", "甲"),
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/></w:r>", "a\tb\nc-"),
        (_RUBY, "汉"),
    ],
)
def test_what_is_shown(xml: str, shown: str, tmp_path: Path) -> None:
    assert read(paragraph(xml), tmp_path).paragraphs[0].text == shown


def test_what_is_not_shown_is_kept_for_the_lint(tmp_path: Path) -> None:
    document = paragraph(
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>甲</w:t></w:r><w:del><w:r><w:delText>乙</w:delText></w:r></w:del>"
        '<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>丙</w:instrText><w:fldChar w:fldCharType="end"/></w:r>'
    )
    one = read(document, tmp_path).paragraphs[0]
    assert (one.hidden, one.deleted, one.instructions) == (["甲"], ["乙"], ["丙"])


def test_an_alternative_counts_once(tmp_path: Path) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>框</w:t></w:r></w:p></w:txbxContent>"
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    xml = (
        f"<w:r><mc:AlternateContent {mc}><mc:Choice Requires='wps'><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    boxes = [one.text for one in read(paragraph(xml), tmp_path).paragraphs if one.story == "textbox"]
    assert boxes == ["框"]


def _fonts(**slots: str) -> str:
    return "<w:rFonts " + " ".join(f'w:{slot}="{name}"' for slot, name in slots.items()) + "/>"


def test_a_run_wins_over_its_styles_and_those_over_defaults(tmp_path: Path) -> None:
    document = docx.Document()
    for name, based in (("底", None), ("中", "底")):
        style = document.styles.add_style(name, 1)
        if based:
            style.base_style = document.styles[based]
    document.styles["底"].element.get_or_add_rPr().append(
        parse_xml(f'<w:rFonts {_W} w:eastAsia="仿宋_GB2312" w:ascii="Arial"/>')
    )
    document.styles["中"].font.size = Pt(16)
    character = document.styles.add_style("字", 2)
    character.element.get_or_add_rPr().append(parse_xml(f'<w:rFonts {_W} w:eastAsia="黑体"/>'))
    one = document.add_paragraph(style="中")
    one.add_run("甲")
    one.add_run("乙", style="字")
    run = one.add_run("丙")
    run.font.size = Pt(9)
    run._r.get_or_add_rPr().append(parse_xml(f'<w:rFonts {_W} w:eastAsia="楷体" w:eastAsiaTheme="minorEastAsia"/>'))
    looks = [(piece.look.asian, piece.look.half_points) for piece in read(document, tmp_path).paragraphs[-1].pieces]
    assert looks[:2] == [("仿宋_GB2312", 32), ("黑体", 32)]
    assert looks[2][0] not in ("楷体", "黑体")  # the theme's font goes before the name beside it
    assert looks[2][1] == 18


def test_a_size_with_its_unit_is_in_points(tmp_path: Path) -> None:
    one = read(paragraph('<w:r><w:rPr><w:sz w:val="16pt"/></w:rPr><w:t>字</w:t></w:r>'), tmp_path).paragraphs[0]
    assert one.pieces[0].look.half_points == 32


@pytest.mark.parametrize("hidden", ["run", "drawing"])
def test_a_picture_that_is_not_shown_does_not_count(hidden: str, tmp_path: Path) -> None:
    document = docx.Document()
    run = document.add_paragraph().add_run()
    picture = run.add_picture(BytesIO(png()))
    if hidden == "run":
        run.font.hidden = True
    else:
        picture._inline.docPr.set("hidden", "1")
    found = read(document, tmp_path)
    assert found.pictures == []
    assert len(found.media) == 1


def test_a_ring_of_styles_is_cut(tmp_path: Path) -> None:
    document = docx.Document()
    one, other = (document.styles.add_style(name, 1) for name in "甲乙")
    one.base_style, other.base_style = other, one
    document.add_paragraph("字", style="甲")
    assert read(document, tmp_path).paragraphs[-1].text == "字"


@pytest.mark.parametrize(
    ("xml", "line", "rule"),
    [
        ('<w:spacing w:line="540" w:lineRule="exact"/>', 540, "exact"),
        ('<w:spacing w:line="27pt" w:lineRule="exact"/>', 540, "exact"),
        ('<w:spacing w:line="540"/>', 540, "auto"),
        ('<w:spacing w:line="oops" w:lineRule="exact"/>', 240, "exact"),
    ],
)
def test_the_distance_of_lines(xml: str, line: int, rule: str, tmp_path: Path) -> None:
    document = docx.Document()
    document.styles.element.find(qn("w:docDefaults")).find(qn("w:pPrDefault")).clear()
    document.element.body.insert(0, parse_xml(f"<w:p {_W}><w:pPr>{xml}</w:pPr><w:r><w:t>字</w:t></w:r></w:p>"))
    spacing = read(document, tmp_path).paragraphs[0].spacing
    assert (spacing.line, spacing.rule) == (line, rule)


def test_the_strict_variant_of_the_format_is_read_too(tmp_path: Path) -> None:
    docx.Document().save(str(tmp_path / "a.docx"))
    document = docx.Document()
    document.add_paragraph("严格")
    document.save(str(tmp_path / "a.docx"))
    strict = (
        (b"http://schemas.openxmlformats.org/wordprocessingml/2006/main", b"http://purl.oclc.org/ooxml/wordprocessingml/main"),
        (b"http://schemas.openxmlformats.org/officeDocument/2006/relationships", b"http://purl.oclc.org/ooxml/officeDocument/relationships"),
    )  # fmt: skip

    def change(name: str, content: bytes) -> bytes:
        for usual, other in strict:
            content = content.replace(usual, other) if name.startswith("word/") else content
        return content

    found = read_document(rewritten(tmp_path / "a.docx", tmp_path / "b.docx", change))
    assert [one.text for one in found.paragraphs] == ["严格"]


def test_asides_of_all_kinds_are_found(tmp_path: Path) -> None:
    document = docx.Document()
    document.core_properties.author = "某人"
    document.sections[0].header.paragraphs[0].text = "页眉"
    document.part.relate_to("file:///C:/Users/someone/a.docx", "http://x/hyperlink", is_external=True)
    picture = document.add_paragraph().add_run().add_picture(BytesIO(png()))
    picture._inline.docPr.set("descr", "替代文字")
    document.add_comment(document.paragraphs[0].runs, text="批注", author="另一人")
    found = read(document, tmp_path)
    texts = {aside.text for aside in found.asides}
    assert {"某人", "页眉", "替代文字", "批注", "另一人"} <= texts
    assert found.outside == ["file:///C:/Users/someone/a.docx"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF"])
def test_pixels_are_read_from_the_header(kind: str) -> None:
    held = BytesIO()
    Image.new("RGB", (321, 123)).save(held, kind)
    medium = measure("a", [held.getvalue()])
    assert (medium.format, medium.width, medium.height) == (kind, 321, 123)
    assert medium.size == len(held.getvalue())


def test_a_metafile_has_no_pixels() -> None:
    emf = struct.pack("<II", 1, 88) + bytes(32) + b" EMF" + bytes(44)
    medium = measure("a", [emf])
    assert (medium.format, medium.pixels) == ("EMF", None)


def test_where_a_photograph_was_taken_is_found() -> None:
    held, exif = BytesIO(), Image.Exif()
    exif[0x010F] = "CameraMaker"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (8, 8)).save(held, "JPEG", exif=exif)
    medium = measure("a", [held.getvalue()])
    assert medium.position
    assert any("CameraMaker" in text for text in medium.metadata)


def test_texts_in_a_png_are_found_packed_or_not(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    held, info = BytesIO(), PngInfo()
    info.add_text("Author", "somebody")
    info.add_text("Note", "192.0.2.1 and more" * 20, zip=True)
    Image.new("RGB", (8, 8)).save(held, "PNG", pnginfo=info)
    texts = " ".join(measure("a", [held.getvalue()]).metadata)
    assert "somebody" in texts
    assert "192.0.2.1" in texts


@pytest.mark.parametrize(
    "junk", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"BM", b"II*\0" + b"\xff" * 4, b"GIF89a"]
)
def test_a_picture_that_is_cut_off_has_no_pixels(junk: bytes) -> None:
    assert measure("a", [junk]).pixels is None
