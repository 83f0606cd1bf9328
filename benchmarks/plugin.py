"""What the plugin costs per item: 1,000 items (requirement x scope) judged again on recorded observations.

The observations that a run would have stored are written first; then ``pytest --resume`` has nothing to send and only
plans, reduces, judges, stores, seals and renders. The peer is pytest on as many parametrized tests that assert nothing.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from conformance.campaign import Campaign
from conformance.network.test_reachability import test_access_reachability
from conformance.plugin.evidence import opened_store
from fixtures.plant.loader import load_plant
from probes.action import Action
from profiles.loader import load_profile
from profiles.observation import Observation

ROUNDS = 5
ZONES = 245


def _plant() -> str:
    """A plant whose zones make some 1,000 items: each zone is a breakdown of four object classes."""
    zones = "\n".join(
        f"  - {{id: z{n}, networks: [198.18.{n // 32}.{n % 32 * 8}/29], level: query}}" for n in range(ZONES)
    )
    classes = "EPSX"
    endpoints = "\n".join(
        f"  - {{id: e{n}{letter}, class: {letter}, zone: z{n}, addresses: [198.18.{n // 32}.{n % 32 * 8 + index}]}}"
        for n in range(ZONES)
        for index, letter in enumerate(classes, start=1)
    )
    vantage = f"  - {{id: here, where: local, measures: [{', '.join(f'z{n}' for n in range(ZONES))}]}}"
    return f"plant: benchmark\nzones:\n{zones}\nendpoints:\n{endpoints}\nvantages:\n{vantage}\n"


def _recorded(action: Action) -> Iterator[Observation]:
    for target in action.targets:
        for attempt in range(int(action.parameters["attempts"])):
            yield Observation(
                action.method, action.vantage, target.id, target.address, "round-trip-delay", 0.2, "ms", None,
                action.window, attempt, 1_800_000_000_000_000_000 + attempt, attempt, "",
            )  # fmt: skip


def _record(plant_file: Path, evidence: Path) -> int:
    """Write a whole campaign's observations; return the number of items."""
    campaign = Campaign(load_plant(plant_file), [load_profile("terminal-reachability")])
    for case in campaign.cases.values():
        campaign.consider(case, test_access_reachability(case=case, plant=campaign.plant))
        campaign.enlist(case)
    with opened_store(campaign, evidence, resume=False) as store:
        for priced in campaign.priced():
            store.append(list(_recorded(priced.action)))
    return len(campaign.cases)


def _seconds(*command: str) -> float:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *command], check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - started


def main() -> None:
    """Print medians and the cost per item."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        plant = root / "plant.yaml"
        plant.write_text(_plant(), "utf-8")
        ours, bare, items = [], [], 0
        for round in range(ROUNDS):
            evidence = root / f"evidence{round}"
            items = _record(plant, evidence)
            peer = root / "test_peer.py"
            peer.write_text(f"import pytest\n@pytest.mark.parametrize('n', range({items}))\ndef test_peer(n): pass\n")
            options = [
                "--plant",
                str(plant),
                "--profile",
                "terminal-reachability",
                "--evidence",
                str(evidence),
                "--resume",
            ]
            ours.append(_seconds("--pyargs", "conformance", *options))
            bare.append(_seconds(str(peer), "-c", "/dev/null", "--rootdir", str(root)))
    one, other = statistics.median(ours), statistics.median(bare)
    print("| items | campaign on recorded data | bare pytest | per item, sealing and report included |")
    print("|---|---|---|---|")
    print(f"| {items} | {one:.2f} s | {other:.2f} s | {(one - other) / items * 1000:.1f} ms |")


if __name__ == "__main__":
    main()
