"""The plugin without a plant to measure: options, mistakes and plans. Nothing of this sends a packet."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from profiles.verdict import ExitStatus

PLANT = """
plant: small
zones: [{id: cell, networks: [192.0.2.0/24]}]
endpoints:
  - {id: cnc-1, class: E, zone: cell, addresses: [192.0.2.10], services: [tcp/502]}
  - {id: pad-1, class: P, zone: cell, addresses: [192.0.2.11]}
  - {id: vib-1, class: S, zone: cell, addresses: [192.0.2.12]}
  - {id: lamp-1, class: X, zone: cell, addresses: [192.0.2.13]}
vantages: [{id: seat, where: "netns:plantproof-no-such-namespace", measures: [cell]}]
"""


class Bench:
    """Runs pytest on the suites in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plant = folder / "plant.yaml"
        self.plant.write_text(PLANT, "utf-8")

    def run(self, *options: str) -> tuple[int, str]:
        """Exit status and everything printed, in English."""
        command = [sys.executable, "-m", "pytest", "--pyargs", "conformance", "-p", "no:cacheprovider", *options]
        environment = os.environ | {"PLANTPROOF_LANG": "en"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _campaign(bench: Bench, *options: str) -> tuple[int, str]:
    return bench.run("--plant", str(bench.plant), "--profile", "terminal-reachability", *options)


def test_suites_ask_for_a_plant(bench: Bench) -> None:
    status, output = bench.run()
    assert status == ExitStatus.USAGE
    assert "--plant" in output


@pytest.mark.parametrize(
    "option",
    [
        ["--profile", "x"],
        ["--plan"],
        ["--resume"],
        ["--evidence", "e"],
        ["--waivers", "w"],
        ["--particulars", "p"],
        ["--baseline", "b"],
        ["--retest"],
    ],
)
def test_campaign_options_need_a_plant(bench: Bench, option: list[str]) -> None:
    status, output = bench.run(*option)
    assert status == ExitStatus.USAGE
    assert f"{option[0]} needs --plant" in output


def test_every_mistake_of_a_plant_is_told_and_nothing_is_written(bench: Bench) -> None:
    bench.plant.write_text(PLANT.replace("zone: cell, addresses: [192.0.2.10]", "zone: sell, addreses: [1]"), "utf-8")
    status, output = _campaign(bench, "--evidence", "evidence")
    assert status == ExitStatus.USAGE
    assert "plant.yaml:5:" in output
    assert "sell" in output
    assert "addreses" in output
    assert not (bench.folder / "evidence").exists()


def test_missing_files_are_named(bench: Bench) -> None:
    status, output = bench.run("--plant", "nowhere.yaml")
    assert (status, "nowhere.yaml" in output) == (ExitStatus.USAGE, True)
    status, output = bench.run("--plant", str(bench.plant), "--profile", "no-such-profile")
    assert (status, "no-such-profile" in output) == (ExitStatus.USAGE, True)


def test_unreachable_vantage_leaves_no_evidence(bench: Bench) -> None:
    status, output = _campaign(bench, "--evidence", "evidence")
    assert status == ExitStatus.USAGE
    assert "plantproof-no-such-namespace" in output
    assert "Traceback" not in output
    assert not (bench.folder / "evidence").exists()


def test_resume_needs_something_to_resume(bench: Bench) -> None:
    assert _campaign(bench, "--resume")[0] == ExitStatus.USAGE
    status, output = _campaign(bench, "--resume", "--evidence", "nothing")
    assert status == ExitStatus.USAGE
    assert "--resume" in output


def test_plan_prices_every_action_and_leaves_nothing(bench: Bench) -> None:
    status, output = _campaign(bench, "--plan", "--evidence", "evidence")
    assert status == ExitStatus.CONFORMANT, output
    assert output.count("icmp-echo") == 3, "one row per window"
    assert "total: at most" in output
    assert not (bench.folder / "evidence").exists()


def test_plan_says_what_will_not_be_sent(bench: Bench) -> None:
    zone = "networks: [192.0.2.0/24]"
    bench.plant.write_text(PLANT.replace(zone, f"{zone}, level: passive"), "utf-8")
    status, output = _campaign(bench, "--plan")
    assert "nothing will be sent to 4 objects" in output, output
    assert status == ExitStatus.INCOMPLETE, "nothing will be measured"
    bench.plant.write_text(PLANT.replace(zone, f"{zone}, budget: {{total_bytes: 100}}"), "utf-8")
    assert "byte budget of zone cell at seat is 100" in _campaign(bench, "--plan")[1]


@pytest.mark.parametrize("place", ["a-file", "a-file/below"])
def test_unusable_evidence_directory_is_told_at_once(bench: Bench, place: str) -> None:
    (bench.folder / "a-file").write_text("", "utf-8")
    status, output = _campaign(bench, "--evidence", place)
    assert status == ExitStatus.USAGE
    assert "cannot be the evidence directory" in output


def test_plan_of_nothing_measurable_is_not_success(bench: Bench) -> None:
    status, output = bench.run("--plant", str(bench.plant), "--plan", "-k", "NET-V6-ACT")
    assert status == ExitStatus.INCOMPLETE, output


def test_items_have_stable_readable_ids(bench: Bench) -> None:
    status, output = _campaign(bench, "--collect-only", "-q")
    assert status == 0
    assert "test_reachability.py::test_access_reachability[NET-RCH-E]" in output
    assert "test_access_reachability[NET-RCH-E:zone=cell]" in output
    assert not list(bench.folder.glob("evidence*"))


def test_selection_is_pytests_own(bench: Bench) -> None:
    status, output = _campaign(bench, "--collect-only", "-q", "-k", "NET-RCH-P and not PSX")
    assert status == 0
    assert "NET-RCH-P]" in output
    assert "NET-RCH-E" not in output


def test_requirements_without_a_suite_are_items_too(bench: Bench) -> None:
    status, output = bench.run("--plant", str(bench.plant), "--collect-only", "-q")
    assert status == 0
    assert "test_open.py::test_open_requirement[CMP-MAT]" in output


@pytest.mark.parametrize("entry", ["conformance.plugin", "conformance.cli.app"])
def test_start_imports_nothing_heavy(entry: str) -> None:
    heavy = {"scapy", "pyarrow", "numpy", "scipy", "pysnmp", "pint", "jinja2", "execnet", "pydantic"}
    code = f"import sys, {entry}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)


def test_waivers_and_baselines_are_looked_at_before_anything_is_sent(bench: Bench) -> None:
    (bench.folder / "waivers.yaml").write_text(
        "waivers: [{id: NET-RCH-Q, justification: because of this, owner: a, approver: b, expires: 2001-01-01}]",
        "utf-8",
    )
    status, output = _campaign(bench, "--waivers", "waivers.yaml", "--evidence", "evidence")
    assert status == ExitStatus.USAGE
    assert "waivers.yaml:1:" in output
    assert "NET-RCH-Q" in output
    assert "2001-01-01" in output
    status, output = _campaign(bench, "--particulars", "nowhere.yaml", "--evidence", "evidence")
    assert (status, "nowhere.yaml" in output) == (ExitStatus.USAGE, True)
    status, output = _campaign(bench, "--baseline", "nowhere", "--evidence", "evidence")
    assert (status, "nowhere" in output) == (ExitStatus.USAGE, True)
    status, output = _campaign(bench, "--retest", "--evidence", "evidence")
    assert (status, "--baseline" in output) == (ExitStatus.USAGE, True)
    assert not (bench.folder / "evidence").exists()


def test_a_key_that_cannot_sign_is_told_before_anything_is_sent(bench: Bench) -> None:
    status, output = _campaign(bench, "--evidence", "evidence", "--sign", "no-such.key")
    assert (status, "no-such.key" in output) == (ExitStatus.USAGE, True)
    assert "plantproof-no-such-namespace" not in output
    assert not (bench.folder / "evidence").exists()
    status, output = bench.run("--sign", "no-such.key")
    assert (status, "--sign needs --plant" in output) == (ExitStatus.USAGE, True)


def test_a_wrong_authority_of_time_is_told_before_anything_is_sent(bench: Bench) -> None:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", bench.folder / "own.key"], check=True)
    status, output = _campaign(bench, "--sign", "own.key", "--tsa", "ftp://192.0.2.1/")
    assert (status, "ftp://192.0.2.1/" in output) == (ExitStatus.USAGE, True)
