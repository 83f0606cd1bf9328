"""Waivers as a reader meets them: beside a verdict, and all of them in one list. They change no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from reports.view.fact import joined
from reports.view.material import Material
from reports.waivers import Waived
from reports.waivers import Waiver
from reports.waivers import WaiverScope
from reports.waivers import day_of_test
from reports.waivers import state
from reports.waivers import waived
from reports.wording import Said
from reports.wording import dimension_value
from reports.wording import same
from reports.wording import say


class WaiverView(NamedTuple):
    """One waiver."""

    id: str  #: of the requirement
    scope: Said
    justification: str
    owner: str
    approver: str
    expires: str  #: the last day on which it holds, ISO 8601
    in_force: bool  #: whether it held until the test ended
    state: Said  #: the same in words
    effect: Said  #: what it speaks of: in one item beside that, in the list in all of them


Waivings = Mapping[str, Sequence[Waived]]  #: by item


def waivings(material: Material) -> Waivings:
    """What the bundle's waivers say of its results."""
    return waived(material.campaign.results, material.waivers, material.plant)


def beside(found: Sequence[Waived], day: date) -> list[WaiverView]:
    """The waivers of one item.

    Args:
        found: what they say of it.
        day: on which the test ended.
    """
    return [_view(one.waiver, one.said(), day) for one in found]


def every_waiver(material: Material, found: Waivings) -> list[WaiverView]:
    """Every waiver of the bundle, also those that speak of nothing."""
    day = day_of_test(material.campaign)
    return [_view(waiver, _effect(waiver, found), day) for waiver in material.waivers]


def _effect(waiver: Waiver, found: Waivings) -> Said:
    items = [item for item, all in found.items() if any(one.waiver is waiver for one in all)]
    return say("waiver.beside", items=joined([same(item) for item in items])) if items else say("waiver.idle")


def _view(waiver: Waiver, effect: Said, day: date) -> WaiverView:
    return WaiverView(
        id=waiver.id,
        scope=_scope(waiver.scope),
        justification=waiver.justification,
        owner=waiver.owner,
        approver=waiver.approver,
        expires=waiver.expires.isoformat(),
        in_force=day <= waiver.expires,
        state=state(waiver, day),
        effect=effect,
    )


def _scope(scope: WaiverScope) -> Said:
    dimensions = {
        "class": scope.classes,
        "technology": scope.technologies,
        "segment": scope.segments,
        "zone": scope.zones,
        "area": scope.areas,
        "object": scope.objects,
    }
    named = [dimension_value(name, value) for name, values in dimensions.items() for value in values]
    return joined(named) if named else say("waiver.everywhere")
