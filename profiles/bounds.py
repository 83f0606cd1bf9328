"""Exact confidence bounds: binomial and hypergeometric proportions, and quantiles without a distribution.

Every bound is one-sided at the stated confidence, and rounded outwards by far more than the arithmetic errs: an error
of computation can cost a verdict, and never give one. scipy is imported on first use.
"""

from __future__ import annotations

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
    from scipy.special import betaincinv

    failures = trials - successes
    low = float(betaincinv(successes, failures + 1, 1 - confidence)) if successes else 0.0
    high = float(betaincinv(successes + 1, failures, confidence)) if failures else 1.0
    return Fraction(low * (1 - _MARGIN)), Fraction(min(1.0, high * (1 + _MARGIN)))


def _hypergeometric(successes: int, trials: int, population: int, confidence: float) -> tuple[Fraction, Fraction]:
    """The smallest and the largest number of successes in the population that the sample does not rule out."""
    from scipy.stats import hypergeom

    alpha = (1 - confidence) * (1 - _MARGIN)
    least, most = successes, population - (trials - successes)

    def too_few(good: int) -> bool:
        return bool(hypergeom.sf(successes - 1, population, good, trials) <= alpha)

    def too_many(good: int) -> bool:
        return bool(hypergeom.cdf(successes, population, good, trials) <= alpha)

    low, high = least, most
    while low < high:  # the smallest that is not too few; the probability grows with the number of good ones
        middle = (low + high) // 2
        low, high = (middle + 1, high) if too_few(middle) else (low, middle)
    lowest = low
    low, high = lowest, most
    while low < high:  # the largest that is not too many
        middle = (low + high + 1) // 2
        low, high = (low, middle - 1) if too_many(middle) else (middle, high)
    return Fraction(lowest, population), Fraction(low, population)


def quantile_ranks(n: int, quantile: Fraction, confidence: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the order statistics that bound the quantile from below and from above; ``None``: n too small.

    Distribution-free (David and Nagaraja, Order Statistics, 7.1): the r-th smallest of n values is at least the
    quantile with probability P(Binomial(n, p) <= r - 1), whatever the distribution.
    """
    from scipy.stats import binom

    p = float(quantile)
    alpha = (1 - confidence) * (1 - _MARGIN)
    upper = int(binom.isf(alpha, n, p)) + 1  # smallest r with P(X >= r) <= alpha
    lower = int(binom.ppf(alpha, n, p))  # largest s with P(X <= s - 1) <= alpha, once adjusted
    while lower > 0 and binom.cdf(lower - 1, n, p) > alpha:
        lower -= 1
    while upper <= n and binom.sf(upper - 1, n, p) > alpha:
        upper += 1
    return (lower or None), (upper if upper <= n else None)
