"""Uncertainty from repeated attempts: against numbers computed by hand and by simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.indicators.scatter import combine

#: Student's factor for 95.45 %, JCGM 100:2008 table G.2.
STUDENT = {1: 13.97, 2: 4.53, 3: 3.31, 5: 2.65, 10: 2.28, 50: 2.05}


@pytest.mark.parametrize("free", STUDENT)
def test_one_object_has_students_factor(free: int) -> None:
    attempts = [100.0, 102.0] * (free // 2 + 1)
    attempts = attempts[: free + 1]
    mean = sum(attempts) / len(attempts)
    deviation = math.sqrt(sum((it - mean) ** 2 for it in attempts) / free)
    found = combine([attempts])
    assert found.values == (pytest.approx(mean),)
    assert found.expanded_uncertainty == pytest.approx(STUDENT[free] * deviation / math.sqrt(free + 1), rel=2e-3)
    assert found.notes == ()


def test_variances_of_objects_add() -> None:
    many = [100.0, 102.0] * 500
    one, four = combine([many]), combine([many] * 4)
    assert four.expanded_uncertainty == pytest.approx(2 * one.expanded_uncertainty, rel=1e-3)


def test_a_single_attempt_borrows_the_relative_scatter_of_the_others() -> None:
    steady = [100.0, 102.0] * 500
    alone = combine([steady, [50.0]])
    assert alone.notes == ("one-attempt",)
    expected = math.hypot(2 / math.sqrt(1000), 2 * 50 / 101)
    assert alone.expanded_uncertainty == pytest.approx(expected, rel=0.01)


def test_single_attempts_of_several_objects_take_the_scatter_between_them() -> None:
    found = combine([[90.0], [100.0], [110.0]])
    assert found.notes == ("one-attempt",)
    assert found.expanded_uncertainty / 3 == pytest.approx(4.53 * 10 / math.sqrt(3), rel=2e-3)


def test_a_single_attempt_at_all_says_nothing_of_its_uncertainty() -> None:
    assert combine([[90.0]]) == type(combine([[90.0]]))((90.0,), math.inf, ("scatter-unknown",))


def test_what_never_differs_has_no_scatter() -> None:
    assert combine([[5.0, 5.0], [7.0, 7.0, 7.0]]).expanded_uncertainty == 0
    assert combine([[0.0, 0.0], [7.0]]).expanded_uncertainty == 0


@given(st.lists(st.lists(st.floats(0, 1e9), min_size=1, max_size=5), min_size=1, max_size=5))
def test_it_is_never_less_than_twice_the_standard_uncertainty(objects: list[list[float]]) -> None:
    found = combine(objects)
    assert found.expanded_uncertainty >= 0
    if all(len(it) > 1 for it in objects):
        means = [math.fsum(it) / len(it) for it in objects]
        variance = sum(
            sum((x - mean) ** 2 for x in it) / (len(it) - 1) / len(it) for it, mean in zip(objects, means, strict=True)
        )
        assert found.expanded_uncertainty >= 2 * math.sqrt(variance) * (1 - 1e-3) - 1e-6


def test_the_interval_holds_the_true_sum_as_often_as_it_says() -> None:
    drawn = random.Random(617)
    held = 0
    for _ in range(2000):
        objects = [[drawn.gauss(100, 5) for _ in range(3)], [drawn.gauss(40, 1) for _ in range(3)]]
        found = combine(objects)
        held += abs(sum(found.values) - 140) <= found.expanded_uncertainty
    assert 0.94 <= held / 2000 <= 0.985


def test_of_medians_as_well_and_an_outlier_does_not_move_them() -> None:
    drawn = random.Random(2022)
    held = 0
    for _ in range(2000):
        found = combine([[drawn.gauss(100, 5) for _ in range(10)]], by_median=True)
        held += abs(found.values[0] - 100) <= found.expanded_uncertainty
    assert 0.94 <= held / 2000 <= 0.99
    assert combine([[1.0, 2.0, 900.0]], by_median=True).values == (2.0,)
