"""Bookkeeping of echoes under way, over any order of events."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.inflight import FIRST_ECHOES
from probes.inflight import FIRST_WAIT_NS
from probes.inflight import HOLD_NS
from probes.inflight import Echo
from probes.inflight import EchoParameters
from probes.inflight import InFlight

NOBODY = SimpleNamespace()


def echoes(count: int) -> list[Echo]:
    return [Echo(NOBODY, attempt) for attempt in range(count)]


def test_nothing_overflows_and_silence_gives_its_room_back() -> None:
    flying = InFlight(window=100)
    assert flying.room(1, 512) == FIRST_ECHOES
    flying.add(echoes(FIRST_ECHOES), 10, 1)
    assert flying.room(2, 512) == 0
    flying.stamp([(0, 11)], 0)
    assert flying.room(2, 512) == 100 - FIRST_ECHOES
    flying.close(flying.find(5), 5)
    assert flying.room(2, 512) == 101 - FIRST_ECHOES
    assert flying.room(2 + HOLD_NS, 512) == 100


def test_without_any_stamp_or_answer_the_rest_goes_after_a_while() -> None:
    flying = InFlight(window=10_000)
    flying.add(echoes(FIRST_ECHOES), 10, 1)
    assert flying.room(FIRST_WAIT_NS, 512) == 0
    assert flying.room(1 + FIRST_WAIT_NS, 512) == 512


def test_a_long_delay_is_waited_for() -> None:
    flying = InFlight(window=10)
    flying.add(echoes(11), 10, 1)
    flying.answered(flying.find(0), 0, HOLD_NS)
    assert flying.room(1 + HOLD_NS, 512) == 0
    assert flying.room(1 + 4 * HOLD_NS, 512) == 10


def test_a_stamp_older_than_its_packet_belongs_to_another() -> None:
    flying = InFlight(window=10)
    flying.add(echoes(1), 10**12, 1)
    flying.stamp([(0, 10**12 - 10**9)], 0)
    flying.stamp([(7, 10**12)], 0)
    assert flying.find(0).tx_ns == 0
    flying.stamp([(1, 10**12 + 1)], -1)
    assert flying.find(0).tx_ns == 10**12 + 1


def test_overdue_comes_oldest_first_and_once() -> None:
    flying = InFlight(window=100)
    for at in (1, 2, 3):
        flying.add(echoes(2), at, at)
    flying.close(flying.find(1), 1)
    assert [serial for serial, _ in flying.overdue(2)] == [0, 2, 3]
    assert list(flying.overdue(2)) == []
    assert flying.open == 2
    assert flying.next_due_ns() == 3
    assert flying.find(0) is None


@given(st.integers(0, 300_000), st.integers(0, 0xFFFF))
def test_a_sequence_number_finds_every_candidate(sent: int, sequence: int) -> None:
    flying = InFlight(window=10)
    flying._sent = [None] * sent
    assert list(flying.candidates(sequence)) == list(range(sequence, sent, 65536))


@given(st.lists(st.sampled_from(["add", "answer", "lose", "expire", "tick"]), max_size=80), st.data())
def test_counts_agree_whatever_happens(events: list[str], data: st.DataObject) -> None:
    flying, now_ns, decided, sent = InFlight(window=50), 1, 0, 0
    for event in events:
        room = flying.room(now_ns, 512)
        if event == "add":
            count = data.draw(st.integers(0, room))
            flying.add(echoes(count), now_ns, now_ns)
            back = data.draw(st.integers(0, count))
            flying.take_back(back)
            sent += count - back
        elif event == "answer" and sent:
            serial = data.draw(st.integers(0, sent - 1))
            echo = flying.find(serial)
            if echo is not None and not echo.done:
                flying.close(echo, serial)
                decided += 1
        elif event == "expire":
            decided += len(list(flying.overdue(now_ns - data.draw(st.integers(0, 2 * HOLD_NS)))))
        elif event == "tick":
            now_ns += data.draw(st.integers(0, 2 * HOLD_NS))
        assert flying.open == sent - decided
        assert len(flying) == sent
        assert 0 <= flying.room(now_ns, 512) <= 50
    assert decided + len(list(flying.overdue(now_ns))) == sent


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"timeout_ms": 0}, {"payload_bytes": 7}, {"payload_bytes": 65}])
def test_absurd_parameters_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        EchoParameters.of(wrong)
