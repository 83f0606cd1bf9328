"""The worker's side of the wire, in this process: a channel made of queues, and methods that the tests choose."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from queue import SimpleQueue
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.vantage.wire import parse_hello
from probes import batch
from probes import raw
from probes import worker
from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.hello import clock_state
from probes.hello import facts
from probes.methods import MODULES
from probes.methods import Method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

PERMIT = Permit("v1", {}, {"cell": ZonePermit("cell", "query")}, {})
BOUND_S = 5.0


class Host:
    """The host's end: what it says is heard at once, what it is told waits in a queue."""

    def __init__(self) -> None:
        self._told: SimpleQueue[list[Any]] = SimpleQueue()
        self._callback: Callable[[Any], Any] | None = None
        self._listening = threading.Event()
        self._thread = threading.Thread(target=worker.serve, args=(self,))
        self._thread.start()

    def send(self, item: object) -> None:
        self._told.put(json.loads(str(item)))

    def setcallback(self, callback: Callable[[Any], Any], endmarker: object = None) -> None:
        self._callback = callback
        self._listening.set()

    def say(self, *message: object) -> None:
        self._hear(json.dumps(message))

    def _hear(self, text: str | None) -> None:
        assert self._listening.wait(BOUND_S)
        assert self._callback is not None
        self._callback(text)

    def told(self, *kinds: str) -> list[Any]:
        """The next message of one of these kinds; heartbeats and others go by."""
        while (message := self._told.get(timeout=BOUND_S))[0] not in kinds:
            pass
        return message

    def until_finished(self) -> list[list[Any]]:
        """All rows and events up to the end of the run."""
        messages = []
        while (message := self.told("rows", "event", "finished"))[0] != "finished":
            messages.append(message)
        return messages

    def run(self, *actions: Action) -> None:
        self.say("run", [(index, action.to_wire()) for index, action in enumerate(actions)])

    def hang_up(self) -> None:
        self._hear(None)
        self._thread.join(BOUND_S)
        assert not self._thread.is_alive()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the worker would end its process, which here is the tests'."""
    end = threading.Event()
    monkeypatch.setattr(worker, "_end", end.set)
    return end


@pytest.fixture
def host(ended: threading.Event) -> Iterator[Host]:
    host = Host()
    host.say("permit", PERMIT.to_wire(), [])
    yield host
    host.hang_up()


@pytest.fixture
def perform(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Makes a coroutine function the method ``fake``."""

    def register(run: Callable[..., Any]) -> None:
        module = ModuleType("plantproof_fake")
        module.METHOD = Method("fake", "passive", lambda action, permit: None, run)  # type: ignore[arg-type,attr-defined,return-value]
        monkeypatch.setitem(sys.modules, "plantproof_fake", module)
        monkeypatch.setitem(MODULES, "fake", "plantproof_fake")

    return register


def action(*targets: Target, window: int = 0, start_s: float = 0.0) -> Action:
    return Action("v1", "fake", targets or (Target("plc", "192.0.2.1", "cell"),), {}, window, start_s)


def row(action: Action, target: Target, value: float | None = 1.0) -> Observation:
    error = None if value is not None else "timeout"
    return Observation(
        "fake", "v1", target.id, target.address, "q", value, "ms", error, action.window, 0, 1, 2, '{"说明":"“x”"}'
    )


def observations(messages: list[list[Any]]) -> list[Observation]:
    batches = [columns for kind, _, columns in messages if kind == "rows"]
    return [Observation(*fields) for columns in batches for fields in zip(*columns, strict=True)]


def test_says_hello_first_and_tells_the_time(host: Host) -> None:
    kind, said = host._told.get(timeout=BOUND_S)
    assert kind == "hello"
    assert said["hostname"]
    before_ns = time.time_ns()
    host.say("clock")
    assert before_ns <= host.told("clock")[1] <= time.time_ns()


def test_rows_arrive_as_they_were_emitted(host: Host, perform: Any) -> None:
    sent: list[Observation] = []

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        sent.extend(row(action, action.targets[0], value) for value in (0.1 + 0.2, None, math.inf, 1e-300))
        emit(sent)

    perform(run)
    host.run(action(Target("传感器", "fe80::1%eth0", "cell")))
    assert observations(host.until_finished()) == sent


def test_raw_output_goes_in_parts_and_keeps_the_loop_going(host: Host, perform: Any) -> None:
    said = "焊" * raw.LIMIT
    late: list[float] = []

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        emit.raw("tool/焊.txt", said)
        emit.raw("tool/bytes.txt", "\udcff")
        emit.raw("empty", "")
        for _ in range(20):
            before = time.monotonic()
            await asyncio.sleep(0.005)
            late.append(time.monotonic() - before)

    perform(run)
    host.run(action())
    parts: dict[str, str] = {}
    while (message := host.told("raw", "finished"))[0] != "finished":
        _, index, name, text, _ = message
        assert index == 0
        assert len(text) <= raw.PART
        parts[name] = parts.get(name, "") + text
    assert parts == {"tool/%E7%84%8A.txt": said, "tool/bytes.txt": "\\udcff", "empty": ""}
    assert max(late) < worker.BEAT_S


def test_rows_are_sent_by_number_or_by_age(host: Host, perform: Any) -> None:
    gate_open = threading.Event()

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        emit([row(action, action.targets[0])] * (batch.FLUSH_ROWS - 1))
        emit([row(action, action.targets[0])] * 2)
        emit([row(action, action.targets[0])])
        while not gate_open.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)

    perform(run)
    host.run(action())
    sizes = [len(host.told("rows")[2][0]) for _ in range(2)]  # both while the method still runs
    gate_open.set()
    assert sizes == [batch.FLUSH_ROWS + 1, 1]
    assert host.until_finished() == []


def test_one_gate_serves_all_runs(host: Host, perform: Any) -> None:
    gates: list[Gate] = []

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        gates.append(gate)

    perform(run)
    for _ in range(2):
        host.run(action(), action(Target("b", "192.0.2.2", "other")))
        host.until_finished()
    assert len(gates) == 4
    assert len({id(gate) for gate in gates}) == 1
    assert gates[0].permit == PERMIT


def test_windows_of_a_zone_follow_each_other_and_start_no_earlier_than_asked(host: Host, perform: Any) -> None:
    log: list[tuple[str, int, float]] = []

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        log.append(("start", action.window, time.monotonic()))
        await asyncio.sleep(0.05)
        log.append(("end", action.window, time.monotonic()))

    perform(run)
    began = time.monotonic()
    host.run(action(window=1, start_s=0.2), action(window=0), action(window=0))
    host.until_finished()
    assert [(what, window) for what, window, _ in log] == [
        *[("start", 0)] * 2, *[("end", 0)] * 2, ("start", 1), ("end", 1),
    ]  # fmt: skip
    assert log[4][2] - began >= 0.19


def test_windows_stay_apart_behind_one_that_took_too_long_and_in_every_run(host: Host, perform: Any) -> None:
    starts: list[float] = []

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        starts.append(time.monotonic())
        await asyncio.sleep(0.4 if action.window == 0 else 0)

    perform(run)
    for _ in range(2):
        starts.clear()
        host.run(*(action(window=window, start_s=window * 0.15) for window in range(4)))
        host.until_finished()
        apart_s = [later - earlier for earlier, later in pairwise(starts)]
        assert apart_s[0] >= 0.4
        assert all(0.14 <= gap_s < 0.4 for gap_s in apart_s[1:])


def test_slow_window_of_one_method_moves_no_other_methods_windows(host: Host, perform: Any) -> None:
    starts: dict[tuple[str, int], float] = {}

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        starts[action.method, action.window] = time.monotonic()
        await asyncio.sleep(0.3 if (action.method, action.window) == ("fake", 1) else 0)

    perform(run)
    MODULES["other"] = MODULES["fake"]
    try:
        began = time.monotonic()
        slow = [action(window=0), action(window=1, start_s=0.1), action(window=2, start_s=0.2)]
        host.run(*slow, *(replace(it, method="other") for it in slow))
        host.until_finished()
    finally:
        del MODULES["other"]
    assert starts["fake", 2] - starts["fake", 1] >= 0.3
    assert starts["other", 2] - began >= 0.2
    assert starts["other", 2] - starts["other", 1] >= 0.09


def test_failing_method_is_an_event_with_its_traceback(host: Host, perform: Any) -> None:
    async def run(action: Action, gate: Gate, emit: Any) -> None:
        emit([row(action, action.targets[0])])
        raise ArithmeticError("seven")

    perform(run)
    host.run(action())
    messages = host.until_finished()
    assert len(observations(messages)) == 1
    ((_, kind, said),) = [message for message in messages if message[0] == "event"]
    assert (kind, said["method"]) == ("method-failed", "fake")
    assert "ArithmeticError: seven" in said["error"]


def test_stop_is_seen_by_a_gate_even_while_the_loop_is_busy(host: Host, perform: Any) -> None:
    began, seen = threading.Event(), threading.Event()

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        began.set()
        deadline = time.monotonic() + BOUND_S
        while not gate.halted(time.monotonic_ns()) and time.monotonic() < deadline:
            time.sleep(0.001)  # noqa: ASYNC251 - the loop is busy, which is the point
        seen.set()

    perform(run)
    host.run(action(), action(window=1))
    assert began.wait(BOUND_S)
    host.say("stop", "asked")
    assert seen.wait(1)
    host.until_finished()  # the second window is not begun


def test_method_that_does_not_stop_is_cut_off(host: Host, perform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "DRAIN_S", 0.1)

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        emit([row(action, action.targets[0])])
        await asyncio.sleep(3600)

    perform(run)
    host.run(action())
    host.say("stop", "asked")
    assert len(observations(host.until_finished())) <= 1


def test_host_that_falls_silent_ends_the_process(ended: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LEASE_TICKS", 3)
    monkeypatch.setattr(worker, "TICK_S", 0.01)
    monkeypatch.setattr(worker, "LAST_S", 0.05)
    host = Host()
    host._thread.join(BOUND_S)
    assert not host._thread.is_alive()
    assert ended.wait(BOUND_S)


def test_watchdog_ends_with_what_it_watches(ended: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LAST_S", 0.05)
    before = set(threading.enumerate())
    Host().hang_up()
    assert ended.wait(BOUND_S)
    deadline = time.monotonic() + 1  # long before the lease is over
    while left := set(threading.enumerate()) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)


def test_kill_file_stops_and_is_told(host: Host, perform: Any, tmp_path: Any) -> None:
    stop = tmp_path / "STOP"
    host.say("permit", PERMIT.to_wire(), [str(stop)])

    async def run(action: Action, gate: Gate, emit: Any) -> None:
        stop.touch()
        while not gate.halted(time.monotonic_ns()):  # noqa: ASYNC110 - the gate has nothing to await
            await asyncio.sleep(0.01)

    perform(run)
    host.run(action())
    assert host.told("event")[1:] == ["kill-file", {"path": str(stop)}]
    host.until_finished()


@given(st.lists(st.builds(Target, st.text(), st.text(), st.sampled_from("abc"))))
def test_parts_of_an_action_are_the_whole_of_it(targets: list[Target]) -> None:
    whole = Action("v1", "fake", tuple(targets), {"attempts": 2}, 3, 4.0)
    parts = worker.by_zone(whole)
    assert sorted(map(repr, targets)) == sorted(repr(target) for part in parts.values() for target in part.targets)
    for zone, part in parts.items():
        assert {target.zone for target in part.targets} == {zone}
        assert (part.method, part.parameters, part.window, part.not_before_s) == ("fake", {"attempts": 2}, 3, 4.0)


def test_facts_are_plain_and_clocks_of_one_moment() -> None:
    said = facts()
    assert json.loads(json.dumps(said)) == said
    assert set(said["sockets"]) == {"raw-icmp", "raw-icmpv6", "packet", "ping", "ping-v6"}
    assert parse_hello(json.dumps(["hello", said])) == said
    state = clock_state()
    assert abs((state["utc_ns"] - state["monotonic_ns"]) - (time.time_ns() - time.monotonic_ns())) < 1_000_000_000
    assert state["synchronised"] in (True, False, None)
