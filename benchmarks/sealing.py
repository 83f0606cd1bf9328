"""How long it takes to seal a large campaign with its report, and to verify the bundle.

``python benchmarks/sealing.py [--observations 1000000] [--results 1000] [--keep DIR]``. Each step is a process of its
own, whose peak memory is told with that of the processes it starts. The goals: sealing with HTML below 60 s and 1 GB,
verification below 30 s.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from profiles.observation import Observation

HERE = Path(__file__)
BATCH = 1_000  #: observations stored at once
ATTEMPTS = 25  #: echoes to each terminal and window
WINDOWS = 2
PER_CLASS = 20  #: terminals of one class in one zone


def plant_yaml(zones: int) -> str:
    """A plant with as many zones, in each :data:`PER_CLASS` terminals of every class."""
    lines = ["plant: benchmark", "zones:"]
    lines += [f"  - {{id: z{zone}, networks: [198.18.{zone}.0/24], level: query}}" for zone in range(zones)]
    lines += ["endpoints:"]
    for zone in range(zones):
        for index in range(4 * PER_CLASS):
            kind = "EPSX"[index % 4]
            lines.append(
                f"  - {{id: e{zone}-{index}, class: {kind}, zone: z{zone}, addresses: [198.18.{zone}.{index + 1}]}}"
            )
    measured = ", ".join(f"z{zone}" for zone in range(zones))
    return "\n".join([*lines, "vantages:", f"  - {{id: here, where: local, measures: [{measured}]}}", ""])


def record(directory: Path, observations: int, results: int) -> None:
    """Write the store of a campaign of about so many items with so many observations, some without an answer."""
    from conformance.campaign import Campaign
    from conformance.plugin.evidence import opened_store
    from fixtures.plant.loader import load_plant
    from profiles.loader import load_profile

    plant = directory / "plant.yaml"
    zones = min(max(1, (results - 8) // 4), 250)
    plant.write_text(plant_yaml(zones), "utf-8")
    campaign = Campaign(load_plant(plant), [load_profile("terminal-reachability")])
    rows = made(observations, zones)
    with opened_store(campaign, directory / "evidence", resume=False) as store:
        while batch := [row for _, row in zip(range(BATCH), rows, strict=False)]:
            store.append(batch)


def made(observations: int, zones: int) -> Iterator[Observation]:
    """So many echoes: attempt by attempt to all terminals, as a sweep makes them; one in 97 without an answer."""
    terminals = [
        (f"e{zone}-{index}", f"198.18.{zone}.{index + 1}") for zone in range(zones) for index in range(4 * PER_CLASS)
    ]
    for number in range(observations):
        turn, (target, address) = number // len(terminals), terminals[number % len(terminals)]
        lost = number % 97 == 0
        value, error = (None, "timeout") if lost else (0.2 + number % 1_013 / 1e4, None)
        yield Observation(
            "icmp-echo", "here", target, address, "round-trip-delay", value, "ms", error, turn // ATTEMPTS,
            turn % ATTEMPTS, 1_790_000_000_000_000_000 + number * 15_731, number * 15_731, '{"ttl":64}',
        )  # fmt: skip


def seal_it(directory: Path) -> None:
    """Seal the store with its HTML report."""
    from reports.html import write_report
    from reports.seal import seal
    from reports.store import EvidenceStore

    with EvidenceStore.open(directory / "evidence") as store:
        seal(
            store,
            directory / "bundle",
            renderings={"report.html": lambda bundle, path: write_report(bundle, path, "zh")},
        )


def verify_it(directory: Path) -> None:
    """Verify the bundle, which must be sound."""
    from reports.verify import verify

    verification = verify(directory / "bundle")
    assert verification.sound, verification.alterations[:5]
    print(json.dumps({"observations": verification.observations, "results": verification.items}))


def measured(step: str, directory: Path) -> tuple[float, float, float, str]:
    """Seconds, seconds of processor time and peak memory in MiB of a step in its own process, and what it printed."""
    started, used = time.perf_counter(), cpu_seconds()
    done = subprocess.run(
        [sys.executable, HERE, "--step", step, "--keep", directory], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    *said, peak = done.stdout.splitlines()
    return seconds, cpu_seconds() - used, float(peak), "".join(said)


def cpu_seconds() -> float:
    """Processor time of all steps until now."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run the benchmark, or one step of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--observations", type=int, default=1_000_000)
    parser.add_argument("--results", type=int, default=1_000)
    parser.add_argument("--step", help="one step alone, in the folder of --keep")
    parser.add_argument("--keep", type=Path, help="where to leave what is made; the default is a temporary folder")
    asked = parser.parse_args()
    if asked.step:
        {"seal": seal_it, "verify": verify_it}[asked.step](asked.keep)
        own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print((own + others) / 1024)
        return
    with tempfile.TemporaryDirectory() as folder:
        directory = asked.keep or Path(folder) / str(uuid.uuid4())
        directory.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        if not (directory / "evidence").exists():
            record(directory, asked.observations, asked.results)
        print(f"recorded in {time.perf_counter() - started:.1f} s\n")
        print("| step | time | CPU | peak memory |\n|---|---|---|---|")
        for step in ("seal", "verify"):
            seconds, cpu, peak, said = measured(step, directory)
            print(f"| {step} {said} | {seconds:.1f} s | {cpu:.1f} s | {peak:.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
