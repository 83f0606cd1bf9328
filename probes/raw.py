"""Raw output of instruments and tools, kept as evidence: what it may be called, and how much of it there may be.

Both sides of the wire read this: the worker keeps within it, and the host takes nothing beyond it.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass
from typing import Self

from probes.action import Action

LIMIT = 4_000_000  #: characters of one raw output that are kept, the first ones
MARGIN = 100  #: characters more, for the line that says that it was cut
ACTION_LIMIT = 64 * LIMIT  #: characters of all raw outputs of one action
PART = 1 << 16  #: characters in one message, which a slow line carries before the far side is taken for dead
EACH = 4  #: raw outputs of each attempt at each target
MOST = 10_000  #: raw outputs of one action, however many attempts it has
NAME_LIMIT = 200  #: characters of a name
_PIECE = 100  # characters of a folder's or a file's name
_PLAIN = frozenset(f"{string.ascii_letters}{string.digits}._-~%")
_DIGEST = 12  # characters of the hash that stands for what is too long


def is_name(text: str) -> bool:
    """Whether ``text`` is a path of plain names below the folder that it is taken in, at most :data:`NAME_LIMIT`."""
    pieces = text.split("/")
    return len(text) <= NAME_LIMIT and all(
        0 < len(piece) <= _PIECE and piece[0] != "." and _PLAIN.issuperset(piece) for piece in pieces
    )


def file_name(name: str) -> str:
    """The path under which what a method calls ``name`` is kept: ``name`` itself, if it is plain.

    All else is written as URLs have it (RFC 3986 2.1), what is too long ends in a hash of the whole. So ids of objects,
    in which people write what they like, can be part of a name.
    """
    path = "/".join(map(escaped, filter(None, name.split("/")))) or "%"
    return path if len(path) <= NAME_LIMIT else _shortened(path.replace("/", "%2F"))


def escaped(piece: str) -> str:
    """``piece`` as one plain name, the same for the same text and for no other."""
    plain = "".join(
        it if it in _PLAIN and it != "%" else "".join(f"%{byte:02X}" for byte in it.encode("utf-8", "replace"))
        for it in piece
    )
    if plain.startswith("."):
        plain = f"%2E{plain[1:]}"
    return _shortened(plain)


def _shortened(piece: str) -> str:
    if len(piece) <= _PIECE:
        return piece
    return f"{piece[: _PIECE - _DIGEST - 1]}~{hashlib.sha256(piece.encode()).hexdigest()[:_DIGEST]}"


@dataclass(slots=True)
class Allowance:
    """How much raw output an action may still give."""

    outputs: int
    characters: int = ACTION_LIMIT

    @classmethod
    def of(cls, action: Action) -> Self:
        """What ``action`` may give as a whole."""
        attempts = int(action.parameters.get("attempts", 1))
        return cls(min(EACH * attempts * len(action.targets), MOST))

    def take(self, outputs: int, characters: int) -> bool:
        """Whether there is so much left, which then is taken off."""
        if outputs > self.outputs or characters > self.characters:
            return False
        self.outputs -= outputs
        self.characters -= characters
        return True
