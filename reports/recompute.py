"""Everything that a bundle's results say, computed again from its plant, profiles and observations."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import TypeVar

from pydantic import BaseModel

from fixtures.plant.model import Plant
from fixtures.scoping import Case
from fixtures.scoping import plan
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.verdict import Verdict
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PLANT
from reports.bundle import PROFILES
from reports.bundle import RESULTS
from reports.bundle import WAIVERS
from reports.bundle import Bundle
from reports.bundle import Manifest
from reports.plain import Malformed
from reports.recompute_chain import ChainRecomputation
from reports.rejudge import conclude
from reports.rejudge import not_tested
from reports.result import Campaign
from reports.result import Result
from reports.result import count_attempts
from reports.standing import Standing
from reports.verification import Verification
from reports.waivers import WaiverFile
from reports.waivers import complaints

if TYPE_CHECKING:
    from reports.parquet import ObservationTable

_T = TypeVar("_T")

#: Fields of a result, those first that tell a reader most when they differ.
_FIRST = ("verdict", "value", "numerator", "denominator", "interval", "failing", "reason")
_TELLING = (*_FIRST, *(name for name in Result.model_fields if name not in _FIRST))
#: What follows from the data where an item was not run: nothing was seen, or for others' sake less than it is owed.
_MAY_BE_UNTESTED = frozenset({Verdict.NOT_TESTED, Verdict.ERROR})
#: What every result of an item has in common, also one that a later attempt replaced.
_ASKED = ("profile", "requirement", "indicator", "scope", "threshold")
_TOLERANCE = 1e-9  #: relative; other releases of the numerical libraries may differ in the last digits


class Recomputation:
    """Plans and judges a bundle again from its plant, profiles and observations."""

    def __init__(self, bundle: Bundle, verification: Verification) -> None:
        self._bundle = bundle
        self._found = verification.found
        self._verification = verification

    def run(self, manifest: Manifest | None) -> None:
        """Compare everything that the results say with what follows from the data."""
        campaign = self._read(self._bundle.read_campaign)
        attempts = self._read(self._bundle.read_attempts)
        table = self._read(self._bundle.read_table)
        self._read(self._bundle.read_events)
        if campaign is None:
            return
        self._verification.campaign = campaign.campaign
        if manifest is not None and manifest.campaign != campaign.campaign:
            self._found("fact-differs", MANIFEST, name="campaign", stored=manifest.campaign, computed=campaign.campaign)
        self._compare_standing(campaign)
        if table is not None:
            self._verification.observations = len(table)
            self._compare_effective(table)
            self._compare_results(campaign, attempts or (), table)
        if manifest is not None and manifest.chain is not None and attempts is not None:
            ChainRecomputation(self._bundle, manifest, self._verification).run(campaign, table)
        if manifest is not None:
            named = {f"{PROFILES}/{name}.yaml" for name in campaign.profiles}
            for name in sorted(manifest.files):
                if name.startswith(f"{PROFILES}/") and name not in named:
                    self._found("profile-unnamed", name)

    def _compare_standing(self, campaign: Campaign) -> None:
        standing = Standing.of(campaign.results)
        counts = {verdict: count for verdict, count in standing.counts.items() if count}
        stored = {verdict: count for verdict, count in campaign.counts.verdicts.items() if count}
        for name, said, computed in (
            ("outcome", campaign.outcome, standing.outcome),
            ("planned", campaign.counts.planned, standing.planned),
            ("counts", _words(stored), _words(counts)),
        ):
            if said != computed:
                self._found("fact-differs", RESULTS, name=name, stored=said, computed=computed)

    def _compare_effective(self, table: ObservationTable) -> None:
        wrong = table.miscounted()
        if wrong:
            self._found("effective-differs", OBSERVATIONS, count=wrong)

    def _compare_results(self, campaign: Campaign, attempts: Sequence[Result], table: ObservationTable) -> None:
        plant = self._read(self._bundle.read_plant)
        cases = self._cases(campaign, plant)
        if plant is None or cases is None:
            return
        stored: dict[str, Result] = {}
        for result in campaign.results:
            if result.item in stored:
                self._found("item-twice", result.item)
            stored[result.item] = result
        earlier: dict[str, list[Result]] = {}
        for result in attempts:
            earlier.setdefault(result.item, []).append(result)
        for case in cases:
            if case.id not in stored:
                self._found("item-missing", case.id)
                continue
            result = stored.pop(case.id)
            self._compare_result(result, case, table)
            counted = count_attempts([*earlier.get(case.id, ()), result])
            if result.attempts != counted:
                self._differs(case.id, ["attempts"], result.attempts, counted)
        for item in stored:
            self._found("item-unplanned", item)
        self._compare_earlier(cases, attempts)
        self._compare_waivers(cases, plant, campaign)

    def _compare_earlier(self, cases: Sequence[Case], attempts: Sequence[Result]) -> None:
        """What a replaced result says of its question; what it answers rested on rows that count no more."""
        planned = {case.id: not_tested(case, "") for case in cases}
        for result in attempts:
            if (asked := planned.get(result.item)) is None:
                self._found("item-unplanned", result.item)
            elif differing := [name for name in _ASKED if not _same(getattr(result, name), getattr(asked, name))]:
                name = differing[0]
                self._differs(result.item, differing, getattr(result, name), getattr(asked, name))

    def _compare_waivers(self, cases: Sequence[Case], plant: Plant, campaign: Campaign) -> None:
        """Waivers speak of what was planned, and held when the campaign began; nothing is computed from them."""
        self._read(self._bundle.read_particulars)
        if waivers := self._read(self._bundle.read_waivers):
            # The day was that of the tester, whose zone is not known here.
            try:
                began = datetime.fromisoformat(campaign.started_utc).date() - timedelta(days=1)
            except (OverflowError, ValueError) as error:
                self._found("file-malformed", RESULTS, error=error)
                return
            for it in complaints(WaiverFile(waivers=waivers), plant, cases, began):
                self._found("waiver-wrong", WAIVERS, error=Problem(it.code, "reports", facts=it.facts).text())

    def _cases(self, campaign: Campaign, plant: Plant | None) -> tuple[Case, ...] | None:
        profiles = self._read(lambda: self._bundle.read_profiles(campaign.profiles))
        if plant is None or profiles is None:
            return None
        if plant.plant != campaign.plant:
            self._found("fact-differs", RESULTS, name="plant", stored=campaign.plant, computed=plant.plant)
        try:
            return plan(plant, profiles)
        except UserMistake as mistake:
            self._found("plan-impossible", PLANT, error=mistake)
        return None

    def _compare_result(self, stored: Result, case: Case, table: ObservationTable) -> None:
        try:
            computed = conclude(case, table.select)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            self._found("result-impossible", case.id, error=error)
            return
        self._verification.items += 1
        said = {"attempts"}  # counted from attempts.jsonl
        if "exhibit" not in stored.model_fields_set:
            said |= {"exhibit"}  # of a bundle from before there were any
        if stored.verdict is Verdict.NOT_TESTED and computed.verdict in _MAY_BE_UNTESTED:
            computed = not_tested(case, stored.reason)
            said |= {"facts"}  # why it was not run is the campaign's knowledge
        differing = [
            name
            for name in sorted(Result.model_fields.keys() - said, key=_TELLING.index)
            if not _same(getattr(stored, name), getattr(computed, name))
        ]
        if differing:
            self._differs(case.id, differing, getattr(stored, differing[0]), getattr(computed, differing[0]))

    def _differs(self, item: str, names: Sequence[str], stored: object, computed: object) -> None:
        fields = ", ".join(names)
        self._found("result-differs", item, name=names[0], stored=stored, computed=computed, fields=fields)

    def _read(self, read: Callable[[], _T]) -> _T | None:
        try:
            return read()
        except Malformed as malformed:
            self._found("file-malformed", malformed.name, error=malformed.error)
            return None


def _same(one: object, other: object) -> bool:
    """Equal, but for the last digits of numbers that were computed, and with NaN equal to itself."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_TOLERANCE) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, BaseModel) and type(one) is type(other):
        return all(_same(getattr(one, name), getattr(other, name)) for name in type(one).model_fields)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _words(counts: Mapping[Verdict, int]) -> str:
    return ", ".join(f"{verdict} {count}" for verdict, count in sorted(counts.items()))
