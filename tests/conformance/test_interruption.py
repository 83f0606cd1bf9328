"""Ctrl-C, SIGTERM and kill -9 in mid-sweep lose nothing that was acknowledged, and ``--resume`` completes."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab import Lab
from profiles.verdict import ExitStatus
from reports.verify import verify

pytestmark = pytest.mark.lab

PROFILE = ("--profile", "terminal-reachability")
DEADLINE_S = 60


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
