"""Resolution of industrial-internet identifiers (标识解析), as far as they are DNS names."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.plant.facilities import Identifier
from fixtures.plant.model import Plant
from fixtures.scoping import Assignment
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from probes.dns import PORT as DNS_PORT
from profiles.indicators.identifiers import ResolutionParameters


@measures("identifier-resolution")
def test_identifier_resolution(case: Case, plant: Plant) -> list[Action]:
    """Ask each identifier's resolver for it, from where the resolver is measured."""
    asked = ResolutionParameters.model_validate(case.requirement.parameters)
    return ask(case, plant, "dns-query", {"attempts": asked.attempts, "timeout_ms": asked.timeout_ms}, _identifier)


def _identifier(assigned: Assignment) -> Iterable[Target]:
    source = assigned.source
    return question(assigned, DNS_PORT, name=source.name, type=source.type) if isinstance(source, Identifier) else ()
