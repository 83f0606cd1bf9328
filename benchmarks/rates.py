"""What rates and losses are reported, beside what was planted and what the iperf3 program says between the same ends.

Two network namespaces, their cable shaped by a token bucket filter at both ends. The iperf3 program and
``tcp-throughput`` take turns, each 3 s after an omitted second. Then datagrams are lost at random (nftables, numgen),
and ``udp-throughput`` is asked again and again how many: how often does the 95 % interval hold the planted share?
Prints Markdown tables of medians. Needs root, iperf3, nft and tc.

Usage: ``python benchmarks/rates.py [--rounds N] [--repeats N]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common import back_to_back

ROOT = Path(__file__).resolve().parents[1]
PREFIX = f"rates{os.getpid()}"
CLIENT, SERVER = f"{PREFIX}c", f"{PREFIX}s"
ADDRESS = "198.18.0.2"
PORTS = range(5201, 5206)  # as many losses are measured at a time
RATES = (50, 200, 1000)
LOSSES = (100, 10)  #: of 10,000
DURATION_S, OMIT_S = 3, 1
#: The token bucket counts Ethernet frames without preamble, check sequence and gap; TCP's time stamps take 12 octets.
PAYLOAD_OF_FRAME = 1448 / 1514
SEND = {"rate_mbit_s": 4, "payload_bytes": 256, "duration_s": 1, "direction": "up"}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if arguments.ours:
        print(json.dumps(asyncio.run(measure(json.loads(arguments.ours)))))
        return
    if os.geteuid() != 0 or not all(map(shutil.which, ("iperf3", "nft", "tc"))):
        sys.exit("needs root (for network namespaces), iperf3, nft and tc")
    with namespaces():
        print(f"{arguments.rounds} rounds in turn, {DURATION_S} s each; {platform.release()}, {os.cpu_count()} CPUs, "
              f"load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
        compare_rates(arguments.rounds)
        print()
        count_intervals(arguments.repeats)


def compare_rates(rounds: int) -> None:
    """Goodput by iperf3 and by this project, in turn, at each planted rate and in both directions."""
    print("| planted | direction | iperf3 | tcp-throughput | ours / iperf3 | of the planted rate | without a rate |")
    print("|---|---|---|---|---|---|---|")
    for rate in RATES:
        for name in (CLIENT, SERVER):
            shape = f"qdisc replace dev eth0 root tbf rate {rate}mbit burst 128kb latency 20ms"
            subprocess.run(["tc", "-n", name, *shape.split()], check=True)
        for direction in ("up", "down"):
            pairs = [(program(direction), ours(direction, rate)) for _ in range(rounds)]
            sound = [(one, other) for one, other in pairs if other is not None]
            if not sound:
                print(f"| {rate} Mbit/s | {direction} | | | | | {rounds} |")
                continue
            theirs, own = (statistics.median(pair[index] for pair in sound) for index in (0, 1))
            ratio = statistics.median(other / one for one, other in sound)
            planted = own / PAYLOAD_OF_FRAME / rate
            print(f"| {rate} Mbit/s | {direction} | {theirs:.2f} Mbit/s | {own:.2f} Mbit/s | **{ratio:.3f}** "
                  f"| {planted:.3f} | {rounds - len(sound)} |", flush=True)  # fmt: skip
    for name in (CLIENT, SERVER):
        subprocess.run(["tc", "-n", name, "qdisc", "del", "dev", "eth0", "root"], check=True)


def program(direction: str) -> float:
    """Mbit/s that the iperf3 program says the receiver got."""
    command = ["iperf3", "-c", ADDRESS, "-p", str(PORTS[0]), "-J", "-t", str(DURATION_S), "-O", str(OMIT_S)]
    found = subprocess.run(
        ["ip", "netns", "exec", CLIENT, *command, *(["-R"] if direction == "down" else [])],
        capture_output=True, check=True,
    )  # fmt: skip
    return float(json.loads(found.stdout)["end"]["sum_received"]["bits_per_second"]) / 1e6


def ours(direction: str, rate: int) -> float | None:
    """Mbit/s by this project, in a process of its own as at a vantage point; nothing if it gave no rate."""
    parameters = {"direction": direction, "duration_s": DURATION_S, "omit_s": OMIT_S, "limit_mbit_s": 2 * rate}
    ((row,),) = ask("tcp-throughput", parameters, [PORTS[0]])
    if row["error"]:
        print(f"  ({row['error']}: {row['detail'].get('why')})", file=sys.stderr)
    value: float | None = row["value"]
    return value


def ask(method: str, parameters: dict[str, Any], ports: list[int]) -> list[list[dict[str, Any]]]:
    """The rows of one action for each port, all at a time, measured in the client's namespace."""
    order = json.dumps({"method": method, "parameters": parameters, "ports": ports})
    command = ["ip", "netns", "exec", CLIENT, sys.executable, __file__, "--ours", order]
    found: list[list[dict[str, Any]]] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


async def measure(order: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The child: perform one action for each port and tell what came of it."""
    from probes.action import Action
    from probes.action import Target
    from probes.gate import Gate
    from probes.methods import method
    from probes.permit import Permit
    from probes.permit import ZonePermit
    from profiles.observation import Observation

    class Kept(list[Observation]):
        __call__ = list.extend

        def raw(self, name: str, text: str) -> None:
            """Not needed."""

    async def one(port: int) -> list[dict[str, Any]]:
        permit = Permit("desk", {ADDRESS: "lab"}, {"lab": ZonePermit("lab", "load")}, {})
        action = Action("desk", order["method"], (Target("far", ADDRESS, "lab", port),), order["parameters"])
        kept = Kept()
        await method(action.method).run(action, Gate(permit), kept)
        return [
            {"quantity": row.quantity, "value": row.value, "error": row.error, "detail": json.loads(row.detail)}
            for row in kept
        ]

    return list(await asyncio.gather(*map(one, order["ports"])))


def count_intervals(repeats: int) -> None:
    """How often the interval that is reported holds the planted share."""
    from profiles.bounds import proportion_bounds

    print("| planted loss | repeats | interval holds it | datagrams each | reported, median | without a figure |")
    print("|---|---|---|---|---|---|")
    for planted in LOSSES:
        lose = f"udp length > 100 numgen random mod 10000 < {planted} drop;"
        table = f"table inet lossy {{\nchain c {{\ntype filter hook input priority 0;\n{lose}\n}}\n}}\n"
        rules = f"table inet lossy\ndelete table inet lossy\n{table}"
        subprocess.run(["ip", "netns", "exec", SERVER, "nft", "-f", "-"], input=rules, text=True, check=True)
        asked = SEND | {"limit_mbit_s": SEND["rate_mbit_s"]}
        rows: list[dict[str, Any]] = []
        while len(rows) < repeats:
            rows += [next(it for it in one if it["quantity"] == "udp-loss-up") for one in ask(
                "udp-throughput", asked, list(PORTS)[: repeats - len(rows)])]  # fmt: skip
        sound = [(it["detail"]["lost"], it["detail"]["judged"]) for it in rows if it["error"] is None]
        bounds = [proportion_bounds(lost, sent, 0.975) for lost, sent in sound]  # each one-sided; 95 % in between
        held = sum(low <= planted / 10_000 <= high for low, high in bounds)
        middle = statistics.median(lost / sent for lost, sent in sound)
        print(f"| {planted / 100:g} % | {len(sound)} | **{held}** | {statistics.median(sent for _, sent in sound):.0f} "
              f"| {100 * middle:.3f} % | {len(rows) - len(sound)} |", flush=True)  # fmt: skip


@contextmanager
def namespaces() -> Iterator[None]:
    """Client and server; an iperf3 server on each port."""
    setup = "link set lo up\naddr add {}/30 dev eth0\nlink set eth0 up\n"
    servers = []
    with back_to_back(CLIENT, SERVER, {CLIENT: setup.format("198.18.0.1"), SERVER: setup.format(ADDRESS)}):
        try:
            for port in PORTS:
                command = ["ip", "netns", "exec", SERVER, "iperf3", "-s", "-B", ADDRESS, "-p", str(port)]
                servers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            _await_listening()
            yield
        finally:
            for server in servers:
                server.kill()
                server.wait()


def _await_listening() -> None:
    command = ["ip", "netns", "exec", SERVER, "ss", "-Hltn"]
    for _ in range(200):
        if len(subprocess.run(command, capture_output=True, check=True).stdout.splitlines()) >= len(PORTS):
            return
        time.sleep(0.05)
    sys.exit("the iperf3 servers do not listen")


if __name__ == "__main__":
    main()
