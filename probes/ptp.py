"""Method ``ptp-management``: asks a node's own ptp4l how it keeps time, through its management socket (IEEE 1588 15).

Only GET is sent. Each attempt is one poll; polls follow each other by ``spacing_s``. The quantity ``clock-offset`` is
the offset from the master in ns, as the node's servo says of itself; it is not the true time error. The detail holds
what else was read: :func:`probes.ptp_answer.facts`. What the program wrote is kept as it is.

A daemon that lives and does not answer (it hangs, it is in another PTP domain) is ``timeout``: its clock cannot be seen
to be in time. Answers that cannot be read, or of another domain's shape, are ``bad-answer``.

Where nobody listens on the socket there is no clock to be judged: it is not there, is no socket, may not be used, or
its owner is gone. That may be a mistake in the plant file as well as a daemon that was stopped and took its socket
along, and nothing tells them apart; nothing was measured, so it is trouble of the instrument: ``send-failed``, or
``no-privilege``, with the ``errno`` in the detail.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.ports import Ticket
from probes.programs import Finished
from probes.ptp_answer import BadAnswer
from probes.ptp_answer import complete
from probes.ptp_answer import facts
from probes.record import Recorder
from probes.record import compact

LEVEL = "query"
QUANTITY, UNIT = "clock-offset", "ns"
PROGRAM = "pmc"
#: What is asked. Nothing but GET is ever sent: SET would change the node.
DATA_SETS = ("TIME_STATUS_NP", "CURRENT_DATA_SET", "PORT_DATA_SET", "PARENT_DATA_SET")
GPTP_DATA_SET = "PORT_DATA_SET_NP"  #: has asCapable
_ASKED_BYTES = 128  #: of one question on the socket, at most
_OUTPUT_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of one clock, of :attr:`probes.action.Target.ask`."""

    domain: int = 0
    transport_specific: int = 0  #: 1 for gPTP

    @property
    def data_sets(self) -> tuple[str, ...]:
        """What is read of it."""
        return (*DATA_SETS, GPTP_DATA_SET) if self.transport_specific == 1 else DATA_SETS

    def argv(self, socket: str, own: str) -> list[str]:
        """The program's arguments: over the Unix socket, no hop beyond the node itself."""
        options = ["-u", "-b", "0", "-t", f"{self.transport_specific:x}", "-d", str(self.domain), "-s", socket]
        return [PROGRAM, *options, "-i", own, *(f"GET {name}" for name in self.data_sets)]


def _parameters(action: Action) -> tuple[int, float, float]:
    given = action.parameters
    polls, spacing_s = int(given.get("attempts", 1)), float(given.get("spacing_s", 1.0))
    return polls, spacing_s, float(given.get("timeout_ms", 2000)) / 1000


def cost(action: Action, permit: Permit) -> Cost:
    """Nothing on a wire: the questions stay on the node's own socket."""
    polls, spacing_s, timeout_s = _parameters(action)
    gate = Gate(permit)
    asked = [it for it in action.targets if not isinstance(gate.admit_local(it, LEVEL), Refusal)]
    return Cost(0, 0, polls * (spacing_s + timeout_s) if asked else 0.0, LEVEL)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    await asyncio.gather(*(_Polls(action, gate, emit, target).run() for target in action.targets))


class _Polls:
    """All polls of one clock."""

    def __init__(self, action: Action, gate: Gate, emit: Emit, target: Target) -> None:
        self._polls, self._spacing_s, self._timeout_s = _parameters(action)
        self._gate = gate
        self._emit = emit
        self._target = target
        self._ask = Ask(**json.loads(target.ask or "{}"))
        self._record = Recorder(action, QUANTITY, UNIT)

    async def run(self) -> None:
        admitted = self._gate.admit_local(self._target, LEVEL, PROGRAM)
        if isinstance(admitted, Refusal):
            for poll in range(self._polls):
                self._fail(poll, admitted.error, reason=admitted.reason)
            return
        begin_s = time.monotonic()
        for poll in range(self._polls):
            if not await self._wait(admitted, begin_s + poll * self._spacing_s):
                self._fail(poll, "stopped", reason=self._gate.why_stopped(admitted) or "kill-switch")
                continue
            await self._poll(admitted, poll)

    async def _wait(self, ticket: Ticket, until_s: float) -> bool:
        """Wait for a poll's time and for leave; whether there is leave."""
        while True:
            early_s = until_s - time.monotonic()
            if early_s <= 0:
                wait_ns = self._gate.claim(ticket, 0, self._size, self._gate.clock())
                if wait_ns <= 0:
                    return wait_ns != NEVER
                early_s = wait_ns / 1e9
            if self._gate.halted(self._gate.clock()):
                return False
            await asyncio.sleep(min(early_s, 0.1))

    @property
    def _size(self) -> int:
        return _ASKED_BYTES * len(self._ask.data_sets)

    async def _poll(self, ticket: Ticket, poll: int) -> None:
        if self._nobody(ticket, poll):
            return
        own = Path(f"/tmp/plantproof-pmc-{os.getpid()}-{secrets.token_hex(4)}")  # noqa: S108 - a name nobody can guess
        argv = self._ask.argv(self._target.address, str(own))
        utc_ns, monotonic_ns = time.time_ns(), self._gate.clock()
        try:
            ended = await self._gate.run_program(
                ticket, self._size, argv, timeout_s=self._timeout_s, output_bytes=_OUTPUT_BYTES
            )
        except OSError as error:
            self._fail(poll, "no-privilege", reason="no-program", program=PROGRAM, errno=error.errno or 0)
            return
        finally:
            _remove(own)
        said = ended.stdout.decode("utf-8", "replace")
        name = f"pmc/{self._target.id}-{poll}.txt"
        self._emit.raw(name, said + ended.stderr.decode("utf-8", "replace"))
        if not said and ended.ended_by != "stopped" and self._nobody(ticket, poll, name):
            return  # it went while it was asked
        self._judge(poll, ended, said, name, utc_ns, monotonic_ns)

    def _nobody(self, ticket: Ticket, poll: int, raw: str = "") -> bool:
        """Whether nobody listens there, which is told as what came of this poll."""
        try:
            self._gate.find_listener(ticket)
        except OSError as missing:
            error = "no-privilege" if isinstance(missing, PermissionError) else "send-failed"
            name = errno.errorcode.get(missing.errno or errno.ENAMETOOLONG, str(missing.errno))
            ticket.credit = 0  # what this poll did not use is not for the next
            why = {"reason": "no-socket", "errno": name} | ({"raw": raw} if raw else {})
            self._fail(poll, error, 0, 0, **why)
            return True
        return False

    def _judge(self, poll: int, ended: Finished, said: str, raw: str, utc_ns: int, monotonic_ns: int) -> None:
        if ended.ended_by == "stopped":
            self._fail(poll, "stopped", utc_ns, monotonic_ns, reason="kill-switch")
            return
        try:
            found = facts(said)
        except BadAnswer as bad:
            self._fail(poll, "bad-answer", utc_ns, monotonic_ns, reason=str(bad), raw=raw)
            return
        if not found or ended.ended_by:
            self._fail(poll, "timeout", utc_ns, monotonic_ns, raw=raw, heard=sorted(found))
            return
        if not complete(found, gptp=GPTP_DATA_SET in self._ask.data_sets):
            self._fail(poll, "bad-answer", utc_ns, monotonic_ns, reason="incomplete", raw=raw, **found)
            return
        detail = compact(found | {"raw": raw})
        self._emit([self._record.value(self._target, poll, found["offset_ns"], utc_ns, monotonic_ns, detail)])

    def _fail(self, poll: int, error: str, utc_ns: int = 0, monotonic_ns: int = 0, **why: object) -> None:
        self._emit([self._record.error(self._target, poll, error, utc_ns, monotonic_ns, **why)])


def _remove(own: Path) -> None:
    """The program's own socket, which it leaves behind if it was killed."""
    own.unlink(missing_ok=True)


METHOD = Method("ptp-management", LEVEL, cost, run, {QUANTITY: UNIT}, needs=(f"program:{PROGRAM}",))
