"""The assessment results: one finding for each judged requirement, with the observations and waivers it rests on.

OSCAL knows *satisfied* and *not-satisfied* and nothing between. What is open (inconclusive, in error, not tested) is
not satisfied for the reason *other*, with its verdict as a property: it is no evidence of a failure, and whoever counts
must count by that property. What is not applicable has no finding, and stands in the log with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from profiles.verdict import Verdict
from reports.oscal.context import Context
from reports.oscal.context import Json
from reports.oscal.context import control_id
from reports.oscal.context import objective_id
from reports.oscal.context import resource
from reports.oscal.observations import observation
from reports.oscal.observations import observation_uuid
from reports.oscal.observations import observed
from reports.oscal.observations import subjects_of
from reports.oscal.plan import inventory_item
from reports.oscal.plan import reviewed_controls
from reports.oscal.words import NAMESPACE
from reports.oscal.words import line
from reports.oscal.words import props
from reports.oscal.words import stamp
from reports.result import Result
from reports.standing import UNMEASURED
from reports.view.item import ItemView
from reports.view.listing import Thing
from reports.view.listing import things
from reports.waivers import Waiver
from reports.waivers import day_of_test
from reports.wording import say

MAX_EVENTS = 1000  #: of the campaign's events in the log; all of them are in the bundle


class Status(NamedTuple):
    """The state of a finding's target, and why."""

    state: str
    reason: str


#: How a verdict is said in a finding; ``None``: there is none.
STATES: Mapping[Verdict, Status | None] = {
    Verdict.PASS: Status("satisfied", "pass"),
    Verdict.FAIL: Status("not-satisfied", "fail"),
    Verdict.INCONCLUSIVE: Status("not-satisfied", "other"),
    Verdict.ERROR: Status("not-satisfied", "other"),
    Verdict.NOT_TESTED: Status("not-satisfied", "other"),
    Verdict.NOT_APPLICABLE: None,
    Verdict.INFO: None,
}


def assessment_results(context: Context, hashes: Mapping[str, str]) -> Json:
    """The results.

    Args:
        context: the bundle.
        hashes: file name and SHA-256 of the catalog and of the plan, in this order.
    """
    documents = [resource(context.uuid("file", name), name, name, digest) for name, digest in hashes.items()]
    catalog, plan = documents
    document: Json = {
        "uuid": context.document_uuid("results"),
        "metadata": context.metadata(context.say("results", plant=context.page.plant)),
        "import-ap": {"href": plan["title"]},
        "results": [_result(context, catalog["uuid"])],
        "back-matter": {"resources": [*documents, *context.files(context.evidence())]},
    }
    return {"assessment-results": document}


def _result(context: Context, catalog: str) -> Json:
    campaign, page = context.material.campaign, context.page
    known = things(context.material.plant)
    every = [result for result in campaign.results if observed(result)]
    behind: dict[tuple[str, str], list[str]] = {}
    for number, one in enumerate(every):
        behind.setdefault((one.profile, one.requirement), []).append(observation_uuid(context, number, one))
    counts = {f"items-{tally.verdict.value}": tally.count for tally in page.tallies}
    result: Json = {
        "uuid": context.uuid("result", context.material.fingerprint),
        "title": line(context.said(page.title)),
        "description": line(context.said(page.why)),
        "start": context.moment(campaign.started_utc),
        "end": context.moment(campaign.ended_utc),
        "props": props(outcome=campaign.outcome.value, planned=page.planned, judged=page.judged, **counts),
        "remarks": line(context.say("open")),
        "local-definitions": _strangers(context, every, known),
        "reviewed-controls": _reviewed(context, catalog),
        "attestations": [{"parts": [_claims(context), _particulars(context)]}],
        "assessment-log": {"entries": list(_log(context))},
        "observations": [observation(context, number, one, known) for number, one in enumerate(every)],
        "risks": list(_risks(context)),
        "findings": [
            _finding(context, one, item, behind.get((one.profile, one.requirement), []))
            for _, one, item in context.items
            if STATES[one.verdict] is not None
        ],
    }
    return {key: value for key, value in result.items() if value}


def _reviewed(context: Context, catalog: str) -> Json:
    """What was planned, without what is not applicable."""
    reviewed = reviewed_controls(context, catalog)
    without = [
        {"control-id": control_id(result.profile, result.requirement)}
        for _, result, _ in context.items
        if result.verdict is Verdict.NOT_APPLICABLE
    ]
    if without:
        reviewed["control-selections"][0]["exclude-controls"] = without
    return reviewed


def _finding(context: Context, result: Result, item: ItemView, observations: list[str]) -> Json:
    status = STATES[result.verdict]
    assert status is not None  # noqa: S101 - the caller asked
    told = context.waived.get(result.item, ())
    day = day_of_test(context.material.campaign)
    finding: Json = {
        "uuid": context.uuid("finding", item.number, result.item),
        "title": line(f"{result.item} {context.said(item.title)}"),
        "description": line(f"{context.said(item.word)} · {context.said(item.reason)}"),
        "props": props(item=result.item, verdict=result.verdict.value, repeated="yes" if item.repeated else None),
        "target": {
            "type": "objective-id",
            "target-id": objective_id(result.profile, result.requirement),
            "status": status._asdict() | {"remarks": line(context.said(item.word))},
        },
        "related-observations": [{"observation-uuid": id} for id in observations],
        "related-risks": [{"risk-uuid": _risk_uuid(context, one.waiver)} for one in told],
        "remarks": " ".join(line(context.said(one.told(day))) for one in told),
    }
    return {key: value for key, value in finding.items() if value}


def _risks(context: Context) -> Iterator[Json]:
    """The waivers that speak of a result: somebody accepted that it is not met until a day. No verdict changes."""
    speaking = {one.waiver for told in context.waived.values() for one in told}
    for waiver in context.waivers:
        if waiver not in speaking:
            continue
        yield {
            "uuid": _risk_uuid(context, waiver),
            "title": line(context.say("waiver", id=waiver.id)),
            "description": line(waiver.justification),
            "statement": line(context.say("waiver-says", owner=waiver.owner, approver=waiver.approver)),
            "props": props(
                waiver=waiver.id,
                owner=waiver.owner,
                approver=waiver.approver,
                expires=waiver.expires,
                scope="; ".join(f"{name}={','.join(values)}" for name, values in waiver.scope if values),
            ),
            "status": "deviation-approved",
            # the file names a day and no zone; it holds until that day has ended everywhere west of it too
            "deadline": f"{waiver.expires.isoformat()}T23:59:59Z",
        }


def _risk_uuid(context: Context, waiver: Waiver) -> str:
    return context.uuid("waiver", waiver.model_dump_json())


def _strangers(context: Context, results: list[Result], known: Mapping[str, Thing]) -> Json:
    """Objects that observations name and the plant file does not register."""
    found = {id: None for result in results for id in subjects_of(result, known) if id not in known}
    return {"inventory-items": [inventory_item(context, Thing(id)) for id in found]} if found else {}


def _claims(context: Context) -> Json:
    """What may be said of conformity, and what of the limits."""
    page = context.page
    said = [context.said(one) for one in (*page.claims, page.limits)]
    return {
        "name": "conformity",
        "ns": NAMESPACE,
        "title": line(context.say("claims")),
        "parts": [{"name": "statement", "ns": NAMESPACE, "prose": line(one)} for one in said],
    }


def _particulars(context: Context) -> Json:
    """What people stated, under which conditions, and every deviation that is known."""
    page, said = context.page, context.said
    told = [(fact.name, said(fact.value)) for fact in page.particulars if fact.stated]
    told += [(say("environment.conditions"), one) for one in page.environment.conditions]
    told += [(say("departure.title"), one) for one in page.departures.stated]
    told += [(say("departure.title"), said(one)) for one in page.departures.recorded]
    return {
        "name": "particulars",
        "ns": NAMESPACE,
        "title": line(said(say("document.particulars"))),
        "parts": [{"name": "statement", "ns": NAMESPACE, "prose": line(f"{said(name)}: {one}")} for name, one in told]
        + [{"name": "statement", "ns": NAMESPACE, "prose": line(said(say("claim.items-tested")))}],
    }


def _log(context: Context) -> Iterator[Json]:
    """The campaign itself, what was not judged and why, and what happened on the way."""
    campaign = context.material.campaign
    began, ended = context.moment(campaign.started_utc), context.moment(campaign.ended_utc)
    yield {
        "uuid": context.uuid("log", "campaign"),
        "title": line(context.say("task")),
        "description": line(context.said(context.page.why)),
        "start": began,
        "end": ended,
    }
    for number, result, item in context.items:
        if result.verdict in UNMEASURED:
            yield {
                "uuid": context.uuid("log", "item", number, result.item),
                "title": line(f"{result.item} {context.said(item.title)}"),
                "description": line(f"{context.said(item.word)} · {context.said(item.reason)}"),
                "props": props(item=result.item, verdict=result.verdict.value, reason_code=result.reason),
                "start": began,
            }
    events = context.material.events
    for number, (event, row) in enumerate(islice(zip(events, context.page.events, strict=True), MAX_EVENTS)):
        yield {
            "uuid": context.uuid("log", "event", number),
            "title": line(event.kind),
            "description": line(context.said(row.text)),
            "start": stamp(event.utc_ns) or began,
        }
    if len(events) > MAX_EVENTS:
        yield {
            "uuid": context.uuid("log", "more"),
            "description": line(context.say("more-events", count=len(events) - MAX_EVENTS)),
            "start": ended,
        }
