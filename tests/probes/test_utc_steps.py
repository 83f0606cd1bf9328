"""Steps of UTC are seen; slewing and being preempted are not taken for one."""

from __future__ import annotations

from probes.utc_steps import STEP_NS
from probes.utc_steps import Clocks


class Time:
    """A world in which time passes as told."""

    def __init__(self) -> None:
        self.now_ns, self.offset_ns, self.hiccup_ns = 10**12, 10**18, []

    def monotonic(self) -> int:
        self.now_ns += 100
        return self.now_ns

    def utc(self) -> int:
        if self.hiccup_ns:
            self.now_ns += self.hiccup_ns.pop()
        self.now_ns += 100
        return self.now_ns + self.offset_ns


def test_a_step_is_seen_and_measured() -> None:
    time = Time()
    clocks = Clocks(time.monotonic, time.utc)
    utc_ns, monotonic_ns = clocks.look()
    time.now_ns += 10**9
    clocks.look()
    assert not clocks.stepped
    assert clocks.step_ns(utc_ns, monotonic_ns) == 0
    time.offset_ns -= 3 * 10**9
    clocks.look()
    assert clocks.stepped
    assert clocks.step_ns(utc_ns, monotonic_ns) == -3 * 10**9
    later = clocks.look()
    assert clocks.step_ns(*later) == 0  # what was sent after the step needs no correction


def test_slewing_is_no_step() -> None:
    time = Time()
    clocks = Clocks(time.monotonic, time.utc)
    clocks.look()
    time.offset_ns += STEP_NS // 2
    clocks.look()
    assert not clocks.stepped


def test_a_look_that_was_preempted_is_repeated() -> None:
    time = Time()
    clocks = Clocks(time.monotonic, time.utc)
    clocks.look()
    time.hiccup_ns = [50_000_000, 50_000_000]
    clocks.look()
    assert not clocks.stepped
