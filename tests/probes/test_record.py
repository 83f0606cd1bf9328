"""Records are whole observations, however they are filled."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from probes.action import Action
from probes.action import Target
from probes.record import Recorder
from profiles.observation import COLUMNS
from profiles.observation import Observation

TARGET = Target("plc", "192.0.2.1", "cell")
RECORDER = Recorder(Action("desk", "icmp-echo", (TARGET,), {}, window=2), "round-trip-delay", "ms")


def test_an_answer_is_an_observation_like_any_other() -> None:
    quick = RECORDER.value(TARGET, 1, 1.5, 10, 20, '{"ttl":64}')
    slow = Observation(
        "icmp-echo", "desk", "plc", "192.0.2.1", "round-trip-delay", 1.5, "ms", None, 2, 1, 10, 20, '{"ttl":64}'
    )
    assert type(quick) is Observation
    assert quick == slow
    assert hash(quick) == hash(slow)
    assert repr(quick) == repr(slow)
    assert quick.row() == slow.row()
    assert len(quick.row()) == len(COLUMNS)
    assert quick.answered
    with pytest.raises(FrozenInstanceError):
        quick.value = 2.0


def test_a_failure_keeps_its_facts_and_gets_a_time_if_nothing_was_sent() -> None:
    failed = RECORDER.error(TARGET, 0, "no-route", reason="没有路由")
    assert (failed.value, failed.error) == (None, "no-route")
    assert json.loads(failed.detail) == {"reason": "没有路由"}
    assert failed.utc_ns > 0
    assert failed.monotonic_ns > 0
    assert RECORDER.error(TARGET, 0, "timeout", 7, 8).detail == ""


def test_the_instrument_speaks_of_no_target() -> None:
    told = RECORDER.instrument(3, sent=9)
    assert (told.target, told.address, told.quantity, told.value) == ("", "", "instrument", 3.0)
    assert json.loads(told.detail) == {"sent": 9}
