"""How fast the evidence store takes observations and gives them back.

Run it with ``python benchmarks/store.py [--rows 30000] [--directory DIR]``. Times are medians of several runs, and
depend on how fast the disk flushes.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from probes.action import Action
from probes.action import Target
from profiles.observation import Observation
from reports.store import EvidenceStore

ATTEMPTS = 3
BATCH = 1_000


def observations(rows: int) -> list[Observation]:
    """``rows`` echo replies: :data:`ATTEMPTS` each of as many terminals as that makes."""
    return [
        Observation(
            method="icmp-echo",
            vantage="office",
            target=f"terminal-{row // ATTEMPTS:05}",
            address=f"198.18.{row // ATTEMPTS // 250 % 256}.{row // ATTEMPTS % 250}",
            quantity="round-trip-delay",
            value=0.25 + row % 7 / 100,
            unit="ms",
            error=None,
            window=0,
            attempt=row % ATTEMPTS,
            utc_ns=1_800_000_000_000_000_000 + row * 15_000,
            monotonic_ns=row * 15_000,
            detail='{"ttl":64}',
        )
        for row in range(rows)
    ]


def median_s(action: Callable[[], object], repeats: int) -> float:
    """Median duration of ``action``."""
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def new_store(directory: Path) -> EvidenceStore:
    """An empty store in a folder of its own."""
    campaign = str(uuid.uuid4())
    return EvidenceStore.create(directory / campaign, campaign=campaign, plant_yaml="", profile_yamls={}, facts={})


def fill(store: EvidenceStore, rows: list[Observation]) -> None:
    """Append ``rows`` in batches, each durable."""
    for start in range(0, len(rows), BATCH):
        store.append(rows[start : start + BATCH])


def measure(directory: Path, rows: list[Observation], repeats: int) -> None:
    """Print what appending, reading and resuming take."""
    targets = list(dict.fromkeys(row.target for row in rows))
    cases = [targets[start::1_000] for start in range(1_000)]
    action = Action(
        "office",
        "icmp-echo",
        tuple(Target(row.target, row.address, "cell") for row in rows[::ATTEMPTS]),
        {"attempts": ATTEMPTS},
    )

    def small_cases(store: EvidenceStore) -> int:
        return sum(len(list(store.observations(["icmp-echo"], case))) for case in cases)

    append_s = median_s(lambda: fill(new_store(directory), rows), repeats)
    store = new_store(directory)
    fill(store, rows)
    assert small_cases(store) == len(rows)
    print(f"append {len(rows):,} rows in batches of {BATCH:,}, each durable: {append_s:.3f} s")
    print(f"read 1,000 small cases: {median_s(lambda: small_cases(store), repeats):.3f} s")
    read_s = median_s(lambda: sum(1 for _ in store.observations(["icmp-echo"], targets)), repeats)
    print(f"read one case of {len(targets):,} targets: {read_s:.3f} s")
    print(f"find that nothing is missing: {median_s(lambda: store.missing(action), repeats):.3f} s")
    store.close()
    with EvidenceStore.open(store.directory) as resumed:
        read_s = median_s(lambda: sum(1 for _ in resumed.observations(["icmp-echo"], targets)), repeats)
        print(f"read that case in a resumed campaign: {read_s:.3f} s")
        print(f"read 1,000 small cases in a resumed campaign: {median_s(lambda: small_cases(resumed), repeats):.3f} s")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--directory", type=Path, help="where to write; the default is a temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as directory:
        measure(Path(directory), observations(asked.rows), asked.repeats)


if __name__ == "__main__":
    main()
