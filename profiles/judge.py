"""judge(): from a reduced value and a requirement to a verdict, by the requirement's decision rule.

Pure and total: whatever it is given, it answers with a :class:`~profiles.reduced.Judgement`, and what makes no sense is
an ``error``. First "is this a measurement?", then "is it good enough?"; only the second question can be passed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from profiles.evidence import NOT_A_CENSUS
from profiles.evidence import NOTHING
from profiles.evidence import CannotJudge
from profiles.evidence import Evidence
from profiles.evidence import Number
from profiles.evidence import Obstacle
from profiles.evidence import decide
from profiles.evidence import is_met
from profiles.exhibit import exhibit
from profiles.quantity import Quantity
from profiles.quantity import QuantityError
from profiles.quantity import compatible
from profiles.quantity import exact
from profiles.quantity import factor
from profiles.quantity import format_quantity
from profiles.quantity import parse_quantity
from profiles.reduced import Checklist
from profiles.reduced import Exposure
from profiles.reduced import Finding
from profiles.reduced import Interval
from profiles.reduced import Invalid
from profiles.reduced import Judgement
from profiles.reduced import Measurement
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.rules import RULES
from profiles.rules import Question
from profiles.verdict import Verdict

#: Reasons for which there is nothing to judge although neither tool nor rig failed. Every other reason of an
#: :class:`~profiles.reduced.Invalid` says that sanity failed, and is an ``error``.
NOTHING_TO_JUDGE = frozenset(
    {
        "empty-register",  # no object of the plant is in the requirement's scope
        "area-basis-not-measured",  # judged by area, and the plant file names no survey point
        "terminal-basis-not-measured",  # judged by terminal, and the plant file names none
        "too-few-samples",  # a valid measurement, too short to say anything
        "baseline-missing",  # a trend, and no earlier value under the same definition
        "baseline-altered",  # a trend, and an earlier bundle that nobody can trust
        "baseline-incomplete",  # a trend, and an earlier bundle that says too little
        "boundary-changed",  # a trend, and other areas or another way of sampling than before
        "coverage-incomplete",  # a trend, and places of this year that were not sampled
        "survey-not-new",  # a trend, and a log from before the earlier bundle
        "area-not-sampled",  # coverage, and an area without any sample
        "area-without-cells",  # coverage, and an area smaller than a cell
        "area-too-large",  # coverage, and an area of more cells than can be walked
        "areas-overlap",  # coverage, and places that would be counted twice
        "reference-missing",  # an accuracy claim, and no better reference to compare with
        "no-onlooker",  # a claim about tables of switches and routers, and none that can be read
        "no-rate-server",  # a rate, and no terminal that declares a server to measure it with
        "too-few-servers",  # a rate of the line, and fewer than two reference servers that told one
        "period-not-measured",  # busy and idle hours, and nothing measured in one of them
    }
)

#: What the reader must be told of a rule wherever it is used.
_RULE_NOTES = {Rule.R1: ("simple-acceptance",)}

#: More objects than a double counts exactly are not a count.
_MOST = 2**53


def judge(requirement: Requirement, reduced: Reduced) -> Judgement:
    """Decide whether ``reduced`` meets ``requirement`` under its decision rule, without rounding anything."""
    try:
        return _judge(requirement, reduced)
    except CannotJudge as refusal:
        facts = tuple(refusal.facts.items())
        return Judgement(Verdict.ERROR, refusal.reason, facts=facts, failing=reduced.failing)


def _judge(requirement: Requirement, reduced: Reduced) -> Judgement:
    if isinstance(reduced, Invalid):
        return _invalid(reduced)
    limit = _limit(requirement)
    value = _normalise(reduced, requirement, limit)
    _check(value)
    rule = _rule(requirement, value)
    weigh = RULES.get((rule, type(value)))
    if weigh is None:
        raise CannotJudge("rule-does-not-fit", rule=rule.value, kind=type(value).__name__)
    question = _question(requirement, limit, value)
    evidence = _of_a_sample(requirement, value, weigh(question, value))
    found = _found(question, evidence)
    unit = limit.unit if limit else evidence.unit
    evidence = _in_unit(evidence, unit)
    if isinstance(value, Ratio) and value.unknown:
        evidence = _bounds_only(evidence)
    partly = ("some-unknown",) if value.unknown and found.verdict in (Verdict.FAIL, Verdict.INFO) else ()
    return Judgement(
        verdict=found.verdict,
        reason=found.reason,
        value=_float(evidence.value),
        unit=unit,
        interval=_interval(evidence),
        n=evidence.n,
        numerator=evidence.numerator,
        denominator=evidence.denominator,
        rule=rule.value,
        facts=tuple(_facts(requirement, limit, value, evidence).items()),
        failing=value.failing + _beyond(requirement, value, limit),
        exhibit=exhibit(reduced),
        notes=tuple(dict.fromkeys(value.notes + _RULE_NOTES.get(rule, ()) + partly)),
    )


def _beyond(
    requirement: Requirement, value: Ratio | Samples | Measurement | Exposure, limit: Quantity | None
) -> tuple[Finding, ...]:
    """The objects whose own value is beyond the limit, named."""
    if limit is None or requirement.threshold is None or not isinstance(value, Samples):
        return ()
    bound = limit.to(value.unit).magnitude
    op = requirement.threshold.op
    labelled = zip(value.labels, value.values, strict=False)
    seen = ((label, number) for label, number in labelled if math.isfinite(number))
    beyond = [(label, number) for label, number in seen if not is_met(op, exact(number), bound)]
    return tuple(
        Finding(label, "beyond-limit", format_quantity(Quantity(exact(number), value.unit), "en", limit=limit))
        for label, number in beyond
    )


def _bounds_only(evidence: Evidence) -> Evidence:
    """A share of which part is unknown has no value, only bounds.

    An object is shown unreachable sooner than reachable, so the share of those known so far is biased.
    """
    return replace(evidence, value=None, numerator=None, denominator=None, confidence=evidence.confidence or 1.0)


def _invalid(invalid: Invalid) -> Judgement:
    verdict = Verdict.INCONCLUSIVE if invalid.reason in NOTHING_TO_JUDGE else Verdict.ERROR
    facts = (("note", invalid.note),) if invalid.note else ()
    return Judgement(verdict, invalid.reason, facts=facts, failing=invalid.failing)


def _limit(requirement: Requirement) -> Quantity | None:
    if requirement.threshold is None or requirement.rule is Rule.INFO:
        return None
    try:
        return parse_quantity(requirement.threshold.value)
    except QuantityError:
        raise CannotJudge("threshold-unreadable", threshold=requirement.threshold.value) from None


def _normalise(
    reduced: Ratio | Samples | Measurement | Checklist | Exposure, requirement: Requirement, limit: Quantity | None
) -> Ratio | Samples | Measurement | Exposure:
    """Checks and exposures are a share of checks or trials, unless the limit counts violations."""
    if isinstance(reduced, Checklist):
        counted = limit is not None and compatible(limit.unit, "count")
        return _count_of_checks(reduced) if counted else _share_of_checks(reduced)
    if isinstance(reduced, Exposure) and limit is not None and not compatible(limit.unit, "count"):
        _check(reduced)
        good_is_large = requirement.threshold is not None and requirement.threshold.op in (">=", ">", "==")
        share = reduced.trials - reduced.violations if good_is_large else reduced.violations
        return Ratio(share, reduced.trials, reduced.unknown, failing=reduced.failing, notes=reduced.notes)
    return reduced


def _share_of_checks(checklist: Checklist) -> Ratio:
    made = [check for check in checklist.checks if check.passed is not None]
    unknown = len(checklist.checks) - len(made)
    passed = sum(check.passed is True for check in made)
    return Ratio(passed, len(made), unknown, failing=_named(checklist), notes=checklist.notes)


def _count_of_checks(checklist: Checklist) -> Exposure:
    made = [check for check in checklist.checks if check.passed is not None]
    unknown = len(checklist.checks) - len(made)
    failed = sum(check.passed is False for check in made)
    return Exposure(failed, len(made), unknown, failing=_named(checklist), notes=checklist.notes)


def _named(checklist: Checklist) -> tuple[Finding, ...]:
    """What was not passed, by name, and what else the indicator found."""
    reasons = {False: "check-failed", None: "check-not-made"}
    open_checks = (check for check in checklist.checks if not check.passed)
    named = (
        Finding(check.subject, reasons[check.passed], " · ".join(filter(None, (check.item, check.note))))
        for check in open_checks
    )
    return (*named, *checklist.failing)


def _check(value: Ratio | Samples | Measurement | Exposure) -> None:
    """Sanity before requirement: counts that can be counts, numbers that can be measured."""
    ordered: tuple[int, ...] = (0, value.unknown)
    if isinstance(value, Ratio):
        drawn = value.denominator + value.unknown
        ordered = (0, value.numerator, value.denominator, drawn)
        ordered += (drawn if value.population is None else value.population,)
    elif isinstance(value, Samples | Measurement):
        known = len(value.values) if isinstance(value, Samples) else value.n
        drawn = known + value.unknown
        ordered += (drawn, drawn if value.population is None else value.population)
    elif isinstance(value, Exposure):
        ordered = (0, value.violations, value.trials, value.trials + value.unknown)
    if any(less > more for less, more in zip(ordered, (*ordered[1:], _MOST), strict=True)):
        raise CannotJudge("counts-inconsistent", counts=", ".join(map(str, ordered[1:])))
    if isinstance(value, Measurement) and not (math.isfinite(value.value) and value.expanded_uncertainty >= 0):
        raise CannotJudge("not-a-number", found=f"{value.value} ± {value.expanded_uncertainty}")


def _rule(requirement: Requirement, value: Ratio | Samples | Measurement | Exposure) -> Rule:
    """The requirement's rule, or the one for samples; without a limit there is nothing to decide."""
    if requirement.threshold is None or requirement.rule is Rule.INFO:
        return Rule.INFO
    if isinstance(value, Exposure) or value.population is None:
        return requirement.rule
    return requirement.sample_rule or (Rule.R0 if isinstance(value, Ratio) else requirement.rule)


def _of_a_sample(
    requirement: Requirement, value: Ratio | Samples | Measurement | Exposure, evidence: Evidence
) -> Evidence:
    """Values of a sample that no rule for samples weighs show nothing of the rest; a share does by itself (R0)."""
    numbers = isinstance(value, Samples | Measurement) and value.population is not None
    if not numbers or requirement.sample_rule is not None or requirement.threshold is None:
        return evidence
    low, high = NOTHING
    return replace(evidence, low=low, high=high, confidence=None, obstacle=evidence.obstacle or NOT_A_CENSUS)


def _question(
    requirement: Requirement, limit: Quantity | None, value: Ratio | Samples | Measurement | Exposure
) -> Question:
    own = value.unit if isinstance(value, Samples | Measurement) else "%" if isinstance(value, Ratio) else "count"
    try:
        bound = limit.to(own).magnitude if limit else None
        factor(own, own)
    except QuantityError:
        raise CannotJudge("unit-mismatch", unit=own, threshold=str(limit) if limit else "") from None
    op = requirement.threshold.op if requirement.threshold and limit else ""
    quantile = None if requirement.quantile is None else Fraction(repr(requirement.quantile))
    return Question(op, bound, requirement.confidence, quantile)


def _found(question: Question, evidence: Evidence) -> Obstacle:
    if question.limit is not None:
        return decide(question.op, question.limit, evidence)
    if evidence.value is None:
        return evidence.obstacle or Obstacle(Verdict.INCONCLUSIVE, "nothing-measured")
    return Obstacle(Verdict.INFO, "value-reported")


def _in_unit(evidence: Evidence, unit: str) -> Evidence:
    by = factor(evidence.unit, unit)
    value = None if evidence.value is None else _times(evidence.value, by)
    return replace(evidence, unit=unit, value=value, low=_times(evidence.low, by), high=_times(evidence.high, by))


def _times(number: Number, by: Fraction) -> Number:
    return number * by if isinstance(number, Fraction) else number


def _float(number: Number | None) -> float | None:
    """For the record, which holds no infinities."""
    if number is None or isinstance(number, float):
        return None
    try:
        return float(number)
    except OverflowError:
        return None


def _interval(evidence: Evidence) -> Interval | None:
    if evidence.confidence is None:
        return None
    return Interval(_float(evidence.low), _float(evidence.high), evidence.confidence)


def _facts(
    requirement: Requirement,
    limit: Quantity | None,
    value: Ratio | Samples | Measurement | Exposure,
    evidence: Evidence,
) -> Mapping[str, str]:
    """What the texts of the reason codes may name; no number is rounded across the limit."""

    def shown(number: Number | None) -> str:
        if number is None:
            return "–"
        if isinstance(number, float):
            return "∞" if number > 0 else "−∞"
        return format_quantity(Quantity(number, evidence.unit), "en", limit=limit)

    value_shown = shown(evidence.value)
    if evidence.value is None and evidence.confidence is not None:
        value_shown = f"{shown(evidence.low)} … {shown(evidence.high)}"
    facts = {
        "value": value_shown,
        "low": shown(evidence.low),
        "high": shown(evidence.high),
        "n": str(evidence.n),
        "unknown": str(value.unknown),
        "owed": str(evidence.n + value.unknown),
        "confidence": f"{100 * requirement.confidence:g} %",
    }
    if limit is not None and requirement.threshold is not None:
        facts |= {"op": requirement.threshold.op, "limit": requirement.threshold.value}
    if isinstance(value, Measurement):
        facts |= dict(value.facts)
    if not isinstance(value, Exposure) and value.population is not None:
        facts |= {"population": str(value.population)}
    if isinstance(value, Ratio):
        facts |= {"basis": value.basis} | dict(value.facts)
    return facts | dict(evidence.facts)
