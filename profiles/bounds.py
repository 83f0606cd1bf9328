"""Exact confidence bounds: binomial and hypergeometric proportions, and quantiles without a distribution.

Every bound is one-sided at the stated confidence, and rounded outwards by far more than the arithmetic errs: an error
of computation can cost a verdict, and never give one. scipy is imported on first use.
"""

from __future__ import annotations

from bisect import bisect_left
from bisect import bisect_right
from fractions import Fraction

#: Relative margin of computed tail probabilities and roots; the tests find scipy's own error below 1e-12.
_MARGIN = 1e-11

#: Larger registers are treated as infinite. The binomial bound is the wider one, so that this costs evidence only.
LARGEST_POPULATION = 1_000_000


def proportion_bounds(
    successes: int, trials: int, confidence: float, population: int | None = None
) -> tuple[Fraction, Fraction]:
    """Lower and upper bound of the share of successes, each one-sided at ``confidence``.

    Clopper-Pearson (1934) for independent trials; with a ``population``, the bound of a sample drawn from it without
    replacement, which is tighter. ``trials`` is at least 1.
    """
    if population is not None and population <= LARGEST_POPULATION:
        return _hypergeometric(successes, trials, population, confidence)
    return _clopper_pearson(successes, trials, confidence)


def _clopper_pearson(successes: int, trials: int, confidence: float) -> tuple[Fraction, Fraction]:
    failures = trials - successes
    if successes <= failures:
        return _least(successes, trials, confidence), _most(successes, trials, confidence)
    # Of a share close to 1, what is missing is computed: nine nines need the digits there.
    return 1 - _most(failures, trials, confidence), 1 - _least(failures, trials, confidence)


def _least(successes: int, trials: int, confidence: float) -> Fraction:
    """BetaInv(1 - C; x, n - x + 1): with a smaller share, so many successes are too unlikely."""
    from scipy.special import betaincinv

    if not successes:
        return Fraction(0)
    return Fraction(float(betaincinv(successes, trials - successes + 1, 1 - confidence)) * (1 - _MARGIN))


def _most(successes: int, trials: int, confidence: float) -> Fraction:
    """BetaInv(C; x + 1, n - x): with a larger share, so few successes are too unlikely."""
    from scipy.special import betaincinv

    if successes == trials:
        return Fraction(1)
    return Fraction(min(1.0, float(betaincinv(successes + 1, trials - successes, confidence)) * (1 + _MARGIN)))


def _hypergeometric(successes: int, trials: int, population: int, confidence: float) -> tuple[Fraction, Fraction]:
    """The smallest and the largest number of successes in the population that the sample does not rule out."""
    from scipy.stats import hypergeom

    alpha = (1 - confidence) * (1 - _MARGIN)
    possible = range(successes, population - (trials - successes) + 1)

    def as_many(good: int) -> float:  # grows with the number of good ones in the population
        return float(hypergeom.sf(successes - 1, population, good, trials))

    def as_few(good: int) -> float:  # shrinks with it
        return float(hypergeom.cdf(successes, population, good, trials))

    too_few = bisect_right(possible, alpha, key=as_many)
    enough = bisect_left(possible, -alpha, key=lambda good: -as_few(good))
    return Fraction(possible[too_few], population), Fraction(possible[enough - 1], population)


def quantile_ranks(n: int, quantile: Fraction, confidence: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the order statistics that bound the quantile from below and from above; ``None``: n too small.

    Distribution-free (David and Nagaraja, Order Statistics, 7.1): the r-th smallest of n values is at least the
    quantile with probability P(Binomial(n, p) <= r - 1), whatever the distribution.
    """
    from scipy.special import betainc

    p, rest = float(quantile), float(1 - quantile)
    alpha = (1 - confidence) * (1 - _MARGIN)

    def at_most(k: int) -> float:
        return float(betainc(n - k, k + 1, rest)) if k < n else 1.0

    def more_than(k: int) -> float:
        return float(betainc(k + 1, n - k, p)) if k < n else 0.0

    lower = bisect_right(range(n), alpha, key=at_most)
    upper = bisect_left(range(n), -alpha, key=lambda k: -more_than(k)) + 1
    return (lower or None), (upper if upper <= n else None)
