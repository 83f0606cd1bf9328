"""Ctrl-C, SIGTERM and kill -9 lose nothing that was acknowledged, and ``--resume`` completes; a flow's lost end too."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab import Lab
from profiles.verdict import ExitStatus
from reports.verify import verify

pytestmark = pytest.mark.lab

PROFILE = ("--profile", str(Path(__file__).with_name("reachability.yaml")))
DEADLINE_S = 60
FLOW_PORT = 20_400  #: of the virtual plant's flow
#: Requirements of a flow that a busy machine meets as well; one flow of 6 s serves all three.
FLOWS = """
profile: short-flow
version: "1"
title: {zh: 短时周期流, en: A short flow}
description: {zh: 短时周期流, en: A short flow}
extends: [3gpp-22104-control-panel]
only: [TSN-FLOW-LAT, TSN-FLOW-LOSS, TSN-FLOW-SURV]
override:
  - id: TSN-FLOW-LAT
    quantile: 0.5
    parameters: {messages: 300}
    threshold:
      op: "<"
      value: 100 ms
      source: {standard: S, clause: "1", provenance: project, verified: false}
  - id: TSN-FLOW-LOSS
    parameters: {messages: 300}
    threshold:
      op: "<="
      value: 5 %
      source: {standard: S, clause: "1", provenance: project, verified: false}
  - id: TSN-FLOW-SURV
    rule: R0
    parameters: {messages: 300, max_latency_ms: 500, survival_time_ms: 500}
    threshold:
      op: "<="
      value: 0 count
      source: {standard: S, clause: "1", provenance: project, verified: false}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"stop{os.getpid()}") as lab:
        yield lab


def _kept(evidence: Path) -> int:
    """Observations that another process can see, that is, durable ones."""
    try:
        with sqlite3.connect(f"file:{next(evidence.glob('*.sqlite'))}?mode=ro", uri=True) as database:
            count: int = database.execute("SELECT count(*) FROM observations").fetchone()[0]
            return count
    except (StopIteration, sqlite3.OperationalError):
        return 0


def _interrupt(process: subprocess.Popen[str], evidence: Path, after: int, number: signal.Signals) -> int:
    """Send ``number`` once ``after`` observations are durable; return how many were durable just before."""
    deadline = time.monotonic() + DEADLINE_S
    while _kept(evidence) < after and process.poll() is None:
        assert time.monotonic() < deadline, "the campaign never got so far"
        time.sleep(0.01)  # polls another process's database; there is nothing to wait on
    kept = _kept(evidence)
    process.send_signal(number)
    process.communicate(timeout=DEADLINE_S)
    return kept


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_and_resume_completes(
    lab: Lab,
    tmp_path: Path,
    start_campaign: Callable[..., subprocess.Popen[str]],
    run_campaign: Callable[..., Any],
    number: signal.Signals,
    seed: int,
) -> None:
    after = random.Random(f"{number}{seed}").randint(1, 1500)
    process = start_campaign(lab.plant_file, tmp_path, *PROFILE)
    kept = _interrupt(process, tmp_path, after, number)
    assert _kept(tmp_path) >= kept > 0
    if number is not signal.SIGKILL:
        assert process.returncode == ExitStatus.INTERRUPTED
    resumed = run_campaign(lab.plant_file, tmp_path, *PROFILE, "--resume")
    assert resumed.status == ExitStatus.CONFORMANT, resumed.output
    assert _kept(tmp_path) >= kept
    assert verify(resumed.bundle).sound


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_sending_stops_within_a_second(
    lab: Lab, tmp_path: Path, start_campaign: Callable[..., subprocess.Popen[str]], number: signal.Signals
) -> None:
    process = start_campaign(lab.plant_file, tmp_path, *PROFILE)
    deadline = time.monotonic() + DEADLINE_S
    while not _kept(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.01)  # polls another process's database; there is nothing to wait on
    asked_ns = time.time_ns()
    process.send_signal(number)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == ExitStatus.INTERRUPTED, output
    with sqlite3.connect(next(tmp_path.glob("*.sqlite"))) as database:
        (last_ns,) = database.execute(
            "SELECT max(utc_ns) FROM observations WHERE error IS NULL OR error = 'timeout'"
        ).fetchone()
    assert last_ns - asked_ns < 1_000_000_000
    assert "--resume" in output


@pytest.fixture
def flow(lab: Lab, tmp_path: Path) -> tuple[Path, tuple[str, str]]:
    """The lab's plant with a slower flow, which a busy machine keeps up with, and a profile for it alone."""
    text, changed = re.subn(r'("?interval_ms"?: *)4(\.0)?\b', r"\g<1>20", lab.plant_file.read_text("utf-8"))
    assert changed == 1
    for table in lab.plant_file.parent.glob("*.csv"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    plant, profile = tmp_path / "plant.yaml", tmp_path / "flows.yaml"
    plant.write_text(text, "utf-8")
    profile.write_text(FLOWS, "utf-8")
    return plant, ("--profile", str(profile))


def _rows_of_runs(evidence: Path) -> dict[tuple[str, int], int]:
    """How many rows there are of each vantage point and run."""
    with sqlite3.connect(f"file:{next(evidence.glob('*.sqlite'))}?mode=ro", uri=True) as database:
        query = "SELECT vantage, run, count(*) FROM observations WHERE method = 'cyclic-flow' GROUP BY 1, 2"
        return {(vantage, run): count for vantage, run, count in database.execute(query)}


def test_a_flow_that_passed_is_left_alone(
    flow: tuple[Path, tuple[str, str]], tmp_path: Path, run_campaign: Callable[..., Any]
) -> None:
    plant, profile = flow
    whole = run_campaign(plant, tmp_path / "evidence", *profile)
    assert whole.status == ExitStatus.CONFORMANT, whole.output
    rows = _rows_of_runs(tmp_path / "evidence")
    assert set(rows.values()) == {300}
    resumed = run_campaign(plant, tmp_path / "evidence", *profile, "--resume")
    assert resumed.status == ExitStatus.CONFORMANT, resumed.output
    assert _rows_of_runs(tmp_path / "evidence") == rows


def test_a_flow_that_lost_an_end_is_repaired(
    lab: Lab,
    flow: tuple[Path, tuple[str, str]],
    tmp_path: Path,
    start_campaign: Callable[..., subprocess.Popen[str]],
    run_campaign: Callable[..., Any],
) -> None:
    plant, profile = flow
    evidence = tmp_path / "evidence"
    process = start_campaign(plant, evidence, *profile)
    listener = _listening(lab.namespace("drive"), process.pid)
    time.sleep(3)  # of a flow of 6 s; no row tells that it has begun, for all of them come at its end
    os.kill(listener, signal.SIGKILL)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == ExitStatus.INCOMPLETE, output
    with sqlite3.connect(f"file:{evidence / 'evidence.sqlite'}?mode=ro", uri=True) as database:
        query = "SELECT vantage, count(*) FROM observations WHERE error = 'vantage-lost' GROUP BY 1"
        assert database.execute(query).fetchall() == [("drive", 300)], output
    resumed = run_campaign(plant, evidence, *profile, "--resume")
    assert resumed.status == ExitStatus.CONFORMANT, resumed.output
    assert set(resumed.verdicts.values()) == {"pass"}
    assert {run for _, run in _rows_of_runs(evidence)} == {1, 2}
    assert set(_rows_of_runs(evidence).values()) == {300}
    assert verify(resumed.bundle).sound


def _listening(namespace: str, campaign: int) -> int:
    """The worker of this campaign there, as soon as its end of the flow is open."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        pids = subprocess.check_output(["ip", "netns", "pids", namespace], text=True).split()
        for pid in pids:
            with suppress(OSError):
                opened = f":{FLOW_PORT:04X} " in Path(f"/proc/{pid}/net/udp").read_text("ascii")
                if opened and f"PPid:\t{campaign}\n" in Path(f"/proc/{pid}/status").read_text("utf-8"):
                    return int(pid)
        time.sleep(0.01)  # polls another process's ports; there is nothing to wait on
    raise AssertionError("the flow never began")
