"""The catalog: what was asked, one control for each requirement of the profiles, with where it comes from."""

from __future__ import annotations

from profiles.requirement import Profile
from profiles.requirement import Requirement
from profiles.requirement import Source
from reports.figures import threshold_text
from reports.oscal.context import Context
from reports.oscal.context import Json
from reports.oscal.context import control_id
from reports.oscal.context import objective_id
from reports.oscal.words import line
from reports.oscal.words import plain
from reports.oscal.words import props
from reports.view.item import definition
from reports.view.item import rule_text
from reports.wording import of


def catalog(context: Context) -> Json:
    """The catalog of all profiles of the campaign, also of the requirements that were not planned."""
    found = context.material.profiles
    sources = {
        _citation(source): source for profile in found for asked in profile.requirements for source in _sources(asked)
    }
    document: Json = {
        "uuid": context.document_uuid("catalog"),
        "metadata": context.metadata(context.say("catalog", plant=context.page.plant)),
        "groups": [_group(context, profile) for profile in found],
        "back-matter": {
            "resources": [
                {"uuid": _source_id(context, source), "title": line(text), "citation": {"text": line(text)}}
                for text, source in sources.items()
            ]
        },
    }
    return {"catalog": document}


def _group(context: Context, profile: Profile) -> Json:
    return {
        "id": f"profile.{profile.profile}",
        "class": "profile",
        "title": line(context.said(of(profile.title))),
        "props": props(profile=profile.profile, version=profile.version),
        "parts": [
            {
                "id": f"profile.{profile.profile}_ovw",
                "name": "overview",
                "prose": line(context.said(of(profile.description))),
            }
        ],
        "controls": [_control(context, profile.profile, asked) for asked in profile.requirements],
    }


def _control(context: Context, profile: str, asked: Requirement) -> Json:
    id = control_id(profile, asked.id)
    statement, parameters = line(context.said(of(asked.title))), []
    if asked.threshold is not None:
        parameter = f"{id}_limit"
        parameters = [
            {
                "id": parameter,
                "label": line(context.say("limit")),
                "props": _limit(asked),
                "values": [plain(threshold_text(asked.threshold))],
            }
        ]
        statement += f" {{{{ insert: param, {parameter} }}}}"
    control: Json = {
        "id": id,
        "class": "requirement",
        "title": line(context.said(of(asked.title))),
        "params": parameters,
        "props": [
            {"name": "label", "value": asked.id},
            *props(pillar=asked.pillar, indicator=asked.indicator, rule=asked.rule.value, weight=asked.weight),
        ],
        "links": [
            {"href": f"#{_source_id(context, source)}", "rel": "reference"}
            for source in {_citation(one): one for one in _sources(asked)}.values()
        ],
        "parts": [
            {"id": f"{id}_smt", "name": "statement", "prose": statement},
            {
                "id": objective_id(profile, asked.id),
                "name": "assessment-objective",
                "prose": line(context.said(definition(asked.indicator))),
            },
            {
                "id": f"{id}_mth",
                "name": "assessment-method",
                "props": [{"name": "method", "value": "TEST"}],
                "prose": line(context.said(rule_text(asked.rule.value, asked))),
            },
            {"id": f"{id}_gdn", "name": "guidance", "prose": line(context.said(of(asked.remedy)))},
        ],
    }
    return {key: value for key, value in control.items() if value}


def _limit(asked: Requirement) -> list[dict[str, str]]:
    if asked.threshold is None:
        return []
    source = asked.threshold.source
    return props(
        op=asked.threshold.op,
        value=asked.threshold.value,
        provenance=source.provenance.value,
        verified="yes" if source.verified else "no",
    )


def _sources(asked: Requirement) -> list[Source]:
    return [asked.source, *([asked.threshold.source] if asked.threshold else [])]


def _citation(source: Source) -> str:
    edition = f" ({source.edition})" if source.edition else ""
    quote = f"：“{source.quote}”" if source.quote else ""
    return f"{source.standard}{edition}, {source.clause}{quote}"


def _source_id(context: Context, source: Source) -> str:
    return context.uuid("source", _citation(source))
