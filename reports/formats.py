"""The formats that a bundle can be rendered in, each made from the bundle alone."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from reports.bundle import Bundle

#: Writes a bundle to a path, which is replaced, in the language ``zh`` or ``en``.
#: Raises ``OSError`` if it cannot be written, and ``UserMistake`` if the bundle is malformed.
Writer = Callable[[Bundle, Path, str], None]


class Format(NamedTuple):
    """One format."""

    suffix: str  #: of the file's name, such as ``.html``
    module: str  #: imported when asked for: some need libraries that take long to load
    function: str  #: a :data:`Writer`

    @property
    def write(self) -> Writer:
        """The function that writes it."""
        writer: Writer = getattr(import_module(self.module), self.function)
        return writer


FORMATS = {
    "csv": Format(".csv", "reports.tables.csv_file", "write_results"),
    "csv-objects": Format(".objects.csv", "reports.tables.csv_file", "write_failing"),
    "docx": Format(".docx", "reports.word", "write_report"),
    "html": Format(".html", "reports.html", "write_report"),
    "junit": Format(".junit.xml", "reports.junit", "write_report"),
    "junit-totals": Format(".totals.junit.xml", "reports.junit", "write_with_totals"),
    "markdown": Format(".md", "reports.markdown", "write_report"),
    "oscal": Format(".oscal", "reports.oscal", "write_report"),  # a folder
    "pdf": Format(".pdf", "reports.pdf", "write_report"),
    "pytest-html": Format(".pytest.html", "reports.pytest_html", "write_report"),
    "xlsx": Format(".xlsx", "reports.tables.workbook", "write_report"),
}
