"""What tests of rates cost at most: every test, its retries, and the echoes before the first and beside each. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from probes import working_latency
from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ports import Ticket
from probes.price import price
from probes.rate_parameters import CONTROL_BYTES
from probes.rate_parameters import LEVEL
from probes.rate_parameters import LoadParameters
from probes.rate_parameters import RateTestParameters


def priced(
    action: Action,
    permit: Permit,
    parameters: LoadParameters,
    tests: Callable[[Target], int],
    *,
    longest_s: float,
    whole: int = 1,
    control_bytes: int = 0,
) -> Cost:
    """So many tests of each target at the full permitted rate; what a server sends is charged as if it were sent.

    Args:
        action: what is asked.
        permit: what is permitted.
        parameters: how fast, and for how long.
        tests: how many tests each target gets.
        longest_s: how long one of them can take, one after the other.
        whole: how often one of them may have to be made.
        control_bytes: IP bytes of asking again where no data flowed.
    """
    parts = []
    for zone, number in dict.fromkeys((it.zone, tests(it)) for it in action.targets):
        limits = permit.zones.get(zone, ZonePermit(zone, LEVEL))
        targets = tuple(it for it in action.targets if (it.zone, tests(it)) == (zone, number))
        part = replace(action, targets=targets)
        size = whole * parameters.bytes(limits) + control_bytes
        packets = whole * parameters.packets(limits) + -(-control_bytes // parameters.packet_bytes)
        waiting_s = longest_s * number * len(targets)
        once = partial(_same, size)
        parts.append(price(part, permit, LEVEL, attempts=number, packets=packets, size=once, waiting_s=waiting_s))
    return _sum(parts)


def total(action: Action, permit: Permit, parameters: RateTestParameters, *, echoes: bool) -> Cost:
    """All tests with an iperf3 server in each direction, and their echoes."""
    tests = len(parameters.directions) * parameters.attempts
    busy, whole = parameters.busy_retries, 1 + parameters.timeout_retries
    pauses_s = (busy + parameters.timeout_retries) * parameters.busy_pause_s
    longest_s = whole * parameters.longest_s + pauses_s + busy * parameters.timeout_ms / 1000
    found = priced(
        action,
        permit,
        parameters,
        lambda _: tests,
        longest_s=longest_s,
        whole=whole,
        control_bytes=busy * CONTROL_BYTES,
    )
    return _sum([found, working_latency.cost(action, permit, tests, parameters.duration_s)]) if echoes else found


def _same(size: int, _ticket: Ticket) -> int:
    return size


def _sum(parts: Iterable[Cost]) -> Cost:
    found = Cost(0, 0, 0.0, LEVEL)
    for one in parts:
        found = Cost(found.packets + one.packets, found.bytes + one.bytes, found.duration_s + one.duration_s, LEVEL)
    return found
