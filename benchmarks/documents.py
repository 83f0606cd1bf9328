"""How long the reports for people take on a large campaign: Word, PDF and Markdown.

``python benchmarks/documents.py [--endpoints 20000] [--items 1000] [--keep DIR]``. The bundle is made by hand: so many
items, each of all endpoints of a class, one in five not met with a hundredth of them failing, some open. Every format
is written in a process of its own, whose peak memory is told.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from fixtures.plant.dump import dump_plant
from fixtures.plant.model import Plant
from profiles.loader import dump
from profiles.observation import Observation
from profiles.requirement import Profile
from reports.bundle import Bundle
from reports.bundle import FileRecord
from reports.bundle import Manifest
from reports.bundle import profile_path
from reports.formats import FORMATS as KNOWN
from reports.parquet import ObservationWriter
from reports.result import Campaign
from reports.result import Counts
from reports.result import Result
from reports.standing import Standing

HERE = Path(__file__)
FORMATS = ("markdown", "docx", "pdf")
CLASSES = "EPSX"
ZONES = 40
START_NS = 1_790_000_000_000_000_000
SOURCE = {"standard": "Benchmark", "clause": "1", "provenance": "project", "verified": False}


def plant_of(endpoints: int) -> Plant:
    """A plant of so many terminals in :data:`ZONES` zones."""
    objects = [
        {
            "id": f"t-{number:05}", "name": f"终端 {number}", "class": CLASSES[number % 4],
            "zone": f"z{number % ZONES}", "technology": "ethernet",
            "addresses": [f"198.18.{number // 250 % 256}.{number % 250 + 1}"],
        }
        for number in range(endpoints)
    ]  # fmt: skip
    zones = [{"id": f"z{zone}", "name": f"产线 {zone}"} for zone in range(ZONES)]
    return Plant.model_validate(
        {
            "plant": "基准工厂",
            "organisation": "示例",
            "zones": zones,
            "endpoints": objects,
            "vantages": [{"id": "here", "where": "local"}],
        }
    )


def profile_of(items: int) -> Profile:
    """A profile of so many requirements."""
    title = {"zh": "基准", "en": "Benchmark"}
    remedy = {"zh": "检查终端供电、网线或无线覆盖。", "en": "Check the terminal's power, cable or radio coverage."}
    requirements = [
        {
            "id": f"BNC-{number:04}", "title": {"zh": f"可达率 {number}", "en": f"Reachability {number}"},
            "pillar": "network", "indicator": "access-reachability", "rule": "R0", "source": SOURCE, "remedy": remedy,
            "scope": {"classes": [CLASSES[number % 4]]}, "threshold": {"op": ">=", "value": "100 %", "source": SOURCE},
        }
        for number in range(items)
    ]  # fmt: skip
    told = {"profile": "benchmark", "version": "1", "title": title, "description": title, "requirements": requirements}
    return Profile.model_validate(told)


def results_of(plant: Plant, profile: Profile) -> list[Result]:
    """One result for each requirement, and its breakdown by zone for one in ten."""
    made = []
    for number, asked in enumerate(profile.requirements):
        ids = [one.id for one in plant.endpoints if one.cls == CLASSES[number % 4]]
        failing = ids[: len(ids) // 100] if number % 5 == 0 else []
        common = {
            "profile": profile.profile, "requirement": asked.id, "indicator": asked.indicator, "unit": "%",
            "rule": "R0", "vantages": ["here"], "started_utc_ns": START_NS, "ended_utc_ns": START_NS + 60_000_000_000,
        }  # fmt: skip
        verdict = "not-tested" if number % 50 == 1 else "fail" if failing else "pass"
        good = len(ids) - len(failing)
        figures = {} if verdict == "not-tested" else {
            "value": 100 * good / len(ids), "numerator": good, "denominator": len(ids), "n": len(ids),
            "observations": {"methods": ["icmp-echo"], "targets": ids[:5]},
            "failing": [{"target": id, "reason": "no-answer", "note": "icmp-echo 0/15"} for id in failing],
            "facts": {"value": f"{good}/{len(ids)}", "op": ">=", "limit": "100 %"},
        }  # fmt: skip
        reason = {"pass": "met", "fail": "not-met", "not-tested": "not-run"}[verdict]
        more = {"threshold": asked.threshold, "reason": reason, "verdict": verdict}
        made.append(Result.model_validate(common | more | figures | {"item": asked.id, "scope": {}}))
        for zone in range(ZONES if number % 10 == 0 else 0):
            part = {"item": f"{asked.id}:zone=z{zone}", "scope": {"zone": f"z{zone}"}, "verdict": "info", "reason": ""}
            made.append(Result.model_validate(common | part | {"rule": "info", "value": 99.0, "n": len(ids) // ZONES}))
    return made


def write_bundle(folder: Path, endpoints: int, items: int) -> None:
    """The campaign as a bundle, without observations but a few."""
    plant, profile = plant_of(endpoints), profile_of(items)
    results = results_of(plant, profile)
    standing = Standing.of(results)
    facts: dict[str, Any] = {"campaign": "6f6a0c2e-0000-4000-8000-000000000000", "host": "here", "versions": {}}
    counts = Counts(planned=items, verdicts=dict(Counter(standing.counts)))
    campaign = Campaign(
        **facts, plant=plant.plant, profiles=(profile.profile,), started_utc="2026-09-21T08:00:00+08:00",
        ended_utc="2026-09-21T12:00:00+08:00", outcome=standing.outcome, counts=counts, results=tuple(results),
    )  # fmt: skip
    (folder / "profiles").mkdir(parents=True)
    (folder / "results.json").write_text(campaign.model_dump_json(), "utf-8")
    (folder / "plant.yaml").write_text(dump_plant(plant), "utf-8")
    (folder / profile_path(profile.profile)).write_text(dump(profile), "utf-8")
    for name in ("attempts.jsonl", "events.jsonl"):
        (folder / name).write_text("", "utf-8")
    with ObservationWriter(folder / "observations.parquet") as writer:
        rows = (
            Observation(
                "icmp-echo", "here", f"t-{number % 100:05}", "198.18.0.1", "round-trip-delay", 0.2 + number % 97 / 1e3,
                "ms", None, 0, number // 100, START_NS + number, number, "",
            )
            for number in range(10_000)
        )  # fmt: skip
        writer.write((*row.row(), 1, True) for row in rows)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    hashed = {name: FileRecord(sha256=hashlib.sha256(data).hexdigest(), size=len(data)) for name, data in files.items()}
    sealed: dict[str, Any] = {"sealed_utc": campaign.ended_utc, "kernel": "", "clock": {}, "files": hashed}
    (folder / "manifest.json").write_text(Manifest(**facts, **sealed).model_dump_json(), "utf-8")


def write_report(bundle: Path, format: str) -> None:
    """Write one format, and print the time, the peak memory and the size."""
    out = bundle.with_name(f"report{KNOWN[format].suffix}")
    started = time.perf_counter()
    KNOWN[format].write(Bundle.open(bundle), out, "zh")
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "bytes": out.stat().st_size}))


def main() -> None:
    """Run the benchmark, or one format of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--format", help="one format alone, of the bundle in the folder of --keep")
    parser.add_argument("--keep", type=Path, help="where to leave what is made; the default is a temporary folder")
    asked = parser.parse_args()
    if asked.format:
        write_report(asked.keep / "bundle", asked.format)
        return
    with tempfile.TemporaryDirectory() as folder:
        directory = asked.keep or Path(folder)
        if not (directory / "bundle").exists():
            write_bundle(directory / "bundle", asked.endpoints, asked.items)
        print(f"{asked.endpoints:,} endpoints, {asked.items:,} items\n")
        print("| format | time | peak memory | size |\n|---|---|---|---|")
        for format in FORMATS:
            command = [sys.executable, HERE, "--format", format, "--keep", directory]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            told = json.loads(done.stdout.splitlines()[-1])
            size = told["bytes"] / 1e6
            print(f"| {format} | {told['seconds']:.1f} s | {told['peak']:.0f} MiB | {size:.1f} MB |", flush=True)


if __name__ == "__main__":
    main()
