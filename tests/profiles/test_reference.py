"""The bounds against published values, an independent computation at 40 digits, and brute force."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.bounds import LARGEST_POPULATION
from profiles.bounds import proportion_bounds
from profiles.bounds import quantile_ranks
from profiles.judge import judge
from profiles.reduced import Ratio
from profiles.requirement import Requirement
from profiles.verdict import Verdict

Ask = Callable[..., Requirement]

#: What is exactly as unlikely as alpha is not ruled out: bounds are rounded outwards.
OUTWARDS = 1 - Fraction(1, 10**11)


@pytest.fixture(scope="session")
def intervals(corpus: Path) -> Any:
    return json.loads((corpus / "reference" / "binomial_intervals.shared.json").read_text("utf-8"))


def test_binomial_bounds_are_those_of_r(intervals: Any) -> None:
    cases = intervals["r_binom_test"]["cases"]
    for case in cases:
        two_sided = case["alternative"] == "two-sided"
        low, high = proportion_bounds(case["k"], case["n"], (1 + case["conf"]) / 2 if two_sided else case["conf"])
        if case["alternative"] != "less":
            assert float(low) == pytest.approx(case["ci"][0], abs=5e-8), case
        if case["alternative"] != "greater":
            assert float(high) == pytest.approx(case["ci"][1], abs=5e-8), case
    assert len(cases) == 6


def test_mendel_s_peas(intervals: Any) -> None:
    page = intervals["r_help_page"]
    bounds = proportion_bounds(page["k"], page["n"], 0.975)
    assert [float(bound) for bound in bounds] == pytest.approx(page["ci95"], abs=5e-8)


# Clopper-Pearson: successes, trials, two-sided 95 % low and high, one-sided low and high (computed in advance).
TABLE = [
    (90, 100, 0.8238, 0.9510, 0.8363, 0.9447),
    (95, 100, 0.8872, 0.9836, 0.8977, 0.9801),
    (98, 100, 0.9296, 0.9976, 0.9384, 0.9964),
    (100, 100, 0.9638, 1, 0.9705, 1),
    (29, 29, 0.8806, 1, 0.9019, 1),
    (270, 300, 0.8603, 0.9315, 0.8668, 0.9271),
    (280, 300, 0.8989, 0.9588, 0.9046, 0.9554),
    (300, 300, 0.9878, 1, 0.9901, 1),
]


@pytest.mark.parametrize(("ok", "n", "low2", "high2", "low1", "high1"), TABLE)
def test_bounds_of_the_table(ok: int, n: int, low2: float, high2: float, low1: float, high1: float) -> None:
    found = [float(bound) for confidence in (0.975, 0.95) for bound in proportion_bounds(ok, n, confidence)]
    assert [round(bound, 4) for bound in found] == [low2, high2, low1, high1]


@pytest.mark.parametrize(
    ("ok", "n", "verdict"),
    [
        (29, 29, "pass"), (28, 28, "inconclusive"),
        (49, 50, "pass"), (48, 50, "inconclusive"), (48, 49, "pass"), (44, 45, "inconclusive"), (45, 46, "pass"),
        (96, 100, "pass"), (95, 100, "inconclusive"),
        (188, 200, "pass"), (187, 200, "inconclusive"),
        (84, 100, "fail"), (85, 100, "inconclusive"),
    ],
)  # fmt: skip
def test_ninety_per_cent_by_r2(ask: Ask, ok: int, n: int, verdict: str) -> None:
    assert judge(ask(">= 90 %", "R2"), Ratio(ok, n)).verdict == verdict


@pytest.mark.parametrize(
    ("dumb", "by_r0", "by_r1", "by_r2"),
    [
        (22, "pass", "pass", "pass"),
        (23, "pass", "pass", "inconclusive"),
        (29, "pass", "pass", "inconclusive"),
        (30, "fail", "fail", "inconclusive"),
        (39, "fail", "fail", "fail"),
    ],
)
def test_dumb_device_share_below_thirty_per_cent(ask: Ask, dumb: int, by_r0: str, by_r1: str, by_r2: str) -> None:
    found = [judge(ask("< 30 %", rule), Ratio(dumb, 100)).verdict for rule in ("R0", "R1", "R2")]
    assert found == [by_r0, by_r1, by_r2]


# Trials without, with one and with two failures that show a share of successes: share, confidence, n.
NEEDED = [
    ("0.90", 0.90, [22]), ("0.90", 0.95, [29, 46, 61]), ("0.90", 0.99, [44]),
    ("0.95", 0.95, [59, 93, 124]), ("0.99", 0.90, [230]), ("0.99", 0.95, [299, 473, 628]), ("0.99", 0.99, [459]),
    ("0.999", 0.95, [2995, 4742, 6294]), ("0.9999", 0.95, [29956, 47437, 62956]),
    ("0.99999", 0.95, [299572, 474385, 629578]), ("0.999999", 0.95, [2995731, 4743863, 6295792]),
    ("0.99999999", 0.95, [299573226, 474386450, 629579361]),
]  # fmt: skip


@pytest.mark.parametrize(("share", "confidence", "needed"), NEEDED)
def test_trials_needed(share: str, confidence: float, needed: list[int]) -> None:
    with mpmath.workdps(40):
        assert needed[0] == int(
            mpmath.ceil(mpmath.log(1 - mpmath.mpf(str(confidence))) / mpmath.log(mpmath.mpf(share)))
        )
    for failures, n in enumerate(needed):
        assert proportion_bounds(n - failures, n, confidence)[0] >= Fraction(share)
        assert proportion_bounds(n - 1 - failures, n - 1, confidence)[0] < Fraction(share)


@settings(max_examples=60)
@given(st.integers(1, 400), st.data(), st.sampled_from([0.9, 0.95, 0.975, 0.99]))
def test_binomial_bounds_at_forty_digits(n: int, data: Any, confidence: float) -> None:
    ok = data.draw(st.integers(0, n))
    low, high = proportion_bounds(ok, n, confidence)
    with mpmath.workdps(40):
        alpha = 1 - mpmath.mpf(confidence)
        slack = mpmath.mpf(10) ** -8

        def at_least(share: Fraction) -> Any:
            return mpmath.betainc(ok, n - ok + 1, 0, mpmath.mpf(share.numerator) / share.denominator, regularized=True)

        def at_most(share: Fraction) -> Any:
            point = mpmath.mpf(share.numerator) / share.denominator
            return mpmath.betainc(ok + 1, n - ok, point, 1, regularized=True)

        # Rounded outwards, and by no more than a hair.
        assert low == 0 if ok == 0 else alpha * (1 - slack) < at_least(low) <= alpha
        assert high == 1 if ok == n else alpha * (1 - slack) < at_most(high) <= alpha


@pytest.mark.parametrize(("ok", "n"), [(10**6 - 3, 10**6), (2**52, 2**53 - 1), (1, 2**53), (2**53, 2**53), (0, 2**53)])
def test_bounds_of_huge_counts_enclose_the_share(ok: int, n: int) -> None:
    low, high = proportion_bounds(ok, n, 0.95)
    assert 0 <= low <= Fraction(ok, n) <= high <= 1


def _tail(ok: int, population: int, good: int, n: int) -> Fraction:
    """P(at least ``ok`` good ones among ``n`` drawn), exactly."""
    most = min(n, good)
    return Fraction(
        sum(comb(good, k) * comb(population - good, n - k) for k in range(ok, most + 1)), comb(population, n)
    )


@settings(max_examples=80)
@given(st.integers(1, 40), st.data(), st.sampled_from([0.9, 0.95, 0.99]))
def test_bounds_of_a_sample_from_a_register_by_brute_force(population: int, data: Any, confidence: float) -> None:
    n = data.draw(st.integers(1, population))
    ok = data.draw(st.integers(0, n))
    alpha = (1 - Fraction(repr(confidence))) * OUTWARDS
    possible = [
        good
        for good in range(population + 1)
        if _tail(ok, population, good, n) > alpha and _tail(n - ok, population, population - good, n) > alpha
    ]
    low, high = proportion_bounds(ok, n, confidence, population)
    assert (low, high) == (Fraction(possible[0], population), Fraction(possible[-1], population))


def test_the_bound_of_a_large_register_is_the_last_number_not_ruled_out() -> None:
    ok, n, population = 370, 400, 20_000
    low, high = proportion_bounds(ok, n, 0.95, population)
    least, most = int(low * population), int(high * population)
    assert _tail(ok, population, least - 1, n) <= Fraction(5, 100) < _tail(ok, population, least, n)
    bad, alpha = n - ok, Fraction(5, 100)
    assert _tail(bad, population, population - most - 1, n) <= alpha < _tail(bad, population, population - most, n)


@settings(max_examples=60)
@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 3000))
def test_a_register_s_bounds_are_inside_the_binomial_ones(n: int, bad: int, rest: int) -> None:
    ok = max(0, n - bad)
    low, high = proportion_bounds(ok, n, 0.95, n + rest)
    wide_low, wide_high = proportion_bounds(ok, n, 0.95)
    assert wide_low <= low <= high <= wide_high


def test_a_sample_of_everything_leaves_nothing_open() -> None:
    assert proportion_bounds(37, 40, 0.95, 40) == (Fraction(37, 40), Fraction(37, 40))


def test_a_register_too_large_to_sum_over_counts_as_infinite() -> None:
    assert proportion_bounds(37, 40, 0.95, LARGEST_POPULATION + 1) == proportion_bounds(37, 40, 0.95)


@pytest.mark.parametrize(("quantile", "n"), [("0.95", 59), ("0.99", 299), ("0.999", 2995), ("0.9999", 29956)])
def test_the_maximum_bounds_a_quantile_from_the_published_size_on(quantile: str, n: int) -> None:
    assert quantile_ranks(n, Fraction(quantile), 0.95)[1] == n
    assert quantile_ranks(n - 1, Fraction(quantile), 0.95)[1] is None


@settings(max_examples=80)
@given(st.integers(1, 60), st.sampled_from(["0.05", "0.5", "0.9", "0.98"]), st.sampled_from([0.9, 0.95, 0.99]))
def test_ranks_of_order_statistics_by_brute_force(n: int, quantile: str, confidence: float) -> None:
    p, alpha = Fraction(quantile), (1 - Fraction(repr(confidence))) * OUTWARDS
    at_most = [sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(r + 1)) for r in range(n + 1)]
    uppers = [rank for rank in range(1, n + 1) if at_most[rank - 1] >= 1 - alpha]
    lowers = [rank for rank in range(1, n + 1) if at_most[rank - 1] <= alpha]
    expected = (max(lowers, default=None), min(uppers, default=None))
    assert quantile_ranks(n, p, confidence) == expected


def test_a_hundred_per_cent_is_never_shown_by_a_sample(ask: Ask) -> None:
    requirement = ask(">= 100 %", "R2")
    assert judge(requirement, Ratio(10**6, 10**6)).verdict is Verdict.INCONCLUSIVE
    assert judge(requirement, Ratio(10**6 - 1, 10**6)).verdict is Verdict.FAIL
