"""What instruments and tools said, as files of a bundle: ``raw/VANTAGE/NAME``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from pathlib import PurePosixPath
from typing import NamedTuple

from probes.raw import escaped


class RawRecord(NamedTuple):
    """What an instrument or a tool said, and when it was asked."""

    run: int  #: number of the session, from 1
    vantage: str  #: id of the vantage point
    window: int  #: index of the window
    name: str  #: a path of plain names (:func:`probes.raw.file_name`)
    text: str


def write_raw(records: Iterable[RawRecord], folder: Path) -> None:
    """Write one file for each; none takes another's place, whatever they are called.

    Raises:
        OSError: if it cannot be written.
    """
    names: Counter[PurePosixPath] = Counter()
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for record in records:
        path = _path(record)
        if path in files or path in folders or not files.isdisjoint(path.parents):  # beside others of the same name
            plain = PurePosixPath(escaped(record.vantage), escaped(record.name))
            names[plain] += 1
            path = plain.with_name(f"{plain.name}@{names[plain] + 1}")
        files.add(path)
        folders.update(path.parents)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(record.text.encode())


def _path(record: RawRecord) -> PurePosixPath:
    """Where the vantage point, window, run and reference of a row lead."""
    window = f"@window-{record.window}" if record.window else ""
    run = f"@run-{record.run}" if record.run > 1 else ""
    return PurePosixPath(escaped(record.vantage), f"{record.name}{window}{run}")
