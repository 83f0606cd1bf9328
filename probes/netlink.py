"""Routes and neighbours of this host, asked of its kernel by rtnetlink(7). Messages made and read as pure functions.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
import sys
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from probes.ports import NetlinkPort
from probes.ports import Ticket

if TYPE_CHECKING:
    from probes.gate import Gate

# linux/netlink.h, linux/rtnetlink.h, linux/neighbour.h
NLMSG_ERROR, RTM_NEWROUTE, RTM_GETROUTE, RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 2, 24, 26, 28, 29, 30
REQUEST, ACK, REPLACE, CREATE, DUMP = 0x1, 0x4, 0x100, 0x400, 0x300
RTM_NEWLINK, RTM_GETLINK, RTM_NEWADDR, RTM_GETADDR, IFA_ADDRESS, IFLA_ADDRESS = 16, 18, 20, 22, 1, 1
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA = 1, 4, 5, 9, 18
NDA_DST, NDA_LLADDR, NTF_USE = 1, 2, 1
INCOMPLETE, REACHABLE, STALE, DELAY, PROBE, FAILED, NOARP, PERMANENT = (1 << bit for bit in range(8))
UNICAST, LOCAL, BROADCAST = 1, 2, 3

#: On-link addresses that may be asked for together, so that their entries fit in the kernel's neighbour table.
COHORT = 256

_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEIGHBOUR = struct.Struct("=BxxxiHBB")
_ADDRESS = struct.Struct("=BBBBI")
_LINK = struct.Struct("=BxHiII")
_FAMILY = {4: 2, 16: 10}  #: AF_INET and AF_INET6 by the length of an address


@dataclass(frozen=True, slots=True)
class Route:
    """Where the kernel sends packets for an address, or for a prefix."""

    kind: int  #: :data:`UNICAST`, :data:`LOCAL`, :data:`BROADCAST`, ...
    prefix: bytes  #: packed; empty for the default route
    length: int
    interface: int  #: index; 0 if there is none, or several
    gateway: bytes  #: packed; empty if the address is on link

    @property
    def on_link(self) -> bool:
        """Whether the kernel must resolve the address itself."""
        return self.kind == UNICAST and not self.gateway


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry of the kernel's neighbour table."""

    state: int
    mac: bytes


def messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, payload) of each whole netlink message in a datagram; never raises."""
    start = 0
    while start + _HEADER.size <= len(datagram):
        length, kind = _HEADER.unpack_from(datagram, start)[:2]
        if length < _HEADER.size or start + length > len(datagram):
            return
        yield kind, datagram[start + _HEADER.size : start + length]
        start += (length + 3) & ~3


def attributes(payload: bytes) -> dict[int, bytes]:
    """Attributes by type; what is malformed ends the list."""
    found: dict[int, bytes] = {}
    start = 0
    while start + 4 <= len(payload):
        length, kind = struct.unpack_from("=HH", payload, start)
        if length < 4 or start + length > len(payload):
            break
        found[kind & 0x3FFF] = payload[start + 4 : start + length]
        start += (length + 3) & ~3
    return found


def parse_route(payload: bytes) -> Route | None:
    """A route message; nothing if it is too short to be one."""
    if len(payload) < _ROUTE.size:
        return None
    _, length, _, _, _, _, _, kind, _ = _ROUTE.unpack_from(payload)
    found = attributes(payload[_ROUTE.size :])
    interface = int.from_bytes(found.get(RTA_OIF, b"")[:4], sys.byteorder)
    gateway = found.get(RTA_GATEWAY) or found.get(RTA_VIA, b"")[2:] or found.get(RTA_MULTIPATH, b"")
    return Route(kind, found.get(RTA_DST, b""), length, interface, gateway)


def parse_neighbour(payload: bytes) -> tuple[tuple[int, bytes], Neighbour] | None:
    """A neighbour message as ((interface, address), entry); nothing if it is too short or has no address."""
    if len(payload) < _NEIGHBOUR.size:
        return None
    _, interface, state, _, _ = _NEIGHBOUR.unpack_from(payload)
    found = attributes(payload[_NEIGHBOUR.size :])
    address = found.get(NDA_DST, b"")
    return ((interface, address), Neighbour(state, found.get(NDA_LLADDR, b""))) if address else None


def parse_address(payload: bytes) -> tuple[int, bytes] | None:
    """An address message as (interface, address); nothing if it is too short or has no address."""
    if len(payload) < _ADDRESS.size:
        return None
    address = attributes(payload[_ADDRESS.size :]).get(IFA_ADDRESS, b"")
    return (_ADDRESS.unpack_from(payload)[4], address) if address else None


def parse_link(payload: bytes) -> tuple[int, bytes] | None:
    """A link message as (interface, link-layer address); nothing if it is too short."""
    if len(payload) < _LINK.size:
        return None
    return _LINK.unpack_from(payload)[2], attributes(payload[_LINK.size :]).get(IFLA_ADDRESS, b"")


class Kernel:
    """Questions to the kernel; each is answered at once."""

    def __init__(self, port: NetlinkPort) -> None:
        self._port = port

    def route(self, packed: bytes, interface: int = 0) -> Route | None:
        """The route that a packet to this address would take now; nothing if there is none."""
        body = _ROUTE.pack(_FAMILY[len(packed)], len(packed) * 8, 0, 0, 0, 0, 0, 0, 0) + _attribute(RTA_DST, packed)
        if interface:
            body += _attribute(RTA_OIF, struct.pack("=I", interface))
        for kind, payload in self._ask(RTM_GETROUTE, REQUEST, body):
            if kind == RTM_NEWROUTE:
                return parse_route(payload)
        return None

    def routes(self) -> list[Route]:
        """All routes of all tables."""
        answer = self._ask(RTM_GETROUTE, REQUEST | DUMP, _ROUTE.pack(0, 0, 0, 0, 0, 0, 0, 0, 0))
        parsed = [parse_route(payload) for kind, payload in answer if kind == RTM_NEWROUTE]
        return [route for route in parsed if route is not None]

    def neighbours(self) -> dict[tuple[int, bytes], Neighbour]:
        """The neighbour tables (ARP and ND) by (interface, address)."""
        answer = self._ask(RTM_GETNEIGH, REQUEST | DUMP, _NEIGHBOUR.pack(0, 0, 0, 0, 0))
        return dict(filter(None, (parse_neighbour(payload) for kind, payload in answer if kind == RTM_NEWNEIGH)))

    def addresses(self) -> list[tuple[int, bytes]]:
        """This host's own addresses, packed, each with the index of its interface."""
        answer = self._ask(RTM_GETADDR, REQUEST | DUMP, _ADDRESS.pack(0, 0, 0, 0, 0))
        parsed = [parse_address(payload) for kind, payload in answer if kind == RTM_NEWADDR]
        return [address for address in parsed if address is not None]

    def links(self) -> dict[int, bytes]:
        """Link-layer addresses by index of the interface."""
        answer = self._ask(RTM_GETLINK, REQUEST | DUMP, _LINK.pack(0, 0, 0, 0, 0))
        return dict(filter(None, (parse_link(payload) for kind, payload in answer if kind == RTM_NEWLINK)))

    def solicit(self, ticket: Ticket, size: int, interface: int, mac: bytes) -> int:
        """Have the kernel ask for a claimed neighbour: by broadcast or multicast, or by unicast to a ``mac`` it had.

        Returns an errno, 0 if it does.
        """
        state, flags = (PROBE, 0) if mac else (0, NTF_USE)
        body = _NEIGHBOUR.pack(_FAMILY[len(ticket.packed)], interface, state, flags, 0)
        body += _attribute(NDA_DST, ticket.packed)
        if mac:
            body += _attribute(NDA_LLADDR, mac)
        request = _request(RTM_NEWNEIGH, REQUEST | ACK | CREATE | REPLACE, body)
        return _errno(self._port.solicit(ticket, size, request))

    def forget(self, ticket: Ticket, interface: int) -> int:
        """Take an entry out of the neighbour table, which also ends the kernel's asking for it. Returns an errno."""
        body = _NEIGHBOUR.pack(_FAMILY[len(ticket.packed)], interface, 0, 0, 0) + _attribute(NDA_DST, ticket.packed)
        return _errno(self._port.solicit(ticket, 0, _request(RTM_DELNEIGH, REQUEST | ACK, body)))

    def _ask(self, kind: int, flags: int, body: bytes) -> Iterator[tuple[int, bytes]]:
        for datagram in self._port.ask(kind, _request(kind, flags, body)):
            yield from messages(datagram)

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def mark_on_link(gate: Gate, tickets: Iterable[Ticket]) -> None:
    """Find out which tickets' addresses this host must resolve itself: longest prefix over all tables.

    Policy rules are not looked at: this decides how many neighbours are asked for at a time, not what is true of them.
    """
    kernel = Kernel(gate.netlink_port())
    routes = kernel.routes()
    kernel.close()
    tables: dict[int, dict[int, dict[int, bool]]] = {4: defaultdict(dict), 16: defaultdict(dict)}
    for route in routes:
        if route.prefix and len(route.prefix) in tables:
            width = len(route.prefix) * 8 - route.length
            tables[len(route.prefix)][width][int.from_bytes(route.prefix) >> width] = route.on_link
    widths = {length: sorted(table) for length, table in tables.items()}
    small = {length for length in tables if _on_link_addresses(tables[length]) <= COHORT}
    for ticket in tickets:
        if len(ticket.packed) in small:
            continue  # so few addresses cannot fill the neighbour table
        number, table = int.from_bytes(ticket.packed), tables[len(ticket.packed)]
        for width in widths[len(ticket.packed)]:
            found = table[width].get(number >> width)
            if found is not None:
                ticket.on_link = found
                break


def _on_link_addresses(table: dict[int, dict[int, bool]]) -> int:
    return sum((1 << width) * sum(prefixes.values()) for width, prefixes in table.items())


def unresolved_hop(gate: Gate, ticket: Ticket) -> str | None:
    """The next hop to a ticket's address, if nobody answers for it on the link (so packets wait here); else nothing."""
    kernel = Kernel(gate.netlink_port())
    try:
        route = kernel.route(ticket.packed, ticket.scope_id)
        if route is None:
            return None
        hop = route.gateway or ticket.packed
        entry = kernel.neighbours().get((route.interface, hop))
        return address_text(hop) if entry is not None and entry.state & (INCOMPLETE | FAILED) else None
    finally:
        kernel.close()


def known_mac(gate: Gate, ticket: Ticket) -> bytes:
    """The hardware address under which the kernel knows a ticket's on-link address; nothing if it does not."""
    kernel = Kernel(gate.netlink_port())
    try:
        route = kernel.route(ticket.packed, ticket.scope_id)
        entry = kernel.neighbours().get((route.interface, ticket.packed)) if route is not None else None
        return entry.mac if entry is not None and not entry.state & (INCOMPLETE | FAILED | NOARP) else b""
    finally:
        kernel.close()


def address_text(packed: bytes) -> str:
    """A packed address as text, for a detail."""
    return str(ip_address(packed)) if len(packed) in _FAMILY else packed.hex()


def _request(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body


def _errno(datagrams: list[bytes]) -> int:
    for datagram in datagrams:
        for kind, payload in messages(datagram):
            if kind == NLMSG_ERROR and len(payload) >= 4:
                return -int.from_bytes(payload[:4], sys.byteorder, signed=True)
    return 0


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)
