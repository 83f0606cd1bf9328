"""What runs at a vantage point: takes a permit and actions from the host, sends back rows, and ends with the host.

Standard library only: this module travels to vantage points.

Messages are JSON arrays as text, because execnet's own serializer is several times slower on rows:

========= ========================== ==========================================================================
from host ``permit``                 the :class:`~probes.permit.Permit`, and paths whose existence stops everything
          ``run``                    ``[index, action]`` pairs
          ``stop``                   reason; final
          ``clock``, ``ping``        asks for the time; says that the host lives
          ``needs``                  asks which of these the vantage point lacks
to host   ``hello``                  facts of :func:`probes.hello.facts`, once
          ``clock``                  UTC in nanoseconds
          ``lacking``                which of the needs are not there
          ``rows``                   index of the action, and the observations by column
          ``raw``                    index of the action, a name, what an instrument or a tool said, or a part of it,
                                     and whether this is the last part; the parts of one follow each other
          ``event``                  kind and facts
          ``finished``               the last ``run`` is over: all its rows have been sent
          ``beat``                   the event loop is alive
========= ========================== ==========================================================================
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from typing import Protocol

from probes.action import Action
from probes.batch import Batch
from probes.batch import spelled
from probes.gate import Gate
from probes.hello import facts
from probes.methods import method
from probes.permit import Permit
from probes.programs import lacking
from probes.raw import Allowance

BEAT_S = 0.5
TICK_S = 0.1
LEASE_TICKS = 50  #: ticks without a word from the host after which it is taken for dead: 5 s of this process's own time
DRAIN_S = 2.0  #: after a stop, time for methods to account for what they had begun
TRACE_LIMIT = 10_000  #: characters of a traceback that are told, the last ones
LAST_S = 0.6  #: after the host's end, time until this process ends whatever it does


class Channel(Protocol):
    """The part of an execnet channel that is used here."""

    def send(self, item: object) -> None:
        """Send to the host."""

    def setcallback(self, callback: Callable[[Any], Any], endmarker: object = ...) -> None:
        """Have ``callback`` called in the receiver thread for each message, and with ``endmarker`` at the end."""


def serve(channel: Channel) -> None:
    """Serve the host behind ``channel`` until it ends."""
    Worker(channel).serve()


class Worker:
    """One vantage point's process: one event loop, one gate, whatever the number of runs.

    Three threads besides the event loop: execnet's receiver sets the stop flag at once even if the loop is busy; the
    sender keeps a full pipe from blocking the loop; the watchdog ends the process if the host is gone.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._outbox: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._inbox: asyncio.Queue[list[Any] | None] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._stop_reason: str | None = None
        self._silent_ticks = 0
        self._served = threading.Event()
        self._kill_files: tuple[Path, ...] = ()
        self._gate: Gate | None = None
        self._told_stops: set[str] = set()
        self._allowances: dict[int, Allowance] = {}  # by action

    def serve(self) -> None:
        """Run until the channel closes."""
        sender = threading.Thread(target=self._send_all, daemon=True)
        sender.start()
        try:
            asyncio.run(self._main())
        finally:
            self._served.set()
            self._outbox.put(None)
            sender.join(LAST_S)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, daemon=True).start()
        self._say("hello", facts())
        self._channel.setcallback(self._hear, endmarker=None)
        beating = asyncio.create_task(self._beat())
        while (message := await self._inbox.get()) is not None:
            kind, *arguments = message
            if kind == "permit":
                wire, kill_files = arguments
                self._kill_files = tuple(map(Path, kill_files))
                self._gate = Gate(Permit.from_wire(wire), stop=lambda: self._stop_reason is not None)
            elif kind == "needs":
                self._say("lacking", await lacking(*arguments))
            else:
                await self._run(*arguments)
        beating.cancel()

    # --- running actions -------------------------------------------------------------------------------------------

    async def _run(self, wires: list[tuple[int, dict[str, Any]]]) -> None:
        """Run actions: those of one zone in order, zones beside each other, so that none waits for another's rate."""
        lanes: dict[str, list[tuple[int, Action]]] = defaultdict(list)
        for index, wire in wires:
            whole = Action.from_wire(wire)
            self._allowances[index] = Allowance.of(whole)
            for zone, action in by_zone(whole).items():
                lanes[zone].append((index, action))
        running = [asyncio.create_task(self._run_lane(lane)) for lane in lanes.values()]
        cutting = asyncio.create_task(self._cut_off(running))
        ends = await asyncio.gather(*running, return_exceptions=True)
        cutting.cancel()
        for end in ends:
            if isinstance(end, Exception):  # a bug of this module: the host learns of it as the loss of this vantage
                raise end
        self._allowances.clear()
        self._say("finished")

    async def _run_lane(self, lane: list[tuple[int, Action]]) -> None:
        """Run a zone's actions by ``not_before_s``; those of the same method and window share the gate's rate.

        A window that begins late, behind a slow one, moves the later windows of its method by as much: windows are
        spread so that they are independent, which those that follow each other at once are not.
        """
        begin_s = self._loop.time()
        origin_s: dict[str, float] = defaultdict(lambda: begin_s)  # by method: what ``not_before_s`` counts from
        lane.sort(key=lambda job: job[1].not_before_s)  # stable: keeps the given order otherwise
        for (start_s, _, name), jobs in groupby(lane, lambda job: (job[1].not_before_s, job[1].window, job[1].method)):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), max(origin_s[name] + start_s - self._loop.time(), 0))
            if self._stop_reason is not None:
                return
            origin_s[name] = max(origin_s[name], self._loop.time() - start_s)
            await asyncio.gather(*(self._perform(index, action) for index, action in jobs))

    async def _perform(self, index: int, action: Action) -> None:
        if self._gate is None:
            raise RuntimeError("actions arrived before a permit")
        batch = Batch(self._loop, self._say, index, self._allowances[index])
        try:
            await method(action.method).run(action, self._gate, batch)
        except Exception as error:  # noqa: BLE001 - a method's bug costs that method's answers, not the others'
            said = "".join(traceback.format_exception(error))[-TRACE_LIMIT:]
            self._say("event", "method-failed", {"method": action.method, "window": action.window, "error": said})
        finally:
            batch.flush()
            if batch.left_out:
                left = {"method": action.method, "window": action.window, "count": batch.left_out}
                self._say("event", "raw-left-out", left)
            self._tell_stops()

    def _tell_stops(self) -> None:
        """Say once of each zone into which nothing is sent any more why that is so."""
        for zone, reason in self._gate.stops().items() if self._gate else ():
            if zone not in self._told_stops:
                self._told_stops.add(zone)
                self._say("event", "zone-stopped", {"zone": zone, "reason": reason})

    async def _cut_off(self, running: Sequence[asyncio.Task[None]]) -> None:
        """After a stop, end methods that do not end by themselves."""
        await self._stopping.wait()
        await asyncio.sleep(DRAIN_S)
        for task in running:
            task.cancel()

    async def _beat(self) -> None:
        while True:
            self._say("beat")
            self._tell_stops()
            await asyncio.sleep(BEAT_S)

    # --- talking to the host ---------------------------------------------------------------------------------------

    def _say(self, kind: str, *arguments: object) -> None:
        self._outbox.put((kind, *arguments))

    def _send_all(self) -> None:
        while (message := self._outbox.get()) is not None:
            try:
                for part in spelled(*message):
                    self._channel.send(json.dumps(part, separators=(",", ":")))
            except OSError:
                return self._host_is_gone()
        return None

    def _hear(self, text: str | None) -> None:
        """Take one message; called in execnet's receiver thread."""
        self._silent_ticks = 0
        if text is None:
            return self._host_is_gone()
        message = json.loads(text)
        if message[0] == "clock":
            self._channel.send(json.dumps(("clock", time.time_ns())))
        elif message[0] == "stop":
            self._stop(message[1])
        elif message[0] != "ping":
            self._in_loop(self._inbox.put_nowait, message)
        return None

    def _in_loop(self, call: Callable[..., object], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is already closed
            self._loop.call_soon_threadsafe(call, *arguments)

    # --- stopping --------------------------------------------------------------------------------------------------

    def _stop(self, reason: str) -> None:
        """Let nothing more be sent. The flag comes first: the gate reads it, whatever the loop is doing."""
        if self._stop_reason is None:
            self._stop_reason = reason
            self._in_loop(self._stopping.set)

    def _host_is_gone(self) -> None:
        self._stop("host-gone")
        self._in_loop(self._inbox.put_nowait, None)
        last = threading.Timer(LAST_S, _end)
        last.daemon = True
        last.start()

    def _watch(self) -> None:
        """Stop on a kill file, and end when the host has been silent for its lease.

        Silence is counted in ticks and not read from a clock, so that a suspended machine does not wake to a verdict.
        """
        while self._silent_ticks <= LEASE_TICKS:
            if self._served.wait(TICK_S):
                return
            self._silent_ticks += 1
            found = next((path for path in self._kill_files if path.exists()), None)
            if found is not None and self._stop_reason is None:
                self._stop("kill-file")
                self._say("event", "kill-file", {"path": str(found)})
        self._host_is_gone()


def by_zone(action: Action) -> dict[str, Action]:
    """``action`` in parts, one for each zone of its targets."""
    zones: dict[str, list[Any]] = defaultdict(list)
    for target in action.targets:
        zones[target.zone].append(target)
    return {zone: replace(action, targets=tuple(targets)) for zone, targets in zones.items()}


def _end() -> None:
    """End this process and everything it started, at once."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
