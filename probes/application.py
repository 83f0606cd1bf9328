"""Method ``application-exchange``: asks declared applications, in their own protocol, whether they live.

The quantity ``application-delay`` is the time from the first octet asked to the last octet of the answer that is
needed, in ms, by this process's clock; over TCP the handshake comes before it. The answer must be one in the protocol
that was declared: a port that accepts and says nothing is ``timeout``, one that closes is ``reset``, and what cannot be
understood is ``bad-answer``, which says nothing about the device. A refusal in the protocol's own words is an answer.
Where a connection was accepted and no answer came, ``detail`` says ``"accepted":true``: the port is not closed.

``ask`` of a target is ``{"application": NAME}`` or ``NAME@STATION``, with a name of
:data:`probes.applications.PROTOCOLS`; the port is an EtherType where that is spoken below IP. Who is beyond a router
cannot be asked in such a one: that is ``no-route``, and says nothing of the device. Connection and dialogue together
have one ``timeout_ms``. ``detail`` has the application and what the device says of itself; the octets are kept as raw
output, but those of a dialogue for which a community is known.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from time import time_ns

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.applications import Protocol
from probes.applications import dialogue
from probes.applications.exchange import MOST_SAID
from probes.applications.exchange import MOST_SENDS
from probes.applications.exchange import Broken
from probes.applications.exchange import Exchange
from probes.datagram_port import DatagramPort
from probes.gate import Gate
from probes.gate import Refusal
from probes.link_port import LinkPort
from probes.methods import Emit
from probes.methods import Method
from probes.neighbour import off_link
from probes.netlink import Kernel
from probes.netlink import known_mac
from probes.netlink import mark_on_link
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from probes.raw import file_name
from probes.record import Recorder
from probes.record import compact
from probes.stream_port import StreamPort
from probes.tcp import HEADER_BYTES
from probes.tcp import LEVEL
from probes.tcp import NO_ROUTE
from probes.tcp import PACKETS_AFTER_SYN
from probes.tcp import SYN_HEADER_BYTES
from probes.tcp import Attempt
from probes.tcp import ConnectParameters
from probes.tcp import Connects

#: Segments or datagrams of one dialogue: what is said, said again where it was lost, and what acknowledges the answer.
DIALOGUE_PACKETS = MOST_SENDS + 44
NO_PRIVILEGE_CURE = "run as root, or give the interpreter cap_net_raw, on the vantage point"
SAID_AGAIN = 4  #: times that the kernel may repeat what is not acknowledged before Tmax


@dataclass(frozen=True, slots=True)
class ApplicationParameters(ConnectParameters):
    """Parameters of the method; those of a connection, where ``timeout_ms`` is Tmax of connection and dialogue."""

    timeout_ms: float = 2000
    concurrency: int = 64

    def packets(self) -> int:
        """IP packets of one attempt, at most."""
        return self.syns + PACKETS_AFTER_SYN + DIALOGUE_PACKETS

    def bytes(self, ticket: Ticket) -> int:
        """IP bytes of one attempt, at most."""
        ip = 20 if len(ticket.packed) == 4 else 40
        headers = self.syns * (ip + SYN_HEADER_BYTES) + (PACKETS_AFTER_SYN + DIALOGUE_PACKETS) * (ip + HEADER_BYTES)
        return headers + SAID_AGAIN * MOST_SAID

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> ApplicationParameters:
        """From an action's parameters; what is not for this method is left aside."""
        names = (*ConnectParameters.__slots__, *cls.__slots__)
        return cls(**{name: value for name, value in parameters.items() if name in names})  # type: ignore[arg-type]


def cost(action: Action, permit: Permit) -> Cost:
    """The most that the dialogues can take; an undisturbed one takes six to ten packets of ours."""
    parameters = ApplicationParameters.of(action.parameters)
    waiting_ms = (parameters.timeout_ms + parameters.close_ms + parameters.interval_ms) * parameters.attempts
    return price(
        action, permit, LEVEL, attempts=parameters.attempts, packets=parameters.packets(), size=parameters.bytes,
        waiting_s=waiting_ms / 1000 * max(1, len(action.targets) / parameters.concurrency),
    )  # fmt: skip


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = ApplicationParameters.of(action.parameters)
    recorder = Recorder(action, "application-delay", "ms")
    groups: dict[tuple[str, int], list[Ticket]] = {}
    for target in action.targets:
        protocol = spoken_by(target)
        admitted = _admitted(gate, target, protocol, action.method)
        if isinstance(admitted, Refusal):
            why, name = admitted, protocol.name
            attempts = range(parameters.attempts)
            emit([recorder.error(target, n, why.error, reason=why.reason, application=name) for n in attempts])
        else:
            groups.setdefault((protocol.transport, len(admitted.packed)), []).append(admitted)
    mark_on_link(gate, [ticket for group in groups.values() for ticket in group])
    makers = {"tcp": Conversations, "udp": Datagrams, "ethernet": Frames}
    await asyncio.gather(
        *(makers[transport](gate, recorder, parameters, emit).run(group) for (transport, _), group in groups.items())
    )


def _admitted(gate: Gate, target: Target, protocol: Protocol, method: str) -> Ticket | Refusal:
    if not target.port:
        return Refusal("refused-by-guard", "no-port")
    admitted = gate.admit(target, LEVEL, target.port, method)
    if protocol.transport != "ethernet" or isinstance(admitted, Refusal):
        return admitted
    with closing(Kernel(gate.netlink_port())) as kernel:
        return off_link(kernel, admitted) or admitted


def spoken_by(target: Target) -> Protocol:
    """The protocol that ``target`` is asked in."""
    return dialogue(_application(target)[0])


def _application(target: Target) -> tuple[str, str]:
    """Name of the protocol, and number or name of the station if one is declared."""
    name, _, station = json.loads(target.ask)["application"].partition("@")
    return name, station


class Conversations(Connects):
    """One action's dialogues over TCP, of one IP version."""

    _STAGE: Mapping[str, object] = {"accepted": True}  #: facts of a dialogue that was begun and came to nothing

    async def run(self, tickets: Sequence[Ticket]) -> None:
        """One observation for each attempt, and one about the instrument at the end."""
        self._protocols = {ticket.target: spoken_by(ticket.target) for ticket in tickets}
        await super().run(tickets)

    async def _connected(
        self,
        attempt: Attempt,
        port: StreamPort,
        utc_ns: int,
        monotonic_ns: int,
        took_ns: int,  # noqa: ARG002 - what is measured here begins after the handshake
    ) -> None:
        await self._hold(attempt, port, utc_ns, monotonic_ns)
        ended = await port.finish(self._parameters.close_ms / 1000, 300)
        self._counts["closed_" + ended] += 1
        if ended == "fin":
            self._refund(attempt, self._parameters.packets() - port.packets())

    async def _hold(
        self, attempt: Attempt, port: StreamPort | DatagramPort | LinkPort, utc_ns: int, begun_ns: int
    ) -> None:
        """Hold the dialogue and make its observation."""
        ticket, clock = attempt.ticket, self._gate.clock
        target = ticket.target
        asked_ns = clock()
        deadline_ns = begun_ns + int(self._parameters.timeout_ms * 1e6)
        exchange = Exchange(port, clock, deadline_ns, self._parameters.syns + DIALOGUE_PACKETS)
        try:
            facts = await exchange.hold(self._protocols[target].converse(self._asked(attempt)))
            delay_ms = (clock() - asked_ns) / 1e6
        except Broken as broken:
            (self._gate.silent if broken.error == "timeout" else self._gate.heard)(ticket)
            raw = self._keep(attempt, exchange)
            self._fail(attempt, broken.error, utc_ns, asked_ns, reason=broken.reason, **self._STAGE, **raw)
        except OSError as error:
            self._broke(attempt, exchange, error, utc_ns, asked_ns)
        except Exception as bug:  # noqa: BLE001 - a module that stumbles over an answer, and no fault of the device
            raw = self._keep(attempt, exchange)
            self._fail(attempt, "method-failed", utc_ns, asked_ns, reason=repr(bug)[:200], **raw)
        else:
            self._gate.heard(ticket)
            raw = self._keep(attempt, exchange)
            told = {"port": target.port, **self._about(target), **raw, "said": facts}
            attempt.told = True
            self._emit([self._record.value(target, attempt.attempt, delay_ms, utc_ns, asked_ns, compact(told))])
            self._counts["answered"] += 1

    def _asked(self, attempt: Attempt) -> dict[str, str]:
        """What a dialogue may know of whom it asks."""
        target = attempt.ticket.target
        asked = {"address": target.address, "port": str(target.port), "attempt": str(attempt.attempt)}
        asked |= {"community": community} if (community := self._community(target)) else {}
        return asked | ({"station": station} if (station := _application(target)[1]) else {})

    def _community(self, target: Target) -> str:
        """The community that the device accepts, a secret; empty where none is known or of use."""
        accepted = self._gate.permit.credentials.get(target.address) if spoken_by(target).community else None
        return str(accepted.get("community") or "") if isinstance(accepted, dict) else ""

    def _broke(self, attempt: Attempt, exchange: Exchange, error: OSError, utc_ns: int, asked_ns: int) -> None:
        """The line broke in the middle of a dialogue."""
        number = error.errno or 0
        facts = {"errno": errno.errorcode.get(number, str(number)), **self._STAGE, **self._keep(attempt, exchange)}
        if number in (errno.ECONNRESET, errno.EPIPE, errno.ECONNREFUSED):
            self._gate.heard(attempt.ticket)
            code = "refused" if number == errno.ECONNREFUSED else "reset"
        elif number == errno.ETIMEDOUT:
            self._gate.silent(attempt.ticket)
            code = "timeout"
        else:
            self._gate.silent(attempt.ticket)
            code = "unreachable" if number in NO_ROUTE else "send-failed"
        self._fail(attempt, code, utc_ns, asked_ns, **facts)

    def _keep(self, attempt: Attempt, exchange: Exchange) -> dict[str, str]:
        """Keep what was said and heard, unless there is a secret in it; returns the fact of where."""
        target = attempt.ticket.target
        if not exchange.transcript or self._community(target):
            return {}
        name = f"application/{target.id}-{target.address}-{target.port}-{attempt.attempt}.txt"
        self._emit.raw(name, "\n".join((*exchange.transcript, "")))
        return {"raw": file_name(name)}

    def _about(self, target: Target) -> dict[str, str]:
        protocol = self._protocols[target]
        return {"application": protocol.name, "transport": protocol.transport}

    def _fail(self, attempt: Attempt, error: str, utc_ns: int = 0, monotonic_ns: int = 0, **facts: object) -> None:
        super()._fail(attempt, error, utc_ns, monotonic_ns, **self._about(attempt.ticket.target), **facts)


class Datagrams(Conversations):
    """One action's dialogues over UDP, of one IP version."""

    _STAGE: Mapping[str, object] = {}

    async def _connect(self, attempt: Attempt) -> None:
        try:
            port = self._port(attempt.ticket)
        except OSError as refusal:
            self._refused_here(attempt, refusal.errno or 0)
            return
        utc_ns, monotonic_ns = time_ns(), self._gate.clock()
        try:
            await self._hold(attempt, port, utc_ns, monotonic_ns)
            self._refund(attempt, self._parameters.packets() - port.packets())
        except asyncio.CancelledError:
            if not attempt.told:
                self._fail(attempt, "stopped", utc_ns, monotonic_ns, reason="kill-switch", sent=True)
        finally:
            port.close()

    def _port(self, ticket: Ticket) -> DatagramPort | LinkPort:
        return self._gate.datagram_port(ticket, self._size)


class Frames(Datagrams):
    """One action's dialogues below IP, on the links of this vantage point."""

    def _port(self, ticket: Ticket) -> LinkPort:
        return self._gate.link_port(ticket, self._size)

    def _asked(self, attempt: Attempt) -> dict[str, str]:
        mac = known_mac(self._gate, attempt.ticket)
        return super()._asked(attempt) | ({"mac": mac.hex(":")} if mac else {})

    def _refused_here(self, attempt: Attempt, error: int) -> None:
        """This host's own no: what it must not do, or cannot on such an interface."""
        if error == errno.EPERM:
            self._fail(attempt, "no-privilege", cure=NO_PRIVILEGE_CURE)
        elif error == errno.EAFNOSUPPORT:
            self._fail(attempt, "no-route", reason="no-ethernet")
        else:
            super()._refused_here(attempt, error)

    def _broke(self, attempt: Attempt, exchange: Exchange, error: OSError, utc_ns: int, asked_ns: int) -> None:
        """Nobody can break a link for us but this host itself."""
        name = errno.errorcode.get(error.errno or 0, str(error.errno))
        self._fail(attempt, "send-failed", utc_ns, asked_ns, errno=name, **self._keep(attempt, exchange))


METHOD = Method(
    "application-exchange", LEVEL, cost, run, {"application-delay": "ms"},
    credentials_useful=lambda target: spoken_by(target).community,
)  # fmt: skip
