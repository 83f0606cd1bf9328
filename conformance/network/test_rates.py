"""Mean network access rate (网络接入平均速率)."""

from __future__ import annotations

from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from profiles.indicators.rates import RateParameters


@measures("mean-access-rate")
def test_mean_access_rate(case: Case, plant: Plant) -> list[Action]:
    """Run TCP tests in each direction asked for against each terminal that declares a measuring server (iperf3)."""
    asked = RateParameters.model_validate(case.requirement.parameters)
    parameters = asked.model_dump(exclude={"port"})
    port = asked.port
    return ask(case, plant, "tcp-throughput", parameters, lambda it: question(it, port) if port in it.tcp_ports else ())
