"""Writes blocks as a DOCX file in the type that the form asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from reports.forms.annex.blocks import Block
from reports.forms.annex.weight import heavy_png

_FONT = "仿宋_GB2312"
_POINTS = 16  # 三号
_LINE = 27  # points
_PIXELS = (3584, 2240)  # 8,028,160
_BYTES = 5 << 20
_PICTURE_CM = 15.4
_TABLE_POINTS = 10.5  # of tables that are forms by themselves, whose type is not prescribed
_UNWANTED = ("thumbnail", "customXml")
_BEFORE = ("w:clrSchemeMapping", "w:themeFontLang")  # what precedes the setting in the schema's order


def write_docx(
    blocks: Sequence[Block], out: Path, *, title: str, identifier: str, ended: str, wide: bool = False
) -> None:
    """Write ``blocks`` to ``out``.

    Args:
        blocks: in order.
        out: replaced.
        title: for the file's properties, like ``identifier``, the bundle's fingerprint.
        identifier: see there.
        ended: end of the campaign, ISO 8601: the time that the file bears.
        wide: landscape and small type, for tables that are forms by themselves.
    """
    import docx

    document = docx.Document()
    _page(document, wide=wide)
    _styles(document, _TABLE_POINTS if wide else _POINTS, None if wide else _LINE)
    _settings(document)
    for block in blocks:
        _WRITERS[block.kind](document, block)
    _properties(document, title, identifier, ended)
    document.save(str(out))


def _title(document: Any, block: Block) -> None:  # noqa: ANN401 - python-docx has no types
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    document.add_paragraph(block.text, "Title").alignment = WD_ALIGN_PARAGRAPH.CENTER


def _part(document: Any, block: Block) -> None:  # noqa: ANN401
    document.add_paragraph(block.text, "Heading 1")


def _section(document: Any, block: Block) -> None:  # noqa: ANN401
    document.add_paragraph(block.text, "Heading 2")


def _text(document: Any, block: Block) -> None:  # noqa: ANN401
    paragraph = document.add_paragraph(block.text)
    paragraph.paragraph_format.first_line_indent = document.styles["Normal"].font.size * 2


def _caption(document: Any, block: Block) -> None:  # noqa: ANN401
    document.add_paragraph(block.text, "Caption")


def _picture(document: Any, block: Block) -> None:  # noqa: ANN401
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.enum.text import WD_LINE_SPACING
    from docx.shared import Cm

    if block.picture is None:
        return
    drawn = block.picture.png("zh", width_px=_PIXELS[0], height_px=_PIXELS[1])
    paragraph = document.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
    paragraph.paragraph_format.keep_with_next = True
    shape = paragraph.add_run().add_picture(BytesIO(heavy_png(drawn, _BYTES)), width=Cm(_PICTURE_CM))
    shape._inline.docPr.set("descr", block.picture.title.zh)  # noqa: SLF001 - the only way to the alternative text


def _table(document: Any, block: Block) -> None:  # noqa: ANN401
    table = document.add_table(rows=0, cols=len(block.rows[0]))
    table.style = "Table Grid"
    for row in block.rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    section = document.sections[0]
    room, whole = section.page_width - section.left_margin - section.right_margin, sum(block.widths)
    for column, share in zip(table.columns, block.widths, strict=False):
        column.width = room * share // whole
        for cell in column.cells:
            cell.width = column.width


_WRITERS = {
    "title": _title, "part": _part, "section": _section, "text": _text, "caption": _caption, "picture": _picture,
    "table": _table,
}  # fmt: skip


def _page(document: Any, *, wide: bool) -> None:  # noqa: ANN401
    from docx.enum.section import WD_ORIENT
    from docx.shared import Cm

    section = document.sections[0]
    section.page_width, section.page_height = (Cm(29.7), Cm(21)) if wide else (Cm(21), Cm(29.7))
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Cm(2.6))


def _styles(document: Any, points: float, line: float | None) -> None:  # noqa: ANN401
    """One font, size and distance of lines in all styles; headings are bold, nothing else is."""
    from docx.enum.text import WD_LINE_SPACING
    from docx.oxml.ns import qn
    from docx.shared import Pt
    from docx.shared import RGBColor

    for name in ("Normal", "Title", "Heading 1", "Heading 2", "Caption"):
        style = document.styles[name]
        properties = style.element.get_or_add_rPr()
        for child in list(properties):
            properties.remove(child)
        style.font.name = _FONT
        for slot in ("w:eastAsia", "w:hAnsi", "w:cs"):
            properties.rFonts.set(qn(slot), _FONT)
        style.font.size = Pt(points)
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.font.bold = name not in ("Normal", "Caption")
        shape = style.paragraph_format
        shape.space_before = shape.space_after = Pt(2 if line is None else 0)
        if line is None:
            shape.line_spacing_rule = WD_LINE_SPACING.SINGLE
        else:
            shape.line_spacing = Pt(line)
            shape.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        if (border := style.element.pPr.find(qn("w:pBdr"))) is not None:
            style.element.pPr.remove(border)


def _settings(document: Any) -> None:  # noqa: ANN401
    """Word is not to compress pictures when it saves: they would be smaller than the form asks for."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    root = document.settings.element
    setting = OxmlElement("w:doNotAutoCompressPictures")
    before = next((found for tag in _BEFORE if (found := root.find(qn(tag))) is not None), None)
    if before is None:
        root.append(setting)
    else:
        before.addnext(setting)


def _properties(document: Any, title: str, identifier: str, ended: str) -> None:  # noqa: ANN401
    """Properties without any person, and none of the template's own parts."""
    properties = document.core_properties
    properties.author = properties.last_modified_by = "plantproof"
    properties.title, properties.identifier, properties.comments = title, identifier, ""
    try:
        moment = datetime.fromisoformat(ended).astimezone(UTC).replace(tzinfo=None, microsecond=0)
        properties.created = properties.modified = moment
    except (ValueError, OverflowError):
        pass  # another version's bundle may write it otherwise; the template's date stays
    for holder in (document.part.package, document.part):
        for id, relation in list(holder.rels.items()):
            if relation.reltype.rpartition("/")[2] in _UNWANTED:
                del holder.rels[id]
