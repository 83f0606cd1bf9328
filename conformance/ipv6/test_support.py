"""IPv6 network support (IPv6 网络支持度): addresses, default routes, echo, names, and parity with IPv4."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.asking import ask
from conformance.asking import at_each_address
from conformance.asking import at_each_service
from conformance.asking import question
from conformance.suite import measures
from fixtures.plant.model import Device
from fixtures.plant.model import Plant
from fixtures.scoping import Assignment
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from probes.dns import PORT as DNS_PORT
from profiles.indicators.ipv6 import Ipv6SupportParameters


@measures("ipv6-network-support")
def test_ipv6_network_support(case: Case, plant: Plant) -> list[Action]:
    """Try each device over both IP versions, ask the resolver for its name, and the link of each zone for a router."""
    asked = Ipv6SupportParameters.model_validate(case.requirement.parameters)
    common = {"attempts": asked.attempts, "timeout_ms": asked.timeout_ms}
    echo = common | {"payload_bytes": asked.payload_bytes}
    resolve = {"attempts": asked.attempts, "timeout_ms": asked.resolution_timeout_ms}
    solicit = {"attempts": 1, "timeout_ms": asked.router_timeout_ms}
    return [
        *ask(case, plant, "icmp-echo", echo, _at_each_ipv6_address, role="device"),
        *ask(case, plant, "tcp-connect", common, _to_be_compared, role="device"),
        *ask(case, plant, "dns-query", resolve, _name, role="resolver"),
        *ask(case, plant, "router-solicitation", solicit, at_each_address, role="segment"),
    ]


def _at_each_ipv6_address(assigned: Assignment) -> Iterable[Target]:
    return (target for target in at_each_address(assigned) if ":" in target.address)


def _to_be_compared(assigned: Assignment) -> Iterable[Target]:
    """Services of what has an IPv4 address to compare with; what has IPv6 alone has nothing to be on a par with."""
    has_ipv4 = any(":" not in address for address in assigned.addresses)
    return at_each_service(assigned) if has_ipv4 else ()


def _name(assigned: Assignment) -> Iterable[Target]:
    device = assigned.source
    return question(assigned, DNS_PORT, name=device.host_name, type="AAAA") if isinstance(device, Device) else ()
