"""The engine of bulk echo: asks as fast as permit and receive buffer allow, and says what became of every attempt.

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
from collections import Counter
from collections.abc import Sequence

from probes.echo_port import RECEIVE_SLOTS
from probes.echo_port import SLOTS
from probes.echo_port import EchoPort
from probes.gate import Gate
from probes.icmp_packet import Answer
from probes.icmp_packet import Codec
from probes.icmp_packet import Reply
from probes.icmp_packet import stamps
from probes.inflight import MILLISECOND_NS
from probes.inflight import Echo
from probes.inflight import EchoParameters
from probes.inflight import InFlight
from probes.methods import Emit
from probes.netlink import address_text
from probes.netlink import unresolved_hop
from probes.pace import SECOND_NS
from probes.ports import Ticket
from probes.record import Recorder
from probes.record import compact
from probes.schedule import Schedule
from probes.utc_steps import Clocks
from profiles.observation import Observation

PAUSE_NS = 50 * MILLISECOND_NS  #: longest wait between two looks at the kill switch
AFTER_STOP_NS = SECOND_NS  #: how long answers to what was sent are awaited after the kill switch
RETRY_NS = 5 * MILLISECOND_NS  #: pause after the kernel had no room for a packet
TROUBLE = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})
NO_ROUTE = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO, errno.ENETDOWN}
)
COUNTS = ("received", "resent", "duplicates", "late", "strange", "corrupt", "icmp_errors", "unstamped", "no_room")


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
        self._patience_ns = int(parameters.patience_ms * MILLISECOND_NS)
        self._spoke_ns: dict[str, int] = {}  #: when each address last answered, if patience is asked for
        self._began_ns = gate.clock()
        self._flying = InFlight(port.window)
        self._dropped = 0
        self._counts: Counter[str] = Counter()
        self._out: list[Observation] = []
        self._details: dict[tuple[int, str, int], str] = {}
        self._clocks = Clocks(gate.clock)
        self._halted_ns = 0

    async def run(self, tickets: Sequence[Ticket]) -> None:
        """Probe every ticket; one observation for each attempt, and one about the instrument at the end."""
        self._schedule = Schedule(
            self._gate,
            tickets,
            self._parameters.attempts,
            Echo,
            packets=1,
            size=self._size,
            interval_ns=int(self._parameters.interval_ms * MILLISECOND_NS),
        )
        while not self._schedule.empty or self._flying.open:
            await self._step()
        self._emit([self._record.instrument(self._dropped, **self._facts())])

    async def _step(self) -> None:
        now_ns = self._gate.clock()
        batch = self._schedule.take(now_ns, self._flying.room(now_ns, SLOTS))
        for echo in self._schedule.refused:
            self._fail(echo, "stopped", reason=self._gate.why_stopped(echo.ticket))
        if batch:
            self._send(batch, now_ns)
        heard = self._listen()
        self._expire(now_ns)
        if self._out:
            out, self._out = self._out, []
            self._emit(out)
        if not (batch or heard or self._schedule.refused) and (self._flying.open or not self._schedule.empty):
            await self._port.wait(self._pause_s(now_ns))
        else:
            await asyncio.sleep(0)

    # --- sending ---------------------------------------------------------------------------------------------------

    def _send(self, batch: list[Echo], now_ns: int) -> None:
        step = len(batch)
        while batch:
            part = batch[:step]
            messages = self._codec.questions(len(self._flying), len(part))
            self._flying.add(part, *self._clocks.look())
            sent, error = self._port.send([echo.ticket for echo in part], messages, now_ns)
            self._flying.take_back(len(part) - sent)
            batch = batch[sent:]
            if error in TROUBLE:
                self._put_back(batch, now_ns)
                return
            if error:
                self._unsendable(batch.pop(0), error)
            step = 1 if error else min(step * 2, SLOTS)  # a kernel that refuses one may refuse the next

    def _put_back(self, echoes: list[Echo], now_ns: int) -> None:
        """The kernel had no room for these: they did not leave, and are asked again a little later."""
        self._counts["no_room"] += 1
        for echo in echoes:
            echo.ticket.credit -= self._size
            self._schedule.again(echo, now_ns + RETRY_NS)

    def _unsendable(self, echo: Echo, error: int) -> None:
        echo.ticket.credit -= self._size
        name = errno.errorcode.get(error, str(error))
        if not self._port.raw and not echo.retried:
            # A ping socket reports a pending ICMP error about another target on the next send: try once more.
            echo.retried = True
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
            heard += count + self._read_error_queue()  # after the answers: so an answer's stamp is among those read
            self._clocks.look()
            self._take(answers)
            self._counts["received"] += count
            if count < RECEIVE_SLOTS:
                break
        dropped = self._port.drops()
        if dropped > self._dropped:
            self._dropped = dropped
            self._flying.suspect_open()
        return heard

    def _read_error_queue(self) -> int:
        heard = 0
        while True:
            batch, count = self._port.errors()
            heard += count
            if count:
                self._flying.stamp(stamps(batch, count), self._port.stamp_base)
            if not self._port.raw:
                for answer in self._codec.queued_errors(batch, count):
                    self._puzzle(answer)
            if count < RECEIVE_SLOTS:
                return heard

    def _take(self, answers: list[Reply | Answer]) -> None:
        if not self._clocks.stepped:
            usual, answers = self._flying.match(answers, self._timeout_ns)
            value, append = self._record.value, self._out.append
            seen_limit, seen_resent, detail = -2, -1, ""
            for echo, delay_ns, hop_limit in usual:
                ticket = echo.ticket
                if not (ticket.known and ticket.device.steady):
                    self._gate.heard(ticket)
                if hop_limit != seen_limit or echo.resent != seen_resent:
                    seen_limit, seen_resent = hop_limit, echo.resent
                    detail = self._details.get((hop_limit, "", seen_resent)) or self._detail(hop_limit, "", seen_resent)
                delay_ms = delay_ns / MILLISECOND_NS
                append(value(ticket.target, echo.attempt, delay_ms, echo.tx_ns, echo.monotonic_ns, detail))
            if self._patience_ns:
                self._spoke_ns |= dict.fromkeys((echo.ticket.target.address for echo, *_ in usual), self._gate.clock())
        for answer in answers:
            if isinstance(answer, tuple):
                self._answered(*answer)
            else:
                self._puzzle(answer)

    def _answered(self, serial: int, source: bytes, rx_ns: int, hop_limit: int) -> None:
        """A good echo reply with the cookie of question ``serial`` that is unusual in some way."""
        echo = self._flying.find(serial)
        if echo is None or echo.ticket.packed != source:
            self._counts["late" if echo is None and serial < len(self._flying) else "strange"] += 1
            return
        if echo.done:
            self._counts["duplicates"] += 1
            return
        clock = ""
        tx_ns = echo.tx_ns
        delay_ns = rx_ns - tx_ns
        if not (rx_ns and tx_ns) or self._clocks.stepped:
            delay_ns = (rx_ns or self._clocks.utc_ns) - (tx_ns or echo.utc_ns)
            step_ns = self._clocks.step_ns(echo.utc_ns, echo.monotonic_ns)
            clock = "stepped" if step_ns else "" if rx_ns and tx_ns else "user"
            delay_ns -= step_ns
        self._flying.answered(echo, serial, delay_ns)
        self._gate.heard(echo.ticket)
        self._spoke_ns[echo.ticket.target.address] = self._gate.clock()
        delay_ms = delay_ns / MILLISECOND_NS
        if delay_ns > self._timeout_ns:
            self._counts["late"] += 1
            self._fail(echo, "late", delay_ms=delay_ms)
            return
        detail, utc_ns = self._detail(hop_limit, clock, echo.resent), tx_ns or echo.utc_ns
        target, attempt = echo.ticket.target, echo.attempt
        self._out.append(self._record.value(target, attempt, delay_ms, utc_ns, echo.monotonic_ns, detail))

    def _detail(self, hop_limit: int, clock: str, resent: int) -> str:
        facts = {"ttl": hop_limit, "clock": clock, "resent": resent}
        detail = compact({name: fact for name, fact in facts.items() if fact not in ("", 0, -1)})
        self._details[hop_limit, clock, resent] = detail
        return detail

    def _puzzle(self, answer: Answer) -> None:
        """An ICMP error or a corrupt answer: noted, and believed if nothing better comes until Tmax."""
        found = self._question_of(answer)
        if found is None:
            self._counts["strange"] += 1
            return
        serial, echo = found
        if not answer.corrupt and answer.icmp_type < 0:
            self._answered(serial, answer.source, answer.rx_ns, answer.hop_limit)
        else:
            self._counts["corrupt" if answer.corrupt else "icmp_errors"] += 1
            if echo.fault is None or echo.fault.corrupt:
                echo.fault = answer

    def _question_of(self, answer: Answer) -> tuple[int, Echo] | None:
        """The echo that an answer is about, if it went to the address that the answer names."""
        serials = self._flying.candidates(answer.serial) if answer.partial else (answer.serial,)
        for serial in serials:
            echo = self._flying.find(serial)
            proved = not answer.partial or answer.corrupt or answer.checksum == self._codec.checksum(serial)
            if proved and echo is not None and echo.ticket.packed == answer.destination:
                return serial, echo
        return None

    # --- deciding --------------------------------------------------------------------------------------------------

    def _expire(self, read_ns: int) -> None:
        """Decide what was due at ``read_ns``; everything queued at that time has been read since."""
        due_ns = read_ns - self._timeout_ns - self._linger_ns
        if self._gate.halted(read_ns):
            self._halted_ns = self._halted_ns or read_ns
            if read_ns >= self._halted_ns + AFTER_STOP_NS:
                due_ns = read_ns
        for _, echo in self._flying.overdue(due_ns):
            if echo.monotonic_ns + self._timeout_ns > read_ns:
                self._fail(echo, "stopped", reason="kill-switch", sent=True)
            else:
                self._decide(echo, read_ns)

    def _decide(self, echo: Echo, now_ns: int) -> None:
        """An attempt that was not answered within Tmax."""
        fault, hop = echo.fault, None
        unstamped = not echo.tx_ns and self._flying.stamped > 0
        if unstamped:
            self._counts["unstamped"] += 1
            hop = unresolved_hop(self._gate, echo.ticket)
        if hop is not None:
            self._silent(echo, "absent", next_hop=hop)
        elif fault is not None and fault.icmp_type >= 0:
            kind, code = fault.icmp_type, fault.icmp_code
            self._silent(echo, "unreachable", icmp_type=kind, icmp_code=code, **{"from": address_text(fault.source)})
        elif fault is not None:
            self._gate.heard(echo.ticket)
            self._fail(echo, "bad-answer", reason="corrupt")
        elif not (unstamped or echo.suspect):
            self._silent(echo, "timeout")
        elif echo.resent < self._parameters.resends:
            self._counts["resent"] += 1
            self._schedule.again(Echo(echo.ticket, echo.attempt, echo.resent + 1), now_ns)
        else:
            self._fail(echo, "tester-loss")

    def _silent(self, echo: Echo, error: str, **facts: object) -> None:
        if self._gate.clock() - self._spoke_ns.get(echo.ticket.target.address, self._began_ns) >= self._patience_ns:
            self._gate.silent(echo.ticket)
        self._fail(echo, error, **facts)

    def _fail(self, echo: Echo, error: str, **facts: object) -> None:
        if echo.resent:
            facts["resent"] = echo.resent
        utc_ns, monotonic_ns = echo.tx_ns or echo.utc_ns, echo.monotonic_ns
        self._out.append(self._record.error(echo.ticket.target, echo.attempt, error, utc_ns, monotonic_ns, **facts))

    # --- time and account ------------------------------------------------------------------------------------------

    def _pause_s(self, now_ns: int) -> float:
        wake_ns = now_ns + PAUSE_NS
        oldest_ns = self._flying.next_due_ns()
        if oldest_ns is not None:
            wake_ns = min(wake_ns, oldest_ns + self._timeout_ns + self._linger_ns)
        if not self._schedule.empty and self._flying.room(now_ns, 1):
            wake_ns = min(wake_ns, self._schedule.ready_ns)
        return max(wake_ns - now_ns, MILLISECOND_NS) / SECOND_NS

    def _facts(self) -> dict[str, object]:
        return {
            "ip": self._port.version,
            "socket": "raw" if self._port.raw else "ping",
            "sent": len(self._flying),
            **{name: self._counts[name] for name in COUNTS},
            "window": self._flying.window,
            "timeout_ms": self._parameters.timeout_ms,
            "payload_bytes": self._parameters.payload_bytes,
        }
