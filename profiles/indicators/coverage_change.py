"""Change of network access coverage against the year before (网络接入覆盖率逐年提升)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from fractions import Fraction

from profiles.indicators.coverage import BASES
from profiles.indicators.coverage import LIVE
from profiles.indicators.coverage import LOG
from profiles.indicators.coverage import CoverageParameters
from profiles.indicators.coverage import surveyed
from profiles.indicators.registry import indicator
from profiles.indicators.tally import Tally
from profiles.indicators.tally import counts
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Reduced
from profiles.reduced import Register

EARLIER = "earlier-bundle"
_MOST = 2**53


@dataclass(slots=True)
class _Before:
    """What the earlier bundle says, and how new the logs of this one are."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)  #: by object and quantity
    trouble: tuple[str, str] | None = None  #: reason code and note
    sealed_ns: int = 0
    oldest: Observation | None = None  #: row of a log

    def aside(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        """Take what is about the earlier bundle; pass on the rest."""
        for seen in observations:
            if seen.method == EARLIER:
                self._take(seen)
                continue
            if seen.method == LOG and (self.oldest is None or seen.utc_ns < self.oldest.utc_ns):
                self.oldest = seen
            yield seen

    def _take(self, seen: Observation) -> None:
        self.sealed_ns = max(self.sealed_ns, seen.utc_ns)
        if seen.value is not None and 0 <= seen.value <= _MOST and seen.value.is_integer():  # NaN compares false
            self.counts.setdefault(seen.target, {})[seen.quantity] = int(seen.value)
        elif self.trouble is None:
            told = facts(seen.detail)
            self.trouble = str(told.get("reason", "baseline-incomplete")), str(told.get("note", seen.error or ""))

    def shares(self) -> Mapping[str, tuple[int, int]]:
        """Covered and all places by kind, of all objects together."""
        total = sum((Counter(counted) for counted in self.counts.values()), Counter[str]())
        return {basis: (total[f"covered-{basis}"], total[basis]) for basis in BASES if total[basis]}


@indicator(
    "access-coverage-change",
    unit="pp",
    methods=(LOG, *LIVE, EARLIER),
    parameters=CoverageParameters,
    objects=("coverage",),
    sampled=False,
)
def access_coverage_change(
    register: Register, observations: Iterable[Observation], parameters: CoverageParameters
) -> Reduced:
    """Access coverage now less that of the earlier bundle, both by this definition and within the same boundary.

    The earlier one is computed again from that bundle's own observations. Where areas, survey points, technologies or
    the way of sampling differ, a place was not sampled in either, or a log is older than that bundle, there is nothing
    to compare. Coverage that was and is 100 % cannot rise, and is taken as risen.
    """
    earlier = _Before()
    now = surveyed(register, earlier.aside(observations), parameters)
    if isinstance(now, Invalid):
        return now
    before = earlier.shares()
    if invalid := _incomparable(register, earlier, before, now):
        return invalid
    covered_now = min(Fraction(tally.covered, tally.covered + tally.uncovered or 1) for tally in now.values())
    covered_before = min(Fraction(*counted) for counted in before.values())
    full = covered_now == covered_before == 1
    return Measurement(
        float(100 * (covered_now - covered_before)),
        0.0,
        "pp",
        sum(tally.covered + tally.uncovered for tally in now.values()),
        sum(tally.unknown for tally in now.values()),
        failing=tuple(finding for tally in now.values() for finding in tally.failing),
        notes=("both-full",) if full else (),
        facts=(
            ("now", " · ".join(f"{name} {counts(tally)}" for name, tally in now.items())),
            ("before", " · ".join(f"{name} {covered}/{total}" for name, (covered, total) in before.items())),
        ),
        saturated=full,
    )


def _incomparable(
    register: Register, earlier: _Before, before: Mapping[str, tuple[int, int]], now: Mapping[str, Tally]
) -> Invalid | None:
    """Why there is nothing to compare."""
    if earlier.trouble:
        return Invalid(*earlier.trouble)
    if not earlier.counts:
        return Invalid("baseline-missing")
    short = [it.id for it in register.members if it.drawn and it.id not in earlier.counts]
    if short or before.keys() != now.keys() or any(covered > total for covered, total in before.values()):
        return Invalid("baseline-incomplete", ", ".join(short[:12]))
    if any(tally.unsampled for tally in now.values()):
        short = [f"{name} {counts(tally)}" for name, tally in now.items()]
        return Invalid("coverage-incomplete", " · ".join(short))
    if earlier.oldest is not None and earlier.oldest.utc_ns <= earlier.sealed_ns:
        return Invalid("survey-not-new", earlier.oldest.address)
    return None
