"""When an application that expects cyclic messages is down (TS 22.261 3.1, survival time). Pure arithmetic on ns.

A message i is expected at s_i = i T on the talker's schedule. It is ok if it is received uncorrupted with a delay of at
most Lmax. The application goes down at s_i + Lmax + Ts for the first missed message i, if no later ok message arrived
before, and comes up when the next ok message arrives. Ts = 0 bears no miss, Ts = T one, and so on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Service:
    """How a communication service fared."""

    downs: tuple[tuple[int, int], ...]  #: from when to when it was down, ns on the talker's schedule
    observed_ns: int
    misses: Mapping[int, int]  #: how many runs of so many missed messages in a row

    @property
    def down_ns(self) -> int:
        """For how long it was down in all."""
        return sum(up_ns - down_ns for down_ns, up_ns in self.downs)

    @property
    def availability(self) -> Fraction:
        """The share of the observation during which it was up."""
        return 1 - Fraction(self.down_ns, self.observed_ns)

    @property
    def mtbf_ns(self) -> Fraction | None:
        """Mean time between failures: up time by number of downs; none if there were none."""
        return Fraction(self.observed_ns - self.down_ns, len(self.downs)) if self.downs else None


def service(
    delays_ns: Sequence[int | None], expected: Sequence[bool], interval_ns: int, max_latency_ns: int, survival_ns: int
) -> Service:
    """Follow a service message by message.

    A message arrives at s_i plus its delay: how late the talker itself was is left out, for that is not the network's
    doing. A message that is not ``expected``, because the talker did not send it, is neither missed nor ok.

    Args:
        delays_ns: one-way delay of each message; ``None`` if it never came.
        expected: whether each message was sent.
        interval_ns: T, the transfer interval.
        max_latency_ns: Lmax.
        survival_ns: Ts.
    """
    end_ns = len(delays_ns) * interval_ns + max_latency_ns
    next_ok_ns = [end_ns] * (len(delays_ns) + 1)  # the earliest arrival of an ok message from i on
    missed = []
    for index in range(len(delays_ns) - 1, -1, -1):
        delay_ns = delays_ns[index]
        ok = expected[index] and delay_ns is not None and delay_ns <= max_latency_ns
        arrives_ns = index * interval_ns + delay_ns if ok and delay_ns is not None else end_ns
        next_ok_ns[index] = min(arrives_ns, next_ok_ns[index + 1])
        if expected[index] and not ok:
            missed.append(index)
    missed.reverse()
    downs: list[tuple[int, int]] = []
    for index in missed:
        down_ns, up_ns = index * interval_ns + max_latency_ns + survival_ns, next_ok_ns[index + 1]
        already_down = downs and down_ns < downs[-1][1]
        if down_ns < up_ns and not already_down:
            downs.append((down_ns, up_ns))
    return Service(tuple(downs), end_ns, _runs(missed, expected))


def _runs(missed: Sequence[int], expected: Sequence[bool]) -> dict[int, int]:
    """Lengths of runs of missed messages; one that was not sent does not end a run."""
    runs: list[int] = []
    last = -1
    for index in missed:
        if runs and not any(expected[last + 1 : index]):
            runs[-1] += 1
        else:
            runs.append(1)
        last = index
    return dict(sorted(Counter(runs).items()))
