"""TCP throughput against real iperf3 servers in namespaces, and against everything that is none."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Any

import pytest

from probes.action import Action
from probes.gate import Gate
from probes.methods import method
from probes.rate_parameters import DIRECTIONS
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

SERVER = {4: "198.18.1.2", 6: "2001:db8:1::2"}
PORT = 5201
QUICK = {"duration_s": 1, "omit_s": 0, "margin_s": 5.0}


class Kept:
    """What a method emits."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []
        self.raws: dict[str, str] = {}

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.rows += rows

    def raw(self, name: str, text: str) -> None:
        assert name not in self.raws
        self.raws[name] = text

    def details(self) -> list[dict[str, Any]]:
        return [json.loads(row.detail) for row in self.rows]


def measure(
    rig: Rig, ask: Ask, wanted: list[str], *, stop: Callable[[], bool] = lambda: False, limits: Any = None, **asked: Any
) -> Kept:
    import asyncio

    action = ask.action("tcp-throughput", wanted, PORT, **QUICK | asked)
    gate = Gate(ask.permit(wanted, level="load", **limits or {}), stop=stop)
    kept = Kept()
    rig.within(rig.client, lambda: asyncio.run(method(action.method).run(action, gate, kept)))
    owed = [(target.id, quantity, n) for target in action.targets for n in range(asked.get("attempts", 1))
            for quantity in (f"goodput-{way}" for way in DIRECTIONS[asked.get("direction", "both")])]  # fmt: skip
    assert [(row.target, row.quantity, row.attempt) for row in kept.rows] == owed
    assert all(row.unit == "Mbit/s" and (row.value is None) != (row.error is None) for row in kept.rows)
    return kept


@contextmanager
def iperf3(rig: Rig, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A real server at every address of the far end, ready to be asked."""
    command = ["ip", "netns", "exec", rig.server, "iperf3", "-s", "-p", str(PORT), *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            _await_listening(rig)
            yield server
        finally:
            server.kill()


def _await_listening(rig: Rig) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = subprocess.run(
            ["ip", "netns", "exec", rig.server, "ss", "-Hltn", f"sport = :{PORT}"], capture_output=True, check=True
        )
        if found.stdout.strip():
            return
        time.sleep(0.02)
    raise AssertionError("the server does not listen")


@contextmanager
def impostor(rig: Rig, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """Something that accepts connections where an iperf3 server should be, and is none."""
    listening = rig.within(rig.server, lambda: socket.create_server((SERVER[4], PORT), reuse_port=True))
    done = threading.Event()
    taken: list[socket.socket] = []

    def serve() -> None:
        while not done.is_set():
            try:
                taken.append(listening.accept()[0])
            except OSError:
                return
            answer(taken[-1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        done.set()
        listening.shutdown(socket.SHUT_RDWR)
        for one in (*taken, listening):
            one.close()
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("version", [4, 6])
def test_both_directions_are_measured_as_the_receiver_saw_them(rig: Rig, ask: Ask, version: int) -> None:
    with iperf3(rig):
        kept = measure(rig, ask, [SERVER[version]], attempts=2, limit_mbit_s=80)
    for row, detail in zip(kept.rows, kept.details(), strict=True):
        assert row.error is None, row
        assert row.value == pytest.approx(80, rel=0.06)
        assert (detail["port"], detail["bound"], detail["limit_mbit_s"]) == (PORT, "asked", 80)
        report = json.loads(kept.raws[detail["raw"]])
        assert report["end"]["sum_received"]["bits_per_second"] / 1e6 == pytest.approx(row.value)
        assert report["start"]["test_start"]["reverse"] == (row.quantity == "goodput-down")
    assert len(kept.raws) == 4


@pytest.mark.parametrize(("direction", "quantity"), [("up", "goodput-up"), ("down", "goodput-down")])
def test_a_direction_that_nobody_asked_for_is_not_loaded(rig: Rig, ask: Ask, direction: str, quantity: str) -> None:
    with iperf3(rig):
        kept = measure(rig, ask, [SERVER[4]], direction=direction, limit_mbit_s=80)
    assert [(row.quantity, row.error) for row in kept.rows] == [(quantity, None)]


def test_a_zones_budget_is_kept_on_the_wire_and_told_of(rig: Rig, ask: Ask) -> None:
    limits = {"bits_per_s": 20e6, "total_bytes": 40_000_000}
    asked = {"limit_mbit_s": 500, "omit_s": 1}
    with iperf3(rig), rig.capture() as sent:
        kept = measure(rig, ask, [SERVER[4]], limits=limits, **asked)
    assert [(row.error, detail["bound"]) for row, detail in zip(kept.rows, kept.details(), strict=True)] == [
        (None, "permit")
    ] * 2
    assert all(15 < row.value <= 20 for row in kept.rows)
    ours = [packet for packet in sent if packet.protocol == 6]
    seconds = [sum(it.size for it in ours if begin <= it.at_s < begin + 1) for begin in (it.at_s for it in ours[::50])]
    assert max(seconds) * 8 <= 20e6 * 1.1  # libiperf's pace is even to a block
    price = method("tcp-throughput").cost(
        ask.action("tcp-throughput", [SERVER[4]], PORT, **QUICK | asked),
        ask.permit([SERVER[4]], level="load", **limits),
    )
    assert sum(it.size for it in ours) <= price.bytes
    assert len(ours) <= price.packets


def test_more_streams_than_the_wrapper_can_stand_do_not_hang(rig: Rig, ask: Ask) -> None:
    with iperf3(rig):
        kept = measure(rig, ask, [SERVER[4]], streams=80, limit_mbit_s=200)
    assert [row.error for row in kept.rows] == [None, None]
    assert max(len(it) for it in kept.raws.values()) > 1 << 16  # more than a pipe takes


WRAPPERS_OWN_RUN = """
import iperf3, sys
client = iperf3.Client(lib_name="libiperf.so.0")
client.server_hostname, client.port, client.num_streams = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client.duration, client.bandwidth = 1, 100_000
print(client.run().error, file=sys.stderr)
"""


@pytest.mark.parametrize(("streams", "hangs"), [(1, False), (80, True)])
def test_why_the_wrappers_own_run_is_not_used(rig: Rig, streams: int, hangs: bool) -> None:
    """Its pipe is read only after the run: the day this test fails, the task may become simpler."""
    command = ["ip", "netns", "exec", rig.client, sys.executable, "-c", WRAPPERS_OWN_RUN, SERVER[4], str(PORT)]
    with iperf3(rig):
        try:
            subprocess.run([*command, str(streams)], timeout=8, check=True, capture_output=True)
        except subprocess.TimeoutExpired:
            assert hangs
        else:
            assert not hangs


def test_nobody_there(rig: Rig, ask: Ask) -> None:
    refused = measure(rig, ask, [SERVER[4]])
    assert [row.error for row in refused.rows] == ["refused"] * 2
    silent = measure(rig, ask, ["198.18.64.1"], timeout_ms=300)
    assert [row.error for row in silent.rows] == ["timeout"] * 2
    prohibited = measure(rig, ask, ["198.18.128.1"], timeout_ms=300)
    assert {row.error for row in prohibited.rows} <= {"unreachable", "no-route"}
    nowhere = measure(rig, ask, ["192.0.2.1"])
    assert [row.error for row in nowhere.rows] == ["no-route"] * 2


GARBAGE = {
    "silent": lambda peer: None,
    "greets": lambda peer: peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 10),
    "zeros": lambda peer: peer.sendall(bytes(4096)),
    "deny": lambda peer: peer.sendall(b"\xff"),
    "hangs up": lambda peer: peer.shutdown(socket.SHUT_RDWR),
    "asks for parameters and hangs up": lambda peer: (peer.sendall(b"\x09"), peer.shutdown(socket.SHUT_WR)),
    "claims to be ready": lambda peer: peer.sendall(b"\x09\x0a\x01\x02"),
    "a result of nonsense": lambda peer: peer.sendall(b"\x09\x0d\xff\xff\xff\xff{{{{"),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_iperf3_server_gives_no_rate(rig: Rig, ask: Ask, answer: Callable[[socket.socket], None]) -> None:
    began = time.monotonic()
    with impostor(rig, answer):
        kept = measure(rig, ask, [SERVER[4]], margin_s=0.5, timeout_ms=500, busy_retries=1, busy_pause_s=0.01)
    assert time.monotonic() - began < 15
    assert {row.error for row in kept.rows} <= {"timeout", "reset", "bad-answer", "busy"}


def test_a_server_that_vanishes_midway_gives_no_rate(rig: Rig, ask: Ask) -> None:
    with iperf3(rig) as server:
        timer = threading.Timer(1.5, server.kill)
        timer.start()
        kept = measure(rig, ask, [SERVER[4]], duration_s=4, limit_mbit_s=50)
        timer.join()
    assert kept.rows[0].error in {"reset", "bad-answer", "timeout"}
    assert kept.rows[1].error == "refused"


def test_a_path_that_goes_dead_midway_gives_no_rate(rig: Rig, ask: Ask) -> None:
    with iperf3(rig):
        rules = "table ip dead {\nchain c {\ntype filter hook input priority 0; ip saddr 198.18.1.1 drop;\n}\n}\n"
        timer = threading.Timer(1.0, rig.nft, (rig.server, rules))
        timer.start()
        try:
            kept = measure(rig, ask, [SERVER[4]], duration_s=2, margin_s=0.5, timeout_ms=500, limit_mbit_s=50)
        finally:
            timer.join()
            rig.nft(rig.server, "delete table ip dead")
    # The echoes beside the test see it first, and a zone whose device went silent is sent nothing any more.
    assert {row.error for row in kept.rows} <= {"timeout", "stopped"}


def test_a_queue_that_the_test_itself_fills_stops_no_zone(rig: Rig, ask: Ask) -> None:
    """Two seconds of queue before the tester: echoes beside the test come late or not at all; the device is well."""
    shaping = ["tc", "-n", rig.server, "qdisc", "replace", "dev", "eth0", "root", "tbf"]
    subprocess.run([*shaping, "rate", "4mbit", "burst", "16kb", "limit", "1mb"], check=True)
    asked = {"duration_s": 6, "omit_s": 2, "direction": "down", "streams": 32, "limit_mbit_s": 50}
    try:
        with iperf3(rig):
            kept = measure(rig, ask, [SERVER[4]], limits={"silence_limit": 3}, **asked)
    finally:
        subprocess.run(["tc", "-n", rig.server, "qdisc", "del", "dev", "eth0", "root"], check=True)
    assert [row.error for row in kept.rows] == [None], kept.rows
    assert max(it or 0 for it in kept.details()[0]["loaded_us"]) > 1_000_000


def test_a_busy_server_is_asked_again_and_told_of(rig: Rig, ask: Ask) -> None:
    occupying = [
        "ip",
        "netns",
        "exec",
        rig.client,
        "iperf3",
        "-c",
        SERVER[4],
        "-p",
        str(PORT),
        "-b",
        "1M",
        "--forceflush",
        "-t",
    ]
    with iperf3(rig):
        with subprocess.Popen([*occupying, "30"], stdout=subprocess.PIPE) as other:
            try:
                while b"connected to" not in other.stdout.readline():
                    pass
                kept = measure(rig, ask, [SERVER[4]], busy_retries=1, busy_pause_s=0.05)
            finally:
                other.kill()
        assert [(row.error, detail["tries"]) for row, detail in zip(kept.rows, kept.details(), strict=True)] == [
            ("busy", 2)
        ] * 2
        with subprocess.Popen([*occupying, "8"], stdout=subprocess.PIPE) as other:
            while b"connected to" not in other.stdout.readline():
                pass
            budget = {
                "total_bytes": 20_000_000
            }  # for two tests of 5.6 MB; those that a busy server refuses move nothing
            asked = {"busy_retries": 100, "busy_pause_s": 0.2, "limit_mbit_s": 20}
            kept = measure(rig, ask, [SERVER[4]], limits=budget, **asked)
        assert [row.error for row in kept.rows] == [None, None]
        assert kept.details()[0]["tries"] > 1


def test_a_stop_ends_a_test_that_runs(rig: Rig, ask: Ask) -> None:
    began = time.monotonic()
    with iperf3(rig):
        kept = measure(rig, ask, [SERVER[4]], duration_s=20, limit_mbit_s=10, stop=lambda: time.monotonic() > began + 2)
    assert time.monotonic() - began < 8
    assert [row.error for row in kept.rows] == ["stopped"] * 2


def test_the_guard_is_asked_first(rig: Rig, ask: Ask) -> None:
    action = ask.action("tcp-throughput", [SERVER[4], "198.18.1.3"], PORT, **QUICK)
    too_low = _refused(rig, action, Gate(ask.permit([SERVER[4]])))
    assert re.findall(r'"reason":"([a-z-]+)"', too_low) == ["level-too-high"] * 2 + ["undeclared-address"] * 2


def _refused(rig: Rig, action: Action, gate: Gate) -> str:
    import asyncio

    kept = Kept()
    with rig.capture() as sent:
        rig.within(rig.client, lambda: asyncio.run(method(action.method).run(action, gate, kept)))
    assert not [packet for packet in sent if packet.protocol == 6]
    assert {row.error for row in kept.rows} == {"refused-by-guard"}
    return " ".join(row.detail for row in kept.rows)
