"""In which order, and when, the questions of an action are asked: as soon as the gate gives leave."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from heapq import heappop
from heapq import heappush
from itertools import chain
from itertools import islice
from typing import Generic
from typing import Protocol
from typing import TypeVar

from probes.gate import NEVER
from probes.gate import Gate
from probes.pace import Pace
from probes.ports import Ticket

#: On-link addresses that are asked together, so that their neighbour entries fit in the kernel's table.
COHORT = 256
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

    __slots__ = ("closed", "deferred", "fresh", "head", "ready_ns")

    def __init__(self, fresh: Iterator[Q]) -> None:
        self.fresh = fresh
        self.head: Q | None = None  #: taken from ``fresh``, and waiting for the zone
        self.deferred: list[tuple[int, int, Q]] = []  #: heap of those that wait for their device
        self.ready_ns = 0  #: when to look again; negative once nothing is left
        self.closed = False  #: whether its zone was stopped

    def rest(self) -> Iterator[Q]:
        """Everything that is left, in any order."""
        if self.head is not None:
            yield self.head
            self.head = None
        while self.deferred:
            yield self.deferred.pop()[2]
        yield from self.fresh
        self.ready_ns = -1


class Schedule(Generic[Q]):
    """Gives out questions that have been claimed at the gate."""

    def __init__(
        self,
        gate: Gate,
        questions: Mapping[tuple[str, bool], Iterator[Q]],
        *,
        packets: int,
        size: int,
        interval_ns: int = 0,
    ) -> None:
        """Questions by :attr:`Ticket.lane`; each is charged as ``packets`` of ``size`` IP bytes together."""
        self._gate = gate
        self._lanes = {lane: _Lane(fresh) for lane, fresh in questions.items()}
        self._packets = packets
        self._size = size
        self._interval_ns = interval_ns
        self._serial = 0
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
        lane = self._lanes.setdefault(question.ticket.lane, _Lane(iter(())))
        self._defer(lane, question, not_before_ns)
        lane.ready_ns = min(lane.ready_ns, not_before_ns)

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
        steps = 2 * limit
        while limit > 0 and steps > 0:
            steps -= 1
            question = self._next(lane, now_ns)
            if question is None:
                break
            ticket = question.ticket
            wait_ns = ticket.earliest_ns - now_ns if ticket.earliest_ns > now_ns else 0
            if not wait_ns and ticket.on_link and question.attempt == 0:
                wait_ns = self._wait_for_table(now_ns)
                if wait_ns:
                    self._hold(lane, question, now_ns + wait_ns)
                    return
            wait_ns = wait_ns or claim(ticket, packets, size, now_ns)
            if not wait_ns:
                taken.append(question)
                limit -= 1
                if interval_ns:
                    ticket.earliest_ns = now_ns + interval_ns
            elif wait_ns == NEVER:
                self.refused.append(question)
                lane.closed = True
                return
            elif max(ticket.device.wait_ns(now_ns, ticket.connects), ticket.earliest_ns - now_ns) > 0:
                self._defer(lane, question, now_ns + wait_ns)
            else:
                self._hold(lane, question, now_ns + wait_ns)
                return

    def _next(self, lane: _Lane[Q], now_ns: int) -> Q | None:
        """The next question of a lane; if there is none now, the lane learns when, or that there is none at all."""
        if lane.deferred and lane.deferred[0][0] <= now_ns:
            return heappop(lane.deferred)[2]
        if lane.head is not None:
            question, lane.head = lane.head, None
            return question
        for question in lane.fresh:
            return question
        lane.ready_ns = lane.deferred[0][0] if lane.deferred else -1
        return None

    def _hold(self, lane: _Lane[Q], question: Q, ready_ns: int) -> None:
        lane.ready_ns = ready_ns
        if lane.head is None:
            lane.head = question
        else:
            self._defer(lane, question, ready_ns)

    def _defer(self, lane: _Lane[Q], question: Q, ready_ns: int) -> None:
        self._serial += 1
        heappush(lane.deferred, (ready_ns, self._serial, question))

    def _wait_for_table(self, now_ns: int) -> int:
        if self._head_start:
            self._head_start -= 1
            return 0
        wait_ns = self._neighbours.wait_ns(now_ns)
        if not wait_ns:
            self._neighbours.charge(now_ns)
        return wait_ns
