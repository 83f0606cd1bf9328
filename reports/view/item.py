"""The view of one planned item: its verdict, what it rests on, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple

from markupsafe import Markup
from pydantic import ValidationError

from profiles.indicators import find
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.requirement import Source
from profiles.verdict import Verdict
from reports.drawings.matrix import is_between_zones
from reports.exhibit import MatrixRecord
from reports.figures import count
from reports.figures import interval_of
from reports.figures import moment
from reports.figures import number
from reports.figures import share_of
from reports.figures import threshold_text
from reports.figures import value_of
from reports.result import Result
from reports.view.delays import Distribution
from reports.view.drawn import Breakdown
from reports.view.drawn import DelayView
from reports.view.drawn import Picture
from reports.view.drawn import breakdowns
from reports.view.drawn import delay_view
from reports.view.drawn import picture
from reports.view.drawn import value_chart
from reports.view.listing import PAGE
from reports.view.listing import Row
from reports.view.listing import Thing
from reports.view.listing import rows
from reports.view.paged import PagedData
from reports.view.waived import WaiverView
from reports.wording import BY_URGENCY
from reports.wording import Said
from reports.wording import dimension_value
from reports.wording import of
from reports.wording import reason
from reports.wording import same
from reports.wording import say
from reports.wording import trusted
from reports.wording import verdict

#: Earlier results beside which a pass is no pass on a repeat: not to have run is no attempt.
_NO_DEFEAT = frozenset({Verdict.PASS, Verdict.NOT_TESTED})
#: Rules whose interval, or its absence, has a text of its own under ``uncertainty``.
_WITH_INTERVAL = frozenset({Rule.R2, Rule.R3, Rule.R4, Rule.R5})
_WITHOUT_INTERVAL = frozenset({Rule.R0, Rule.R1})
_ANCHOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9/-]{0,119}")


@dataclass(frozen=True)
class Item:
    """One planned item and everything known about it."""

    number: int  #: position in the report, from 1
    result: Result
    requirement: Requirement | None  #: ``None`` if the bundle's profile does not hold it
    parts: Sequence[Result]
    earlier: Sequence[Result]
    delays: tuple[Distribution, ...]
    waivers: list[WaiverView]
    known: dict[str, Thing]
    zones: dict[str, Thing]
    vantages: Mapping[str, str]  #: where each vantage point is, by id
    names: Mapping[tuple[str, str], str]  #: what the plant calls a value of a dimension
    zone: tzinfo


class Provenance(NamedTuple):
    """Where a requirement or a limit comes from."""

    document: str  #: number and clause
    quote: str
    origin: Said
    checked: Said
    trusted: bool


class Figures(NamedTuple):
    """The result in figures, as written."""

    value: str
    share: str  #: counts behind a ratio
    interval: str
    confidence: str  #: of the interval, percent; empty if there is none
    threshold: str
    uncertainty: Said  #: what is stated of it


class Basis(NamedTuple):
    """What was asked of which objects, and how it is decided."""

    scope: Said
    definition: Said
    rule: Said
    parameters: str
    methods: str  #: that observe it, by id


class Evidence(NamedTuple):
    """What the result rests on."""

    vantages: str
    times: str
    attempts: Said
    n: str
    filter: Said | None


@dataclass(frozen=True)
class ItemView:
    """What the page shows of one item."""

    number: int
    anchor: str
    id: str
    pillar: str  #: of the requirement; empty if the bundle's profile does not hold it
    title: Said
    indicator: Said
    verdict: Verdict
    word: Said
    reason: Said
    statement: Said | None  #: what may be claimed, for a pass
    repeated: bool  #: it passed only on a repeat
    urgency: int  #: for sorting, what needs action first
    sort_value: str  #: for sorting, or nothing
    figures: Figures
    limit: Provenance | None
    source: Provenance | None
    basis: Basis
    chart: Markup
    picture: Picture | None
    breakdowns: list[Breakdown]
    failing: list[Row]  #: the first page
    failing_total: int
    remedy: Said | None
    waivers: list[WaiverView]  #: which change nothing
    delays: list[DelayView]
    notes: list[Said]
    evidence: Evidence


def view_item(item: Item, paged: PagedData) -> ItemView:
    """Work one item out; the whole list of its failing objects goes to ``paged``."""
    result, asked = item.result, item.requirement
    anchor = result.item if _ANCHOR.fullmatch(result.item) else f"item-{item.number}"
    between_zones = isinstance(result.exhibit, MatrixRecord) and is_between_zones(result.exhibit, item.zones)
    known = item.known | item.zones if between_zones else item.known
    failing = rows(result.failing, known)
    if failing:
        paged.add(result.item, anchor, failing)
    indicator = find(result.indicator)
    return ItemView(
        number=item.number,
        anchor=anchor,
        id=result.item,
        pillar=asked.pillar if asked else "",
        title=of(asked.title) if asked else same(result.item),
        indicator=Said(indicator.title["zh"], indicator.title["en"]) if indicator else same(result.indicator),
        verdict=result.verdict,
        word=verdict(result.verdict),
        reason=reason(result.reason, result.facts),
        statement=_statement(result),
        repeated=result.verdict is Verdict.PASS and any(one.verdict not in _NO_DEFEAT for one in item.earlier),
        urgency=BY_URGENCY.index(result.verdict),
        sort_value="" if result.value is None else repr(result.value),
        figures=_figures(result),
        limit=_provenance(result.threshold.source) if result.threshold else None,
        source=_provenance(asked.source) if asked else None,
        basis=_basis(result, asked),
        chart=value_chart(result),
        picture=picture(result, _quantile(result, asked), known, between_zones=between_zones),
        breakdowns=breakdowns(result, item.parts, item.names),
        failing=failing[:PAGE],
        failing_total=len(failing),
        remedy=of(asked.remedy) if asked and (failing or result.verdict is Verdict.FAIL) else None,
        waivers=item.waivers,
        delays=[delay_view(one) for one in item.delays],
        notes=[reason(code, result.facts) for code in result.notes],
        evidence=_evidence(item),
    )


def _basis(result: Result, asked: Requirement | None) -> Basis:
    indicator = find(result.indicator)
    methods = result.observations.methods if result.observations else indicator.methods if indicator else ()
    return Basis(
        _scope(asked),
        definition(result.indicator),
        rule_text(result.rule, asked),
        _parameters(asked),
        ", ".join(methods),
    )


def _quantile(result: Result, asked: Requirement | None) -> float | None:
    """The quantile that the result's value is, under the rule that looks at one."""
    return asked.quantile if asked is not None and result.rule == Rule.R4 else None


def _figures(result: Result) -> Figures:
    confidence = number(result.interval.confidence * 100) if result.interval else ""
    threshold = threshold_text(result.threshold)
    told = _uncertainty(result, confidence)
    return Figures(value_of(result), share_of(result), interval_of(result), confidence, threshold, told)


def _uncertainty(result: Result, confidence: str) -> Said:
    """What is stated of the result's uncertainty: its interval, or why there is none."""
    if result.value is None:
        return say("uncertainty.no-value")
    if result.interval is not None:
        kind = result.rule if result.rule in _WITH_INTERVAL else "other"
        return say(f"uncertainty.interval-{kind}", interval=interval_of(result), confidence=confidence)
    return say(f"uncertainty.{result.rule if result.rule in _WITHOUT_INTERVAL else 'not-stated'}")


def _evidence(item: Item) -> Evidence:
    result, known = item.result, item.vantages
    vantages = ", ".join(f"{id} ({known[id]})" if id in known else id for id in result.vantages)
    n = count(result.n) if result.n else ""
    return Evidence(vantages, _times(result, item.zone), _attempts(item), n, _filter(result))


def _statement(result: Result) -> Said | None:
    if result.verdict is not Verdict.PASS or result.threshold is None:
        return None
    limit, source = threshold_text(result.threshold), result.threshold.source
    if trusted(source):
        return say("item.meets", standard=source.standard, clause=source.clause, limit=limit)
    return say("item.meets-project", limit=limit)


def _scope(asked: Requirement | None) -> Said:
    """The objects that the requirement speaks about, in words."""
    if asked is None:
        return same("–")
    dimensions = {
        "class": asked.scope.classes,
        "technology": asked.scope.technologies,
        "segment": asked.scope.segments,
        "zone": asked.scope.zones,
    }
    named = [dimension_value(name, value) for name, values in dimensions.items() for value in values]
    if not named:
        return say("item.scope-all")
    return Said("、".join(value.zh for value in named), ", ".join(value.en for value in named))


def _provenance(source: Source) -> Provenance:
    edition = f" ({source.edition})" if source.edition else ""
    return Provenance(
        document=f"{source.standard}{edition}, {source.clause}",
        quote=source.quote or "",
        origin=say(f"provenance.{source.provenance}"),
        checked=say("provenance.verified" if source.verified else "provenance.unverified"),
        trusted=trusted(source),
    )


def definition(indicator: str) -> Said:
    """How the indicator is computed; without words of ours, what its function says of itself."""
    try:
        return say(f"definition.{indicator}")
    except KeyError:
        found = find(indicator)
        return same(" ".join(found.definition.split()) if found else "")


def rule_text(rule: str, asked: Requirement | None) -> Said:
    """How it is decided, with the requirement's own confidence and quantile."""
    if rule not in list(Rule):
        return same(rule)
    if asked is None:
        return say(f"rule.{rule}", confidence="–", quantile="–")
    facts = {"confidence": number(asked.confidence * 100), "quantile": asked.quantile or "–"}
    told = say(f"rule.{rule}", **facts)
    if asked.threshold is None or asked.rule is not Rule.R0:
        return told
    sampled = asked.sample_rule
    also = say("rule.sample", rule=say(f"rule.{sampled}", **facts)) if sampled else say("rule.census-only")
    return Said(told.zh + also.zh, f"{told.en} {also.en}") if rule == asked.rule else told


def _parameters(asked: Requirement | None) -> str:
    """The indicator's parameters, defaults included, as ``attempts = 5, timeout_ms = 1000``."""
    found = find(asked.indicator) if asked else None
    if asked is None or found is None or found.reduce is None:
        return ""
    try:
        values = found.parameters.model_validate(asked.parameters).model_dump()
    except ValidationError:  # another version's bundle may know other parameters; they are shown as written
        values = dict(asked.parameters)
    return ", ".join(f"{key} = {_written(value)}" for key, value in values.items())


def _written(value: object) -> str:
    """A parameter's value as a profile has it."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_written, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _times(result: Result, zone: tzinfo) -> str:
    if result.started_utc_ns is None or result.ended_utc_ns is None:
        return ""
    return f"{moment(result.started_utc_ns, zone)} – {moment(result.ended_utc_ns, zone)}"


def _attempts(item: Item) -> Said:
    if item.result.attempts <= 1:
        return say("item.attempts-once")
    told = say("item.attempts-many", count=item.result.attempts)
    if not item.earlier:
        return told
    words = [verdict(one.verdict) for one in item.earlier]
    before = say("item.earlier", verdicts=Said("、".join(w.zh for w in words), ", ".join(w.en for w in words)))
    return Said(f"{told.zh}；{before.zh}", f"{told.en}. {before.en}")


def _filter(result: Result) -> Said | None:
    if result.observations is None:
        return None
    methods, targets = result.observations.methods, result.observations.targets
    return say("item.filter", methods=", ".join(methods), targets=count(len(targets)), item=result.item)
