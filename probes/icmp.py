"""Method ``icmp-echo``: ICMP and ICMPv6 echo in bulk (RFC 792, RFC 4443), timed by the kernel at both ends.

The quantity is the round-trip delay of RFC 2681 for Type-P = ICMP echo request / reply: from the kernel's transmit
stamp to its receive stamp, in ms. Tmax (``timeout_ms``) is the loss threshold of RFC 7680 section 2.8.2.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from itertools import chain

from probes.action import Action
from probes.action import Cost
from probes.echo_port import EchoPort
from probes.gate import Gate
from probes.gate import Refusal
from probes.inflight import EchoParameters
from probes.methods import Emit
from probes.methods import Method
from probes.netlink import mark_on_link
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from probes.record import Recorder
from probes.sweep import Sweep

LEVEL = "query"
#: The kernel begins to stamp what it receives a little after the first socket on the host has asked for it.
WARM_UP_S = 0.01
COLLECT_AFTER = 600_000  #: objects; 30,000 echoes make fewer
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
    versions = {6 if ":" in target.address else 4 for target in action.targets}
    with ExitStack() as stack, _rare_collections():
        ports = {version: _open(version, gate, parameters, stack) for version in versions}
        opened_ns = gate.clock()
        tickets = _admit(action, gate, recorder, parameters, emit)
        mark_on_link(gate, chain(*tickets.values()))
        await asyncio.sleep((opened_ns - gate.clock()) / SECOND_NS + WARM_UP_S)
        groups = [(ports[version], group) for version, group in tickets.items() if group]
        await asyncio.gather(*[_sweep(port, group, gate, recorder, parameters, emit) for port, group in groups])


def _open(version: int, gate: Gate, parameters: EchoParameters, stack: ExitStack) -> EchoPort | None:
    """A port, closed when ``stack`` is; nothing if the kernel does not allow one."""
    try:
        port = gate.echo_port(version, parameters.receive_bytes)
    except PermissionError:
        return None
    stack.callback(port.close)
    return port


def _admit(
    action: Action, gate: Gate, recorder: Recorder, parameters: EchoParameters, emit: Emit
) -> dict[int, list[Ticket]]:
    """Tickets by IP version; what gets none is told."""
    tickets: dict[int, list[Ticket]] = {4: [], 6: []}
    refused = []
    for target in action.targets:
        admitted = gate.admit(target, LEVEL, method=action.method)
        if isinstance(admitted, Refusal):
            attempts = range(parameters.attempts)
            refused += [recorder.error(target, n, admitted.error, reason=admitted.reason) for n in attempts]
        else:
            tickets[4 if len(admitted.packed) == 4 else 6].append(admitted)
    if refused:
        emit(refused)
    return tickets


async def _sweep(
    port: EchoPort | None,
    tickets: list[Ticket],
    gate: Gate,
    recorder: Recorder,
    parameters: EchoParameters,
    emit: Emit,
) -> None:
    """All targets of one IP version."""
    if port is not None:
        await Sweep(gate, port, recorder, parameters, emit).run(tickets)
        return
    for ticket in tickets:
        attempts = range(parameters.attempts)
        emit([recorder.error(ticket.target, n, "no-privilege", cure=NO_PRIVILEGE_CURE) for n in attempts])


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


METHOD = Method("icmp-echo", LEVEL, cost, run, {"round-trip-delay": "ms"})
