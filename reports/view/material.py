"""What every report is made of: the content of one bundle, read once."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from fixtures.plant.model import Plant
from profiles.requirement import Profile
from reports.bundle import Bundle
from reports.bundle import Event
from reports.bundle import Manifest
from reports.fingerprint import fingerprint
from reports.particulars import Particulars
from reports.result import Campaign
from reports.result import Result
from reports.view.delays import Delays
from reports.view.delays import Distribution
from reports.view.probed import Probed
from reports.view.probed import probed
from reports.view.probed import tells_delays
from reports.waivers import Waiver


@dataclass(frozen=True)
class Material:
    """What the report is made of: the content of one bundle."""

    campaign: Campaign
    plant: Plant
    profiles: Sequence[Profile]
    manifest: Manifest
    fingerprint: str  #: of the bundle's evidence
    delays: Mapping[str, tuple[Distribution, ...]] = field(default_factory=dict)  #: by item
    earlier: Sequence[Result] = ()  #: results that a later attempt replaced
    reached: Mapping[str, str] = field(default_factory=dict)  #: by object, its layers, see :mod:`reports.view.reached`
    events: Sequence[Event] = ()
    waivers: Sequence[Waiver] = ()
    particulars: Particulars = field(default_factory=Particulars)


def material(bundle: Bundle, *, delays: bool = True) -> Material:
    """Read from ``bundle`` what the report is made of; the observations are read once, as a stream.

    Args:
        bundle: read when asked for.
        delays: whether delay distributions and layers are wanted; without, the observations are not read at all.

    Raises:
        UserMistake: if a file of the bundle is missing or malformed.
    """
    found = probed(bundle) if delays else Probed(Delays(), {})
    results = (one for one in bundle.campaign.results if tells_delays(one)) if delays else ()
    return Material(
        campaign=bundle.campaign,
        plant=bundle.plant,
        profiles=bundle.profiles,
        manifest=bundle.manifest,
        fingerprint=fingerprint(bundle.manifest),
        delays={one.item: found.delays.behind(one.observations) for one in results if one.observations is not None},
        reached=found.reached,
        earlier=bundle.attempts,
        events=bundle.events,
        waivers=bundle.waivers,
        particulars=bundle.particulars,
    )
