"""What may stand in a cell: numbers as numbers, moments as moments, and text that no spreadsheet takes for a command.

The names in a plant file come from anybody. A spreadsheet that opens a CSV file runs a cell that begins with ``=``,
``+``, ``-`` or ``@`` as a formula, and a formula may start a program (DDE). So in CSV such a text gets an apostrophe in
front, also after a semicolon, at which some spreadsheets part cells whatever the file says. Numbers never pass through
here and keep their minus sign; a text that is nothing but a number is harmless and stays as it is.
In XLSX every cell has a type, so text is stored as it is, with the mark that it is text also while it is edited.
"""

from __future__ import annotations

import math
import re
from datetime import UTC
from datetime import datetime

from reports.wording import visible

#: What a cell holds; ``None`` is an empty one. A moment is in UTC.
Cell = str | int | float | datetime | None

#: Longest text of a cell in a workbook, in UTF-16 units (a limit of XLSX).
MAX_UNITS = 32_767

#: Beyond it a double no longer holds every whole number; such numbers are written as text.
_MAX_WHOLE = 2**53
_BREAKS = re.compile(r"[\t\n]+")
_COMMAND = re.compile(r"(^|;)(\s*)(?=[=+\-@＝＋－＠])")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def one_line(text: str) -> str:
    """``text`` with what cannot be seen spelled out, on one line."""
    return _BREAKS.sub(" ", visible(text))


def is_command(text: str) -> bool:
    """Whether a spreadsheet might take ``text`` for a formula."""
    return not _NUMBER.fullmatch(text) and _COMMAND.search(text) is not None


def disarmed(text: str) -> str:
    """``text`` for CSV: one line, and an apostrophe before everything that a spreadsheet might run."""
    line = one_line(text)
    return _COMMAND.sub(r"\1\2'", line) if is_command(line) else line


def fitting(text: str) -> str:
    """``text`` for a workbook: one line, cut where a cell ends, with a mark of how much is missing."""
    line = one_line(text)
    if len(line) <= MAX_UNITS // 2 or _units(line) <= MAX_UNITS:  # a letter has two units at most
        return line
    kept = line[:MAX_UNITS]
    while _units(kept) > MAX_UNITS - 20:
        kept = kept[: -max(1, (_units(kept) - MAX_UNITS + 20) // 2)]
    return f"{kept}… (+{len(line) - len(kept)})"


def plain(cell: Cell) -> str | int | float | datetime | None:
    """``cell`` with numbers that a spreadsheet cannot hold as the text of them."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return {math.inf: "∞", -math.inf: "−∞"}.get(cell, "NaN")
    if isinstance(cell, int) and abs(cell) > _MAX_WHOLE:
        return str(cell)
    return cell


def moment_of(utc_ns: int | str | None) -> datetime | str | None:
    """A moment in UTC, to the second; what is none, as it is written.

    Args:
        utc_ns: nanoseconds since the Unix epoch, or ISO 8601.
    """
    if utc_ns is None:
        return None
    try:
        if isinstance(utc_ns, str):
            told = datetime.fromisoformat(utc_ns)
            return told.astimezone(UTC).replace(microsecond=0) if told.tzinfo else utc_ns
        return datetime.fromtimestamp(utc_ns // 10**9, UTC)
    except (ValueError, OverflowError, OSError):
        return str(utc_ns)


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)
