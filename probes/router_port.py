"""The port for router solicitation on one interface: with that of DCP, all multicast that ever leaves a vantage point.

It sends nothing but the message of :func:`probes.router_packet.solicitation`, to all routers of the link (ff02::2),
which no router forwards.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from socket import IPPROTO_ICMPV6
from socket import IPPROTO_IPV6
from socket import IPV6_HOPLIMIT
from socket import IPV6_JOIN_GROUP
from socket import IPV6_MULTICAST_HOPS
from socket import IPV6_MULTICAST_IF
from socket import IPV6_MULTICAST_LOOP
from socket import IPV6_PKTINFO
from socket import IPV6_RECVHOPLIMIT
from socket import IPV6_RECVPKTINFO
from typing import TYPE_CHECKING

from probes.ports import Ticket
from probes.ports import ready
from probes.router_packet import ADVERTISEMENT
from probes.router_packet import HOP_LIMIT
from probes.router_packet import solicitation

if TYPE_CHECKING:
    from socket import socket

ICMPV6_FILTER = 1  # linux/icmpv6.h
ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"
ALL_NODES_PACKED = b"\xff\x02" + bytes(13) + b"\x01"
IPV6_HEADER_BYTES = 40
_LARGEST = 65_535  # bytes of a message


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message of a router advertisement's type."""

    message: bytes
    hop_limit: int  #: -1 where the kernel did not tell
    source: str  #: address, without scope
    interface: int  #: index; 0 where the kernel did not tell


class RouterPort:
    """Solicits the routers on one link, on behalf of one ticket, and hears what they advertise."""

    def __init__(self, opened: socket, ticket: Ticket, interface: int) -> None:
        self._socket = opened
        self._ticket = ticket
        self._interface = interface
        blocked = array("I", [0xFFFFFFFF] * 8)
        blocked[ADVERTISEMENT >> 5] &= ~(1 << (ADVERTISEMENT & 31))
        opened.setsockopt(IPPROTO_ICMPV6, ICMPV6_FILTER, blocked.tobytes())
        for option in (IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO):
            opened.setsockopt(IPPROTO_IPV6, option, 1)
        index = struct.pack("@I", interface)
        opened.setsockopt(IPPROTO_IPV6, IPV6_JOIN_GROUP, ALL_NODES_PACKED + index)
        opened.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_IF, index)
        opened.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOP_LIMIT)
        opened.setsockopt(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)
        opened.setblocking(False)

    def solicit(self, mac: bytes) -> None:
        """Send one solicitation, which must have been claimed.

        Raises:
            PermissionError: if it was not claimed. It is a bug of the caller; nothing is sent.
            OSError: if the kernel does not send it.
        """
        message = solicitation(mac)
        size = IPV6_HEADER_BYTES + len(message)
        if self._ticket.credit < size:
            raise PermissionError(f"nothing was claimed for {self._ticket.target.address}")
        self._ticket.credit -= size
        self._socket.sendto(message, (ALL_ROUTERS, 0, 0, self._interface))

    async def receive(self, timeout_s: float) -> Arrived | None:
        """The next message, from whichever interface; nothing if none came in time."""
        if not await ready(self._socket.fileno(), timeout_s):
            return None
        message, ancillary, _, peer = self._socket.recvmsg(_LARGEST, 256)
        hop_limit, interface = -1, 0
        for level, kind, data in ancillary:
            if (level, kind) == (IPPROTO_IPV6, IPV6_HOPLIMIT) and len(data) >= 4:
                hop_limit = int.from_bytes(data[:4], sys.byteorder, signed=True)
            elif (level, kind) == (IPPROTO_IPV6, IPV6_PKTINFO) and len(data) >= 20:
                interface = int.from_bytes(data[16:20], sys.byteorder)
        return Arrived(message, hop_limit, peer[0].partition("%")[0], interface)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
