"""One test of a rate against one iperf3 server in one direction, until there is an outcome.

libiperf runs in a one-shot process (:mod:`probes.tasks.iperf3_client`); :mod:`probes.iperf3_report` reads its report.
One test runs at a time from one vantage point, and a server that is busy with another's is asked again a few times.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from math import ceil
from typing import Any

from probes.gate import NEVER
from probes.gate import Gate
from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_report import Transfer
from probes.iperf3_report import meaning
from probes.leave import leave
from probes.methods import Emit
from probes.ports import Ticket
from probes.programs import Finished
from probes.rate_parameters import CONTROL_BYTES
from probes.rate_parameters import RateTestParameters
from probes.working_latency import WorkingLatency

TASK = "probes.tasks.iperf3_client"
STDERR_TAIL = 300
ANSWERS = frozenset({"busy", "refused"})  #: failures that a device which is well answers

#: Reads the report of the test that was asked for, beside what the kernel said of it; raises nothing.
Read = Callable[[bytes, Asked, Mapping[str, Any]], Transfer | Failure]


@dataclass(slots=True)
class Outcome:
    """What came of one test."""

    found: Transfer | Failure
    utc_ns: int = 0  #: when it began; 0 if it did not
    monotonic_ns: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


class RateTest:
    """Tests of one target, one at a time."""

    def __init__(
        self, gate: Gate, ticket: Ticket, parameters: RateTestParameters, read: Read, emit: Emit, folder: str,
        latency: WorkingLatency | None = None,
    ) -> None:  # fmt: skip
        zone = ticket.zone.permit
        self._gate = gate
        self._ticket = ticket
        self._parameters = parameters
        self._read = read
        self._emit = emit
        self._folder = folder
        self._latency = latency
        self._size, self._packets = parameters.bytes(zone), parameters.packets(zone)

    async def run(self, attempt: int, direction: str) -> Outcome:
        """Make the test, again while the server is busy, or did not come about."""
        asked = self._parameters.asked(self._ticket.target, self._ticket.zone.permit, direction)
        tries = 0
        while True:
            if self._latency is not None and not tries:
                await self._latency.before(asked.duration_s)
            charged_ns = await leave(self._gate, self._ticket, self._packets, self._size)
            if charged_ns == NEVER:
                reason = self._gate.why_stopped(self._ticket)
                return Outcome(Failure("stopped", reason), facts={"reason": reason, "tries": tries})
            utc_ns, monotonic_ns = time.time_ns(), self._gate.clock()
            tries += 1
            finished, found = await self._once(asked)
            self._settle(found, charged_ns)
            if not (isinstance(found, Failure) and tries <= self._retries(found.error)):
                break
            await asyncio.sleep(self._parameters.busy_pause_s)
        facts = {"port": asked.port, "tries": tries, **self._keep(finished, direction, attempt)}
        if self._latency is not None and not isinstance(found, Failure):
            facts |= self._latency.facts
        return Outcome(found, utc_ns, monotonic_ns, facts)

    def _retries(self, error: str) -> int:
        own = self._parameters
        return {"busy": own.busy_retries, "timeout": own.timeout_retries}.get(error, 0)

    async def _once(self, asked: Asked) -> tuple[Finished | OSError, Transfer | Failure]:
        if self._latency is not None:
            self._latency.begin()
        found: Transfer | Failure = Failure("method-failed", "")
        try:
            finished = await self._perform(asked)
            found = self._outcome(finished, asked)
        finally:
            if self._latency is not None:
                await self._latency.end()
        if self._latency is not None and not isinstance(finished, OSError):
            self._latency.keep(_told(finished.reply), asked.omit_s)
        return finished, found

    async def _perform(self, asked: Asked) -> Finished | OSError:
        request = self._parameters.request(asked)
        try:
            return await self._gate.run_task(
                self._ticket, self._size, TASK, request, timeout_s=self._parameters.longest_s
            )
        except OSError as error:
            return error
        finally:
            self._ticket.device.connections -= 1

    def _outcome(self, finished: Finished | OSError, asked: Asked) -> Transfer | Failure:
        """What a one-shot process has left behind."""
        if isinstance(finished, OSError):
            return Failure("method-failed", f"the task did not start: {finished}")
        if finished.ended_by:
            meant = {"timeout": "timeout", "stopped": "stopped", "output": "bad-answer"}
            why = f"ended by {finished.ended_by} after {finished.duration_s:.1f} s"
            return Failure(meant.get(finished.ended_by, "method-failed"), why)
        if not finished.stdout.strip():
            said = finished.stderr.decode("utf-8", "replace").strip()[-STDERR_TAIL:]
            code = meaning(said)
            return Failure("method-failed" if code == "bad-answer" else code, said or f"status {finished.status}")
        return self._read(finished.stdout, asked, _told(finished.reply))

    def _settle(self, found: Transfer | Failure, charged_ns: int) -> None:
        """Tell the gate how the device fared, and give back what was charged and not used."""
        if not isinstance(found, Failure) or found.error in ANSWERS:
            self._gate.heard(self._ticket)
        elif found.error == "timeout":
            self._gate.silent(self._ticket)
        if isinstance(found, Failure):
            used = CONTROL_BYTES if found.idle else self._size
        else:
            used = ceil(found.moved_bytes * self._parameters.overhead) + CONTROL_BYTES
        unused = self._size - min(used, self._size)
        self._ticket.zone.refund(charged_ns, self._packets * unused // self._size, unused)

    def _keep(self, finished: Finished | OSError, direction: str, attempt: int) -> dict[str, str]:
        """Keep the report as it was printed."""
        if isinstance(finished, OSError) or not finished.stdout:
            return {}
        target = self._ticket.target
        address = target.address.replace(":", "-").partition("%")[0]
        name = f"{self._folder}/{target.id}-{address}-{target.port}-{direction}-{attempt}.json"
        self._emit.raw(name, finished.stdout.decode("utf-8", "replace"))
        return {"raw": name}


def _told(reply: bytes) -> Mapping[str, Any]:
    """What the task says of its sockets, beside libiperf's report; nothing if it says nothing."""
    try:
        found = json.loads(reply)
    except ValueError:
        return {}
    kernel = found.get("kernel") if isinstance(found, dict) else None
    return kernel if isinstance(kernel, dict) else {}
