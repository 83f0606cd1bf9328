"""A user's YAML file: its values, where each stands, and every mistake in it told at once with its place.

A file is read in one fast pass; positions are looked up only for what is wrong (see :mod:`profiles.yaml12`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any
from typing import TypeVar

from pydantic import BaseModel
from pydantic import ValidationError

from profiles import yaml12
from profiles.complaints import Complaint
from profiles.complaints import complaints
from profiles.problem import Problem
from profiles.problem import UserMistake

M = TypeVar("M", bound=BaseModel)

#: Larger files are refused before they are read; 20,000 endpoints take about 7 MB.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document, as plain values (``dict``, ``list``, ``str``, ``int``, ``float``, ``bool``, ``None``)."""

    value: Any
    file: str  #: as the user named it
    text: str = field(repr=False)

    def locate(self, path: yaml12.Path, *, key: bool = False) -> yaml12.Place:
        """Line and column (1-based) of the value at ``path``, or of its key; of the nearest ancestor if missing."""
        return self.locate_all([(path, key)])[0]

    def locate_all(self, asked: Iterable[tuple[yaml12.Path, bool]]) -> list[yaml12.Place]:
        """:meth:`locate` for many paths in one pass over the text; each with whether its key is meant."""
        asked = list(asked)
        values, keys = yaml12.places(self.text, [path for path, _ in asked])

        def place(path: yaml12.Path, key: bool) -> yaml12.Place:
            if key and path in keys:
                return keys[path]
            ancestors = (path[:length] for length in range(len(path), -1, -1))
            return next((values[ancestor] for ancestor in ancestors if ancestor in values), (1, 1))

        return [place(path, key) for path, key in asked]

    def problems(self, found: Iterable[Complaint], catalogue: str = "profiles") -> list[Problem]:
        """What was found, each with its place, in the order of the file."""
        found = list(found)
        located = zip(found, self.locate_all((it.path, it.at_key) for it in found), strict=True)
        return [
            Problem(it.code, catalogue, self.file, line, column, dotted(it.path), it.facts)
            for it, (line, column) in sorted(located, key=lambda pair: pair[1])
        ]


def dotted(path: yaml12.Path) -> str:
    """The path as a person writes it: ``endpoints[3].zone``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def load(path: Path) -> Document:
    """Read the YAML file ``path``: UTF-8, with or without byte order mark, one document.

    Raises:
        UserMistake: if it cannot be read, is too large, is not UTF-8 or not YAML, repeats keys, or uses anchors,
            aliases or tags; with every place known before reading had to stop.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe or a device may never end
        raise UserMistake([Problem("cannot-read", file=str(path), facts={"error": "not a regular file"})])
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        said = getattr(error, "strerror", None) or error
        raise UserMistake([Problem("cannot-read", file=str(path), facts={"error": said})]) from None
    if len(data) > MAX_BYTES:
        raise UserMistake([Problem("too-large", file=str(path), facts={"limit_mib": MAX_BYTES // 2**20})])
    return read(_decode(data, str(path)), str(path))


def read(text: str, file: str) -> Document:
    """The document in ``text``; ``file`` names it in messages. Raises like :func:`load`."""
    value, mishaps = yaml12.parse(text)
    if mishaps:
        raise UserMistake(
            Problem(it.code, file=file, line=it.place[0], column=it.place[1], path=dotted(it.path), facts=it.facts)
            for it in sorted(mishaps, key=lambda mishap: mishap.place)
        )
    return Document(value, file, text)


def validate(document: Document, model: type[M]) -> M:
    """The document as a ``model``.

    Raises:
        UserMistake: with *all* problems, in the order of the file.
    """
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise UserMistake(document.problems(complaints(error, model, document.value))) from None


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = data.rfind(b"\n", 0, error.start) + 1
        column = len(data[start : error.start].decode("utf-8", "replace")) + 1
        found = f"0x{data[error.start]:02X}"
        raise UserMistake([Problem("not-utf8", file=file, line=line, column=column, facts={"found": found})]) from None
