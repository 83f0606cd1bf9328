"""A DOCX file as a package of parts, opened in bounded memory: it may come from anybody.

Every size is counted while reading, never taken from the archive's own directory, which may lie.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from typing import NoReturn

from profiles.problem import Problem
from profiles.problem import UserMistake

CATALOGUE = "reports.forms"

MAX_FILE = 1 << 30  #: bytes of the file
MAX_ENTRIES = 4000
MAX_DIRECTORY = 4 << 20  #: bytes of the archive's directory
MAX_XML = 16 << 20  #: bytes of one part that is parsed
MAX_XML_TOTAL = 64 << 20  #: bytes of all parts that are parsed
MAX_MEDIA = 256 << 20  #: bytes of one picture
MAX_MEDIA_TOTAL = 2 << 30  #: bytes of all pictures: they are streamed, so this bounds time, not memory

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_NAME = "EncryptedPackage".encode("utf-16-le")
_END = b"PK\x05\x06"
_BLOCK = 1 << 18
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def refuse(file: str, code: str, **facts: object) -> NoReturn:
    """Say why ``file`` is not read; ``code`` names a text ``problem.<code>``."""
    raise UserMistake([Problem(code, CATALOGUE, file=file, facts=facts)])


class Package:
    """The parts of one DOCX file; use :func:`open_package`."""

    def __init__(self, file: str, archive: zipfile.ZipFile) -> None:
        self.file = file
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}
        comments = [archive.comment, *(entry.comment for entry in archive.infolist())]
        self.remarks = [one.decode("utf-8", "replace") for one in comments if one]  #: comments of the archive
        self.markup_remarks: dict[str, list[str]] = {}  #: comments in parts that were parsed
        self._xml_left = MAX_XML_TOTAL
        self._media_left = MAX_MEDIA_TOTAL

    @property
    def names(self) -> frozenset[str]:
        """Names of all parts, without a leading slash."""
        return frozenset(self._entries)

    def read(self, name: str) -> bytes:
        """A part to be parsed.

        Raises:
            UserMistake: if it is missing, damaged, or larger than :data:`MAX_XML`.
        """
        content = b"".join(self._blocks(name, min(MAX_XML, self._xml_left)))
        self._xml_left -= len(content)
        return content

    def stream(self, name: str) -> Iterator[bytes]:
        """A picture's bytes, block by block. Raises like :meth:`read`."""
        for block in self._blocks(name, min(MAX_MEDIA, self._media_left)):
            self._media_left -= len(block)
            yield block

    def _blocks(self, name: str, limit: int) -> Iterator[bytes]:
        entry = self._entries.get(name)
        if entry is None:
            refuse(self.file, "docx-part-missing", part=name)
        if entry.flag_bits & 1:
            refuse(self.file, "docx-encrypted")
        seen = 0
        try:
            with self._archive.open(entry) as part:
                while block := part.read(_BLOCK):
                    seen += len(block)
                    if seen > limit:
                        refuse(self.file, "docx-part-too-large", part=name, limit_mib=limit >> 20)
                    yield block
        except _BROKEN as error:
            refuse(self.file, "docx-damaged", part=name, error=str(error) or type(error).__name__)


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open the file ``path``.

    Raises:
        UserMistake: if it is no readable DOCX package, with the reason: absent, an old ``.doc``, encrypted, truncated,
            or larger than what is read here.
    """
    file = str(path)
    if not path.is_file():
        refuse(file, "docx-absent")
    try:
        with path.open("rb") as stream:
            _look(file, stream, path.stat().st_size)
            with zipfile.ZipFile(stream) as archive:
                names = [entry.filename for entry in archive.infolist()]
                if len(set(map(str.casefold, names))) != len(names):
                    refuse(file, "docx-names-twice")
                yield Package(file, archive)
    except _BROKEN as error:
        refuse(file, "docx-not-zip", error=str(error) or type(error).__name__)


def _look(file: str, stream: IO[bytes], size: int) -> None:
    """Refuse what is not worth opening; the directory is read whole by ``zipfile``, so its size is bounded first."""
    if size > MAX_FILE:
        refuse(file, "docx-too-large", limit_mib=MAX_FILE >> 20)
    head = stream.read(1 << 16)
    if head.startswith(_OLE):
        refuse(file, "docx-encrypted" if _ENCRYPTED_NAME in head or _has(stream, _ENCRYPTED_NAME) else "docx-old-doc")
    if not head.startswith(b"PK"):
        refuse(file, "docx-not-zip", error="no PK")
    stream.seek(max(0, size - 65_557))
    tail = stream.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        refuse(file, "docx-truncated")
    entries, directory = struct.unpack("<HI", tail[at + 10 : at + 16])
    if entries > MAX_ENTRIES or directory > MAX_DIRECTORY:
        refuse(file, "docx-too-many-parts", limit=MAX_ENTRIES)
    stream.seek(0)


def _has(stream: IO[bytes], wanted: bytes) -> bool:
    kept = b""
    for _ in range(64):  # the names of an OLE file stand in its directory, which may lie anywhere in it
        block = stream.read(1 << 20)
        if not block:
            return False
        if wanted in kept + block:
            return True
        kept = block[-len(wanted) :]
    return False
