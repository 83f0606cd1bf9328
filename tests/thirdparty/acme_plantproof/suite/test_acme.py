"""Acme's meters, asked by connecting to them."""

from __future__ import annotations

from acme_plantproof.indicators import AcmeParameters
from conformance.asking import ask
from conformance.asking import at_each_service
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.dialects import load


@measures("acme-level-share")
def test_acme_level(case: Case, plant: Plant) -> list[Action]:
    """Connect to each meter's service and read its level as the dialect of its maker says."""
    asked = AcmeParameters.model_validate(case.requirement.parameters)
    parameters = {"attempts": asked.attempts, "timeout_ms": 2000, "dialect": load("at", "acme-meter")}
    return ask(case, plant, "acme-greeting", parameters, at_each_service)
