"""Method ``tcp-connect``: full TCP handshakes in bulk, each closed in order; never a half-open connection.

The quantity ``connect-delay`` is the round-trip delay of RFC 2681 for Type-P = TCP SYN / SYN-ACK, in ms: the kernel's
own sample of it (``tcpi_rtt`` right after the handshake, 1 us steps). Where the kernel took none, because a SYN was
sent again (Karn's rule, RFC 6298 section 3), it is the time that connect(2) took, and ``detail`` says
``"clock":"user"``.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import time
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.gate import Gate
from probes.gate import Refusal
from probes.icmp_packet import extended_error
from probes.methods import Emit
from probes.methods import Method
from probes.netlink import address_text
from probes.netlink import mark_on_link
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from probes.record import Recorder
from probes.record import compact
from probes.schedule import Schedule
from probes.stream_port import StreamPort
from probes.stream_port import TcpInfo

LEVEL = "query"
SYN_AGAIN_S = 1.0  #: the kernel sends a SYN again after 1 s (RFC 6298 section 2), and no more often than every second
MOST_SYNS = 6  #: TCP_SYNCNT 1, and four more that Linux >= 6.5 sends at even intervals (tcp_syn_linear_timeouts)
#: After the handshake at most: its ACK, a FIN and twice a FIN again, two ACKs of a greeting, the ACK of the peer's FIN.
PACKETS_AFTER_SYN = 7
SYN_HEADER_BYTES, HEADER_BYTES = 40, 32  #: TCP header with the options that Linux sends
RETRY_NS = 100_000_000  #: pause after this host was out of ports, descriptors or memory
AFTER_STOP_S = 0.5  #: how long open attempts are awaited after the kill switch
PAUSE_S = 0.05  #: longest wait between two looks at the kill switch
SPARE_DESCRIPTORS = 64
TROUBLE = frozenset(
    {errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN, errno.EADDRINUSE}
)
NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENODEV, errno.ENXIO, errno.ENETDOWN})


@dataclass(frozen=True, slots=True)
class ConnectParameters:
    """Parameters of the method."""

    attempts: int = 1  #: connections to each target, one after the other
    timeout_ms: float = 1000  #: Tmax of the handshake
    interval_ms: float = 0  #: least pause between attempts at one target; the permit's rates hold anyway
    close_ms: float = 500  #: how long the peer's FIN is awaited
    concurrency: int = 256  #: connections open at a time, to all targets together
    retries: int = 5  #: how often an attempt that the tester itself could not make is made again

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.timeout_ms > 0 and self.concurrency > 0):
            raise ValueError(f"attempts, timeout_ms and concurrency must be positive: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> ConnectParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    @property
    def syns(self) -> int:
        """SYNs that the kernel may send before Tmax; one that is due within 250 ms of it is counted."""
        return min(MOST_SYNS, 1 + int(self.timeout_ms / 1000 / SYN_AGAIN_S + 0.25))

    def packets(self) -> int:
        """IP packets of one connection, at most."""
        return self.syns + PACKETS_AFTER_SYN

    def bytes(self, ticket: Ticket) -> int:
        """IP bytes of one connection, at most."""
        ip = 20 if len(ticket.packed) == 4 else 40
        return self.syns * (ip + SYN_HEADER_BYTES) + PACKETS_AFTER_SYN * (ip + HEADER_BYTES)


class Attempt:
    """One connection to be made."""

    __slots__ = ("attempt", "claimed_ns", "ticket", "told", "tried")

    def __init__(self, ticket: Ticket, attempt: int) -> None:
        self.ticket = ticket
        self.attempt = attempt
        self.tried = 0  #: times that this host was not able to make it
        self.told = False  #: whether its observation was made
        self.claimed_ns = 0


def cost(action: Action, permit: Permit) -> Cost:
    """The most that the handshakes and closes can take; an undisturbed connection takes 4 packets of ours."""
    parameters = ConnectParameters.of(action.parameters)
    turns = max(parameters.attempts, ceil(len(action.targets) * parameters.attempts / parameters.concurrency))
    waiting_ms = (parameters.timeout_ms + parameters.close_ms + parameters.interval_ms) * turns
    return price(
        action, permit, LEVEL, attempts=parameters.attempts, packets=parameters.packets(), size=parameters.bytes,
        waiting_s=waiting_ms / 1000,
    )  # fmt: skip


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = ConnectParameters.of(action.parameters)
    recorder = Recorder(action, "connect-delay", "ms")
    tickets: dict[int, list[Ticket]] = {4: [], 16: []}
    refused = []
    for target in action.targets:
        admitted = (
            gate.admit(target, LEVEL, target.port, action.method)
            if target.port
            else Refusal("refused-by-guard", "no-port")
        )
        if isinstance(admitted, Refusal):
            attempts = range(parameters.attempts)
            refused += [recorder.error(target, n, admitted.error, reason=admitted.reason) for n in attempts]
        else:
            tickets[len(admitted.packed)].append(admitted)
    if refused:
        emit(refused)
    mark_on_link(gate, tickets[4] + tickets[16])
    groups = [Connects(gate, recorder, parameters, emit).run(group) for group in tickets.values() if group]
    await asyncio.gather(*groups)


class Connects:
    """One action's connections over one IP version."""

    def __init__(self, gate: Gate, recorder: Recorder, parameters: ConnectParameters, emit: Emit) -> None:
        self._gate = gate
        self._record = recorder
        self._parameters = parameters
        self._emit = emit
        self._counts: Counter[str] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._finished = asyncio.Event()

    async def run(self, tickets: Sequence[Ticket]) -> None:
        """One observation for each attempt, and one about the instrument at the end."""
        self._size = self._parameters.bytes(tickets[0])
        self._schedule = Schedule(
            self._gate,
            tickets,
            self._parameters.attempts,
            Attempt,
            packets=self._parameters.packets(),
            size=self._size,
            interval_ns=int(self._parameters.interval_ms * 1e6),
        )
        most = min(self._parameters.concurrency, _descriptors())
        while not self._schedule.empty or self._running:
            await self._step(most)
        self._emit([self._record.instrument(self._counts["spoiled"], **self._counts)])

    async def _step(self, most: int) -> None:
        now_ns = self._gate.clock()
        batch = self._schedule.take(now_ns, most - len(self._running))
        for attempt in self._schedule.refused:
            self._fail(attempt, "stopped", reason=self._gate.why_stopped(attempt.ticket))
        for attempt in batch:
            attempt.claimed_ns = now_ns
            task = asyncio.create_task(self._connect(attempt))
            self._running.add(task)
            task.add_done_callback(self._done)
        if self._gate.halted(now_ns) and self._running:
            _, late = await asyncio.wait(self._running, timeout=AFTER_STOP_S)
            for task in late:
                task.cancel()
        if batch or self._schedule.refused:
            await asyncio.sleep(0)
        elif self._running or not self._schedule.empty:
            await self._pause(now_ns, full=len(self._running) >= most)

    async def _pause(self, now_ns: int, *, full: bool) -> None:
        until_ns = now_ns + int(PAUSE_S * SECOND_NS)
        if not full and not self._schedule.empty:
            until_ns = min(until_ns, self._schedule.ready_ns)
        self._finished.clear()
        try:
            async with asyncio.timeout(max(until_ns - now_ns, 1_000_000) / SECOND_NS):
                await self._finished.wait()
        except TimeoutError:
            pass

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._finished.set()

    async def _connect(self, attempt: Attempt) -> None:
        try:
            port = self._gate.stream_port(attempt.ticket, self._size)
        except OSError as refusal:
            self._trouble(attempt, refusal.errno or 0)
            return
        utc_ns, monotonic_ns = time.time_ns(), self._gate.clock()
        try:
            error, asked = await port.connect(self._parameters.timeout_ms / 1000)
            took_ns = self._gate.clock() - monotonic_ns
            if error == 0:
                await self._connected(attempt, port, utc_ns, monotonic_ns, took_ns)
            elif asked:
                self._no_connection(attempt, port, error, utc_ns, monotonic_ns)
            else:
                self._refused_here(attempt, error)
        except asyncio.CancelledError:
            if not attempt.told:  # it may have been cancelled while it was being closed
                self._fail(attempt, "stopped", utc_ns, monotonic_ns, reason="kill-switch", sent=True)
        finally:
            port.close()

    async def _connected(
        self, attempt: Attempt, port: StreamPort, utc_ns: int, monotonic_ns: int, took_ns: int
    ) -> None:
        info = port.info()
        self._gate.heard(attempt.ticket)
        if port.was_reset():
            self._fail(attempt, "reset", utc_ns, monotonic_ns)
            return
        measured = info.rtt_us > 0 and info.retransmitted == 0
        delay_ms = info.rtt_us / 1e3 if measured else took_ns / 1e6
        if delay_ms > self._parameters.timeout_ms:
            self._fail(attempt, "late", utc_ns, monotonic_ns, delay_ms=delay_ms)
        else:
            detail = self._detail(attempt, info, measured=measured)
            target = attempt.ticket.target
            attempt.told = True
            self._emit([self._record.value(target, attempt.attempt, delay_ms, utc_ns, monotonic_ns, detail)])
            self._counts["connected"] += 1
        ended = await port.finish(self._parameters.close_ms / 1000, max(300, int(3 * delay_ms)))
        self._counts["closed_" + ended] += 1
        if ended == "fin":
            self._refund(attempt, self._parameters.packets() - port.packets())

    def _refund(self, attempt: Attempt, unused: int) -> None:
        """Give back what an attempt that is over has not taken of its price."""
        share = self._size * unused // self._parameters.packets()
        attempt.ticket.zone.refund(attempt.claimed_ns, max(unused, 0), max(share, 0))
        self._schedule.look(attempt.ticket, self._gate.clock())

    def _detail(self, attempt: Attempt, info: TcpInfo, *, measured: bool) -> str:
        facts: dict[str, object] = {"port": attempt.ticket.target.port}
        if not measured:
            facts |= {"clock": "user", "syn_retransmitted": info.retransmitted}
        return compact(facts)

    def _no_connection(self, attempt: Attempt, port: StreamPort, error: int, utc_ns: int, monotonic_ns: int) -> None:
        """The network's own no."""
        if error in (errno.ECONNREFUSED, errno.ECONNRESET):
            self._gate.heard(attempt.ticket)
            self._fail(attempt, "refused" if error == errno.ECONNREFUSED else "reset", utc_ns, monotonic_ns)
            self._refund(attempt, self._parameters.packets() - self._parameters.syns)  # nothing follows a reset
            return
        self._gate.silent(attempt.ticket)
        if error == errno.ETIMEDOUT:
            self._fail(attempt, "timeout", utc_ns, monotonic_ns)
            return
        facts: dict[str, object] = {}
        told = extended_error(port.icmp_error())
        if told is not None:
            facts |= {"icmp_type": told[0], "icmp_code": told[1], "from": address_text(told[2])}
        facts["errno"] = errno.errorcode.get(error, str(error))
        self._fail(attempt, "unreachable", utc_ns, monotonic_ns, **facts)

    def _refused_here(self, attempt: Attempt, error: int) -> None:
        """This host's own no: nothing was sent."""
        name = errno.errorcode.get(error, str(error))
        if error in TROUBLE:
            self._trouble(attempt, error)
        elif error in NO_ROUTE:
            self._fail(attempt, "no-route", errno=name)
        elif error == errno.EACCES:
            self._fail(attempt, "refused-by-guard", reason="broadcast-or-prohibited", errno=name)
        else:
            self._fail(attempt, "send-failed", errno=name)

    def _trouble(self, attempt: Attempt, error: int) -> None:
        """This host is out of something: try again a little later."""
        self._counts["trouble"] += 1
        attempt.tried += 1
        if attempt.tried <= self._parameters.retries:
            self._schedule.again(attempt, self._gate.clock() + RETRY_NS * attempt.tried)
        else:
            self._counts["spoiled"] += 1
            self._fail(attempt, "tester-loss", errno=errno.errorcode.get(error, str(error)))

    def _fail(self, attempt: Attempt, error: str, utc_ns: int = 0, monotonic_ns: int = 0, **facts: object) -> None:
        self._counts[error] += 1
        attempt.told = True
        target = attempt.ticket.target
        self._emit([self._record.error(target, attempt.attempt, error, utc_ns, monotonic_ns, **facts)])


def _descriptors() -> int:
    """Sockets that this process may open without running out of descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, soft - SPARE_DESCRIPTORS) if soft != resource.RLIM_INFINITY else 1 << 16


METHOD = Method("tcp-connect", LEVEL, cost, run, {"connect-delay": "ms"})
