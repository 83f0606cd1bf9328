"""How a campaign stands: what was planned, what came of it, and the outcome in one sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Outcome
from profiles.verdict import Verdict
from profiles.verdict import outcome
from reports.result import Result
from reports.wording import BY_URGENCY
from reports.wording import Said
from reports.wording import say
from reports.wording import verdict

#: Verdicts of items that have nothing to show but a reason.
UNMEASURED = frozenset({Verdict.NOT_TESTED, Verdict.NOT_APPLICABLE})
_JUDGED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.INFO})


@dataclass(frozen=True, slots=True)
class Standing:
    """Items of the plan by verdict, and what they amount to. Breakdowns are no items of their own."""

    outcome: Outcome
    counts: Mapping[Verdict, int]

    @classmethod
    def of(cls, results: Iterable[Result]) -> Standing:
        """The standing of a campaign with these results."""
        verdicts = [result.verdict for result in results if not result.scope]
        return cls(outcome(verdicts), Counter(verdicts))

    @property
    def planned(self) -> int:
        """Items of the plan."""
        return sum(self.counts.values())

    @property
    def judged(self) -> int:
        """Items whose measurement led to a verdict or a reported value."""
        return sum(count for word, count in self.counts.items() if word in _JUDGED)

    @property
    def open(self) -> int:
        """Items that keep the campaign incomplete."""
        return sum(count for word, count in self.counts.items() if word in OPEN_VERDICTS)

    def headline(self) -> Said:
        """The outcome's word."""
        return say(f"outcome.{self.outcome}")

    def why(self) -> Said:
        """Why it is so: the numbers behind the outcome, as a sentence."""
        facts = {"planned": self.planned, "open": self.open, "kinds": self._kinds()}
        passed, failed = (self.counts.get(word, 0) for word in (Verdict.PASS, Verdict.FAIL))
        if not self.open and not passed and not failed:
            return say("outcome-why.nothing-judged")
        sentence = say(f"outcome-why.{self.outcome}", passed=passed, failed=failed, **facts)
        if self.outcome is Outcome.NONCONFORMANT and self.open:
            also = say("outcome-why.also-open", **facts)
            sentence = Said(sentence.zh + also.zh, f"{sentence.en} {also.en}")
        return sentence

    def _kinds(self) -> Said:
        kinds = [
            say("outcome-why.kind", verdict=verdict(word), count=self.counts[word])
            for word in BY_URGENCY
            if word in OPEN_VERDICTS and self.counts.get(word)
        ]
        return Said("、".join(kind.zh for kind in kinds), ", ".join(kind.en for kind in kinds))
