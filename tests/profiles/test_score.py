"""Scores: exact, never guessed, and none without weights. What must hold for all of them is tested on random ones."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.score import Bounds
from profiles.score import Judged
from profiles.score import Score
from profiles.score import Unscored
from profiles.score import score
from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from profiles.weights import PILLARS
from profiles.weights import Weights

PASS, FAIL, INFO, OUT = Verdict.PASS, Verdict.FAIL, Verdict.INFO, Verdict.NOT_APPLICABLE
OPEN = sorted(OPEN_VERDICTS)

_weight = st.fractions(min_value=0, max_value=100, max_denominator=1000)
_item = st.tuples(st.sampled_from(PILLARS), st.sampled_from(sorted(Verdict)), _weight)


@st.composite
def campaigns(draw: st.DrawFn) -> tuple[list[Judged], Weights]:
    rows = draw(st.lists(_item, min_size=1, max_size=8))
    items = [Judged(f"R-{index}", pillar, verdict) for index, (pillar, verdict, _) in enumerate(rows)]
    weighed = {f"R-{index}": weight for index, (_, _, weight) in enumerate(rows)}
    pillars = draw(st.none() | st.fixed_dictionaries(dict.fromkeys(PILLARS, _weight)))
    return items, Weights(weighed, pillars)


def scored(items: list[Judged], weights: Weights) -> Score:
    found = score(items, weights)
    assert isinstance(found, Score)
    return found


def test_a_score_by_hand() -> None:
    items = [
        Judged("A", "network", PASS),
        Judged("B", "network", FAIL),
        Judged("C", "tsn", Verdict.NOT_TESTED),
        Judged("D", "tsn", PASS),
        Judged("E", "data", OUT),
        Judged("F", "data", INFO),
    ]
    weighed = {"A": Fraction(3), "B": Fraction(1), "C": Fraction(1), "D": Fraction(1), "E": Fraction(5)}
    found = scored(items, Weights(weighed))
    assert {it.pillar: it.bounds for it in found.pillars} == {
        "network": Bounds(Fraction(3, 4), Fraction(3, 4)),
        "tsn": Bounds(Fraction(1, 2), Fraction(1)),
        "data": None,
    }
    assert found.total == Bounds(Fraction(4, 6), Fraction(5, 6))
    assert (found.open, found.left_out, found.informative) == (("C",), ("E",), ("F",))
    by_pillar = scored(items, Weights(weighed, {"network": Fraction(60), "tsn": Fraction(20), "data": Fraction(20)}))
    assert by_pillar.total == Bounds(Fraction(55, 80), Fraction(65, 80))


def test_without_every_weight_there_is_none_and_the_missing_ones_are_named() -> None:
    items = [Judged("A", "network", PASS), Judged("B", "tsn", OUT), Judged("C", "data", INFO), Judged("D", "tsn", FAIL)]
    assert score(items, Weights()) == Unscored(("A", "B", "D"))
    assert score(items, Weights({"A": Fraction(1)})) == Unscored(("B", "D"))
    weighed = dict.fromkeys(("A", "B", "D"), Fraction(1))
    assert score(items, Weights(weighed, {"network": Fraction(1)})) == Unscored((), ("tsn",))
    assert isinstance(score(items, Weights(weighed)), Score)  # what only reports a value needs no weight


@pytest.mark.parametrize("verdict", [OUT, INFO])
def test_where_nothing_applies_there_is_no_score(verdict: Verdict) -> None:
    assert scored([Judged("A", "tsn", verdict)], Weights({"A": Fraction(1)})).total is None


def test_weights_of_zero_alone_make_no_score() -> None:
    assert scored([Judged("A", "tsn", PASS)], Weights({"A": Fraction(0)})).total is None


@given(campaigns(), st.randoms(use_true_random=False))
def test_the_order_of_items_changes_nothing(campaign: tuple[list[Judged], Weights], rng: random.Random) -> None:
    items, weights = campaign
    other = items[:]
    rng.shuffle(other)
    one, two = scored(items, weights), scored(other, weights)
    assert (one.total, {it.pillar: it.bounds for it in one.pillars}) == (
        two.total,
        {it.pillar: it.bounds for it in two.pillars},
    )


@given(campaigns(), st.fractions(min_value="1/1000", max_value=1000), st.fractions(min_value="1/1000", max_value=1000))
def test_only_the_proportion_of_weights_counts(
    campaign: tuple[list[Judged], Weights], factor: Fraction, other: Fraction
) -> None:
    items, weights = campaign
    pillars = weights.pillars and {name: weight * other for name, weight in weights.pillars.items()}
    scaled = Weights({name: weight * factor for name, weight in weights.items.items()}, pillars)
    one, two = scored(items, weights), scored(items, scaled)
    assert one.total == two.total
    assert [it.bounds for it in one.pillars] == [it.bounds for it in two.pillars]


@given(campaigns())
def test_bounds_hold_and_are_reached(campaign: tuple[list[Judged], Weights]) -> None:
    """Whatever the open verdicts turn out to be, the score lies between the bounds; and each bound is one of them."""
    items, weights = campaign
    bounds = scored(items, weights).total
    found = []
    for turned in product((PASS, FAIL), repeat=sum(it.verdict in OPEN_VERDICTS for it in items)):
        ends = iter(turned)
        settled = [it._replace(verdict=next(ends)) if it.verdict in OPEN_VERDICTS else it for it in items]
        total = scored(settled, weights).total
        assert (total is None) == (bounds is None)
        if total is not None:
            assert total.exact
            found.append(total.low)
    if bounds is not None:
        assert (min(found), max(found)) == (bounds.low, bounds.high)
        assert 0 <= bounds.low <= bounds.high <= 1


@given(campaigns(), st.integers(0, 8), st.sampled_from(OPEN))
def test_a_better_verdict_never_lowers_a_score(
    campaign: tuple[list[Judged], Weights], which: int, open_word: Verdict
) -> None:
    items, weights = campaign
    index = which % len(items)
    if items[index].verdict in (OUT, INFO):
        return
    ladder = []
    for verdict in (FAIL, open_word, PASS):
        items[index] = items[index]._replace(verdict=verdict)
        ladder.append(scored(items, weights).total)
    for worse, better in pairwise(ladder):
        assert (worse is None) == (better is None)
        if worse and better:
            assert worse.low <= better.low
            assert worse.high <= better.high
