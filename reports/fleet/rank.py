"""Candidates for the best so many per cent of a fleet, by the weights that a user set. Never an award.

沪经信基〔2022〕617 号 (九) speaks of the first 20 % and the first 5 % among the plants that passed the authority's
review (复核). It does not say how a share of plants is rounded, nor what becomes of ties; both are therefore shown,
each way. Where verdicts are open, a score is an interval and a place is a range: a plant is only said to be within a
share if it is, whatever the open verdicts turn out to be.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.score import Bounds
from profiles.score import Judged
from profiles.score import Score
from profiles.score import score
from profiles.verdict import Verdict
from profiles.weights import Weights
from reports.fleet.eligible import Excluded
from reports.fleet.eligible import Field
from reports.fleet.eligible import choose
from reports.fleet.query import Index
from reports.scoring import check_profile
from reports.scoring import refuse_unscored

#: One letter for each verdict, so that what became of a plant's items is a short text.
_LETTERS = {word: letter for letter, word in zip("abcdefg", Verdict, strict=True)}
_WORDS = {letter: word for word, letter in _LETTERS.items()}


class Within(StrEnum):
    """Whether a plant is among the first so many."""

    IN = "in"  #: whatever open verdicts turn out to be, and whoever goes first of those with the same score
    TIED = "tied"  #: no more than so many can have a better score, but others may have the same
    UNDECIDED = "undecided"  #: it depends on verdicts that are open
    OUT = "out"  #: so many others have a better score, whatever open verdicts turn out to be


@dataclass(frozen=True, slots=True)
class Cut:
    """A share of the plants, rounded down and up."""

    percent: Fraction
    plants: int  #: of how many

    @property
    def exact(self) -> Fraction:
        """The share as a number of plants."""
        return self.percent * self.plants / 100

    @property
    def places(self) -> tuple[int, int]:
        """The number of plants rounded down, and rounded up."""
        return math.floor(self.exact), math.ceil(self.exact)


@dataclass(slots=True)
class Place:
    """One plant, its score, and where it stands."""

    row: Mapping[str, Any]  #: its bundle, as the index has it
    score: Score
    bounds: Bounds
    best: int = 0  #: place if everything open turns out well for it and badly for the others
    worst: int = 0  #: the other way round; those with the same score share a place
    last: int = 0  #: the worst place, with everybody who may have the same score before it
    within: dict[Fraction, tuple[Within, Within]] = field(default_factory=dict)  #: by percentage, rounded down and up


@dataclass(slots=True)
class Ranking:
    """A fleet in order of its scores."""

    field: Field
    weights: Weights
    cuts: list[Cut]
    places: list[Place]  #: best first
    excluded: list[Excluded]
    reviewed: frozenset[str] | None = None  #: plants that passed the authority's review; ``None``: not known

    def count(self, cut: Cut, *, rounded_up: bool) -> Counter[Within]:
        """How many plants are within a cut in which way."""
        return Counter(place.within[cut.percent][rounded_up] for place in self.places)


def rank(
    index: Index,
    weights: Weights,
    percents: Sequence[Fraction],
    *,
    now: datetime,
    basis: str | None = None,
    reviewed: frozenset[str] | None = None,
) -> Ranking:
    """Rank the plants of an index.

    Args:
        index: the index.
        weights: what the user decided.
        percents: shares of the plants, in per cent, such as 5 and 20.
        now: the time; see :func:`~reports.fleet.eligible.choose`.
        basis: which plants; default: those judged on the basis that most were judged on.
        reviewed: names of plants that passed the authority's review; ``None`` where it is not known.

    Raises:
        UserMistake: if nothing is left to rank, or weights are missing, unknown, or meant for another profile.
    """
    chosen = choose(index.rows("SELECT * FROM bundles ORDER BY bundle"), now=now, basis=basis, reviewed=reviewed)
    if not chosen.rows:
        whys = sorted({it.code for it in chosen.excluded})
        facts = {"why": ", ".join(whys) or "0"}
        raise UserMistake([Problem("fleet-nothing-to-rank", "reports.fleet", file=str(index.folder), facts=facts)])
    items = _items(index, chosen)
    check_profile(weights, str(chosen.rows[0]["profiles"]).split(","))
    weights.check_names(item for item, _ in items)
    if not weights.items:
        raise UserMistake([Problem("fleet-weights-none", "reports.fleet")])
    scores = _scores(index, chosen, items, weights)
    excluded = chosen.excluded[:]
    places = []
    for row in chosen.rows:
        found = scores[row["bundle"]]
        if found.total is None:
            excluded.append(Excluded(row, "no-score"))
        else:
            places.append(Place(row, found, found.total))
    cuts = [Cut(percent, len(places)) for percent in sorted(percents)]
    stand(places, cuts)
    places.sort(key=lambda it: (it.best, it.last, it.row["plant"], it.row["bundle"]))
    return Ranking(chosen, weights, cuts, places, excluded, reviewed)


def stand(places: Sequence[Place], cuts: Sequence[Cut]) -> None:
    """Find each plant's range of places, and whether it is within each cut."""
    # Exact fractions are slow to compare and to hash. Plants of which the same became share their bounds, so each
    # distinct end is looked at once, and replaced by where it stands among all.
    distinct = {id(it.bounds): it.bounds for it in places}
    order = {end: number for number, end in enumerate(sorted({end for it in distinct.values() for end in it}))}
    ends = {key: (order[it.low], order[it.high]) for key, it in distinct.items()}
    lows = sorted(ends[id(it.bounds)][0] for it in places)
    highs = sorted(ends[id(it.bounds)][1] for it in places)
    limits = {cut.percent: cut.places for cut in cuts}
    for it in places:
        low, high = ends[id(it.bounds)]
        it.best = 1 + len(lows) - bisect_right(lows, high)
        others_may_pass = len(highs) - bisect_right(highs, low) - (high > low)  # less itself
        others_may_reach = len(highs) - bisect_left(highs, low) - 1
        it.worst, it.last = 1 + others_may_pass, 1 + others_may_reach
        it.within = {share: (_within(it, down), _within(it, up)) for share, (down, up) in limits.items()}


def _within(place: Place, limit: int) -> Within:
    if place.last <= limit:
        return Within.IN
    if place.best > limit:
        return Within.OUT
    return Within.TIED if place.worst <= limit else Within.UNDECIDED


def _items(index: Index, chosen: Field) -> list[tuple[str, str]]:
    """The items that plants of this basis have, with their pillars: the same in all of them."""
    query = "SELECT DISTINCT item, pillar FROM results WHERE scope = '' AND bundle = ? ORDER BY item"
    return [(row["item"], row["pillar"]) for row in index.rows(query, [chosen.rows[0]["bundle"]])]


def _scores(index: Index, chosen: Field, items: Sequence[tuple[str, str]], weights: Weights) -> dict[str, Score]:
    """The score of each bundle. Plants of which the same became have the same score, which is computed once."""
    letters = " ".join(f"WHEN '{word.value}' THEN '{letter}'" for word, letter in _LETTERS.items())
    query = f"""
        SELECT bundle, string_agg(CASE verdict {letters} END, '' ORDER BY item) AS pattern
        FROM results
        WHERE scope = '' AND bundle IN (SELECT bundle FROM bundles WHERE basis = ?)
        GROUP BY bundle"""  # noqa: S608 - of our own words alone
    patterns = {row["bundle"]: row["pattern"] for row in index.rows(query, [chosen.basis])}

    @lru_cache(maxsize=65_536)
    def scored(pattern: str) -> Score:
        judged = (Judged(item, pillar, _WORDS[it]) for (item, pillar), it in zip(items, pattern, strict=True))
        found = score(judged, weights)
        refuse_unscored(found, weights)
        assert isinstance(found, Score)  # noqa: S101 - the other was refused
        return found

    return {row["bundle"]: scored(patterns[row["bundle"]]) for row in chosen.rows}
