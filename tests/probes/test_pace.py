"""The promises of a pace, over any schedule of claims."""

from __future__ import annotations

from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.pace import SECOND_NS
from probes.pace import SLACK_NS
from probes.pace import Pace

RATES = st.one_of(st.floats(0.1, 5), st.floats(5, 5000))
#: Each step: how long the sender dawdles before it asks, how many units it asks for, how late they really leave.
STEPS = st.lists(
    st.tuples(st.integers(0, 3 * SECOND_NS // 2), st.integers(1, 9), st.integers(0, 50_000_000)), max_size=60
)


def drive(pace: Pace, steps: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Claim as the steps say, waiting as told; (time, units) of what left."""
    now_ns, left = 10**12, []
    for dawdle_ns, units, late_ns in steps:
        now_ns += dawdle_ns
        for _ in range(1000):
            wait_ns = pace.wait_ns(now_ns, units)
            if not wait_ns:
                break
            now_ns += wait_ns
        else:
            raise AssertionError("never allowed")
        pace.charge(now_ns, units)
        pace.settle(now_ns, now_ns + late_ns)
        now_ns += late_ns
        left.append((now_ns, units))
    return left


@given(RATES, STEPS)
def test_no_sliding_second_holds_more_than_the_rate(rate: float, steps: list[tuple[int, int, int]]) -> None:
    left = drive(Pace(rate), steps)
    for end_ns, last in left:
        window = [units for at_ns, units in left if end_ns - SECOND_NS < at_ns <= end_ns]
        assert sum(window) <= max(1, floor(rate)) or window == [last]


@given(RATES, STEPS)
def test_no_longer_interval_holds_more_than_the_rate_and_one_claim(
    rate: float, steps: list[tuple[int, int, int]]
) -> None:
    left = drive(Pace(rate), steps)
    for index, (start_ns, _) in enumerate(left):
        total = 0
        for at_ns, units in left[index:]:
            span_s = (at_ns - start_ns + SLACK_NS) / SECOND_NS
            assert total <= rate * span_s + 1e-6  # what came before this claim
            total += units


@given(st.floats(1, 2000))
def test_a_prompt_sender_gets_the_whole_rate(rate: float) -> None:
    pace, now_ns, sent = Pace(rate), 10**12, 0
    start_ns = now_ns
    while now_ns < start_ns + 3 * SECOND_NS:
        wait_ns = pace.wait_ns(now_ns)
        if wait_ns:
            now_ns += wait_ns
        else:
            pace.charge(now_ns)
            sent += 1
    assert sent >= 3 * floor(rate) - 1


def test_a_refund_frees_its_own_second_only() -> None:
    pace, start_ns = Pace(10), 10**12
    pace.charge(start_ns, 8)
    assert pace.wait_ns(start_ns, 8) == SECOND_NS
    pace.refund(start_ns, 4)
    assert pace.wait_ns(start_ns, 6) == 400_000_000 - SLACK_NS
    pace.charge(start_ns + 500_000_000, 6)
    pace.refund(start_ns + 1, 6)  # no such claim: nothing is given back
    assert pace.wait_ns(start_ns + 600_000_000, 1) == 500_000_000 - SLACK_NS


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        Pace(rate)
