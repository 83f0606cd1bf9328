"""Where the bundles below a folder are, and by what one is known to be unchanged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.archive import SUFFIX
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import RESULTS
from reports.verify import MAX_DEPTH
from reports.verify import MAX_FILES

_SIGNS = frozenset({MANIFEST, RESULTS, OBSERVATIONS})  #: one is enough: a damaged bundle must be told, not overlooked
_MAX_DEPTH = 16  #: folders in folders above a bundle
_MAX_FOLDERS = 2_000_000
_LIMITS = {"folders": _MAX_FOLDERS}


@dataclass(frozen=True, slots=True)
class Found:
    """A folder that is a bundle, or looks like one."""

    name: str  #: path below the folder that was searched, with ``/``
    fault: str = ""  #: why it is not looked into: it is a ``link``, ``too-deep``, or an ``archive``


def find_bundles(root: Path) -> Iterator[Found]:
    """Every bundle below ``root``, or ``root`` itself, in a stable order; nothing is looked for within a bundle.

    Folders whose name begins with a dot are left out: what is being sealed is in such a one. An archive is told, for it
    may hold a bundle, unless the folder that it was packed from or unpacked to lies beside it.

    Raises:
        UserMistake: if there is no such folder, it cannot be read, or it has no end.
    """
    if not root.is_dir():
        raise UserMistake([Problem("fleet-absent", "reports.fleet", file=str(root))])
    waiting = [("", 0)]
    seen = 0
    while waiting:
        name, depth = waiting.pop()
        seen += 1
        if seen > _MAX_FOLDERS:
            raise UserMistake([Problem("fleet-too-large", "reports.fleet", file=str(root), facts=_LIMITS)])
        try:
            with os.scandir(root / name) as entries:
                found = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            if not name:
                facts = {"error": error.strerror or str(error)}
                raise UserMistake([Problem("bundle-unreadable", "reports", file=str(root), facts=facts)]) from error
            yield Found(name)  # told with the bundles, as one that cannot be read
            continue
        if any(entry.name in _SIGNS for entry in found):
            yield Found(name or ".")
            continue
        for entry, fault in _told(found, at_the_end=depth == _MAX_DEPTH):
            below = f"{name}/{entry.name}" if name else entry.name
            if fault:
                yield Found(below, fault)
            else:
                waiting.append((below, depth + 1))


def _told(entries: list[os.DirEntry[str]], *, at_the_end: bool) -> Iterator[tuple[os.DirEntry[str], str]]:
    """The folders to look into, and what is told instead of being looked into."""
    entries = [entry for entry in entries if not entry.name.startswith(".")]
    folders = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
    for entry in entries:
        if entry.name in folders:
            yield entry, "too-deep" if at_the_end else ""
        elif entry.is_symlink() and entry.is_dir():
            yield entry, "link"
        elif _is_archive(entry) and entry.name[: -len(SUFFIX)] not in folders:
            yield entry, "archive"


def _is_archive(entry: os.DirEntry[str]) -> bool:
    return entry.name.lower().endswith(SUFFIX) and entry.is_file(follow_symlinks=False)


def fingerprint(folder: Path) -> tuple[str, str]:
    """SHA-256 of the bundle's manifest, empty if there is none; and of what the file system says of all its files.

    The manifest names what was sealed. Sizes, times and inodes show that no file was touched since: a file that was
    altered keeps its bundle's manifest, and must be read again all the same.

    Raises:
        OSError: if the folder cannot be read or has more files than a bundle may have.
    """
    said = hashlib.sha256()
    count = 0
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                count += 1
                if count > MAX_FILES or prefix.count("/") > MAX_DEPTH:
                    raise OSError(0, f"more than {MAX_FILES} files or {MAX_DEPTH} folders deep")
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{name}/")
                    continue
                about = entry.stat(follow_symlinks=False)
                facts = (about.st_mode, about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
                said.update(f"{name}\0{facts}\n".encode("utf-8", "surrogateescape"))
    return _digest(folder / MANIFEST), said.hexdigest()


def _digest(manifest: Path) -> str:
    if manifest.is_symlink() or not manifest.is_file():
        return ""
    with manifest.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
