"""The suites of applications and of the internet access rate as pure functions: a case in, actions out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.network.test_internet import test_mean_internet_access_rate as mean_internet_access_rate
from conformance.network.test_services import test_application_liveness as application_liveness
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.action import Action
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from profiles.indicators.internet import FIRST_WINDOW
from profiles.requirement import Profile

SOURCE = {"standard": "none", "clause": "none", "provenance": "project", "verified": False}
TEXT = {"zh": "项", "en": "item"}
PLANT: dict[str, Any] = {
    "plant": "small",
    "zones": [
        {"id": "cell", "networks": ["192.0.2.0/24", "2001:db8::/64"]},
        {"id": "office", "networks": ["198.51.100.0/24"]},
        {"id": "internet", "kind": "external", "level": "load", "networks": ["203.0.113.0/24"],
         "budget": {"bits_per_s": 2_000_000_000}},
    ],
    "endpoints": [
        {"id": "plc", "class": "E", "zone": "cell", "addresses": ["192.0.2.1", "2001:db8::1"],
         "services": ["tcp/502:modbus", "tcp/80:http", "tcp/443"]},
        {"id": "meter", "class": "S", "zone": "cell", "addresses": ["192.0.2.2"],
         "services": ["udp/161:snmp"], "vantage": "desk"},
        {"id": "quiet", "class": "S", "zone": "cell", "addresses": ["192.0.2.3"], "services": ["tcp/502"]},
        {"id": "dumb", "class": "S", "zone": "cell", "services": ["tcp/502:modbus"]},
        {"id": "cam", "class": "S", "zone": "office", "addresses": ["198.51.100.7"], "services": ["tcp/554:rtsp"]},
    ],
    "services": {
        "internet-1": "http://203.0.113.10/100M http+post://203.0.113.10/up iperf3://203.0.113.10:5202 name=a.example",
        "internet-2": "http://203.0.113.11:8080/100M",
        "internet-3": "iperf3://203.0.113.12",
        "dns": "198.51.100.53",
    },
    "vantages": [
        {"id": "seat", "where": "local", "zone": "cell"},
        {"id": "desk", "where": "local", "zone": "office", "measures": ["internet"]},
    ],
}  # fmt: skip


def plant(**changes: Any) -> Plant:
    return Plant.model_validate(PLANT | changes)


def case(indicator: str, scope: dict[str, Any] | None = None, works: Plant | None = None, **parameters: Any) -> Case:
    requirement = {
        "id": "T-1", "title": TEXT, "pillar": "network", "source": SOURCE, "remedy": TEXT, "indicator": indicator,
        "rule": "info", "scope": scope or {}, "parameters": parameters,
    }  # fmt: skip
    values = {"profile": "small", "version": "1", "title": TEXT, "description": TEXT, "requirements": [requirement]}
    (found,) = plan(works or plant(), [Profile.model_validate(values)])
    return found


def refused(actions: list[Action]) -> list[tuple[str, str]]:
    """Method and address of every target that the gate of its vantage point would not admit."""
    allowed = permits(plant())
    found = []
    for action in actions:
        gate, level = Gate(allowed[action.vantage]), method(action.method).level
        admitted = ((it.address, gate.admit(it, level, it.port or 0)) for it in action.targets)
        found += [(action.method, address) for address, ticket in admitted if isinstance(ticket, Refusal)]
    return found


# --- applications ---


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ({}, ["seat plc modbus 502", "seat plc http 80", "desk meter snmp 161", "desk cam rtsp 554"]),
        ({"classes": ["E"]}, ["seat plc modbus 502", "seat plc http 80"]),
        ({"zones": ["cell"], "classes": ["S"]}, ["desk meter snmp 161"]),
        ({"classes": ["P"]}, []),
    ],
)
def test_applications_that_name_their_protocol_are_asked_and_nothing_else(
    scope: dict[str, Any], asked: list[str]
) -> None:
    actions = application_liveness(case("application-liveness", scope), plant())
    told = [
        f"{it.vantage} {one.id} {json.loads(one.ask)['application']} {one.port}" for it in actions for one in it.targets
    ]
    assert sorted(set(told)) == sorted(asked)
    assert {it.method for it in actions} <= {"application-exchange"}
    assert refused(actions) == []


def test_each_address_is_asked_as_often_and_as_patiently_as_the_profile_says() -> None:
    actions = application_liveness(case("application-liveness", attempts=2, timeout_ms=700), plant())
    (of_plc,) = [it for it in actions if it.vantage == "seat"]
    assert of_plc.parameters == {"attempts": 2, "timeout_ms": 700}
    assert [it.address for it in of_plc.targets] == ["192.0.2.1", "2001:db8::1"] * 2


def test_the_register_says_what_is_spoken() -> None:
    spoken = {it.id: it.fact("applications") for it in case("application-liveness").register.members}
    assert spoken == {
        "plc": "tcp/502:modbus tcp/80:http",
        "meter": "udp/161:snmp",
        "quiet": "",
        "dumb": "tcp/502:modbus",
        "cam": "tcp/554:rtsp",
    }


# --- the internet access rate ---

HTTP, IPERF3 = "http-throughput", "tcp-throughput"
BY_HTTP = [(HTTP, "internet-1", "203.0.113.10", 80), (HTTP, "internet-2", "203.0.113.11", 8080)]
BY_IPERF3 = [(IPERF3, "internet-1", "203.0.113.10", 5202), (IPERF3, "internet-3", "203.0.113.12", 5201)]


@pytest.mark.parametrize(
    ("tools", "expected"),
    [(("http", "iperf3"), BY_HTTP + BY_IPERF3), (("http",), BY_HTTP), (("iperf3",), BY_IPERF3)],
)
def test_each_server_is_loaded_by_every_tool_that_it_serves(
    tools: tuple[str, ...], expected: list[tuple[str, str, str, int]]
) -> None:
    actions = mean_internet_access_rate(case("mean-internet-access-rate", tools=tools), plant())
    assert {it.vantage for it in actions} == {"desk"}, "from the edge of the plant"
    assert [(it.method, one.id, one.address, one.port) for it in actions for one in it.targets] == expected
    assert refused(actions) == []
    asks = {one.id: one.ask for it in actions if it.method == HTTP for one in it.targets}
    if asks:
        assert json.loads(asks["internet-1"]) == {"down": "/100M", "up": "/up", "name": "a.example"}
        assert json.loads(asks["internet-2"]) == {"down": "/100M"}


def test_windows_have_numbers_of_their_own_and_times() -> None:
    actions = mean_internet_access_rate(case("mean-internet-access-rate", windows=3, spacing_s=3600), plant())
    windows = [(it.method, it.window - FIRST_WINDOW, it.not_before_s) for it in actions]
    assert windows == [(name, at, 3600 * at) for at in range(3) for name in (HTTP, IPERF3)]


@pytest.mark.parametrize(("duration_s", "omit_s", "whole"), [(8, 2, (8, 2)), (2.5, 0.5, (3, 1))])
def test_iperf3_measures_whole_seconds(duration_s: float, omit_s: float, whole: tuple[int, int]) -> None:
    asked = {"duration_s": duration_s, "omit_s": omit_s, "direction": "both", "streams": 6, "attempts": 2}
    actions = mean_internet_access_rate(case("mean-internet-access-rate", **asked), plant())
    by_tool = {it.method: it.parameters for it in actions}
    assert (by_tool[HTTP]["duration_s"], by_tool[HTTP]["omit_s"]) == (duration_s, omit_s)
    assert (by_tool[IPERF3]["duration_s"], by_tool[IPERF3]["omit_s"]) == whole
    assert "slice_ms" not in by_tool[IPERF3]
    for parameters in by_tool.values():
        assert [parameters[name] for name in ("direction", "streams", "attempts")] == ["both", 6, 2]


@pytest.mark.parametrize("services", [{}, {"dns": "198.51.100.53"}])
def test_without_reference_servers_nothing_is_sent(services: dict[str, str]) -> None:
    works = plant(services=services)
    empty = case("mean-internet-access-rate", works=works)
    assert mean_internet_access_rate(empty, works) == []
    assert empty.register.members == ()


def test_the_register_says_who_serves_what() -> None:
    tools = {it.id: it.fact("tools") for it in case("mean-internet-access-rate").register.members}
    assert tools == {"internet-1": "http-down http-up iperf3", "internet-2": "http-down", "internet-3": "iperf3"}
