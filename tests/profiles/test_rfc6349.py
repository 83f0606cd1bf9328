"""The metrics of RFC 6349, from the detail of a test's observation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.indicators import rfc6349

TOLD = {
    "sent_bytes": 9_800_000, "retransmits": 200, "segment_bytes": 1000, "idle_us": [900, 1000, None, 800],
    "loaded_us": [4000, None, 8000], "min_rtt_us": 700, "rtt_us": 5000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "version", "best"),
    # RFC 6349 section 3.3 states 94.9 Mbit/s for 100BASE (8127 frames a second of 1460 octets).
    [(100, 4, 94.93), (1000, 4, 949.3), (100, 6, 93.63)],
)
def test_the_most_that_tcp_can_carry(line: float, version: int, best: float) -> None:
    assert rfc6349.ideal_mbit_s(line, version) == pytest.approx(best, abs=0.05)
    assert rfc6349.transfer_time_ratio(best / 2, line, version) == pytest.approx(2, rel=1e-3)
    assert rfc6349.transfer_time_ratio(0, line, version) is None


@pytest.mark.parametrize(
    ("told", "percent"),
    [
        (TOLD, 98.0),
        ({"sent_bytes": 9_900_000, "retransmits": 100, "segment_bytes": 1000}, 99.0),
        ({"sent_bytes": 9_900_000, "retransmits": 0, "segment_bytes": 1448}, 100.0),
        ({"sent_bytes": 9_900_000, "retransmits": 100}, None),
        ({"retransmits": 100, "segment_bytes": 1000}, None),
        ({}, None),
    ],
)
def test_efficiency_is_the_share_that_was_no_repetition(told: dict[str, Any], percent: float | None) -> None:
    assert rfc6349.efficiency_percent(told) == percent


@pytest.mark.parametrize(
    ("changed", "idle", "loaded", "delay"),
    [
        ({}, 0.8, 6.0, 650.0),
        ({"loaded_us": [None, None]}, 0.8, None, pytest.approx(614.29, abs=0.01)),  # by the sender's own times
        ({"idle_us": []}, None, 6.0, pytest.approx(614.29, abs=0.01)),
        ({"idle_us": [], "rtt_us": None}, None, 6.0, None),
        ({"idle_us": "soon", "loaded_us": {}, "min_rtt_us": 0}, None, None, None),
        ({"loaded_us": [600]}, 0.8, 0.6, pytest.approx(-25.0)),  # quicker than before is told as it is
    ],
)
def test_latency_idle_and_under_load(changed: dict[str, Any], idle: Any, loaded: Any, delay: Any) -> None:
    told = TOLD | changed
    assert (rfc6349.idle_ms(told), rfc6349.loaded_ms(told)) == (idle, loaded)
    assert rfc6349.buffer_delay_percent(told) == delay


def test_facts_are_medians_and_the_worst_of_what_is_known() -> None:
    found = dict(rfc6349.facts("up", [TOLD, TOLD | {"sent_bytes": 9_500_000, "retransmits": 500}, {}]))
    assert (found["efficiency_up"], found["efficiency_up_worst"]) == ("96.5 %", "95 %")
    assert (found["idle_rtt_up"], found["loaded_rtt_up"], found["buffer_delay_up"]) == ("0.8 ms", "6 ms", "650 %")
    assert not dict(rfc6349.facts("down", [{}]))


NAMES = st.sampled_from(list(TOLD))
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())


@given(st.dictionaries(NAMES, VALUES))
def test_no_detail_makes_it_fail(told: dict[str, Any]) -> None:
    assert all(isinstance(fact, str) for _, fact in rfc6349.facts("up", [told]))
