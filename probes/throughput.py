"""Method ``tcp-throughput``: goodput of TCP to an iperf3 server, up and down, what the receiver got (RFC 6349 idea).

Each attempt is one test in each direction asked for (RFC 6349 section 4 measures both), after an omitted beginning in
which TCP finds its rate. One test runs at a time from one vantage point, and a server that is busy with
another's is asked again a few times. The rate never exceeds what is asked (``limit_mbit_s``) or what the zone's budget
permits; a rate found at such a cap says ``"bound"`` in its detail: it is a lower bound of what the path can carry.

libiperf runs in a one-shot process (:mod:`probes.tasks.iperf3_client`); :mod:`probes.iperf3_report` reads its report.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from functools import partial
from math import ceil
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.iperf3_report import Asked
from probes.iperf3_report import Failure
from probes.iperf3_report import Transfer
from probes.iperf3_report import meaning
from probes.iperf3_report import read
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ports import Ticket
from probes.price import price
from probes.programs import Finished
from probes.record import Recorder
from probes.record import compact

LEVEL = "load"
TASK = "probes.tasks.iperf3_client"
UP, DOWN = "goodput-up", "goodput-down"
DIRECTIONS = {"up": (UP,), "down": (DOWN,), "both": (UP, DOWN)}
SEGMENT_BYTES = 1200  #: payload of a TCP segment on a path of IPv6's least MTU (RFC 8200 section 5)
OVERHEAD = 1.1  #: IP bytes over payload bytes: headers of such segments, and some retransmissions
CONTROL_BYTES = 1 << 16  #: iperf3's control connection, at most
LARGEST_BLOCK, BLOCKS_PER_S = 1 << 17, 50  #: libiperf paces by whole blocks; several a second keep the pace even
AT_CAP = 0.9  #: share of the cap from which a rate is taken to be the cap's and not the path's
STDERR_TAIL = 300
PAUSE_S = 0.05  #: longest wait between two looks at the kill switch


@dataclass(frozen=True, slots=True)
class ThroughputParameters:
    """Parameters of the method."""

    attempts: int = 1  #: tests of each target in each direction
    direction: str = "both"  #: "up" is towards the target, "down" from it
    duration_s: int = 3  #: that count, whole seconds
    omit_s: int = 1  #: left out at the beginning, whole seconds
    streams: int = 1  #: parallel connections of one test
    limit_mbit_s: float = 1000.0  #: rate that is not exceeded, all streams together
    timeout_ms: float = 3000.0  #: for the connection
    margin_s: float = 10.0  #: how long a test may take more than it should, before it is ended
    busy_retries: int = 5  #: how often a busy server is asked again
    busy_pause_s: float = 2.0  #: pause before that
    congestion: str = ""  #: the sender's congestion control by name; empty: the host's

    def __post_init__(self) -> None:
        whole = (self.attempts, self.duration_s, self.streams)
        if (
            min(*whole, self.limit_mbit_s, self.timeout_ms, self.margin_s) <= 0
            or min(self.omit_s, self.busy_retries) < 0
        ):
            raise ValueError(f"attempts, durations, streams and limits must be positive: {self}")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction {self.direction!r} is none of {', '.join(DIRECTIONS)}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> ThroughputParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is measured, a test each."""
        return DIRECTIONS[self.direction]

    @property
    def longest_s(self) -> float:
        """When one test is ended at the latest."""
        return self.timeout_ms / 1000 + self.omit_s + self.duration_s + self.margin_s

    def bits_per_s(self, zone: ZonePermit) -> int:
        """Payload that may flow: what is asked, as far as the zone's budget permits it."""
        permitted = [self.limit_mbit_s * 1e6]
        if zone.bits_per_s is not None:
            permitted.append(zone.bits_per_s / OVERHEAD)
        if zone.packets_per_s is not None:
            permitted.append(zone.packets_per_s * SEGMENT_BYTES * 8 / OVERHEAD)
        return max(int(min(permitted)), 1)

    def bytes(self, zone: ZonePermit) -> int:
        """IP bytes of one test, at most; one second more than it lasts, because libiperf paces by blocks."""
        seconds = self.omit_s + self.duration_s + 1
        return ceil(self.bits_per_s(zone) / 8 * seconds * OVERHEAD) + CONTROL_BYTES

    def packets(self, zone: ZonePermit) -> int:
        """IP packets of one test, at most."""
        return ceil(self.bytes(zone) / SEGMENT_BYTES)


def cost(action: Action, permit: Permit) -> Cost:
    """Every test in each direction, at the full permitted rate; what a server sends is charged as if it were sent."""
    parameters = ThroughputParameters.of(action.parameters)
    tests = len(parameters.quantities) * parameters.attempts
    waiting_s = parameters.longest_s + parameters.busy_retries * parameters.busy_pause_s
    total = Cost(0, 0, 0.0, LEVEL)
    for zone in dict.fromkeys(target.zone for target in action.targets):
        limits = permit.zones.get(zone, ZonePermit(zone, LEVEL))
        size, packets = parameters.bytes(limits), parameters.packets(limits)
        part = replace(action, targets=tuple(target for target in action.targets if target.zone == zone))
        longest_s = waiting_s * tests * len(part.targets)
        one = price(
            part, permit, LEVEL, attempts=tests, packets=packets, size=partial(_same, size), waiting_s=longest_s
        )
        total = Cost(total.packets + one.packets, total.bytes + one.bytes, total.duration_s + one.duration_s, LEVEL)
    return total


def _same(size: int, _ticket: Ticket) -> int:
    return size


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = ThroughputParameters.of(action.parameters)
    for target in action.targets:
        ticket = (
            gate.admit(target, LEVEL, target.port, action.method)
            if target.port
            else Refusal("refused-by-guard", "no-port")
        )
        for attempt in range(parameters.attempts):
            for quantity in parameters.quantities:
                record = Recorder(action, quantity, QUANTITIES[quantity])
                if isinstance(ticket, Refusal):
                    emit([record.error(target, attempt, ticket.error, reason=ticket.reason)])
                    continue
                async with gate.alone:
                    await _Test(gate, ticket, parameters, record, emit).run(attempt, reverse=quantity == DOWN)


class _Test:
    """One test in one direction, until it has an observation."""

    def __init__(
        self, gate: Gate, ticket: Ticket, parameters: ThroughputParameters, record: Recorder, emit: Emit
    ) -> None:
        zone = ticket.zone.permit
        target, own = ticket.target, parameters
        self._gate = gate
        self._ticket = ticket
        self._parameters = parameters
        self._record = record
        self._emit = emit
        self._size, self._packets = own.bytes(zone), own.packets(zone)
        self._bits_per_s = own.bits_per_s(zone)
        self._permit_binds = self._bits_per_s < int(own.limit_mbit_s * 1e6)
        self._asked = Asked(target.address, target.port or 0, False, own.streams, own.duration_s, own.omit_s)

    async def run(self, attempt: int, *, reverse: bool) -> None:
        """Make the test, again while the server is busy; emit its one observation."""
        self._asked = replace(self._asked, reverse=reverse)
        target, tries = self._ticket.target, 0
        while True:
            charged_ns = await self._leave()
            if charged_ns is None:
                reason = self._gate.why_stopped(self._ticket)
                self._emit([self._record.error(target, attempt, "stopped", reason=reason, tries=tries)])
                return
            utc_ns, monotonic_ns = time.time_ns(), self._gate.clock()
            tries += 1
            finished = await self._perform()
            found = _outcome(finished, self._asked)
            self._settle(found, charged_ns)
            if not (isinstance(found, Failure) and found.error == "busy" and tries <= self._parameters.busy_retries):
                break
            await asyncio.sleep(self._parameters.busy_pause_s)
        facts: dict[str, Any] = {"port": target.port, "tries": tries, **self._keep(finished, target, attempt)}
        if isinstance(found, Failure):
            row = self._record.error(target, attempt, found.error, utc_ns, monotonic_ns, **facts, why=found.why)
        else:
            facts |= {"limit_mbit_s": self._bits_per_s / 1e6, **self._bound(found), **found.facts}
            row = self._record.value(target, attempt, found.mbit_s, utc_ns, monotonic_ns, compact(facts))
        self._emit([row])

    async def _leave(self) -> int | None:
        """When the gate let the test begin; nothing if it never will."""
        while wait_ns := self._gate.claim(self._ticket, self._packets, self._size, now_ns := self._gate.clock()):
            if wait_ns == NEVER:
                return None
            await asyncio.sleep(min(wait_ns / 1e9, PAUSE_S))
        return now_ns

    async def _perform(self) -> Finished | OSError:
        asked = self._asked
        block = max(SEGMENT_BYTES, self._bits_per_s // asked.streams // 8 // BLOCKS_PER_S)
        request = {
            "address": asked.address,
            "port": asked.port,
            "reverse": asked.reverse,
            "streams": asked.streams,
            "duration_s": asked.duration_s,
            "omit_s": asked.omit_s,
            "bits_per_s": max(self._bits_per_s, asked.streams),
            "block_bytes": min(block, LARGEST_BLOCK),
            "connect_timeout_ms": int(self._parameters.timeout_ms),
            "congestion": self._parameters.congestion,
        }
        try:
            return await self._gate.run_task(
                self._ticket, self._size, TASK, request, timeout_s=self._parameters.longest_s
            )
        except OSError as error:
            return error
        finally:
            self._ticket.device.connections -= 1

    def _settle(self, found: Transfer | Failure, charged_ns: int) -> None:
        """Tell the gate how the device fared, and give back what was charged and not used."""
        if isinstance(found, Transfer):
            self._gate.heard(self._ticket)
            unused = self._size - min(ceil(found.moved_bytes * OVERHEAD) + CONTROL_BYTES, self._size)
            self._ticket.zone.refund(charged_ns, self._packets * unused // self._size, unused)
        elif found.error == "timeout":
            self._gate.silent(self._ticket)

    def _keep(self, finished: Finished | OSError, target: Target, attempt: int) -> dict[str, str]:
        """Keep the report as it was printed."""
        if isinstance(finished, OSError) or not finished.stdout:
            return {}
        direction = "down" if self._asked.reverse else "up"
        address = target.address.replace(":", "-").partition("%")[0]
        name = f"iperf3/{target.id}-{address}-{target.port}-{direction}-{attempt}.json"
        self._emit.raw(name, finished.stdout.decode("utf-8", "replace"))
        return {"raw": name}

    def _bound(self, found: Transfer) -> dict[str, str]:
        if found.mbit_s * 1e6 < AT_CAP * self._bits_per_s:
            return {}
        return {"bound": "permit" if self._permit_binds else "asked"}


def _outcome(finished: Finished | OSError, asked: Asked) -> Transfer | Failure:
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
    return read(finished.stdout, asked)


QUANTITIES = {UP: "Mbit/s", DOWN: "Mbit/s"}
METHOD = Method("tcp-throughput", LEVEL, cost, run, QUANTITIES, needs=("python:iperf3", "library:libiperf.so.0"))
