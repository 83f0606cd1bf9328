"""The assessment plan: which requirements were to be tested, on which objects, from where and by which methods.

The plant has no system security plan in OSCAL, so the plan refers to the sealed plant file in its place, and declares
the objects that the file registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from ipaddress import ip_address

from fixtures.objects import objects
from fixtures.plant.model import Plant
from reports.bundle import PLANT
from reports.bundle import profile_path
from reports.oscal.context import Context
from reports.oscal.context import Json
from reports.oscal.context import control_id
from reports.oscal.context import resource
from reports.oscal.words import line
from reports.oscal.words import plain
from reports.oscal.words import props
from reports.view.listing import Thing
from reports.view.listing import things

_TOOL = "plantproof"


def assessment_plan(context: Context, hashes: Mapping[str, str]) -> Json:
    """The plan.

    Args:
        context: the bundle.
        hashes: the catalog's file name and SHA-256.
    """
    plant = context.material.plant
    catalogs = [resource(context.uuid("file", name), name, name, digest) for name, digest in hashes.items()]
    profiles = [profile_path(profile.profile) for profile in context.material.profiles]
    document: Json = {
        "uuid": context.document_uuid("plan"),
        "metadata": context.metadata(context.say("plan", plant=context.page.plant)),
        "import-ssp": {"href": f"#{context.file_uuid(PLANT)}", "remarks": line(context.say("plan-plant"))},
        "local-definitions": {
            "components": [_system(context, plant), *_zones(context, plant)],
            "activities": list(_activities(context)),
        },
        "reviewed-controls": reviewed_controls(context, catalogs[0]["uuid"]),
        "assessment-subjects": [{"type": "component", "include-all": {}}],
        "assessment-assets": _assets(context, plant),
        "tasks": [_task(context)],
        "back-matter": {"resources": [*catalogs, *context.files([PLANT, *profiles])]},
    }
    if inventory := list(_inventory(context, plant)):
        document["local-definitions"]["inventory-items"] = inventory
        document["assessment-subjects"].append({"type": "inventory-item", "include-all": {}})
    if not document["local-definitions"]["activities"]:  # nothing was planned
        del document["local-definitions"]["activities"], document["tasks"]
    return {"assessment-plan": document}


def reviewed_controls(context: Context, catalog: str) -> Json:
    """What was planned, as a selection of the controls of the catalog, a resource of the document."""
    controls = [{"control-id": control_id(profile, asked.id)} for (profile, _), asked in context.planned.items()]
    return {
        "control-selections": [{"include-controls": controls} if controls else {"include-all": {}}],
        "control-objective-selections": [{"include-all": {}}],
        "links": [{"href": f"#{catalog}", "rel": "reference", "text": line(context.say("catalog-of"))}],
    }


def system_uuid(context: Context) -> str:
    """The component that is the plant as a whole."""
    return context.uuid("component", "plant")


def platform_uuid(context: Context, vantage: str) -> str:
    """The assessment platform that is a vantage point."""
    return context.uuid("platform", vantage)


def tool_uuid(context: Context) -> str:
    """The component that is this program."""
    return context.uuid("component", "tool", _TOOL)


def _system(context: Context, plant: Plant) -> Json:
    return {
        "uuid": system_uuid(context),
        "type": "this-system",
        "title": line(plant.plant),
        "description": line(context.said(context.page.objects)),
        "props": props(organisation=plant.organisation),
        "status": {"state": "operational"},
    }


def _zones(context: Context, plant: Plant) -> Iterator[Json]:
    for zone in plant.zones:
        yield {
            "uuid": context.uuid("zone", zone.id),
            "type": "network",
            "title": line(zone.name or zone.id),
            "description": line(context.say("zone", id=zone.id)),
            "props": props(id=zone.id, networks=", ".join(map(str, zone.networks))),
            "status": {"state": "operational"},
        }


def _inventory(context: Context, plant: Plant) -> Iterator[Json]:
    """Every object that the plant file registers, of every kind."""
    zones = {zone.id for zone in plant.zones}
    where = {one.member.id: one.zone for one in objects(plant)}
    where |= {one.id: one.zone for one in plant.devices} | {one.id: one.zone for one in plant.endpoints}
    where |= {point.id: area.zone for area in plant.areas for point in area.points}
    for thing in things(plant).values():
        item = inventory_item(context, thing)
        if where.get(thing.id) in zones:
            item["implemented-components"] = [{"component-uuid": context.uuid("zone", where[thing.id])}]
        yield item


def inventory_item(context: Context, thing: Thing) -> Json:
    """One object."""
    told = [part for part in (context.said(thing.cls), thing.name, thing.area) if part]
    return {
        "uuid": context.uuid("object", thing.id),
        "description": line(" · ".join(told) or thing.id),
        "props": [
            {"name": "asset-id", "value": plain(thing.id)},
            *(_address(one) for one in thing.addresses.split(", ") if one),
            *props(name=thing.name, kind=context.said(thing.cls), area=thing.area),
        ],
    }


def _address(text: str) -> dict[str, str]:
    try:
        return {"name": f"ipv{ip_address(text).version}-address", "value": text}
    except ValueError:
        return props(address=text)[0]


def _activities(context: Context) -> Iterator[Json]:
    """One activity for each planned item: how it is measured and decided."""
    for number, result, item in context.items:
        controls = [{"control-id": control_id(result.profile, result.requirement)}]
        basis = item.basis
        yield {
            "uuid": context.uuid("activity", number, result.item),
            "title": line(f"{result.item} {context.said(item.title)}"),
            "description": line(context.said(basis.definition)),
            "props": [
                {"name": "method", "value": "TEST"},
                *props(item=result.item, indicator=result.indicator, methods=basis.methods),
                *props(parameters=basis.parameters, scope=context.said(basis.scope), rule=context.said(basis.rule)),
            ],
            "related-controls": {"control-selections": [{"include-controls": controls}]},
        }


def _assets(context: Context, plant: Plant) -> Json:
    tool = {
        "uuid": tool_uuid(context),
        "type": "software",
        "title": "Plantproof",
        "description": line(context.say("tool")),
        "props": [
            *props(version=context.page.version),
            *(one for name, version in context.page.versions for one in props(component=f"{name} {version}")),
        ],
        "status": {"state": "operational"},
    }
    platforms = [
        {
            "uuid": platform_uuid(context, vantage.id),
            "title": line(vantage.id),
            "props": props(id=vantage.id, where=vantage.where),
            "uses-components": [{"component-uuid": tool_uuid(context)}],
        }
        for vantage in plant.vantages
    ]
    if not platforms:
        platforms = [{"uuid": platform_uuid(context, ""), "title": line(context.page.host)}]
    return {"components": [tool], "assessment-platforms": platforms}


def _task(context: Context) -> Json:
    campaign = context.material.campaign
    subjects = [
        {"type": "component", "include-subjects": [{"subject-uuid": system_uuid(context), "type": "component"}]}
    ]
    within = {"start": context.moment(campaign.started_utc), "end": context.moment(campaign.ended_utc)}
    return {
        "uuid": context.uuid("task"),
        "type": "action",
        "title": line(context.say("task")),
        "timing": {"within-date-range": within},
        "associated-activities": [
            {"activity-uuid": context.uuid("activity", number, result.item), "subjects": subjects}
            for number, result, _ in context.items
        ],
    }
