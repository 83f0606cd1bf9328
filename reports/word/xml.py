"""WordprocessingML (ISO/IEC 29500-1) as text: runs, paragraphs, tables, fields and pictures, escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Sequence
from xml.sax.saxutils import escape
from xml.sax.saxutils import quoteattr

from reports.document.blocks import Run
from reports.document.blocks import Style
from reports.document.blocks import Text

#: Text width of the page, twentieths of a point: A4 (11,906) less two margins.
TEXT_WIDTH = 9_354
_EMU_PER_TWIP = 635

_EAST_ASIAN = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
_STYLES: dict[str, str] = {Style.STRONG: "Strong", Style.ASIDE: "AsideText", Style.CODE: "CodeText"}

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
TAB = "<w:r><w:tab/></w:r>"
NAMESPACES = " ".join(
    f'xmlns:{prefix}="http://schemas.openxmlformats.org/{name}/2006/{part}"'
    for prefix, name, part in (
        ("w", "wordprocessingml", "main"),
        ("r", "officeDocument", "relationships"),
        ("wp", "drawingml", "wordprocessingDrawing"),
        ("a", "drawingml", "main"),
        ("pic", "drawingml", "picture"),
    )
)


def run(one: Run) -> str:
    """A run; where it holds Chinese, quotation marks and dashes are set in the Chinese type too."""
    style = _STYLES.get(one.style) or (f"Verdict-{one.style}" if one.style else "")
    look = f'<w:rStyle w:val="{style}"/>' if style else ""
    if _EAST_ASIAN.search(one.text):
        look += '<w:rFonts w:hint="eastAsia"/>'
    properties = f"<w:rPr>{look}</w:rPr>" if look else ""
    told = f'<w:r>{properties}<w:t xml:space="preserve">{escape(one.text)}</w:t></w:r>'
    return f'<w:hyperlink w:anchor="{escape(one.link)}" w:history="1">{told}</w:hyperlink>' if one.link else told


def runs(text: Text) -> str:
    """All runs of a text."""
    return "".join(map(run, text))


def paragraph(style: str, content: str, more: str = "") -> str:
    """A paragraph; ``content`` and ``more`` (further properties) are markup."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>{content}</w:p>'


def bookmarked(number: int, name: str, content: str) -> str:
    """``content`` as the place ``name``."""
    return f'<w:bookmarkStart w:id="{number}" w:name={quoteattr(name)}/>{content}<w:bookmarkEnd w:id="{number}"/>'


def field(instruction: str, shown: str) -> str:
    """A field with the result that it has until a word processor computes it."""
    told = f'<w:r><w:t xml:space="preserve">{escape(shown)}</w:t></w:r>'
    return f"<w:fldSimple w:instr={quoteattr(f' {instruction} ')}>{told}</w:fldSimple>"


def row(cells: Iterable[str], *, heading: bool = False, height: int = 0) -> str:
    """A table row, which is not split between pages; ``height`` in twentieths of a point is the least."""
    properties = "<w:cantSplit/>" + (f'<w:trHeight w:val="{height}"/>' if height else "")
    properties += "<w:tblHeader/>" if heading else ""
    return f"<w:tr><w:trPr>{properties}</w:trPr>{''.join(cells)}</w:tr>"


def cell(width: int, content: str, *, span: int = 1, middle: bool = False) -> str:
    """A table cell that holds paragraphs."""
    properties = f'<w:tcW w:w="{width}" w:type="dxa"/>' + (f'<w:gridSpan w:val="{span}"/>' if span > 1 else "")
    properties += '<w:vAlign w:val="center"/>' if middle else ""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def table_start(style: str, widths: Sequence[int], title: str) -> str:
    """What comes before the rows of a table; ``title`` is for those who do not see it."""
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    first = "1" if style == "ReportTable" else "0"
    caption = f"<w:tblCaption w:val={quoteattr(title)}/>" if title else ""
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
        f'<w:tblLayout w:type="fixed"/>'
        f'<w:tblLook w:val="0020" w:firstRow="{first}" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" w:noHBand="1"'
        f' w:noVBand="1"/>{caption}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
    )


def widths(shares: Sequence[float]) -> list[int]:
    """Column widths that fill the page in proportion to ``shares``."""
    whole = sum(shares)
    found = [int(TEXT_WIDTH * share / whole) for share in shares]
    return [*found[:-1], TEXT_WIDTH - sum(found[:-1])]


def picture(number: int, relation: str, alternative: str, width: int, height: int) -> str:
    """A picture in a line of text, with its alternative text.

    Args:
        number: unique in the document.
        relation: id of the relationship to the file.
        alternative: what it shows.
        width: twentieths of a point.
        height: twentieths of a point.
    """
    size = f'cx="{width * _EMU_PER_TWIP}" cy="{height * _EMU_PER_TWIP}"'
    name = f'id="{number}" name="Picture {number}" descr={quoteattr(alternative)}'
    return (
        f'<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent {size}/><wp:docPr {name}/>'
        '<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
        f"<pic:nvPicPr><pic:cNvPr {name}/><pic:cNvPicPr/></pic:nvPicPr>"
        f'<pic:blipFill><a:blip r:embed="{relation}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        "</pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )
