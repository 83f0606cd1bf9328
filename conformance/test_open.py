"""Requirements that no suite can measure, and those that do not apply: listed as items, never silently absent."""

from __future__ import annotations

import pytest

from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action


@pytest.mark.open_requirements
def test_open_requirement(case: Case, plant: Plant) -> list[Action]:  # noqa: ARG001 - the shape of every suite function
    """Nothing is sent: the item is reported as not-tested or not-applicable, with the reason."""
    return []
