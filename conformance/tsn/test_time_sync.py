"""Time synchronisation by PTP and gPTP, as the clocks see it themselves."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.facilities import Clock
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from profiles.indicators.clocks import TimeSyncParameters


@measures("time-sync")
def test_time_sync(case: Case, plant: Plant) -> list[Action]:
    """Ask each clock's own daemon, several times, for its port's state, its grandmaster and its offset."""
    asked = TimeSyncParameters.model_validate(case.requirement.parameters)
    parameters = {"attempts": asked.polls, "spacing_s": asked.spacing_s, "timeout_ms": 2000}
    return ask(case, plant, "ptp-management", parameters, _clock)


def _clock(assigned: Assignment) -> Iterable[Target]:
    clock = assigned.source
    if not isinstance(clock, Clock):
        return ()
    return question(assigned, domain=clock.domain, transport_specific=clock.transport_specific)
