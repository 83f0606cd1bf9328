"""The availability algorithm of periodic deterministic traffic, in cases worked out by hand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.availability import Service
from profiles.availability import service

T = 4  # transfer interval; all times are small integers here
LOST = None


def follow(delays: list[int | None], latency: int = T, survival: int = T, sent: list[bool] | None = None) -> Service:
    return service(delays, sent or [True] * len(delays), T, latency, survival)


@pytest.mark.parametrize(
    ("delays", "survival", "downs"),
    [
        ([1, 1, 1], T, ()),
        ([1, LOST, 1], T, ()),  # Ts = T bears one miss
        ([1, LOST, LOST, 1, 1], T, ((12, 13),)),  # down at 4 + Lmax + Ts, up when the next comes at 12 + 1
        ([1, LOST, LOST, LOST, 1, 1], T, ((12, 17),)),
        ([1, LOST, 1], 0, ((8, 9),)),  # Ts = 0 bears none
        ([1, 5, 1], 0, ((8, 9),)),  # late by one is missed
        ([1, 5, 1], T, ()),
        ([1, LOST, 4], 0, ((8, 12),)),
        ([1, LOST, LOST, 4], T, ((12, 16),)),
        ([LOST, LOST, 1], T, ((8, 9),)),
        ([1, 1, LOST, LOST], T, ((16, 20),)),  # never up again: until the last message's deadline
        ([1, LOST, LOST], T, ((12, 16),)),
        ([1, LOST, LOST, 1, LOST, LOST, 1, 1], T, ((12, 13), (24, 25))),
        ([1, LOST, LOST, LOST, LOST, 1], 2 * T, ((16, 21),)),
        ([1, LOST, LOST, 1], 2 * T, ()),  # Ts = 2 T bears two
    ],
)
def test_downs(delays: list[int | None], survival: int, downs: tuple[tuple[int, int], ...]) -> None:
    assert follow(delays, survival=survival).downs == downs


def test_availability_and_time_between_failures() -> None:
    found = follow([1] * 97 + [LOST] * 3 + [1] * 100)
    assert found.downs == ((97 * 4 + 8, 100 * 4 + 1),)
    assert found.availability == 1 - Fraction(5, 200 * 4 + 4)
    assert found.mtbf_ns == 200 * 4 + 4 - 5
    assert found.misses == {3: 1}


def test_without_failures_there_is_no_time_between_them() -> None:
    found = follow([1] * 10)
    assert (found.availability, found.mtbf_ns, found.misses) == (1, None, {})


def test_what_the_talker_did_not_send_is_neither_missed_nor_ok() -> None:
    delays: list[int | None] = [1, LOST, LOST, LOST, 1, 1]
    sent = [True, False, False, False, True, True]
    assert follow(delays, sent=sent).downs == ()
    sent = [True, True, False, True, True, True]
    found = follow(delays, sent=sent)
    assert found.downs == ((12, 17),)
    assert found.misses == {2: 1}


def test_runs_of_misses_are_counted_by_length() -> None:
    delays = [1, LOST, 1, LOST, LOST, 1, LOST, 1]
    assert follow(delays).misses == {1: 2, 2: 1}


def simulate(delays: list[int | None], latency: int, survival: int) -> list[tuple[int, int]]:
    """The definition, moment by moment, in quarters of a unit."""
    arrivals = Counter(4 * (n * T + it) for n, it in enumerate(delays) if it is not None and it <= latency)
    missed = [n for n, it in enumerate(delays) if it is None or it > latency]
    end = 4 * (len(delays) * T + latency)
    downs: list[tuple[int, int]] = []
    down_since = None
    for now in range(end + 1):
        if arrivals[now] and down_since is not None:
            downs.append((down_since, now))
            down_since = None
        for n in missed:
            due = 4 * (n * T + latency + survival)
            came = any(
                4 * (m * T + it) <= due for m, it in enumerate(delays) if m > n and it is not None and it <= latency
            )
            if due == now and not came and down_since is None and due < end:
                down_since = now
    if down_since is not None:
        downs.append((down_since, end))
    return [(start // 4, stop // 4) for start, stop in downs]


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=14),
    st.integers(1, 9),
    st.integers(0, 10),
)
def test_it_agrees_with_the_definition_followed_moment_by_moment(
    delays: list[int | None], latency: int, survival: int
) -> None:
    assert list(follow(delays, latency, survival).downs) == simulate(delays, latency, survival)
