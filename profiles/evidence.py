"""What a decision rule makes of a reduced value: the interval in which the true value lies, and what stands in the way.

Once every rule speaks in intervals, one comparison decides them all: :func:`decide`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from profiles.verdict import Verdict

#: An exact number, or a float that is infinite; never NaN.
Number = Fraction | float

NOTHING: tuple[Number, Number] = (-math.inf, math.inf)  #: nothing is known of the value


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a requirement cannot be shown met, whatever the value: it fails for certain, or gets this verdict."""

    verdict: Verdict
    reason: str


UNKNOWN = Obstacle(Verdict.ERROR, "unknown-objects")
EMPTY = Obstacle(Verdict.INCONCLUSIVE, "nothing-measured")
NOT_A_CENSUS = Obstacle(Verdict.INCONCLUSIVE, "sample-not-census")
TOO_FEW = Obstacle(Verdict.INCONCLUSIVE, "too-few-samples")
FALSIFY_ONLY = Obstacle(Verdict.INCONCLUSIVE, "falsify-only")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A value and the closed interval in which the true value lies under the rule, in ``unit``."""

    unit: str
    value: Number | None
    low: Number
    high: Number
    n: int
    confidence: float | None = None  #: of the interval, where it is one to be reported
    obstacle: Obstacle | None = None
    numerator: int | None = None
    denominator: int | None = None
    facts: tuple[tuple[str, str], ...] = ()
    saturated: bool = False  #: whether no larger value is possible


class CannotJudge(Exception):
    """The question makes no sense for this value; the verdict is ``error``, never a guess."""

    def __init__(self, reason: str, **facts: str) -> None:
        self.reason = reason
        self.facts = facts
        super().__init__(reason)


_COMPARE: dict[str, Callable[[Number, Number], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


def is_met(op: str, value: Number, limit: Number) -> bool:
    """Whether ``value`` stands to ``limit`` as ``op`` demands."""
    return value == limit if op == "==" else _COMPARE[op](value, limit)


def decide(op: str, limit: Fraction, evidence: Evidence) -> Obstacle:
    """The verdict and its reason code: certain failure first, then what stands in the way, then the limit."""
    low, high = evidence.low, evidence.high
    if op == ">" and evidence.saturated:
        op = ">="
    if op == "==":
        met, possible = low == limit == high, low <= limit <= high
    else:
        worst, best = (low, high) if op in (">=", ">") else (high, low)
        met, possible = _COMPARE[op](worst, limit), _COMPARE[op](best, limit)
    if not possible:
        return Obstacle(Verdict.FAIL, "not-met")
    if evidence.obstacle is not None:
        return evidence.obstacle
    return Obstacle(Verdict.PASS, "met") if met else Obstacle(Verdict.INCONCLUSIVE, "interval-spans-limit")
