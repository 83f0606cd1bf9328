"""Method ``udp-throughput``: what a receiver gets of UDP datagrams sent at an asked rate: rate, loss and jitter.

Each attempt is one test in each direction asked for, and gives three quantities. The rate is the receiver's. A test
whose sender did not send what was asked (:data:`probes.iperf3_udp.REALLY_SENT`), or whose datagrams the tester itself
dropped, says nothing about the path; one that the zone's budget does not permit at the asked rate is not made at all.

Loss at the far end's own socket cannot be told from loss on the way; buffers are asked for that bear a short stall.

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
from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_udp import Datagrams
from probes.iperf3_udp import read
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.ports import Ticket
from probes.rate_parameters import LEVEL
from probes.rate_parameters import RateTestParameters
from probes.rate_parameters import of_directions
from probes.rate_price import total
from probes.rate_test import Outcome
from probes.rate_test import RateTest
from probes.record import Recorder
from probes.record import compact
from profiles.observation import Observation

KINDS = {"udp-rate": "Mbit/s", "udp-loss": "%", "udp-jitter": "ms"}
QUANTITIES = {f"{kind}-{direction}": unit for direction in ("up", "down") for kind, unit in KINDS.items()}
HEADER_BYTES = 48  #: of IPv6 and UDP

NEEDS = ("python:iperf3", "library:libiperf.so.0")


@dataclass(frozen=True)
class UdpParameters(RateTestParameters):
    """Parameters of the method; ``limit_mbit_s`` is the asked rate, all streams together."""

    limit_mbit_s: float = 10.0
    omit_s: int = 0  #: libiperf's counters of datagrams include what is omitted
    margin_s: float = 4.0
    timeout_retries: int = 1  #: a lost first datagram, which nobody sends again, would leave both ends waiting
    payload_bytes: int = 1200  #: of one datagram
    socket_bytes: int = 200_000  #: buffers asked for at both ends

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.omit_s or not 64 <= self.payload_bytes <= 65_000:
            raise ValueError(f"nothing can be omitted, and a datagram has 64 to 65000 octets: {self}")

    @property
    def overhead(self) -> float:
        """IP bytes over payload bytes."""
        return 1 + HEADER_BYTES / self.payload_bytes

    @property
    def packet_bytes(self) -> int:
        """Payload of one packet."""
        return self.payload_bytes

    def request(self, asked: Asked) -> dict[str, Any]:
        """What the task is told."""
        own = {"udp": True, "block_bytes": self.payload_bytes, "socket_bytes": self.socket_bytes}
        return super().request(asked) | own


def cost(action: Action, permit: Permit) -> Cost:
    """Every test in each direction, at the asked rate; what a server sends is charged as if it were sent."""
    return total(action, permit, UdpParameters.of(action.parameters), echoes=False)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = UdpParameters.of(action.parameters)
    for target in action.targets:
        ticket = _admit(gate, target, parameters, action.method)
        for attempt in range(parameters.attempts):
            for direction in parameters.directions:
                records = {kind: Recorder(action, f"{kind}-{direction}", unit) for kind, unit in KINDS.items()}
                if isinstance(ticket, Refusal):
                    error, reason = ticket.error, ticket.reason
                    emit([record.error(target, attempt, error, reason=reason) for record in records.values()])
                    continue
                async with gate.alone:
                    outcome = await RateTest(gate, ticket, parameters, read, emit, "iperf3-udp").run(attempt, direction)
                emit([_row(kind, record, target, attempt, outcome) for kind, record in records.items()])


def _admit(gate: Gate, target: Target, parameters: UdpParameters, method: str) -> Ticket | Refusal:
    if not target.port:
        return Refusal("refused-by-guard", "no-port")
    ticket = gate.admit(target, LEVEL, target.port, method)
    if isinstance(ticket, Refusal):
        return ticket
    if parameters.permit_binds(ticket.zone.permit):
        return Refusal("refused-by-guard", "rate-above-budget")
    return ticket


def _row(kind: str, record: Recorder, target: Target, attempt: int, outcome: Outcome) -> Observation:
    found = outcome.found
    if not isinstance(found, Failure):
        assert isinstance(found, Datagrams)  # noqa: S101 - such is what `read` gives
        values = {"udp-rate": found.mbit_s, "udp-loss": found.loss_percent, "udp-jitter": found.jitter_ms}
        detail = compact({**outcome.facts, **found.facts})
        return record.value(target, attempt, values[kind], outcome.utc_ns, outcome.monotonic_ns, detail)
    why = {"why": found.why} if outcome.utc_ns else {}  # of what never began, the reason is among the facts
    return record.error(target, attempt, found.error, outcome.utc_ns, outcome.monotonic_ns, **outcome.facts, **why)


METHOD = Method("udp-throughput", LEVEL, cost, run, QUANTITIES, needs=NEEDS, owed=of_directions(QUANTITIES))
