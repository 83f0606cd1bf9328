"""Optical power of industrial PON, read at the OLT."""

from __future__ import annotations

from conformance.asking import ask
from conformance.asking import question
from conformance.dialects import dialects
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.facilities import OpticalUnit
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from profiles.indicators.optical import OpticalParameters


@measures("onu-rx-margin")
def test_onu_rx_margin(case: Case, plant: Plant) -> list[Action]:
    """Read the received power of each unit at its OLT by SNMP, all units of an OLT together."""
    parameters = OpticalParameters.model_validate(case.requirement.parameters).model_dump()
    known = dialects("snmp", (onu.dialect for onu in plant.onus))
    return ask(case, plant, "snmp-read", parameters | {"dialects": known}, _aim)


def _aim(assigned: Assignment) -> tuple[Target, ...]:
    onu = assigned.source
    return question(assigned, dialect=onu.dialect, index=onu.index) if isinstance(onu, OpticalUnit) else ()
