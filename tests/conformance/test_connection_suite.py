"""The suites of connected and unregistered devices as pure functions: a case in, actions out, nothing sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.network.test_connection import test_connected_share as connected_share
from conformance.network.test_connection import test_dumb_device_share as dumb_device_share
from conformance.network.test_connection import test_unregistered_devices as unregistered_devices
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.action import Action
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from profiles.requirement import Profile

SOURCE = {"standard": "none", "clause": "none", "provenance": "project", "verified": False}
TEXT = {"zh": "项", "en": "item"}
AGENT = {"services": ["udp/161"], "credentials": "env:X"}
PLANT: dict[str, Any] = {
    "plant": "small",
    "zones": [{"id": "cell"}, {"id": "office"}],
    "endpoints": [
        {"id": "cnc", "class": "E", "zone": "cell", "addresses": ["192.0.2.1", "2001:db8::1"], "services": ["tcp/502"]},
        {"id": "box", "class": "X", "zone": "cell", "addresses": ["192.0.2.3"], "mac": "00:00:5e:00:53:03"},
        {"id": "bus", "class": "X", "zone": "cell", "gateway": "box"},
        {"id": "valve", "class": "S", "zone": "cell", "gateway": "bus"},
        {"id": "pump", "class": "S", "zone": "cell", "gateway": "gw"},
        {"id": "lathe", "class": "E", "zone": "cell", "connectable": False},
        {"id": "pc", "class": "X", "zone": "office", "addresses": ["198.51.100.9"]},
    ],
    "devices": [
        {"id": "gw", "kind": "gateway", "zone": "cell", "addresses": ["192.0.2.4"], "services": ["tcp/80"]},
        {"id": "sw", "kind": "switch", "zone": "cell", "addresses": ["192.0.2.2"]} | AGENT,
        {"id": "fw", "kind": "firewall", "zone": "office", "addresses": ["198.51.100.1"], "sees": ["cell", "office"]}
        | AGENT,
    ],
    "vantages": [{"id": "seat", "where": "local", "zone": "cell"}, {"id": "desk", "where": "local", "zone": "office"}],
}


def case(indicator: str, plant: Plant, scope: dict[str, Any] | None = None, **more: Any) -> Case:
    requirement = {
        "id": "T-1", "title": TEXT, "pillar": "network", "source": SOURCE, "remedy": TEXT, "indicator": indicator,
        "rule": "R0", "scope": scope or {},
    }  # fmt: skip
    values = {"profile": "small", "version": "1", "title": TEXT, "description": TEXT}
    (found,) = plan(plant, [Profile.model_validate(values | {"requirements": [requirement | more]})])
    return found


def plant(**changes: Any) -> Plant:
    return Plant.model_validate(PLANT | changes)


def asked(actions: list[Action], name: str) -> list[tuple[str, str, str, int | None]]:
    """Vantage point, object, address and port of every target of a method."""
    return [(it.vantage, one.id, one.address, one.port) for it in actions if it.method == name for one in it.targets]


ECHOES = {
    "cnc": [("seat", "cnc", "192.0.2.1", None), ("seat", "cnc", "2001:db8::1", None)],
    "box": [("seat", "box", "192.0.2.3", None)],
    "gw": [("seat", "gw", "192.0.2.4", None)],
    "pc": [("desk", "pc", "198.51.100.9", None)],
}


@pytest.mark.parametrize(
    ("scope", "looked_for"),
    [
        ({}, ["cnc", "box", "gw", "pc"]),
        ({"classes": ["E"]}, ["cnc"]),
        ({"classes": ["S"]}, ["gw", "box"]),  # for the sake of what works behind them, also behind each other
        ({"zones": ["office"]}, ["pc"]),
        ({"classes": ["P"]}, []),
    ],
)
@pytest.mark.parametrize("suite", [("connected-share", connected_share), ("dumb-device-share", dumb_device_share)])
def test_objects_and_their_gateways_are_looked_for(
    suite: tuple[str, Callable[[Case, Plant], list[Action]]], scope: dict[str, Any], looked_for: list[str]
) -> None:
    actions = suite[1](case(suite[0], plant(), scope), plant())
    assert sorted(asked(actions, "icmp-echo")) == sorted(it for id in looked_for for it in ECHOES[id])
    connects = {"cnc": 502, "gw": 80}
    assert {(id, port) for _, id, _, port in asked(actions, "tcp-connect")} == {
        (id, port) for id, port in connects.items() if id in looked_for
    }
    assert {id for _, id, *_ in asked(actions, "neighbour")} == set(looked_for)
    assert {action.window for action in actions} <= {0}


def test_a_gateway_that_was_not_drawn_is_looked_for_all_the_same() -> None:
    """A sample of those behind it says nothing, if nobody asks whether the gateway is there."""
    for seed in range(20):
        drawn = case("dumb-device-share", plant(), sample_size=1, sample_seed=seed, sample_rule="R2")
        members = {it.id for it in drawn.register.members if it.drawn}
        if members & {"valve", "bus"}:
            assert asked(dumb_device_share(drawn, plant()), "icmp-echo") == ECHOES["box"]
            return
    raise AssertionError("no seed draws what works behind the box")


@pytest.mark.parametrize(
    ("id", "gateway", "shared"), [("valve", "box", ("box",)), ("bus", "box", ("box",)), ("pump", "gw", ("gw",))]
)
def test_what_works_behind_a_bus_works_behind_its_gateway(id: str, gateway: str, shared: tuple[str, ...]) -> None:
    (member,) = [it for it in case("connected-share", plant()).register.members if it.id == id]
    assert (member.fact("gateway"), member.shared) == (gateway, shared)
    assert member.fact("gateway_addresses") == "1"


def test_whom_to_look_for_in_whose_tables() -> None:
    walks = [it for it in connected_share(case("connected-share", plant()), plant()) if it.method == "snmp-walk"]
    assert [it.vantage for it in walks] == ["seat", "desk"]
    found = {(it.vantage, one.address): [] for it in walks for one in it.targets}
    for it in walks:
        for one in it.targets:
            found[it.vantage, one.address].append(one.id)
    assert found == {
        ("seat", "192.0.2.2"): ["sw", "cnc", "box", "gw"],
        ("desk", "198.51.100.1"): ["fw", "cnc", "box", "gw", "pc"],
    }
    told = {one.id: json.loads(one.ask) for one in walks[0].targets}
    assert told["sw"] == {"agent": True}
    assert told["box"] == {"macs": ["00:00:5e:00:53:03"], "addresses": ["192.0.2.3"]}
    known = {"00:00:5e:00:53:03", "192.0.2.1", "198.51.100.1", "2001:db8::1"}
    assert known <= set(walks[0].parameters["known"])


@pytest.mark.parametrize(
    ("changes", "walked"),
    [
        ({}, [("seat", "sw"), ("desk", "fw")]),
        ({"devices": PLANT["devices"][:2]}, [("seat", "sw")]),
        ({"devices": PLANT["devices"][:1]}, []),
        ({"vantages": [{"id": "desk", "where": "local", "zone": "office", "measures": ["cell"]}]},
         [("desk", "sw"), ("desk", "fw")]),
    ],
)  # fmt: skip
def test_tables_are_read_where_they_can_be(changes: dict[str, Any], walked: list[tuple[str, str]]) -> None:
    changed = plant(**changes)
    actions = unregistered_devices(case("unregistered-devices", changed), changed)
    agents = [(it.vantage, one.id) for it in actions for one in it.targets if one.ask == '{"agent":true}']
    assert agents == walked
    assert {it.method for it in actions} <= {"snmp-walk"}, "passively: nothing is sent to anybody else"


@pytest.mark.parametrize("limits", [{}, {"table_rows": 500, "table_requests": 20}])
def test_one_walk_serves_all_and_takes_its_limits(limits: dict[str, int]) -> None:
    found = []
    for name, suite in (("connected-share", connected_share), ("unregistered-devices", unregistered_devices)):
        actions = suite(case(name, plant(), parameters=limits), plant())
        found.append([it.parameters for it in actions if it.method == "snmp-walk"])
    assert found[0] == found[1]
    rows, requests = limits.get("table_rows", 10_000), limits.get("table_requests", 400)
    assert {(it["rows"], it["requests"]) for it in found[0]} == {(rows, requests)}


def test_nothing_is_asked_for_that_is_not_permitted() -> None:
    allowed = permits(plant())
    for action in connected_share(case("connected-share", plant()), plant()):
        gate, level = Gate(allowed[action.vantage]), method(action.method).level
        for target in action.targets:
            assert not isinstance(gate.admit(target, level, target.port or 0), Refusal), (action.method, target)
