"""Real ptp4l in two network namespaces, asked by the real pmc. Both run free, so that no clock here is steered."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

pytestmark = pytest.mark.lab
_serial = itertools.count()
READY_S = 40.0

_CONFIG = """[global]
time_stamping software
free_running 1
network_transport UDPv4
logAnnounceInterval -1
uds_address {socket}
domainNumber {domain}
{role}
[eth0]
"""


class Collector:
    """Takes what a method tells."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []
        self.kept: dict[str, str] = {}

    def __call__(self, rows: Any) -> None:
        self.rows.extend(rows)

    def raw(self, name: str, text: str) -> None:
        self.kept[name] = text


def ask(socket: Path, polls: int = 1, stop: Callable[[], bool] = lambda: False, **asked: int) -> Collector:
    """Poll whatever is behind ``socket``."""
    target = Target("clock", str(socket), "cell", ask=json.dumps(asked))
    parameters = {"attempts": polls, "spacing_s": 0.2, "timeout_ms": 2000}
    action = Action("seat", "ptp-management", (target,), parameters)
    permit = Permit("seat", {}, {"cell": ZonePermit("cell", "query")}, {}, {str(socket): "cell"})
    seen = Collector()
    asyncio.run(method("ptp-management").run(action, Gate(permit, stop=stop), seen))
    return seen


@dataclass
class Pair:
    """A grandmaster and a clock that follows it."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]]

    def socket(self, name: str) -> Path:
        return self.folder / f"{name}.sock"

    def told(self, name: str) -> dict[str, Any]:
        (row,) = ask(self.socket(name)).rows
        return json.loads(row.detail) if row.error is None else {"error": row.error}

    def until(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + READY_S
        while not holds(said := self.told(name)):
            assert time.monotonic() < deadline, said
        return said


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    if os.geteuid() != 0 or not (shutil.which("ptp4l") and shutil.which("pmc")):
        pytest.skip("needs root for network namespaces, and linuxptp")
    prefix = f"ppt{os.getpid()}x{next(_serial)}"
    names = {"gm": f"{prefix}g", "slave": f"{prefix}s"}
    pair = Pair(tmp_path_factory.mktemp("ptp"), {})
    try:
        for name in names.values():
            subprocess.run(["ip", "netns", "add", name], check=True)
        ends = ["netns", names["gm"], "type", "veth", "peer", "name", "eth0", "netns", names["slave"]]
        subprocess.run(["ip", "link", "add", "eth0", *ends], check=True)
        for number, (role, name) in enumerate(names.items(), start=1):
            batch = f"link set lo up\naddr add 198.18.7.{number}/30 dev eth0\nlink set eth0 up\n"
            subprocess.run(["ip", "-n", name, "-batch", "-"], input=batch, text=True, check=True)
            config = pair.folder / f"{role}.cfg"
            settings = {"gm": "priority1 10", "slave": "slaveOnly 1"}[role]
            config.write_text(_CONFIG.format(socket=pair.socket(role), domain=0, role=settings), "ascii")
            argv = ["ip", "netns", "exec", name, "ptp4l", "-f", str(config), "-q"]
            pair.processes[role] = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        yield pair
    finally:
        for process in pair.processes.values():
            process.kill()
            process.wait()
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def test_a_following_clock_tells_its_state_grandmaster_and_offset(pair: Pair) -> None:
    leader = pair.until("gm", lambda said: said.get("ports") == {"1": "MASTER"})["clock"]
    said = pair.until("slave", lambda said: said.get("ports") == {"1": "UNCALIBRATED"} and said["gm_present"])
    assert said["gm_identity"] == leader != said["clock"]
    assert said["steps_removed"] == 1
    seen = ask(pair.socket("slave"), polls=3)
    assert [(row.error, row.attempt, row.unit) for row in seen.rows] == [(None, n, "ns") for n in range(3)]
    assert all(row.value is not None and abs(row.value) < 1e9 for row in seen.rows)
    assert sorted(seen.kept) == [f"pmc/clock-{n}.txt" for n in range(3)]
    assert all("RESPONSE MANAGEMENT TIME_STATUS_NP" in text for text in seen.kept.values())


def test_a_question_in_another_domain_is_not_answered(pair: Pair) -> None:
    pair.until("slave", lambda said: "error" not in said)
    (row,) = ask(pair.socket("slave"), domain=3).rows
    assert row.error == "timeout"


def test_after_a_stop_nothing_is_asked(pair: Pair) -> None:
    seen = ask(pair.socket("slave"), polls=3, stop=lambda: True)
    assert [row.error for row in seen.rows] == ["stopped"] * 3
    assert not seen.kept


def test_once_the_grandmaster_is_gone_the_clock_says_so(pair: Pair) -> None:
    pair.until("slave", lambda said: said.get("ports") == {"1": "UNCALIBRATED"})
    pair.processes["gm"].kill()
    said = pair.until("slave", lambda said: said.get("ports") == {"1": "LISTENING"})
    assert said["gm_identity"] != said["clock"]  # it goes on naming the one it has lost: the state is the witness


def test_a_daemon_that_hangs_is_silent_and_one_that_was_killed_is_not_there(pair: Pair) -> None:
    pair.until("slave", lambda said: "error" not in said)
    process = pair.processes["slave"].pid  # ip netns exec has become ptp4l
    os.kill(process, signal.SIGSTOP)
    try:
        (row,) = ask(pair.socket("slave")).rows
    finally:
        os.kill(process, signal.SIGCONT)
    assert row.error == "timeout"
    pair.processes["slave"].kill()
    pair.processes["slave"].wait()
    (row,) = ask(pair.socket("slave")).rows
    assert (row.error, json.loads(row.detail)["errno"]) == ("send-failed", "ECONNREFUSED")


def test_a_socket_that_the_permit_does_not_name_is_not_asked(tmp_path: Path) -> None:
    action = Action("seat", "ptp-management", (Target("clock", "/run/other", "cell"),), {"attempts": 2})
    permit = Permit("seat", {}, {"cell": ZonePermit("cell", "query")}, {}, {"/run/ptp4l": "cell"})
    seen = Collector()
    asyncio.run(method("ptp-management").run(action, Gate(permit), seen))
    assert [row.error for row in seen.rows] == ["refused-by-guard"] * 2
