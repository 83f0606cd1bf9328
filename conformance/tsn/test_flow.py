"""Cyclic flows: one-way latency, loss, and interruptions that an application notices (3GPP TS 22.104)."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.facilities import Flow
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from profiles.indicators.flows import FlowParameters
from profiles.indicators.flows import SurvivalParameters


@measures("flow-latency")
def test_flow_latency(case: Case, plant: Plant) -> list[Action]:
    """Run each flow between its two vantage points, every message stamped by the kernel at both ends (RFC 7679)."""
    return _run(case, plant, FlowParameters.model_validate(case.requirement.parameters))


@measures("flow-loss")
def test_flow_loss(case: Case, plant: Plant) -> list[Action]:
    """Run each flow between its two vantage points, and count what does not arrive within Tmax (RFC 7680)."""
    return _run(case, plant, FlowParameters.model_validate(case.requirement.parameters))


@measures("flow-survival")
def test_flow_survival(case: Case, plant: Plant) -> list[Action]:
    """Run each flow between its two vantage points, and watch it as the application would (TS 22.261 3.1)."""
    return _run(case, plant, SurvivalParameters.model_validate(case.requirement.parameters))


def _run(case: Case, plant: Plant, asked: FlowParameters) -> list[Action]:
    """The same for all three, so that one run of a flow serves them all."""
    return ask(case, plant, "cyclic-flow", {"attempts": asked.messages, "timeout_ms": asked.timeout_ms}, _end)


def _end(assigned: Assignment) -> Iterable[Target]:
    """One end of a flow."""
    flow = assigned.source
    if not isinstance(flow, Flow):
        return ()
    local = str(flow.talker_address if assigned.role == "talker" else flow.address)
    cycle = {"interval_ms": flow.interval_ms, "size_bytes": flow.size_bytes}
    return question(assigned, None, role=assigned.role, local=local, listen_port=flow.port, **cycle)
