"""Pseudonyms: what a public document calls the zones, machines and vantage points of a plant.

They are numbered in the order of the plant file, so that one report, its annex and its pictures say the same, and tell
nothing of names, ids and addresses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from fixtures.plant.model import Plant
from reports.wording import Said
from reports.wording import say

#: Kinds of what has a pseudonym, each with a text ``report.pseudonym.KIND``.
KINDS = (
    "zone", "area", "vantage", "terminal", "point", "device", "flow", "clock", "modem", "onu", "node", "identifier",
    "server",
)  # fmt: skip
_EDGE = re.compile(r"[A-Za-z0-9_]")
#: Addresses, whoever holds them. IPv6 needs two colons at least, or times of the day would be some.
_ADDRESSES = re.compile(
    r"(?<![\w.:])(?:(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
    r"|(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?"
    r"|(?=[0-9A-Fa-f:]*:[0-9A-Fa-f]*:)(?![0-9]{1,2}:[0-9]{2}:[0-9]{2}\b)[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+(?:%\w+)?(?:/[0-9]{1,3})?)"
    r"(?![\w:])"
)


class Pseudonyms:
    """The pseudonyms of one plant."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._numbers: dict[tuple[str, str], int] = {}
        counts: Counter[str] = Counter()
        for kind, id, _ in _holders(plant):
            if (kind, id) not in self._numbers:
                counts[kind] += 1
                self._numbers[kind, id] = counts[kind]

    def of(self, kind: str, id: str) -> Said:
        """What ``id``, a thing of ``kind`` (one of :data:`KINDS`), is called; of no number if the plant has it not."""
        number = self._numbers.get((kind, id))
        return say(f"pseudonym.{kind}", number="?" if number is None else number)

    def thing(self, id: str) -> Said:
        """What an object that a result names is called, whatever its kind; zones and areas come last."""
        for kind in (*KINDS[3:], *KINDS[:3]):
            if (kind, id) in self._numbers:
                return self.of(kind, id)
        return say("pseudonym.other")

    @cached_property
    def terms(self) -> dict[str, Said]:
        """Every text of the plant file that tells who or where something is, and what stands in its place."""
        found: dict[str, Said] = {}
        for kind, id, texts in _holders(self._plant):
            for text in (id, *texts):
                if text:
                    found.setdefault(text, self.of(kind, id))
        found[self._plant.plant] = say("pseudonym.plant")
        if self._plant.organisation:
            found[self._plant.organisation] = say("pseudonym.organisation")
        return found

    def replaced(self, text: str, language: str) -> str:
        """``text`` with every term of the plant, and every address whoever holds it, replaced.

        Words are replaced as whole words: a zone called ``it`` leaves ``item`` as it is.
        """
        out, at = [], 0
        while at < len(text):
            found = next((it for it in self._candidates(text, at) if _is_word(text, at, at + len(it))), "")
            out.append(self.terms[found].in_language(language) if found else text[at])
            at += len(found) or 1
        return _ADDRESSES.sub(say("pseudonym.address").in_language(language), "".join(out))

    def _candidates(self, text: str, at: int) -> Iterator[str]:
        """Terms that stand at a position, the longest first."""
        for length in self._lengths.get(text[at], ()):
            if (term := text[at : at + length]) in self.terms:
                yield term

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        """Lengths of the terms that begin with a character, the longest first."""
        found: dict[str, set[int]] = {}
        for term in self.terms:
            found.setdefault(term[0], set()).add(len(term))
        return {first: sorted(lengths, reverse=True) for first, lengths in found.items()}


def _is_word(text: str, start: int, end: int) -> bool:
    """Whether what stands there does not go on as a word on either side."""
    before = start > 0 and _EDGE.match(text[start]) and _EDGE.match(text[start - 1])
    after = end < len(text) and _EDGE.match(text[end - 1]) and _EDGE.match(text[end])
    return not before and not after


def _holders(plant: Plant) -> Iterator[tuple[str, str, list[str]]]:
    """Everything with an id: its kind, its id, and what else tells who or where it is."""
    for zone in plant.zones:
        yield "zone", zone.id, [zone.name, *map(str, zone.networks)]
    for area in plant.areas:
        yield "area", area.id, [area.name]
    for vantage in plant.vantages:
        where = "" if vantage.where == "local" else vantage.where
        yield "vantage", vantage.id, [where, where.partition(":")[2], vantage.python or "", *vantage.macs]
    for endpoint in plant.endpoints:
        yield "terminal", endpoint.id, [endpoint.name, *map(str, endpoint.addresses), endpoint.mac or ""]
    for area in plant.areas:
        for point in area.points:
            yield "point", point.id, [*map(str, point.addresses)]
    for device in plant.devices:
        yield "device", device.id, [device.host_name or "", *map(str, device.addresses), *device.macs]
    yield from _facilities(plant)
    for role, place in plant.services.items():
        yield "server", role, [place, *place.split()]


def _facilities(plant: Plant) -> Iterator[tuple[str, str, list[str]]]:
    for flow in plant.flows:
        yield "flow", flow.id, [flow.name, str(flow.talker_address), str(flow.address)]
    for clock in plant.clocks:
        yield "clock", clock.id, [clock.name, clock.socket, clock.grandmaster or ""]
    for modem in plant.modems:
        yield "modem", modem.id, [modem.name, modem.port]
    for onu in plant.onus:
        yield "onu", onu.id, [onu.name]
    for node in plant.nodes:
        yield "node", node.id, [node.name]
    for identifier in plant.identifiers:
        yield "identifier", identifier.id, [identifier.name, *identifier.answers]
