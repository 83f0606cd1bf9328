"""A bundle as one file to send: a ZIP archive of which no byte is free, and its safe unpacking.

The same bundle is the same archive, byte for byte, on every machine: names sorted, files stored (what is large in a
bundle is compressed already, and another zlib compresses otherwise), no times, no comments. So a verifier tells an
altered archive from what :func:`pack` writes. Archives that others made are unpacked too, within bounds.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from tempfile import TemporaryDirectory

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.plain import Malformed
from reports.plain import is_safe
from reports.plain import open_plain

SUFFIX = ".zip"
MAX_FILES = 65_535  #: as many as an archive without ZIP64 can list
MAX_BYTES = 4 << 30  #: of all files together, and of the archive
MAX_GROWTH = 50  #: times the archive's size that its files may have, beyond :data:`FREE_BYTES`
FREE_BYTES = 64 << 20

MAX_DIRECTORY = 32 << 20  #: bytes of its list of entries, each of which takes 12 times as much in memory

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20  #: 2.0, needed to extract folders' files
_UNIX = 3 << 8
_UTF8 = 0x800
_EPOCH = 0x21  #: 1980-01-01, the earliest date that there is
_MODE = (stat.S_IFREG | 0o644) << 16
_CHUNK = 1 << 20
_TAIL = (1 << 16) + _END.size + 20  #: bytes in which the end record lies, with a comment, behind a locator of ZIP64


def pack(bundle: Path, archive: Path) -> None:
    """Write the files of a bundle's folder to a new archive, which appears as a whole.

    Args:
        bundle: the folder; signatures beside the manifest are packed too.
        archive: the file to be made; there must be none.

    Raises:
        UserMistake: if the folder holds anything but plain files, is too large, or the archive cannot be written.
    """
    if archive.exists():
        raise _mistake("archive-exists", archive)
    draft = archive.with_name(f".{archive.name}.packing-{os.getpid()}")
    try:
        with draft.open("xb") as file:
            for piece in packed(bundle):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(archive)
    except Malformed as malformed:
        raise _mistake("archive-impossible", bundle, name=malformed.name, error=malformed.error) from None
    except OSError as error:
        raise _mistake("archive-cannot-write", archive, error=error.strerror or str(error)) from None
    finally:
        draft.unlink(missing_ok=True)


def packed(bundle: Path) -> Iterator[bytes]:
    """The archive of a folder, in pieces.

    Raises:
        Malformed: if the folder holds anything but plain files, or is too large.
        OSError: if it cannot be read.
    """
    entries: list[bytes] = []
    offset = 0
    for name in _plain_files(bundle):
        with open_plain(bundle, name) as file:
            size = os.fstat(file.fileno()).st_size
            if len(entries) == MAX_FILES or offset + size > MAX_BYTES - (64 << 20):
                raise Malformed(name, f"more than {MAX_FILES} files or {MAX_BYTES} bytes: send the folder itself")
            crc = _crc(file)
            encoded = name.encode()
            about = (_VERSION, _UTF8, zipfile.ZIP_STORED, 0, _EPOCH, crc, size, size, len(encoded), 0)
            yield _LOCAL.pack(b"PK\3\4", *about) + encoded
            file.seek(0)
            written = 0
            while piece := file.read(_CHUNK):
                written += len(piece)
                yield piece
            if written != size:
                raise Malformed(name, "changed while it was read")
        entries.append(_CENTRAL.pack(b"PK\1\2", _UNIX | _VERSION, *about, 0, 0, 0, _MODE, offset) + encoded)
        offset += _LOCAL.size + len(encoded) + size
    directory = b"".join(entries)
    if len(directory) > MAX_DIRECTORY:
        raise Malformed(bundle.name, f"names of more than {MAX_DIRECTORY} bytes: send the folder itself")
    yield directory
    yield _END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), offset, 0)


def differs_at(archive: Path, folder: Path) -> int | None:
    """Where the archive is not what :func:`pack` makes of ``folder``: number of the first such byte, or ``None``.

    Raises:
        Malformed: as :func:`packed`.
        OSError: as :func:`packed`.
    """
    at = 0
    with archive.open("rb") as file:
        for piece in packed(folder):
            found = file.read(len(piece))
            if found != piece:
                pairs = enumerate(zip(found, piece, strict=False))
                return at + next((index for index, (one, two) in pairs if one != two), len(found))
            at += len(piece)
        return at if file.read(1) else None


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive to a new folder, which appears as a whole.

    Refused, with the reason and before anything is written that would not fit: names that lead out of the folder,
    links, two entries of one name, encryption, ZIP64, more than :data:`MAX_FILES` files, :data:`MAX_BYTES` bytes or
    what the disk has room for, and more than :data:`MAX_GROWTH` times what the archive has.

    Raises:
        UserMistake: if there is none, it is refused, is damaged, or cannot be written.
    """
    if not archive.is_file():
        raise _mistake("archive-absent", archive)
    if folder.exists():
        raise _mistake("archive-taken", folder)
    draft = folder.with_name(f".{folder.name}.unpacking-{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        _unpack_to(archive, draft)
        draft.rename(folder)
    except OSError as error:
        raise _mistake("archive-cannot-write", folder, error=error.strerror or str(error)) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def opened(bundle: Path | str) -> Iterator[Path]:
    """The folder of a bundle that is a folder, or of one that is an archive, for as long as the block lasts.

    Raises:
        UserMistake: as :func:`unpack`.
    """
    path = Path(bundle)
    if not path.is_file():
        yield path
        return
    with TemporaryDirectory(prefix="plantproof-") as temporary:
        folder = Path(temporary) / path.stem
        unpack(path, folder)
        yield folder


def _unpack_to(archive: Path, folder: Path) -> None:
    try:
        with archive.open("rb") as file, _listed(archive.name, file) as opened:
            entries = _admitted(archive, opened)
            _require_room(folder, sum(entry.file_size for entry in entries))
            for entry in entries:
                _write(opened, entry, folder)
    except Malformed as malformed:
        raise _mistake("archive-refused", archive, name=malformed.name, error=malformed.error) from None
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        raise _mistake("archive-damaged", archive, error=error) from None


def _listed(name: str, file: BufferedReader) -> zipfile.ZipFile:
    """The archive with its list of entries, if that is not too long to be read."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    at = len(tail) - _END.size
    if tail[at : at + 4] != b"PK\5\6" or tail[-2:] != b"\0\0":  # a comment follows
        at = tail.rfind(b"PK\5\6")
    if at >= 0 and tail[max(0, at - 20) : at].startswith(b"PK\6\7"):
        raise Malformed(name, "ZIP64, which no bundle needs")
    if at >= 0 and (length := int.from_bytes(tail[at + 12 : at + 16], "little")) > MAX_DIRECTORY:
        raise Malformed(name, f"a list of entries of {length} bytes")
    return zipfile.ZipFile(file)


def _admitted(archive: Path, opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The entries that are files, if all of them may be unpacked; folders come of themselves."""
    entries = opened.infolist()
    size = archive.stat().st_size
    room = min(MAX_BYTES, FREE_BYTES + MAX_GROWTH * size)
    if len(entries) > MAX_FILES:
        raise Malformed(archive.name, f"{len(entries)} > {MAX_FILES} entries")
    if (unpacked := sum(entry.file_size for entry in entries)) > room:
        raise Malformed(archive.name, f"{unpacked} bytes unpacked of {size} bytes, more than {room}")
    names: set[str] = set()
    for entry in entries:
        if error := _fault(entry, names):
            raise Malformed(entry.orig_filename, error)
        names.add(entry.filename.rstrip("/"))
    return [entry for entry in entries if not entry.is_dir()]


def _require_room(folder: Path, size: int) -> None:
    """Raise ``OSError`` unless there is room where the files go, which may be another disk than the archive's."""
    if size > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fault(entry: zipfile.ZipInfo, names: set[str]) -> str:
    """Why an entry is refused; empty if it is not."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.filename != entry.orig_filename or not is_safe(entry.filename.rstrip("/")):
        return "the name leads out of the folder, or is no plain path"
    if kind and kind != (stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
        return "a link or a device"
    if entry.filename.rstrip("/") in names:
        return "two entries of this name"
    if entry.flag_bits & 0x1:
        return "encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"compressed by method {entry.compress_type}; only stored and deflated are read"
    if entry.extract_version >= zipfile.ZIP64_VERSION or b"\1\0" in _extra_ids(entry.extra):
        return "ZIP64, which no bundle needs"
    return ""


def _extra_ids(extra: bytes) -> list[bytes]:
    ids, at = [], 0
    while at + 4 <= len(extra):
        ids.append(extra[at : at + 2])
        at += 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
    return ids


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Write one file; what it really unpacks to ends where it said that it would."""
    path = folder / entry.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    left = entry.file_size
    with opened.open(entry) as source, path.open("xb") as target:
        while piece := source.read(_CHUNK):
            left -= len(piece)
            if left < 0:
                break
            target.write(piece)
    if left:
        raise Malformed(entry.filename, "not as long as the archive says")


def _plain_files(folder: Path) -> Iterator[str]:
    """The files below ``folder``, sorted by the bytes of their names."""
    found: list[str] = []
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False) and is_safe(name):
                    found.append(name)
                else:
                    raise Malformed(name, "a link, a device, or a name that no bundle has")
                if len(found) > MAX_FILES:
                    raise Malformed(name, f"more than {MAX_FILES} files")
    return iter(sorted(found, key=str.encode))


def _crc(file: BufferedReader) -> int:
    crc = 0
    while piece := file.read(_CHUNK):
        crc = zlib.crc32(piece, crc)
    return crc


def _mistake(code: str, place: Path, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, "reports", file=str(place), facts=facts)])
