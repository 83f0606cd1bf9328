"""Reading structures out of octets that somebody else has sent: what is not there is no answer in this protocol.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from functools import cache

from probes.applications import NotThisProtocol


@cache
def _layout(format: str) -> struct.Struct:
    return struct.Struct(format)


class Octets:
    """Octets, read from the front."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    @property
    def left(self) -> int:
        """How many are not read yet."""
        return len(self._octets) - self._at

    def take(self, count: int) -> bytes:
        """The next ``count`` octets.

        Raises:
            NotThisProtocol: if there are not so many.
        """
        if not 0 <= count <= self.left:
            raise NotThisProtocol(f"{count} octets where {self.left} are left")
        self._at += count
        return self._octets[self._at - count : self._at]

    def number(self, format: str) -> int:
        """The next number, in a format of :mod:`struct`.

        Raises:
            NotThisProtocol: if there is none.
        """
        layout = _layout(format)
        found: int = layout.unpack(self.take(layout.size))[0]
        return found
