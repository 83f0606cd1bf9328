"""Method ``cyclic-flow``: one end of a cyclic UDP flow, the talker or the listener; the other is another vantage point.

The talker sends ``attempts`` messages of ``size_bytes`` octets, one every ``interval_ms``; each is an attempt, with a
row at either end. ``utc_ns`` of a row is the kernel's own stamp of when the message left or came in, by the clock of
that vantage point, and the quantity ``schedule-lag`` is that time minus the time which the talker's schedule had set,
in ms. The one-way delay (RFC 7679) is the difference of the two stamps, less the offset of the two clocks. A row whose
detail says ``"stamp":"user"`` has a time from outside the kernel.

Before the first message and after the last the ends exchange questions and replies on the same path. That makes both
ready, so that a listener that is late is not a loss, and bounds the offset of their clocks as RFC 5905 does, whatever
the delays in either direction. The detail of attempt 0 tells what each end found out about itself: a dict ``"end"``.

Rows of both ends belong together only if they are of one transmission. Each end names its ``session``, which the talker
draws. Of whatever left or came in, ``utc_ns`` less the lag less the intervals before it is the talker's ``begun_ns``,
when its schedule began, by its clock; whatever the listener did not hear has the time at which that listener closed,
its ``closed_ns``, as ``utc_ns``.

A message that the talker cannot send within half an interval of its time is not sent, and recorded as ``off-schedule``:
messages are never bunched up. Type-P: UDP, payload of that size, default traffic class.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.flow_end import BYES
from probes.flow_end import CLOSING_S
from probes.flow_end import HANDSHAKE_S
from probes.flow_end import HELLO_GAP_S
from probes.flow_end import Leave
from probes.flow_end import Plan
from probes.flow_listener import Listener
from probes.flow_message import EXCHANGE_BYTES
from probes.flow_message import LEAST_BYTES
from probes.flow_talker import Talker
from probes.flow_talker import pace
from probes.gate import Gate
from probes.gate import Refusal
from probes.limits import Zone
from probes.methods import Emit
from probes.methods import Method
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.ports import Ticket
from probes.record import Recorder
from profiles.observation import Observation

LEVEL = "query"
QUANTITY, UNIT = "schedule-lag", "ms"
MOST_MESSAGES = 100_000  #: of one flow in one run; they are kept until it ends, so that nothing disturbs the pacing
_EXCHANGES = int(HANDSHAKE_S / HELLO_GAP_S) + BYES  #: questions of a talker, and replies of a listener, at most
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one end of one flow, of :attr:`probes.action.Target.ask`."""

    role: str  #: ``talker`` or ``listener``
    local: str  #: own address
    listen_port: int  #: UDP port of the listener
    interval_ms: float
    size_bytes: int  #: UDP payload

    @classmethod
    def of(cls, target: Target) -> Ask:
        """From a target.

        Raises:
            ValueError: if it does not ask for a flow. It is a bug of the caller.
        """
        try:
            ask = cls(**json.loads(target.ask))
            if ask.role in ("talker", "listener") and ask.interval_ms > 0 and ask.size_bytes >= LEAST_BYTES:
                return ask
        except TypeError:
            pass
        raise ValueError(f"{target.id}: asks for no flow: {target.ask!r}")


def _plan(target: Target, ask: Ask, action: Action) -> Plan:
    count = int(action.parameters.get("attempts", 1))
    if not 0 < count <= MOST_MESSAGES:
        raise ValueError(f"{target.id}: between 1 and {MOST_MESSAGES} messages, not {count}")
    timeout_ns = int(float(action.parameters.get("timeout_ms", 1000)) * 1e6)
    return Plan(target.id, round(ask.interval_ms * 1e6), ask.size_bytes, count, timeout_ns)


def _admit(gate: Gate, target: Target, ask: Ask, plan: Plan) -> Ticket | Refusal:
    """Leave to take part; not if the permit's rates are slower than the flow, which cannot be sent in part."""
    admitted = gate.admit(target, LEVEL, method="cyclic-flow")  # a port would mean connections
    if isinstance(admitted, Refusal) or ask.role == "listener":
        return admitted
    if admitted.device.gap_ns > plan.interval_ns or _zone_gap_ns(admitted.zone, plan) > plan.interval_ns:
        return Refusal("refused-by-guard", "rate-below-flow")
    return admitted


def _zone_gap_ns(zone: Zone, plan: Plan) -> float:
    """The time that the zone's budgets put between two messages."""
    permit = zone.permit
    by_packets = SECOND_NS / permit.packets_per_s if permit.packets_per_s else 0.0
    by_bits = 8 * plan.bytes_of_message * SECOND_NS / permit.bits_per_s if permit.bits_per_s else 0.0
    return max(by_packets, by_bits)


def cost(action: Action, permit: Permit) -> Cost:
    """Every message, and the exchanges before and after; all flows of an action run beside each other."""
    gate = Gate(permit)
    packets = octets = 0
    longest_s = 0.0
    for target in action.targets:
        ask = Ask.of(target)
        plan = _plan(target, ask, action)
        if isinstance(_admit(gate, target, ask, plan), Refusal):
            continue
        messages = plan.count if ask.role == "talker" else 0
        packets += messages + _EXCHANGES
        octets += messages * plan.bytes_of_message + _EXCHANGES * EXCHANGE_BYTES
        longest_s = max(longest_s, HANDSHAKE_S + (plan.count * plan.interval_ns + plan.timeout_ns) / 1e9 + CLOSING_S)
    return Cost(packets, octets, longest_s, LEVEL)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`. Nothing is told before all of its flows have ended."""
    recorder = Recorder(action, QUANTITY, UNIT)
    leave = Leave(gate)
    talkers: list[Talker] = []
    listeners: list[Listener] = []
    refused: list[tuple[Target, Plan, Refusal]] = []
    for target in action.targets:
        ask = Ask.of(target)
        plan = _plan(target, ask, action)
        admitted = _admit(gate, target, ask, plan)
        if isinstance(admitted, Refusal):
            refused.append((target, plan, admitted))
        elif ask.role == "talker":
            talkers.append(Talker(plan, admitted, leave, ask.local, ask.listen_port))
        else:
            listeners.append(Listener(plan, admitted, leave, ask.local, ask.listen_port))
    await asyncio.gather(_talk(talkers, leave), *(listener.run() for listener in listeners))
    for target, plan, refusal in refused:
        await _tell(emit, (recorder.error(target, n, refusal.error, reason=refusal.reason) for n in range(plan.count)))
    ends: list[Talker | Listener] = [*talkers, *listeners]
    for end in ends:
        await _tell(emit, end.rows(recorder))


async def _talk(talkers: list[Talker], leave: Leave) -> None:
    """Make ready, send everything from one thread, and take leave."""
    await asyncio.gather(*(talker.greet() for talker in talkers))
    ready = [talker for talker in talkers if talker.established]
    if ready:
        await asyncio.to_thread(pace, ready, leave)
        await asyncio.gather(*(talker.part() for talker in ready))
    for talker in talkers:
        talker.close()


async def _tell(emit: Emit, rows: Iterable[Observation]) -> None:
    """Hand rows on in parts, so that others get their turn."""
    for part in _parts(rows):
        emit(part)
        await asyncio.sleep(0)


def _parts(rows: Iterable[Observation]) -> Iterator[list[Observation]]:
    part: list[Any] = []
    for row in rows:
        part.append(row)
        if len(part) == _ROWS_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


METHOD = Method("cyclic-flow", LEVEL, cost, run, {QUANTITY: UNIT}, joint=True)
