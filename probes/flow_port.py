"""The port for one end of a cyclic flow: UDP datagrams to one ticket's address, stamped by the kernel on both ways.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from socket import AF_INET
from socket import AF_INET6
from socket import MSG_DONTWAIT
from socket import MSG_ERRQUEUE
from socket import SO_RCVBUF
from socket import SOL_SOCKET
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from probes.ports import Ticket
from probes.timestamps import OPT_ID
from probes.timestamps import SO_TIMESTAMPING
from probes.timestamps import STAMPS
from probes.timestamps import sent
from probes.timestamps import stamp_ns

if TYPE_CHECKING:
    from socket import socket

_SO_RCVBUFFORCE, _SO_MEMINFO = 33, 55  # asm-generic/socket.h
_RECEIVE_BYTES = 4 << 20
_LONGEST = 2048  #: octets of a datagram that are read
_CONTROL_BYTES = 256
_AT_ONCE = 256  #: datagrams or stamps read in one call, so that a flood cannot hold the caller


class Datagram(NamedTuple):
    """One datagram that came in."""

    data: bytes
    from_peer: bool  #: whether the ticket's address sent it
    port: int  #: that it came from
    utc_ns: int
    by_kernel: bool  #: whether the time is the kernel's stamp, and not that of reading


class FlowPort:
    """One UDP socket that sends to one address and hears everybody."""

    def __init__(self, opened: socket, ticket: Ticket, family: int, host: str, peer_port: int) -> None:
        self._socket = opened
        self._ticket = ticket
        self._family = family
        self._host = host
        self.peer_port = peer_port  #: where to send; 0 until it is known
        self.header_bytes = (20 if family == AF_INET else 40) + 8
        self.sent = 0  #: datagrams handed to the kernel
        self._base = 0  #: how many had been when the kernel last began to count
        opened.setblocking(False)
        with suppress(OSError):
            opened.setsockopt(SOL_SOCKET, SO_RCVBUF, _RECEIVE_BYTES)
            opened.setsockopt(SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BYTES)
        self._count_from_zero()

    def _count_from_zero(self) -> None:
        """Let the kernel number transmit stamps from zero; a failed send leaves it unclear where its count stands."""
        with suppress(OSError):
            self._socket.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, STAMPS)
            self._socket.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, STAMPS | OPT_ID)
        self._base = self.sent

    @property
    def local_port(self) -> int:
        """The port that it is bound to."""
        port: int = self._socket.getsockname()[1]
        return port

    def fileno(self) -> int:
        """Its descriptor, to wait for."""
        return self._socket.fileno()

    def send(self, data: bytes) -> int:
        """Send one datagram, which must have been claimed; returns the errno, or 0.

        Raises:
            PermissionError: if it was not claimed. It is a bug of the caller; nothing is sent.
        """
        size = len(data) + self.header_bytes
        if self._ticket.credit < size:
            raise PermissionError(f"nothing was claimed for {self._ticket.target.address}")
        self._ticket.credit -= size
        address: tuple[Any, ...] = (self._host, self.peer_port)
        if self._family == AF_INET6:
            address += (0, self._ticket.scope_id)
        try:
            self._socket.sendto(data, address)
        except OSError as error:
            self._count_from_zero()
            return error.errno or -1
        self.sent += 1
        return 0

    def stamps(self) -> Iterator[tuple[int, int]]:
        """When datagrams left, as far as the kernel has told: index of the sending (from 0), UTC nanoseconds."""
        with suppress(OSError):
            for _ in range(_AT_ONCE):
                _, ancillary, _, _ = self._socket.recvmsg(0, _CONTROL_BYTES, MSG_ERRQUEUE | MSG_DONTWAIT)
                told = sent(ancillary)
                if told is not None:
                    yield self._base + told[0], told[1]

    def receive(self) -> Iterator[Datagram]:
        """The datagrams that are queued."""
        with suppress(OSError):
            for _ in range(_AT_ONCE):
                data, ancillary, _, source = self._socket.recvmsg(_LONGEST, _CONTROL_BYTES, MSG_DONTWAIT)
                utc_ns = stamp_ns(ancillary)
                host = source[0].partition("%")[0]
                yield Datagram(data, host == self._host, source[1], utc_ns or time.time_ns(), bool(utc_ns))

    def drops(self) -> int:
        """Datagrams that the kernel threw away because the receive buffer was full."""
        return struct.unpack("=9I", self._socket.getsockopt(SOL_SOCKET, _SO_MEMINFO, 36))[8]  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
