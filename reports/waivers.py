"""Waivers: who accepts until when that a requirement is not met, shown beside the verdict and never in its place.

A waiver changes no verdict, no count and no exit status. One that has expired, or that speaks of what the plan does not
hold, is a mistake of the user and is refused before anything is sent.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from datetime import datetime
from pathlib import Path
from typing import Annotated
from typing import Literal
from typing import NamedTuple

from pydantic import BeforeValidator
from pydantic import Field
from pydantic import StringConstraints
from pydantic_core import PydanticCustomError

from fixtures.objects import Object
from fixtures.objects import objects
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from profiles import yaml12
from profiles.complaints import Complaint
from profiles.complaints import meant
from profiles.complaints import shown
from profiles.document import Document
from profiles.document import load
from profiles.document import validate
from profiles.problem import UserMistake
from profiles.requirement import Scope
from profiles.requirement import Strict
from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.figures import zone_of
from reports.result import Campaign
from reports.result import Result
from reports.wording import Said
from reports.wording import same
from reports.wording import say

_CATALOGUE = "reports"
#: Verdicts beside which a waiver says something.
WAIVABLE = OPEN_VERDICTS | {Verdict.FAIL}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _written_as_date(value: object) -> object:
    """A date written as one; a number is none, of whatever moment it may be the seconds."""
    if isinstance(value, date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise PydanticCustomError("wants-date", "a date", {"found": shown(value)})


_Person = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class WaiverScope(Scope):
    """The objects that a waiver is for; an empty list means all in that dimension."""

    areas: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()  #: ids of terminals, flows, passages, ...

    def holds(self, one: Object) -> bool:
        """Whether it is for ``one``."""
        return (
            (not self.objects or one.member.id in self.objects)
            and (not self.zones or one.zone in self.zones)
            and (not self.areas or one.area in self.areas)
            and (not self.technologies or one.technology in self.technologies)
            and (not self.segments or one.segment in self.segments)
            and (not self.classes or not set(self.classes).isdisjoint(one.classes))
        )


class Waiver(Strict):
    """One requirement that somebody has leave not to meet for a while."""

    id: str = Field(min_length=1)  #: of the requirement, as the plan names it
    scope: WaiverScope = WaiverScope()  #: default: wherever the requirement is asked
    justification: Annotated[str, StringConstraints(strip_whitespace=True, min_length=10)]
    owner: _Person  #: who sees to it that it will be met
    approver: _Person  #: who accepts that it is not met yet: somebody else
    expires: Annotated[date, BeforeValidator(_written_as_date)]  #: the last day on which it holds


class WaiverFile(Strict):
    """The file ``waivers.yaml``, as written and as sealed."""

    format: Literal["plantproof-waivers/1"] = "plantproof-waivers/1"
    waivers: tuple[Waiver, ...]


class Waived(NamedTuple):
    """What a waiver says of one result."""

    waiver: Waiver
    covered: tuple[str, ...]  #: offenders that it is for
    uncovered: int  #: further offenders that it is not for

    @property
    def whole(self) -> bool:
        """Whether nothing is left of the result that it does not speak of."""
        return not self.uncovered

    def said(self) -> Said:
        """The waiver in one sentence, for beside the verdict."""
        one = self.waiver
        facts = {"expires": one.expires.isoformat(), "approver": one.approver, "owner": one.owner}
        if self.whole:
            return say("waiver.whole", **facts)
        return say("waiver.part", covered=len(self.covered), uncovered=self.uncovered, **facts)

    def told(self, day: date) -> Said:
        """The same, with whether it held on ``day``, on which the test ended, and why it was given."""
        parts = (self.said(), state(self.waiver, day), same(self.waiver.justification))
        return Said("；".join(part.zh for part in parts), "; ".join(part.en for part in parts))


def state(waiver: Waiver, day: date) -> Said:
    """Whether the waiver held on the day on which the test ended, in words."""
    return say(f"waiver.{'in-force' if day <= waiver.expires else 'expired'}")


def day_of_test(campaign: Campaign) -> date:
    """The day on which the test ended, where it was made; the day zero if nobody can tell."""
    try:
        return datetime.fromisoformat(campaign.ended_utc).astimezone(zone_of(campaign.started_utc)).date()
    except ValueError:
        return date.min


def load_waivers(path: Path, plant: Plant, cases: Sequence[Case], today: date) -> WaiverFile:
    """The waivers in the file ``path``.

    Args:
        path: the file.
        plant: what is tested.
        cases: the plan, which the waivers must speak of.
        today: the day on which they must hold.

    Raises:
        UserMistake: with every mistake: what is malformed, unknown, expired or said twice, and where.
    """
    return checked(load(path), plant, cases, today)


def checked(document: Document, plant: Plant, cases: Sequence[Case], today: date) -> WaiverFile:
    """:func:`load_waivers` of a document that was read already."""
    file = validate(document, WaiverFile)
    if found := list(complaints(file, plant, cases, today)):
        raise UserMistake(document.problems(found, _CATALOGUE))
    return file


def dump(file: WaiverFile) -> str:
    """The file as YAML with every value written out."""
    return yaml12.dump(file.model_dump(mode="json"))


def complaints(file: WaiverFile, plant: Plant, cases: Sequence[Case], today: date) -> Iterator[Complaint]:
    """What is wrong with well-formed waivers: codes of ``reports/texts.toml``."""
    planned = {case.id for case in cases if not case.scope} | {case.requirement.id for case in cases}
    everything = {one.member.id: one for one in objects(plant)}
    known = _known(plant, everything)
    seen: set[tuple[str, WaiverScope]] = set()
    for index, waiver in enumerate(file.waivers):
        at = ("waivers", index)
        if waiver.id not in planned:
            near = meant(waiver.id, planned) or "–"
            yield Complaint((*at, "id"), "waiver-unknown", {"found": waiver.id, "meant": near})
        if _folded(waiver.owner) == _folded(waiver.approver):
            yield Complaint((*at, "approver"), "waiver-own-approval", {"person": waiver.owner})
        if waiver.expires < today:
            facts = {"expires": waiver.expires.isoformat(), "today": today.isoformat()}
            yield Complaint((*at, "expires"), "waiver-expired", facts)
        if (waiver.id, waiver.scope) in seen:
            yield Complaint(at, "waiver-twice", {"found": waiver.id})
        seen.add((waiver.id, waiver.scope))
        strangers = list(_strangers(waiver.scope, known))
        for name, place, value in strangers:
            facts = {"found": value, "meant": meant(value, known[name]) or "–"}
            yield Complaint((*at, "scope", name, place), "waiver-scope-unknown", facts)
        if not strangers and _speaks_of_nothing(waiver, cases, everything):
            yield Complaint((*at, "scope"), "waiver-scope-empty", {"found": waiver.id})


def waived(results: Iterable[Result], waivers: Sequence[Waiver], plant: Plant) -> dict[str, tuple[Waived, ...]]:
    """By item, what waivers say of results that are not met or open; breakdowns and what passes have none."""
    if not waivers:
        return {}
    everything = {one.member.id: one for one in objects(plant)}
    told = {
        result.item: tuple(
            _covered(waiver, result, everything) for waiver in waivers if waiver.id in (result.item, result.requirement)
        )
        for result in results
        if result.verdict in WAIVABLE and not result.scope
    }
    speaking = {item: tuple(one for one in found if one.covered or one.whole) for item, found in told.items()}
    return {item: found for item, found in speaking.items() if found}


def _covered(waiver: Waiver, result: Result, everything: Mapping[str, Object]) -> Waived:
    offenders = [finding.target for finding in result.failing]
    if not offenders and result.observations is not None:  # a value that misses its limit blames nobody
        offenders = list(result.observations.targets)
    if waiver.scope == WaiverScope():
        return Waived(waiver, tuple(offenders), 0)
    covered = tuple(id for id in offenders if id in everything and waiver.scope.holds(everything[id]))
    return Waived(waiver, covered, len(offenders) - len(covered) if offenders else 1)


def _folded(person: str) -> str:
    """A name without what nobody sees of it: case, width, spaces, characters of no width."""
    letters = unicodedata.normalize("NFKC", person).casefold()
    return "".join(letter for letter in letters if not (letter.isspace() or unicodedata.category(letter)[0] == "C"))


def _strangers(scope: WaiverScope, known: Mapping[str, set[str]]) -> Iterator[tuple[str, int, str]]:
    """Dimension, place and name of what the plant does not hold."""
    for name, allowed in known.items():
        for place, value in enumerate(getattr(scope, name)):
            if value not in allowed:
                yield name, place, value


def _speaks_of_nothing(waiver: Waiver, cases: Sequence[Case], everything: Mapping[str, Object]) -> bool:
    """Whether its requirement asks about objects, and none of them is in its scope."""
    asked = [case for case in cases if not case.scope and waiver.id in (case.id, case.requirement.id)]
    members = [everything.get(member.id) for case in asked for member in case.register.members]
    return bool(members) and not any(one is None or waiver.scope.holds(one) for one in members)


def _known(plant: Plant, everything: Mapping[str, Object]) -> dict[str, set[str]]:
    return {
        "zones": {zone.id for zone in plant.zones},
        "areas": {area.id for area in plant.areas},
        "objects": set(everything),
    }
