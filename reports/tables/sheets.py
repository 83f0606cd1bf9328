"""The sheets: which columns they have, and their rows, worked out of a bundle one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from profiles.requirement import Requirement
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import limit_of
from reports.figures import threshold_text
from reports.result import Result
from reports.tables.cells import Cell
from reports.tables.cells import moment_of
from reports.view.item import ItemView
from reports.view.listing import things
from reports.view.listing import zone_things
from reports.view.material import Material
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view
from reports.waivers import Waived
from reports.waivers import day_of_test
from reports.waivers import waived
from reports.wording import Said
from reports.wording import dimension_value
from reports.wording import note
from reports.wording import of
from reports.wording import pillar
from reports.wording import reason
from reports.wording import same
from reports.wording import say
from reports.wording import verdict

#: Columns of every sheet with their widths in letters of Latin type; titles are ``report.column.NAME``.
COLUMNS: Mapping[str, Mapping[str, int]] = {
    "summary": {"fact": 30, "value": 110},
    "results": {
        "item": 18, "profile": 22, "pillar": 14, "title": 44, "verdict": 10, "verdict-code": 14, "value": 12,
        "unit": 8, "numerator": 10, "denominator": 10, "low": 12, "high": 12, "confidence": 12, "n": 10, "op": 6,
        "limit": 12, "limit-text": 14, "rule": 8, "reason-code": 22, "reason": 50, "failing": 10, "repeated": 10,
        "attempts": 8, "vantages": 20, "started": 20, "ended": 20, "duration": 12, "source": 40, "provenance": 16,
        "checked": 16, "waivers": 60, "remedy": 60,
    },
    "failing": {
        "item": 18, "profile": 22, "title": 44, "verdict": 10, "object": 24, "name": 24, "kind": 20, "zone": 18,
        "area": 18, "addresses": 36, "reason-code": 22, "reason": 40, "note": 60,
    },
    "breakdowns": {
        "item": 28, "requirement": 18, "profile": 22, "title": 44, "dimension": 12, "part": 24, "verdict": 10,
        "value": 12, "unit": 8, "numerator": 10, "denominator": 10, "n": 10, "reason": 50,
    },
    "endpoints": {
        "object": 24, "name": 24, "class": 20, "segment": 12, "technology": 14, "zone": 18, "area": 18,
        "addresses": 36, "services": 30, "connectable": 10, "failed": 12, "failed-items": 40,
    },
    "method": {
        "item": 18, "profile": 22, "title": 44, "indicator": 30, "definition": 80, "scope": 24, "rule-text": 60,
        "parameters": 40, "vantages": 30, "methods": 36, "targets": 10, "rows": 12, "attempts-text": 20, "notes": 60,
    },
}  # fmt: skip

#: Comparisons as words: ``==`` in a cell would begin a formula.
_OPERATORS = {">=": "ge", ">": "gt", "<=": "le", "<": "lt", "==": "eq"}


@dataclass(frozen=True)
class Sheet:
    """One sheet; its rows are made while they are written."""

    id: str
    title: str
    columns: tuple[tuple[str, int], ...]  #: title and width
    rows: Iterable[tuple[Cell, ...]]


@dataclass(frozen=True)
class _Content:
    """What the sheets are made of."""

    material: Material
    page: Page
    language: str
    asked: Mapping[tuple[str, str], Requirement]
    waivers: Mapping[str, Sequence[Waived]]  #: by item

    def said(self, text: Said) -> str:
        return text.in_language(self.language)

    @property
    def day(self) -> date:
        """On which the test ended."""
        return day_of_test(self.material.campaign)

    @property
    def judged(self) -> Iterator[tuple[Result, ItemView]]:
        """Every planned item with its view; breakdowns are in the view of their whole."""
        return zip((one for one in self.material.campaign.results if not one.scope), self.page.items, strict=True)


def sheets(bundle: Bundle, language: str) -> dict[str, Sheet]:
    """Every sheet of the bundle by id, in their order.

    Raises:
        UserMistake: if a file of the bundle is missing or malformed.
    """
    read = material(bundle, delays=False)
    asked = {(profile.profile, one.id): one for profile in read.profiles for one in profile.requirements}
    waivers = waived(read.campaign.results, bundle.waivers, read.plant)
    content = _Content(read, view(read, register=False), language, asked, waivers)
    rows = {
        "summary": _summary(content),
        "results": _results(content),
        "failing": _failing(content),
        "breakdowns": _breakdowns(content),
        "endpoints": _endpoints(content),
        "method": _method(content),
    }
    return {
        id: Sheet(
            id=id,
            title=content.said(say(f"sheet.{id}")),
            columns=tuple((content.said(say(f"sheet-column.{name}")), width) for name, width in COLUMNS[id].items()),
            rows=made,
        )
        for id, made in rows.items()
    }


def _summary(content: _Content) -> Iterator[tuple[Cell, ...]]:
    page, said = content.page, content.said
    facts: list[tuple[Said, Cell]] = [
        *((fact.name, said(fact.value)) for fact in page.particulars),
        *((say("page.profile"), said(one)) for one in page.profiles),
        (say("sheet-column.outcome"), said(page.headline)),
        (say("sheet-column.why"), said(page.why)),
        *((say("sheet-column.claim"), said(one)) for one in page.claims),
        (say("sheet-column.limits"), said(page.limits)),
        (say("page.planned"), page.planned),
        (say("page.judged"), page.judged),
        *((tally.word, tally.count) for tally in page.tallies),
        *((say("sheet-column.deviation"), one) for one in page.departures.stated),
        *((say("sheet-column.deviation"), said(one)) for one in page.departures.recorded),
        *((say("sheet-column.condition"), one) for one in page.environment.conditions),
        (say("page.hash"), page.fingerprint),
        *((same(name), version) for name, version in page.versions),
    ]
    # numbers among sentences would stand at the far side of a wide column
    return ((said(name), str(value)) for name, value in facts)


def _results(content: _Content) -> Iterator[tuple[Cell, ...]]:
    said = content.said
    for result, item in content.judged:
        span, threshold = result.interval, result.threshold
        yield (
            result.item, result.profile, said(pillar(item.pillar or "other")), said(item.title),
            said(item.word), result.verdict.value, *_figures(result),
            span.low if span else None, span.high if span else None, span.confidence * 100 if span else None,
            result.n, _OPERATORS[threshold.op] if threshold else None, limit_of(result),
            threshold_text(threshold) if threshold else None, result.rule, result.reason, said(item.reason),
            len(result.failing), say("sheet-column.yes").in_language(content.language) if item.repeated else None,
            result.attempts, ", ".join(result.vantages), moment_of(result.started_utc_ns),
            moment_of(result.ended_utc_ns), _duration_s(result),
            *((item.limit.document, said(item.limit.origin), said(item.limit.checked)) if item.limit else [None] * 3),
            " ".join(said(one.told(content.day)) for one in content.waivers.get(result.item, ())),
            said(item.remedy) if item.remedy else None,
        )  # fmt: skip


def _figures(result: Result) -> tuple[Cell, ...]:
    return result.value, result.unit, result.numerator, result.denominator


def _duration_s(result: Result) -> float | None:
    if result.started_utc_ns is None or result.ended_utc_ns is None:
        return None
    return (result.ended_utc_ns - result.started_utc_ns) / 1e9


def _failing(content: _Content) -> Iterator[tuple[Cell, ...]]:
    said, plant = content.said, content.material.plant
    known = zone_things(plant) | things(plant)
    for result, item in content.judged:
        for finding in result.failing:
            thing = known.get(finding.target)
            yield (
                result.item, result.profile, said(item.title), said(item.word), finding.target,
                *((thing.name, said(thing.cls), thing.zone, thing.area, thing.addresses) if thing else [None] * 5),
                finding.reason, said(reason(finding.reason)), said(note(finding.reason, finding.note)),
            )  # fmt: skip


def _breakdowns(content: _Content) -> Iterator[tuple[Cell, ...]]:
    said, plant = content.said, content.material.plant
    names = {("zone", zone.id): zone.name for zone in plant.zones} | {("area", it.id): it.name for it in plant.areas}
    for result in content.material.campaign.results:
        asked = content.asked.get((result.profile, result.requirement))
        for name, part in result.scope.items():
            called = names.get((name, part)) or said(dimension_value(name, part))
            yield (
                result.item, result.requirement, result.profile, said(of(asked.title)) if asked else None,
                said(_dimension(name)), called, said(verdict(result.verdict)), *_figures(result), result.n,
                said(reason(result.reason, result.facts)),
            )  # fmt: skip


def _dimension(name: str) -> Said:
    try:
        return say(f"dimension.{name}")
    except (KeyError, TypeError):
        return same(name)


def _endpoints(content: _Content) -> Iterator[tuple[Cell, ...]]:
    said, plant = content.said, content.material.plant
    zones = {zone.id: zone.name or zone.id for zone in plant.zones}
    areas = {area.id: area.name or area.id for area in plant.areas}
    failed: dict[str, list[str]] = {}
    for result, _ in content.judged:
        if result.verdict is Verdict.FAIL:
            for target in dict.fromkeys(finding.target for finding in result.failing):
                failed.setdefault(target, []).append(result.item)
    for one in plant.endpoints:
        items = failed.get(one.id, [])
        yield (
            one.id, one.name, said(say(f"class.{one.cls}")), said(say(f"segment.{one.segment}")),
            said(say(f"technology.{one.technology}")), zones.get(one.zone, one.zone),
            areas.get(one.area or "", one.area or ""), ", ".join(map(str, one.addresses)), ", ".join(one.services),
            said(say("sheet-column.yes" if one.connectable else "sheet-column.no")), len(items), ", ".join(items),
        )  # fmt: skip


def _method(content: _Content) -> Iterator[tuple[Cell, ...]]:
    said = content.said
    for result, item in content.judged:
        filter = result.observations
        yield (
            result.item, result.profile, said(item.title), said(item.indicator), said(item.basis.definition),
            said(item.basis.scope), said(item.basis.rule), item.basis.parameters, item.evidence.vantages,
            ", ".join(filter.methods) if filter else None, len(filter.targets) if filter else None, result.rows,
            said(item.evidence.attempts), " ".join(map(said, item.notes)),
        )  # fmt: skip
