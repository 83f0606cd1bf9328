"""Round-trip time while nothing is loaded, and while a test of rates loads the path: echoes before and beside tests.

RFC 6349 asks for the baseline round-trip time (section 3.2) and for that during the transfer (section 4.3); echoes give
both by the same instrument, in both directions of the transfer. They are Type-P = ICMP echo of 32 octets, within all
rates of the permit. A path that answers none has no such figures; nothing is made up. Echoes are stamped behind this
host's own queue, so that what a test fills there is not in them.

A test fills the queues on its way, so that echoes beside it are late or lost without any harm to the device. They count
as its silence (:meth:`probes.gate.Gate.silent`) only while nothing at all has come from it for :data:`SILENCE_S`.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from probes import icmp
from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import Gate
from probes.permit import Permit
from probes.ports import Ticket
from probes.price import price
from profiles.observation import Observation

PAYLOAD_BYTES = 32
BEFORE = {"attempts": 5, "interval_ms": 20, "timeout_ms": 500, "payload_bytes": PAYLOAD_BYTES}
EVERY_S = 0.2  #: pause between two echoes during a test
MOST = 50  #: echoes during a test
SILENCE_S = 3.0  #: without any answer during a test, from which the device is taken to be silent
#: Tmax is more than what queues of slow and radio links make of a round trip.
BESIDE = {"timeout_ms": 1000 * SILENCE_S, "patience_ms": 1000 * SILENCE_S, "payload_bytes": PAYLOAD_BYTES}
START_S = 6.0  #: for which echoes are asked beyond the test itself: its omitted beginning, and the start of its process


class Silent:
    """Takes what echoes emit, and keeps it."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []

    def __call__(self, rows: Sequence[Observation], /) -> None:
        """Keep the rows about the target; those about the instrument are not needed."""
        self.rows += [row for row in rows if row.target]

    def raw(self, name: str, text: str) -> None:
        """Echoes have none."""

    @property
    def delays_us(self) -> list[int | None]:
        """Round-trip times in microseconds; nothing for an echo that was lost, and none for one that says nothing."""
        sound = (row for row in self.rows if not row.is_instrument_error)
        return [None if row.value is None else round(row.value * 1000) for row in sound]


class WorkingLatency:
    """Echoes to one target, before its first test and beside each."""

    def __init__(self, vantage: str, target: Target, gate: Gate) -> None:
        self._vantage = vantage
        self._target = replace(target, port=None, ask="")
        self._gate = gate
        self._idle: list[int | None] = []
        self._beside = Silent()
        self._loaded: list[int | None] = []
        self._running: asyncio.Task[None] | None = None
        self._left = 0  #: echoes that may still go beside the present test, however often it is begun
        self._every_s = EVERY_S
        self._began_s = 0.0
        self._mute = False  #: whether it answered no echo before, so that none is asked any more

    async def before(self, duration_s: float) -> None:
        """Before each test: take the baseline once; of a target that answers no first echo, none.

        ICMP errors about it are left to TCP.
        """
        beside = _beside(duration_s)
        self._left, self._every_s = beside["attempts"], beside["interval_ms"] / 1000
        if self._mute or self._idle:
            return
        kept = Silent()
        await icmp.run(_action(self._vantage, (self._target,), BEFORE | {"attempts": 1}), self._gate, kept)
        self._mute = not any(kept.delays_us)
        if not self._mute:
            others = BEFORE | {"attempts": BEFORE["attempts"] - 1}
            await icmp.run(_action(self._vantage, (self._target,), others), self._gate, kept)
        self._idle = kept.delays_us

    def begin(self) -> None:
        """Ask from now on; the test itself begins later, when its process has started."""
        self._beside, self._loaded = Silent(), []
        self._began_s = time.monotonic()
        if not self._mute and self._left > 0:
            asked = {**BESIDE, "attempts": self._left, "interval_ms": self._every_s * 1000}
            action = _action(self._vantage, (self._target,), asked)
            self._running = asyncio.create_task(icmp.run(action, self._gate, self._beside))

    async def end(self) -> None:
        """The test has ended."""
        self._left -= int((time.monotonic() - self._began_s) / self._every_s) + 1
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    def keep(self, told: Mapping[str, Any], omit_s: float) -> None:
        """Of the echoes, those sent while data flowed, after the omitted beginning; none if nobody knows when."""
        began_ns, ended_ns = told.get("began_ns"), told.get("ended_ns")
        if isinstance(began_ns, int) and isinstance(ended_ns, int):
            first_ns = began_ns + int(omit_s * 1e9)
            self._beside.rows = [row for row in self._beside.rows if first_ns <= row.monotonic_ns <= ended_ns]
            self._loaded = self._beside.delays_us

    @property
    def facts(self) -> dict[str, Any]:
        """For an observation's detail: round-trip times in microseconds, ``null`` where an echo was lost."""
        found = {"idle_us": self._idle, "loaded_us": self._loaded}
        return {name: delays for name, delays in found.items() if delays}


def cost(action: Action, permit: Permit, tests: int, duration_s: float) -> Cost:
    """What the echoes of so many tests of each target take at most: those before it once, those beside each test.

    What is beside a test takes no time of its own, but that for which its packets make the zone wait.
    """
    targets = tuple(dict.fromkeys(replace(target, port=None, ask="") for target in action.targets))
    each = [_action(action.vantage, (target,), BEFORE) for target in targets]
    number = _beside(duration_s)["attempts"]
    echoes = _action(action.vantage, targets, _beside(duration_s))
    size = partial(_echo_bytes, number)
    parts = [icmp.cost(it, permit) for it in each]
    parts.append(price(echoes, permit, icmp.LEVEL, attempts=tests, packets=number, size=size, waiting_s=0.0))
    return Cost(
        sum(it.packets for it in parts), sum(it.bytes for it in parts), sum(it.duration_s for it in parts), icmp.LEVEL
    )


def _echo_bytes(number: int, ticket: Ticket) -> int:
    """IP bytes of so many echoes."""
    return number * ((20 if len(ticket.packed) == 4 else 40) + icmp.ICMP_HEADER_BYTES + PAYLOAD_BYTES)


def _beside(duration_s: float) -> dict[str, Any]:
    """Echoes spread over a test and what comes before it; they end with it."""
    every_s = max(EVERY_S, duration_s / MOST)
    return {**BESIDE, "attempts": int((duration_s + START_S) / every_s), "interval_ms": every_s * 1000}


def _action(vantage: str, targets: tuple[Target, ...], asked: dict[str, Any]) -> Action:
    return Action(vantage, icmp.METHOD.name, targets, asked)
