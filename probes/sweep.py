"""The engine of bulk echo: asks as fast as permit and receive buffer allow, and says of every attempt what became of it.

An attempt is decided when its answer comes, or else when Tmax and a little more have passed and everything that the
kernel had queued by then has been read. Before an unanswered attempt is laid at the target's door, the tester looks at
itself: if the kernel dropped messages while the attempt was open, or the packet never got as far as the network driver
although its next hop was known, the attempt says nothing about the target, and is made again.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap
from typing import Any

from probes.gate import Gate
from probes.icmp_packet import Answer
from probes.icmp_packet import Codec
from probes.icmp_packet import stamps
from probes.methods import Emit
from probes.netlink import FAILED
from probes.netlink import INCOMPLETE
from probes.netlink import Kernel
from probes.pace import SECOND_NS
from probes.ports import SLOTS
from probes.ports import EchoPort
from probes.ports import Ticket
from probes.record import Recorder
from probes.record import compact
from probes.schedule import Schedule
from probes.schedule import rounds
from profiles.observation import Observation

MILLISECOND_NS = 1_000_000
#: Until the first transmit stamp tells that packets reach the driver, no more than this go: they would overflow the
#: queue of a next hop that is not resolved yet.
FIRST_ECHOES, FIRST_WAIT_NS = 64, 200 * MILLISECOND_NS
#: An echo unanswered for this long, and for four times the longest delay seen, no longer counts as about to be answered.
HOLD_NS = 50 * MILLISECOND_NS
STEP_NS = MILLISECOND_NS  #: a difference between the clocks that grew by more is a step of UTC (slewing: 0.5 ms/s)
PAUSE_S = 0.05  #: longest wait between two looks at the kill switch
AFTER_STOP_NS = SECOND_NS  #: how long answers to what was sent are awaited after the kill switch
RETRY_NS = 5 * MILLISECOND_NS  #: pause after the kernel had no room for a packet
MAX_UNDECIDED = 60_000  #: sequence numbers of open attempts stay distinct
TROUBLE = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
NO_ROUTE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO, errno.ENETDOWN}
)


@dataclass(frozen=True, slots=True)
class EchoParameters:
    """Parameters of the method; the defaults are those of the reachability indicator."""

    attempts: int = 5  #: echoes per target
    timeout_ms: float = 1000  #: Tmax: a later answer is late, and counts as lost
    payload_bytes: int = 32  #: at least 8, which hold the cookie
    interval_ms: float = 0  #: least pause between attempts at one target; the permit's rates hold anyway
    linger_ms: float = 100  #: how long after Tmax an answer is still awaited, to tell late from lost
    resends: int = 2  #: how often an attempt that the tester itself spoiled is made again
    receive_bytes: int | None = None  #: receive buffer to ask for; for tests of the tester

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.timeout_ms > 0 and 8 <= self.payload_bytes <= 64):
            raise ValueError(f"attempts and timeout_ms must be positive, payload_bytes 8 to 64: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> EchoParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})


class Echo:
    """One attempt, and the packet that makes it."""

    __slots__ = ("attempt", "done", "fault", "monotonic_ns", "resent", "suspect", "ticket", "tx_ns", "utc_ns")

    def __init__(self, ticket: Ticket, attempt: int, resent: int = 0) -> None:
        self.ticket = ticket
        self.attempt = attempt
        self.resent = resent  #: packets of this attempt that the tester had spoiled before
        self.utc_ns = 0  #: just before it was handed to the kernel
        self.monotonic_ns = 0
        self.tx_ns = 0  #: the kernel's transmit stamp, UTC; 0 while there is none
        self.done = False
        self.suspect = False  #: the tester dropped messages while it was open
        self.fault: Answer | None = None  #: an ICMP error or a corrupt answer


class Sweep:
    """One action's echoes over one IP version."""

    def __init__(self, gate: Gate, port: EchoPort, recorder: Recorder, parameters: EchoParameters, emit: Emit) -> None:
        self._gate = gate
        self._port = port
        self._record = recorder
        self._parameters = parameters
        self._emit = emit
        self._codec = Codec(port.version, port.ident, parameters.payload_bytes, raw=port.raw)
        self._size = self._codec.size + port.overhead
        self._timeout_ns = int(parameters.timeout_ms * MILLISECOND_NS)
        self._linger_ns = int(parameters.linger_ms * MILLISECOND_NS)
        self._sent: list[Echo | None] = []  #: by serial number; ``None`` once it is too old to matter
        self._oldest = 0  #: everything before it is decided
        self._released = 0  #: everything before it no longer counts as about to be answered
        self._awaited = 0  #: echoes that do count so
        self._undecided = 0
        self._hold_ns = HOLD_NS
        self._dropped = 0
        self._counts: Counter[str] = Counter()
        self._out: list[Observation] = []
        self._details: dict[tuple[int, str, int], str] = {}
        self._offset_ns = 0  #: UTC minus monotonic, at the last look
        self._halted_ns = 0
        self._kernel: Kernel | None = None

    async def run(self, tickets: Sequence[Ticket]) -> None:
        """Probe every ticket; one observation for each attempt, and one about the instrument at the end."""
        lanes: dict[tuple[str, bool], list[Ticket]] = {}
        for ticket in tickets:
            lanes.setdefault(ticket.lane, []).append(ticket)
        attempts = self._parameters.attempts
        self._schedule = Schedule(
            self._gate,
            {lane: starmap(Echo, rounds(group, attempts)) for lane, group in lanes.items()},
            packets=1,
            size=self._size,
            interval_ns=int(self._parameters.interval_ms * MILLISECOND_NS),
        )
        try:
            while not self._schedule.empty or self._undecided:
                await self._step()
        finally:
            if self._kernel is not None:
                self._kernel.close()
        self._emit([self._record.instrument(self._dropped, **self._facts())])

    async def _step(self) -> None:
        now_ns = self._gate.clock()
        batch = self._schedule.take(now_ns, self._room(now_ns))
        for echo in self._schedule.refused:
            self._fail(echo, "stopped", reason=self._gate.why_stopped(echo.ticket))
        if batch:
            self._send(batch, now_ns)
        heard = self._listen()
        self._expire(now_ns)
        if self._out:
            out, self._out = self._out, []
            self._emit(out)
        if batch or heard or self._schedule.refused:
            await asyncio.sleep(0)
        elif not self._schedule.empty or self._undecided:
            await self._port.wait(self._pause_s(now_ns))

    # --- sending ---------------------------------------------------------------------------------------------------

    def _room(self, now_ns: int) -> int:
        """How many more may go now without any risk that their answers overflow the receive buffer."""
        sent, hold_ns = self._sent, min(self._hold_ns, self._timeout_ns)
        while self._released < len(sent):
            echo = sent[self._released]
            if echo is not None and not echo.done:
                if echo.monotonic_ns + hold_ns > now_ns:
                    break
                self._awaited -= 1
            self._released += 1
        room = min(SLOTS, self._port.window - self._awaited, MAX_UNDECIDED - len(sent) + self._oldest)
        if sent and not self._counts["stamped"] and self._first_ns + FIRST_WAIT_NS > now_ns:
            room = min(room, FIRST_ECHOES - len(sent))
        elif not sent:
            self._first_ns = now_ns
            room = min(room, FIRST_ECHOES)
        return max(room, 0)

    def _send(self, batch: list[Echo], now_ns: int) -> None:
        start, step = 0, len(batch)
        while start < len(batch):
            part = batch[start : start + step]
            serial = len(self._sent)
            utc_ns, monotonic_ns = self._look_at_clocks()
            question = self._codec.question
            sent, error = self._port.send(
                [echo.ticket for echo in part], [question(serial + index) for index in range(len(part))], now_ns
            )
            for echo in part[:sent]:
                echo.utc_ns = utc_ns
                echo.monotonic_ns = monotonic_ns
            self._sent += part[:sent]
            self._awaited += sent
            self._undecided += sent
            start += sent
            step = min(step * 2, SLOTS) if not error else 1  # a kernel that refuses one may refuse the next
            if error in TROUBLE:
                self._put_back(batch[start:], now_ns)
                return
            if error:
                self._unsendable(batch[start], error)
                start += 1

    def _put_back(self, echoes: list[Echo], now_ns: int) -> None:
        """The kernel had no room for these: they did not leave, and are asked again a little later."""
        self._counts["no_room"] += 1
        for echo in echoes:
            echo.ticket.credit -= self._size
            self._schedule.again(echo, now_ns + RETRY_NS)

    def _unsendable(self, echo: Echo, error: int) -> None:
        echo.ticket.credit -= self._size
        name = errno.errorcode.get(error, str(error))
        if not self._port.raw and not echo.suspect:
            # A ping socket reports a pending ICMP error about another target on the next send: try once more.
            echo.suspect = True
            self._schedule.again(echo, 0)
        elif error in NO_ROUTE:
            self._fail(echo, "no-route", errno=name)
        elif error == errno.EACCES:
            self._fail(echo, "refused-by-guard", reason="broadcast-or-prohibited", errno=name)
        else:
            self._fail(echo, "send-failed", errno=name, cure=os.strerror(error))

    # --- listening -------------------------------------------------------------------------------------------------

    def _listen(self) -> int:
        """Read everything that is queued; how many messages there were."""
        heard = 0
        while True:
            count = self._port.receive()
            answers = self._codec.answers(self._port.received, count) if count else []
            heard += self._read_stamps()  # after the answers: then an answer's stamp is among those read
            self._look_at_clocks()
            for answer in answers:
                if isinstance(answer, tuple):
                    self._answered(*answer)
                else:
                    self._puzzle(answer)
            heard += count
            self._counts["received"] += count
            if count < SLOTS:
                break
        dropped = self._port.drops()
        if dropped > self._dropped:
            self._dropped = dropped
            for echo in self._sent[self._oldest :]:
                if echo is not None:
                    echo.suspect = True
        return heard

    def _read_stamps(self) -> int:
        heard = 0
        while True:
            batch, count = self._port.errors()
            if not count:
                return heard
            heard += count
            for number, tx_ns in stamps(batch, count):
                index = self._port.stamp_index(number)
                echo = self._sent[index] if index < len(self._sent) else None
                if echo is not None and tx_ns >= echo.utc_ns - STEP_NS:  # else: of a count that was reset since
                    echo.tx_ns = tx_ns
                    self._counts["stamped"] += 1
            for answer in self._codec.queued_errors(batch, count):
                self._puzzle(answer)

    def _answered(self, serial: int, source: bytes, rx_ns: int, hop_limit: int) -> None:
        """A good echo reply with the cookie of question ``serial``."""
        echo = self._sent[serial] if serial < len(self._sent) else None
        if echo is None:
            self._counts["late" if serial < len(self._sent) else "strange"] += 1
            return
        if echo.ticket.packed != source:
            self._counts["strange"] += 1
            return
        if echo.done:
            self._counts["duplicates"] += 1
            return
        clock = "" if rx_ns and echo.tx_ns else "user"
        delay_ns = (rx_ns or self._utc_ns) - (echo.tx_ns or echo.utc_ns)
        step_ns = self._offset_ns - (echo.utc_ns - echo.monotonic_ns)
        if abs(step_ns) > STEP_NS:
            delay_ns -= step_ns
            clock = "stepped"
        self._close(echo, serial)
        self._hold_ns = max(self._hold_ns, 4 * delay_ns)
        self._gate.heard(echo.ticket)
        if delay_ns > self._timeout_ns:
            self._counts["late"] += 1
            self._fail(echo, "late", delay_ms=delay_ns / MILLISECOND_NS)
            return
        key = (hop_limit, clock, echo.resent)
        detail = self._details.get(key)
        if detail is None:
            facts = {"ttl": hop_limit, "clock": clock, "resent": echo.resent}
            detail = self._details[key] = compact({name: fact for name, fact in facts.items() if fact not in ("", 0)})
        utc_ns = echo.tx_ns or echo.utc_ns
        self._out.append(
            self._record.value(
                echo.ticket.target, echo.attempt, delay_ns / MILLISECOND_NS, utc_ns, echo.monotonic_ns, detail
            )
        )

    def _puzzle(self, answer: Answer) -> None:
        """An ICMP error or a corrupt answer: noted, and believed if nothing better comes until Tmax."""
        serial = answer.serial
        if answer.partial:
            serial = self._oldest + (answer.serial - self._oldest) % 0x10000
        echo = self._sent[serial] if serial < len(self._sent) else None
        if echo is None or echo.ticket.packed != answer.destination:
            self._counts["strange"] += 1
        elif answer.partial and not answer.corrupt and answer.checksum != self._codec.checksum(serial):
            self._counts["strange"] += 1
        elif not (answer.corrupt or answer.icmp_type >= 0):
            self._answered(serial, answer.source, answer.rx_ns, answer.hop_limit)
        else:
            self._counts["corrupt" if answer.corrupt else "icmp_errors"] += 1
            if echo.fault is None or echo.fault.corrupt:
                echo.fault = answer

    # --- deciding --------------------------------------------------------------------------------------------------

    def _close(self, echo: Echo, serial: int) -> None:
        echo.done = True
        self._undecided -= 1
        if serial >= self._released:
            self._awaited -= 1

    def _expire(self, read_ns: int) -> None:
        """Decide what was due at ``read_ns``; everything queued at that time has been read since."""
        sent = self._sent
        due_ns = read_ns - self._timeout_ns - self._linger_ns
        if self._gate.halted(read_ns):
            self._halted_ns = self._halted_ns or read_ns
            if read_ns >= self._halted_ns + AFTER_STOP_NS:
                due_ns = read_ns
        while self._oldest < len(sent):
            echo = sent[self._oldest]
            if echo is not None and not echo.done:
                if echo.monotonic_ns > due_ns:
                    break
                self._close(echo, self._oldest)
                self._decide(echo, read_ns)
            elif echo is not None and echo.monotonic_ns > due_ns and len(sent) - self._oldest < MAX_UNDECIDED:
                break  # kept, so that a duplicate is known as one
            sent[self._oldest] = None
            self._oldest += 1

    def _decide(self, echo: Echo, now_ns: int) -> None:
        """An attempt that was not answered."""
        if echo.monotonic_ns + self._timeout_ns > now_ns:
            self._fail(echo, "stopped", reason="kill-switch", sent=True)
            return
        fault = echo.fault
        spoiled = echo.suspect
        if not echo.tx_ns and self._counts["stamped"] and fault is None:
            self._counts["unstamped"] += 1
            hop = self._unresolved_hop(echo.ticket)
            if hop is not None:
                self._silent(echo, "absent", next_hop=hop)
                return
            spoiled = True
        if fault is not None and fault.icmp_type >= 0:
            source = _text(fault.source)
            self._silent(echo, "unreachable", icmp_type=fault.icmp_type, icmp_code=fault.icmp_code, **{"from": source})
        elif fault is not None:
            self._gate.heard(echo.ticket)
            self._fail(echo, "bad-answer", reason="corrupt")
        elif not spoiled:
            self._silent(echo, "timeout")
        elif echo.resent < self._parameters.resends:
            self._counts["resent"] += 1
            self._schedule.again(Echo(echo.ticket, echo.attempt, echo.resent + 1), now_ns)
        else:
            self._fail(echo, "tester-loss", resent=echo.resent)

    def _unresolved_hop(self, ticket: Ticket) -> str | None:
        """The next hop to a target, if it is the reason why a packet never left: nobody answers for its address."""
        if self._kernel is None:
            self._kernel = Kernel(self._gate.netlink_port())
        route = self._kernel.route(ticket.packed, ticket.scope_id)
        if route is None:
            return None
        hop = route.gateway or ticket.packed
        entry = self._kernel.neighbours().get((route.interface, hop))
        return _text(hop) if entry is not None and entry.state & (INCOMPLETE | FAILED) else None

    def _silent(self, echo: Echo, error: str, **facts: object) -> None:
        self._gate.silent(echo.ticket)
        self._fail(echo, error, **facts)

    def _fail(self, echo: Echo, error: str, **facts: object) -> None:
        if echo.resent and "resent" not in facts:
            facts["resent"] = echo.resent
        utc_ns, monotonic_ns = echo.tx_ns or echo.utc_ns, echo.monotonic_ns
        self._out.append(self._record.error(echo.ticket.target, echo.attempt, error, utc_ns, monotonic_ns, **facts))

    # --- time and account ------------------------------------------------------------------------------------------

    def _look_at_clocks(self) -> tuple[int, int]:
        """UTC and monotonic time of the same moment, to 20 us; a preempted look is repeated."""
        for _ in range(4):
            before_ns = self._gate.clock()
            utc_ns = time.time_ns()
            if self._gate.clock() - before_ns < 20_000:
                break
        self._utc_ns = utc_ns
        self._offset_ns = utc_ns - before_ns
        return utc_ns, before_ns

    def _pause_s(self, now_ns: int) -> float:
        pause_ns = int(PAUSE_S * SECOND_NS)
        if self._oldest < len(self._sent):
            echo = self._sent[self._oldest]
            if echo is not None:
                pause_ns = min(pause_ns, echo.monotonic_ns + self._timeout_ns + self._linger_ns - now_ns)
        if not self._schedule.empty and self._port.window > self._awaited:
            pause_ns = min(pause_ns, self._schedule.ready_ns - now_ns)
        return max(pause_ns, MILLISECOND_NS) / SECOND_NS

    def _facts(self) -> dict[str, object]:
        names = ("received", "resent", "duplicates", "late", "strange", "corrupt", "icmp_errors", "unstamped", "no_room")
        return {
            "ip": self._port.version,
            "socket": "raw" if self._port.raw else "ping",
            "sent": len(self._sent),
            **{name: self._counts[name] for name in names},
            "window": self._port.window,
            "timeout_ms": self._parameters.timeout_ms,
            "payload_bytes": self._parameters.payload_bytes,
        }


def _text(packed: bytes) -> str:
    """An address as text."""
    import ipaddress

    return str(ipaddress.ip_address(packed)) if len(packed) in (4, 16) else packed.hex()
