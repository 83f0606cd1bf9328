"""Method ``router-solicitation``: does a router of this link offer itself as a default router (RFC 4861)?

The target's address is an IPv6 prefix; the link is the one on which this vantage point has an address in it. One
solicitation is sent to all routers of that link (RFC 4861 6.3.7), and advertisements are awaited, solicited or not. The
quantity ``router-lifetime`` is the Router Lifetime in s of the first valid advertisement that offers a default router,
or 0 if only others came. An advertisement that is not valid (RFC 4861 6.1.2), came over another interface, or came late
is none; the first two are counted. A router may delay its answer by 0.5 s, and multicasts only every 3 s (RFC 4861
6.2.6), so 4 s are waited as a rule, which is RTR_SOLICITATION_INTERVAL.

This vantage point's own kernel hears the advertisements as well, and heeds them as it is configured to.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from ipaddress import IPv6Address
from ipaddress import IPv6Network
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.leave import leave
from probes.methods import Emit
from probes.methods import Method
from probes.netlink import Kernel
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.ports import Ticket
from probes.record import Recorder
from probes.record import compact
from probes.router_packet import Advertisement
from probes.router_packet import read_advertisement
from probes.router_port import Arrived
from probes.router_port import RouterPort

LEVEL = "query"
BYTES = 56  #: IPv6 header, solicitation, and the sender's link-layer address
LOOK_S = 0.1  #: longest wait between two looks at the kill switch
MOST_TOLD = 16  #: prefixes and resolvers in the detail
NO_PRIVILEGE_CURE = "run as root, or give the interpreter cap_net_raw, on the vantage point"


@dataclass(frozen=True, slots=True)
class SolicitationParameters:
    """Parameters of the method."""

    attempts: int = 1  #: solicitations on each link, one after the other
    timeout_ms: float = 4000  #: how long advertisements are awaited

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.timeout_ms > 0):
            raise ValueError(f"attempts and timeout_ms must be positive: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> SolicitationParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})


def cost(action: Action, permit: Permit) -> Cost:
    """One packet for each attempt on each link; the links are listened to at the same time."""
    parameters = SolicitationParameters.of(action.parameters)
    gate = Gate(permit)
    admitted = [gate.admit_local(target, LEVEL) for target in action.targets]
    packets = parameters.attempts * sum(not isinstance(it, Refusal) for it in admitted)
    waiting_s = parameters.attempts * parameters.timeout_ms / 1000 if packets else 0.0
    return Cost(packets, packets * BYTES, waiting_s, LEVEL)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = SolicitationParameters.of(action.parameters)
    recorder = Recorder(action, "router-lifetime", "s")
    await asyncio.gather(*(_Link(gate, it, parameters, recorder, emit).run() for it in action.targets))


class _Link:
    """One link, named by a prefix on it."""

    def __init__(
        self, gate: Gate, target: Target, parameters: SolicitationParameters, recorder: Recorder, emit: Emit
    ) -> None:
        self._gate = gate
        self._target = target
        self._parameters = parameters
        self._record = recorder
        self._emit = emit
        self._left_aside: Counter[str] = Counter()

    async def run(self) -> None:
        """One observation for each attempt."""
        ticket = self._gate.admit_local(self._target, LEVEL, "router-solicitation")
        if isinstance(ticket, Refusal):
            self._fail_all(ticket.error, reason=ticket.reason)
            return
        found = _interface(self._gate, self._target.address)
        if found is None:
            self._fail_all("no-route", reason="no-address-in-prefix")
            return
        try:
            port = self._gate.router_port(ticket, found[0])
        except PermissionError:
            self._fail_all("no-privilege", cure=NO_PRIVILEGE_CURE)
            return
        try:
            for attempt in range(self._parameters.attempts):
                await self._attempt(attempt, ticket, port, *found)
        finally:
            port.close()

    async def _attempt(self, attempt: int, ticket: Ticket, port: RouterPort, interface: int, mac: bytes) -> None:
        if await leave(self._gate, ticket, 1, BYTES) == NEVER:
            self._fail(attempt, "stopped", reason=self._gate.why_stopped(ticket))
            return
        stamps = time.time_ns(), self._gate.clock()
        try:
            port.solicit(mac)
        except OSError as error:
            self._fail(attempt, "send-failed", errno=errno.errorcode.get(error.errno or 0, ""))
            return
        self._left_aside.clear()
        heard = await self._listen(port, interface, stamps[1] + int(self._parameters.timeout_ms * 1e6))
        facts = {"interface": _name(interface), **self._left_aside}
        if heard is not None:
            facts = _told(*heard) | facts
            row = self._record.value(self._target, attempt, float(heard[1].lifetime_s), *stamps, compact(facts))
            self._emit([row])
        elif self._gate.halted(self._gate.clock()):
            self._fail(attempt, "stopped", *stamps, reason="kill-switch", sent=True)
        else:
            self._fail(attempt, "timeout", *stamps, **facts)

    async def _listen(self, port: RouterPort, interface: int, until_ns: int) -> tuple[str, Advertisement] | None:
        """The first advertisement of a default router, with its sender; else the first of any router, if one came."""
        other = None
        while (left_ns := until_ns - self._gate.clock()) > 0 and not self._gate.halted(self._gate.clock()):
            arrived = await port.receive(min(left_ns / SECOND_NS, LOOK_S))
            if arrived is None:
                continue
            heard = self._read(arrived, interface)
            if heard is not None and heard.lifetime_s:
                return arrived.source, heard
            if heard is not None and other is None:
                other = arrived.source, heard
        return other

    def _read(self, arrived: Arrived, interface: int) -> Advertisement | None:
        if arrived.interface != interface:
            self._left_aside["other_interface"] += 1
            return None
        source = socket.inet_pton(socket.AF_INET6, arrived.source)
        heard = read_advertisement(arrived.message, arrived.hop_limit, source)
        self._left_aside.update([] if heard else ["invalid"])
        return heard

    def _fail_all(self, error: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
        for attempt in range(self._parameters.attempts):
            self._fail(attempt, error, **facts)

    def _fail(self, attempt: int, error: str, *stamps: int, **facts: Any) -> None:  # noqa: ANN401 - JSON
        self._emit([self._record.error(self._target, attempt, error, *stamps, **facts)])


def _interface(gate: Gate, prefix: str) -> tuple[int, bytes] | None:
    """Index and link-layer address of the interface with an address in ``prefix``; nothing if there is none."""
    network = IPv6Network(prefix)
    kernel = Kernel(gate.netlink_port())
    try:
        for index, packed in kernel.addresses():
            if len(packed) == 16 and IPv6Address(packed) in network:
                return index, kernel.links().get(index, b"")
    finally:
        kernel.close()
    return None


def _name(interface: int) -> str:
    return dict(socket.if_nameindex()).get(interface, str(interface))


def _told(source: str, heard: Advertisement) -> dict[str, Any]:
    """What an advertisement says, few enough of everything for a detail."""
    return {
        "router": source,
        "managed": heard.managed,
        "other": heard.other,
        "hop_limit": heard.hop_limit,
        "mtu": heard.mtu,
        "prefixes": [asdict(prefix) for prefix in heard.prefixes[:MOST_TOLD]],
        "resolvers": list(heard.resolvers[:MOST_TOLD]),
    }


METHOD = Method("router-solicitation", LEVEL, cost, run, {"router-lifetime": "s"})
