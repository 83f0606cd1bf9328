"""Identifier resolution (标识解析): do identifiers resolve, through the plant's resolver, to what is declared?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from ipaddress import ip_address

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import Trial
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register
from profiles.requirement import Strict

_NOTED = 300  #: characters of what came instead, in a note


class ResolutionParameters(Strict):
    """How names are resolved; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=2, ge=1, le=10)  #: times that each name is asked for
    timeout_ms: float = Field(default=2000, gt=0, le=60_000)  #: how long an answer is awaited


@indicator(
    "identifier-resolution",
    unit="%",
    methods=("dns-query",),
    parameters=ResolutionParameters,
    objects=("identifier",),
)
def identifier_resolution(
    register: Register, observations: Iterable[Observation], parameters: ResolutionParameters
) -> Ratio:
    """Identifiers that resolved to exactly the declared records, over all declared identifiers.

    Records are compared as a set; addresses by value, names without regard to case. One wrong answer, an empty one
    included, fails an identifier, whatever the other attempts brought; so does silence in every attempt.
    """
    trials: dict[str, Trial] = defaultdict(Trial)
    for seen in observations:
        if seen.method == "dns-query" and seen.quantity == "resolution-delay" and seen.attempt < parameters.attempts:
            trials[seen.target].add(seen, parameters.timeout_ms)
    drawn = [member for member in register.members if member.drawn]
    outcomes = [(member, _resolved(member, trials.get(member.id) or Trial(), parameters.attempts)) for member in drawn]
    known = [outcome for _, (outcome, _) in outcomes if outcome is not None]
    reasons = {False: "wrongly-resolved", None: "check-not-made"}
    failing = (Finding(it.id, reasons[outcome], note) for it, (outcome, note) in outcomes if not outcome)
    population = None if register.census else len(register.members)
    return Ratio(sum(known), len(known), len(drawn) - len(known), population, "identifier", tuple(failing))


def _resolved(member: Member, trial: Trial, owed: int) -> tuple[bool | None, str]:
    type = member.fact("type")
    return resolution(trial, type, records(type, member.fact("answers").split("\n")), owed)


def resolution(trial: Trial, type: str, wanted: frozenset[str], owed: int) -> tuple[bool | None, str]:
    """Whether a name resolved to exactly ``wanted`` whenever there was an answer; and if not, what came."""
    for seen in trial.answers:
        told = facts(seen.detail)
        answers = told.get("answers")
        if not isinstance(answers, list):
            return None, "bad-answer"
        if records(type, answers) != wanted:
            said = ", ".join(map(str, answers)) or str(told.get("rcode", ""))
            return False, said[:_NOTED]
    outcome = trial.outcome(owed)
    return outcome, "" if outcome else trial.why()


def records(type: str, texts: Iterable[object]) -> frozenset[str]:
    """Records of a type as they compare: addresses in their one spelling, names in lower case without the last dot."""
    return frozenset(_record(type, str(text)) for text in texts)


def _record(type: str, text: str) -> str:
    if type == "CNAME":
        return text.rstrip(".").lower()
    if type in ("A", "AAAA"):
        try:
            return str(ip_address(text))
        except ValueError:
            return text
    return text
