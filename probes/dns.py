"""Method ``dns-query``: asks a resolver, one orderly question at a time (RFC 1035).

The quantity ``resolution-delay`` is the time from sending the question over UDP to having the whole answer, in ms, a
repetition over TCP included where the answer was truncated. An answer without records (NXDOMAIN, SERVFAIL, REFUSED, or
no record of that type) is an answer: its delay was measured, ``detail`` has its code, and the list of answers is empty.

``ask`` of a target is ``{"name": ..., "type": ...}``; its address is the resolver's. All questions to one resolver go
through one process of the task :mod:`probes.tasks.dns_query`, some at a time.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.leave import leave
from probes.limits import BACK_OFF_LIMIT
from probes.methods import Emit
from probes.methods import Method
from probes.pace import SECOND_NS
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from probes.programs import Finished
from probes.raw import file_name
from probes.record import Recorder
from probes.record import compact

LEVEL = "query"
TASK = "probes.tasks.dns_query"
PORT = 53
#: Of one question at most: a datagram; and over TCP two SYNs, the question twice, and six acknowledgements and FINs.
PACKETS, PACKET_BYTES = 11, 340  #: a name has at most 255 bytes (RFC 1035 2.3.4); with IPv6, TCP and DNS headers
AT_ONCE = 50  #: questions of one task; if it is ended, what it has learnt is lost
START_S = 20.0  #: how long a task may take besides asking
_FACTS = ("rcode", "flags", "answers", "truncated", "ignored", "reason", "errno", "count")


@dataclass(frozen=True, slots=True)
class QueryParameters:
    """Parameters of the method."""

    attempts: int = 1  #: times that each question is asked
    timeout_ms: float = 2000  #: Tmax of one question, TCP included

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.timeout_ms > 0):
            raise ValueError(f"attempts and timeout_ms must be positive: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> QueryParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Question:
    """One attempt of one target."""

    target: Target
    attempt: int

    def to_wire(self) -> dict[str, str]:
        """What the task needs of it."""
        asked = json.loads(self.target.ask)
        return {"name": asked["name"], "type": asked["type"]}


def cost(action: Action, permit: Permit) -> Cost:
    """The most that the questions can take; without truncation, a question is one packet."""
    parameters = QueryParameters.of(action.parameters)
    asked = replace(action, targets=tuple(_resolver(target) for target in action.targets))
    return price(
        asked, permit, LEVEL, attempts=parameters.attempts, packets=PACKETS, size=lambda _: PACKETS * PACKET_BYTES,
        waiting_s=parameters.timeout_ms / 1000 * parameters.attempts * len(action.targets),
    )  # fmt: skip


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = QueryParameters.of(action.parameters)
    resolvers: dict[Target, list[Target]] = {}
    for target in action.targets:
        resolvers.setdefault(_resolver(target), []).append(target)
    await asyncio.gather(
        *(
            _Resolver(gate, resolver, parameters, Recorder(action, "resolution-delay", "ms"), emit).ask(targets)
            for resolver, targets in resolvers.items()
        )
    )


def _resolver(target: Target) -> Target:
    """Who is asked on behalf of ``target``: a device of its own, whoever's name is in question."""
    return Target(target.address, target.address, target.zone, target.port or PORT)


class _Resolver:
    """One resolver and everything that is asked of it."""

    def __init__(
        self, gate: Gate, resolver: Target, parameters: QueryParameters, recorder: Recorder, emit: Emit
    ) -> None:
        self._gate = gate
        self._resolver = resolver
        self._parameters = parameters
        self._record = recorder
        self._emit = emit

    async def ask(self, targets: list[Target]) -> None:
        """Every question, every attempt: all once, then all again."""
        attempts = range(self._parameters.attempts)
        questions = [Question(target, attempt) for attempt in attempts for target in targets]
        ticket = self._gate.admit(self._resolver, LEVEL, self._resolver.port or PORT, "dns-query")
        if isinstance(ticket, Refusal):
            self._fail(questions, ticket.error, reason=ticket.reason)
            return
        for start in range(0, len(questions), AT_ONCE):
            await self._some(ticket, questions[start : start + AT_ONCE])

    async def _some(self, ticket: Ticket, questions: list[Question]) -> None:
        """Some of the questions, in one task."""
        packets, size = PACKETS * len(questions), PACKETS * PACKET_BYTES * len(questions)
        charged_ns = await leave(self._gate, ticket, packets, size)
        if charged_ns == NEVER:
            self._fail(questions, "stopped", reason=self._gate.why_stopped(ticket))
            return
        pause_s = _pause_s(ticket)
        request = {
            "address": self._resolver.address,
            "port": self._resolver.port,
            "questions": [question.to_wire() for question in questions],
            "timeout_ms": self._parameters.timeout_ms,
            "pause_ms": pause_s * 1000,
            "silence_limit": ticket.zone.permit.silence_limit,
        }
        longest_s = (self._parameters.timeout_ms / 1000 + BACK_OFF_LIMIT * pause_s) * len(questions) + START_S
        try:
            finished = await self._gate.run_task(ticket, size, TASK, request, timeout_s=longest_s)
        except OSError as error:
            self._fail(questions, "method-failed", reason=f"the task did not start: {error}")
            return
        finally:
            ticket.device.connections -= 1
        self._account(ticket, questions, finished, charged_ns)

    def _account(self, ticket: Ticket, questions: list[Question], finished: Finished, charged_ns: int) -> None:
        replies = _replies(finished) if finished.sound else None
        if replies is None:
            error = "stopped" if finished.ended_by == "stopped" else "method-failed"
            said = finished.stderr.decode("utf-8", "replace").strip()[-400:]
            self._fail(questions, error, reason=finished.ended_by or f"exit status {finished.status}", said=said)
            return
        for question, reply in zip(questions, replies, strict=False):
            self._tell(ticket, question, reply)
        unused = PACKETS * len(questions) - sum(PACKETS if reply.get("truncated") else 1 for reply in replies)
        ticket.zone.refund(charged_ns, unused, unused * PACKET_BYTES)
        self._fail(
            questions[len(replies) :], "stopped", reason=self._gate.why_stopped(ticket) or "resolver-went-silent"
        )

    def _tell(self, ticket: Ticket, question: Question, reply: dict[str, Any]) -> None:
        error = reply.get("error")
        (self._gate.silent if error == "timeout" else self._gate.heard)(ticket)
        facts = {"port": self._resolver.port} | {name: reply[name] for name in _FACTS if name in reply}
        if text := reply.get("text"):
            name = f"dns/{question.target.id}-{question.attempt}.txt"
            self._emit.raw(name, text)
            facts["raw"] = file_name(name)
        stamps = reply["utc_ns"], reply["monotonic_ns"]
        if error is None and reply["delay_ms"] > self._parameters.timeout_ms:
            error, facts = "late", facts | {"delay_ms": reply["delay_ms"]}
        if error is None:
            row = self._record.value(question.target, question.attempt, reply["delay_ms"], *stamps, compact(facts))
        else:
            row = self._record.error(question.target, question.attempt, error, *stamps, **facts)
        self._emit([row])

    def _fail(self, questions: list[Question], error: str, **facts: object) -> None:
        """Account for what was not asked, or whose answer is lost."""
        facts |= {"port": self._resolver.port}
        self._emit([self._record.error(it.target, it.attempt, error, 0, 0, **facts) for it in questions])


def _pause_s(ticket: Ticket) -> float:
    """From the beginning of one question to that of the next, so that each keeps the device's and the zone's rate."""
    zone = ticket.zone.permit
    by_packets = PACKETS / zone.packets_per_s if zone.packets_per_s is not None else 0.0
    by_bits = PACKETS * PACKET_BYTES * 8 / zone.bits_per_s if zone.bits_per_s is not None else 0.0
    return max(ticket.device.gap_ns / SECOND_NS, by_packets, by_bits)


def _replies(finished: Finished) -> list[dict[str, Any]] | None:
    """What the task replied; nothing if it did not."""
    try:
        found = json.loads(finished.reply)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


METHOD = Method("dns-query", LEVEL, cost, run, {"resolution-delay": "ms"}, needs=("python:dns",))
