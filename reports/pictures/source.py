"""What pictures are drawn from: a bundle, the bundles of earlier years, and what things are called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from profiles.requirement import Requirement
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import interval_of
from reports.figures import threshold_text
from reports.figures import value_with_share
from reports.pictures.wording import joined
from reports.pictures.wording import tell
from reports.pseudonyms import Pseudonyms
from reports.result import Result
from reports.view.listing import Thing
from reports.view.listing import called
from reports.view.listing import zone_things
from reports.wording import Said
from reports.wording import of
from reports.wording import same
from reports.wording import say
from reports.wording import verdict


@dataclass(frozen=True)
class Source:
    """Everything that a picture may show."""

    bundle: Bundle
    earlier: tuple[Bundle, ...] = ()
    public: bool = False

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """Results of whole requirements, in the plan's order."""
        return tuple(it for it in self.bundle.campaign.results if not it.scope)

    @cached_property
    def _requirements(self) -> dict[tuple[str, str], Requirement]:
        return {(profile.profile, it.id): it for profile in self.bundle.profiles for it in profile.requirements}

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What a public picture calls things."""
        return Pseudonyms(self.bundle.plant)

    def requirement(self, result: Result) -> Requirement | None:
        """What the result answers; ``None`` if the bundle's profile does not hold it."""
        return self._requirements.get((result.profile, result.requirement))

    def of_indicators(self, *indicators: str) -> Iterator[Result]:
        """Results of these indicators that were measured."""
        unmeasured = (Verdict.NOT_APPLICABLE, Verdict.NOT_TESTED)
        return (it for it in self.results if it.indicator in indicators and it.verdict not in unmeasured)

    def title(self, result: Result) -> Said:
        """The result's item and its requirement's title."""
        asked = self.requirement(result)
        told = of(asked.title) if asked else same("")
        return Said(*(f"{result.item} {it}".strip() for it in told))

    def thing(self, id: str) -> Said:
        """An object as a reader knows it."""
        if self.public:
            return self.pseudonyms.thing(id)
        name = self._names.get(id, "")
        return same(f"{name} {id}" if name and name != id else id)

    def zone(self, id: str) -> Said:
        """A zone as a reader knows it."""
        return self.pseudonyms.of("zone", id) if self.public else called(id, self._zones)

    def area(self, id: str) -> Said:
        """An activity area as a reader knows it."""
        if self.public:
            return self.pseudonyms.of("area", id)
        name = next((it.name for it in self.bundle.plant.areas if it.id == id), "")
        return same(name or id)

    @cached_property
    def _names(self) -> dict[str, str]:
        """Names of what pictures show one by one; terminals are too many for that."""
        plant = self.bundle.plant
        names = {it.id: it.kind for it in plant.devices} | {it.id: it.name for it in plant.onus}
        return names | {it.id: it.name for it in plant.nodes}

    @cached_property
    def _zones(self) -> dict[str, Thing]:
        return zone_things(self.bundle.plant)


def standing(result: Result) -> Said:
    """The verdict, the value with its interval, and the limit, in one line."""
    parts = [verdict(result.verdict), same(value_with_share(result))]
    if result.interval is not None:
        confidence = result.interval.confidence
        kind = "interval" if confidence < 1 else "bounds"  # of a share of which part is unknown
        parts.append(tell(f"sheet.{kind}", confidence=f"{confidence * 100:g}", interval=interval_of(result)))
    if result.threshold is not None:
        parts.append(tell("sheet.limit", limit=threshold_text(result.threshold)))
    return joined(parts)


def limit_source(result: Result) -> Said | None:
    """Where the limit comes from, and whether it was compared with its text; ``None`` if there is no limit."""
    if result.threshold is None:
        return None
    source = result.threshold.source
    checked = say("provenance.verified" if source.verified else "provenance.unverified")
    return tell(
        "sheet.source",
        limit=threshold_text(result.threshold),
        document=f"{source.standard}, {source.clause}",
        origin=say(f"provenance.{source.provenance}"),
        checked=checked,
    )
