"""From a case's assignments to actions: what every suite function does, written once."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

from fixtures.objects import Assignment
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from fixtures.scoping import assignments
from probes.action import Action
from probes.action import Target

#: The targets of one assignment; none, if this method has nothing to ask there.
Aim = Callable[[Assignment], Iterable[Target]]


def ask(
    case: Case, plant: Plant, method: str, parameters: Mapping[str, Any], aim: Aim, *, role: str | None = None
) -> list[Action]:
    """One action of ``method`` for each vantage point that has an assignment in ``case`` (with ``role``, if given).

    What several objects share, such as the control of a service, is a target once.
    """
    found = []
    for vantage, assigned in assignments(plant, case).items():
        wanted = (it for it in assigned if role is None or it.role == role)
        targets = tuple(dict.fromkeys(target for it in wanted for target in aim(it)))
        if targets:
            found.append(Action(vantage, method, targets, dict(parameters)))
    return found


def at_each_address(assigned: Assignment) -> Iterable[Target]:
    """Every address of the object."""
    return (Target(assigned.id, address, assigned.zone) for address in assigned.addresses)


def at_each_service(assigned: Assignment) -> Iterable[Target]:
    """Every declared TCP service at every address of the object."""
    return (
        Target(assigned.id, address, assigned.zone, port)
        for address in assigned.addresses
        for port in assigned.tcp_ports
    )


def at_each_application(assigned: Assignment) -> Iterable[Target]:
    """Every declared service that names its protocol, at every address of the object."""
    return (
        Target(assigned.id, address, assigned.zone, port, json.dumps({"application": protocol}, separators=(",", ":")))
        for protocol, _, port in assigned.applications
        for address in assigned.addresses
    )


def question(assigned: Assignment, port: int | None = None, **asked: Any) -> tuple[Target, ...]:  # noqa: ANN401 - JSON
    """One question to the object's first address or instrument."""
    text = json.dumps(asked, separators=(",", ":"), ensure_ascii=False) if asked else ""
    return (Target(assigned.id, assigned.addresses[0], assigned.zone, port, text),)
