"""What the sealed bundle of an earlier campaign says of coverage, verified when it is read, ready to go on record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fixtures.plant.model import Plant
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.action import Target
from profiles.indicators.coverage import BASES
from profiles.indicators.coverage import LIVE
from profiles.indicators.coverage import LOG
from profiles.indicators.coverage import CoverageParameters
from profiles.indicators.coverage import surveyed
from profiles.problem import UserMistake
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.requirement import Profile
from reports.bundle import MANIFEST
from reports.bundle import Bundle
from reports.plain import read_plain
from reports.verify import verify

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FEW = 6  #: names in a note


@dataclass(frozen=True, slots=True)
class _Opened:
    """The earlier bundle, or why nothing is taken from it."""

    bundle: Bundle | None
    facts: Mapping[str, str]
    sealed_ns: int = 0


class _Unusable(Exception):
    """The earlier bundle says nothing of this requirement: a reason code, and a note."""

    def __init__(self, reason: str, note: str) -> None:
        self.facts = {"reason": reason, "note": note}
        super().__init__(reason)


def as_targets(case: Case, plant: Plant) -> tuple[Target, ...]:
    """One target for each area of ``case``, with what the earlier bundle says of it; none, if the plant names none.

    It is judged again by this campaign's definition, from its own plant and observations, so that what is compared
    differs in nothing but the year. A bundle that is not sound, or speaks of other areas, says why instead.
    """
    if plant.earlier is None:
        return ()
    members = [member for member in case.register.members if member.drawn and member.measurable]
    opened = _opened(plant.earlier.folder, plant.earlier.manifest_sha256)
    counted: dict[str, dict[str, int]] = {}
    why: Mapping[str, str] = {}
    try:
        counted = _counted(case, opened)
    except _Unusable as unusable:
        why = unusable.facts
    detail = {**opened.facts, **why}
    return tuple(
        Target(member.id, plant.earlier.bundle, "", ask=_said(opened.sealed_ns, counted.get(member.id, {}), detail))
        for member in members
    )


def _said(utc_ns: int, values: Mapping[str, int], detail: Mapping[str, Any]) -> str:
    said = {"utc_ns": utc_ns, "values": values, "detail": detail}
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


@cache
def _opened(folder: str, expected: str | None) -> _Opened:
    """The bundle, verified; once in a process."""
    try:
        verification = verify(folder)
        manifest = hashlib.sha256(read_plain(Path(folder), MANIFEST)).hexdigest() if verification.sound else ""
    except UserMistake as mistake:
        return _Opened(None, {"note": str(mistake)[:200]})
    if not verification.sound:
        first = verification.alterations[0]
        return _Opened(None, {"note": f"{first.place}: {first.code}"})
    facts = {"campaign": verification.campaign, "manifest_sha256": manifest}
    if expected not in (None, manifest):
        return _Opened(None, facts | {"note": f"{MANIFEST}: SHA-256 {manifest[:12]}…"})
    bundle = Bundle.open(folder)
    try:
        age = datetime.fromisoformat(bundle.manifest.sealed_utc) - _EPOCH
    except (ValueError, TypeError, OverflowError):  # no time, or of no time zone: somebody wrote the manifest by hand
        return _Opened(None, facts | {"note": f"{MANIFEST}: sealed_utc {bundle.manifest.sealed_utc[:40]}"})
    return _Opened(bundle, facts, age // timedelta(microseconds=1) * 1000)


def _counted(case: Case, opened: _Opened) -> dict[str, dict[str, int]]:
    """What was counted in each area. Raises :class:`_Unusable`."""
    if opened.bundle is None:
        raise _Unusable("baseline-altered", opened.facts["note"])
    requirement = case.requirement
    before = {member.id: member for member in _members(case, opened.bundle.plant)}
    now = {member.id: member for member in case.register.members}
    if other := [
        id for id in sorted(before.keys() | now.keys()) if _boundary(before.get(id)) != _boundary(now.get(id))
    ]:
        raise _Unusable("boundary-changed", ", ".join(other[:_FEW]))
    parameters = CoverageParameters.model_validate(requirement.parameters)
    return {id: _count(member, opened.bundle, parameters) for id, member in before.items()}


def _members(case: Case, plant: Plant) -> tuple[Member, ...]:
    """Of what the requirement was asked in the year before, by that plant file's own tailoring. Raises `_Unusable`."""
    asked = case.requirement
    names = (asked.id, f"{case.profile}/{asked.id}")
    tailoring = tuple(it for it in plant.tailoring if it.requirement.partition(":")[0] in names)
    profile = Profile(
        profile=case.profile, version="1", title=asked.title, description=asked.title, requirements=(asked,)
    )
    alone = [it.model_copy(update={"requirement": ":".join([asked.id, *it.requirement.split(":", 1)[1:]])})
             for it in tailoring]  # fmt: skip
    try:
        cases = plan(plant.model_copy(update={"tailoring": tuple(alone)}), [profile])
    except UserMistake as mistake:  # it tailors out what is no longer there
        raise _Unusable("boundary-changed", str(mistake)[:200]) from None
    same = (it.register.members for it in cases if it.scope == case.scope and not it.not_applicable)
    return next(same, ())


def _boundary(member: Member | None) -> object:
    """What has to be the same for two years to be compared: where, what, and how it was sampled."""
    if member is None:
        return None
    points = sorted((id, bool(addresses)) for id, addresses in json.loads(member.fact("points", "[]")))
    return points, *(member.fact(name) for name in ("area", "area_classes", "technology", "polygon_m", "logged"))


def _count(member: Member, bundle: Bundle, parameters: CoverageParameters) -> dict[str, int]:
    rows = bundle.observations((LOG, *LIVE), (member.id, *member.shared))
    found = surveyed(Register((member,)), rows, parameters)
    if isinstance(found, Invalid):
        raise _Unusable("baseline-incomplete", f"{member.id}: {found.reason}")
    if missing := sum(tally.unknown + tally.unsampled for tally in found.values()):
        raise _Unusable("baseline-incomplete", f"{member.id}: {missing}")
    counted = dict.fromkeys([*BASES, *(f"covered-{basis}" for basis in BASES)], 0)
    for basis, tally in found.items():
        counted |= {basis: tally.total, f"covered-{basis}": tally.covered}
    return counted
