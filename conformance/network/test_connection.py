"""应联尽联 and “哑设备”: whom probes, switches and routers see, held against the register; and who is not in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import replace

from conformance.asking import ask
from conformance.asking import at_each_address
from conformance.asking import at_each_service
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.objects.onlookers import onlookers
from fixtures.plant.model import Device
from fixtures.plant.model import Endpoint
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from probes.dialects import tables
from profiles.indicators.connection import ConnectionParameters
from profiles.indicators.strangers import StrangerParameters
from profiles.reduced import Member
from profiles.reduced import Register


@measures("connected-share")
def test_connected_share(case: Case, plant: Plant) -> list[Action]:
    """Look for each object by echo, handshake and on the link, and in the tables of switches and routers."""
    return _look_for(case, plant)


@measures("dumb-device-share")
def test_dumb_device_share(case: Case, plant: Plant) -> list[Action]:
    """Look for each object as for the share of connected ones; what is measured once serves both."""
    return _look_for(case, plant)


@measures("unregistered-devices")
def test_unregistered_devices(case: Case, plant: Plant) -> list[Action]:
    """Read the forwarding and neighbour tables of switches and routers by SNMP; nothing is sent to anybody else."""
    asked = StrangerParameters.model_validate(case.requirement.parameters)
    return _walks(case, plant, asked)


def _look_for(case: Case, plant: Plant) -> list[Action]:
    """One window of probes at each object and at its gateway, and the tables."""
    asked = ConnectionParameters.model_validate(case.requirement.parameters)
    sought = replace(case, register=Register((*case.register.members, *_gateways(case, plant))))
    once = {"timeout_ms": asked.timeout_ms, "attempts": 1}
    echo = once | {"attempts": asked.attempts, "payload_bytes": asked.payload_bytes}
    actions = ask(sought, plant, "icmp-echo", echo, lambda it: at_each_address(it) if _own(it) else ())
    actions += ask(sought, plant, "tcp-connect", once, lambda it: at_each_service(it) if _own(it) else ())
    on_link = ask(sought, plant, "neighbour", once, lambda it: at_each_address(it) if _own(it) and it.on_link else ())
    return actions + on_link + _walks(sought, plant, asked)


def _own(assigned: Assignment) -> bool:
    """Whether the addresses are the object's own, and not those of who is asked about it."""
    return assigned.role in ("", "device")


def _gateways(case: Case, plant: Plant) -> Iterator[Member]:
    """The gateways of the case's objects that are not themselves looked for among them."""
    known = {it.id for it in case.register.members if it.drawn}
    wanted = {it.fact("gateway") for it in case.register.members if it.drawn} - {""} - known
    holders: tuple[Endpoint | Device, ...] = (*plant.endpoints, *plant.devices) if wanted else ()
    yield from (Member(it.id, addresses=len(it.addresses)) for it in holders if it.id in wanted)


def _walks(case: Case, plant: Plant, asked: ConnectionParameters | StrangerParameters) -> list[Action]:
    """One action for each vantage point that speaks to onlookers: whom to look for in whose tables."""
    drawn = {it.id for it in case.register.members if it.drawn}
    sought: dict[str, list[tuple[str, str]]] = {}
    for id, zone, named in _named(plant):
        if id in drawn and named:
            sought.setdefault(zone, []).append((id, named))
    targets: dict[str, list[Target]] = {}
    for it in onlookers(plant):
        of_vantage = targets.setdefault(it.vantage, [])
        of_vantage.append(Target(it.id, it.address, it.zone, ask='{"agent":true}'))
        of_vantage += [
            Target(id, it.address, it.zone, ask=named)
            for zone in it.sees
            for id, named in sought.get(zone, ())
            if id != it.id
        ]
    parameters = {
        "tables": tables(),
        "known": sorted(_known(plant)),
        "rows": asked.table_rows,
        "requests": asked.table_requests,
    }
    return [Action(vantage, "snmp-walk", tuple(them), parameters) for vantage, them in targets.items()]


def _named(plant: Plant) -> Iterator[tuple[str, str, str]]:
    """Every object that a table may show: its id, its zone, and by which addresses it is known, as JSON."""
    holders: tuple[Endpoint | Device, ...] = (*plant.endpoints, *plant.devices)
    for it in holders:
        macs = ([it.mac] if it.mac else []) if isinstance(it, Endpoint) else list(it.macs)
        named = {"macs": macs, "addresses": list(map(str, it.addresses))}
        found = {kind: these for kind, these in named.items() if these}
        yield it.id, it.zone, json.dumps(found, separators=(",", ":")) if found else ""


def _known(plant: Plant) -> Iterable[str]:
    """Every hardware address and IP address that the plant file declares."""
    known: set[str] = set()
    for device in plant.devices:
        known.update(device.macs, map(str, device.addresses))
    for endpoint in plant.endpoints:
        known.update([endpoint.mac] if endpoint.mac else [], map(str, endpoint.addresses))
    for area in plant.areas:
        known.update(str(address) for point in area.points for address in point.addresses)
    known.update(mac for vantage in plant.vantages for mac in vantage.macs)
    known.update(address for flow in plant.flows for address in (str(flow.address), str(flow.talker_address)))
    return known
