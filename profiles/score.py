"""Scores from the weights that a user set: of each pillar and in total, exact, as bounds where verdicts are open.

A requirement that passes counts with its whole weight, one that fails with none of it. One whose verdict is open
(``inconclusive``, ``error``, ``not-tested``) may turn out either way, so that a score is the interval between both: it
is never guessed. What does not apply leaves the denominator, and so does what only reports a value; both are told.
Nothing but verdicts and weights goes in, so that a waiver changes nothing. If an item has no weight, there is no score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from fractions import Fraction
from typing import NamedTuple

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from profiles.weights import PILLARS
from profiles.weights import Weights

_NOTHING = Fraction(0)


class Judged(NamedTuple):
    """One item of a campaign's plan, breakdowns aside."""

    item: str  #: such as ``NET-RCH-E``
    pillar: str
    verdict: Verdict


class Bounds(NamedTuple):
    """A score, from 0 to 1: exact if both are the same, else where it lies whatever open verdicts turn out to be."""

    low: Fraction
    high: Fraction

    @property
    def exact(self) -> bool:
        """Whether nothing open can move it."""
        return self.low == self.high


@dataclass(slots=True)
class Sums:
    """Weights of a pillar's items by what became of them."""

    met: Fraction = _NOTHING
    open: Fraction = _NOTHING
    failed: Fraction = _NOTHING

    @property
    def all(self) -> Fraction:
        """The denominator."""
        return self.met + self.open + self.failed

    def bounds(self) -> Bounds | None:
        """The score; none where nothing of any weight applies."""
        met, whole = self.met, self.all
        if not whole:
            return None
        low = met / whole
        return Bounds(low, (met + self.open) / whole if self.open else low)


@dataclass(frozen=True, slots=True)
class PillarScore:
    """One pillar's score."""

    pillar: str
    weight: Fraction | None  #: of the pillar in the total, if pillars have weights
    sums: Sums

    @property
    def bounds(self) -> Bounds | None:
        """The score; none where nothing of any weight applies."""
        return self.sums.bounds()


@dataclass(frozen=True, slots=True)
class Score:
    """Scores of all pillars that the plan has, and in total."""

    pillars: tuple[PillarScore, ...]
    total: Bounds | None
    open: tuple[str, ...] = ()  #: items whose verdict is open
    left_out: tuple[str, ...] = ()  #: items that do not apply
    informative: tuple[str, ...] = ()  #: items that only report a value


@dataclass(frozen=True, slots=True)
class Unscored:
    """That there is no score, because nobody decided these weights."""

    items: tuple[str, ...] = ()
    pillars: tuple[str, ...] = field(default=())


def missing(judged: Iterable[Judged], weights: Weights) -> Unscored | None:
    """The weights without which there is no score; ``None`` if all are there.

    Whatever can be met or not needs one, also where it does not apply to this plant: weights are decided for a profile,
    before anybody knows how a plant fares. What only reports a value can have no part in a score and needs none.
    """
    weighed = [it for it in judged if it.verdict is not Verdict.INFO]
    items = tuple(it.item for it in weighed if it.item not in weights.items)
    pillars: tuple[str, ...] = ()
    if weights.pillars is not None:
        present = {it.pillar for it in weighed}
        pillars = tuple(name for name in PILLARS if name in present and name not in weights.pillars)
    return Unscored(items, pillars) if items or pillars else None


def score(judged: Iterable[Judged], weights: Weights) -> Score | Unscored:
    """The scores of a campaign's items; pure and exact, whatever the order of the items."""
    items = list(judged)
    if (unscored := missing(items, weights)) is not None:
        return unscored
    sums: dict[str, Sums] = defaultdict(Sums)
    for it in items:
        if it.verdict is Verdict.INFO:
            continue
        mine, weight = sums[it.pillar], weights.items[it.item]
        if it.verdict is Verdict.PASS:
            mine.met += weight
        elif it.verdict in OPEN_VERDICTS:
            mine.open += weight
        elif it.verdict is Verdict.FAIL:
            mine.failed += weight
    return Score(
        pillars=tuple(
            PillarScore(name, (weights.pillars or {}).get(name), sums[name]) for name in PILLARS if name in sums
        ),
        total=total(sums, weights.pillars),
        open=tuple(it.item for it in items if it.verdict in OPEN_VERDICTS),
        left_out=tuple(it.item for it in items if it.verdict is Verdict.NOT_APPLICABLE),
        informative=tuple(it.item for it in items if it.verdict is Verdict.INFO),
    )


def total(sums: Mapping[str, Sums], pillars: Mapping[str, Fraction] | None) -> Bounds | None:
    """The score over pillars: of all their items together, or the mean of their scores by the pillars' own weights.

    A pillar of which nothing of any weight applies leaves the mean with its weight. ``None`` if nothing is left.
    """
    if pillars is None:
        met, open, failed = (sum((getattr(it, name) for it in sums.values()), _NOTHING) for name in Sums.__slots__)
        return Sums(met, open, failed).bounds()
    scored = [(pillars[name], bounds) for name, it in sums.items() if (bounds := it.bounds()) is not None]
    whole = sum((weight for weight, _ in scored), _NOTHING)
    if not whole:
        return None
    low, high = (sum((weight * bounds[end] for weight, bounds in scored), _NOTHING) / whole for end in (0, 1))
    return Bounds(low, high)
