"""5G signal and registration, as each modem reports them on its command port."""

from __future__ import annotations

from conformance.asking import ask
from conformance.asking import question
from conformance.dialects import dialects
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.facilities import Modem
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from profiles.indicators.radio import RadioParameters


@measures("nr-registration")
def test_nr_registration(case: Case, plant: Plant) -> list[Action]:
    """Ask each modem, at the vantage point that has its command port, whether it is registered in standalone mode."""
    return _readings(case, plant)


@measures("nr-rsrp")
def test_nr_rsrp(case: Case, plant: Plant) -> list[Action]:
    """Ask each modem, at the vantage point that has its command port, for SS-RSRP; the same readings serve both."""
    return _readings(case, plant)


def _readings(case: Case, plant: Plant) -> list[Action]:
    parameters = RadioParameters.model_validate(case.requirement.parameters).model_dump()
    known = dialects("at", (modem.dialect for modem in plant.modems))
    return ask(case, plant, "modem-status", parameters | {"dialects": known}, _aim)


def _aim(assigned: Assignment) -> tuple[Target, ...]:
    modem = assigned.source
    return question(assigned, dialect=modem.dialect) if isinstance(modem, Modem) else ()
