"""Pace: how fast units (packets, bits) may leave. Pure arithmetic on nanoseconds; the gate keeps one for each limit."""

from __future__ import annotations

from collections import deque
from math import ceil
from math import floor

SECOND_NS = 1_000_000_000

#: How far a sender that woke late may catch up. Long-run spacing is 1 / rate; one gap may be this much shorter.
SLACK_NS = 10_000_000


class Pace:
    """An even spacing of ``1 / rate`` with :data:`SLACK_NS` of catching up, and a cap on every second.

    Two promises, both kept exactly:

    - In every half-open second ``(t - 1 s, t]`` at most ``max(1, floor(rate))`` units are charged. A single claim that
      is larger than that (a TCP handshake in a very slow zone) stands alone in its second.
    - In every interval of ``d`` seconds at most ``rate * (d + 0.01)`` units and one claim more are charged, so a rate
      below one per second holds too.
    """

    __slots__ = ("_due_ns", "_in_second", "_log", "_per_second", "_unit_ns")

    def __init__(self, rate: float) -> None:
        if not rate > 0:
            raise ValueError(f"a rate must be positive, not {rate}")
        self._unit_ns = SECOND_NS / rate
        self._per_second = max(1, floor(rate))
        self._due_ns = 0  #: when the next unit would leave if all left evenly
        self._log: deque[tuple[int, int]] = deque()  #: (time, units) of the last second
        self._in_second = 0

    def wait_ns(self, now_ns: int, units: int = 1) -> int:
        """Nanoseconds until ``units`` may be charged; 0 means now."""
        log = self._log
        while log and log[0][0] <= now_ns - SECOND_NS:
            self._in_second -= log.popleft()[1]
        wait_ns = self._due_ns - SLACK_NS - now_ns
        over = self._in_second + units - self._per_second
        if over > 0:
            for at_ns, logged in log:
                wait_ns = max(wait_ns, at_ns + SECOND_NS - now_ns)
                over -= logged
                if over <= 0:
                    break
        return max(wait_ns, 0)

    def charge(self, now_ns: int, units: int = 1) -> None:
        """Note that ``units`` leave now; :meth:`wait_ns` must just have said that they may."""
        self._due_ns = max(self._due_ns, now_ns) + ceil(units * self._unit_ns)
        self._in_second += units
        if self._log and self._log[-1][0] == now_ns:
            units += self._log.pop()[1]
        self._log.append((now_ns, units))

    def settle(self, charged_ns: int, left_ns: int) -> None:
        """What was charged at ``charged_ns`` left only at ``left_ns``: a stalled process must not bunch packets."""
        self._due_ns += left_ns - charged_ns
        if self._log and self._log[-1][0] == charged_ns:
            self._log.append((left_ns, self._log.pop()[1]))

    def refund(self, charged_ns: int, units: int) -> None:
        """Give back ``units`` of what was charged at ``charged_ns`` as an upper bound and will never be used.

        A charge that is over a second old has had its effect already; nothing of it is given back.
        """
        for index, (at_ns, logged) in enumerate(self._log):
            if at_ns == charged_ns:
                self._log[index] = (at_ns, logged - units)
                self._in_second -= units
                self._due_ns -= floor(units * self._unit_ns)
                break
