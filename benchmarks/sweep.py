"""How fast and how light the bulk echo is, beside fping in the same run, on the same wire.

Two network namespaces, 10,000 addresses that answer (AnyIP) behind a routed hop. fping's fastest loss-free setting is
found first; then fping and ``icmp-echo`` take turns. Prints a Markdown table of medians. Needs root and fping.

Usage: ``python benchmarks/sweep.py [--rounds N] [--addresses N]``
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from common import back_to_back

ROOT = Path(__file__).resolve().parents[1]
ATTEMPTS = 3
TIMEOUT_MS = 500
PREFIX = f"sweep{os.getpid()}"
CLIENT, SERVER = f"{PREFIX}c", f"{PREFIX}s"
#: fping's pace: least pause between any two packets, and between two packets to one target, milliseconds.
FPING_SETTINGS = [("0", "1"), ("0", "100"), ("0.01", "1"), ("0.01", "100"), ("0.001", "20"), ("0.02", "20")]
ANSWERING = {4: "198.19.0.0", 6: "2001:db8:2::"}
SILENT = {4: "198.18.64.0", 6: "2001:db8:3::"}

CLIENT_SETUP = """
link set lo up
addr add 198.18.0.1/30 dev eth0
addr add 2001:db8:1::1/64 dev eth0 nodad
link set eth0 up
route add 198.18.0.0/15 via 198.18.0.2
route add 2001:db8::/32 via 2001:db8:1::2
"""
SERVER_SETUP = """
link set lo up
addr add 198.18.0.2/30 dev eth0
addr add 2001:db8:1::2/64 dev eth0 nodad
link set eth0 up
route add local 198.19.0.0/16 dev lo
route add local 2001:db8:2::/96 dev lo
route add blackhole 198.18.64.0/18
route add blackhole 2001:db8:3::/64
"""


@dataclass(frozen=True)
class Round:
    """One sweep."""

    wall_s: float  #: whole process, from its start to its end
    cpu_s: float  #: user and system time of the process
    rss_mib: float  #: peak resident memory
    lost: int  #: unanswered echoes
    sweep_s: float = 0.0  #: the action alone, without starting Python


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--addresses", type=int, default=10_000)
    parser.add_argument("--sweep", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.sweep:
        sweep(Path(arguments.sweep))
        return
    if os.geteuid() != 0 or shutil.which("fping") is None:
        sys.exit("needs root (for network namespaces) and fping")
    with namespaces(), tempfile.TemporaryDirectory() as folder:
        print(f"{arguments.addresses:,} addresses x {ATTEMPTS} echoes, timeout {TIMEOUT_MS} ms, "
              f"{arguments.rounds} rounds in turn; {platform.release()}, {os.cpu_count()} CPUs, "
              f"load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
        print("| case | tool | wall, median (min..max) | sweep alone | CPU | peak RSS | lost, most |")
        print("|---|---|---|---|---|---|---|")
        for version in (4, 6):
            for silent in (0.0, 0.2):
                compare(Path(folder), version, silent, arguments.rounds, arguments.addresses)


def compare(folder: Path, version: int, silent: float, rounds: int, count: int) -> None:
    """One case: fping at its best, and icmp-echo, in turn."""
    mute = int(count * silent)
    targets = folder / "targets"
    names = [str(ip_address(SILENT[version]) + index) for index in range(1, mute + 1)]
    names += [str(ip_address(ANSWERING[version]) + index) for index in range(1, count - mute + 1)]
    targets.write_text("\n".join(names) + "\n", "ascii")
    setting = fastest_fping(version, targets, mute)
    pairs = [(fping(version, targets, setting), echo(targets)) for _ in range(rounds)]
    case = f"IPv{version}" + (f", {silent:.0%} silent" if silent else "")
    theirs, ours = ([pair[index] for pair in pairs] for index in (0, 1))
    expected = mute * ATTEMPTS
    print(row(case, f"fping -i {setting[0]} -p {setting[1]}", theirs, expected))
    print(row(case, "icmp-echo", ours, expected))
    ratio = statistics.median(one.wall_s / other.wall_s for one, other in pairs)
    alone = statistics.median(one.wall_s / other.sweep_s for one, other in pairs)
    cpu = statistics.median(one.cpu_s / other.cpu_s for one, other in pairs)
    print(f"| {case} | fping / icmp-echo | **{ratio:.2f}** | {alone:.2f} | {cpu:.2f} | | |", flush=True)


def row(case: str, tool: str, rounds: list[Round], expected: int) -> str:
    """A line of the table; losses beyond the silent targets' own are false ones."""
    wall = [one.wall_s for one in rounds]
    sweep_s = statistics.median(one.sweep_s for one in rounds)
    return (
        f"| {case} | {tool} | {statistics.median(wall):.3f} s ({min(wall):.3f}..{max(wall):.3f}) "
        f"| {f'{sweep_s:.3f} s' if sweep_s else ''} | {statistics.median(one.cpu_s for one in rounds):.2f} s "
        f"| {max(one.rss_mib for one in rounds):.0f} MiB | {max(one.lost for one in rounds) - expected} |"
    )


def fastest_fping(version: int, targets: Path, mute: int) -> tuple[str, str]:
    """The setting with the least median time among those that lost nothing in any of three tries."""
    best: dict[tuple[str, str], float] = {}
    for setting in FPING_SETTINGS:
        tries = [fping(version, targets, setting) for _ in range(3)]
        if all(one.lost == mute * ATTEMPTS for one in tries):
            best[setting] = statistics.median(one.wall_s for one in tries)
    if not best:
        sys.exit("fping loses packets at every setting tried")
    return min(best, key=lambda setting: best[setting])


def fping(version: int, targets: Path, setting: tuple[str, str]) -> Round:
    """One sweep by fping, with the same number and size of packets; it counts, and reports nothing per address."""
    pause, period = setting
    command = ["fping", f"-{version}", "-q", "-s", "-i", pause, "-p", period, "-b", "32", "-t", str(TIMEOUT_MS)]
    wall_s, usage, output = timed([*command, "-C", str(ATTEMPTS), "-f", str(targets)])
    counts = {line.split(None, 1)[1]: line.split(None, 1)[0] for line in output.splitlines() if " ICMP Echo" in line}
    lost = int(counts["ICMP Echos sent"]) - int(counts["ICMP Echo Replies received"])
    return Round(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, lost)


def echo(targets: Path) -> Round:
    """One sweep by this project, in a process of its own as at a vantage point."""
    wall_s, usage, output = timed([sys.executable, __file__, "--sweep", str(targets)])
    told = json.loads(output.splitlines()[-1])
    return Round(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, told["lost"], told["sweep_s"])


def timed(command: list[str]) -> tuple[float, resource.struct_rusage, str]:
    """Run in the client's namespace: wall time, resources, and everything it said."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        started = time.perf_counter()
        process = subprocess.Popen(["ip", "netns", "exec", CLIENT, *command], stdout=said, stderr=subprocess.STDOUT)
        _, _, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        process.returncode = 0
        said.seek(0)
        return wall_s, usage, said.read()


def sweep(targets: Path) -> None:
    """The child: perform the action and tell what came of it."""
    import asyncio

    sys.path.insert(0, str(ROOT))
    from probes.action import Action
    from probes.action import Target
    from probes.gate import Gate
    from probes.methods import method
    from probes.permit import Permit
    from probes.permit import ZonePermit
    from profiles.observation import Observation

    names = targets.read_text("ascii").split()
    permit = Permit("desk", dict.fromkeys(names, "lab"), {"lab": ZonePermit("lab", "query")}, {})
    asked = tuple(Target(f"t{index}", name, "lab") for index, name in enumerate(names))
    parameters = {"attempts": ATTEMPTS, "timeout_ms": TIMEOUT_MS, "payload_bytes": 32}
    seen: list[Observation] = []
    started = time.perf_counter()
    asyncio.run(method("icmp-echo").run(Action("desk", "icmp-echo", asked, parameters), Gate(permit), seen.extend))
    sweep_s = time.perf_counter() - started
    echoes = [observation for observation in seen if observation.target]
    assert len(echoes) == len(names) * ATTEMPTS, "an attempt is missing"
    print(json.dumps({"sweep_s": sweep_s, "lost": sum(not observation.answered for observation in echoes)}))


@contextmanager
def namespaces() -> Iterator[None]:
    """Client and server; what is to answer answers."""
    with back_to_back(CLIENT, SERVER, {CLIENT: CLIENT_SETUP, SERVER: SERVER_SETUP}):
        for target in ("198.19.0.1", "2001:db8:2::1"):
            ping = ["ip", "netns", "exec", CLIENT, "ping", "-q", "-c", "1", "-W", "1", target]
            if not any(subprocess.run(ping, check=False, capture_output=True).returncode == 0 for _ in range(20)):
                sys.exit(f"{target} does not answer")
        yield


if __name__ == "__main__":
    main()
