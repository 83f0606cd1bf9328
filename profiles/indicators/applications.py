"""Liveness of applications (应用存活率): do terminals answer in the protocols that they are declared to speak?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping

from pydantic import Field

from profiles.indicators.layers import APPLICATION
from profiles.indicators.layers import REFUSALS
from profiles.indicators.layers import TRANSPORT
from profiles.indicators.layers import told
from profiles.indicators.registry import indicator
from profiles.indicators.trials import Trial
from profiles.indicators.trials import all_of
from profiles.indicators.trials import any_of
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register
from profiles.requirement import Strict

#: By target and port: the trial at each address. An object has at most one application to a port number.
_Trials = Mapping[tuple[str, str], Mapping[str, Trial]]


class LivenessParameters(Strict):
    """How applications are asked; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=3, ge=1, le=10)  #: dialogues with each application at each address
    timeout_ms: float = Field(default=2000, gt=0, le=60_000)  #: of one, connection and answer together


def _speaks(member: Member, _parameters: LivenessParameters) -> bool:
    return bool(member.fact("applications"))


@indicator(
    "application-liveness",
    unit="%",
    methods=("application-exchange",),
    parameters=LivenessParameters,
    objects=("terminal",),
    counts=_speaks,
)
def application_liveness(
    register: Register, observations: Iterable[Observation], parameters: LivenessParameters
) -> Ratio:
    """Terminals whose every declared application answered in its own protocol, over all that declare one.

    An application lives if it answered at one address of the terminal in at least one attempt; a refusal in its own
    protocol is an answer. Silence, a closed port and a torn connection in every attempt at every address fail it; which
    of them it was is told by the layers. What came and could not be understood, or was not asked, is unknown.
    """
    trials: dict[tuple[str, str], dict[str, Trial]] = defaultdict(lambda: defaultdict(Trial))
    for seen in observations:
        if seen.method != "application-exchange" or seen.quantity != "application-delay" or seen.window:
            continue
        if seen.attempt < parameters.attempts:
            port = str(facts(seen.detail).get("port"))
            trials[seen.target, port][seen.address].add(seen, parameters.timeout_ms)
    speaking = [member for member in register.members if _speaks(member, parameters)]
    drawn = [member for member in speaking if member.drawn]
    outcomes = [(member, *_lives(member, trials, parameters.attempts)) for member in drawn]
    known = [lives for _, lives, _ in outcomes if lives is not None]
    failing = tuple(Finding(member.id, _reason(member, lives), note) for member, lives, note in outcomes if not lives)
    population = None if len(drawn) == len(speaking) else len(speaking)
    return Ratio(sum(known), len(known), len(drawn) - len(known), population, "terminal", failing)


def _reason(member: Member, lives: bool | None) -> str:
    if not member.measurable:
        return "no-address"
    return "check-not-made" if lives is None else "application-silent"


def _lives(member: Member, trials: _Trials, owed: int) -> tuple[bool | None, str]:
    """Whether every application of a terminal lives, and what came of those that do not."""
    outcomes: dict[str, tuple[bool | None, str]] = {}
    asked: dict[str, Mapping[str, Trial]] = {}
    for application in member.fact("applications").split():
        port = application.partition("/")[2].partition(":")[0]
        port = str(int(port, 16)) if port.startswith("0x") else port  # observations have EtherTypes in decimal
        asked[application] = trials.get((member.id, port), {})
        outcomes[application] = _answers(member, asked[application], owed)
    notes = [f"{application}: {why}" for application, (lives, why) in outcomes.items() if not lives]
    dead = [trial for name, (lives, _) in outcomes.items() if lives is False for trial in asked[name].values()]
    return all_of(lives for lives, _ in outcomes.values()), " · ".join(filter(None, ("; ".join(notes), _layers(dead))))


def _layers(dead: Iterable[Trial]) -> str:
    """Where the way to applications ends that do not live."""
    answered = silent = refusing = 0
    for seen in (it for trial in dead for it in trial.silent.values()):
        known = facts(seen.detail)
        accepted = bool(known.get("accepted")) or seen.error is None  # the latter: too late
        layer = APPLICATION if accepted or known.get("transport") in ("udp", "ethernet") else TRANSPORT
        answered |= TRANSPORT if accepted and known.get("transport") == "tcp" else 0
        silent |= layer
        refusing |= layer if seen.error in REFUSALS else 0
    return told(answered, silent, refusing)


def _answers(member: Member, trials: Mapping[str, Trial], owed: int) -> tuple[bool | None, str]:
    """Whether one application answered at one address, and if not, why."""
    if not member.measurable:
        return False, "no-address"
    found = list(trials.values())
    found += [Trial()] * (member.addresses - len(found))  # an address at which nothing was asked is not known
    lives = any_of(trial.outcome(owed) for trial in found)
    return lives, "" if lives else ", ".join(dict.fromkeys(trial.why() for trial in found))
