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


class RawPlaces:
    """Where raw outputs lie below ``raw/``; none takes another's place, whatever they are called."""

    def __init__(self) -> None:
        self._names: Counter[PurePosixPath] = Counter()
        self._files: set[PurePosixPath] = set()
        self._folders: set[PurePosixPath] = set()

    def next(self, run: int, vantage: str, window: int, name: str) -> PurePosixPath:
        """The place of the next one; ask in the order in which they were kept."""
        path = _path(run, vantage, window, name)
        taken = path in self._files or path in self._folders or not self._files.isdisjoint(path.parents)
        if taken:  # beside others of the same name
            plain = PurePosixPath(escaped(vantage), escaped(name))
            self._names[plain] += 1
            path = plain.with_name(f"{plain.name}@{self._names[plain] + 1}")
        self._files.add(path)
        self._folders.update(path.parents)
        return path


def write_raw(records: Iterable[RawRecord], folder: Path) -> None:
    """Write one file for each.

    Raises:
        OSError: if it cannot be written.
    """
    places = RawPlaces()
    for record in records:
        path = folder / places.next(record.run, record.vantage, record.window, record.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record.text.encode())


def _path(run: int, vantage: str, window: int, name: str) -> PurePosixPath:
    """Where the vantage point, window, run and reference of a row lead."""
    of_window = f"@window-{window}" if window else ""
    of_run = f"@run-{run}" if run > 1 else ""
    return PurePosixPath(escaped(vantage), f"{name}{of_window}{of_run}")
