"""The report as a Word document: real styles, numbered headings and captions, fields, and Chinese type.

The package is written here part by part (ECMA-376, ISO/IEC 29500), so that a report of any length takes little
memory, and the same bundle gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED
from zipfile import ZIP_STORED
from zipfile import ZipFile
from zipfile import ZipInfo

from reports.bundle import Bundle
from reports.document.blocks import Document
from reports.document.blocks import Figure
from reports.document.compose import document
from reports.word import body
from reports.word.package import parts


def write_report(bundle: Bundle, out: Path, language: str) -> None:
    """Write the report of ``bundle`` to ``out`` as DOCX.

    Raises:
        OSError: if it cannot be written.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    write_document(document(bundle, language), out)


def write_document(made: Document, out: Path) -> None:
    """Write a document to ``out`` as DOCX, which is replaced.

    Raises:
        OSError: if it cannot be written.
    """
    figures = [block for block in made.blocks if isinstance(block, Figure)]
    with ZipFile(out, "w") as archive:
        for name, text in parts(made, [body.relation_of(figure) for figure in figures]):
            archive.writestr(_info(name), text)
        with archive.open(_info("word/document.xml"), "w") as target:
            for piece in body.body(made):
                target.write(piece.encode())
        width, height = body.PIXELS
        for figure in figures:
            info = _info(f"word/media/{body.relation_of(figure)}.png")
            info.compress_type = ZIP_STORED
            archive.writestr(info, figure.picture.png(made.language, width_px=width, height_px=height))


def _info(name: str) -> ZipInfo:
    """A file of the archive, dated to the first day that ZIP knows: the same report has the same bytes."""
    info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
