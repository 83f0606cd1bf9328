"""The decision rules R0 to R5 and ``info``: one small function per rule and kind of value, in one table.

Sources: ISO/IEC 17025:2017 3.7 and 7.1.3 (a named rule), ILAC-G8:09/2019 4.2.1 (R1, simple acceptance) and 4.2.2
(R3, guard band w = U), Clopper and Pearson 1934 (R2), order statistics (R4). Whatever is owed and unknown is counted
on both sides: as the worst in one bound and as the best in the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from decimal import localcontext
from fractions import Fraction
from typing import Any

from profiles.bounds import proportion_bounds
from profiles.bounds import quantile_ranks
from profiles.evidence import EMPTY
from profiles.evidence import FALSIFY_ONLY
from profiles.evidence import NOT_A_CENSUS
from profiles.evidence import NOTHING
from profiles.evidence import TOO_FEW
from profiles.evidence import UNKNOWN
from profiles.evidence import CannotJudge
from profiles.evidence import Evidence
from profiles.evidence import Number
from profiles.evidence import Obstacle
from profiles.quantity import exact
from profiles.reduced import Exposure
from profiles.reduced import Measurement
from profiles.reduced import Ratio
from profiles.reduced import Samples
from profiles.requirement import Rule

#: Values expected beyond the quantile before R4 speaks (standards: n (1 - p) >= 10).
R4_GATE = 10


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule needs of a requirement, with the limit in the value's unit; ``None`` if nothing is compared."""

    op: str
    limit: Fraction | None
    confidence: float
    quantile: Fraction | None


# --- shares ---------------------------------------------------------------------------------------------------------


def _share(
    ratio: Ratio,
    between: tuple[Number, Number],
    *,
    confidence: float | None = None,
    obstacle: Obstacle | None = None,
) -> Evidence:
    """Evidence on a share, in per cent, which lies ``between`` two fractions of one."""
    known = ratio.denominator > 0
    low, high = (100 * between[0], 100 * between[1]) if known else NOTHING
    return Evidence(
        "%",
        100 * Fraction(ratio.numerator, ratio.denominator) if known else None,
        low,
        high,
        ratio.denominator,
        confidence,
        _obstacle(ratio.unknown, ratio.denominator, obstacle),
        ratio.numerator,
        ratio.denominator,
    )


def _obstacle(unknown: int, known: int, otherwise: Obstacle | None) -> Obstacle | None:
    """What holds under every rule: nothing that is partly unknown, or empty, can pass."""
    return UNKNOWN if unknown else otherwise if known > 0 else EMPTY


def _share_between(ratio: Ratio, total: int) -> tuple[Number, Number]:
    """The least and the largest share possible when only ``denominator`` of ``total`` objects are known."""
    least, most = (Fraction(it, max(total, 1)) for it in (ratio.numerator, ratio.numerator + total - ratio.denominator))
    return least, most if ratio.at_most is None else max(least, min(most, ratio.at_most))


def _share_bounds(question: Question, ratio: Ratio) -> tuple[Number, Number]:
    """Exact bounds of the share in the population; objects of the sample without a result go either way."""
    trials = ratio.denominator + ratio.unknown
    if not trials:
        return NOTHING
    low, _ = proportion_bounds(ratio.numerator, trials, question.confidence, ratio.population)
    _, high = proportion_bounds(ratio.numerator + ratio.unknown, trials, question.confidence, ratio.population)
    return low, high


def count_census(_question: Question, ratio: Ratio) -> Evidence:
    """R0: integers compared; of a sample only what the rest of the register cannot change."""
    drawn_all = ratio.population is None
    total = ratio.denominator + ratio.unknown if ratio.population is None else ratio.population
    return _share(ratio, _share_between(ratio, total), obstacle=None if drawn_all else NOT_A_CENSUS)


def accept_share(_question: Question, ratio: Ratio) -> Evidence:
    """R1: the share that was found."""
    return _share(ratio, _share_between(ratio, ratio.denominator + ratio.unknown))


def bound_share(question: Question, ratio: Ratio) -> Evidence:
    """R2: exact one-sided bounds, binomial, or hypergeometric if the sample came from a known register."""
    return _share(ratio, _share_bounds(question, ratio), confidence=question.confidence)


def falsify_share(question: Question, ratio: Ratio) -> Evidence:
    """R5: the bounds of R2, which may show a failure and never the contrary."""
    return _share(ratio, _share_bounds(question, ratio), confidence=question.confidence, obstacle=FALSIFY_ONLY)


def report_share(question: Question, ratio: Ratio) -> Evidence:
    """``info``: a census has no sampling error, a sample gets the bounds of R2."""
    return count_census(question, ratio) if ratio.population is None else bound_share(question, ratio)


# --- counts of violations -------------------------------------------------------------------------------------------


def _violations(exposure: Exposure, most: Number, obstacle: Obstacle | None = None) -> Evidence:
    """Evidence on a count, of which so many were seen and at most ``most`` can be there."""
    seen = Fraction(exposure.violations) if exposure.trials else None
    low, high = NOTHING if seen is None else (seen, most)
    obstacle = _obstacle(exposure.unknown, exposure.trials, obstacle)
    return Evidence("count", seen, low, high, exposure.trials, obstacle=obstacle)


def count_violations(_question: Question, exposure: Exposure) -> Evidence:
    """R0 and R1: the violations among all trials that there are."""
    return _violations(exposure, Fraction(exposure.violations + exposure.unknown))


def falsify_violations(_question: Question, exposure: Exposure) -> Evidence:
    """R5: at least so many; a longer run may show more."""
    return _violations(exposure, math.inf, FALSIFY_ONLY)


# --- single measured quantities -------------------------------------------------------------------------------------


def _measured(measurement: Measurement, margin: Number, confidence: float | None) -> Evidence:
    """Evidence on one quantity; what the attempts without a measurement would have changed is anybody's guess."""
    value = exact(measurement.value)
    obstacle = _obstacle(measurement.unknown, measurement.n, None)
    low, high = NOTHING if obstacle else (value - margin, value + margin)
    known = value if measurement.n > 0 else None
    full = measurement.saturated
    return Evidence(measurement.unit, known, low, high, measurement.n, confidence, obstacle, saturated=full)


def accept_measurement(_question: Question, measurement: Measurement) -> Evidence:
    """R1: the value, its uncertainty left aside."""
    return _measured(measurement, Fraction(0), None)


def guard_measurement(_question: Question, measurement: Measurement) -> Evidence:
    """R3: the value plus or minus its expanded uncertainty; the coverage of k = 2 is about 95 %."""
    wide = math.isinf(measurement.expanded_uncertainty)
    margin: Number = math.inf if wide else exact(measurement.expanded_uncertainty)
    return _measured(measurement, margin, 0.95)


# --- many values ----------------------------------------------------------------------------------------------------


def _usable(question: Question, samples: Samples) -> tuple[list[float], int]:
    """The values in order, and how many attempts gave none.

    A loss counts as an infinite delay only where small is good; where large is good it would look like a success.
    """
    losses_count = question.limit is None or question.op in ("<", "<=")
    usable = sorted(value for value in samples.values if value < math.inf and value > -math.inf)
    losses = sum(value == math.inf for value in samples.values) if losses_count else 0
    return usable + [math.inf] * losses, samples.unknown + len(samples.values) - len(usable) - losses


def _ranked(values: list[float], rank: int | None, unknown_below: int, missing: float) -> Number:
    """The value of that rank (from 1), had the unknown ones been the least of all; ``missing`` where there is none."""
    if rank is None:
        return missing
    index = rank - 1 - unknown_below
    if index < 0:
        return -math.inf
    return _number(values[index]) if index < len(values) else math.inf


def _number(value: float) -> Number:
    return exact(value) if math.isfinite(value) else value


def _point(question: Question, values: list[float]) -> tuple[Number | None, str]:
    """The statistic asked for, and its name: the quantile (inverse of the empirical distribution), else the mean."""
    if not values:
        return None, "mean"
    if question.quantile is not None:
        return _number(values[math.ceil(len(values) * question.quantile) - 1]), f"p{float(100 * question.quantile):g}"
    if values[-1] == math.inf:
        return math.inf, "mean"
    return _mean(values), "mean"


def _mean(values: list[float]) -> Fraction:
    """The exact mean of the numbers as written; 700 digits hold the sum of any two doubles and of 10^60 of them."""
    with localcontext() as context:
        context.prec = 700
        return Fraction(sum(Decimal(repr(value)) for value in values)) / len(values)


def every_sample(question: Question, samples: Samples) -> Evidence:
    """R0: the worst of all values, so that every one of them meets the limit if this one does."""
    values, unknown = _usable(question, samples)
    worst, name = _worst(question, values)
    low, high = NOTHING if worst is None else (worst, worst)
    if unknown and worst is not None:  # what is not known may be worse still
        low, high = (worst, math.inf) if question.op in ("<", "<=") else (-math.inf, worst)
    obstacle = _obstacle(unknown, len(values), None)
    return Evidence(samples.unit, worst, low, high, len(values), obstacle=obstacle, facts=(("statistic", name),))


def _worst(question: Question, values: list[float]) -> tuple[Number | None, str]:
    """The value farthest on the wrong side of the limit; ``values`` are in order."""
    if not values:
        return None, "worst"
    least, most = _number(values[0]), _number(values[-1])
    if question.op == "==" and question.limit is not None:
        return (most, "max") if most - question.limit >= question.limit - least else (least, "min")
    return (most, "max") if question.op in ("<", "<=") else (least, "min")


def accept_samples(question: Question, samples: Samples) -> Evidence:
    """R1: the statistic of the values, taken as it is."""
    values, unknown = _usable(question, samples)
    value, name = _point(question, values)
    low, high = NOTHING if unknown or value is None else (value, value)
    return Evidence(
        samples.unit,
        value,
        low,
        high,
        len(values),
        obstacle=_obstacle(unknown, len(values), None),
        facts=(("statistic", name),),
    )


def bound_quantile(question: Question, samples: Samples) -> Evidence:
    """R4: order statistics between which the quantile lies, whatever the distribution; a loss is infinite."""
    if question.quantile is None:
        raise CannotJudge("quantile-missing")
    values, unknown = _usable(question, samples)
    total = len(values) + unknown
    beyond = min(question.quantile, 1 - question.quantile)
    enough = total * beyond >= R4_GATE
    lower, upper = quantile_ranks(total, question.quantile, question.confidence) if enough else (None, None)
    value, name = _point(question, values)
    return Evidence(
        samples.unit,
        value,
        _ranked(values, lower, unknown, -math.inf),
        _ranked(values, upper, 0, math.inf),
        len(values),
        confidence=question.confidence if enough else None,
        obstacle=_obstacle(unknown, len(values), None if enough else TOO_FEW),
        facts=(("statistic", name), ("needed", str(math.ceil(R4_GATE / beyond)))),
    )


def falsify_samples(question: Question, samples: Samples) -> Evidence:
    """R5: the value farthest on the wrong side; all that is not seen may be worse still."""
    values, unknown = _usable(question, samples)
    if not values or question.limit is None:
        worst: Number | None = None
        low, high = NOTHING
    else:
        limit = question.limit
        least, most = _number(values[0]), _number(values[-1])
        upwards = question.op in ("<", "<=") or (question.op == "==" and most - limit >= limit - least)
        worst = most if upwards else least
        low, high = (worst, math.inf) if upwards else (-math.inf, worst)
    obstacle = _obstacle(unknown, len(values), FALSIFY_ONLY)
    return Evidence(samples.unit, worst, low, high, len(values), obstacle=obstacle)


def report_samples(question: Question, samples: Samples) -> Evidence:
    """``info``: the quantile with its bounds if one is named, else the mean."""
    return (accept_samples if question.quantile is None else bound_quantile)(question, samples)


Weigh = Callable[[Question, Any], Evidence]

#: How each rule weighs each kind of value; a pair that is not here makes no sense and is an error.
RULES: dict[tuple[Rule, type], Weigh] = {
    (Rule.R0, Ratio): count_census,
    (Rule.R0, Exposure): count_violations,
    (Rule.R0, Samples): every_sample,
    (Rule.R1, Ratio): accept_share,
    (Rule.R1, Exposure): count_violations,
    (Rule.R1, Measurement): accept_measurement,
    (Rule.R1, Samples): accept_samples,
    (Rule.R2, Ratio): bound_share,
    (Rule.R3, Measurement): guard_measurement,
    (Rule.R4, Samples): bound_quantile,
    (Rule.R5, Ratio): falsify_share,
    (Rule.R5, Exposure): falsify_violations,
    (Rule.R5, Samples): falsify_samples,
    (Rule.INFO, Ratio): report_share,
    (Rule.INFO, Exposure): count_violations,
    (Rule.INFO, Measurement): guard_measurement,
    (Rule.INFO, Samples): report_samples,
}
