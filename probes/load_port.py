"""The port for a test of rates over TCP: several connections to one admitted address, under one claim.

What was claimed is an upper bound of all that the connections move in both directions, and the port keeps it: it counts
every octet, and neither reads nor sends faster than it was told. That a reader is slow makes the sender wait (TCP's
window), which is how a limit holds for what a server sends.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from errno import EINPROGRESS
from errno import ETIMEDOUT
from socket import IPPROTO_TCP
from socket import SHUT_WR
from socket import SO_ERROR
from socket import SOL_SOCKET
from socket import TCP_INFO
from socket import TCP_NODELAY
from socket import TCP_NOTSENT_LOWAT
from socket import TCP_WINDOW_CLAMP
from typing import TYPE_CHECKING
from typing import Any

from probes import tcp_info
from probes.ports import Ticket
from probes.ports import ready
from probes.soundness import FULL

if TYPE_CHECKING:
    from socket import socket

CONNECTION_BYTES = 2048  #: IP bytes of a handshake, a request, an answer's head and a close
SLACK_S = 0.02  #: how far a reader that woke late may catch up
UNSENT_BYTES = 1 << 17  #: what waits in the kernel to be sent, a connection
AHEAD_S = 0.25  #: what a server may send ahead of a reader that is held back, at the permitted rate


class SpentError(Exception):
    """Everything that was claimed has been used."""


class NoConnectionError(OSError):
    """There is no connection."""

    def __init__(self, number: int, *, asked: bool) -> None:
        super().__init__(number, "no connection")
        self.asked = asked  #: whether the network was asked, or this host itself refused


class LoadPort:
    """The connections of one test."""

    def __init__(
        self, opener: Callable[[], socket], ticket: Ticket, address: tuple[Any, ...], size: int, bits_per_s: int
    ) -> None:
        self._opener = opener
        self._ticket = ticket
        self._address = address
        self._left = size
        self._bytes_per_s = bits_per_s / 8
        self._tokens = 0.0
        self._filled_s = time.monotonic()
        self._window = 0
        self.held_s = 0.0  #: how long connections waited for this limit and nothing else, all of them together
        self._streams: list[Stream] = []

    def hold_back(self, streams: int) -> None:
        """Keep servers from sending ahead of what is read: for a limit that must not be exceeded on the wire either."""
        self._window = max(int(self._bytes_per_s * AHEAD_S / streams), 4096)
        self._tokens = -float(self._window * streams)

    async def connect(self, timeout_s: float) -> Stream:
        """One more connection.

        Raises:
            NoConnectionError: if there is none; its ``errno`` says why, ``ETIMEDOUT`` if nothing came in time.
            OSError: if no socket can be had (out of descriptors or memory).
            SpentError: if too little is left of the claim.
        """
        self._spend(CONNECTION_BYTES)
        stream = Stream(self._opener(), self._spend)
        self._streams.append(stream)
        await stream.connect(self._address, timeout_s, self._window)
        return stream

    async def allowance(self, most: int) -> int:
        """How many octets may be moved, up to ``most``; waits until it is one."""
        began_s = time.monotonic()
        allowed = self._allowed(most)
        while not allowed:
            await asyncio.sleep(min((1 - self._tokens) / self._bytes_per_s + 1e-3, SLACK_S))
            allowed = self._allowed(most)
        self.held_s += time.monotonic() - began_s
        return allowed

    def _allowed(self, most: int) -> int:
        now_s = time.monotonic()
        self._tokens += (now_s - self._filled_s) * self._bytes_per_s
        self._filled_s = now_s
        self._tokens = min(self._tokens, self._bytes_per_s * SLACK_S + 1)
        return min(most, int(self._tokens)) if self._tokens >= 1 else 0

    def used(self, octets: int) -> None:
        """So many octets of the allowance were used."""
        self._tokens -= octets

    def acknowledged(self) -> tuple[int, int]:
        """Octets that the far end has acknowledged, and segments that were sent again, on all connections."""
        told = [tcp_info.acknowledged(stream.told()) for stream in self._streams]
        return sum(acked for acked, _ in told), sum(again for _, again in told)

    def kernel(self) -> dict[str, int]:
        """What the kernel says of the connections, see :func:`probes.tcp_info.told`."""
        return tcp_info.told([stream.told() for stream in self._streams])

    def fills_window(self, bits_per_s: float, min_rtt_us: int, streams: int) -> bool:
        """Whether servers that are held back could send no faster than this, all together, on so long a path."""
        in_flight = bits_per_s / 8 * min_rtt_us / 1e6 / streams
        return self._window > 0 and in_flight >= FULL * self._window

    @property
    def left(self) -> int:
        """IP bytes of the claim that were not used."""
        return self._left

    def close(self) -> None:
        """Close every connection and give the device's place back."""
        for stream in self._streams:
            stream.close()
        self._ticket.device.connections -= 1

    def _spend(self, size: int) -> None:
        if size > self._left:
            raise SpentError
        self._left -= size


class Stream:
    """One connection of a test."""

    least = 1  #: octets that are read at once, if there are so many, however few the limit allows

    def __init__(self, opened: socket, spend: Callable[[int], None]) -> None:
        self._socket = opened
        self._spend = spend
        self._last = bytes(tcp_info.SIZE)

    async def connect(self, address: tuple[Any, ...], timeout_s: float, window: int) -> None:
        """Shake hands; see :meth:`LoadPort.connect`."""
        opened = self._socket
        opened.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        opened.setsockopt(IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        if window:
            opened.setsockopt(IPPROTO_TCP, TCP_WINDOW_CLAMP, window)
        error = opened.connect_ex(address)
        asked = error == EINPROGRESS
        if asked:
            connected = await ready(opened.fileno(), timeout_s, write=True)
            error = opened.getsockopt(SOL_SOCKET, SO_ERROR) if connected else ETIMEDOUT
        if error:
            raise NoConnectionError(error, asked=asked)

    async def receive(self, buffer: memoryview, timeout_s: float) -> int:
        """Read what there is into ``buffer``; 0 if the far end has closed.

        Raises:
            TimeoutError: if nothing came in time.
            OSError: if the connection is gone.
        """
        while await ready(self._socket.fileno(), timeout_s):
            if (octets := self.take(buffer)) is not None:
                return octets
        raise TimeoutError

    def take(self, buffer: memoryview) -> int | None:
        """Read what there is at once; nothing if there is nothing, 0 if the far end has closed."""
        try:
            octets = self._socket.recv_into(buffer)
        except BlockingIOError:
            return None
        self._spend(ip_bytes(octets))
        return octets

    async def send(self, octets: memoryview, timeout_s: float) -> int:
        """Send a part of ``octets``, at least one; how many.

        Raises:
            TimeoutError: if none could be sent in time.
            OSError: if the connection is gone.
        """
        if not await ready(self._socket.fileno(), timeout_s, write=True):
            raise TimeoutError
        with suppress(BlockingIOError):
            sent = self._socket.send(octets)
            self._spend(ip_bytes(sent))
            return sent
        return 0

    def say_no_more(self) -> None:
        """Close this end's half in order."""
        self._socket.shutdown(SHUT_WR)

    def told(self) -> bytes:
        """``struct tcp_info`` as it is, or was when the connection was closed."""
        if self._socket.fileno() >= 0:
            self._last = self._socket.getsockopt(IPPROTO_TCP, TCP_INFO, tcp_info.SIZE).ljust(tcp_info.SIZE, b"\0")
        return self._last

    def close(self) -> None:
        """Close it; unread data makes the kernel tell the far end at once (RST), so that it sends no more."""
        self.told()
        self._socket.close()


def ip_bytes(payload: int) -> int:
    """IP bytes of so much payload, at the most that ordinary segments take."""
    return payload + payload // 10
