"""Liveness of applications (应用存活率)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from conformance.asking import ask
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target


@measures("application-liveness")
def test_application_liveness(case: Case, plant: Plant) -> list[Action]:
    """Ask every application that a terminal declares with its protocol who it is, at each address, and nothing else.

    A service without a protocol is left alone: what a port may be asked is for the plant to say.
    """
    return ask(case, plant, "application-exchange", case.requirement.parameters, _at_each_application)


def _at_each_application(assigned: Assignment) -> Iterable[Target]:
    return (
        Target(assigned.id, address, assigned.zone, port, json.dumps({"application": protocol}, separators=(",", ":")))
        for protocol, _, port in assigned.applications
        for address in assigned.addresses
    )
