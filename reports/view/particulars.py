"""Who asked for the test, who made it, where, when and on what: what ISO/IEC 17025 7.8.2 asks of a report at least.

What a program can know comes from the bundle; what only people know is stated beside the plant (``particulars.yaml``)
or shown as not stated.
"""

from __future__ import annotations

from collections.abc import Iterator

from fixtures.plant.internet import servers
from fixtures.plant.model import Plant
from reports.figures import count
from reports.figures import moment
from reports.view.fact import Fact
from reports.view.fact import fact
from reports.view.material import Material
from reports.wording import Said
from reports.wording import say

#: Digits of the evidence's fingerprint that tell the reports of one campaign apart: a resumed one is sealed again.
_DIGITS = 12


def report_id(material: Material) -> str:
    """What identifies the report: the campaign, and the evidence that it was made from."""
    return f"{material.campaign.campaign}-{material.fingerprint[:_DIGITS]}"


def particulars(material: Material) -> list[Fact]:
    """The facts of the report, in the order in which a reader asks for them."""
    return list(_facts(material))


def _facts(material: Material) -> Iterator[Fact]:
    campaign, stated = material.campaign, material.particulars
    yield fact("fact.report-id", report_id(material))
    yield fact("fact.client", stated.client)
    yield fact("fact.client-address", stated.client_address)
    yield fact("fact.order", stated.order)
    yield fact("fact.purpose", stated.purpose)
    yield fact("fact.laboratory", stated.laboratory)
    yield fact("fact.organisation", material.plant.organisation)
    yield fact("fact.plant", campaign.plant)
    yield fact("fact.place", stated.place)
    yield fact("fact.items", stated.items)
    yield fact("fact.registered", registered(material.plant))
    tested = say("page.from-until", start=moment(campaign.started_utc), end=moment(campaign.ended_utc))
    yield fact("fact.tested", tested)
    yield fact("fact.sealed", moment(material.manifest.sealed_utc))
    yield fact("fact.tester", stated.tester)
    yield fact("fact.witness", stated.witness)
    yield fact("fact.authoriser", stated.authoriser)
    yield fact("fact.remarks", " ".join(stated.remarks))


def registered(plant: Plant) -> Said:
    """How many objects of each kind the plant file declares, and how many zones."""
    parts = {
        "terminal": len(plant.endpoints),
        "area": sum(len(area.points) for area in plant.areas),
        "device": len(plant.devices),
        "flow": len(plant.flows),
        "clock": len(plant.clocks),
        "modem": len(plant.modems),
        "onu": len(plant.onus),
        "node": len(plant.nodes),
        "identifier": len(plant.identifiers),
        "server": len(servers(plant.services)),
        "zone": len(plant.zones),
    }
    told = [
        say("page.objects-of", kind=say(f"object.{kind}"), count=count(many)) for kind, many in parts.items() if many
    ]
    return Said("，".join(one.zh for one in told), ", ".join(one.en for one in told))
