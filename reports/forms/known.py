"""Every value of a bundle that tells who, where or what: none may stand in its public annex."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from profiles.language import Texts
from reports.bundle import Bundle
from reports.forms.form import data
from reports.forms.form import form_names
from reports.forms.form import load_form
from reports.forms.lint import leaks
from reports.forms.lint import plain
from reports.forms.package import CATALOGUE
from reports.pseudonyms import Pseudonyms

_SHORTEST = 3  #: characters of ASCII; what is shorter stands in any text by chance
_FEWEST = 6  #: digits of a number that tells anything
_EDGE = re.compile(r"[a-z0-9_]")
_MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}")
_MACHINE = re.compile(r"[a-z0-9-]*[0-9-][a-z0-9-]*")


class KnownValues:
    """The values of one bundle, to be looked for."""

    def __init__(self, bundle: Bundle) -> None:
        plant, people = bundle.plant, bundle.particulars
        own = {_plain(plant.plant), _plain(plant.organisation)}
        values = {_plain(one) for one in self._values(bundle)} - own - {""}
        persons = {_plain(one) for one in (people.tester, people.witness, people.authoriser)} - {""}
        values |= persons | {_plain(waiver.owner) for waiver in bundle.waivers}
        values |= {_plain(waiver.approver) for waiver in bundle.waivers}
        values |= {other for value in values for other in _otherwise(value)} - own
        values.discard("")
        words = _vocabulary()
        told = {one for one in values if any(leaks(one))}  # an address is none of our words, whatever examples say
        self.short = sorted(one for one in values if _is_short(one))
        certain = persons | told | set(self.short)
        self.common = sorted(one for one in values - certain if one in words)
        self.values = values.difference(self.short, self.common)
        self._lengths: dict[str, list[int]] = {}
        for value in self.values:
            lengths = self._lengths.setdefault(value[0], [])
            if len(value) not in lengths:
                lengths.append(len(value))
        for lengths in self._lengths.values():
            lengths.sort(reverse=True)

    @staticmethod
    def _values(bundle: Bundle) -> Iterable[str]:
        yield from Pseudonyms(bundle.plant).terms
        yield from (bundle.campaign.host, bundle.manifest.host, bundle.particulars.place, bundle.particulars.order)
        yield from (one.approved_by for one in bundle.plant.tailoring)
        offered = [*(one.services for one in bundle.plant.endpoints), *(one.services for one in bundle.plant.devices)]
        yield from (service.partition("@")[2] for services in offered for service in services)

    def within(self, text: str, least: int = 1) -> Iterator[str]:
        """Values that stand in ``text``, as whole words where they are words; of ASCII from ``least`` characters."""
        searched = _plain(text)
        for at, first in enumerate(searched):
            for length in self._lengths.get(first, ()):
                value = searched[at : at + length]
                if length < least and value.isascii():
                    continue
                if value in self.values and _is_word(searched, at, at + length):
                    yield value
                    break


def _plain(text: str) -> str:
    return plain(text).casefold().strip()


def _is_short(value: str) -> bool:
    return value.isascii() and (len(value) < _SHORTEST or (value.isdigit() and len(value) < _FEWEST))


def _otherwise(value: str) -> Iterator[str]:
    """Other ways in which people write a value: hardware addresses, IPv6 in full, a host without user and domain."""
    if _MAC.fullmatch(value):
        digits = re.sub("[:-]", "", value)
        pairs, fours = re.findall("..", digits), re.findall("....", digits)
        yield from (digits, "-".join(pairs), ":".join(pairs), ".".join(fours), "-".join(fours), ":".join(fours))
        return
    host = value.partition("@")[2] or value
    with suppress(ValueError):
        address = ipaddress.ip_address(host)
        yield from (address.compressed, address.exploded)
        return
    if host != value:
        yield host
    label, dot, _ = host.partition(".")
    if dot and len(label) > _SHORTEST and _MACHINE.fullmatch(label) and not label.isdigit():
        yield label


def _is_word(text: str, start: int, end: int) -> bool:
    before = start > 0 and _EDGE.match(text[start]) and _EDGE.match(text[start - 1])
    after = end < len(text) and _EDGE.match(text[end - 1]) and _EDGE.match(text[end])
    return not before and not after


@cache
def _vocabulary() -> str:
    """Everything that this program says of any plant: a value that stands in it tells nothing of this one."""
    said = [text for room in ("reports", "reports.pictures", "profiles", CATALOGUE) for text in _said(room)]
    for name in form_names():
        form = load_form(name)
        said += [word for words in form.lists.values() for word in words]
        said += [section.title for section in form.sections]
    said += _strings(data("_annex4-text"))
    return _plain("\n".join(said))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def _said(room: str) -> Iterator[str]:
    texts = Texts.of(room)
    for code in texts.codes():
        yield texts.raw(code, "zh")
