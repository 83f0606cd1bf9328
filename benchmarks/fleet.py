"""How fast 10,000 bundles are indexed, ranked and judged again, and what a second process brings.

Run it with ``python benchmarks/fleet.py [--bundles 10000] [--directory DIR]``. The bundles are synthetic; those that
are in the directory already stay, since making them takes longer than all else.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from profiles.loader import load_profile
from profiles.weights import Weights
from reports.fleet.index import index
from reports.fleet.query import open_index
from reports.fleet.rank import rank
from reports.fleet.rejudging import rejudge_fleet
from reports.fleet.synthetic import PROFILE
from reports.fleet.synthetic import synthesise

WORKERS = 2
_T = TypeVar("_T")


def timed(what: str, action: Callable[[], _T]) -> tuple[float, _T]:
    """How long ``action`` took, which is printed, and what it returned."""
    start = time.perf_counter()
    found = action()
    taken = time.perf_counter() - start
    print(f"{what}: {taken:.1f} s" if taken >= 10 else f"{what}: {taken:.2f} s", flush=True)
    return taken, found


def measure(bundles: Path, count: int, scratch: Path) -> None:
    """Print what each step takes."""
    profile = load_profile(str(PROFILE))
    weights = Weights({it.id: Fraction(number) for number, it in enumerate(profile.requirements, 1)})
    timed(f"make {count:,} synthetic bundles", lambda: synthesise(bundles, count, workers=WORKERS))
    out = scratch / "index"
    _, counts = timed(
        f"verify, judge again and index, {WORKERS} processes", lambda: index(bundles, out, workers=WORKERS)
    )
    assert counts.verified == count
    _, counts = timed("index again, nothing changed", lambda: index(bundles, out, workers=WORKERS))
    assert counts.unchanged == count

    def ranked() -> int:
        with open_index(out) as opened:
            return len(rank(opened, weights, [Fraction(5), Fraction(20)], now=datetime.now(UTC)).places)

    for _ in range(2):
        _, places = timed("rank", ranked)
        assert places == count
    taken = {}
    for workers in (1, WORKERS):
        target = scratch / f"again-{workers}"
        what = f"judge again under another profile, {workers} process{'es' if workers > 1 else ''}"
        taken[workers], done = timed(what, lambda: rejudge_fleet(bundles, [profile], target, workers=workers))  # noqa: B023
        assert (done.bundles, done.failed) == (count, 0)
        shutil.rmtree(target)
    print(f"one process / {WORKERS} processes: {taken[1] / taken[WORKERS]:.2f}")
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"peak memory of any one process: {peak / 1024:.0f} MiB")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundles", type=int, default=10_000)
    parser.add_argument("--directory", type=Path, help="where the bundles are or shall be; default: a temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        measure(asked.directory or Path(scratch) / "bundles", asked.bundles, Path(scratch))


if __name__ == "__main__":
    main()
