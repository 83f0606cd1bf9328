"""From a planned case and what was observed to its result: the one place where results are made.

The campaign makes its results here, and the verifier makes them again from a bundle, so that both must agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from itertools import chain
from typing import Any

from fixtures.scoping import Case
from profiles.evaluate import evaluate
from profiles.indicators import find
from profiles.observation import Observation
from profiles.reduced import Judgement
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.verdict import Verdict
from reports.exhibit import record_of
from reports.result import FindingRecord
from reports.result import IntervalRecord
from reports.result import ObservationFilter
from reports.result import Result

#: Gives the observations of some methods and targets: ``EvidenceStore.observations`` or ``Bundle.observations``.
Select = Callable[[Iterable[str], Iterable[str]], Iterable[Observation]]


def observation_filter(case: Case) -> ObservationFilter | None:
    """Which observations the case's result rests on; ``None`` if it does not apply or nothing computes it."""
    indicator = find(case.requirement.indicator)
    if case.not_applicable or indicator is None or indicator.reduce is None:
        return None
    drawn = (id for member in case.register.members if member.drawn for id in (member.id, *member.shared))
    return ObservationFilter(methods=indicator.methods, targets=tuple(dict.fromkeys(drawn)))


def rejudge(case: Case, observations: Iterable[Observation]) -> Result:
    """The result of ``case``, given the observations that :func:`observation_filter` selects; pure.

    A case that does not apply is ``not-applicable``; one that nothing computes, or of which nothing was ever observed,
    is ``not-tested``. The value of a breakdown is reported and compared with nothing.
    """
    selected = observation_filter(case)
    if selected is None:
        return not_tested(case, "no-suite")
    witness = _Witness(observations)
    if not witness.any and any(member.drawn and member.measurable for member in case.register.members):
        return not_tested(case, "not-run")
    requirement = _informative(case.requirement) if case.informative else case.requirement
    judgement = evaluate(requirement, case.register, witness)
    shown = None if case.informative else record_of(judgement.exhibit)
    return _result(case, **_judged(judgement), **witness.facts(), observations=selected, exhibit=shown)


def conclude(case: Case, select: Select) -> Result:
    """:func:`rejudge` with the observations that the case needs, taken from ``select``."""
    selected = observation_filter(case)
    return rejudge(case, select(selected.methods, selected.targets) if selected else ())


def not_tested(case: Case, reason: str) -> Result:
    """The result of a case of which nothing was measured; ``not-applicable``, if the case does not apply.

    Args:
        case: the planned item.
        reason: reason code, such as ``no-suite``, ``not-run``, ``interrupted`` or ``deselected``.
    """
    if case.not_applicable:
        facts = {"reason": case.not_applicable}
        return _result(case, verdict=Verdict.NOT_APPLICABLE, reason="tailored-out", facts=facts)
    return _result(case, verdict=Verdict.NOT_TESTED, reason=reason, observations=observation_filter(case))


def _informative(requirement: Requirement) -> Requirement:
    return requirement.model_copy(update={"rule": Rule.INFO, "threshold": None})


def _result(case: Case, **found: Any) -> Result:  # noqa: ANN401 - fields of Result
    requirement = _informative(case.requirement) if case.informative else case.requirement
    asked = {
        "item": case.id,
        "profile": case.profile,
        "requirement": requirement.id,
        "indicator": requirement.indicator,
        "scope": dict(case.scope),
        "threshold": requirement.threshold,
        "rule": requirement.rule.value,
    }
    return Result(**asked | found)


def _judged(judgement: Judgement) -> dict[str, Any]:
    interval = judgement.interval
    return {
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "facts": dict(judgement.facts),
        "value": judgement.value,
        "unit": judgement.unit,
        "numerator": judgement.numerator,
        "denominator": judgement.denominator,
        "interval": interval and IntervalRecord(low=interval.low, high=interval.high, confidence=interval.confidence),
        "n": judgement.n,
        "failing": tuple(
            FindingRecord(target=one.target, reason=one.reason, note=one.note) for one in judgement.failing
        ),
        "notes": judgement.notes,
    } | ({"rule": judgement.rule} if judgement.rule else {})


class _Witness:
    """Observations passed on to whoever reduces them, while noting who made them and when, and how many there are."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        rest = iter(observations)
        first = next(rest, None)
        self.any = first is not None
        self._rest: Iterator[Observation] = rest if first is None else chain([first], rest)
        self._vantages: set[str] = set()
        self._first_ns: float = math.inf
        self._last_ns: float = -math.inf
        self._rows = 0

    def __iter__(self) -> Iterator[Observation]:
        first, last, rows = self._first_ns, self._last_ns, self._rows
        try:
            for observation in self._rest:
                rows += 1
                at = observation.utc_ns
                if at < first:
                    first = at
                if at > last:
                    last = at
                self._vantages.add(observation.vantage)
                yield observation
        finally:  # also if the reader had enough
            self._first_ns, self._last_ns, self._rows = first, last, rows

    def facts(self) -> dict[str, Any]:
        """Vantages, number of rows, and the times of the first and the last; also of those nobody asked for."""
        for _ in self:
            pass
        started, ended = (self._first_ns, self._last_ns) if self._vantages else (None, None)
        times = {"started_utc_ns": started, "ended_utc_ns": ended}
        return {"vantages": tuple(sorted(self._vantages)), "rows": self._rows} | times
