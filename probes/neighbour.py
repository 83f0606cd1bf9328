"""Method ``neighbour``: is an on-link address there? By ARP (RFC 826), or neighbour solicitation (RFC 4861).

The least invasive way that is right: this host's own kernel is told, by netlink and without any datagram to the target,
to resolve the address, and its neighbour table is read. An entry that is there already proves nothing about now, so the
kernel is made to confirm it by unicast. What was asked for in vain is taken out of the table again, so that a sweep
leaves no dead entries and the kernel asks no longer than ``timeout_ms``.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import Emit
from probes.methods import Method
from probes.netlink import COHORT
from probes.netlink import DELAY
from probes.netlink import FAILED
from probes.netlink import LOCAL
from probes.netlink import NOARP
from probes.netlink import PERMANENT
from probes.netlink import REACHABLE
from probes.netlink import STALE
from probes.netlink import UNICAST
from probes.netlink import Kernel
from probes.netlink import Neighbour
from probes.netlink import address_text
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from probes.record import Recorder
from probes.record import compact
from probes.schedule import NEW_NEIGHBOURS_PER_S
from probes.schedule import Schedule

LEVEL = "query"
MOST_SOLICITATIONS = 3  #: mcast_solicit and ucast_solicit, as Linux has them by default; one a second
ARP_BYTES, SOLICITATION_BYTES = 28, 72  #: an ARP packet; a neighbour solicitation with its IPv6 header
LOOK_S = 0.01  #: how often the neighbour table is read while something is awaited
NO_PRIVILEGE_CURE = "run as root, or give the interpreter cap_net_admin, on the vantage point"
TROUBLE = frozenset({errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
_Table = dict[tuple[int, bytes], Neighbour]


@dataclass(frozen=True, slots=True)
class NeighbourParameters:
    """Parameters of the method."""

    attempts: int = 1  #: times that each neighbour is asked for
    timeout_ms: float = 1000  #: how long an answer is awaited
    interval_ms: float = 0  #: least pause between attempts at one target; the permit's rates hold anyway

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.timeout_ms > 0):
            raise ValueError(f"attempts and timeout_ms must be positive: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> NeighbourParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    def solicitations(self) -> int:
        """Solicitations that the kernel may send before the time is over; one due within 250 ms of it is counted."""
        return min(MOST_SOLICITATIONS, 1 + int(self.timeout_ms / 1000 + 0.25))

    def bytes(self, ticket: Ticket) -> int:
        """Bytes of one attempt, at most, from the network header on."""
        return self.solicitations() * (ARP_BYTES if len(ticket.packed) == 4 else SOLICITATION_BYTES)


class Question:
    """One neighbour asked for once."""

    __slots__ = ("asked_ns", "attempt", "interface", "known", "ticket", "utc_ns")

    def __init__(self, ticket: Ticket, attempt: int) -> None:
        self.ticket = ticket
        self.attempt = attempt
        self.interface = 0
        self.known = False  #: whether the table held its address before
        self.asked_ns = 0
        self.utc_ns = 0


def cost(action: Action, permit: Permit) -> Cost:
    """The most that the kernel will send: solicitations until the time is over. A neighbour that is there costs one."""
    parameters = NeighbourParameters.of(action.parameters)
    cohorts = ceil(len(action.targets) / COHORT)
    waiting_ms = (parameters.timeout_ms + parameters.interval_ms) * parameters.attempts * cohorts
    waiting_ms += 1000 * len(action.targets) / NEW_NEIGHBOURS_PER_S if cohorts > 1 else 0
    return price(
        action, permit, LEVEL, attempts=parameters.attempts, packets=parameters.solicitations(), size=parameters.bytes,
        waiting_s=waiting_ms / 1000,
    )  # fmt: skip


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = NeighbourParameters.of(action.parameters)
    recorder = Recorder(action, "presence", "1")
    kernel = Kernel(gate.netlink_port())
    groups: dict[int, list[Ticket]] = {4: [], 16: []}
    refused = []
    try:
        for target in action.targets:
            admitted = gate.admit(target, LEVEL, method=action.method)
            if not isinstance(admitted, Refusal):
                admitted = off_link(kernel, admitted) or admitted
            if isinstance(admitted, Refusal):
                attempts = range(parameters.attempts)
                refused += [recorder.error(target, n, admitted.error, reason=admitted.reason) for n in attempts]
            else:
                admitted.on_link = True
                groups[len(admitted.packed)].append(admitted)
        if refused:
            emit(refused)
        for group in groups.values():
            if group:
                await Search(gate, kernel, recorder, parameters, emit).run(group)
    finally:
        kernel.close()


def off_link(kernel: Kernel, ticket: Ticket) -> Refusal | None:
    """Why the address has no neighbour entry; nothing if it can have one."""
    route = kernel.route(ticket.packed, ticket.scope_id)
    if route is None:
        return Refusal("no-route", "no-route")
    if route.kind == LOCAL:
        return Refusal("no-route", "own-address")
    if route.kind != UNICAST:
        return Refusal("refused-by-guard", "broadcast-or-prohibited")
    return Refusal("no-route", f"off-link, via {address_text(route.gateway)}") if route.gateway else None


class Search:
    """One action's neighbours of one IP version."""

    def __init__(
        self, gate: Gate, kernel: Kernel, recorder: Recorder, parameters: NeighbourParameters, emit: Emit
    ) -> None:
        self._gate = gate
        self._kernel = kernel
        self._record = recorder
        self._parameters = parameters
        self._emit = emit
        self._timeout_ns = int(parameters.timeout_ms * 1e6)
        self._open: list[Question] = []
        self._counts: Counter[str] = Counter()

    async def run(self, tickets: list[Ticket]) -> None:
        """One observation for each attempt, and one about the instrument at the end."""
        self._size = self._parameters.bytes(tickets[0])
        schedule = self._schedule = Schedule(
            self._gate,
            tickets,
            self._parameters.attempts,
            Question,
            packets=self._parameters.solicitations(),
            size=self._size,
            interval_ns=int(self._parameters.interval_ms * 1e6),
        )
        while not schedule.empty or self._open:
            now_ns = self._gate.clock()
            batch = schedule.take(now_ns, COHORT - len(self._open))
            for question in schedule.refused:
                self._fail(question, "stopped", reason=self._gate.why_stopped(question.ticket))
            table = self._kernel.neighbours() if batch or self._open else {}
            self._open = [question for question in self._open if not self._decided(question, table, now_ns)]
            for question in batch:
                self._ask(question, table)
            if not batch:
                wake_ns = now_ns + int(LOOK_S * SECOND_NS) if self._open else max(schedule.ready_ns, now_ns)
                await asyncio.sleep(min(max(wake_ns - now_ns, 0) / SECOND_NS, 5 * LOOK_S))
        self._emit([self._record.instrument(self._counts["tester-loss"], **self._counts)])

    def _ask(self, question: Question, table: _Table) -> None:
        ticket = question.ticket
        route = self._kernel.route(ticket.packed, ticket.scope_id)
        question.interface = route.interface if route is not None else 0
        entry = table.get((question.interface, ticket.packed))
        question.utc_ns, question.asked_ns = time.time_ns(), self._gate.clock()
        if entry is not None and entry.state & (PERMANENT | NOARP):
            ticket.credit -= self._size
            self._fail(question, "bad-answer", reason="static-entry", cure="remove the static neighbour entry")
            return
        question.known = entry is not None and bool(entry.mac) and not entry.state & FAILED
        mac = entry.mac if entry is not None and question.known else b""
        error = self._kernel.solicit(ticket, self._size, question.interface, mac)
        if error in TROUBLE:
            self._fail(question, "tester-loss", errno=errno.errorcode[error])
        elif error in (errno.EPERM, errno.EACCES):
            self._fail(question, "no-privilege", cure=NO_PRIVILEGE_CURE)
        elif error:
            self._fail(question, "send-failed", errno=errno.errorcode.get(error, str(error)))
        else:
            self._open.append(question)

    def _decided(self, question: Question, table: _Table, now_ns: int) -> bool:
        """Whether it is decided now, by a table that was read after ``now_ns``."""
        ticket = question.ticket
        entry = table.get((question.interface, ticket.packed))
        if entry is not None and entry.mac and entry.state & (REACHABLE | STALE | DELAY):
            self._gate.heard(ticket)
            self._counts["present"] += 1
            detail = compact({"mac": entry.mac.hex(":"), "known_before": question.known})
            target, utc_ns = ticket.target, question.utc_ns
            self._emit([self._record.value(target, question.attempt, 1.0, utc_ns, question.asked_ns, detail)])
            return True
        halted = self._gate.halted(now_ns)
        gave_up = entry is not None and bool(entry.state & FAILED)
        if not (gave_up or halted or now_ns - question.asked_ns > self._timeout_ns):
            return False
        self._kernel.forget(ticket, question.interface)  # also ends the kernel's asking
        if halted and not gave_up:
            self._fail(question, "stopped", reason="kill-switch", sent=True)
        else:
            self._gate.silent(ticket)
            self._fail(question, "absent")
        return True

    def _fail(self, question: Question, error: str, **facts: object) -> None:
        self._counts[error] += 1
        target, attempt = question.ticket.target, question.attempt
        self._emit([self._record.error(target, attempt, error, question.utc_ns, question.asked_ns, **facts)])


METHOD = Method("neighbour", LEVEL, cost, run)
