"""The text of a Word document, piece by piece: nothing of it is held in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from reports.document.blocks import Block
from reports.document.blocks import Cover
from reports.document.blocks import Document
from reports.document.blocks import Facts
from reports.document.blocks import Figure
from reports.document.blocks import Heading
from reports.document.blocks import Kind
from reports.document.blocks import Paragraph
from reports.document.blocks import Run
from reports.document.blocks import Table
from reports.document.blocks import Text
from reports.document.blocks import Words
from reports.word import xml

#: Size of pictures, pixels, and their width on the page, twentieths of a point: 225 pixels per inch.
PIXELS = (1_440, 900)
_PICTURE_WIDTH = 9_200
_LABEL = 2_100  #: width of the names beside facts
_HAND = 760  #: height of a row to be written in by hand
_STYLES = {
    Kind.BODY: "Normal",
    Kind.HEADLINE: "Headline",
    Kind.QUOTE: "Quote",
    Kind.NOTE: "Note",
    Kind.ASIDE: "Aside",
    Kind.CODE: "Code",
    Kind.LEAD: "Lead",
    Kind.POINT: "ListBullet",
}
_AFTER_TABLE = xml.paragraph("AfterTable", "")  # two tables without a paragraph between them would be one


def body(document: Document) -> Iterator[str]:
    """The parts of ``word/document.xml``, in order."""
    words = Words(document.language)
    yield f"{xml.HEAD}<w:document {xml.NAMESPACES}><w:body>"
    yield from _cover(document.cover)
    yield from _contents(document, words)
    for number, block in enumerate(document.blocks, 1):
        yield from _block(number, block, words)
    yield _section()
    yield "</w:body></w:document>"


def relation_of(figure: Figure) -> str:
    """Id of the relationship between the document and a figure's file."""
    return f"figure{figure.number}"


def _block(number: int, block: Block, words: Words) -> Iterator[str]:
    match block:
        case Heading():
            told = xml.bookmarked(number, block.anchor, xml.run(Run(block.text)))
            yield xml.paragraph(f"Heading{block.level}", told, _new_page(block))
        case Paragraph():
            yield xml.paragraph(_STYLES[block.kind], xml.runs(block.text))
        case Facts():
            yield from _facts(block)
        case Table():
            yield from _table(block, words)
        case Figure():
            height = _PICTURE_WIDTH * PIXELS[1] // PIXELS[0]
            drawn = xml.picture(number, relation_of(block), block.alternative, _PICTURE_WIDTH, height)
            yield xml.paragraph("Figure", drawn)
            yield _caption("FigureCaption", words.say("document.figure"), block.number, block.caption)


def _new_page(block: Heading) -> str:
    """The first chapter begins a page, below the table of contents."""
    return "<w:pageBreakBefore/>" if block.number == "1" else ""


def _caption(style: str, label: str, number: int, text: str) -> str:
    """``表 1  ...``, counted by a field, so that a table somebody inserts is counted too."""
    counted = xml.field(f"SEQ {label} \\* ARABIC", str(number))
    return xml.paragraph(style, f"{xml.run(Run(f'{label} '))}{counted}{xml.run(Run(f'  {text}'))}")


def _table(table: Table, words: Words) -> Iterator[str]:
    if table.caption:
        yield _caption("Caption", words.say("document.table"), table.number, table.caption)
    yield from _grid(table, "FormTable" if table.tall else "ReportTable")
    yield _AFTER_TABLE


def _grid(table: Table, style: str) -> Iterator[str]:
    widths = xml.widths([column.share for column in table.columns])
    yield xml.table_start(style, widths, table.caption)
    heads = zip(widths, table.columns, strict=True)
    yield xml.row(
        (
            xml.cell(width, xml.paragraph("TableHeadNumber" if it.number else "TableHead", xml.run(Run(it.name))))
            for width, it in heads
        ),
        heading=True,
    )
    for line in table.rows:
        if len(line) == 1 < len(widths):
            group = xml.cell(sum(widths), xml.paragraph("TableGroup", xml.runs(line[0])), span=len(widths))
            yield xml.row([group])
            continue
        cells = zip(widths, table.columns, line, strict=True)
        yield xml.row(
            (_cell(width, text, it.number, table.tall) for width, it, text in cells), height=_HAND * table.tall
        )
    yield "</w:tbl>"


def _cell(width: int, text: Text, number: bool, middle: bool) -> str:
    return xml.cell(width, xml.paragraph("TableNumber" if number else "TableText", xml.runs(text)), middle=middle)


def _facts(facts: Facts) -> Iterator[str]:
    widths = [_LABEL, xml.TEXT_WIDTH - _LABEL]
    yield xml.table_start("FactTable", widths, "")
    for name, text in facts.rows:
        label = xml.paragraph("TableText", xml.run(Run(name, "aside")))
        yield xml.row([xml.cell(widths[0], label), xml.cell(widths[1], xml.paragraph("TableText", xml.runs(text)))])
    yield "</w:tbl>"
    yield _AFTER_TABLE


def _cover(cover: Cover) -> Iterator[str]:
    yield xml.paragraph("Subtitle", xml.run(Run(cover.kind)))
    yield xml.paragraph("Title", xml.run(Run(cover.plant)))
    yield xml.paragraph("CoverOutcome", xml.run(cover.outcome))
    yield from _facts(cover.facts)
    yield xml.paragraph("Aside", "")
    yield from _grid(cover.signatures, "FormTable")
    yield _AFTER_TABLE
    for statement in cover.statements:
        yield xml.paragraph("Statement", xml.run(Run(statement)))


def _contents(document: Document, words: Words) -> Iterator[str]:
    """The table of contents: a field, whose entries lead to their places; Word puts in the page numbers on opening."""
    yield xml.paragraph("TOCHeading", xml.run(Run(words.say("page.contents"))))
    listed = document.contents
    levels = max((heading.level for heading in listed), default=1)
    start = (
        '<w:r><w:fldChar w:fldCharType="begin" w:dirty="true"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> TOC \\o "1-{levels}" \\h \\z \\u </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )
    for heading in listed:
        entry = xml.run(Run(f"{heading.number} {heading.text}", link=heading.anchor))
        yield xml.paragraph(f"TOC{heading.level}", start + entry)
        start = ""
    yield xml.paragraph("Normal", f'{start}<w:r><w:fldChar w:fldCharType="end"/></w:r>')


def _section() -> str:
    """A4 upright; the cover has neither head nor foot."""
    return (
        '<w:sectPr><w:headerReference w:type="default" r:id="header"/>'
        '<w:footerReference w:type="default" r:id="footer"/>'
        '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1418" w:right="1276" w:bottom="1304" w:left="1276"'
        ' w:header="737" w:footer="624" w:gutter="0"/><w:cols w:space="720"/><w:titlePg/></w:sectPr>'
    )
