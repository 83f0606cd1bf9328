"""What a document is made of, before it is anything's file format: headings, paragraphs, tables, figures, numbered.

Every text here is ready to be shown: in one language, on one line, with control and reordering characters spelled out
(:func:`shown`). What writes a document only escapes it for its format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from enum import StrEnum
from typing import NamedTuple

from reports.pictures import Picture
from reports.wording import Said
from reports.wording import say
from reports.wording import visible

_BREAKS = re.compile(r"[ \t\r\n]+")
#: A word that no line can hold, and that costs a page's layout the square of its length; Chinese breaks anywhere.
_ENDLESS = re.compile("[^\\s\u2e80-\U0003ffff]{301,}")
_KEPT = 200  #: characters of such a word


def shown(text: str) -> str:
    """``text`` on one line and without characters that a reader could not see; of an endless word, its beginning."""
    line = visible(_BREAKS.sub(" ", text))
    return _ENDLESS.sub(lambda found: f"{found[0][:_KEPT]}… (+{len(found[0]) - _KEPT})", line)


class Style(StrEnum):
    """How a run of text looks; verdicts have styles of their own, called as they are."""

    PLAIN = ""
    STRONG = "strong"
    ASIDE = "aside"
    CODE = "code"


class Run(NamedTuple):
    """A stretch of text of one look."""

    text: str
    style: str = Style.PLAIN  #: a :class:`Style`, or a verdict's value
    link: str = ""  #: anchor of a heading of this document


Text = tuple[Run, ...]


class Kind(StrEnum):
    """What a paragraph is there for."""

    BODY = "body"
    HEADLINE = "headline"
    QUOTE = "quote"
    NOTE = "note"
    ASIDE = "aside"
    CODE = "code"
    LEAD = "lead"  #: names what follows
    POINT = "point"  #: one of a list


@dataclass(frozen=True)
class Heading:
    """Begins a chapter (level 1), a section or an item."""

    level: int
    text: str
    anchor: str
    number: str = ""  #: such as ``5.2.1``
    listed: bool = True  #: in the table of contents


@dataclass(frozen=True)
class Paragraph:
    """Running text."""

    text: Text
    kind: Kind = Kind.BODY


class Column(NamedTuple):
    """One column of a table."""

    name: str
    share: float  #: of the table's width, relative to the others'
    number: bool = False  #: holds numbers, set flush right


@dataclass(frozen=True)
class Table:
    """A captioned table with one row of headings; a row of one cell spans all columns and heads those below it."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]
    number: int = 0
    tall: bool = False  #: its rows are high, to be written in by hand


@dataclass(frozen=True)
class Facts:
    """Names and what they stand for, side by side."""

    rows: Sequence[tuple[str, Text]]


@dataclass(frozen=True)
class Figure:
    """A captioned picture."""

    picture: Picture
    caption: str
    alternative: str  #: what it shows, for those who do not see it
    number: int = 0


Block = Heading | Paragraph | Table | Facts | Figure


@dataclass(frozen=True)
class Cover:
    """The first page."""

    kind: str
    plant: str
    outcome: Run
    facts: Facts
    signatures: Table
    statements: Sequence[str]


@dataclass(frozen=True)
class Document:
    """A whole report in one language."""

    language: str
    title: str
    subject: str
    author: str
    campaign: str
    producer: str  #: what made it, with its version
    created: str  #: ISO 8601; when the campaign ended: a report has no time of its own
    running: str  #: text at the head of every page
    foot: str  #: text at the foot of every page, beside its number
    fingerprint: str
    cover: Cover
    blocks: Sequence[Block] = field(default_factory=list)

    @property
    def contents(self) -> list[Heading]:
        """The headings that the table of contents lists."""
        return [block for block in self.blocks if isinstance(block, Heading) and block.listed]


class Words:
    """Says things in the language of a document."""

    def __init__(self, language: str) -> None:
        self.language = language

    @property
    def verdict_share(self) -> float:
        """Share of a table's width that a verdict takes, of 18 or so."""
        return 2.4 if self.language == "zh" else 3.3

    def __call__(self, said: Said | str) -> str:
        """A text as it is shown."""
        return shown(said if isinstance(said, str) else said.in_language(self.language))

    def say(self, code: str, **facts: object) -> str:
        """The text ``report.<code>`` of the catalogue."""
        return self(say(code, **facts))

    def text(self, said: Said | str, style: str = Style.PLAIN) -> Text:
        """A text as one run."""
        return (Run(self(said), style),)

    def column(self, code: str, share: float, *, number: bool = False) -> Column:
        """A column called by the text ``report.<code>``."""
        return Column(self.say(code), share, number)

    def around_pages(self) -> tuple[str, str, str]:
        """What stands before, between and after a page's number and the number of pages."""
        before, _, rest = say("document.page-of", page="\n", pages="\r").in_language(self.language).partition("\n")
        between, _, after = rest.partition("\r")
        return before, between, after

    def listed(self, parts: Sequence[str]) -> str:
        """Several things in a row."""
        return ("、" if self.language == "zh" else ", ").join(parts)
