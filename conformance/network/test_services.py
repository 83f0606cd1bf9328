"""Liveness of the applications behind declared services (应用存活率); asked once it is known who can be reached."""

from __future__ import annotations

from conformance.asking import ask
from conformance.asking import at_each_application
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action


@measures("application-liveness")
def test_application_liveness(case: Case, plant: Plant) -> list[Action]:
    """Ask every application that a terminal declares with its protocol who it is, at each address, and nothing else.

    A service without a protocol is left alone: what a port may be asked is for the plant to say.
    """
    return ask(case, plant, "application-exchange", case.requirement.parameters, at_each_application)
