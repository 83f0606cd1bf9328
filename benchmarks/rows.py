"""Rows from vantage points to the host: a method that measures nothing fills the wire; one vantage point, then two.

The host's own CPU time per row bounds what any number of vantage points can deliver. Goal: 100,000 rows/s.
"""

from __future__ import annotations

import resource
import sys
import time
from importlib.resources import files
from types import ModuleType

from fixtures.plant.model import Plant
from fixtures.vantage import VantagePool
from fixtures.vantage.archive import pack
from probes.action import Action
from probes.action import Target
from probes.methods import MODULES
from probes.methods import Method
from probes.permit import Permit
from profiles.observation import Observation

TARGETS = 20_000
ATTEMPTS = 10
GOAL_ROWS_PER_S = 100_000

FLOOD = """
import asyncio
from probes.methods import Method
from profiles.observation import Observation

async def run(action, gate, emit):
    for attempt in range(action.parameters["attempts"]):
        made = [
            Observation("flood", action.vantage, target.id, target.address, "round-trip-delay", 0.1234 + attempt, "ms",
                        None, 0, attempt, 1_800_000_000_123_456_789, 123_456_789_012, '{"ttl":64}')
            for target in action.targets
        ]
        for start in range(0, len(made), 200):
            emit(made[start : start + 200])
        await asyncio.sleep(0)

METHOD = Method("flood", "passive", None, run)
"""


def register() -> bytes:
    """Make the method known here, and return the archive that makes it known there."""
    module = ModuleType("plantproof_flood")
    module.METHOD = Method("flood", "passive", None, None)  # type: ignore[arg-type,attr-defined]
    sys.modules["plantproof_flood"] = module
    MODULES["flood"] = "plantproof_flood"
    methods = files("probes").joinpath("methods.py").read_text("utf-8") + '\nMODULES["flood"] = "probes.flood"\n'
    return pack({"probes/flood.py": FLOOD, "probes/methods.py": methods})


def measure(code: bytes, vantages: tuple[str, ...]) -> float:
    """Print one line of the table, and return the rows per second of host CPU time."""
    plant = Plant.model_validate(
        {"plant": "bench", "zones": [{"id": "z"}], "vantages": [{"id": id, "where": "local"} for id in vantages]}
    )
    targets = tuple(Target(f"ep-{n}", f"198.18.{n >> 8}.{n & 255}", "z") for n in range(TARGETS))
    actions = [Action(id, "flood", targets, {"attempts": ATTEMPTS}) for id in vantages]
    arrived = 0

    def count(rows: list[Observation]) -> None:
        nonlocal arrived
        arrived += len(rows)

    permits = {id: Permit(id, {}, {}, {}) for id in vantages}
    with VantagePool.open(plant, permits, kill_files=(), code=code) as pool:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        pool.run(actions, count, print, lambda: False)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    assert arrived == len(vantages) * TARGETS * ATTEMPTS
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {len(vantages)} | {arrived:,} | {arrived / took_s:,.0f} | {arrived / cpu_s:,.0f} | {peak_mb:.0f} |")
    return arrived / cpu_s


def main() -> int:
    """Print the table; status 1 if the host could not take rows as fast as the goal asks."""
    code = register()
    print("| vantage points | rows | rows/s (all on this machine) | rows/s of host CPU time | peak MB of the host |")
    print("|---|---|---|---|---|")
    slowest = min(measure(code, vantages) for vantages in (("one",), ("one", "two")))
    return int(slowest < GOAL_ROWS_PER_S)


if __name__ == "__main__":
    sys.exit(main())
