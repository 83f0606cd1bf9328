"""The talker of a cyclic flow: makes the listener ready, sends by absolute deadlines, and knows when each message left.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from array import array
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from heapq import heapify
from heapq import heapreplace
from typing import Any

from probes.flow_end import BYES
from probes.flow_end import EXCHANGES
from probes.flow_end import HANDSHAKE_S
from probes.flow_end import HELLO_GAP_S
from probes.flow_end import LEAD_NS
from probes.flow_end import LOOK_S
from probes.flow_end import ClockOffset
from probes.flow_end import Leave
from probes.flow_end import Plan
from probes.flow_end import Trouble
from probes.flow_message import BYE
from probes.flow_message import HELLO
from probes.flow_message import MESSAGE
from probes.flow_message import REPLY
from probes.flow_message import SESSION_BYTES
from probes.flow_message import Frame
from probes.flow_message import Reply
from probes.flow_message import boot_identity
from probes.flow_message import tag
from probes.flow_message import unpack
from probes.flow_port import FlowPort
from probes.gate import NEVER
from probes.ports import Ticket
from probes.ports import ready
from probes.record import Recorder
from probes.record import compact
from probes.utc_steps import Clocks
from profiles.observation import Observation

_LATE = Trouble("off-schedule")  #: a message was not sent: it would have left more than half an interval late
_AFTER_S = 0.5  #: how long the stamps of the last messages are awaited


class Talker:
    """One flow at its talker."""

    def __init__(self, plan: Plan, ticket: Ticket, leave: Leave, local: str, peer_port: int) -> None:
        self.plan = plan
        self.ticket = ticket
        self.established = False  #: whether the listener has answered
        self._leave = leave
        self._clock = ClockOffset()
        self._session = secrets.token_bytes(SESSION_BYTES)
        self._tag = tag(plan.flow, plan.interval_ns, plan.size, plan.count)
        self._boot = b""  #: of the listener
        self._asked: dict[int, int] = {}  #: when each question left, UTC
        self._of_sending: dict[int, tuple[int, int]] = {}  #: kind and number of the frame of each sending
        self._left_ns = array("q", bytes(8 * plan.count))  #: kernel's stamp of each message, UTC
        self._handed_ns = array("q", bytes(8 * plan.count))  #: when each was handed to the kernel, UTC
        self._origin_utc_ns = 0  #: when the first message is scheduled
        self._origin_ns = 0  #: the same on the monotonic clock
        self._last_ns = 0  #: when the last message had left, on the monotonic clock
        self._failed: dict[int, Trouble] = {}  #: messages that were not sent
        self._trouble: Trouble | None = None  #: why no more were
        self._port: FlowPort | None = None
        try:
            self._port = leave.gate.flow_port(ticket, local, peer_port=peer_port)
        except OSError as error:
            self._trouble = Trouble.of(error.errno or -1)

    # --- before and after --------------------------------------------------------------------------------------------

    async def greet(self) -> None:
        """Ask for the listener until it has answered :data:`EXCHANGES` times, for :data:`HANDSHAKE_S` at most."""
        await self._exchange(HELLO, EXCHANGES, int(HANDSHAKE_S / HELLO_GAP_S))
        self.established = len(self._clock) >= EXCHANGES and self._trouble is None

    async def part(self) -> None:
        """Collect the last stamps, say that this was all, and look at the clocks again."""
        deadline_s = time.monotonic() + _AFTER_S
        while self._port and self._awaiting() and time.monotonic() < deadline_s:
            self._stamp()
            await asyncio.sleep(LOOK_S / 10)
        await self._exchange(BYE, EXCHANGES, BYES)

    def _awaiting(self) -> bool:
        return any(kind == MESSAGE for kind, _ in self._of_sending.values())

    async def _exchange(self, kind: int, enough: int, most: int) -> None:
        """Up to ``most`` questions, until there are ``enough`` replies."""
        self._clock.begin()
        for number in range(most):
            if self._port is None or self._trouble or len(self._clock) >= enough:
                return
            key = kind << 16 | number
            self._asked[key] = time.time_ns()
            self._of_sending[self._port.sent] = kind, key
            frame = Frame(kind, self._session, key, self._asked[key], self._tag)
            error = await self._leave.send(self._port, self.ticket, frame.packed())
            if error is None:
                self._trouble = self._leave.stopped(self.ticket)
            elif error:
                self._of_sending.pop(self._port.sent, None)
            await self._hear(time.monotonic() + HELLO_GAP_S, key)

    async def _hear(self, until_s: float, key: int) -> None:
        """Take replies until the one to the question ``key`` has come, or the time is over."""
        answered = False
        while self._port and not answered and (left_s := until_s - time.monotonic()) > 0:
            if not await ready(self._port.fileno(), left_s):
                return
            self._stamp()
            for came in self._port.receive():
                frame = unpack(came.data)
                if isinstance(frame, str) or not came.from_peer or frame.session != self._session:
                    continue
                reply = Reply.of(frame.body) if frame.kind == REPLY else None
                if reply is not None and frame.number in self._asked:
                    asked_ns = self._asked.pop(frame.number)
                    self._clock.add((asked_ns, reply.came_ns), (reply.left_ns, came.utc_ns))
                    self._boot = reply.boot
                    answered = answered or frame.number == key

    # --- messages ----------------------------------------------------------------------------------------------------

    def begin(self, utc_ns: int, monotonic_ns: int) -> None:
        """The first message is due then."""
        self._origin_utc_ns, self._origin_ns = utc_ns, monotonic_ns

    def due_ns(self, number: int) -> int:
        """When a message is due, on the monotonic clock."""
        return self._origin_ns + number * self.plan.interval_ns

    def send(self, number: int) -> int:
        """Send a message that is due; returns 0, or the nanoseconds to wait before asking again."""
        plan, port, clock = self.plan, self._port, self._leave.gate.clock
        now_ns = clock()
        if port is None or now_ns - self.due_ns(number) > plan.interval_ns // 2:
            self._failed[number] = _LATE
            return 0
        early_ns = self._last_ns + plan.interval_ns // 2 - now_ns
        if early_ns > 0:  # the last one was held up on its way to the kernel
            return early_ns
        wait_ns = self._leave.claim(self.ticket, plan.size + port.header_bytes)
        if wait_ns == NEVER:
            self.end(self._leave.stopped(self.ticket))
            return 0
        if wait_ns:
            return wait_ns
        frame = Frame(MESSAGE, self._session, number, self._origin_utc_ns + number * plan.interval_ns)
        self._of_sending[port.sent] = MESSAGE, number
        self._handed_ns[number] = time.time_ns()
        if error := port.send(frame.packed(plan.size)):
            self._of_sending.pop(port.sent, None)
            self._failed[number] = Trouble.of(error)
        self._last_ns = clock()
        self._stamp()
        return 0

    def end(self, trouble: Trouble) -> None:
        """Send nothing more."""
        self._trouble = self._trouble or trouble

    @property
    def ended(self) -> bool:
        """Whether nothing more is sent."""
        return self._trouble is not None

    def _stamp(self) -> None:
        """Take the kernel's stamps of what has left."""
        for sending, utc_ns in self._port.stamps() if self._port else ():
            kind, number = self._of_sending.pop(sending, (0, 0))
            if kind == MESSAGE:
                self._left_ns[number] = utc_ns
            elif number in self._asked:
                self._asked[number] = utc_ns

    # --- account -----------------------------------------------------------------------------------------------------

    def rows(self, recorder: Recorder) -> Iterator[Observation]:
        """One observation for each message."""
        target, interval_ns = self.ticket.target, self.plan.interval_ns
        nothing = Trouble("timeout", {"reason": "no-handshake"})
        for number in range(self.plan.count):
            facts: dict[str, Any] = {"end": self._account()} if number == 0 else {}
            handed_ns, left_ns = self._handed_ns[number], self._left_ns[number]
            failed = self._failed.get(number) or (None if handed_ns else self._trouble or nothing)
            if failed is not None:
                yield recorder.error(target, number, failed.error, **failed.facts, **facts)
                continue
            if not left_ns:
                facts["stamp"] = "user"
            utc_ns = left_ns or handed_ns
            lag_ns = utc_ns - self._origin_utc_ns - number * interval_ns
            yield recorder.value(target, number, lag_ns / 1e6, utc_ns, self.due_ns(number) + lag_ns, compact(facts))

    def _account(self) -> dict[str, object]:
        bounds_ns = self._clock.bounds_ns()
        own = boot_identity()
        same = bounds_ns is not None and any(own) and own == self._boot and bounds_ns[0] <= 0 <= bounds_ns[1]
        return {
            "established": self.established,
            "session": self._session.hex(),
            "begun_ns": self._origin_utc_ns,
            "same_clock": same,
            "offset_ns": [0, 0] if same else list(bounds_ns) if bounds_ns else None,
            "skipped": len(self._failed),
        }

    def close(self) -> None:
        """Close the port."""
        if self._port is not None:
            self._port.close()


def pace(talkers: Sequence[Talker], leave: Leave) -> None:
    """Send all messages of ``talkers``, each at its time, until the last or a stop. Blocks: for a thread of its own."""
    with _before_others():
        _pace(talkers, leave)


@contextmanager
def _before_others() -> Iterator[None]:
    """Let this thread run before those of ordinary priority, where the kernel permits it; it sleeps nearly always."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setscheduler(0, *before)


def _pace(talkers: Sequence[Talker], leave: Leave) -> None:
    utc_ns, monotonic_ns = Clocks(leave.gate.clock).look()
    agenda = []  # (when to look, which talker, which message)
    for index, talker in enumerate(talkers):
        shift_ns = LEAD_NS + index * talker.plan.interval_ns // len(talkers)  # so that they do not all send at once
        talker.begin(utc_ns + shift_ns, monotonic_ns + shift_ns)
        agenda.append((monotonic_ns + shift_ns, index, 0))
    heapify(agenda)
    left = len(talkers)
    while left:
        at_ns, index, number = agenda[0]
        now_ns = leave.gate.clock()
        talker = talkers[index]
        if leave.halted():
            talker.end(leave.stopped(talker.ticket))
        if at_ns > now_ns and not talker.ended:
            time.sleep(min((at_ns - now_ns) / 1e9, LOOK_S))
            continue
        wait_ns = 0 if talker.ended else talker.send(number)
        if wait_ns:
            heapreplace(agenda, (now_ns + wait_ns, index, number))
        elif talker.ended or number + 1 == talker.plan.count:
            left -= 1
            heapreplace(agenda, (1 << 63, index, number))
        else:
            heapreplace(agenda, (talker.due_ns(number + 1), index, number + 1))
