"""What a 5G modem says of its cell and its registration, asked on its command port. Method ``modem-status``.

Each attempt puts the questions of the modem's dialect, one after the other, and gives SS-RSRP, SS-RSRQ, SS-SINR (3GPP
TS 38.215 clause 5.1) and whether it is registered in standalone mode (1 or 0). An answer is taken only if it came in
time and answers what was asked; one that comes after that is ``late``, and before anything further is asked the port is
brought back into step. ``absent`` means that the modem itself says that it has no such reading: no cell, no NR leg, an
index that stands for "unknown". The whole transcript is kept as raw output.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.at import Answer
from probes.at import Reading
from probes.at import read
from probes.conversation import GRACE
from probes.conversation import QUIET_S
from probes.conversation import Conversation
from probes.conversation import NoAnswerError
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.leave import leave
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.ports import Ticket
from probes.record import Recorder
from probes.record import compact
from profiles.observation import Observation

LEVEL = "query"
REGISTRATION = "registration"
QUANTITIES = {"ss-rsrp": "dBm", "ss-rsrq": "dB", "ss-sinr": "dB", REGISTRATION: "1"}


@dataclass(frozen=True, slots=True)
class ModemParameters:
    """Parameters of the method."""

    dialects: Mapping[str, Any]  #: by name, as :func:`probes.dialects.load` gives them
    attempts: int = 5
    interval_ms: float = 500  #: between the beginnings of two attempts
    timeout_ms: float = 2000  #: for each answer

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> ModemParameters:
        """From an action's parameters."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    def dialect(self, target: Target) -> Mapping[str, Any]:
        """The dialect of the modem that ``target`` is."""
        found: Mapping[str, Any] = self.dialects[json.loads(target.ask)["dialect"]]
        return found


def cost(action: Action, permit: Permit) -> Cost:
    """No packet; the time that modems take which answer each question in the last moment."""
    del permit
    asked = ModemParameters.of(action.parameters)
    most = max((len(asked.dialect(target)["ask"]) for target in action.targets), default=0)
    round_s = (most + 2 * GRACE + 1) * asked.timeout_ms / 1000 + QUIET_S
    return Cost(0, 0, asked.attempts * max(round_s, asked.interval_ms / 1000), LEVEL)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`. Modems are asked beside each other."""
    asked = ModemParameters.of(action.parameters)
    await asyncio.gather(*(_Modem(action, target, asked, gate, emit).run() for target in action.targets))


class _Modem:
    """All attempts at one modem."""

    def __init__(self, action: Action, target: Target, asked: ModemParameters, gate: Gate, emit: Emit) -> None:
        self._recorders = {quantity: Recorder(action, quantity, unit) for quantity, unit in QUANTITIES.items()}
        self._target = target
        self._asked = asked
        self._dialect = asked.dialect(target)
        self._gate = gate
        self._emit = emit
        self._raw = f"modem/{target.id}.txt"

    async def run(self) -> None:
        admitted = self._gate.admit_local(self._target, LEVEL, "modem-status")
        if isinstance(admitted, Refusal):
            return self._all_fail(0, NoAnswerError(admitted.error, reason=admitted.reason))
        try:
            port = self._gate.serial_port(admitted)
        except OSError as refusal:
            return self._all_fail(0, _refused(refusal))
        conversation = Conversation(port, self._asked.timeout_ms / 1000)
        try:
            await self._attempts(admitted, conversation)
        finally:
            port.close()
            self._emit.raw(self._raw, conversation.transcript())
        return None

    async def _attempts(self, ticket: Ticket, conversation: Conversation) -> None:
        commands = [(ask["command"], ask["prefix"]) for ask in self._dialect["ask"]]
        size = sum(len(command) + 1 for command, _ in commands) + len("AT\r")
        for attempt in range(self._asked.attempts):
            began_s = time.monotonic()
            ticket.credit = 0  # what an attempt did not use is not for the next
            if await leave(self._gate, ticket, 1, size) == NEVER:
                return self._all_fail(attempt, NoAnswerError("stopped", reason=self._gate.why_stopped(ticket)))
            try:
                await self._attempt(attempt, commands, conversation)
            except PermissionError:
                raise  # a bug of this module
            except OSError as lost:
                reason = errno.errorcode.get(lost.errno or 0, str(lost.errno))
                return self._all_fail(attempt, NoAnswerError("send-failed", reason="port-lost", errno=reason))
            if attempt + 1 < self._asked.attempts:
                await asyncio.sleep(max(began_s + self._asked.interval_ms / 1000 - time.monotonic(), 0))
        return None

    async def _attempt(self, attempt: int, commands: list[tuple[str, str]], conversation: Conversation) -> None:
        """Put the questions; what was answered before one failed counts."""
        utc_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
        answers: list[tuple[str, Answer]] = []
        failure: NoAnswerError | None = None
        try:
            await conversation.get_in_step()
            for command, prefix in commands:
                answers.append((command, await conversation.ask(command, prefix)))
        except NoAnswerError as missing:
            failure = missing
        reading = read(self._dialect, answers)
        refused = [f"{command}: {answer.final}" for command, answer in answers if not answer.ok]
        self._emit([*self._rows(attempt, reading, failure, refused, utc_ns, monotonic_ns)])

    def _rows(
        self,
        attempt: int,
        reading: Reading,
        failure: NoAnswerError | None,
        refused: list[str],
        utc_ns: int,
        monotonic_ns: int,
    ) -> list[Observation]:
        facts: dict[str, Any] = {**reading.kept, "raw": self._raw}
        facts |= {"notes": reading.notes} if reading.notes else {}
        facts |= {"refused": refused} if refused else {}
        rows = []
        number: float | None
        own: dict[str, Any]
        for quantity, recorder in self._recorders.items():
            if quantity == REGISTRATION:
                number, own = _registration(reading), {name: reading.truths.get(name) for name in _TRUTHS}
            elif value := reading.values.get(quantity):
                number, own = value.number, {"index": value.raw, "by": value.command}
            else:
                number, own = None, {}
            if number is not None:
                detail = compact(facts | own)
                rows.append(recorder.value(self._target, attempt, number, utc_ns, monotonic_ns, detail))
                continue
            why = failure or _why_unread(quantity, reading, refused)
            more: dict[str, Any] = facts | why.facts
            rows.append(recorder.error(self._target, attempt, why.error, utc_ns, monotonic_ns, **more))
        return rows

    def _all_fail(self, first: int, why: NoAnswerError) -> None:
        """Every attempt from ``first`` on has failed, for the same reason."""
        self._emit(
            [
                recorder.error(self._target, attempt, why.error, **why.facts)
                for attempt in range(first, self._asked.attempts)
                for recorder in self._recorders.values()
            ]
        )


_TRUTHS = ("registered", "standalone")


def _registration(reading: Reading) -> float | None:
    """1 if it is registered in standalone mode, 0 if it is not, nothing if that was not said."""
    said = [reading.truths.get(name) for name in _TRUTHS]
    return 0.0 if False in said else None if None in said else 1.0


def _why_unread(quantity: str, reading: Reading, refused: list[str]) -> NoAnswerError:
    """Why a modem that answered everything gave no number."""
    if why := reading.unread.get(quantity):
        return NoAnswerError("absent" if why == "not-reported" else "bad-answer", reason=why)
    if reading.strange:
        return NoAnswerError("bad-answer", reason="unknown-layout", line=reading.strange[0][:200])
    if refused and (quantity == REGISTRATION or not reading.truths):
        return NoAnswerError("bad-answer", reason="command-refused")
    return NoAnswerError("bad-answer" if quantity == REGISTRATION else "absent", reason="not-reported")


_REFUSED = {
    errno.EBUSY: "port-busy",
    errno.ENOENT: "no-such-port",
    errno.ENOTDIR: "no-such-port",
    errno.ENODEV: "no-such-port",  # unplugged; its name is still there
    errno.ENXIO: "no-such-port",
    errno.ENOTTY: "no-command-port",
    errno.EISDIR: "no-command-port",
}


def _refused(refusal: OSError) -> NoAnswerError:
    name = errno.errorcode.get(refusal.errno or 0, str(refusal.errno))
    if refusal.errno in (errno.EACCES, errno.EPERM):
        return NoAnswerError("no-privilege", errno=name)
    return NoAnswerError("send-failed", reason=_REFUSED.get(refusal.errno or 0, "port-unusable"), errno=name)


METHOD = Method("modem-status", LEVEL, cost, run, QUANTITIES)
