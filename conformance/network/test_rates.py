"""Mean network access rate (网络接入平均速率), the share of terminals that reach a target, and datagrams at a rate."""

from __future__ import annotations

from conformance.asking import Aim
from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from profiles.indicators.datagrams import DatagramParameters
from profiles.indicators.rates import NOT_MEASURED
from profiles.indicators.rates import RateParameters
from profiles.indicators.rates import RateShareParameters


@measures("mean-access-rate")
def test_mean_access_rate(case: Case, plant: Plant) -> list[Action]:
    """Run TCP tests in each direction asked for against each terminal that declares a measuring server (iperf3)."""
    return _tcp(case, plant, RateParameters.model_validate(case.requirement.parameters))


@measures("rate-target-share")
def test_rate_target_share(case: Case, plant: Plant) -> list[Action]:
    """Run the same tests as for the mean; asked for in the same way, they are made once."""
    return _tcp(case, plant, RateShareParameters.model_validate(case.requirement.parameters))


@measures("udp-loss")
def test_udp_loss(case: Case, plant: Plant) -> list[Action]:
    """Send datagrams at the asked rate, in each direction asked for, to and from each terminal with such a server."""
    return _udp(case, plant)


@measures("udp-rate")
def test_udp_rate(case: Case, plant: Plant) -> list[Action]:
    """Send the same datagrams as for their loss; asked for in the same way, they are sent once."""
    return _udp(case, plant)


def _tcp(case: Case, plant: Plant, asked: RateParameters) -> list[Action]:
    return ask(case, plant, "tcp-throughput", asked.model_dump(exclude=set(NOT_MEASURED)), _serving(asked.port))


def _udp(case: Case, plant: Plant) -> list[Action]:
    asked = DatagramParameters.model_validate(case.requirement.parameters)
    parameters = asked.model_dump(exclude={"port", "rate_mbit_s"}) | {"limit_mbit_s": asked.rate_mbit_s}
    return ask(case, plant, "udp-throughput", parameters, _serving(asked.port))


def _serving(port: int) -> Aim:
    """The first address of whatever declares a measuring server."""
    return lambda assigned: question(assigned, port) if port in assigned.tcp_ports else ()
