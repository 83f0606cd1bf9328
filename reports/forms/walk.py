"""Walks through the body of a document as a reader does: what is shown, in the order in which it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from typing import cast

from reports.forms.document import Cell
from reports.forms.document import Document
from reports.forms.document import Paragraph
from reports.forms.document import Piece
from reports.forms.document import Placed
from reports.forms.document import Story
from reports.forms.document import Table
from reports.forms.markup import Element
from reports.forms.markup import q
from reports.forms.media import Medium
from reports.forms.styles import Styles
from reports.forms.styles import is_on


class Pictures(Protocol):
    """Finds pictures by the relationship ids of a part."""

    def medium(self, id: str) -> Medium | None:
        """The picture file inside the document."""

    def target(self, id: str) -> str:
        """Where a picture outside is; empty if it is inside."""


_TRANSPARENT = frozenset(
    q(name)
    for name in (
        "w:ins", "w:moveTo", "w:hyperlink", "w:smartTag", "w:sdt", "w:sdtContent", "w:fldSimple", "w:customXml",
        "w:bdo", "w:dir", "m:oMath", "m:oMathPara",
    )
)  # fmt: skip
_DELETED = frozenset(map(q, ["w:del", "w:moveFrom"]))
_AS_TEXT = {q("w:tab"): "\t", q("w:ptab"): "\t", q("w:br"): "\n", q("w:cr"): "\n", q("w:noBreakHyphen"): "-",
            q("w:sym"): "*"}  # fmt: skip
_UNCUT = (None, "0", "0f", "0%")
_DRAWN = frozenset(map(q, ["w:drawing", "w:pict", "w:object"]))


class Walk:
    """Adds paragraphs, tables and pictures to a document."""

    def __init__(self, document: Document, styles: Styles, pictures: Pictures) -> None:
        self.document = document
        self.styles = styles
        self._pictures = pictures
        self._fields: list[bool] = []  # one for each open field: whether its result has begun
        self._table = ""  # style of the table that is walked through

    def blocks(self, parent: Element, story: str = "body") -> None:
        """Everything in a body, a cell, a note or a text box."""
        for child in parent:
            if child.tag == q("w:p"):
                self._paragraph(child, cast("Story", story))
            elif child.tag == q("w:tbl"):
                self._table_of(child, story)
            elif child.tag == q("mc:AlternateContent"):
                self._chosen(child, lambda chosen: self.blocks(chosen, story))
            elif child.tag == q("w:altChunk"):
                self.document.unread.append("altChunk")
            elif child.tag in _TRANSPARENT:
                self.blocks(child, story)

    def _table_of(self, element: Element, story: str) -> None:
        outer, table = self._table, cast("Table", [])
        self.document.tables.append(table)
        style = element.find(f"{q('w:tblPr')}/{q('w:tblStyle')}")
        self._table = "" if style is None else style.get(q("w:val"), "")
        for row in _through(element, "w:tr"):
            cells = []
            for cell in _through(row, "w:tc"):
                first = len(self.document.paragraphs)
                self.blocks(cell, "table" if story == "body" else story)
                inside = self.document.paragraphs[first:]
                text = "\n".join(paragraph.text for paragraph in inside)
                cells.append(Cell(text, inside[0].number if inside else 0))
            table.append(cells)
        self._table = outer

    def _chosen(self, alternatives: Element, go: Callable[[Element], None]) -> None:
        """Of alternatives for newer and older programs only the first is walked through, or all would count twice."""
        chosen = alternatives.find(q("mc:Choice"))
        chosen = alternatives.find(q("mc:Fallback")) if chosen is None else chosen
        if chosen is not None:
            go(chosen)

    def _paragraph(self, element: Element, story: Story) -> None:
        properties = element.find(q("w:pPr"))
        style = _value(properties, "w:pStyle")
        own = _value(properties, "w:outlineLvl")
        outline = int(own) if own.isdigit() and len(own) == 1 and int(own) < 9 else None
        paragraph = Paragraph(
            number=len(self.document.paragraphs) + 1,
            story=story,
            style=self.styles.name(style),
            outline=self.styles.outline(style) if outline is None else outline,
            spacing=self.styles.spacing(properties, style, self._table),
        )
        self.document.paragraphs.append(paragraph)
        self._inline(element, paragraph, style)

    def _inline(self, parent: Element, paragraph: Paragraph, style: str) -> None:
        for child in parent:
            if child.tag == q("w:r"):
                self._run(child, paragraph, style)
            elif child.tag == q("m:r"):
                self._mathematics(child, paragraph, style)
            elif child.tag in _TRANSPARENT or (isinstance(child.tag, str) and child.tag.startswith(q("m:")[:-1])):
                self._inline(child, paragraph, style)
            elif child.tag in _DELETED:
                texts = (node.text or "" for tag in ("w:delText", "w:t") for node in child.iter(q(tag)))
                paragraph.deleted.append("".join(texts))
            elif child.tag == q("mc:AlternateContent"):
                self._chosen(child, lambda chosen: self._inline(chosen, paragraph, style))

    def _mathematics(self, run: Element, paragraph: Paragraph, style: str) -> None:
        text = "".join(node.text or "" for node in run.iter(q("m:t")))
        self._add(text, run.find(q("w:rPr")), paragraph, style)

    def _run(self, run: Element, paragraph: Paragraph, style: str) -> None:
        self._content(run, run.find(q("w:rPr")), paragraph, style)

    def _content(self, parent: Element, look: Element | None, paragraph: Paragraph, style: str) -> None:
        for child in parent:
            if child.tag == q("w:t"):
                self._add(child.text or "", look, paragraph, style)
            elif child.tag in _AS_TEXT:
                self._add(_AS_TEXT[child.tag], look, paragraph, style)
            elif child.tag == q("w:fldChar"):
                self._field(child.get(q("w:fldCharType"), ""))
            elif child.tag == q("w:instrText"):
                paragraph.instructions.append(child.text or "")
            elif child.tag == q("w:delText"):
                paragraph.deleted.append(child.text or "")
            elif child.tag in _DRAWN:
                if not self.styles.look(look, style, self._table).hidden:
                    self._drawn(child, paragraph)
            elif child.tag == q("w:ruby"):
                for base in child.iterchildren(q("w:rubyBase")):
                    self._inline(base, paragraph, style)
            elif child.tag == q("mc:AlternateContent"):
                self._chosen(child, lambda chosen: self._content(chosen, look, paragraph, style))

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _add(self, text: str, look: Element | None, paragraph: Paragraph, style: str) -> None:
        if not all(self._fields):  # between a field's begin and its result stands its instruction
            paragraph.instructions.append(text)
            return
        worked_out = self.styles.look(look, style, self._table)
        if worked_out.hidden:
            paragraph.hidden.append(text)
        else:
            paragraph.pieces.append(Piece(text, worked_out))

    def _drawn(self, element: Element, paragraph: Paragraph) -> None:
        """Pictures and text boxes of a drawing, of VML or of an embedded object, in their order."""
        if any(is_on(named.get("hidden", "0")) for named in element.iterfind(f"*/{q('wp:docPr')}")):
            return
        inline = element.tag == q("w:object") or element.find(q("wp:inline")) is not None
        if element.tag == q("w:pict"):
            inline = not any("position:absolute" in shape.get("style", "").replace(" ", "") for shape in element)
        self._inside(element, paragraph, inline)

    def _inside(self, element: Element, paragraph: Paragraph, inline: bool) -> None:
        for child in element:
            if child.tag == q("mc:AlternateContent"):
                self._chosen(child, lambda chosen: self._inside(chosen, paragraph, inline))
            elif child.tag == q("w:txbxContent"):
                table, self._table = self._table, ""
                self.blocks(child, "textbox")
                self._table = table
            elif child.tag == q("pic:blipFill"):
                self._picture(child, paragraph, inline)
            elif child.tag == q("v:imagedata"):
                cut = any(child.get(f"crop{side}") not in _UNCUT for side in ("left", "right", "top", "bottom"))
                self._place(child.get(q("r:id"), child.get("src", "")), paragraph, inline, cut)
            else:
                self._inside(child, paragraph, inline)

    def _picture(self, fill: Element, paragraph: Paragraph, inline: bool) -> None:
        blip, shown = fill.find(q("a:blip")), fill.find(q("a:srcRect"))
        cut = shown is not None and any((shown.get(side) or "0") not in ("0", "0%") for side in "ltrb")
        if blip is not None:
            self._place(blip.get(q("r:embed")) or blip.get(q("r:link"), ""), paragraph, inline, cut)

    def _place(self, id: str, paragraph: Paragraph, inline: bool, cut: bool) -> None:
        target = self._pictures.target(id)
        medium = None if target else self._pictures.medium(id)
        paragraph.pictures.append(Placed(medium, paragraph.number, inline, cut, target))


def _through(parent: Element, tag: str) -> list[Element]:
    """Children of this kind, also those within content controls and tracked insertions."""
    found = []
    for child in parent:
        if child.tag == q(tag):
            found.append(child)
        elif child.tag in _TRANSPARENT:
            found += _through(child, tag)
    return found


def _value(properties: Element | None, tag: str) -> str:
    child = None if properties is None else properties.find(q(tag))
    return "" if child is None else child.get(q("w:val"), "")
