"""What the gate hands out: tickets instead of addresses, and ports instead of sockets.

A port sends only to a ticket, and only what :meth:`probes.gate.Gate.claim` charged to it. The sockets inside are made
by the gate; the ports use the socket library for its constants alone. This module has what is common to them, and the
port to the kernel; see :mod:`probes.echo_port` and :mod:`probes.stream_port` for those to the network.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from contextlib import suppress
from socket import AF_INET
from socket import AF_INET6
from typing import TYPE_CHECKING

from probes.action import Target
from probes.limits import Device
from probes.limits import Zone

if TYPE_CHECKING:
    from socket import socket

RTM_GET = 2  #: the remainder by 4 of every netlink message type that asks
IP_RECVERR, IPV6_RECVERR = 11, 25  #: linux/in.h, linux/in6.h
_SOCKADDR4 = struct.Struct("=HBB4s8x")


class Ticket:
    """Leave to probe one address, given by the gate. Nothing can be sent without one."""

    __slots__ = (
        "connects", "credit", "device", "earliest_ns", "known", "on_link", "packed", "sockaddr", "target", "unlimited",
        "way", "zone",
    )  # fmt: skip

    def __init__(
        self,
        target: Target,
        packed: bytes,
        sockaddr: bytes,
        zone: Zone,
        device: Device,
        connects: bool,
        method: str = "",
    ) -> None:
        self.target = target
        self.packed = packed  #: the address, 4 or 16 bytes
        self.sockaddr = sockaddr  #: as the kernel wants it, with port and scope
        self.zone = zone
        self.device = device
        self.connects = connects  #: whether it is for connections rather than datagrams
        self.way = (method, sockaddr)  #: how the device is spoken to
        self.known = False  #: whether it has answered this way
        self.credit = 0  #: IP bytes that were claimed and not yet sent
        self.earliest_ns = 0  #: for a method's own spacing of attempts
        self.on_link = False  #: whether the kernel must resolve the address itself
        #: Whether no rate, budget or time window applies to it: only a stop does.
        self.unlimited = not (connects or zone.limited or zone.gap_ns)

    @property
    def lane(self) -> tuple[str, bool]:
        """Tickets of the same lane wait for the same budgets."""
        return self.zone.permit.zone, self.on_link

    @property
    def scope_id(self) -> int:
        """Index of the interface that a link-local address is on; 0 for others."""
        return int.from_bytes(self.sockaddr[24:28], sys.byteorder)


def pack_sockaddr(packed: bytes, port: int, scope_id: int) -> bytes:
    """``sockaddr_in`` or ``sockaddr_in6`` of a packed address."""
    if len(packed) == 4:
        return _SOCKADDR4.pack(AF_INET, port >> 8, port & 255, packed)
    return struct.pack("=H2sI16sI", AF_INET6, port.to_bytes(2), 0, packed, scope_id)


class NetlinkPort:
    """Questions to this host's kernel (rtnetlink(7)), and the one command that makes it ask for a neighbour."""

    def __init__(self, opened: socket) -> None:
        self._socket = opened
        self._socket.bind((0, 0))

    def ask(self, kind: int, message: bytes) -> list[bytes]:
        """Put a question (an ``RTM_GET...``, which changes and sends nothing) and return its answer's datagrams.

        Raises:
            PermissionError: if it is no question. It is a bug of the caller; nothing is sent.
        """
        if kind % 4 != RTM_GET:
            raise PermissionError(f"netlink message type {kind} asks nothing")
        return self._exchange(message)

    def solicit(self, ticket: Ticket, size: int, message: bytes) -> list[bytes]:
        """Have the kernel ask for the neighbour ``ticket``, which must have been claimed for ``size`` bytes.

        Raises:
            PermissionError: if it was not claimed, or the message is about another address. It is a bug of the caller.
        """
        if ticket.credit < size or ticket.packed not in message:
            raise PermissionError(f"nothing was claimed for {ticket.target.address}")
        ticket.credit -= size
        return self._exchange(message)

    def _exchange(self, message: bytes) -> list[bytes]:
        self._socket.send(message)
        datagrams = []
        with suppress(BlockingIOError):  # the kernel answers before send() returns
            while True:
                datagrams.append(self._socket.recv(1 << 18))
        return datagrams

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


async def ready(fd: int, timeout_s: float, *, write: bool = False) -> bool:
    """Wait until ``fd`` can be read (or written); false if the time was over first."""
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[bool] = loop.create_future()

    def wake(ready: bool) -> None:
        if not woken.done():
            woken.set_result(ready)

    (loop.add_writer if write else loop.add_reader)(fd, wake, True)
    timer = loop.call_later(timeout_s, wake, False)
    try:
        return await woken
    finally:
        timer.cancel()
        (loop.remove_writer if write else loop.remove_reader)(fd)
