"""The listener of a cyclic flow: answers its talker, and knows when each message came in.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Any

from probes.flow_end import CLOSING_S
from probes.flow_end import HANDSHAKE_S
from probes.flow_end import HELLO_GAP_S
from probes.flow_end import LEAD_NS
from probes.flow_end import LOOK_S
from probes.flow_end import Leave
from probes.flow_end import Plan
from probes.flow_end import Trouble
from probes.flow_message import BYE
from probes.flow_message import HELLO
from probes.flow_message import MESSAGE
from probes.flow_message import REPLY
from probes.flow_message import Frame
from probes.flow_message import Reply
from probes.flow_message import boot_identity
from probes.flow_message import tag
from probes.flow_message import unpack
from probes.flow_port import Datagram
from probes.flow_port import FlowPort
from probes.pace import SECOND_NS
from probes.ports import Ticket
from probes.ports import ready
from probes.record import Recorder
from probes.record import compact
from profiles.observation import Observation

#: How long the first question is awaited: a talker of several flows begins when all of them are ready.
_PATIENCE_NS = int(1.5 * HANDSHAKE_S * SECOND_NS)
_LINGER_NS = int(6 * HELLO_GAP_S * SECOND_NS)  #: after the last question, for others that follow it


class Listener:
    """One flow at its listener."""

    def __init__(self, plan: Plan, ticket: Ticket, leave: Leave, local: str, port: int) -> None:
        self.plan = plan
        self.ticket = ticket
        self._leave = leave
        self._tag = tag(plan.flow, plan.interval_ns, plan.size, plan.count)
        self._boot = boot_identity()
        self._session = b""  #: of the talker that asked first
        self._came_ns = array("q", bytes(8 * plan.count))  #: UTC; 0 is not yet
        self._lag_ns = array("q", bytes(8 * plan.count))  #: behind the talker's schedule
        self._by_reader: set[int] = set()  #: messages without a stamp of the kernel
        self._received = 0
        self._latest = -1  #: highest number
        self._counts: Counter[str] = Counter()
        self._until_ns = 0  #: when to end, monotonic
        self._closed_ns = 0  #: when it ended, UTC
        self._closed_monotonic_ns = 0  #: the same on the monotonic clock
        self._monotonic_less_utc_ns = 0
        self._trouble: Trouble | None = None
        self._port: FlowPort | None = None
        try:
            self._port = leave.gate.flow_port(ticket, local, port)
        except OSError as error:
            self._trouble = Trouble.of(error.errno or -1)

    async def run(self) -> None:
        """Listen until the talker has taken leave, or nothing more can come."""
        if self._port is None:
            return
        clock = self._leave.gate.clock
        self._monotonic_less_utc_ns = clock() - time.time_ns()
        self._until_ns = clock() + _PATIENCE_NS
        try:
            while clock() < self._until_ns and self._trouble is None:
                if self._leave.halted():
                    self._trouble = self._leave.stopped(self.ticket)
                elif await ready(self._port.fileno(), LOOK_S):
                    for _ in self._port.stamps():  # of replies; nobody needs them, and they would wake us for ever
                        pass
                    for came in list(self._port.receive()):
                        await self._take(self._port, came)
            self._counts["dropped"] = self._port.drops()
        finally:
            self._port.close()
            self._closed_ns, self._closed_monotonic_ns = time.time_ns(), clock()

    async def _take(self, port: FlowPort, came: Datagram) -> None:
        frame = unpack(came.data)
        if isinstance(frame, str):
            self._counts[frame if came.from_peer else "foreign"] += 1
            return
        if not self._session and came.from_peer and frame.kind == HELLO and self._is_of_this_flow(frame):
            self._session, port.peer_port = frame.session, came.port
        if not came.from_peer or frame.session != self._session or came.port != port.peer_port:
            self._counts["foreign"] += 1
        elif frame.kind == MESSAGE and frame.number < self.plan.count and len(came.data) == self.plan.size:
            self._note(frame, came)
        elif frame.kind in (HELLO, BYE) and self._is_of_this_flow(frame):
            await self._answer(port, frame, came)
        else:
            self._counts["foreign"] += 1

    def _is_of_this_flow(self, frame: Frame) -> bool:
        return frame.body[: len(self._tag)] == self._tag

    async def _answer(self, port: FlowPort, question: Frame, came: Datagram) -> None:
        """Reply, and reckon how long to stay."""
        reply = Reply(came.utc_ns, time.time_ns(), self._boot)
        error = await self._leave.send(
            port, self.ticket, Frame(REPLY, self._session, question.number, reply.left_ns, reply.packed()).packed()
        )
        if error is None:
            self._trouble = self._leave.stopped(self.ticket)
        now_ns = self._leave.gate.clock()
        if question.kind == HELLO:  # the talker may still be waiting for the listeners of its other flows
            waits_ns = _PATIENCE_NS + LEAD_NS + self.plan.timeout_ns + int(CLOSING_S * SECOND_NS)
            self._until_ns = now_ns + waits_ns + self.plan.length_ns
        else:
            complete = self._received == self.plan.count
            self._until_ns = now_ns + (_LINGER_NS if complete else max(_LINGER_NS, self.plan.timeout_ns))

    def _note(self, frame: Frame, came: Datagram) -> None:
        number = frame.number
        if self._came_ns[number]:
            self._counts["duplicate"] += 1
            return
        self._came_ns[number] = came.utc_ns
        self._lag_ns[number] = came.utc_ns - frame.time_ns
        if not came.by_kernel:
            self._by_reader.add(number)
        self._received += 1
        self._counts["reordered"] += number < self._latest
        self._latest = max(self._latest, number)

    def rows(self, recorder: Recorder) -> Iterator[Observation]:
        """One observation for each message; what did not come has the time at which this end closed."""
        target = self.ticket.target
        reason: dict[str, Any] = {} if self._session else {"reason": "no-handshake"}
        missing = self._trouble or Trouble("timeout", reason)
        for number in range(self.plan.count):
            facts: dict[str, Any] = {"end": self._account()} if number == 0 else {}
            utc_ns = self._came_ns[number]
            if utc_ns:
                if number in self._by_reader:
                    facts["stamp"] = "user"
                at_ns = max(utc_ns + self._monotonic_less_utc_ns, 0)
                yield recorder.value(target, number, self._lag_ns[number] / 1e6, utc_ns, at_ns, compact(facts))
            else:
                facts = {**missing.facts, **facts}
                yield recorder.error(target, number, missing.error, self._closed_ns, self._closed_monotonic_ns, **facts)

    def _account(self) -> dict[str, object]:
        names = ("duplicate", "reordered", "corrupted", "foreign", "dropped")
        own = {"established": bool(self._session), "session": self._session.hex(), "closed_ns": self._closed_ns}
        return own | {name: self._counts[name] for name in names}
