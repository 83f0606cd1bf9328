"""Frames of a cyclic flow, its clocks' offset, and the kernel's stamps: read from good input and from bad."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.flow_end import ClockOffset
from probes.flow_message import EXCHANGE_BYTES
from probes.flow_message import HELLO
from probes.flow_message import LEAST_BYTES
from probes.flow_message import MESSAGE
from probes.flow_message import REPLY
from probes.flow_message import Frame
from probes.flow_message import Reply
from probes.flow_message import boot_identity
from probes.flow_message import tag
from probes.flow_message import unpack
from probes.timestamps import sent
from probes.timestamps import stamp_ns

frames = st.builds(
    Frame,
    st.integers(0, 255),
    st.binary(min_size=8, max_size=8),
    st.integers(0, (1 << 32) - 1),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.binary(max_size=64),
)


@given(frames, st.integers(0, 1400))
def test_what_is_packed_is_read(frame: Frame, size: int) -> None:
    data = frame.packed(size)
    assert len(data) == max(size, LEAST_BYTES + len(frame.body))
    found = unpack(data)
    assert not isinstance(found, str)
    assert found[:4] == frame[:4]
    assert found.body.rstrip(b"\0") == frame.body.rstrip(b"\0")


@given(frames, st.data())
def test_one_damaged_bit_is_seen(frame: Frame, data: st.DataObject) -> None:
    whole = bytearray(frame.packed(40))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    assert unpack(bytes(whole)) == ("foreign" if bit < 32 else "corrupted")


@given(st.binary(max_size=2000))
def test_garbage_is_foreign(data: bytes) -> None:
    assert unpack(b"x" + data) == "foreign"


@pytest.mark.parametrize("length", range(4, LEAST_BYTES))
def test_half_a_frame_is_damaged(length: int) -> None:
    assert unpack(Frame(MESSAGE, b"12345678", 1, 2).packed()[:length]) == "corrupted"


def test_a_reply_fits_what_is_claimed_for_it() -> None:
    reply = Reply(1, -2, bytes(range(16)))
    frame = Frame(REPLY, b"12345678", 1, 2, reply.packed())
    assert len(frame.packed()) + 48 <= EXCHANGE_BYTES
    read = unpack(frame.packed())
    assert not isinstance(read, str)
    assert Reply.of(read.body) == reply
    assert Reply.of(read.body[:-1]) is None


def test_a_tag_tells_flows_and_questions_apart() -> None:
    tags = {tag("a", 4, 40, 9), tag("b", 4, 40, 9), tag("a", 5, 40, 9), tag("a", 4, 41, 9), tag("a", 4, 40, 8)}
    assert len(tags) == 5
    assert len(Frame(HELLO, b"12345678", 1, 2, tag("a", 4, 40, 9)).packed()) + 48 <= EXCHANGE_BYTES


def test_this_kernel_has_one_identity() -> None:
    assert boot_identity() == boot_identity()
    assert len(boot_identity()) == 16


exchanges = st.lists(
    st.tuples(st.integers(0, 10**9), st.integers(0, 10**7), st.integers(0, 10**6), st.integers(0, 10**7)), min_size=1
)


@given(st.integers(-(10**12), 10**12), exchanges, exchanges)
def test_the_true_offset_lies_within_its_bounds_however_unequal_the_ways(
    offset: int, before: list[tuple[int, ...]], after: list[tuple[int, ...]]
) -> None:
    clocks = ClockOffset()
    for phase in (before, after):
        clocks.begin()
        for asked, there, thought, back in phase:
            came = asked + there + offset
            left = came + thought
            clocks.add((asked, came), (left, left - offset + back))
    bounds = clocks.bounds_ns()
    assert bounds is not None
    low, high = bounds
    assert low <= offset <= high
    best = [min(there for _, there, _, _ in phase) + min(it[3] for it in phase) for phase in (before, after)]
    assert high - low <= sum(best)


def test_a_clock_that_was_set_meanwhile_leaves_no_offset() -> None:
    clocks = ClockOffset()
    assert clocks.bounds_ns() is None
    clocks.begin()
    clocks.add((0, 100), (100, 200))
    clocks.add((1000, 1_000_100), (1_000_100, 1200))
    low, high = clocks.bounds_ns() or (0, 0)
    assert low > high


def test_clocks_that_drift_are_between_the_two_looks() -> None:
    clocks = ClockOffset()
    for drift in (0, 5_000):
        clocks.begin()
        clocks.add((0, 10 + drift), (10 + drift, 20))
    assert clocks.bounds_ns() == (-10, 5_010)


STAMP = struct.pack("@6l", 1_790_000_000, 5, 0, 0, 0, 0)
EXTENDED = struct.pack("@IBBBxII", 42, 4, 0, 0, 0, 7)


def test_a_stamp_and_the_number_of_its_datagram_are_read() -> None:
    assert stamp_ns([(0, 8, b"x"), (1, 37, STAMP)]) == 1_790_000_000_000_000_005
    assert sent([(1, 37, STAMP), (0, 11, EXTENDED)]) == (7, 1_790_000_000_000_000_005)
    assert sent([(1, 37, STAMP), (41, 25, EXTENDED)]) == (7, 1_790_000_000_000_000_005)


@pytest.mark.parametrize(
    "controls",
    [
        [],
        [(1, 37, STAMP)],
        [(0, 11, EXTENDED)],
        [(1, 37, STAMP[:8]), (0, 11, EXTENDED)],
        [(1, 37, bytes(48)), (0, 11, EXTENDED)],
        [(1, 37, STAMP), (0, 11, EXTENDED[:8])],
        [(1, 37, STAMP), (0, 11, struct.pack("@IBBBxII", 111, 2, 3, 1, 0, 0))],  # an ICMP error
        [(1, 37, STAMP), (0, 11, struct.pack("@IBBBxII", 42, 4, 0, 0, 1, 7))],  # a stamp of scheduling, not of sending
    ],
)
def test_what_is_no_stamp_of_sending_is_none(controls: list[tuple[int, int, bytes]]) -> None:
    assert sent(controls) is None
