"""Bundles judged again under another profile: by what they observed, and nothing else.

Verdicts in the bundles stay as they are; what comes of it is laid down beside them. What the new profile asks and a
bundle did not observe, or not as often as is asked now, is ``not-tested``: nobody owed it when the bundle was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from fixtures.plant.model import Plant
from fixtures.scoping import Case
from fixtures.scoping import plan
from profiles.problem import UserMistake
from profiles.requirement import Profile
from profiles.requirement import Requirement
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.bundle import parse_profile
from reports.fleet.finding import fingerprint
from reports.fleet.layout import ALTERED
from reports.fleet.layout import UNREADABLE
from reports.fleet.reading import Task
from reports.fleet.reading import result_row
from reports.rejudge import conclude
from reports.rejudge import not_tested
from reports.result import Result
from reports.scoring import pillars_by_requirement
from reports.verify import verify

REJUDGED = "rejudged"
#: Fields of a requirement that decide what is measured.
_MEASURED_BY = ("indicator", "scope", "parameters", "sample_size", "sample_seed")
_LONGEST = 500  #: characters of what is told


@dataclass(slots=True)
class Again:
    """What came of one bundle."""

    bundle: dict[str, Any]
    results: list[dict[str, Any]] = field(default_factory=list)


def again(texts: Mapping[str, str], task: Task) -> Again:
    """Judge a bundle under the profiles ``texts``, by name; runs in a process of its own, maybe on another machine.

    The bundle is verified first, by its hashes, and judged again by its own profiles too if the task says so.
    """
    folder = Path(task.root, task.name)
    manifest, _ = fingerprint(folder)
    try:
        verification = verify(folder, recompute=task.full)
        if not verification.sound:
            found = verification.alterations
            said = "; ".join(f"{it.place}: {it.text('en')}" for it in found[:3])
            return Again(about(task.name, ALTERED, found[0].code, said, manifest))
        profiles = [parse_profile(name, text) for name, text in texts.items()]
        results = _judged(task.name, Bundle.open(folder), profiles)
    except UserMistake as mistake:
        return Again(about(task.name, UNREADABLE, mistake.problems[0].code, mistake.text("en"), manifest))
    row = about(task.name, REJUDGED, "", "", manifest)
    return Again(row | {"items": sum(not it["scope"] and it["verdict"] is not None for it in results)}, results)


def about(name: str, state: str, reason: str, said: str, manifest: str = "") -> dict[str, Any]:
    """The row of a bundle."""
    return {"bundle": name, "manifest": manifest, "state": state, "reason": reason, "said": said[:_LONGEST], "items": 0}


def _judged(name: str, bundle: Bundle, profiles: Sequence[Profile]) -> list[dict[str, Any]]:
    before = {result.item: result for result in bundle.campaign.results}
    asked_then = {(profile.profile, it.id): it for profile in bundle.profiles for it in profile.requirements}
    pillars = pillars_by_requirement(profiles)
    rows = []
    for case in plan(_tailored(bundle.plant, profiles), profiles):
        was = before.get(case.id)
        then = asked_then.get((was.profile, was.requirement)) if was else None
        owed = then is not None and was is not None and was.verdict is not Verdict.NOT_TESTED and _same(then, case)
        row = result_row(name, _concluded(case, bundle, owed), pillars)
        rows.append(row | {"plant": bundle.plant.plant} | _before(was))
    asked = {row["item"] for row in rows}
    pillars = pillars_by_requirement(bundle.profiles)
    for was in before.values():
        if was.item not in asked and not was.scope:
            row = result_row(name, was, pillars) | {"value": None, "verdict": None, "plant": bundle.plant.plant}
            rows.append(row | _before(was))
    return rows


def _before(was: Result | None) -> dict[str, Any]:
    return {"was": was and was.verdict.value, "was_value": was and was.value}


def _concluded(case: Case, bundle: Bundle, owed: bool) -> Result:
    """What follows from the observations; what is missing is an error only if it was ``owed`` when it was measured."""
    found = conclude(case, bundle.observations)
    return found if owed or found.verdict is not Verdict.ERROR else not_tested(case, "not-observed")


def _same(then: Requirement, case: Case) -> bool:
    """Whether the same was to be measured, whatever limit and rule it was held against."""
    now = case.requirement
    return all(getattr(then, name) == getattr(now, name) for name in _MEASURED_BY)


def _tailored(plant: Plant, profiles: Sequence[Profile]) -> Plant:
    """The plant without what it says about requirements that the new profiles do not have."""
    known = {it.id for profile in profiles for it in profile.requirements}
    known |= {f"{profile.profile}/{it.id}" for profile in profiles for it in profile.requirements}
    kept = tuple(it for it in plant.tailoring if it.requirement.partition(":")[0] in known)
    return plant if kept == plant.tailoring else plant.model_copy(update={"tailoring": kept})
