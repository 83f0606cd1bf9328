"""One bundle as rows of the index: verified first, so that nothing is indexed that does not follow from its data."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from profiles.problem import UserMistake
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.fleet.basis import basis
from reports.fleet.finding import fingerprint
from reports.fleet.layout import ALTERED
from reports.fleet.layout import HASHED
from reports.fleet.layout import UNREADABLE
from reports.fleet.layout import VERIFIED
from reports.fleet.synthetic import FACT
from reports.result import Result
from reports.scoring import pillars_by_requirement
from reports.verify import verify_read

_TOLD = 3  #: findings of an altered bundle that are told
_LONGEST = 500  #: characters of what is told


@dataclass(frozen=True, slots=True)
class Task:
    """One bundle to be read."""

    root: str
    name: str
    full: bool = True  #: whether it is judged again; otherwise only its hashes are compared


@dataclass(slots=True)
class Entry:
    """What the index says of one bundle."""

    bundle: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)
    failing: list[dict[str, Any]] = field(default_factory=list)


def read(task: Task) -> Entry:
    """Verify a bundle, and turn it into rows if it is what was sealed; runs in a process of its own."""
    folder = Path(task.root, task.name)
    manifest, files = fingerprint(folder)
    marks = {"manifest": manifest, "files": files}
    try:
        bundle = Bundle(folder)
        verification = verify_read(bundle, recompute=task.full)
        if not verification.sound:
            found = verification.alterations
            said = "; ".join(f"{it.place}: {it.text('en')}" for it in found[:_TOLD])
            return Entry(unsound(task.name, ALTERED, found[0].code, said) | marks)
        entry = _rows(task.name, bundle)
    except UserMistake as mistake:
        return Entry(unsound(task.name, UNREADABLE, mistake.problems[0].code, mistake.text("en")) | marks)
    entry.bundle |= marks | {"state": VERIFIED if task.full else HASHED}
    return entry


def unsound(name: str, state: str, reason: str, said: str) -> dict[str, Any]:
    """The row of a bundle of which nothing else is indexed."""
    return {"bundle": name, "state": state, "reason": reason, "said": said[:_LONGEST], "manifest": "", "files": "",
            "checked_utc": _now()}  # fmt: skip


def result_row(name: str, result: Result, pillars: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """A result as a row, whichever table it is for."""
    interval, threshold = result.interval, result.threshold
    return {
        "bundle": name,
        "item": result.item,
        "profile": result.profile,
        "requirement": result.requirement,
        "pillar": pillars.get((result.profile, result.requirement), ""),
        "indicator": result.indicator,
        "scope": ",".join(f"{dimension}={value}" for dimension, value in result.scope.items()),
        "verdict": result.verdict.value,
        "reason": result.reason,
        "value": result.value,
        "unit": result.unit,
        "numerator": result.numerator,
        "denominator": result.denominator,
        "low": interval and interval.low,
        "high": interval and interval.high,
        "n": result.n,
        "op": threshold and threshold.op,
        "limit": threshold and threshold.value,
        "rule": result.rule,
        "failing": len(result.failing),
    }


def _rows(name: str, bundle: Bundle) -> Entry:
    campaign, plant, profiles = bundle.campaign, bundle.plant, bundle.profiles
    pillars = pillars_by_requirement(profiles)
    counts = {f"n_{word.name.lower()}": campaign.counts.verdicts.get(word, 0) for word in Verdict}
    row = {
        "bundle": name,
        "reason": "",
        "said": "",
        "checked_utc": _now(),
        "campaign": campaign.campaign,
        "plant": campaign.plant,
        "organisation": plant.organisation,
        "place": bundle.particulars.place,
        "profiles": ",".join(campaign.profiles),
        "basis": basis(profiles),
        "started_utc": campaign.started_utc,
        "ended_utc": campaign.ended_utc,
        "sealed_utc": bundle.manifest.sealed_utc,
        "outcome": campaign.outcome.value,
        "planned": campaign.counts.planned,
        **counts,
        "waivers": len(bundle.waivers),
        "terminals": len(plant.endpoints),
        "synthetic": FACT in campaign.versions,
    }
    results = [result_row(name, it, pillars) for it in campaign.results]
    return Entry(row, results, list(_failing(name, campaign.results)))


def _failing(name: str, results: tuple[Result, ...]) -> Iterator[dict[str, Any]]:
    for result in results:
        if not result.scope and result.verdict is not Verdict.PASS:
            for found in result.failing:
                yield {"bundle": name, "item": result.item, "target": found.target, "reason": found.reason}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
