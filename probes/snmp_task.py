"""Asking one SNMP agent by a task: what is claimed for it at the gate, what it may say, what becomes of its reply.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from probes.gate import NEVER
from probes.gate import Gate
from probes.leave import leave
from probes.methods import Emit
from probes.permit import ZonePermit
from probes.ports import Ticket
from probes.programs import Finished
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS

PORT = 161  #: RFC 3417
REQUEST_BYTES = 1472  #: UDP payload of a request at most; a chunk of OIDs is far from it
HEADER_BYTES = 48  #: IPv6 and UDP
DISCOVERY = 3  #: requests of version 3 before the first one counts (RFC 3414 section 4), and one for its time
#: What tasks say in words of their own, whatever the credentials are.
WORDS = INSTRUMENT_ERRORS | TARGET_ERRORS | {"no-such-object", "no-such-instance"}
START_S = 20.0  #: for a task's interpreter to come up on a slow host


async def ask(
    gate: Gate,
    emit: Emit,
    ticket: Ticket,
    port: int,
    task: str,
    request: Mapping[str, Any],
    patience_s: Callable[[float], float],
    raw: str,
    words: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """The reply of ``task`` about the agent at ``ticket`` and ``port``; else an ``error`` with a ``reason``.

    Args:
        gate: through which it is asked.
        emit: where the whole reply is kept as raw output.
        ticket: of the agent.
        port: of the agent.
        task: its module.
        request: what is asked; ``requests`` says in how many packets at most.
        patience_s: the longest time it may take, by the least time between two requests.
        raw: name of the raw output.
        words: further texts of the reply that are never a secret.
    """
    packets = request["requests"] + DISCOVERY
    size = packets * (REQUEST_BYTES + HEADER_BYTES)
    ticket.credit = 0
    charged_ns = await leave(gate, ticket, packets, size)
    if charged_ns == NEVER:
        return {"error": "stopped", "reason": gate.why_stopped(ticket)}
    pause_s = spacing_s(ticket.zone.permit, gate.permit.shared.get(ticket.target.address, 1))
    whole = {**request, "address": ticket.target.address, "port": port, "spacing_s": pause_s}
    try:
        finished = await gate.run_task(
            ticket, size, task, whole, timeout_s=patience_s(pause_s), credentials=True, port=port, words=WORDS | words
        )
    except OSError as refusal:
        return {"error": "method-failed", "reason": str(refusal)}
    reply = reply_of(finished)
    unused = max(packets - reply.get("requests", packets) - DISCOVERY, 0)
    ticket.zone.refund(charged_ns, unused, size * unused // packets)
    if reply.get("error") in ("timeout", "late"):
        gate.silent(ticket)
    elif "requests" in reply:
        gate.heard(ticket)
    said = finished.stderr.decode("utf-8", "replace") if not finished.sound else ""
    emit.raw(raw, said or json.dumps(reply, indent=1))
    return reply | {"raw": raw}


def spacing_s(zone: ZonePermit, shared_by: int) -> float:
    """Least time between two requests to one device, so that no rate of the zone is exceeded."""
    device, packets, bits = zone.packets_per_s_per_device, zone.packets_per_s, zone.bits_per_s
    return max(
        shared_by / device if device is not None else 0.0,
        1 / packets if packets is not None else 0.0,
        (REQUEST_BYTES + HEADER_BYTES) * 8 / bits if bits is not None else 0.0,
    )


def reply_of(finished: Finished) -> dict[str, Any]:
    """What a task replied; in its place an ``error`` with a ``reason``, if it did not."""
    if finished.ended_by == "stopped":
        return {"error": "stopped", "reason": "kill-switch"}
    if not finished.sound:
        return {"error": "method-failed", "reason": finished.ended_by or f"exit-status {finished.status}"}
    try:
        reply = json.loads(finished.reply)
    except (ValueError, RecursionError):
        reply = None
    return reply if isinstance(reply, dict) else {"error": "method-failed", "reason": "unreadable-reply"}
