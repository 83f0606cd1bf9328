"""User domains (用户域): the zone matrix, over TCP and both IP versions."""

from __future__ import annotations

from conformance.asking import ask
from conformance.asking import at_each_service
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from profiles.indicators.segmentation import SegmentationParameters


@measures("user-domain-violations")
def test_user_domains(case: Case, plant: Plant) -> list[Action]:
    """Try each service of each other zone from inside every zone, and again from its own side as the control.

    One orderly TCP connection at a time and no sweep: only declared services, each at every holder up to a bound that
    no ordinary plant reaches; permitted passages are included, so that a broken conduit is found as well.
    """
    asked = SegmentationParameters.model_validate(case.requirement.parameters)
    tried = {"attempts": asked.attempts, "timeout_ms": asked.timeout_ms}
    return ask(case, plant, "tcp-connect", tried, at_each_service)
