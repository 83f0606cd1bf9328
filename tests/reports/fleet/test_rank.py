"""Places and cuts, held against every way in which open verdicts and ties may turn out."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from itertools import permutations
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.problem import UserMistake
from profiles.score import Bounds
from profiles.score import Score
from profiles.weights import Weights
from profiles.weights import load_weights
from reports.bundle import Bundle
from reports.fleet.query import open_index
from reports.fleet.rank import Cut
from reports.fleet.rank import Place
from reports.fleet.rank import Ranking
from reports.fleet.rank import Within
from reports.fleet.rank import rank
from reports.fleet.rank import stand
from reports.scoring import score_bundle

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FIVE, TWENTY = Fraction(5), Fraction(20)


def place(low: int, high: int | None = None) -> Place:
    bounds = Bounds(Fraction(low, 100), Fraction(low if high is None else high, 100))
    return Place({"plant": ""}, Score((), bounds), bounds)


def stood(*scores: int | tuple[int, int], percent: int = 20) -> list[Place]:
    places = [place(*(it if isinstance(it, tuple) else (it,))) for it in scores]
    stand(places, [Cut(Fraction(percent), len(places))])
    return places


def within(places: list[Place], percent: int = 20) -> list[tuple[str, str]]:
    return [tuple(word.value for word in it.within[Fraction(percent)]) for it in places]  # type: ignore[misc]


def test_a_share_is_rounded_both_ways() -> None:
    assert Cut(TWENTY, 10).places == (2, 2)
    assert Cut(FIVE, 10).places == (0, 1)
    assert Cut(FIVE, 10_001).places == (500, 501)
    assert Cut(Fraction("33.3"), 10).places == (3, 4)


def test_plain_scores_are_within_or_not() -> None:
    assert within(stood(90, 80, 70, 60, 50)) == [("in", "in"), *[("out", "out")] * 4]


def test_rounding_decides_and_both_are_said() -> None:
    assert within(stood(90, 80, 70, percent=50), 50) == [("in", "in"), ("out", "in"), ("out", "out")]


def test_a_tie_at_the_cut_is_nobodys_guess() -> None:
    places = stood(90, 80, 80, 70, percent=50)
    assert within(places, 50) == [("in", "in"), ("tied", "tied"), ("tied", "tied"), ("out", "out")]
    assert [(it.best, it.worst, it.last) for it in places] == [(1, 1, 1), (2, 2, 3), (2, 2, 3), (4, 4, 4)]


def test_a_plant_whose_bounds_straddle_the_cut_is_undecided() -> None:
    places = stood(90, (60, 85), 80, 70, 50, percent=40)
    assert within(places, 40) == [
        ("in", "in"),
        ("undecided", "undecided"),
        ("undecided", "undecided"),
        *[("out",) * 2] * 2,
    ]


_scores = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).map(sorted).map(tuple), min_size=1, max_size=4)


@settings(max_examples=60)
@given(_scores, st.sampled_from([5, 20, 25, 50, 75, 100]))
def test_what_is_said_holds_in_every_way_it_may_turn_out(scores: list[tuple[int, int]], percent: int) -> None:
    places = stood(*scores, percent=percent)
    count = len(places)
    ways = [
        (values, order)
        for values in product(*(range(low, high + 1) for low, high in scores))
        for order in permutations(range(count))
        if all(values[one] >= values[other] for one, other in pairwise(order))
    ]
    for number, it in enumerate(places):
        ranks = [1 + sum(value > values[number] for value in values) for values, _ in ways]
        orders = [1 + order.index(number) for _, order in ways]
        assert (it.best, it.worst, it.last) == (min(ranks), max(ranks), max(orders))
        for limit, word in zip(Cut(Fraction(percent), count).places, it.within[Fraction(percent)], strict=True):
            expected = (
                Within.IN if max(orders) <= limit
                else Within.OUT if min(orders) > limit
                else Within.TIED if max(ranks) <= limit
                else Within.UNDECIDED
            )  # fmt: skip
            assert word is expected


def ranked(indexed: Path, weights: Weights, **more: object) -> Ranking:
    with open_index(indexed) as opened:
        return rank(opened, weights, [FIVE, TWENTY], now=NOW, **more)  # type: ignore[arg-type]


def test_a_fleet_is_ranked_by_the_scores_of_its_score_sheets(fleet: Path, indexed: Path, weights: Path) -> None:
    found = ranked(indexed, load_weights(weights))
    assert len(found.places) == len(list(fleet.iterdir()))
    for it in found.places:
        sheet, _ = score_bundle(Bundle.open(fleet / it.row["bundle"]), weights)
        assert it.bounds == sheet.total
        assert (it.score.open, it.score.left_out) == (tuple(sorted(sheet.open)), tuple(sorted(sheet.left_out)))
    highs = [it.bounds.high for it in found.places if it.bounds.exact]
    assert highs == sorted(highs, reverse=True)
    assert len(set(highs)) > 1
    assert found.field.synthetic


def test_nothing_is_ranked_without_weights_nor_with_a_missing_one(indexed: Path, weights: Path) -> None:
    with pytest.raises(UserMistake, match="without weights"):
        ranked(indexed, Weights())
    lacking = load_weights(weights)
    left = {name: weight for name, weight in lacking.items.items() if name != "SEC-DOM"}
    with pytest.raises(UserMistake, match="no weight: SEC-DOM"):
        ranked(indexed, Weights(left))
    with pytest.raises(UserMistake, match="shanghai"):
        ranked(indexed, Weights(lacking.items, profile="shanghai-617-2022"))


def test_the_reviewed_are_the_base_where_they_are_known(indexed: Path, weights: Path) -> None:
    names = frozenset({"合成工厂 00001 (synthetic)", "合成工厂 00002 (synthetic)", "someone else"})
    found = ranked(indexed, load_weights(weights), reviewed=names)
    assert {it.row["plant"] for it in found.places} == names - {"someone else"}
    assert [cut.plants for cut in found.cuts] == [2, 2]
    assert {it.code for it in found.excluded} == {"not-reviewed"}
    with pytest.raises(UserMistake, match="not-reviewed"):
        ranked(indexed, load_weights(weights), reviewed=frozenset())
