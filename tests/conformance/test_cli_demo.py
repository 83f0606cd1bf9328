"""``plantproof try`` as a new user meets it: from nothing to a verified bundle, or to an orderly end when told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from profiles.verdict import ExitStatus

pytestmark = pytest.mark.lab

DEADLINE_S = 60


def _start(name: str, evidence: Path, *options: str) -> subprocess.Popen[str]:
    main = "from conformance.cli import main; main()"
    command = [sys.executable, "-c", main, "--lang", "en", "try", "--name", name, "--evidence", str(evidence), *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def _namespaces(name: str) -> list[str]:
    listed = subprocess.check_output(["ip", "netns", "list"], text=True).splitlines()
    return [line for line in listed if line.startswith(f"pp-{name}-")]


def test_a_defect_is_found_and_the_bundle_verifies(tmp_path: Path) -> None:
    name = f"t{os.getpid()}"
    process = _start(name, tmp_path, "--profile", "terminal-reachability", "--defect", "equipment-down")
    output, _ = process.communicate(timeout=2 * DEADLINE_S)
    assert process.returncode == 0, output
    assert "Outcome: nonconformant" in output
    assert "cnc-a-03" in output
    assert (tmp_path / "bundle" / "report.html").is_file()
    assert _namespaces(name) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_seals_and_takes_the_plant_down(tmp_path: Path, number: signal.Signals) -> None:
    name = f"t{os.getpid()}"
    process = _start(name, tmp_path, "--profile", "terminal-reachability")
    deadline = time.monotonic() + DEADLINE_S
    while not (tmp_path / "evidence.sqlite").exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # another process makes it; there is nothing to wait on
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == ExitStatus.INTERRUPTED, output
    assert (tmp_path / "bundle" / "results.json").is_file()
    assert _namespaces(name) == []
