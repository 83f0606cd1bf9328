"""Network access reachability (网络接入可达率) of production equipment, operators, sensors and other terminals."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Assignment
from fixtures.scoping import Case
from fixtures.scoping import assignments
from probes.action import Action
from probes.action import Target
from profiles.indicators.reachability import ReachabilityParameters


@measures("access-reachability")
def test_access_reachability(case: Case, plant: Plant) -> list[Action]:
    """Probe each object from the vantage point of its zone in spread windows (RFC 2678 section 7).

    In every window each address gets echo requests, and each declared TCP service one full handshake, so that an
    object that filters ICMP is not taken for absent. The first window also looks for neighbours on the vantage's own
    link: that is diagnosis (present but silent), never access.
    """
    asked = ReachabilityParameters.model_validate(case.requirement.parameters)
    common = {"timeout_ms": asked.timeout_ms}
    echo = common | {"attempts": asked.attempts, "payload_bytes": asked.payload_bytes}
    once = common | {"attempts": 1}
    actions = []
    for vantage, objects in assignments(plant, case).items():
        near = [object for object in objects if object.on_link]
        for window in range(asked.windows):
            start_s = window * asked.spacing_s
            actions.append(Action(vantage, "icmp-echo", tuple(_addresses(objects)), echo, window, start_s))
            actions.append(Action(vantage, "tcp-connect", tuple(_services(objects)), once, window, start_s))
        actions.append(Action(vantage, "neighbour", tuple(_addresses(near)), once))
    return [action for action in actions if action.targets]


def _addresses(objects: list[Assignment]) -> Iterator[Target]:
    for object in objects:
        for address in object.addresses:
            yield Target(object.id, address, object.zone)


def _services(objects: list[Assignment]) -> Iterator[Target]:
    for object in objects:
        for address in object.addresses:
            for port in object.tcp_ports:
                yield Target(object.id, address, object.zone, port)
