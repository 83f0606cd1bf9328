"""What was observed for one result: by whom, of what, with which figures, and where the evidence lies."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping

from reports.bundle import OBSERVATIONS
from reports.bundle import RESULTS
from reports.oscal.context import Context
from reports.oscal.context import Json
from reports.oscal.plan import platform_uuid
from reports.oscal.plan import system_uuid
from reports.oscal.plan import tool_uuid
from reports.oscal.words import line
from reports.oscal.words import props
from reports.oscal.words import stamp
from reports.result import Result
from reports.view.listing import Thing
from reports.wording import dimension
from reports.wording import note
from reports.wording import of
from reports.wording import reason

#: Objects of one observation that are named; all of them are in the bundle's results.
MAX_SUBJECTS = 100

#: Methods that read what others measured, and send nothing.
READ = frozenset({"survey-log", "earlier-bundle"})


def observed(result: Result) -> bool:
    """Whether something was observed for the result, and when."""
    return stamp(result.ended_utc_ns) is not None


def observation_uuid(context: Context, number: int, result: Result) -> str:
    """The identifier of the observation of the result that is ``number`` among those observed."""
    return context.uuid("observation", number, result.item)


def observation(context: Context, number: int, result: Result, known: Mapping[str, Thing]) -> Json:
    """The observation behind one result.

    Args:
        context: the bundle.
        number: of the result among those observed.
        result: observed.
        known: every object of the plant.
    """
    asked = context.asked[result.profile, result.requirement]
    title = context.said(of(asked.title))
    part = f" · {context.said(dimension(result.scope))}" if result.scope else ""
    actors = [{"type": "tool", "actor-uuid": tool_uuid(context)}]
    places = {vantage.id for vantage in context.material.plant.vantages}
    actors += [
        {"type": "assessment-platform", "actor-uuid": platform_uuid(context, vantage)}
        for vantage in dict.fromkeys(result.vantages)
        if vantage in places
    ]
    return {
        "uuid": observation_uuid(context, number, result),
        "title": line(f"{result.item} {title}{part}"),
        "description": line(context.said(reason(result.reason, result.facts))),
        "props": figures(result),
        "methods": _methods(result),
        "types": ["control-objective"],
        "origins": [{"actors": actors}],
        "subjects": list(_subjects(context, result, known)),
        "relevant-evidence": _evidence(context, result),
        "collected": stamp(result.ended_utc_ns),
    }


def figures(result: Result) -> list[dict[str, str]]:
    """Everything about the result that is a figure or a code: value, uncertainty, rule, limit and its source."""
    span, limit = result.interval, result.threshold
    told = props(
        item=result.item,
        verdict=result.verdict.value,
        reason_code=result.reason,
        value=result.value,
        unit=result.unit if result.value is not None else None,
        numerator=result.numerator,
        denominator=result.denominator,
        n=result.n or None,
        rule=result.rule,
        attempts=result.attempts,
        failing=len(result.failing) or None,
        observations=result.rows or None,
        started=stamp(result.started_utc_ns),
    )
    if span is not None:
        told += props(interval_low=span.low, interval_high=span.high, interval_confidence=span.confidence)
    if limit is not None:
        source = limit.source
        told += props(
            limit_op=limit.op,
            limit=limit.value,
            limit_source=f"{source.standard}, {source.clause}",
            limit_provenance=source.provenance.value,
            limit_verified="yes" if source.verified else "no",
        )
    for name, value in result.scope.items():
        told += props(scope=f"{name}={value}")
    return told


def subjects_of(result: Result, known: Mapping[str, Thing]) -> list[str]:
    """The objects that the observation names: all where they are few, else those that fail, up to a bound."""
    targets = result.observations.targets if result.observations else ()
    failing = [finding.target for finding in result.failing]
    measured = [id for id in targets if id in known]
    named = failing + (measured if len(measured) <= MAX_SUBJECTS else [])
    return list(dict.fromkeys(named))[:MAX_SUBJECTS]


def _subjects(context: Context, result: Result, known: Mapping[str, Thing]) -> Iterator[Json]:
    targets = len(result.observations.targets) if result.observations else 0
    yield {"subject-uuid": system_uuid(context), "type": "component", "props": props(measured=targets)}
    why = {finding.target: finding for finding in result.failing[:MAX_SUBJECTS]}
    for id in subjects_of(result, known):
        subject: Json = {"subject-uuid": context.uuid("object", id), "type": "inventory-item"}
        if id in why:
            finding = why[id]
            words = (reason(finding.reason), note(finding.reason, finding.note))
            subject["props"] = props(failing=finding.reason)
            subject["remarks"] = line(" · ".join(said for one in words if (said := context.said(one))))
        yield subject


def _methods(result: Result) -> list[str]:
    """TEST for what was measured, EXAMINE for what was read in a log or an earlier bundle."""
    methods = set(result.observations.methods) if result.observations else set()
    read = bool(methods & READ)
    return [*(["TEST"] if methods - READ or not read else []), *(["EXAMINE"] if read else [])]


def _evidence(context: Context, result: Result) -> list[Json]:
    evidence = [
        {
            "href": f"#{context.file_uuid(RESULTS)}",
            "description": line(context.say("evidence-results")),
            "props": props(item=result.item),
        }
    ]
    if result.observations is not None and OBSERVATIONS in context.material.manifest.files:
        evidence.append(
            {
                "href": f"#{context.file_uuid(OBSERVATIONS)}",
                "description": line(context.say("evidence-observations")),
                "props": props(
                    methods=", ".join(result.observations.methods), targets=len(result.observations.targets)
                ),
            }
        )
    return evidence
