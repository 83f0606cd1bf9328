"""A whole campaign on 20,000 terminals: one echo and one TCP port of each, from the command to the sealed bundle.

Two network namespaces; the terminals' addresses all answer (AnyIP behind a routed hop), and so does port 502 of each.
The zone's budget does not hold anything back. The peer is fping alone on the same addresses, which is no campaign but
the least that such a sweep costs. Memory is that of all the campaign's processes together, a page that several share
divided among them (PSS), sampled ten times a second. Prints a Markdown table of medians. Needs root and fping.

Usage: ``python benchmarks/campaign.py [--rounds N] [--terminals N]``
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from common import back_to_back

ROOT = Path(__file__).resolve().parents[1]
PREFIX = f"campaign{os.getpid()}"
CLIENT, SERVER = f"{PREFIX}c", f"{PREFIX}s"
FIRST = ip_address("198.19.0.1")
PORT = 502
LIMIT_S = 300

CLIENT_SETUP = """
link set lo up
addr add 198.18.0.1/30 dev eth0
link set eth0 up
route add 198.19.0.0/16 via 198.18.0.2
"""
SERVER_SETUP = """
link set lo up
addr add 198.18.0.2/30 dev eth0
link set eth0 up
route add local 198.19.0.0/16 dev lo
"""
PLANT = """\
plant: benchmark
zones:
- {{id: hall, kind: it, networks: [198.19.0.0/16], budget: {{packets_per_s: 1000000, packets_per_s_per_device: 1000}}}}
- {{id: here, kind: it, networks: [198.18.0.0/30]}}
areas: [{{id: work, classes: [E, P, S, X], zone: hall}}]
vantages: [{{id: desk, where: "netns:{client}", zone: here, measures: [hall]}}]
endpoints:
"""
ENDPOINT = (
    "- {{id: t{n}, name: t{n}, class: {cls}, zone: hall, area: work, addresses: [{address}], services: [tcp/502]}}\n"
)
PROFILE = """\
profile: benchmark
version: "1.0"
title: {zh: 基准, en: Benchmark}
description: {zh: 仅供基准测试。, en: For benchmarks only.}
extends: [terminal-reachability]
override:
"""
OVERRIDE = "- {{id: {id}, parameters: {{basis: terminal, attempts: {attempts}, windows: {windows}}}}}\n"
REQUIREMENTS = ("NET-RCH-E", "NET-RCH-P", "NET-RCH-S", "NET-RCH-X", "NET-RCH-PSX")
CASES = {"one attempt in one window": (1, 1), "as shipped: five in each of three windows": (5, 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--terminals", type=int, default=20_000)
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("fping") is None:
        sys.exit("needs root (for network namespaces) and fping")
    with namespaces(), tempfile.TemporaryDirectory() as folder:
        print(f"{arguments.terminals:,} terminals, {arguments.rounds} rounds; {platform.release()}, "
              f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
        print("| case | campaign, median (min..max) | fping alone | peak memory | rows |")
        print("|---|---|---|---|---|")
        plant = write_plant(Path(folder), arguments.terminals)
        for case, (attempts, windows) in CASES.items():
            profile = write_profile(Path(folder), attempts, windows)
            seen = [round_(Path(folder), plant, profile, arguments.terminals) for _ in range(arguments.rounds)]
            theirs = [fping(arguments.terminals, attempts * windows) for _ in range(arguments.rounds)]
            wall = [it[0] for it in seen]
            print(f"| {case} | {statistics.median(wall):.1f} s ({min(wall):.1f}..{max(wall):.1f}) "
                  f"| {statistics.median(theirs):.1f} s | {max(it[1] for it in seen) / 1e6:.0f} MB "
                  f"| {seen[0][2]:,} |", flush=True)  # fmt: skip


def write_plant(folder: Path, count: int) -> Path:
    """The plant file."""
    lines = [
        ENDPOINT.format(n=n, cls=json.dumps("EPSX"[n % 4]), address=FIRST + n)  # one of each class in turn
        for n in range(count)
    ]
    plant = folder / "plant.yaml"
    plant.write_text(PLANT.format(client=CLIENT) + "".join(lines), "utf-8")
    return plant


def write_profile(folder: Path, attempts: int, windows: int) -> Path:
    """The profile with so many attempts."""
    asked = "".join(OVERRIDE.format(id=it, attempts=attempts, windows=windows) for it in REQUIREMENTS)
    profile = folder / f"profile-{attempts}-{windows}.yaml"
    profile.write_text(PROFILE + asked, "utf-8")
    return profile


def round_(folder: Path, plant: Path, profile: Path, count: int) -> tuple[float, int, int]:
    """One campaign: seconds, the greatest memory in bytes, rows; every terminal must have been found reachable."""
    evidence = Path(tempfile.mkdtemp(dir=folder))
    command = [sys.executable, "-m", "pytest", "--pyargs", "conformance", "-q", "-p", "no:cacheprovider"]
    command += ["--plant", str(plant), "--profile", str(profile), "--evidence", str(evidence)]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None and time.perf_counter() - started < LIMIT_S:
            peak = max(peak, sum(map(resident, family(process.pid))))
            time.sleep(0.1)
        process.kill()
        wall_s = time.perf_counter() - started
        said.seek(0)
        output = said.read().decode(errors="replace")
    if process.wait() != 0:
        sys.exit(output)
    results = json.loads((evidence / "bundle" / "results.json").read_text("utf-8"))["results"]
    counted = [it for it in results if it["item"] in REQUIREMENTS[:4]]
    assert len(counted) == 4, output
    assert all(it["verdict"] == "pass" for it in counted), output
    import pyarrow.parquet as parquet

    rows = parquet.read_metadata(evidence / "bundle" / "observations.parquet").num_rows
    assert rows >= 2 * count, f"{rows} rows"
    shutil.rmtree(evidence)
    return wall_s, peak, rows


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        text = " ".join(each.read_text("ascii") for each in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:  # ended meanwhile
        return []
    return [pid, *(each for child in text.split() for each in family(int(child)))]


def resident(pid: int) -> int:
    """Bytes of a process in memory, its part of what it shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def fping(count: int, echoes: int) -> float:
    """Seconds that fping alone takes to ask as often, as fast as it may."""
    targets = "".join(f"{FIRST + n}\n" for n in range(count))
    command = ["ip", "netns", "exec", CLIENT, "fping", "-4", "-q", "-i", "0.01", "-p", "100", "-b", "32"]
    started = time.perf_counter()
    subprocess.run([*command, "-C", str(echoes)], input=targets, text=True, capture_output=True, check=False)
    return time.perf_counter() - started


@contextmanager
def namespaces() -> Iterator[None]:
    """Client and server; whoever connects to the port is taken and let go."""
    with back_to_back(CLIENT, SERVER, {CLIENT: CLIENT_SETUP, SERVER: SERVER_SETUP}):
        command = ["ip", "netns", "exec", SERVER, sys.executable, "-c", LISTENER]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as listener:
            assert listener.stdout is not None
            listener.stdout.readline()
            try:
                yield
            finally:
                listener.kill()


#: Taken and let go by as few system calls as may be: the listener shares the processor with what is measured.
LISTENER = f"""
import socket
made = socket.create_server(("0.0.0.0", {PORT}), backlog=65535)
print(flush=True)
while True:
    made.accept()[0].close()
"""


if __name__ == "__main__":
    main()
