"""Campaigns on the virtual plant in which something other than the plant decides: stops, deaths and samples."""

from __future__ import annotations

import json
import os
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

pytestmark = pytest.mark.lab

PROFILE = ("--profile", str(Path(__file__).with_name("reachability.yaml")))
DEADLINE_S = 60


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"trouble{os.getpid()}") as lab:
        yield lab


def _changed_plant(lab: Lab, folder: Path, old: str, new: str) -> Path:
    """A copy of the lab's plant file with every ``old`` replaced."""
    text = lab.plant_file.read_text("utf-8")
    assert old in text
    for table in lab.plant_file.parent.glob("*.csv"):
        (folder / table.name).write_bytes(table.read_bytes())
    changed = folder / "plant.yaml"
    changed.write_text(text.replace(old, new), "utf-8")
    return changed


def test_a_device_that_goes_silent_stops_its_zone_and_no_other(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]
) -> None:
    plant = _changed_plant(lab, tmp_path, '"silence_limit": null', '"silence_limit": 3')
    lab.defect("flapping").on()
    try:
        campaign = run_campaign(plant, tmp_path / "evidence", *PROFILE)
    finally:
        lab.defect("flapping").off()
    assert campaign.status == ExitStatus.INCOMPLETE, campaign.output
    assert campaign.verdicts["NET-RCH-E"] == "error"
    assert {finding["reason"] for finding in campaign.results["NET-RCH-P"]["failing"]} == {"stopped"}
    assert "device-went-silent: robot-a-02" in campaign.output
    assert "zone-stopped" in (campaign.bundle / "events.jsonl").read_text("utf-8")
    for zone in ("office", "cell-b"):
        result = campaign.results[f"NET-RCH-E:zone={zone}"]
        assert (result["verdict"], result["failing"]) == ("info", [])


@pytest.mark.parametrize("name", ["icmp-blocked", "ipv6-only-down"])
def test_a_device_that_is_deaf_on_one_side_stops_nothing(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any], name: str
) -> None:
    plant = _changed_plant(lab, tmp_path, '"silence_limit": null', '"silence_limit": 3')
    lab.defect(name).on()
    try:
        campaign = run_campaign(plant, tmp_path / "evidence", *PROFILE)
    finally:
        lab.defect(name).off()
    assert campaign.status == ExitStatus.CONFORMANT, campaign.output


def test_a_killed_vantage_owes_errors_and_the_rest_goes_on(
    lab: Lab, tmp_path: Path, start_campaign: Callable[..., subprocess.Popen[str]], run_campaign: Callable[..., Any]
) -> None:
    evidence = tmp_path / "evidence"
    process = start_campaign(lab.plant_file, evidence, *PROFILE)
    _await_answers_from("cell-a", evidence)
    for pid in _pids(lab.namespace("cell-a")):
        if b"python" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == ExitStatus.INCOMPLETE, output
    sealed = json.loads((evidence / "bundle" / "results.json").read_text("utf-8"))
    lost = {result["item"]: result for result in sealed["results"]}
    assert lost["NET-RCH-P"]["verdict"] == "error"
    assert "vantage-lost" in {finding["reason"] for finding in lost["NET-RCH-P"]["failing"]}
    assert lost["NET-RCH-P:zone=cell-b"]["verdict"] == "info"
    resumed = run_campaign(lab.plant_file, evidence, *PROFILE, "--resume")
    assert resumed.status == ExitStatus.CONFORMANT, resumed.output


def test_a_stop_file_interrupts(
    lab: Lab, tmp_path: Path, start_campaign: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    stop = tmp_path / "plantproof" / "STOP"
    stop.parent.mkdir()
    process = start_campaign(lab.plant_file, tmp_path / "evidence", *PROFILE)
    _await_answers_from("cell-a", tmp_path / "evidence")
    stop.touch()
    output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == ExitStatus.INTERRUPTED, output
    assert "--resume" in output


def _pids(namespace: str) -> list[int]:
    return [int(pid) for pid in subprocess.check_output(["ip", "netns", "pids", namespace], text=True).split()]


def _await_answers_from(vantage: str, evidence: Path) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            with sqlite3.connect(f"file:{evidence / 'evidence.sqlite'}?mode=ro", uri=True) as database:
                if database.execute("SELECT 1 FROM observations WHERE vantage = ? LIMIT 1", (vantage,)).fetchone():
                    return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.01)  # polls another process's database; there is nothing to wait on
    raise AssertionError(f"{vantage} never answered")


SAMPLES = """
profile: sampled
version: "1"
title: {zh: 抽样, en: sampled}
description: {zh: 抽样, en: sampled}
extends: [virtual-plant]
only: [NET-RCH-E, NET-RCH-P, NET-RCH-S]
override:
  - {id: NET-RCH-E, sample_size: 20, sample_rule: R2, parameters: {basis: terminal, counted: networked}}
  - {id: NET-RCH-P, sample_size: 20, parameters: {basis: terminal, counted: networked}}
  - {id: NET-RCH-S, sample_size: 10, parameters: {basis: terminal, counted: networked}}
"""


def test_a_sample_passes_only_as_far_as_its_exact_bound_reaches(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]
) -> None:
    profile = tmp_path / "sampled.yaml"
    profile.write_text(SAMPLES, "utf-8")
    campaign = run_campaign(lab.plant_file, tmp_path / "evidence", "--profile", str(profile))
    whole = {item: campaign.results[item] for item in ("NET-RCH-E", "NET-RCH-P", "NET-RCH-S")}
    assert {item: result["verdict"] for item, result in whole.items()} == {
        "NET-RCH-E": "inconclusive",  # 20 of 24 answer: only a census shows 100 %
        "NET-RCH-P": "pass",  # 20 of 28 answer: with 3 silent in the register the chance is 1.7 %
        "NET-RCH-S": "inconclusive",  # 10 of 38 answer: with 4 silent in the register the chance is 28 %
    }, campaign.output
    # those that work behind a gateway do not count, and are not drawn
    assert [whole[item]["denominator"] for item in whole] == [20, 20, 10]
    assert campaign.status == ExitStatus.INCOMPLETE
