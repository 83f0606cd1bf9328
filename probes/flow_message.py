"""What the two ends of a cyclic flow say to each other: one frame in each UDP datagram. Pure.

A frame is a header of 28 octets, a body, and the CRC-32 of both; messages are padded to the flow's size. ``session``
is drawn anew by the talker for every run, and ``tag`` tells that both ends mean the same flow, asked in the same way.

======= ============================ ==================================================================
kind    number                       body
======= ============================ ==================================================================
HELLO   of the exchange              tag: the talker would like to begin
BYE     of the exchange              tag: the talker has sent its last message
REPLY   of the question              the listener's clock when the question came and when this left, and its boot
MESSAGE of the message, from 0       padding; ``time_ns`` is when the talker's schedule wants it to be sent
======= ============================ ==================================================================

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from pathlib import Path
from typing import Literal
from typing import NamedTuple
from zlib import crc32

HELLO, BYE, REPLY, MESSAGE = 1, 2, 3, 4
LEAST_BYTES = 32  #: of a message
SESSION_BYTES = 8

_MAGIC = b"PPcf"
_HEAD = struct.Struct("!4sB3x8sIq")
_CRC = struct.Struct("!I")
_REPLY = struct.Struct("!qq16s")
_TAG = struct.Struct("!I")
_BOOT = Path("/proc/sys/kernel/random/boot_id")

#: IP and UDP headers and the longest frame of an exchange.
EXCHANGE_BYTES = 40 + 8 + _HEAD.size + _REPLY.size + _CRC.size

#: Why something is no frame of this program: of another origin, or damaged on the way.
Fault = Literal["foreign", "corrupted"]


class Frame(NamedTuple):
    """One frame."""

    kind: int
    session: bytes
    number: int
    time_ns: int  #: UTC
    body: bytes = b""

    def packed(self, size: int = 0) -> bytes:
        """As sent; padded to ``size`` octets if it is shorter."""
        head = _HEAD.pack(_MAGIC, self.kind, self.session, self.number, self.time_ns) + self.body
        head = head.ljust(size - _CRC.size, b"\0")
        return head + _CRC.pack(crc32(head))


def unpack(data: bytes) -> Frame | Fault:
    """The frame in a datagram, or what else it is."""
    if data[:4] != _MAGIC:
        return "foreign"
    if len(data) < LEAST_BYTES or _CRC.unpack(data[-4:])[0] != crc32(data[:-4]):
        return "corrupted"
    _, kind, session, number, time_ns = _HEAD.unpack_from(data)
    return Frame(kind, session, number, time_ns, data[_HEAD.size : -4])


def tag(flow: str, interval_ns: int, size: int, count: int) -> bytes:
    """What both ends must agree on, in four octets."""
    return _TAG.pack(crc32(f"{flow}|{interval_ns}|{size}|{count}".encode()))


class Reply(NamedTuple):
    """Body of a REPLY."""

    came_ns: int  #: when the question came, by the listener's clock (UTC)
    left_ns: int  #: when this left
    boot: bytes  #: identity of the listener's running kernel; zeros if it does not tell

    def packed(self) -> bytes:
        """As sent."""
        return _REPLY.pack(*self)

    @classmethod
    def of(cls, body: bytes) -> Reply | None:
        """From a frame's body, if it is one."""
        return cls(*_REPLY.unpack_from(body)) if len(body) >= _REPLY.size else None


def boot_identity() -> bytes:
    """Identity of this running kernel (random(4)): where it is the same, so is the clock. Zeros if it is not told."""
    with suppress(OSError, ValueError):
        return bytes.fromhex(_BOOT.read_text("ascii").strip().replace("-", "")).ljust(16, b"\0")[:16]
    return bytes(16)
