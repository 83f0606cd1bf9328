"""Cross-checks of one requirement: what its shape allows and its meaning does not."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from profiles.complaints import Complaint
from profiles.complaints import complaints
from profiles.complaints import meant
from profiles.indicators import Indicator
from profiles.indicators import find
from profiles.indicators import known
from profiles.quantity import QuantityError
from profiles.quantity import compatible
from profiles.quantity import parse_quantity
from profiles.requirement import Provenance
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.requirement import Source
from profiles.yaml12 import Path

#: Units that a rule can judge; rules not named here take any. R0 counts, or looks at each of many values; R2 bounds a
#: share.
_UNITS = {Rule.R2: ("%",)}

#: Provenances of somebody who had the text itself before their eyes.
_READ = (Provenance.STATED, Provenance.STANDARD)


def check(requirement: Requirement, at: Path) -> Iterator[Complaint]:
    """Everything wrong with ``requirement``, which stands at the path ``at`` of its file."""
    yield from _check_source(requirement.source, (*at, "source"))
    if requirement.threshold is not None:
        yield from _check_source(requirement.threshold.source, (*at, "threshold", "source"))
    yield from _check_rules(requirement, at)
    indicator = find(requirement.indicator)
    if indicator is None:
        near = meant(requirement.indicator, list(known()))
        facts = {"found": requirement.indicator, "meant": near or "", "allowed": ", ".join(known())}
        yield Complaint((*at, "indicator"), "unknown-indicator-like" if near else "unknown-indicator", facts)
        return
    yield from _check_units(requirement, indicator, at)
    yield from _check_sampling(requirement, indicator, at)
    try:
        indicator.parameters.model_validate(requirement.parameters)
    except ValidationError as error:
        for found in complaints(error, indicator.parameters, requirement.parameters):
            yield Complaint((*at, "parameters", *found.path), found.code, found.facts, found.at_key)


def _check_source(source: Source, at: Path) -> Iterator[Complaint]:
    facts = {"provenance": source.provenance.value}
    if source.provenance in _READ and not (source.quote or "").strip():
        yield Complaint(at, "quote-missing", facts)
    if source.provenance is Provenance.STATED and not source.verified:
        yield Complaint((*at, "verified"), "stated-unverified", facts)
    if source.verified and source.provenance not in _READ:
        yield Complaint((*at, "verified"), "verified-unread", facts)


def _check_rules(requirement: Requirement, at: Path) -> Iterator[Complaint]:
    rule, sample_rule = requirement.rule, requirement.sample_rule
    facts = {"rule": rule.value, "sample_rule": sample_rule.value if sample_rule else ""}
    if rule is Rule.INFO and requirement.threshold is not None:
        yield Complaint((*at, "threshold"), "info-with-threshold", facts)
    if sample_rule is not None and (sample_rule in (Rule.R0, Rule.INFO) or rule is Rule.INFO):
        yield Complaint((*at, "sample_rule"), "sample-rule-unfit", facts)
    if requirement.sample_size is not None and sample_rule is None:
        yield Complaint((*at, "sample_size"), "sample-without-rule", facts)
    ranked = Rule.R4 in (rule, sample_rule)
    if ranked and requirement.quantile is None:
        yield Complaint((*at, "rule" if rule is Rule.R4 else "sample_rule"), "quantile-missing", facts)
    if not ranked and requirement.quantile is not None:
        yield Complaint((*at, "quantile"), "quantile-unused", facts)


def _check_sampling(requirement: Requirement, indicator: Indicator, at: Path) -> Iterator[Complaint]:
    """No sample where the objects are no population of equals: the bounds of its rule would hold for nothing."""
    asked = {"sample_size": requirement.sample_size, "sample_rule": requirement.sample_rule}
    for key, value in asked.items():
        if value is not None and not indicator.sampled:
            yield Complaint((*at, key), "sample-unfit", {"indicator": indicator.id})


def _check_units(requirement: Requirement, indicator: Indicator, at: Path) -> Iterator[Complaint]:
    for key, rule in (("rule", requirement.rule), ("sample_rule", requirement.sample_rule)):
        units = _UNITS.get(rule) if rule else None
        if rule and units and not any(compatible(indicator.unit, unit) for unit in units):
            facts = {"rule": rule.value, "indicator": indicator.id, "unit": indicator.unit, "allowed": ", ".join(units)}
            yield Complaint((*at, key), "rule-unfit", facts)
    if requirement.threshold is None:
        return
    value_at = (*at, "threshold", "value")
    try:
        found = parse_quantity(requirement.threshold.value)
    except QuantityError as error:
        yield Complaint(value_at, error.code.removeprefix("problem."), error.facts)
        return
    if not compatible(found.unit, indicator.unit):
        facts = {"found": requirement.threshold.value, "indicator": indicator.id, "unit": indicator.unit}
        yield Complaint(value_at, "threshold-unit-unfit", facts)
