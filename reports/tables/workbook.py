"""One XLSX workbook, written row by row in constant memory: the same bundle gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from itertools import islice
from pathlib import Path
from typing import Any

from reports.bundle import Bundle
from reports.tables.cells import Cell
from reports.tables.cells import fitting
from reports.tables.cells import is_command
from reports.tables.cells import moment_of
from reports.tables.cells import plain
from reports.tables.sheets import Sheet
from reports.tables.sheets import sheets

#: Rows of a sheet with its header (a limit of XLSX); what is more goes on in a further sheet.
MAX_ROWS = 1_048_576
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
#: From this width on, in letters, a column holds sentences: they wrap.
_SENTENCES = 40
_LINE_PT = 15  #: height of a line
_MAX_LINES = 12
_FONT = {"font_name": "Microsoft YaHei", "font_size": 10, "valign": "top"}


def write_report(bundle: Bundle, out: Path, language: str = "zh") -> None:
    """Write the workbook to ``out``, which is replaced.

    Raises:
        OSError: if it cannot be written.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    import xlsxwriter

    made = sheets(bundle, language)
    with out.open("wb") as file:
        book = xlsxwriter.Workbook(file, _OPTIONS)
        sealed = moment_of(bundle.manifest.sealed_utc)
        if isinstance(sealed, datetime):  # the moment of writing would make every file another one
            book.set_properties({"created": sealed.replace(tzinfo=None)})
        writer = _Writer(book)
        for sheet in made.values():
            writer.add(sheet)
        book.close()


class _Writer:
    """Adds sheets to a workbook."""

    def __init__(self, book: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
        self._book = book
        self._head = book.add_format(_FONT | {"bold": True, "bg_color": "#E8EEF4", "bottom": 1, "text_wrap": True})
        # by whether the text is marked as text, and whether it wraps
        self._text = {
            (quoted, wraps): book.add_format(_FONT | {"quote_prefix": quoted, "text_wrap": wraps})
            for quoted in (False, True)
            for wraps in (False, True)
        }
        self._number = book.add_format(_FONT | {"align": "right", "indent": 1})
        self._moment = book.add_format(_FONT | {"align": "right", "indent": 1, "num_format": "yyyy-mm-dd hh:mm:ss"})

    def add(self, sheet: Sheet) -> None:
        """Write the sheet, in as many parts as its rows need."""
        rows = iter(sheet.rows)
        # also a sheet without rows has its header
        for part, first in enumerate(chain([next(rows, None)], rows), 1):
            name = sheet.title if part == 1 else f"{sheet.title} ({part})"
            self._part(name, sheet.columns, [] if first is None else chain([first], islice(rows, MAX_ROWS - 2)))

    def _part(self, name: str, columns: Sequence[tuple[str, int]], rows: Any) -> None:  # noqa: ANN401
        page = self._book.add_worksheet(name)
        page.freeze_panes(1, 1)
        page.set_landscape()
        page.set_paper(8)  # A3
        page.repeat_rows(0)
        page.set_row(0, 2 * _LINE_PT)
        for column, (title, width) in enumerate(columns):
            page.set_column(column, column, width)
            page.write_string(0, column, title, self._head)
        row = 0
        for row, cells in enumerate(rows, 1):
            # not every program fits a row to what wraps in it
            page.set_row(row, _LINE_PT * _lines(cells, columns))
            for column, cell in enumerate(cells):
                self._cell(page, row, column, cell, wraps=columns[column][1] >= _SENTENCES)
        page.autofilter(0, 0, row, len(columns) - 1)

    def _cell(self, page: Any, row: int, column: int, cell: Cell, *, wraps: bool) -> None:  # noqa: ANN401
        told = plain(cell)
        if told is None or told == "":
            return
        if isinstance(told, datetime):
            page.write_datetime(row, column, told.replace(tzinfo=None), self._moment)
        elif isinstance(told, str):
            text = fitting(told)
            page.write_string(row, column, text, self._text[is_command(text), wraps])
        else:
            page.write_number(row, column, told, self._number)


def _lines(cells: Sequence[Cell], columns: Sequence[tuple[str, int]]) -> int:
    """How many lines the row's longest sentence takes; a Chinese letter is as wide as two Latin ones."""
    lines = 1
    for cell, (_, width) in zip(cells, columns, strict=True):
        if isinstance(cell, str) and width >= _SENTENCES and 2 * len(cell) > width:
            letters = len(cell) + sum(letter > "\u2e7f" for letter in cell[: width * _MAX_LINES])
            lines = max(lines, -(-letters // width))
    return min(lines, _MAX_LINES)
