"""Two campaigns beside each other: what changed its verdict, what moved, and what was asked differently."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from fixtures.scoping import Case
from fixtures.scoping import plan
from profiles.indicators import find
from profiles.requirement import Requirement
from profiles.requirement import Scope
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.comparison.movement import Movement
from reports.comparison.movement import Trend
from reports.comparison.movement import movement
from reports.comparison.movement import value_trend
from reports.comparison.movement import verdict_trend
from reports.fingerprint import fingerprint
from reports.result import Result
from reports.wording import Said
from reports.wording import of

#: What of a requirement a value depends on; if one differs, two values answer two questions.
_MEASURED = ("indicator", "scope", "parameters", "quantile", "confidence", "sample_size", "sample_seed")
#: And what only the verdict depends on, besides the limit.
_DECIDED = ("rule", "sample_rule")


@dataclass(frozen=True)
class Side:
    """One of the two campaigns."""

    path: str
    campaign: str
    plant: str
    started: str  #: ISO 8601
    outcome: str
    version: str  #: of Plantproof
    fingerprint: str

    @classmethod
    def of(cls, bundle: Bundle) -> Side:
        """What identifies the campaign of ``bundle``."""
        campaign = bundle.campaign
        version = campaign.versions.get("plantproof", "")
        outcome, started = str(campaign.outcome), campaign.started_utc
        mark = fingerprint(bundle.manifest)
        return cls(str(bundle.named), campaign.campaign, campaign.plant, started, outcome, version, mark)


@dataclass(frozen=True)
class Difference:
    """Something that was asked differently, so that it need not be the plant that changed."""

    code: str  #: names a text ``report.compare.asked-<code>``
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One item in both campaigns, or in one of them."""

    item: str
    title: Said
    before: Result | None
    after: Result | None
    moved: Movement
    asked: tuple[Difference, ...]  #: scope, limit or method differs
    broken: tuple[str, ...]  #: objects that fail now and did not before
    mended: tuple[str, ...]  #: and the other way round
    dropped: tuple[str, ...] = ()  #: objects that failed before and are not asked about any more

    @property
    def verdict_changed(self) -> bool:
        """Whether the verdict is another one, or there is one on one side only."""
        return _word(self.before) != _word(self.after)

    @property
    def value_moved(self) -> bool:
        """Whether the value moved beyond both intervals."""
        return self.moved in (Movement.RISEN, Movement.FALLEN)

    @property
    def same_question(self) -> bool:
        """Whether both verdicts answer one question; other objects in the register leave it the same."""
        return not any(one.code in {"limit", *_MEASURED, *_DECIDED} for one in self.asked)

    @property
    def left_out(self) -> bool:
        """Whether the later campaign was told not to measure it, as a re-test is: nothing follows from that."""
        return _deselected(self.after)

    @property
    def trend(self) -> Trend:
        """What it means; the verdict outweighs the value, and two questions have no trend.

        Nothing gets better by no longer asking about an object that failed, nor better or worse by being measured
        again after a campaign that was told not to.
        """
        if self.before is None or self.after is None or not self.same_question:
            return Trend.OTHER
        if self.left_out or _deselected(self.before):
            return Trend.OTHER
        if self.verdict_changed:
            trend = verdict_trend(self.before.verdict, self.after.verdict)
        else:
            trend = value_trend(self.moved, self.after)
        return Trend.OTHER if trend is Trend.BETTER and self.dropped else trend

    @property
    def telling(self) -> bool:
        """Whether anything of it belongs in front of a reader."""
        if self.left_out:
            return bool(self.asked)
        return self.verdict_changed or self.value_moved or bool(self.asked or self.broken or self.mended)


@dataclass(frozen=True)
class Comparison:
    """Everything that two campaigns say beside each other."""

    before: Side
    after: Side
    changes: tuple[Change, ...]  #: every item of either, in the later plan's order
    asked: tuple[Difference, ...]  #: of the whole campaign: plant, profiles, objects, versions

    @property
    def worse(self) -> tuple[Change, ...]:
        """What got worse."""
        return tuple(change for change in self.changes if change.trend is Trend.WORSE)


def compare(before: Bundle, after: Bundle) -> Comparison:
    """What changed from ``before`` to ``after``.

    Breakdowns are left out: they have no verdict of their own, and the offenders of their whole are told by name.

    Raises:
        UserMistake: if one of them is malformed, or its plan is impossible.
    """
    plans = [planned(bundle) for bundle in (before, after)]
    results = [
        {result.item: result for result in bundle.campaign.results if not result.scope} for bundle in (before, after)
    ]
    items = dict.fromkeys([*results[1], *results[0]])
    changes = tuple(_change(item, results, plans) for item in items)
    return Comparison(Side.of(before), Side.of(after), changes, tuple(_asked_of_all(before, after)))


def planned(bundle: Bundle) -> dict[str, Case]:
    """What the campaign asked, by item; breakdowns left out.

    Raises:
        UserMistake: if the bundle is malformed, or its plan is impossible.
    """
    return {case.id: case for case in plan(bundle.plant, bundle.profiles) if not case.scope}


def _change(item: str, results: list[dict[str, Result]], plans: list[dict[str, Case]]) -> Change:
    before, after = (side.get(item) for side in results)
    old, new = (side.get(item) for side in plans)
    title = next((of(case.requirement.title) for case in (new, old) if case), Said(item, item))
    asked = tuple(asked_otherwise(old, new)) if old and new else ()
    comparable = before and after and not any(one.code in _MEASURED for one in asked)
    moved = movement(before, after) if comparable and before and after else Movement.NONE
    failed = [_failing(before), _failing(after)]
    judged = before is not None and after is not None
    gone = _members(old) - _members(new) if old and new else set()
    mended = (id for id in failed[0] if id not in failed[1] and id not in gone and _was_seen(id, new, after))
    return Change(
        item,
        title,
        before,
        after,
        moved,
        asked,
        tuple(id for id in failed[1] if id not in failed[0]) if judged else (),
        tuple(mended) if judged else (),
        tuple(id for id in failed[0] if id in gone) if judged else (),
    )


def _failing(result: Result | None) -> dict[str, None]:
    return {} if result is None else dict.fromkeys(finding.target for finding in result.failing)


def _was_seen(id: str, case: Case | None, result: Result | None) -> bool:
    """Whether not to fail means anything: what was not measured, or not drawn into a sample, is not mended."""
    if result is None or result.verdict not in (Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INFO):
        return False
    if case is None or case.requirement.sample_size is None or result.observations is None:
        return True
    return id in result.observations.targets


def _members(case: Case) -> set[str]:
    return {member.id for member in case.register.members}


def asked_otherwise(old: Case, new: Case) -> Iterator[Difference]:
    """Where two cases of one item ask differently: limit, method, or which objects."""
    limits = [case.requirement.threshold for case in (old, new)]
    told = ["–" if limit is None else f"{limit.op} {limit.value}" for limit in limits]
    if told[0] != told[1]:
        yield Difference("limit", *told)
    for name in (*_MEASURED, *_DECIDED):
        one, other = (_facts(case.requirement, name) for case in (old, new))
        if one != other:
            yield Difference(name, *(_written(mine, theirs) for mine, theirs in ((one, other), (other, one))))
    ids = [_members(case) for case in (old, new)]
    if gone := ids[0] - ids[1]:
        yield Difference("objects-gone", _listed(gone), "")
    if come := ids[1] - ids[0]:
        yield Difference("objects-come", "", _listed(come))


def _asked_of_all(before: Bundle, after: Bundle) -> Iterator[Difference]:
    facts: dict[str, Callable[[Bundle], str]] = {
        "plant": lambda bundle: bundle.campaign.plant,
        "profiles": lambda bundle: ", ".join(f"{one.profile} {one.version}" for one in bundle.profiles),
        "version": lambda bundle: bundle.campaign.versions.get("plantproof", ""),
        "vantages": lambda bundle: ", ".join(f"{one.id} ({one.where})" for one in bundle.plant.vantages),
    }
    for code, fact in facts.items():
        one, other = fact(before), fact(after)
        if one != other:
            yield Difference(code, one, other)
    if before.campaign.started_utc > after.campaign.started_utc:
        yield Difference("order", before.campaign.started_utc, after.campaign.started_utc)


def _facts(requirement: Requirement, name: str) -> dict[str, object]:
    """What a field says, part by part; of parameters also what is left to the indicator's own defaults."""
    value = getattr(requirement, name)
    found = find(requirement.indicator)
    if name == "parameters" and found is not None and found.reduce is not None:
        with suppress(ValidationError):  # another version's bundle may know other parameters
            return found.parameters.model_validate(value).model_dump()
    if isinstance(value, Scope):
        return value.model_dump()
    return dict(value) if isinstance(value, dict) else {"": value}


def _written(facts: Mapping[str, object], beside: Mapping[str, object]) -> str:
    """The parts that differ from those ``beside``."""
    parts = [(name, value) for name, value in facts.items() if name not in beside or beside[name] != value]
    return ", ".join(f"{name} = {_plain(value)}" if name else _plain(value) for name, value in parts)


def _plain(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(str, value))}]"
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _listed(ids: Iterable[str], most: int = 5) -> str:
    ordered = sorted(ids)
    return ", ".join(ordered[:most]) + (f", … ({len(ordered)})" if len(ordered) > most else "")


def _deselected(result: Result | None) -> bool:
    """Whether the campaign was told not to measure it."""
    return result is not None and result.verdict is Verdict.NOT_TESTED and result.reason == "deselected"


def _word(result: Result | None) -> Verdict | None:
    return None if result is None else result.verdict
