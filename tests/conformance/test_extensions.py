"""Packages of others add indicators, suites, methods and dialects by entry points; broken ones are named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socketserver import BaseRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread
from typing import Any

import pytest

from profiles.verdict import ExitStatus
from reports.bundle import Bundle

ACME = Path(__file__).parent.parent / "thirdparty"
LEVELS = {"meter-1": b"+ACME: 100\r\n", "meter-2": b"+ACME: 60\r\n"}  # -90 dBm and -110 dBm

PLANTPROOF = "from conformance.cli import main; main()"
CHECK = """
from conformance.extensions import check_extensions, suites
from profiles.problem import UserMistake
try:
    check_extensions()
    suites()
except UserMistake as mistake:
    print(mistake.text("en"))
    print(mistake.text("zh"))
"""

PROFILE = """
profile: acme
version: "1"
title: {zh: 表计, en: meters}
description: {zh: 表计, en: meters}
requirements:
  - id: ACME-LVL
    title: {zh: 表计电平, en: level of meters}
    pillar: network
    indicator: acme-level-share
    rule: R0
    parameters: {least_dbm: -100}
    threshold: {op: ">=", value: 100 %, source: {standard: Acme, clause: "1", provenance: project, verified: false}}
    source: {standard: Acme, clause: "1", provenance: project, verified: false}
    remedy: {zh: 检查天线, en: check the antenna}
"""


def serving(host: str, said: bytes) -> ThreadingTCPServer:
    """A meter on loopback that says ``said`` to whoever connects."""

    class Meter(BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(said)

    server = ThreadingTCPServer((host, 0), Meter)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


@pytest.fixture
def meters() -> Iterator[dict[str, int]]:
    servers = {id: serving(f"127.0.0.{number}", said) for number, (id, said) in enumerate(LEVELS.items(), 1)}
    yield {id: server.server_address[1] for id, server in servers.items()}
    for server in servers.values():
        with closing(server.socket):
            server.shutdown()


class Site:
    """A folder in which packages are installed as an installer would do it, and commands that see them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = folder / "packages"
        self.packages.mkdir()

    def install(self, name: str, entry_points: str, **files: str) -> None:
        information = self.packages / f"{name.replace('-', '_')}-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "ascii")
        (information / "entry_points.txt").write_text(entry_points, "ascii")
        for module, source in files.items():
            path = self.packages / f"{module.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, "utf-8")

    def install_acme(self) -> None:
        self.install("acme-plantproof", (ACME / "entry_points.txt").read_text("ascii"))
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ACME / "acme_plantproof", self.packages / "acme_plantproof", ignore=ignored)

    def run(self, *command: str) -> tuple[int, str]:
        environment = os.environ | {"PLANTPROOF_LANG": "en", "PYTHONPATH": str(self.packages)}
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout

    def campaign(self, ports: dict[str, int], *options: str) -> tuple[int, str]:
        (self.folder / "acme.yaml").write_text(PROFILE, "utf-8")
        meters = [
            {"id": id, "class": "S", "zone": "bench", "addresses": [f"127.0.0.{number}"], "services": [f"tcp/{port}"]}
            for number, (id, port) in enumerate(ports.items(), 1)
        ]
        plant = {
            "plant": "meters",
            "zones": [{"id": "bench", "lab": True}],
            "endpoints": meters,
            "vantages": [{"id": "here", "where": "local", "zone": "bench"}],
        }
        (self.folder / "plant.yaml").write_text(json.dumps(plant), "utf-8")
        given = ("--plant", "plant.yaml", "--profile", "acme.yaml", "--evidence", "evidence", "-p", "no:cacheprovider")
        return self.run("-m", "pytest", "--pyargs", "conformance", *given, *options)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_package_of_others_is_measured_judged_and_verified(site: Site, meters: dict[str, int]) -> None:
    site.install_acme()
    status, output = site.campaign(meters)
    assert status == ExitStatus.NONCONFORMANT, output
    bundle = Bundle.open(site.folder / "evidence" / "bundle")
    campaign = json.loads((bundle.path / "results.json").read_text("utf-8"))
    (result,) = campaign["results"]
    assert (result["item"], result["verdict"], result["numerator"], result["denominator"]) == ("ACME-LVL", "fail", 1, 2)
    assert [finding["target"] for finding in result["failing"]] == ["meter-2"]
    assert (bundle.path / "raw/here/acme/meter-1-0.txt").read_bytes() == LEVELS["meter-1"]
    rows: list[Any] = list(bundle.table.rows())
    assert len(rows) == 2 * 2 * 2, "two meters, two attempts, two quantities"
    status, output = site.run("-c", PLANTPROOF, "verify", str(bundle.path))
    assert status == 0, output


BROKEN: dict[str, tuple[str, dict[str, str], str]] = {
    "indicator that cannot be imported": (
        "[plantproof.indicators]\nbad = bad_module\n",
        {"bad_module": "import no_such_module\n"},
        "No module named 'no_such_module'",
    ),
    "indicator whose name is taken": (
        "[plantproof.indicators]\nbad = bad_module\n",
        {
            "bad_module": "from profiles.indicators import indicator\n"
            "@indicator('access-reachability', unit='%', methods=())\n"
            "def again(register, observations, parameters):\n    'Again.'\n"
        },
        "access-reachability is declared twice",
    ),
    "method that is none": ("[plantproof.methods]\nbad = bad_module\n", {"bad_module": "METHOD = 7\n"}, "bad"),
    "method whose name is taken": (
        "[plantproof.methods]\nicmp-echo = bad_module\n",
        {"bad_module": "from probes.icmp import METHOD\n"},
        "icmp-echo",
    ),
    "method in the place of a package that travels": (
        "[plantproof.methods]\nicmp-echo-2 = probes.icmp\n",
        {},
        "icmp-echo-2",
    ),
    "method that ends the process": (
        "[plantproof.methods]\nbad = bad_module\n",
        {"bad_module": "raise SystemExit(0)\n"},
        "SystemExit",
    ),
    "dialect that is no TOML": (
        "[plantproof.dialects]\nbad = bad_package\n",
        {"bad_package____init__": "", "bad_package__at__x": ""},
        "bad_package",
    ),
    "dialects that are not there": ("[plantproof.dialects]\nbad = bad_package\n", {}, "No module named 'bad_package'"),
    "suite that is not there": ("[plantproof.suites]\nbad = bad_suite\n", {}, "No module named 'bad_suite'"),
}
BROKEN_SUITES: dict[str, tuple[str, dict[str, str], str]] = {
    "suite that cannot be imported": (
        "[plantproof.suites]\nbad = bad_suite\n",
        {"bad_suite____init__": "", "bad_suite__test_bad": "import no_such_module\n"},
        "No module named 'no_such_module'",
    ),
    "suite with a mistake": (
        "[plantproof.suites]\nbad = test_bad_suite\n",
        {"test_bad_suite": "def broken(:\n"},
        "SyntaxError",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_is_named(site: Site, name: str) -> None:
    site.install_acme()
    entry_points, files, said = BROKEN[name]
    site.install("bad-package", entry_points, **files)
    if "TOML" in name:
        (site.packages / "bad_package" / "at" / "x.toml").write_text("= [", "ascii")
    status, output = site.run("-c", CHECK)
    assert status == 0, output
    assert output.count("bad-package") == 2, "in both languages"
    assert said in output
    assert "Traceback" not in output


@pytest.mark.parametrize("name", BROKEN_SUITES)
def test_a_broken_suite_is_named_and_nothing_is_sent(site: Site, name: str) -> None:
    site.install_acme()
    entry_points, files, said = BROKEN_SUITES[name]
    site.install("bad-package", entry_points, **files)
    status, output = site.campaign({"meter-1": 9})
    assert status == ExitStatus.USAGE, output
    assert "the package bad-package" in output
    assert said in output
    assert "Traceback" not in output
    assert not (site.folder / "evidence").exists()


def test_a_second_suite_of_the_same_indicator_is_refused(site: Site) -> None:
    site.install_acme()
    source = (ACME / "acme_plantproof" / "suite" / "test_acme.py").read_text("utf-8")
    site.install("rival", "[plantproof.suites]\nrival = test_rival\n", test_rival=source)
    status, output = site.campaign({"meter-1": 9})
    assert status == ExitStatus.USAGE, output
    assert "acme-level-share" in output
    assert "test_rival.py::test_acme_level" in output
    assert "Traceback" not in output


def test_a_dialect_whose_name_is_taken_is_refused(site: Site) -> None:
    site.install_acme()
    site.install("rival", "[plantproof.dialects]\nrival = rival\n", rival____init__="", rival__at__x="")
    dialect = ACME / "acme_plantproof" / "dialects" / "at" / "acme-meter.toml"
    shutil.copy(dialect, site.packages / "rival" / "at" / "quectel.toml")
    _, output = site.run("-c", CHECK)
    assert "at/quectel.toml" in output
    assert "plantproof" in output
