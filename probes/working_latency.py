"""Round-trip time while nothing is loaded, and while a test of rates loads the path: echoes before and beside tests.

RFC 6349 asks for the baseline round-trip time (section 3.2) and for that during the transfer (section 4.3); echoes give
both by the same instrument, in both directions of the transfer. They are Type-P = ICMP echo of 32 octets, within all
rates of the permit. A path that answers none has no such figures; nothing is made up.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from probes import icmp
from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import Gate
from probes.permit import Permit
from profiles.observation import Observation

BEFORE = {"attempts": 5, "interval_ms": 20, "timeout_ms": 500, "payload_bytes": 32}
EVERY_S = 0.2  #: pause between two echoes during a test
MOST = 50  #: echoes during a test
BESIDE = {"timeout_ms": 1000, "payload_bytes": 32}
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
        self._mute = False  #: whether it answered no echo before, so that none is asked any more

    async def before(self) -> None:
        """Take the baseline once; of a target that answers no first echo, none: its ICMP errors are left to TCP."""
        if self._mute or self._idle:
            return
        kept = Silent()
        await icmp.run(_action(self._vantage, (self._target,), BEFORE | {"attempts": 1}), self._gate, kept)
        self._mute = not any(kept.delays_us)
        if not self._mute:
            others = BEFORE | {"attempts": BEFORE["attempts"] - 1}
            await icmp.run(_action(self._vantage, (self._target,), others), self._gate, kept)
        self._idle = kept.delays_us

    def begin(self, duration_s: float) -> None:
        """Ask from now on; the test itself begins later, when its process has started."""
        self._beside, self._loaded = Silent(), []
        if not self._mute:
            asked = _action(self._vantage, (self._target,), _beside(duration_s))
            self._running = asyncio.create_task(icmp.run(asked, self._gate, self._beside))

    async def end(self) -> None:
        """The test has ended."""
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
    """What the echoes of so many tests of each target take at most."""
    targets = tuple(dict.fromkeys(replace(target, port=None, ask="") for target in action.targets))
    parts = [icmp.cost(_action(action.vantage, targets, asked), permit) for asked in (BEFORE, _beside(duration_s))]
    return Cost(
        tests * sum(it.packets for it in parts),
        tests * sum(it.bytes for it in parts),
        tests * sum(it.duration_s for it in parts),
        icmp.LEVEL,
    )


def _beside(duration_s: float) -> dict[str, Any]:
    """Echoes spread over a test and what comes before it; they end with it."""
    every_s = max(EVERY_S, duration_s / MOST)
    return BESIDE | {"attempts": int((duration_s + START_S) / every_s), "interval_ms": every_s * 1000}


def _action(vantage: str, targets: tuple[Target, ...], asked: dict[str, Any]) -> Action:
    return Action(vantage, icmp.METHOD.name, targets, asked)
