"""The report's view model: everything the template lays out, worked out before, by pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass

from fixtures.plant.model import Plant
from profiles.requirement import Profile
from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Outcome
from profiles.verdict import Verdict
from reports.figures import moment
from reports.figures import zone_of
from reports.result import Campaign
from reports.result import Result
from reports.standing import UNMEASURED
from reports.standing import Standing
from reports.view.departures import Departures
from reports.view.departures import departures
from reports.view.environment import Environment
from reports.view.environment import environment
from reports.view.fact import Fact
from reports.view.item import Item
from reports.view.item import ItemView
from reports.view.item import view_item
from reports.view.listing import Thing
from reports.view.listing import things
from reports.view.listing import zone_things
from reports.view.material import Material
from reports.view.paged import PagedData
from reports.view.particulars import particulars
from reports.view.particulars import registered
from reports.view.register import Asking
from reports.view.register import RegisterView
from reports.view.register import asked
from reports.view.register import view_register
from reports.view.waived import WaiverView
from reports.view.waived import Waivings
from reports.view.waived import beside
from reports.view.waived import every_waiver
from reports.view.waived import waivings
from reports.waivers import day_of_test
from reports.wording import BY_URGENCY
from reports.wording import PILLARS
from reports.wording import Said
from reports.wording import event
from reports.wording import of
from reports.wording import pillar
from reports.wording import say
from reports.wording import trusted
from reports.wording import verdict


@dataclass(frozen=True)
class Tally:
    """How many items ended with one verdict."""

    verdict: Verdict
    word: Said
    means: Said
    count: int


@dataclass(frozen=True)
class Group:
    """The items of one pillar."""

    id: str
    name: Said
    tallies: list[Tally]  #: of those verdicts that there are
    items: list[ItemView]
    measured: list[ItemView]
    unmeasured: list[ItemView]


@dataclass(frozen=True)
class EventRow:
    """One line of the campaign's log."""

    time: str
    kind: str
    text: Said


@dataclass(frozen=True)
class Page:
    """The whole report."""

    title: Said
    plant: str
    organisation: str
    profiles: list[Said]
    campaign: str
    host: str
    started: str
    ended: str
    objects: Said
    fingerprint: str
    particulars: list[Fact]  #: who, where, when, on what; what nobody stated says so
    environment: Environment
    departures: Departures  #: deviations from the plan
    waivers: list[WaiverView]  #: all of them; those of an item stand beside its verdict too
    remedies: list[ItemView]  #: items with something to do about, what needs action first
    versions: list[tuple[str, str]]
    version: str
    outcome: Outcome
    headline: Said
    why: Said
    claims: list[Said]
    limits: Said
    planned: int
    judged: int
    tallies: list[Tally]
    items: list[ItemView]  #: all, in the plan's order
    measured: list[ItemView]
    unmeasured: list[ItemView]
    groups: list[Group]  #: all, by pillar
    events: list[EventRow]
    register: RegisterView
    paged: PagedData


def view(material: Material, *, register: bool = True) -> Page:
    """Work the material out into a page.

    Args:
        material: the content of a bundle.
        register: whether the register of all objects is shown; without, it is empty, and no plan is made for it.
    """
    campaign = material.campaign
    zone = zone_of(campaign.started_utc)
    standing = Standing.of(campaign.results)
    known = things(material.plant)
    verdicts = {result.item: result.verdict for result in campaign.results if not result.scope}
    paged = PagedData(known.values(), asked(material) if register else Asking(()), material.reached, verdicts)
    waiving = waivings(material)
    items = [view_item(item, paged) for item in _items(material, known, waiving)]
    return Page(
        title=Said(*(f"{kind} {campaign.plant}" for kind in say("page.kind"))),
        plant=campaign.plant,
        organisation=material.plant.organisation,
        profiles=[_profile(profile) for profile in material.profiles],
        campaign=campaign.campaign,
        host=campaign.host,
        started=moment(campaign.started_utc),
        ended=moment(campaign.ended_utc),
        objects=registered(material.plant),
        fingerprint=material.fingerprint,
        particulars=particulars(material),
        environment=environment(material),
        departures=departures(material),
        waivers=every_waiver(material, waiving),
        remedies=sorted((item for item in items if item.remedy), key=lambda item: item.urgency),
        versions=list(campaign.versions.items()),
        version=campaign.versions.get("plantproof", ""),
        outcome=campaign.outcome,
        headline=say(f"outcome.{campaign.outcome}"),
        why=standing.why(),
        claims=[_claim(profile, campaign) for profile in material.profiles],
        limits=_limits(campaign.results),
        planned=standing.planned,
        judged=standing.judged,
        tallies=[_tally(word, standing.counts.get(word, 0)) for word in BY_URGENCY],
        items=items,
        measured=[item for item in items if item.verdict not in UNMEASURED],
        unmeasured=[item for item in items if item.verdict in UNMEASURED],
        groups=list(_groups(items)),
        events=[
            EventRow(moment(one.utc_ns, zone), one.kind, event(one.kind, one.text, one.facts))
            for one in material.events
        ],
        register=paged.register() if register else view_register((), ()),
        paged=paged,
    )


def _items(material: Material, known: dict[str, Thing], waiving: Waivings) -> list[Item]:
    """Each planned item with its requirement, its breakdowns and what was measured for it."""
    requirements = {(profile.profile, one.id): one for profile in material.profiles for one in profile.requirements}
    zones, names = zone_things(material.plant), _names(material.plant)
    vantages = {vantage.id: vantage.where for vantage in material.plant.vantages}
    zone, day = zone_of(material.campaign.started_utc), day_of_test(material.campaign)
    parts: dict[tuple[str, str], list[Result]] = {}
    for result in material.campaign.results:
        if result.scope:
            parts.setdefault((result.profile, result.requirement), []).append(result)
    earlier: dict[str, list[Result]] = {}
    for result in material.earlier:
        earlier.setdefault(result.item, []).append(result)
    whole = [result for result in material.campaign.results if not result.scope]
    return [
        Item(
            number=number,
            result=result,
            requirement=requirements.get((result.profile, result.requirement)),
            parts=parts.get((result.profile, result.requirement), []),
            earlier=earlier.get(result.item, []),
            delays=material.delays.get(result.item, ()),
            waivers=beside(waiving.get(result.item, ()), day),
            known=known,
            zones=zones,
            vantages=vantages,
            names=names,
            zone=zone,
        )
        for number, result in enumerate(whole, 1)
    ]


def _groups(items: Sequence[ItemView]) -> Iterator[Group]:
    """The pillars that the plan has, in their order; last what belongs to none."""
    there = {item.pillar for item in items}
    for id in (*(one for one in PILLARS if one in there), *sorted(there - {*PILLARS})):
        found = [item for item in items if item.pillar == id]
        counts = [(word, sum(item.verdict is word for item in found)) for word in BY_URGENCY]
        yield Group(
            id=id or "other",
            name=pillar(id or "other"),
            tallies=[_tally(word, number) for word, number in counts if number],
            items=found,
            measured=[item for item in found if item.verdict not in UNMEASURED],
            unmeasured=[item for item in found if item.verdict in UNMEASURED],
        )


def _names(plant: Plant) -> dict[tuple[str, str], str]:
    zones = {("zone", zone.id): zone.name for zone in plant.zones if zone.name}
    return zones | {("area", area.id): area.name for area in plant.areas if area.name}


def _claim(profile: Profile, campaign: Campaign) -> Said:
    """What may be said of conformity to one profile; a document is named only where every limit used is trusted."""
    results = [result for result in campaign.results if result.profile == profile.profile and not result.scope]
    title = of(profile.title)
    met = any(result.verdict is Verdict.PASS for result in results)
    if not met or any(result.verdict in OPEN_VERDICTS | {Verdict.FAIL} for result in results):
        return say("claim.none", title=title)
    used = _thresholds(results)
    return say("claim.conforms" if all(sound for _, sound in used) else "claim.project", title=title)


def _limits(results: Sequence[Result]) -> Said:
    """How many of the limits used are trusted, and which are not."""
    used = _thresholds([result for result in results if not result.scope])
    if not used:
        return say("claim.limits-none")
    doubted = [item for item, sound in used if not sound]
    if not doubted:
        return say("claim.limits-all", total=len(used))
    items = Said("、".join(doubted), ", ".join(doubted))
    return say("claim.limits-some", total=len(used), trusted=len(used) - len(doubted), items=items)


def _thresholds(results: Sequence[Result]) -> list[tuple[str, bool]]:
    """Items that were compared with a limit, and whether that limit is trusted."""
    return [
        (result.item, trusted(result.threshold.source))
        for result in results
        if result.threshold is not None and result.verdict not in UNMEASURED
    ]


def _tally(word: Verdict, items: int) -> Tally:
    return Tally(word, verdict(word), say(f"verdict-means.{word}"), items)


def _profile(profile: Profile) -> Said:
    return say("page.profile-version", title=of(profile.title), name=profile.profile, version=profile.version)
