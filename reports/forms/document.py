"""A document as rules see it: paragraphs with their looks, pictures, tables, and what lies beside."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Literal
from typing import NamedTuple

from reports.forms.media import Medium
from reports.forms.styles import Look
from reports.forms.styles import Spacing

#: Where a paragraph stands; Word's count has the first two always, the others if it is told to.
Story = Literal["body", "table", "textbox", "footnote", "endnote"]


class Piece(NamedTuple):
    """Some text of one look."""

    text: str
    look: Look


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture where it is placed."""

    medium: Medium | None  #: ``None`` if it is only linked, or the file is missing
    paragraph: int  #: number of its paragraph
    inline: bool  #: placed in a line of text, and thus within the height of that line
    cut: bool  #: only a part of it is shown
    target: str = ""  #: where a linked picture is


@dataclass(slots=True)
class Paragraph:
    """One paragraph."""

    number: int  #: in the order of the document, from 1
    story: Story
    style: str  #: name of its style, in lower case
    outline: int | None  #: level of the heading that it is, from 0
    spacing: Spacing
    pieces: list[Piece] = field(default_factory=list)
    pictures: list[Placed] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)  #: text that is there and is not shown
    deleted: list[str] = field(default_factory=list)  #: tracked deletions
    instructions: list[str] = field(default_factory=list)  #: of fields

    @property
    def text(self) -> str:
        """The text that is shown."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def start(self) -> str:
        """The first characters, to find it by."""
        text = " ".join(self.text.split())
        return text if len(text) <= 24 else f"{text[:24]}…"

    @property
    def is_heading(self) -> bool:
        """Whether its style or its own outline level makes it a heading."""
        return self.outline is not None or self.style in ("title", "subtitle")

    @property
    def in_contents(self) -> bool:
        """Whether it is a line of a table of contents."""
        return self.style.startswith("toc")


class Cell(NamedTuple):
    """One cell of a table."""

    text: str
    paragraph: int  #: number of its first paragraph, 0 if it has none


#: Rows of cells. Merged cells are one cell.
Table = list[list[Cell]]


class Aside(NamedTuple):
    """A text that is in the file and not on the page: metadata, alternative texts, comments, names of authors."""

    where: str  #: part and kind
    text: str


@dataclass(slots=True)
class Document:
    """A whole document."""

    file: str
    paragraphs: list[Paragraph] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)  #: parts whose content is not looked into
    outside: list[str] = field(default_factory=list)  #: targets outside the file
    formal: dict[str, list[str]] = field(default_factory=dict)  #: by part: all its values, those of the format too
    main: str = ""  #: name of the part that the paragraphs are of
    media: list[Medium] = field(default_factory=list)  #: every picture file, placed or not

    @property
    def pictures(self) -> list[Placed]:
        """All pictures in the body, in order."""
        return [picture for paragraph in self.paragraphs for picture in paragraph.pictures]
