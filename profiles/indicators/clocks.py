"""Whether clocks are in time (IEEE 1588, IEEE 802.1AS), as far as an end station can tell of itself.

The offset is what the node's servo says; the true time error needs a better reference at the far end.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import facts
from profiles.indicators.trials import where
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import Observation
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

METHOD = "ptp-management"
#: What is checked at every clock, each a text ``check.*``; ``as-capable`` besides where gPTP is spoken.
ANSWERS, STATE, GRANDMASTER, OFFSET, CAPABLE = (
    "clock-answers",
    "port-state",
    "grandmaster",
    "clock-offset",
    "as-capable",
)
#: States of a port that takes its time from another clock (IEEE 1588-2008 table 10).
FOLLOWING = ("SLAVE", "UNCALIBRATED")


class TimeSyncParameters(Strict):
    """How clocks are asked, and what must hold at every poll."""

    polls: int = Field(default=5, ge=1, le=1000)  #: how often each clock is asked
    spacing_s: float = Field(default=1.0, ge=0.2, le=3600)  #: pause between two polls
    port_states: tuple[str, ...] = Field(default=("SLAVE",), min_length=1)  #: states of a port that is in time
    #: 1 us to the grandmaster is quoted of IEC/IEEE 60802; not read
    max_offset_ns: float = Field(default=1000, gt=0, le=1e9)


@indicator("time-sync", unit="%", methods=(METHOD,), parameters=TimeSyncParameters, objects=("clock",))
def time_sync(register: Register, observations: Iterable[Observation], parameters: TimeSyncParameters) -> Reduced:
    """Checks of each clock, all at every poll: it answers, a port is synchronised, the declared grandmaster leads.

    Besides, the offset that it states of itself is within its limit, and where gPTP is spoken its link is capable of
    it. A clock that does not answer is not in time; one that the tester could not ask is unknown, also where nobody
    listens on the socket that the plant file names: a typing error and a daemon that was stopped look the same.
    """
    members = [member for member in register.members if member.drawn]
    polls: dict[str, dict[int, Observation]] = {member.id: {} for member in members}
    for seen in observations:
        if seen.method == METHOD and seen.target in polls and not seen.window and seen.attempt < parameters.polls:
            polls[seen.target][seen.attempt] = seen
    checks = [check for member in members for check in _checks(member, polls[member.id], parameters)]
    return Checklist(tuple(checks), notes=("offset-is-self-reported",))


def _checks(member: Member, polls: dict[int, Observation], parameters: TimeSyncParameters) -> Iterator[Check]:
    rows = [polls[number] for number in sorted(polls)]
    fault = next((row for row in rows if row.error in INSTRUMENT_ERRORS), None)
    if fault is not None or len(rows) < parameters.polls:
        yield Check(member.id, ANSWERS, None, _fault(fault) if fault is not None else "not-measured")
        return
    silent = sum(row.error is not None for row in rows)
    yield Check(member.id, ANSWERS, not silent, f"{len(rows) - silent}/{len(rows)}")
    told = [(row, facts(row.detail)) for row in rows if row.error is None]
    if not told:
        return

    def every(item: str, holds: Callable[[Observation, dict[str, Any]], bool], note: Callable[..., str]) -> Check:
        """One check at every poll that was answered; the note is of the first at which it does not hold."""
        broken = next(((row, said) for row, said in told if not holds(row, said)), None)
        return Check(member.id, item, broken is None, note(*(broken or told[-1])))

    yield every(STATE, lambda _, said: _in_time(said, parameters.port_states), lambda _, said: _states(said))
    yield every(GRANDMASTER, lambda _, said: _led(said, member.fact("grandmaster")), lambda _, said: _leader(said))
    if all(_in_time(said, parameters.port_states) for _, said in told):  # else it is the offset from nothing
        limit_ns = parameters.max_offset_ns
        worst = max(told, key=lambda poll: abs(poll[0].value or 0.0))
        within = all(row.value is not None and abs(row.value) <= limit_ns for row, _ in told)
        yield Check(member.id, OFFSET, within, f"{worst[0].value:g} ns")
    if any("as_capable" in said for _, said in told):
        yield every(CAPABLE, lambda _, said: said.get("as_capable") is True, lambda _, said: _link(said))


def _fault(row: Observation) -> str:
    """What stood in the way of a poll: the code, and which socket the kernel refused and why."""
    code = facts(row.detail).get("reason") if where(row) else row.error
    return " ".join(filter(None, (f"{code or row.error}", where(row))))


def _in_time(said: dict[str, Any], wanted: tuple[str, ...]) -> bool:
    """Whether a port is in a wanted state; the others of a bridge are masters, or passive."""
    ports = said.get("ports")
    return isinstance(ports, dict) and any(state in wanted for state in ports.values())


def _states(said: dict[str, Any]) -> str:
    ports = said.get("ports")
    return " ".join(f"{port}:{state}" for port, state in ports.items()) if isinstance(ports, dict) else ""


def _led(said: dict[str, Any], declared: str) -> bool:
    """Whether another clock leads, and the declared one if one is.

    A clock that may not lead itself goes on naming the grandmaster that it has lost; only a port that follows has one.
    """
    leader = said.get("gm_identity")
    return (
        _in_time(said, FOLLOWING)
        and said.get("gm_present") is True
        and leader != said.get("clock")
        and declared in ("", leader)
    )


def _leader(said: dict[str, Any]) -> str:
    absent = not said.get("gm_present") or not _in_time(said, FOLLOWING)
    return f"{said.get('gm_identity')}{' (absent)' if absent else ''}"


def _link(said: dict[str, Any]) -> str:
    delay_ns = said.get("peer_delay_ns")
    return f"{delay_ns:g} ns" if isinstance(delay_ns, int | float) else ""
