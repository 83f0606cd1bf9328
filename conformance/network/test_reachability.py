"""Network access reachability (网络接入可达率) of production equipment, operators, sensors and other terminals."""

from __future__ import annotations

from dataclasses import replace

from conformance.asking import ask
from conformance.asking import at_each_address
from conformance.asking import at_each_application
from conformance.asking import at_each_service
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from profiles.indicators.reachability import ReachabilityParameters


@measures("access-reachability")
def test_access_reachability(case: Case, plant: Plant) -> list[Action]:
    """Probe each object from the vantage point of its zone in spread windows (RFC 2678 section 7).

    In every window each address gets echo requests, and each declared TCP service one full handshake, so that an
    object that filters ICMP is not taken for absent. The first window also looks for neighbours on the vantage's own
    link, and asks applications that are declared with their protocol: that is diagnosis (where the way ends), never
    access.
    """
    asked = ReachabilityParameters.model_validate(case.requirement.parameters)
    once = {"timeout_ms": asked.timeout_ms, "attempts": 1}
    echo = once | {"attempts": asked.attempts, "payload_bytes": asked.payload_bytes}
    one_window = ask(case, plant, "icmp-echo", echo, at_each_address)
    one_window += ask(case, plant, "tcp-connect", once, at_each_service)
    windows = range(asked.windows)
    spread = [replace(action, window=it, not_before_s=it * asked.spacing_s) for it in windows for action in one_window]
    diagnosis = ask(case, plant, "neighbour", once, lambda it: at_each_address(it) if it.on_link else ())
    return spread + diagnosis + ask(case, plant, "application-exchange", once, at_each_application)
