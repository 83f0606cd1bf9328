"""What repeated attempts say of the uncertainty of the sum or the mean of several objects (GUM, JCGM 100:2008). Pure.

Only what was seen to scatter is in it (evaluation of type A); what all attempts have in common is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from statistics import median
from statistics import stdev

COVERAGE = 0.9545  #: of an interval of k = 2 under a normal distribution
#: Deviation of a median by that of a mean, for many attempts under a normal distribution; for few, it is less.
OF_MEDIAN = math.sqrt(math.pi / 2)


@dataclass(frozen=True, slots=True)
class Combined:
    """The value of each of several objects, and the expanded uncertainty of their sum."""

    values: tuple[float, ...]  #: mean or median of each object's attempts
    expanded_uncertainty: float  #: of the sum of the values; infinite if nothing tells
    notes: tuple[str, ...] = ()


def combine(objects: Sequence[Sequence[float]], *, by_median: bool = False) -> Combined:
    """The mean (or median) of each object's attempts, and the expanded uncertainty of the sum of these.

    The variance of each mean is that of its attempts by their number (4.2.3), and they add (5.1.2). An object with a
    single attempt gets the relative scatter of those with several; if there is none of these, the scatter between the
    objects, which is no less. The coverage factor is Student's for the effective degrees of freedom (G.4.2), which is 2
    for many and more for few.

    Args:
        objects: the attempts of each object, at least one object and one attempt each.
        by_median: take the median of each, which disturbed attempts move less.
    """
    values = tuple(median(attempts) if by_median else fmean(attempts) for attempts in objects)
    wider = OF_MEDIAN if by_median else 1.0
    own = [_Term.of(attempts) for attempts in objects if len(attempts) > 1]
    single = [value for value, attempts in zip(values, objects, strict=True) if len(attempts) == 1]
    if not single:
        return Combined(values, wider * _expanded(own))
    if own:
        typical = math.sqrt(fmean(term.relative**2 for term in own))
        free = sum(term.free for term in own)
        shared = _Term(typical**2 * math.fsum(value**2 for value in single), free, typical)
        return Combined(values, wider * _expanded([*own, shared]), ("one-attempt",))
    if len(values) > 1:
        between = _Term(stdev(values) ** 2 * len(values), len(values) - 1, 0.0)
        return Combined(values, _expanded([between]), ("one-attempt",))
    return Combined(values, math.inf, ("scatter-unknown",))


def of_sample(values: Sequence[float], population: int) -> float:
    """Expanded uncertainty of the mean of ``population`` objects, of which those with these values were drawn.

    The variance of the mean of a random sample without replacement; nothing is left of it where all were drawn. A
    single value tells nothing of the others: infinite.
    """
    drawn = len(values)
    if drawn >= population:
        return 0.0
    if drawn < 2:
        return math.inf
    return _student(drawn - 1) * stdev(values) * math.sqrt((1 - drawn / population) / drawn)


@dataclass(frozen=True, slots=True)
class _Term:
    """One term of the sum: its variance, degrees of freedom, and the relative deviation of one attempt."""

    variance: float
    free: int
    relative: float

    @classmethod
    def of(cls, attempts: Sequence[float]) -> _Term:
        deviation, mean = stdev(attempts), fmean(attempts)
        return cls(deviation**2 / len(attempts), len(attempts) - 1, deviation / mean if mean else 0.0)


def _expanded(terms: Sequence[_Term]) -> float:
    variance = math.fsum(term.variance for term in terms)
    if not variance:
        return 0.0
    shares = math.fsum((term.variance / variance) ** 2 / term.free for term in terms)  # Welch and Satterthwaite
    return _student(1 / shares) * math.sqrt(variance)


def _student(free: float) -> float:
    """Two-sided coverage factor."""
    from scipy.special import stdtrit  # on first use: it takes a while

    return float(stdtrit(free, (1 + COVERAGE) / 2))
