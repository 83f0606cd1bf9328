"""The method ``acme-greeting``: what a meter says to whoever connects to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.at import Answer
from probes.at import read
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.leave import leave
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.price import price
from probes.record import Recorder
from probes.record import compact
from profiles.observation import Observation

LEVEL = "query"
QUANTITIES = {"greeting-delay": "ms", "acme-level": "dBm"}
PACKETS, SIZE = 6, 400  # of a handshake, a line and the end


def cost(action: Action, permit: Permit) -> Cost:
    """One short connection for each attempt."""
    timeout_s = action.parameters["timeout_ms"] / 1000
    attempts = action.parameters["attempts"]
    return price(
        action, permit, LEVEL, attempts=attempts, packets=PACKETS, size=lambda _: SIZE, waiting_s=timeout_s + 1
    )


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Ask one meter after the other."""
    for attempt in range(action.parameters["attempts"]):
        for target in action.targets:
            emit([*await _ask(action, gate, emit, target, attempt)])


async def _ask(action: Action, gate: Gate, emit: Emit, target: Target, attempt: int) -> Iterator[Observation]:
    def failed(error: str, reason: str) -> Iterator[Observation]:
        recorders = (Recorder(action, *what) for what in QUANTITIES.items())
        return (recorder.error(target, attempt, error, reason=reason) for recorder in recorders)

    ticket = gate.admit(target, LEVEL, method=action.method)
    if isinstance(ticket, Refusal):
        return failed(ticket.error, ticket.reason)
    if await leave(gate, ticket, PACKETS, SIZE) == NEVER:
        return failed("stopped", gate.why_stopped(ticket))
    timeout_s = action.parameters["timeout_ms"] / 1000
    request = {"host": target.address, "port": target.port, "timeout_s": timeout_s}
    finished = await gate.run_task(ticket, SIZE, "acme_plantproof.task", request, timeout_s=timeout_s + 10)
    if not finished.sound:
        return failed("method-failed", finished.stderr.decode("utf-8", "replace")[-200:] or finished.ended_by)
    reply = json.loads(finished.reply)
    if "error" in reply:
        return failed(reply["error"], "")
    gate.heard(ticket)
    name = f"acme/{target.id}-{attempt}.txt"
    emit.raw(name, reply["said"])
    answer = Answer((reply["said"].strip(),), "OK")
    level = read(action.parameters["dialect"], [("connect", answer)]).values.get("acme-level")
    if level is None:
        return failed("bad-answer", reply["said"])
    values = {"greeting-delay": reply["delay_ms"], "acme-level": level.number}
    detail = compact({"port": target.port, "raw": name})
    now = (time.time_ns(), time.monotonic_ns(), detail)
    recorders = ((Recorder(action, *what), what[0]) for what in QUANTITIES.items())
    return (recorder.value(target, attempt, values[quantity], *now) for recorder, quantity in recorders)


METHOD = Method("acme-greeting", LEVEL, cost, run, QUANTITIES, needs=("python:socket",))
