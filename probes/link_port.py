"""The port for PROFINET DCP on the link of one ticket's address: one request, and what comes back for it.

It sends nothing but the message of :func:`probes.dcp_packet.identify`, which reads and names one station, to DCP's
multicast address, which no router forwards; and it takes nothing but answers that bear the Xid of what it sent.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import os
from socket import PACKET_HOST
from typing import TYPE_CHECKING

from probes.dcp_packet import ETHERTYPE
from probes.dcp_packet import EVERYBODY
from probes.dcp_packet import is_answer
from probes.dcp_packet import xid_of_request
from probes.ports import Ticket
from probes.ports import ready

if TYPE_CHECKING:
    from socket import socket

ARPHRD_ETHER = 1  #: linux/if_arp.h
MAC_BYTES = 6


class LinkPort:
    """One packet socket on one interface, for an exchange with one ticket's station."""

    def __init__(self, opened: socket, ticket: Ticket, interface: str) -> None:
        opened.bind((interface, ETHERTYPE))
        if opened.getsockname()[3] != ARPHRD_ETHER:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT), interface)
        self._socket = opened
        self._ticket = ticket
        self._interface = interface
        self._xid = -1  #: of no request
        self._sent = 0

    def send(self, octets: bytes) -> None:
        """Send one request.

        Raises:
            PermissionError: if it is another message. It is a bug of the caller; nothing is sent.
            OSError: if it cannot be sent.
        """
        xid = xid_of_request(octets)
        if xid is None:
            raise PermissionError(f"no request to identify one station: {octets[:16].hex()}")
        self._xid = xid
        self._socket.sendto(octets, (self._interface, ETHERTYPE, 0, 0, EVERYBODY))
        self._sent += 1

    async def receive(self, most: int, timeout_s: float) -> bytes | None:
        """The next answer to us: the sender's hardware address and the frame's content, its first ``most`` octets.

        What bears another Xid, or was not sent to this host, is left aside; ``None`` if no answer came in time.

        Raises:
            OSError: if the interface is gone or down.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while await ready(self._socket.fileno(), timeout_s):
                    came, (_, _, kind, _, source) = self._socket.recvfrom(most)
                    if kind == PACKET_HOST and len(source) == MAC_BYTES and is_answer(came, self._xid):
                        return bytes(source + came)
        except TimeoutError:
            pass
        return None

    def packets(self) -> int:
        """Frames sent."""
        return self._sent

    def close(self) -> None:
        """Give the socket and the device's place back."""
        self._ticket.device.connections -= 1
        self._socket.close()
