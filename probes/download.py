"""Method ``http-throughput``: goodput of several parallel HTTP/1.1 connections to one server, down and up, or HTTPS.

Downwards each connection asks for the declared path (GET), again and again, and what arrives of the bodies counts, in
the slice of time in which it arrives. Upwards each sends one body (POST, chunked) for as long as the test lasts, and
what the server's kernel has acknowledged counts, less what TLS adds to it; the server must accept it in the end (2xx).
The beginning, in which TCP finds its rate, is left out. The clock starts when all connections stand.

A rate is reported only where every connection moved octets to the end of the test, in answers that were well formed
(:mod:`probes.http_answer`). One test runs at a time from one vantage point. It never exceeds what is asked
(``limit_mbit_s``) or what the zone's budget permits; a rate found at such a cap says ``"bound"`` in its detail. A rate
that the tester, a window or a buffer bounded is none at all, but ``unsound`` (:mod:`probes.soundness`).

What a target asks (JSON): the path of each direction, ``down`` and ``up``, where it has one, the server's ``name``
if it goes by one, and ``"tls": "yes"`` if it is to be asked within TLS (:mod:`probes.tls_stream`). The series of octets
by slice is kept as raw output.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import errno
import json
import time
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from math import ceil
from typing import Any

from probes import soundness
from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.http_answer import HTTP_PORT
from probes.http_answer import HTTPS_PORT
from probes.http_pull import Pull
from probes.http_push import Push
from probes.http_transfer import BLOCK
from probes.http_transfer import MOST_CONNECTIONS
from probes.http_transfer import Failure
from probes.http_transfer import Transfer
from probes.http_transfer import Want
from probes.iperf3_report import AT_CAP
from probes.leave import leave
from probes.load_port import CONNECTION_BYTES
from probes.load_port import LoadPort
from probes.load_port import ip_bytes
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ports import Ticket
from probes.rate_parameters import DIRECTIONS
from probes.rate_parameters import LEVEL
from probes.rate_parameters import LoadParameters
from probes.rate_parameters import of_directions
from probes.rate_price import priced
from probes.record import Recorder
from probes.record import compact
from probes.tls_stream import HANDSHAKE_BYTES

QUANTITIES = {"goodput-up": "Mbit/s", "goodput-down": "Mbit/s"}
SPARE_S = 0.25  #: a test's end takes a little longer than its time
HELD_PERCENT = 50  #: share of the time that connections waited for the limit, from which it is what bound the rate
#: What the tester's own host says, and not the server or the way there.
OWN_TROUBLE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENODEV, errno.ENETDOWN}


@dataclass(frozen=True)
class DownloadParameters(LoadParameters):
    """Parameters of the method; streams are connections."""

    duration_s: float = 3.0  #: that count
    omit_s: float = 1.0  #: left out at the beginning
    streams: int = 4  #: parallel connections
    timeout_ms: float = 5000.0  #: for a connection, an answer, and any silence while a body is on its way
    slice_ms: int = 100  #: of the series

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.duration_s <= 0 or self.omit_s < 0 or self.streams > MOST_CONNECTIONS:
            raise ValueError(f"durations must be positive, and connections no more than {MOST_CONNECTIONS}: {self}")
        if not 10 <= self.slice_ms <= 100 or self.duration_s * 1000 < self.slice_ms:
            raise ValueError(f"a slice takes 10 ms to 100 ms, and no longer than the test: {self}")

    def bytes(self, zone: ZonePermit) -> int:
        """IP bytes of one test, at most: its whole time at the permitted rate, and what comes after it."""
        seconds = self.omit_s + self.duration_s + SPARE_S
        payload = ceil(self.bits_per_s(zone) / 8 * seconds) + self.streams * (BLOCK + HANDSHAKE_BYTES)
        return ip_bytes(payload) + MOST_CONNECTIONS * CONNECTION_BYTES

    @property
    def longest_s(self) -> float:
        """When one test has ended at the latest: connections, the test, the last silence, the server's last word."""
        return self.omit_s + self.duration_s + 3 * self.timeout_ms / 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What one target asks."""

    paths: Mapping[str, str]  #: by direction
    host: str  #: the server's name; empty: it has an address only
    name: str  #: as requests name it
    secure: bool

    @classmethod
    def of(cls, target: Target) -> Asked:
        """Read a target's question.

        Raises:
            ValueError: if it has none.
        """
        found = json.loads(target.ask or "null")
        if not isinstance(found, dict) or not all(isinstance(it, str) for it in found.values()):
            raise ValueError(f"{target.id} asks nothing")
        literal = f"[{target.address}]" if ":" in target.address else target.address
        secure, host = found.get("tls") == "yes", found.get("name", "")
        port = "" if target.port == (HTTPS_PORT if secure else HTTP_PORT) else f":{target.port}"
        paths = {way: found[way] for way in DIRECTIONS["both"] if way in found}
        return cls(paths, host, (host or literal) + port, secure)


def cost(action: Action, permit: Permit) -> Cost:
    """Every test in each direction that a target has, at the full permitted rate; what a server sends is charged."""
    parameters = DownloadParameters.of(action.parameters)

    def tests(target: Target) -> int:
        return parameters.attempts * sum(way in Asked.of(target).paths for way in parameters.directions)

    return priced(action, permit, parameters, tests, longest_s=parameters.longest_s)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = DownloadParameters.of(action.parameters)
    for target in action.targets:
        asked = Asked.of(target)
        ticket = (
            gate.admit(target, LEVEL, target.port, action.method)
            if target.port
            else Refusal("refused-by-guard", "no-port")
        )
        for attempt in range(parameters.attempts):
            for way in parameters.directions:
                record = Recorder(action, f"goodput-{way}", QUANTITIES[f"goodput-{way}"])
                if isinstance(ticket, Refusal):
                    emit([record.error(target, attempt, ticket.error, reason=ticket.reason)])
                elif way not in asked.paths:
                    emit([record.error(target, attempt, "absent", reason="no-path")])
                else:
                    async with gate.alone:
                        test = _Test(gate, ticket, parameters, record, emit)
                        await test.run(attempt, way, asked)


class _Test:
    """One test in one direction, until it has an observation."""

    def __init__(
        self, gate: Gate, ticket: Ticket, parameters: DownloadParameters, record: Recorder, emit: Emit
    ) -> None:
        zone = ticket.zone.permit
        self._gate = gate
        self._ticket = ticket
        self._parameters = parameters
        self._record = record
        self._emit = emit
        self._size, self._packets = parameters.bytes(zone), parameters.packets(zone)
        self._bits_per_s = parameters.bits_per_s(zone)
        self._permit_binds = parameters.permit_binds(zone)

    async def run(self, attempt: int, way: str, asked: Asked) -> None:
        """Make the test and emit its one observation."""
        target, own = self._ticket.target, self._parameters
        charged_ns = await leave(self._gate, self._ticket, self._packets, self._size)
        if charged_ns == NEVER:
            reason = self._gate.why_stopped(self._ticket)
            self._emit([self._record.error(target, attempt, "stopped", reason=reason)])
            return
        want = Want(
            way=way,
            path=asked.paths[way],
            host=asked.host,
            name=asked.name,
            port=target.port or 0,
            streams=own.streams,
            timeout_s=own.timeout_ms / 1000,
            duration_s=own.duration_s,
            omit_s=own.omit_s,
            slice_s=own.slice_ms / 1000,
            secure=asked.secure,
        )
        utc_ns, monotonic_ns = time.time_ns(), self._gate.clock()
        port = self._gate.load_port(self._ticket, self._size, self._bits_per_s)
        if self._permit_binds and way == "down":
            port.hold_back(own.streams)
        try:
            found = await (Pull if way == "down" else Push)(port, want).perform(self._ended)
        finally:
            port.close()
        found = self._weighed(found, port, way)
        self._settle(found, charged_ns, port.left)
        facts: dict[str, Any] = {"port": target.port, "path": want.path, "streams": own.streams}
        facts |= self._keep(found.series, want, attempt)
        if isinstance(found, Failure):
            error, more = _meaning(found)
            row = self._record.error(target, attempt, error, utc_ns, monotonic_ns, **facts, **more)
        else:
            facts |= {"limit_mbit_s": self._bits_per_s / 1e6, **found.facts}
            row = self._record.value(target, attempt, found.mbit_s, utc_ns, monotonic_ns, compact(facts))
        self._emit([row])

    def _ended(self) -> bool:
        return self._gate.halted(self._gate.clock()) or bool(self._ticket.zone.stopped)

    def _settle(self, found: Transfer | Failure, charged_ns: int, left: int) -> None:
        """Tell the gate how the device fared, and give back what was charged and not used."""
        if isinstance(found, Transfer):
            self._gate.heard(self._ticket)
        elif found.error == "timeout":
            self._gate.silent(self._ticket)
        self._ticket.zone.refund(charged_ns, self._packets * left // self._size, left)

    def _keep(self, series: Iterable[int], want: Want, attempt: int) -> dict[str, str]:
        """Keep the octets of each slice."""
        lines = [f"{n * self._parameters.slice_ms},{octets}" for n, octets in enumerate(series)]
        if not lines:
            return {}
        target = self._ticket.target
        address = target.address.replace(":", "-").partition("%")[0]
        name = f"http/{target.id}-{address}-{target.port}-{want.way}-{attempt}.csv"
        self._emit.raw(name, "\n".join(["ms,octets", *lines, ""]))
        return {"raw": name}

    def _weighed(self, found: Transfer | Failure, port: LoadPort, way: str) -> Transfer | Failure:
        """What was found with what bound it; a rate that the ends bounded, and not the path or the limit, is none."""
        if isinstance(found, Failure):
            return found
        own, kernel, reverse = self._parameters, port.kernel(), way == "down"
        bits_per_s, told = found.mbit_s * 1e6, soundness.facts(kernel, reverse=reverse)
        held = found.facts["held_percent"] >= HELD_PERCENT
        held = held or port.fills_window(bits_per_s, told.get("min_rtt_us", 0), own.streams)
        if held or bits_per_s >= AT_CAP * self._bits_per_s:
            told["bound"] = "permit" if self._permit_binds else "asked"
        else:
            test = soundness.Test(reverse, own.streams, own.omit_s + own.duration_s, bits_per_s)
            if why := soundness.why_not(test, told, kernel):
                return Failure("unsound", why, series=found.series)
        return replace(found, facts={**found.facts, **told})


def _meaning(found: Failure) -> tuple[str, dict[str, Any]]:
    """The error code of a failure, and facts of it."""
    facts = {"why": found.why} if found.why else {}
    if found.number is None:
        return found.error, facts
    facts["errno"] = errno.errorcode.get(found.number, str(found.number))
    if found.number in OWN_TROUBLE:
        return "tester-loss", facts
    if not found.asked and found.number in NO_ROUTE:
        return "no-route", facts
    meant = {errno.ECONNREFUSED: "refused", errno.ETIMEDOUT: "timeout", errno.ECONNRESET: "reset", errno.EPIPE: "reset"}
    return meant.get(found.number, "unreachable" if found.number in NO_ROUTE else "send-failed"), facts


METHOD = Method("http-throughput", LEVEL, cost, run, QUANTITIES, owed=of_directions(QUANTITIES))
