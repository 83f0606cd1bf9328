"""The gate: the only door through which anything leaves a vantage point.

No method, and no other module that a method uses, makes a socket or starts a program (a test reads their imports):
:mod:`probes.programs` starts what the gate lets it, and a task (:mod:`probes.tasks`) makes sockets in a process of its
own, which the gate starts and :mod:`probes.tasks.process` confines to one admitted address. A method asks the gate to
:meth:`~Gate.admit` a target and gets a :class:`Ticket` or a :class:`Refusal`; it asks for leave to send with
:meth:`~Gate.claim`, which keeps every limit of the zone and the device; and it sends through a port of the gate, which
takes tickets instead of addresses and refuses what was not claimed. So nothing reaches an address that the permit does
not name.

Limits, per zone: level, packets/s, bit/s, total bytes and a time window. Per device: one probe every
``1 / packets_per_s_per_device`` seconds (an echo is one probe, a TCP connection is one), twice as long after each probe
in a row that timed out, up to :data:`BACK_OFF_LIMIT` times, and ``max_connections_per_device`` at once. Rates are kept
as :class:`probes.pace.Pace` states.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import stat
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from probes import programs
from probes.action import Target
from probes.datagram_port import DatagramPort
from probes.echo_port import EchoPort
from probes.flow_port import FlowPort
from probes.limits import Device
from probes.limits import Zone
from probes.link_port import LinkPort
from probes.load_port import LoadPort
from probes.netlink import Kernel
from probes.permit import LEVELS
from probes.permit import Permit
from probes.ports import NetlinkPort
from probes.ports import Ticket
from probes.ports import pack_sockaddr
from probes.programs import Finished
from probes.redaction import redacted
from probes.router_port import RouterPort
from probes.serial_port import SerialPort
from probes.stream_port import StreamPort

#: Programs that may be run, all of which only read what the vantage point's own daemons know.
PROGRAMS = frozenset({"pmc"})
NEVER = -1  #: what :meth:`Gate.claim` says when nothing may be sent there any more
LOOK_NS = 20_000_000  #: how often at most the kill switch is looked at


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is sent to a target."""

    error: str  #: ``refused-by-guard`` or ``no-route``
    reason: str  #: machine-readable, for the observation's ``detail``


class Gate:
    """Keeps one vantage point's permit for one campaign; every action of the campaign passes the same gate."""

    def __init__(
        self,
        permit: Permit,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        utc: Callable[[], int] = time.time_ns,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Keep ``permit``; ``stop`` is the kill switch, looked at every :data:`LOOK_NS`; clocks are in nanoseconds."""
        self.permit = permit
        self.clock = clock
        self.alone = asyncio.Lock()  #: held by what loads this vantage point itself, and so must not meet its like
        self._stop = stop
        self._stopped = False
        self._look_ns = 0
        self._zones = {name: Zone(zone, utc) for name, zone in permit.zones.items()}
        self._networks = [(ip_network(cidr), zone) for cidr, zone in permit.networks.items()]
        self._other_spellings: dict[tuple[bytes, str], str] | None = None
        self._devices: dict[str, Device] = {}
        self._device_of: dict[str, Device] = {}

    # --- who may be probed -----------------------------------------------------------------------------------------

    def admit(self, target: Target, level: str, port: int = 0, method: str = "") -> Ticket | Refusal:
        """A ticket to send to ``target`` by ``method``, which needs ``level``, or why not. Sends nothing."""
        packed, scope = _parse(target.address)
        if why := _never(packed):
            return Refusal("refused-by-guard", why)
        name = self.permit.addresses.get(target.address) or self._zone_of(packed, scope)
        zone = self._zones.get(name) if name is not None else None
        if zone is None:
            return Refusal("refused-by-guard", "undeclared-address" if name is None else "zone-without-permit")
        if zone.rank < LEVELS.index(level):
            return Refusal("refused-by-guard", "level-too-high")
        try:
            scope_id = socket.if_nametoindex(scope) if scope or packed[:2] == b"\xfe\x80" else 0
        except OSError:
            return Refusal("no-route", "no-such-interface")
        return Ticket(
            target, packed, pack_sockaddr(packed, port, scope_id), zone, self._device(target, zone), bool(port), method
        )

    def admit_local(self, target: Target, level: str, method: str = "") -> Ticket | Refusal:
        """A ticket to use something at this vantage point itself, named by ``target.address``, or why not."""
        zone = self._zones.get(self.permit.local.get(target.address, ""))
        if zone is None:
            undeclared = target.address not in self.permit.local
            return Refusal("refused-by-guard", "undeclared-instrument" if undeclared else "zone-without-permit")
        if zone.rank < LEVELS.index(level):
            return Refusal("refused-by-guard", "level-too-high")
        return Ticket(target, b"", b"", zone, self._device(target, zone), connects=False, method=method)

    def _zone_of(self, packed: bytes, scope: str) -> str | None:
        """The zone that declares an address which the permit may spell in another way, or hold in a network."""
        if self._other_spellings is None:
            self._other_spellings = {_parse(text): zone for text, zone in self.permit.addresses.items()}
        if (packed, scope) in self._other_spellings:
            return self._other_spellings[packed, scope]
        number = int.from_bytes(packed)
        for network, zone in self._networks:
            if network.max_prefixlen == len(packed) * 8 and number >> network.max_prefixlen - network.prefixlen == (
                int(network.network_address) >> network.max_prefixlen - network.prefixlen
            ):
                broadcast = network.version == 4 and network.prefixlen < 31 and number == int(network.broadcast_address)
                return None if broadcast else zone
        return None

    def _device(self, target: Target, zone: Zone) -> Device:
        """The device behind a target: the same for all its addresses, and for all ids that share an address."""
        device = self._devices.get(target.id) or self._device_of.get(target.address)
        if device is None:
            device = Device(target.id, zone, self.permit.shared.get(target.address, 1))
        self._devices[target.id] = self._device_of[target.address] = device
        return device

    # --- when ------------------------------------------------------------------------------------------------------

    def halted(self, now_ns: int) -> bool:
        """Whether the kill switch has been thrown; once thrown, it stays so."""
        if not self._stopped and now_ns >= self._look_ns:
            self._look_ns = now_ns + LOOK_NS
            self._stopped = self._stop()
        return self._stopped

    def why_stopped(self, ticket: Ticket) -> str:
        """Why nothing may be sent on ``ticket`` any more; empty while something may."""
        return "kill-switch" if self._stopped else ticket.zone.stopped

    def claim(self, ticket: Ticket, packets: int, size: int, now_ns: int) -> int:
        """Ask for leave to send ``packets`` of ``size`` IP bytes together, as one probe.

        Returns:
            0 if they are charged and may be sent at once; the nanoseconds to wait before asking again; or
            :data:`NEVER` (:meth:`why_stopped` says why).
        """
        zone = ticket.zone
        if zone.stopped or self.halted(now_ns):
            return NEVER
        wait_ns = ticket.device.wait_ns(now_ns, ticket.connects)
        if wait_ns:
            return wait_ns
        if zone.limited:
            wait_ns = zone.wait_ns(now_ns, packets, size)
            if wait_ns:
                return NEVER if zone.stopped else wait_ns
            zone.charge(now_ns, packets, size)
        ticket.device.probe(now_ns, ticket.connects)
        ticket.credit += size
        return 0

    def claim_unlimited(self, tickets: Sequence[Ticket], size: int, now_ns: int) -> bool:
        """The same for many datagrams at once, to tickets of one zone, all of them :attr:`Ticket.unlimited`.

        Returns:
            Whether they may be sent at once; otherwise nothing may be sent into that zone any more.
        """
        if self.halted(now_ns) or (tickets and tickets[0].zone.stopped):
            return False
        for ticket in tickets:
            ticket.credit += size
        return True

    def stops(self) -> dict[str, str]:
        """Why nothing may be sent any more into which zone: a silent device, a spent budget or a closed window."""
        return {name: zone.stopped for name, zone in self._zones.items() if zone.stopped}

    def heard(self, ticket: Ticket) -> None:
        """The device answered a probe, in whatever way."""
        ticket.device.heard(ticket.way)
        ticket.known = True

    def silent(self, ticket: Ticket) -> None:
        """A probe of the device timed out: back off, and stop the zone if a device that had answered is gone."""
        device = ticket.device
        if device.silent(ticket.way) and not ticket.zone.stopped:
            ticket.zone.stopped = f"device-went-silent: {device.id}"

    # --- through which door ----------------------------------------------------------------------------------------

    def echo_port(self, version: int, receive_bytes: int | None = None) -> EchoPort:
        """A port for echo over IP ``version`` 4 or 6: raw, or else an unprivileged ping socket.

        Raises:
            PermissionError: if the kernel allows neither.
        """
        family, protocol = (
            (socket.AF_INET, socket.IPPROTO_ICMP) if version == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
        )
        try:
            opened, raw = socket.socket(family, socket.SOCK_RAW, protocol), True
        except PermissionError:
            opened, raw = socket.socket(family, socket.SOCK_DGRAM, protocol), False
        return EchoPort(opened, raw=raw, clock=self.clock, receive_bytes=receive_bytes)

    def stream_port(self, ticket: Ticket, size: int) -> StreamPort:
        """A port for one TCP connection of at most ``size`` IP bytes, which must have been claimed.

        Raises:
            PermissionError: if it was not claimed. It is a bug of the caller; nothing is sent.
            OSError: if no socket can be had (out of descriptors or memory).
        """
        with self._place(ticket, size) as opened:
            family, address = _socket_address(ticket)
            made = opened.enter_context(socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
            return StreamPort(made, ticket, address)

    def datagram_port(self, ticket: Ticket, size: int) -> DatagramPort:
        """A port for an exchange of datagrams of at most ``size`` IP bytes, which must have been claimed.

        Raises:
            PermissionError: if it was not claimed. It is a bug of the caller; nothing is sent.
            OSError: if no socket can be had, or there is no route.
        """
        with self._place(ticket, size) as opened:
            family, address = _socket_address(ticket)
            made = opened.enter_context(socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            return DatagramPort(made, ticket, address)

    def link_port(self, ticket: Ticket, size: int) -> LinkPort:
        """A port for one exchange of PROFINET DCP on the link of the ticket's address, which must have been claimed.

        Raises:
            PermissionError: if it was not claimed, a bug of the caller, or the kernel allows no packet socket
                (``EPERM``); nothing is sent.
            OSError: if the address is on none of this host's links (``EHOSTUNREACH``), or that is no Ethernet
                (``EAFNOSUPPORT``), or no socket can be had.
        """
        with self._place(ticket, size) as opened:
            interface = self._interface_of(ticket)
            made = opened.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK))
            return LinkPort(made, ticket, interface)

    def _interface_of(self, ticket: Ticket) -> str:
        """The interface on whose link this host reaches the ticket's address without a router."""
        kernel = Kernel(self.netlink_port())
        try:
            route = kernel.route(ticket.packed, ticket.scope_id)
        finally:
            kernel.close()
        if route is None or not route.on_link or not route.interface:
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH), ticket.target.address)
        return socket.if_indextoname(route.interface)

    def load_port(self, ticket: Ticket, size: int, bits_per_s: int) -> LoadPort:
        """A port for a test of rates: TCP connections that move ``size`` IP bytes at most, all of them together.

        Raises:
            PermissionError: if these were not claimed. It is a bug of the caller; nothing is sent.
        """
        self._spend(ticket, size)
        family, address = _socket_address(ticket)
        opener = partial(socket.socket, family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        return LoadPort(opener, ticket, address, size, bits_per_s)

    def flow_port(self, ticket: Ticket, local: str, port: int = 0, peer_port: int = 0) -> FlowPort:
        """A port for one end of a cyclic flow with ``ticket``, bound to the address ``local`` of this vantage point.

        Args:
            ticket: the other end.
            local: own address of the same IP version.
            port: own UDP port; 0 lets the kernel choose.
            peer_port: UDP port of the other end; 0 if it is to be learnt from what it sends.

        Raises:
            OSError: if the address is none, or not this host's, or the port is taken.
        """
        family = socket.AF_INET if len(ticket.packed) == 4 else socket.AF_INET6
        host = local.partition("%")[0]
        socket.inet_pton(family, host)  # a name would be looked up
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.bind((host, port) if family == socket.AF_INET else (host, port, 0, ticket.scope_id))
            return FlowPort(opened, ticket, family, socket.inet_ntop(family, ticket.packed), peer_port)
        except OSError:
            opened.close()
            raise

    def router_port(self, ticket: Ticket, interface: int) -> RouterPort:
        """A port for router solicitation on ``interface``, for a ticket to a link.

        Raises:
            PermissionError: if the kernel does not allow it.
            ValueError: if the ticket is for something else. It is a bug of the caller.
            OSError: if there is no such interface.
        """
        _, slash, length = ticket.target.address.partition("/")
        if ticket.packed or not (slash and length.isdigit()):
            raise ValueError(f"{ticket.target.address} is no link")
        opened = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        try:
            return RouterPort(opened, ticket, interface)
        except OSError:
            opened.close()
            raise

    async def run_program(
        self, ticket: Ticket, size: int, argv: Sequence[str], *, timeout_s: float, output_bytes: int = 1 << 20
    ) -> Finished:
        """Run a program of :data:`PROGRAMS` on behalf of ``ticket``, for which ``size`` bytes must have been claimed.

        Raises:
            PermissionError: if they were not, or it is another program. It is a bug of the caller; nothing is run.
            OSError: if it cannot be started.
        """
        self._spend(ticket, size)
        if argv[0] not in PROGRAMS:
            raise PermissionError(f"{argv[0]} is no program of the gate")
        return await programs.run(
            argv, stdin=b"", timeout_s=timeout_s, output_bytes=output_bytes, stopped=partial(self._ends, ticket)
        )

    async def run_task(
        self,
        ticket: Ticket,
        size: int,
        module: str,
        request: Any,  # noqa: ANN401 - JSON
        *,
        timeout_s: float,
        output_bytes: int = 16 << 20,
        credentials: bool = False,
        port: int = 0,
        words: Collection[str] = (),
    ) -> Finished:
        """Run the task ``module`` (see :mod:`probes.tasks`) in a one-shot process that may speak to ``ticket`` only.

        Its reply is JSON in :attr:`Finished.reply`, there only if it performed to the end. If it needs ``credentials``,
        those of the address are put into the request, and taken out of whatever the task writes, except out of texts of
        the reply that are among its own ``words``. It may speak to no other port than ``port``, or else the ticket's;
        to any, if neither names one.

        Raises:
            PermissionError: if ``size`` bytes were not claimed. It is a bug of the caller; nothing is run.
            OSError: if it cannot be started.
        """
        self._spend(ticket, size)
        argv, keep = programs.interpreter("probes.tasks.process")
        secret = self.permit.credentials.get(ticket.target.address) if credentials else None
        whole = {**request, "credentials": secret} if credentials else request
        order = {
            "module": module,
            "address": ticket.target.address,
            "port": port or int.from_bytes(ticket.sockaddr[2:4]),
            "request": whole,
            "parent": os.getpid(),
        }
        finished = await programs.run(
            argv,
            stdin=json.dumps(order).encode(),
            timeout_s=timeout_s,
            output_bytes=output_bytes,
            stopped=partial(self._ends, ticket),
            keep=keep,
        )
        if finished.sound and not finished.reply.endswith(programs.END.encode()):
            finished = replace(finished, ended_by="reply")
        return redacted(finished, secret, words)

    def serial_port(self, ticket: Ticket) -> SerialPort:
        """The command port that ``ticket`` names, which :meth:`admit_local` has given; questions must be claimed.

        Raises:
            PermissionError: if the ticket is for an address. It is a bug of the caller; nothing is opened.
            OSError: if it is not there (``ENOENT``), may not be opened (``EACCES``), is no terminal (``ENOTTY``), or
                somebody else has it (``EBUSY``).
        """
        if self.permit.local.get(ticket.target.address) is None:
            raise PermissionError(f"{ticket.target.address} is no instrument of this vantage point")
        flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC
        return SerialPort(os.open(ticket.target.address, flags), ticket)

    def find_listener(self, ticket: Ticket) -> None:
        """See that somebody listens on the management socket that ``ticket`` names; says nothing to it.

        Raises:
            PermissionError: if the ticket is for an address, a bug of the caller; or it may not be used (``EACCES``).
            OSError: if it is not there (``ENOENT``), is no socket (``ENOTSOCK``) or one of another type
                (``EPROTOTYPE``), or its owner is gone (``ECONNREFUSED``).
        """
        path = ticket.target.address
        if self.permit.local.get(path) is None:
            raise PermissionError(f"{path} is no instrument of this vantage point")
        if not stat.S_ISSOCK(Path(path).stat().st_mode):
            raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK), path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
            opened.connect(path)

    @contextmanager
    def _place(self, ticket: Ticket, size: int) -> Iterator[ExitStack]:
        """Spend the claim; if the port cannot be had, give back the device's place and close what was opened for it."""
        self._spend(ticket, size)
        with ExitStack() as opened:
            try:
                yield opened
            except OSError:
                ticket.device.connections -= 1
                raise
            opened.pop_all()

    def _spend(self, ticket: Ticket, size: int) -> None:
        if ticket.credit < size or size < 1:
            raise PermissionError(f"nothing was claimed for {ticket.target.address}")
        ticket.credit -= size

    def _ends(self, ticket: Ticket) -> bool:
        return self.halted(self.clock()) or bool(ticket.zone.stopped)

    def netlink_port(self) -> NetlinkPort:
        """A port to this host's own kernel for routes and neighbours; it puts no IP packet on a wire."""
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        return NetlinkPort(opened)


def _socket_address(ticket: Ticket) -> tuple[int, tuple[Any, ...]]:
    """Family and address of a ticket, as Python's sockets want them."""
    family = socket.AF_INET if len(ticket.packed) == 4 else socket.AF_INET6
    host, port = socket.inet_ntop(family, ticket.packed), int.from_bytes(ticket.sockaddr[2:4])
    return family, (host, port) if family == socket.AF_INET else (host, port, 0, ticket.scope_id)


def may_open(family: int, kind: int, protocol: int) -> bool:
    """Whether the kernel lets this process open such a socket. It is closed at once, and nothing is sent."""
    try:
        socket.socket(family, kind, protocol).close()
    except OSError:
        return False
    return True


def _parse(text: str) -> tuple[bytes, str]:
    """Packed address and scope (interface) of an address as text; nothing packed if it is none."""
    try:
        if ":" not in text:
            return socket.inet_pton(socket.AF_INET, text), ""
        host, _, scope = text.partition("%")
        return socket.inet_pton(socket.AF_INET6, host), scope
    except OSError:
        return b"", ""


def _never(packed: bytes) -> str:
    """Why no probe may ever go to such an address, whatever the permit says; empty if one may."""
    if len(packed) == 4:
        if 0 < packed[0] < 224:
            return ""
        if packed[0] == 0:
            return "unspecified"  # the kernel would take it for this host
        return "broadcast" if packed == b"\xff" * 4 else "multicast" if packed[0] < 240 else "reserved-address"
    if not packed:
        return "not-an-address"
    if not any(packed):
        return "unspecified"
    if packed[0] == 255:
        return "multicast"
    if packed[:12] == bytes(10) + b"\xff\xff":
        return "mapped-address"  # the same host has an IPv4 address, which the permit must name
    return ""
