"""Method ``icmp-echo``: ICMP and ICMPv6 echo in bulk (RFC 792, RFC 4443), timed by the kernel at both ends.

The quantity is the round-trip delay of RFC 2681 for Type-P = ICMP echo request / reply: from the kernel's transmit
stamp to its receive stamp, in ms. Tmax (``timeout_ms``) is the loss threshold of RFC 7680 section 2.8.2.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from probes.action import Action
from probes.action import Cost
from probes.gate import Gate
from probes.gate import Refusal
from probes.inflight import EchoParameters
from probes.methods import Emit
from probes.methods import Method
from probes.netlink import mark_on_link
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from probes.record import Recorder
from probes.sweep import Sweep

LEVEL = "query"
COLLECT_AFTER = 200_000  #: objects
ICMP_HEADER_BYTES = 8
NO_PRIVILEGE_CURE = (
    "run as root, or give the interpreter cap_net_raw, "
    "or set net.ipv4.ping_group_range on the vantage point so that it holds this user's group"
)


def cost(action: Action, permit: Permit) -> Cost:
    """Packets and bytes exactly, if the tester is sound, and the longest duration within the permitted rates.

    An attempt that the tester spoiled (its own loss) is repeated up to ``resends`` times, within all rates and budgets;
    the instrument's observation counts these packets.
    """
    parameters = EchoParameters.of(action.parameters)
    waiting_ms = parameters.timeout_ms + parameters.linger_ms + parameters.interval_ms * (parameters.attempts - 1)

    def echo_bytes(ticket: Ticket) -> int:
        return (20 if len(ticket.packed) == 4 else 40) + ICMP_HEADER_BYTES + parameters.payload_bytes

    attempts = parameters.attempts
    return price(action, permit, LEVEL, attempts=attempts, packets=1, size=echo_bytes, waiting_s=waiting_ms / 1000)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = EchoParameters.of(action.parameters)
    recorder = Recorder(action, "round-trip-delay", "ms")
    attempts = range(parameters.attempts)
    tickets: dict[int, list[Ticket]] = {4: [], 16: []}
    refused = []
    for target in action.targets:
        admitted = gate.admit(target, LEVEL)
        if isinstance(admitted, Refusal):
            refused += [recorder.error(target, n, admitted.error, reason=admitted.reason) for n in attempts]
        else:
            tickets[len(admitted.packed)].append(admitted)
    if refused:
        emit(refused)
    mark_on_link(gate, tickets[4] + tickets[16])
    with _rare_collections():
        await asyncio.gather(*[_sweep(group, gate, recorder, parameters, emit) for group in tickets.values() if group])


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Have the cycle collector look less often: a sweep makes many objects, and no cycles."""
    usual = gc.get_threshold()
    if usual[0] < COLLECT_AFTER:
        gc.set_threshold(COLLECT_AFTER, *usual[1:])
    try:
        yield
    finally:
        if usual[0] < COLLECT_AFTER:
            gc.set_threshold(*usual)


async def _sweep(tickets: list[Ticket], gate: Gate, recorder: Recorder, parameters: EchoParameters, emit: Emit) -> None:
    """All targets of one IP version."""
    try:
        port = gate.echo_port(4 if len(tickets[0].packed) == 4 else 6, parameters.receive_bytes)
    except PermissionError:
        for ticket in tickets:
            attempts = range(parameters.attempts)
            emit([recorder.error(ticket.target, n, "no-privilege", cure=NO_PRIVILEGE_CURE) for n in attempts])
        return
    try:
        await Sweep(gate, port, recorder, parameters, emit).run(tickets)
    finally:
        port.close()


METHOD = Method("icmp-echo", LEVEL, cost, run, "round-trip-delay", "ms")
