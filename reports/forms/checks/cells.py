"""Values in tables, found by the label beside or above them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.forms.document import Cell
from reports.forms.document import Document
from reports.forms.document import Table
from reports.forms.subject import PLACEHOLDER
from reports.forms.subject import squeezed

_HINT = re.compile(r"^[(（][^()（）]*[)）]$")
_ENDS = ":：*0123456789"


def labelled(document: Document, label: str, *, whole_row: bool = False) -> Iterator[Cell]:
    """Cells to the right of a cell that begins with ``label``, and what follows ``label：`` in a line of text.

    Args:
        document: what is looked through.
        label: the form's word.
        whole_row: all cells to the right, joined.
    """
    wanted = squeezed(label)
    for table in document.tables:
        for row in table:
            for at, cell in enumerate(row[:-1], 1):
                if _is_label(cell.text, wanted):
                    values = [content(value.text) for value in (row[at:] if whole_row else row[at : at + 1])]
                    yield Cell("\n".join(filter(None, values)), row[at].paragraph or cell.paragraph)
    for paragraph in document.paragraphs:
        name, colon, value_text = paragraph.text.replace("：", ":").partition(":")
        if colon and paragraph.story == "body" and _is_label(name, wanted):
            yield Cell(content(value_text), paragraph.number)


def below(document: Document, label: str) -> Iterator[Cell]:
    """Cells below a cell that begins with ``label``, of rows that hold anything."""
    wanted = squeezed(label)
    for table in document.tables:
        for at, row in enumerate(table):
            column = next((index for index, cell in enumerate(row) if _is_label(cell.text, wanted)), None)
            if column is not None:
                yield from (one[column] for one in rows_below(table, at) if column < len(one))
                break


def rows_below(table: Table, header: int) -> Iterator[list[Cell]]:
    """Rows below the header that hold more than a running number, as wide as the header; hints are taken out."""
    width, numbers = len(table[header]), [squeezed(cell.text) for cell in table[header]]
    column = numbers.index("序号") if "序号" in numbers else -1
    for row in table[header + 1 :]:
        if len(row) != width or _begins_another(row, column):
            return
        cleaned = [Cell(content(cell.text), cell.paragraph) for cell in row]
        if any(cell.text and not re.fullmatch(r"[0-9.…]+", cell.text) for cell in cleaned):
            yield cleaned


def _begins_another(row: list[Cell], column: int) -> bool:
    """Whether the row is of the form's next field: a label stands before, or in place of, the running number."""
    if column < 0:
        return False
    label = "".join(cell.text for cell in row[:column])
    return bool(label.strip()) or not re.fullmatch(r"[0-9.…]*", squeezed(row[column].text))


def content(text: str) -> str:
    """What an applicant wrote into a cell: not the form's hint in parentheses, not a placeholder."""
    text = PLACEHOLDER.sub("", text).strip()
    return "" if _HINT.match(text) else text


def _is_label(text: str, wanted: str) -> bool:
    found = squeezed(text)
    rest = found.removeprefix(wanted)
    return found.startswith(wanted) and (not rest or rest[0] in f"(（{_ENDS}")
