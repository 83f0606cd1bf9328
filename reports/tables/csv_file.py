"""CSV files (RFC 4180): UTF-8 with a byte order mark, without which Excel would garble Chinese; commas and CRLF."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from reports.bundle import Bundle
from reports.tables.cells import Cell
from reports.tables.cells import disarmed
from reports.tables.cells import plain
from reports.tables.sheets import Sheet
from reports.tables.sheets import sheets


def write_results(bundle: Bundle, out: Path, language: str = "zh") -> None:
    """Write one line for each planned item to ``out``, which is replaced.

    Raises:
        OSError: if it cannot be written.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    _write(sheets(bundle, language)["results"], out)


def write_failing(bundle: Bundle, out: Path, language: str = "zh") -> None:
    """Write one line for each object that does not meet a requirement; otherwise like :func:`write_results`."""
    _write(sheets(bundle, language)["failing"], out)


def _write(sheet: Sheet, out: Path) -> None:
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([title for title, _ in sheet.columns])
        writer.writerows([_text(cell) for cell in row] for row in sheet.rows)


def _text(cell: Cell) -> str | int | float | None:
    told = plain(cell)
    if isinstance(told, datetime):
        return told.strftime("%Y-%m-%dT%H:%M:%SZ")
    return disarmed(told) if isinstance(told, str) else told
