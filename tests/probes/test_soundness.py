"""What but the path bounded a rate, as the tester's kernel tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_report import Transfer
from probes.iperf3_report import read
from probes.soundness import Test
from probes.soundness import facts
from probes.soundness import why_not
from tests.probes.test_iperf3_report import json_values
from tests.probes.test_iperf3_report import report

#: 200 Mbit/s for 3 s, the path's own limit.
BUSY = {
    "busy_us": 2_960_000, "rwnd_limited_us": 0, "sndbuf_limited_us": 40_000, "min_rtt_us": 300,
    "tcp_rmem": 6_291_456, "tcp_wmem": 4_194_304,
}  # fmt: skip
UP = Test(reverse=False, streams=1, seconds=3, bits_per_s=200e6)
DOWN = replace(UP, reverse=True)


def why(test: Test, **changed: Any) -> str:
    kernel = BUSY | changed
    return why_not(test, facts(kernel, reverse=test.reverse), kernel)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ""),
        ({"rwnd_limited_us": 600_000}, ""),
        ({"rwnd_limited_us": 750_000}, "the receiver's window"),
        # each alone would do, but together they leave the path unused for a third of the time
        ({"rwnd_limited_us": 500_000, "sndbuf_limited_us": 450_000}, "the receiver's window"),
        ({"busy_us": 2_400_000, "rwnd_limited_us": 400_000}, "something to send for 80 %"),
        ({"sndbuf_limited_us": 2_900_000}, "the tester's send buffer"),
        ({"busy_us": 2_300_000}, ""),
        ({"busy_us": 9_000_000}, ""),  # more than there was
        ({"busy_us": 2_000_000}, "something to send for 67 %"),
        ({"busy_us": 4_000, "sndbuf_limited_us": 0}, "something to send for 0 %"),
        ({"busy_us": 0}, ""),  # an old kernel does not tell
        ({"busy_us": "long"}, ""),
    ],
)
def test_a_sender_that_could_not_send_says_nothing_about_the_path(changed: dict[str, Any], said: str) -> None:
    found = why(UP, **changed)
    assert said in found
    assert bool(said) == bool(found)


def test_each_of_many_streams_must_have_been_busy() -> None:
    assert "something to send" in why(replace(UP, streams=2))
    assert not why(replace(UP, streams=2), busy_us=5_800_000)


@pytest.mark.parametrize(
    ("rtt_us", "buffer", "limited"),
    [
        (300, 6_291_456, False),
        (100_000, 6_291_456, False),  # 2.5 MB in flight, in a window of 3.1 MB
        (120_000, 6_291_456, True),
        (20_000, 1_000_000, True),
        (0, 1_000_000, False),
        (20_000, 0, False),
    ],
)
def test_the_own_receive_buffer_bounds_what_is_in_flight(rtt_us: int, buffer: int, limited: bool) -> None:
    assert bool(why(DOWN, min_rtt_us=rtt_us, tcp_rmem=buffer)) == limited
    assert not why(replace(DOWN, streams=8), min_rtt_us=rtt_us, tcp_rmem=buffer)


def test_what_the_kernel_says_is_kept_with_the_rate() -> None:
    assert facts(BUSY, reverse=False) == {
        "min_rtt_us": 300,
        "rwnd_limited_percent": 0.0,
        "sndbuf_limited_percent": 1.4,
    }
    assert facts(BUSY, reverse=True) == {"min_rtt_us": 300}
    assert facts({}, reverse=False) == {}


ASKED = Asked("192.0.2.7", 5201, reverse=False, streams=1, duration_s=2, omit_s=1, bits_per_s=1_000_000_000)


def test_a_bounded_rate_is_unsound_and_never_low() -> None:
    import json

    text = json.dumps(report())  # 100 Mbit/s
    assert isinstance(read(text, ASKED, BUSY), Transfer)
    found = read(text, ASKED, BUSY | {"rwnd_limited_us": 2_500_000})
    assert isinstance(found, Failure)
    assert found.error == "unsound"
    # At the cap the sender waits for its own pace, and the rate is a lower bound whatever bounded it.
    capped = replace(ASKED, bits_per_s=105_000_000)
    assert isinstance(read(text, capped, BUSY | {"busy_us": 4_000}), Transfer)


@given(st.dictionaries(st.sampled_from(sorted(BUSY)), json_values))
def test_whatever_the_task_says_is_no_reason_to_fail(kernel: dict[str, Any]) -> None:
    for test in (UP, DOWN):
        assert isinstance(why_not(test, facts(kernel, reverse=test.reverse), kernel), str)
