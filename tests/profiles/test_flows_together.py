"""Several flows judged as one, and messages that the talker left out, by the indicators of cyclic flows."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from profiles.availability import service
from profiles.indicators.flows import SurvivalParameters
from profiles.indicators.flows import _as_if_all_sent
from profiles.indicators.flows import _greatest
from profiles.indicators.flows import _served
from profiles.indicators.flows import _Trace
from profiles.reduced import Member

DELAYS = st.floats(0, 100)
FLOW = Member("axis", "flow", facts=(("interval_ms", "4.0"),))


def at(values: tuple[float, ...] | list[float], quantile: float) -> float:
    return sorted(values)[math.ceil(len(values) * quantile) - 1]


@given(st.integers(1, 40), st.integers(1, 4), st.floats(0.01, 0.99), st.data())
def test_at_every_quantile_the_worst_flow_is_judged(n: int, flows: int, quantile: float, data: st.DataObject) -> None:
    drawn = [data.draw(st.lists(DELAYS, min_size=n, max_size=n)) for _ in range(flows)]
    assert at(_greatest(drawn), quantile) == max(at(delays, quantile) for delays in drawn)


@given(st.lists(st.lists(DELAYS, min_size=1, max_size=40), min_size=1, max_size=4))
def test_the_greatest_delay_of_any_flow_is_there_however_long_each_is(flows: list[list[float]]) -> None:
    assert max(_greatest(flows)) == max(map(max, flows))


def test_what_the_talker_left_out_is_not_held_against_the_plant() -> None:
    sent = [number != 51 for number in range(200)]
    delays = [None if number in (50, 51) else 500_000 for number in range(200)]
    trace = _Trace(FLOW, delays, sent, same_clock=True)
    asked = SurvivalParameters(max_latency_ms=4, survival_time_ms=4)
    assert len(_served(trace, asked).downs) == 1  # it may have gone down
    assert not _served(_as_if_all_sent(trace), asked).downs  # had message 51 been sent, it would not have


def test_two_messages_lost_in_a_row_are_the_plant_s() -> None:
    delays = [None if number in (50, 51) else 500_000 for number in range(200)]
    assert len(service(delays, [True] * 200, 4_000_000, 4_000_000, 4_000_000).downs) == 1
