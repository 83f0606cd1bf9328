"""A summary in Markdown, for a merge request or a mail: readable as it is, and rendered by GitHub and GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from unicodedata import east_asian_width

from reports.bundle import Bundle
from reports.document.blocks import Block
from reports.document.blocks import Document
from reports.document.blocks import Facts
from reports.document.blocks import Figure
from reports.document.blocks import Heading
from reports.document.blocks import Kind
from reports.document.blocks import Paragraph
from reports.document.blocks import Run
from reports.document.blocks import Style
from reports.document.blocks import Table
from reports.document.blocks import Text
from reports.document.compose import summary
from reports.markdown import escape

_WIDE = 60  #: half-width characters up to which a column is padded, so that a table also reads as text


def write_report(bundle: Bundle, out: Path, language: str) -> None:
    """Write a summary of ``bundle`` to ``out`` as Markdown, in UTF-8.

    Raises:
        OSError: if it cannot be written.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    out.write_text(render(summary(bundle, language)), encoding="utf-8")


def render(made: Document) -> str:
    """``made`` as Markdown; pictures are left out."""
    cover = made.cover
    head = [
        f"# {escape.text(f'{cover.kind} {cover.plant}')}",
        f"**{escape.text(cover.outcome.text)}**",
        "\n".join([*_facts(cover.facts), *_answering(cover.signatures)]),
        *(escape.text(statement) for statement in cover.statements),
    ]
    parts = ["\n".join(_block(block)) for block in made.blocks if not isinstance(block, Figure)]
    return "\n\n".join([*head, *parts, escape.text(made.foot)]) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * (block.level + 1)} {escape.text(block.text)}"
        case Paragraph(kind=Kind.CODE):
            yield from _fenced("".join(run.text for run in block.text))
        case Paragraph(kind=Kind.POINT):
            yield f"- {_text(block.text)}"
        case Paragraph(kind=Kind.NOTE | Kind.QUOTE):
            yield f"> {_text(block.text)}"
        case Paragraph():
            yield _text(block.text)
        case Facts():
            yield from _facts(block)
        case Table():
            yield from _table(block)


def _fenced(text: str) -> Iterator[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    yield from (fence, text, fence)


def _text(text: Text) -> str:
    return "".join(_run(one) for one in text).strip()


def _run(one: Run) -> str:
    """A run; strong ones keep their spaces outside the marks, as Markdown wants it."""
    inner = one.text.strip(" ")
    if not inner:
        return one.text
    before, _, after = one.text.partition(inner)
    told = escape.code(inner) if one.style == Style.CODE else escape.text(inner)
    strong = one.style not in (Style.PLAIN, Style.ASIDE, Style.CODE)
    return f"{before}**{told}**{after}" if strong else f"{before}{told}{after}"


def _answering(signatures: Table) -> Iterator[str]:
    """Who answers for the report, where somebody stated it; there is no room for signatures here."""
    yield from _facts(Facts([(_text(role), name) for role, name, *_ in signatures.rows if _text(name)]))


def _facts(facts: Facts) -> Iterator[str]:
    for name, text in facts.rows:
        yield f"- **{escape.text(name)}**: {_text(text)}"


def _table(table: Table) -> Iterator[str]:
    """A table of GitHub's flavour; a row that heads others has its text in the first cell."""
    heads = [escape.text(column.name) for column in table.columns]
    rows = [[_text(cell) for cell in row] + [""] * (len(heads) - len(row)) for row in table.rows]
    widths = [min(_WIDE, max(map(_width, column))) for column in zip(heads, *rows, strict=True)]
    numbers = [column.number for column in table.columns]
    yield _row(heads, widths, numbers)
    rules = (_rule(width, number) for width, number in zip(widths, numbers, strict=True))
    yield f"|{'|'.join(rules)}|"
    for row in rows:
        yield _row(row, widths, numbers)


def _rule(width: int, number: bool) -> str:
    return f" {'-' * max(3, width - number)}{':' if number else ''} "


def _row(cells: Sequence[str], widths: Sequence[int], numbers: Sequence[bool]) -> str:
    padded = []
    for cell, width, number in zip(cells, widths, numbers, strict=True):
        space = " " * (max(3, width) - _width(cell))
        padded.append(space + cell if number else cell + space)
    return f"| {' | '.join(padded)} |"


def _width(text: str) -> int:
    """Half-width characters that a text takes in a fixed-width font."""
    return sum(2 if east_asian_width(letter) in "FW" else 1 for letter in text)
