"""UTC beside the monotonic clock: the kernel stamps packets in UTC, and somebody may set UTC meanwhile.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: A difference between the clocks that grew by more is a step of UTC; slewing changes it by 0.5 ms/s at most.
STEP_NS = 1_000_000
CLOSE_NS = 20_000  #: two clocks read within this are read at the same time


class Clocks:
    """Looks at both clocks, and knows whether UTC was stepped since the first look."""

    def __init__(self, monotonic: Callable[[], int], utc: Callable[[], int] = time.time_ns) -> None:
        """Both clocks are in nanoseconds."""
        self._monotonic = monotonic
        self._utc = utc
        self.utc_ns = 0  #: at the last look
        self._offset_ns = 0  #: UTC minus monotonic, at the last look
        self._first_offset_ns: int | None = None
        self.stepped = False  #: whether UTC may have been stepped since the first look

    def look(self) -> tuple[int, int]:
        """UTC and monotonic time of the same moment; a look during which this process was preempted is repeated."""
        for _ in range(4):
            before_ns = self._monotonic()
            utc_ns = self._utc()
            if self._monotonic() - before_ns < CLOSE_NS:
                break
        self.utc_ns, self._offset_ns = utc_ns, utc_ns - before_ns
        if self._first_offset_ns is None:
            self._first_offset_ns = self._offset_ns
        self.stepped = self.stepped or abs(self._offset_ns - self._first_offset_ns) > STEP_NS
        return utc_ns, before_ns

    def step_ns(self, utc_ns: int, monotonic_ns: int) -> int:
        """By how much UTC was stepped from that moment to the last look; 0 if it was not."""
        step_ns = self._offset_ns - utc_ns + monotonic_ns
        return step_ns if abs(step_ns) > STEP_NS else 0
