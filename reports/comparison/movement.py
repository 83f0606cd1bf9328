"""Whether a value moved further between two campaigns than their intervals allow for. Pure."""

from __future__ import annotations

import math
from enum import StrEnum
from fractions import Fraction

from profiles.quantity import Quantity
from profiles.quantity import QuantityError
from profiles.quantity import exact
from profiles.requirement import Rule
from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.result import Result


class Movement(StrEnum):
    """What can be said of two values of one item."""

    SAME = "same"
    WITHIN = "within"  #: they differ by no more than their intervals allow for
    RISEN = "risen"  #: beyond both intervals
    FALLEN = "fallen"
    UNSURE = "unsure"  #: they differ, and nothing tells by how much each may be off
    NONE = "none"  #: one of them has no value, or they cannot be compared


class Trend(StrEnum):
    """What a change means for whoever answers for the plant."""

    BETTER = "better"
    WORSE = "worse"
    OTHER = "other"  #: neither, or nobody can tell


_LOST = OPEN_VERDICTS  #: what was shown before and is open now is shown no more
_ANSWERED = frozenset({Verdict.PASS, Verdict.FAIL})
_Span = tuple[Fraction | float, Fraction | float, Fraction | float]  #: low, value, high


def movement(before: Result, after: Result) -> Movement:
    """How the value moved.

    Counts of a census (rule R0) are exact. Other values moved only if their intervals have nothing in common, which
    two intervals of 95 % show of equal values far less often than once in twenty times; where one of the two has no
    interval, nothing is said.
    """
    one, other = _span(before, before.unit), _span(after, before.unit)
    if one is None or other is None:
        return Movement.NONE
    if one[1] == other[1]:
        return Movement.SAME
    if before.interval is None or after.interval is None:
        if before.rule == after.rule == Rule.R0:
            return Movement.RISEN if other[1] > one[1] else Movement.FALLEN
        return Movement.UNSURE
    if other[0] > one[2]:
        return Movement.RISEN
    return Movement.FALLEN if other[2] < one[0] else Movement.WITHIN


def verdict_trend(before: Verdict, after: Verdict) -> Trend:
    """Whether the verdict changed for the better: what fails, or is shown no more, is worse than what was shown."""
    if before == after:
        return Trend.OTHER
    if after is Verdict.PASS and before in _LOST | {Verdict.FAIL}:
        return Trend.BETTER
    if before is Verdict.PASS and after in _LOST | {Verdict.FAIL}:
        return Trend.WORSE
    return Trend.WORSE if before in _LOST and after is Verdict.FAIL else Trend.OTHER


def value_trend(moved: Movement, after: Result) -> Trend:
    """Whether the value moved to the better side, which only a limit tells."""
    if moved not in (Movement.RISEN, Movement.FALLEN) or after.threshold is None or after.threshold.op == "==":
        return Trend.OTHER
    good = Movement.RISEN if after.threshold.op in (">=", ">") else Movement.FALLEN
    return Trend.BETTER if moved is good else Trend.WORSE


def _span(result: Result, unit: str) -> _Span | None:
    if result.value is None or not math.isfinite(result.value):
        return None
    interval = result.interval
    low = -math.inf if interval is None or interval.low is None else interval.low
    high = math.inf if interval is None or interval.high is None else interval.high
    try:
        return _in(low, result.unit, unit), _in(result.value, result.unit, unit), _in(high, result.unit, unit)
    except (QuantityError, OverflowError, ValueError):
        return None


def _in(value: float, unit: str, wanted: str) -> Fraction | float:
    if not math.isfinite(value) or unit == wanted:
        return value
    return Quantity(exact(value), unit).to(wanted).magnitude
