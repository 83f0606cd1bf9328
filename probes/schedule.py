"""In which order, and when, the questions of an action are asked: as soon as the gate gives leave."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from heapq import heappop
from heapq import heappush
from itertools import chain
from itertools import islice
from itertools import starmap
from typing import Generic
from typing import Protocol
from typing import TypeVar

from probes.gate import NEVER
from probes.gate import Gate
from probes.limits import Device
from probes.netlink import COHORT
from probes.pace import Pace
from probes.ports import Ticket

#: New on-link addresses per second: with a cohort's head start, at most 256 + 500 neighbour entries are younger than
#: the 5 s during which Linux will not evict them, of the 1024 that its table holds by default (gc_thresh3).
NEW_NEIGHBOURS_PER_S = 100
REFUSED_AT_ONCE = 4096  #: questions of a stopped zone handed back in one step, to bound memory


class Asked(Protocol):
    """A question: whom it is for, and the index of the attempt."""

    ticket: Ticket
    attempt: int


Q = TypeVar("Q", bound=Asked)


def rounds(tickets: list[Ticket], attempts: int) -> Iterator[tuple[Ticket, int]]:
    """Every ticket once, then every ticket again, ...; on-link tickets a cohort at a time."""
    routed = [ticket for ticket in tickets if not ticket.on_link]
    on_link = [ticket for ticket in tickets if ticket.on_link]
    cohorts = chain([routed], (on_link[start : start + COHORT] for start in range(0, len(on_link), COHORT)))
    return ((ticket, attempt) for cohort in cohorts for attempt in range(attempts) for ticket in cohort)


class _Lane(Generic[Q]):
    """The questions of one zone."""

    __slots__ = ("_pushed", "_queue", "_times", "closed", "fresh", "ready_ns", "unlimited")

    def __init__(self, fresh: Iterator[Q], *, unlimited: bool = False) -> None:
        self.fresh = fresh
        self.unlimited = unlimited  #: whether nothing but a stop keeps its questions from being asked
        self.ready_ns = 0  #: when to look again; negative once nothing is left
        self.closed = False  #: whether its zone was stopped
        self._queue: dict[Device, deque[Q]] = {}  #: questions that wait for their device, in order
        self._times: list[tuple[int, int, Device]] = []  #: heap: when to look at each of these devices
        self._pushed = 0

    @property
    def waiting(self) -> bool:
        """Whether any question waits for its device."""
        return bool(self._queue)

    def next(self, now_ns: int, steps: int) -> Q | None:
        """The next question; if there is none now, :attr:`ready_ns` tells when, or that there is none at all.

        At most ``steps`` new questions are queued behind others for the same device.
        """
        if self._times and self._times[0][0] <= now_ns:
            return self._queue[heappop(self._times)[2]].popleft()
        for question in islice(self.fresh, steps):
            queue = self._queue.get(question.ticket.device)
            if queue is None:
                return question
            queue.append(question)
            steps -= 1
        if steps:
            self.ready_ns = self._times[0][0] if self._times else -1
        return None

    def asked(self, question: Q, now_ns: int) -> None:
        """``question`` went out; see to those that wait for the same device."""
        device = question.ticket.device
        queue = self._queue.get(device)
        if queue:
            self._look(device, now_ns + device.wait_ns(now_ns, connects=False))
        elif queue is not None:
            del self._queue[device]

    def defer(self, question: Q, ready_ns: int) -> None:
        """``question`` must wait, and all others for its device behind it."""
        device = question.ticket.device
        if device in self._queue:
            self._queue[device].appendleft(question)
        else:
            self._queue[device] = deque((question,))
        self._look(device, ready_ns)

    def add(self, question: Q, ready_ns: int) -> None:
        """A question that comes back, behind those that wait for its device."""
        device = question.ticket.device
        if device in self._queue:
            self._queue[device].append(question)
        else:
            self._queue[device] = deque((question,))
            self._look(device, ready_ns)
        self.ready_ns = min(self.ready_ns, ready_ns) if self.ready_ns >= 0 else ready_ns

    def rest(self) -> Iterator[Q]:
        """Everything that is left."""
        while self._queue:
            queue = next(iter(self._queue.values()))
            while queue:
                yield queue.popleft()
            del self._queue[next(iter(self._queue))]
        yield from self.fresh
        self.ready_ns = -1

    def _look(self, device: Device, at_ns: int) -> None:
        self._pushed += 1
        heappush(self._times, (at_ns, self._pushed, device))


class Schedule(Generic[Q]):
    """Gives out questions that have been claimed at the gate."""

    def __init__(
        self,
        gate: Gate,
        tickets: Sequence[Ticket],
        attempts: int,
        question: Callable[[Ticket, int], Q],
        *,
        packets: int,
        size: int,
        interval_ns: int = 0,
    ) -> None:
        """Ask each ticket ``attempts`` times; every question is charged as ``packets`` of ``size`` IP bytes together.

        Args:
            gate: gives leave.
            tickets: whom to ask.
            attempts: how often.
            question: makes a question of a ticket and the index of the attempt.
            packets: IP packets of a question.
            size: IP bytes of a question.
            interval_ns: least pause between two questions to one ticket.
        """
        groups: dict[tuple[str, bool], list[Ticket]] = {}
        for ticket in tickets:
            groups.setdefault(ticket.lane, []).append(ticket)
        self._gate = gate
        self._lanes = {
            lane: _Lane(
                starmap(question, rounds(group, attempts)),
                unlimited=not interval_ns and all(one.unlimited and not one.on_link for one in group),
            )
            for lane, group in groups.items()
        }
        self._packets = packets
        self._size = size
        self._interval_ns = interval_ns
        self._neighbours = Pace(NEW_NEIGHBOURS_PER_S)
        self._head_start = COHORT
        self.refused: list[Q] = []  #: what the last :meth:`take` gave up for good: its zone, or everything, was stopped

    def take(self, now_ns: int, limit: int) -> list[Q]:
        """Up to ``limit`` questions that may be asked now."""
        taken: list[Q] = []
        self.refused.clear()
        halted = self._gate.halted(now_ns)
        for lane in self._lanes.values():
            lane.closed = lane.closed or halted
            if lane.closed:
                self.refused.extend(islice(lane.rest(), REFUSED_AT_ONCE))
            elif lane.ready_ns <= now_ns:
                self._take_from(lane, now_ns, limit - len(taken), taken)
        self._lanes = {key: lane for key, lane in self._lanes.items() if lane.ready_ns >= 0}
        if len(self._lanes) > 1:  # the first to be served this time is the last next time
            first = next(iter(self._lanes))
            self._lanes[first] = self._lanes.pop(first)
        return taken

    def again(self, question: Q, not_before_ns: int) -> None:
        """Put a question back, to be asked at ``not_before_ns`` or later."""
        ticket = question.ticket
        ticket.earliest_ns = max(ticket.earliest_ns, not_before_ns)
        self._lanes.setdefault(ticket.lane, _Lane(iter(()))).add(question, not_before_ns)

    def look(self, ticket: Ticket, now_ns: int) -> None:
        """Look at the zone of ``ticket`` again at once: it was given back what a question of it has not used."""
        lane = self._lanes.get(ticket.lane)
        if lane is not None:
            lane.ready_ns = min(lane.ready_ns, now_ns)

    @property
    def empty(self) -> bool:
        """Whether nothing is left to be asked."""
        return not self._lanes

    @property
    def ready_ns(self) -> int:
        """When the next question may be ready, at the earliest."""
        return min((0 if lane.closed else lane.ready_ns for lane in self._lanes.values()), default=0)

    def _take_from(self, lane: _Lane[Q], now_ns: int, limit: int, taken: list[Q]) -> None:
        claim, packets, size, interval_ns = self._gate.claim, self._packets, self._size, self._interval_ns
        if lane.unlimited and not lane.waiting:
            taken += self._take_freely(lane, now_ns, limit)
            return
        for _ in range(2 * limit):
            question = lane.next(now_ns, REFUSED_AT_ONCE) if limit else None
            if question is None:
                return
            ticket = question.ticket
            own_ns = max(ticket.earliest_ns - now_ns, 0)
            table_ns = self._wait_for_table(question, now_ns) if not own_ns else 0
            wait_ns = own_ns or table_ns or claim(ticket, packets, size, now_ns)
            if not wait_ns:
                taken.append(question)
                limit -= 1
                if interval_ns:
                    ticket.earliest_ns = now_ns + interval_ns
                lane.asked(question, now_ns)
            elif wait_ns == NEVER:
                self.refused.append(question)
                lane.closed = True
                return
            elif own_ns or ticket.device.wait_ns(now_ns, ticket.connects):
                lane.defer(question, now_ns + wait_ns)
            else:
                lane.defer(question, now_ns)
                lane.ready_ns = now_ns + wait_ns  # the whole zone waits
                return

    def _take_freely(self, lane: _Lane[Q], now_ns: int, limit: int) -> list[Q]:
        """The next of a lane that nothing limits, many at a time."""
        questions = list(islice(lane.fresh, limit))
        if not self._gate.claim_unlimited([question.ticket for question in questions], self._size, now_ns):
            self.refused += questions
            lane.closed = True
            return []
        if len(questions) < limit:
            lane.ready_ns = -1
        return questions

    def _wait_for_table(self, question: Q, now_ns: int) -> int:
        """How long an on-link address must wait for its place in the kernel's neighbour table."""
        if not question.ticket.on_link or question.attempt:
            return 0
        if self._head_start:
            self._head_start -= 1
            return 0
        wait_ns = self._neighbours.wait_ns(now_ns)
        if not wait_ns:
            self._neighbours.charge(now_ns)
        return wait_ns
