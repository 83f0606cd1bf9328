"""Method ``tcp-throughput``: goodput of TCP to an iperf3 server, up and down, what the receiver got (RFC 6349 idea).

Each attempt is one test in each direction asked for (RFC 6349 section 4 measures both), after an omitted beginning in
which TCP finds its rate. The rate never exceeds what is asked (``limit_mbit_s``) or what the zone's budget
permits; a rate found at such a cap says ``"bound"`` in its detail: it is a lower bound of what the path can carry. A
rate that the tester, a window or a buffer bounded is none at all, but ``unsound``.

Echoes before the first test of a target and beside each say what a test does to the path's round-trip time
(:mod:`probes.working_latency`).

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.iperf3_report import AT_CAP
from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_report import read
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.rate_parameters import LEVEL
from probes.rate_parameters import RateTestParameters
from probes.rate_parameters import of_directions
from probes.rate_price import total
from probes.rate_test import Outcome
from probes.rate_test import RateTest
from probes.record import Recorder
from probes.record import compact
from probes.working_latency import WorkingLatency
from profiles.observation import Observation

UP, DOWN = "goodput-up", "goodput-down"
QUANTITIES = {UP: "Mbit/s", DOWN: "Mbit/s"}

NEEDS = ("python:iperf3", "library:libiperf.so.0")


@dataclass(frozen=True)
class ThroughputParameters(RateTestParameters):
    """Parameters of the method."""

    congestion: str = ""  #: the sender's congestion control by name; empty: the host's
    echoes: bool = True  #: whether round-trip times are taken before and beside each test

    def request(self, asked: Asked) -> dict[str, Any]:
        """What the task is told."""
        return super().request(asked) | {"congestion": self.congestion}


def cost(action: Action, permit: Permit) -> Cost:
    """Every test in each direction, at the full permitted rate; what a server sends is charged as if it were sent."""
    parameters = ThroughputParameters.of(action.parameters)
    return total(action, permit, parameters, echoes=parameters.echoes)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = ThroughputParameters.of(action.parameters)
    for target in action.targets:
        ticket = (
            gate.admit(target, LEVEL, target.port, action.method)
            if target.port
            else Refusal("refused-by-guard", "no-port")
        )
        latency = WorkingLatency(action.vantage, target, gate) if parameters.echoes else None
        for attempt in range(parameters.attempts):
            for direction in parameters.directions:
                quantity = f"goodput-{direction}"
                record = Recorder(action, quantity, QUANTITIES[quantity])
                if isinstance(ticket, Refusal):
                    emit([record.error(target, attempt, ticket.error, reason=ticket.reason)])
                    continue
                test = RateTest(gate, ticket, parameters, read, emit, "iperf3", latency)
                async with gate.alone:
                    outcome = await test.run(attempt, direction)
                bits_per_s = parameters.bits_per_s(ticket.zone.permit)
                permit_binds = parameters.permit_binds(ticket.zone.permit)
                emit([_row(record, attempt, target, outcome, bits_per_s, permit_binds=permit_binds)])


def _row(
    record: Recorder, attempt: int, target: Target, outcome: Outcome, bits_per_s: int, *, permit_binds: bool
) -> Observation:
    found = outcome.found
    if isinstance(found, Failure):
        why = {"why": found.why} if outcome.utc_ns else {}  # of what never began, the reason is among the facts
        return record.error(target, attempt, found.error, outcome.utc_ns, outcome.monotonic_ns, **outcome.facts, **why)
    bound = "permit" if permit_binds else "asked"
    at_cap = {"bound": bound} if found.mbit_s * 1e6 >= AT_CAP * bits_per_s else {}
    facts = {**outcome.facts, "limit_mbit_s": bits_per_s / 1e6, **at_cap, **found.facts}
    return record.value(target, attempt, found.mbit_s, outcome.utc_ns, outcome.monotonic_ns, compact(facts))


METHOD = Method("tcp-throughput", LEVEL, cost, run, QUANTITIES, needs=NEEDS, owed=of_directions(QUANTITIES))
