"""The suites of rates and of computing capacity as pure functions: a case in, actions out, nothing sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.compute.test_capacity import test_compute_cpu_capacity as compute_cpu_capacity
from conformance.compute.test_capacity import test_node_core_share as node_core_share
from conformance.compute.test_capacity import test_node_gemm_efficiency as node_gemm_efficiency
from conformance.compute.test_capacity import test_node_gemm_fp64 as node_gemm_fp64
from conformance.compute.test_capacity import test_node_stream_triad as node_stream_triad
from conformance.network.test_rates import test_mean_access_rate as mean_access_rate
from conformance.network.test_rates import test_rate_target_share as rate_target_share
from conformance.network.test_rates import test_udp_loss as udp_loss
from conformance.network.test_rates import test_udp_rate as udp_rate
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.requirement import Profile

SOURCE = {"standard": "none", "clause": "none", "provenance": "project", "verified": False}
TEXT = {"zh": "项", "en": "item"}
PLANT = Plant.model_validate(
    {
        "plant": "small",
        "zones": [{"id": "cell", "level": "load"}, {"id": "core", "level": "load"}],
        "endpoints": [
            {"id": "cnc", "class": "E", "zone": "cell", "addresses": ["192.0.2.1", "2001:db8::1"],
             "services": ["tcp/502", "tcp/5201"]},
            {"id": "agv", "class": "E", "zone": "cell", "addresses": ["192.0.2.2"], "services": ["tcp/5202"]},
            {"id": "dumb", "class": "E", "zone": "cell"},
        ],
        "vantages": [{"id": it, "where": "local", "zone": zone} for it, zone in (("seat", "cell"), ("rack", "core"))],
        "nodes": [{"id": "n1", "vantage": "rack", "zone": "core", "cores": 2}],
    }
)  # fmt: skip


def case(indicator: str, **parameters: Any) -> Case:
    requirement = {
        "id": "T-1", "title": TEXT, "pillar": "network", "source": SOURCE, "remedy": TEXT, "indicator": indicator,
        "rule": "info", "parameters": parameters,
    }  # fmt: skip
    profile = Profile.model_validate(
        {"profile": "small", "version": "1", "title": TEXT, "description": TEXT, "requirements": [requirement]}
    )
    (found,) = plan(PLANT, [profile])
    return found


def permitted(actions: list[Action]) -> bool:
    """Whether the gate of each vantage point would admit every target."""
    allowed = permits(PLANT)
    for action in actions:
        gate, level = Gate(allowed[action.vantage]), method(action.method).level
        for target in action.targets:
            local = target.address in gate.permit.local
            ticket = gate.admit_local(target, level) if local else gate.admit(target, level, target.port or 0)
            if isinstance(ticket, Refusal):
                return False
    return True


def test_rates_are_asked_of_the_terminals_with_a_server() -> None:
    (action,) = mean_access_rate(case("mean-access-rate", attempts=2, duration_s=4), PLANT)
    assert (action.vantage, action.method) == ("seat", "tcp-throughput")
    assert action.targets == (Target("cnc", "192.0.2.1", "cell", 5201),)
    assert (action.parameters["attempts"], action.parameters["duration_s"]) == (2, 4)
    assert permitted([action])
    both = method(action.method).cost(action, permits(PLANT)["seat"])
    (half,) = mean_access_rate(case("mean-access-rate", attempts=2, duration_s=4, direction="down"), PLANT)
    baseline = 5 * 60  # echoes before the first test, whatever comes after them
    assert 2 * method(half.method).cost(half, permits(PLANT)["seat"]).bytes == both.bytes + baseline


def test_the_share_that_reaches_a_target_is_read_from_the_same_tests() -> None:
    (mean,) = mean_access_rate(case("mean-access-rate", line_mbit_s=100), PLANT)
    assert rate_target_share(case("rate-target-share", target_mbit_s=20), PLANT) == [mean]


def test_datagrams_are_asked_for_at_a_rate() -> None:
    asked = {"rate_mbit_s": 4, "payload_bytes": 256, "duration_s": 2}
    (action,) = udp_loss(case("udp-loss", **asked), PLANT)
    assert (action.vantage, action.method) == ("seat", "udp-throughput")
    assert action.targets == (Target("cnc", "192.0.2.1", "cell", 5201),)
    assert (action.parameters["limit_mbit_s"], action.parameters["payload_bytes"]) == (4, 256)
    assert udp_rate(case("udp-rate", **asked), PLANT) == [action]
    assert permitted([action])
    unbounded = Permit("seat", {"192.0.2.1": "cell"}, {"cell": ZonePermit("cell", "load")}, {})
    cost = method(action.method).cost(action, unbounded)
    payload = 2 * 4e6 / 8 * 2  # both directions, two seconds
    assert 2 * payload < cost.bytes < 4.5 * payload  # a test whose first datagram is lost is made once more


def test_another_port_may_be_asked_for_and_nobody_may_have_it() -> None:
    (action,) = mean_access_rate(case("mean-access-rate", port=5202), PLANT)
    assert action.targets == (Target("agv", "192.0.2.2", "cell", 5202),)
    assert mean_access_rate(case("mean-access-rate", port=5203), PLANT) == []


def test_what_the_indicator_must_know_is_in_the_register() -> None:
    members = {it.id: it.fact("tcp_ports") for it in case("mean-access-rate").register.members}
    assert members == {"cnc": "502 5201", "agv": "5202", "dumb": ""}


@pytest.mark.parametrize(
    ("indicator", "suite"),
    [
        ("compute-cpu-capacity", compute_cpu_capacity),
        ("node-gemm-fp64", node_gemm_fp64),
        ("node-stream-triad", node_stream_triad),
        ("node-core-share", node_core_share),
        ("node-gemm-efficiency", node_gemm_efficiency),
    ],
)
def test_nodes_are_benchmarked_where_they_are_with_their_cores(
    indicator: str, suite: Callable[[Case, Plant], list[Action]]
) -> None:
    (action,) = suite(case(indicator), PLANT)
    assert (action.vantage, action.method) == ("rack", "compute-benchmark")
    assert action.targets == (Target("n1", "node:n1", "core", None, '{"cores":2}'),)
    assert (action.parameters["attempts"], "least_sound" in action.parameters) == (12, False)
    assert permitted([action])
