"""Files of a folder that may come from anybody: plain ones only, reached without any link, of bounded size."""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path

#: Largest file that is read into memory as a whole, bytes: far above what 20,000 endpoints need.
MAX_TEXT_BYTES = 64 << 20


class Malformed(Exception):
    """A file of the bundle is not what the format says."""

    def __init__(self, name: str, error: str) -> None:
        self.name = name
        self.error = error
        super().__init__(f"{name}: {error}")


def is_safe(path: str) -> bool:
    """Whether ``path`` is a plain relative path that names one file below the folder it is taken in."""
    return path.isprintable() and "\\" not in path and {"", ".", ".."}.isdisjoint(path.split("/"))


def open_plain(folder: Path, name: str) -> BufferedReader:
    """Open a regular file below ``folder``, reached without any link.

    Raises:
        Malformed: if there is none.
    """
    if not is_safe(name):
        raise Malformed(name, "not a path in the bundle")
    try:
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        *outer, last = name.split("/")
        for part in outer:
            directory = _step(directory, part, os.O_DIRECTORY)
        file = os.fdopen(_step(directory, last, os.O_NONBLOCK), "rb")  # or opening a FIFO would wait for a writer
    except OSError as error:
        raise Malformed(name, error.strerror or str(error)) from None
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Malformed(name, "not a regular file")
    return file


def read_plain(folder: Path, name: str, limit: int = MAX_TEXT_BYTES) -> bytes:
    """The content of a regular file below ``folder``.

    Raises:
        Malformed: if there is none, or it is larger than ``limit`` bytes.
    """
    with open_plain(folder, name) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(min(size, limit) + 1)  # a buffer of the limit's size would be made for every small file
    if len(content) > limit:
        raise Malformed(name, f"larger than {limit} bytes")
    return content


def _step(directory: int, name: str, flag: int) -> int:
    """Open ``name`` in ``directory``, which is closed."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flag, dir_fd=directory)
    finally:
        os.close(directory)
