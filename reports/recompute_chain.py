"""Whether a bundle holds what its hash chain says was kept, entry by entry.

The links are computed again from the observations, the raw outputs, the events, the results and the documents of the
bundle, so that what was removed, added, changed or reordered in the run shows, and where, even if the manifest was
written anew. Whoever also writes the chain anew is found only by a head that was kept elsewhere, or by a signature.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

from probes.raw import is_name
from reports import chain
from reports.bundle import ATTEMPTS
from reports.bundle import CHAIN
from reports.bundle import EVENTS
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PLANT
from reports.bundle import RAW
from reports.bundle import RESULTS
from reports.bundle import Bundle
from reports.bundle import ChainRecord
from reports.bundle import Event
from reports.bundle import Manifest
from reports.bundle import profile_path
from reports.chain import Break
from reports.chain import Entry
from reports.chain import Followed
from reports.plain import Malformed
from reports.raw import RawPlaces
from reports.result import Campaign
from reports.verification import Verification

if TYPE_CHECKING:
    from reports.chain_file import ChainTable
    from reports.parquet import ObservationTable

_T = TypeVar("_T")
_Rebuild = Callable[[Entry, bytes, list[_T]], bytes]


class ChainRecomputation:
    """Follows the chain of one bundle."""

    def __init__(self, bundle: Bundle, manifest: Manifest, verification: Verification) -> None:
        self._bundle = bundle
        self._manifest = manifest
        self._found = verification.found
        self._hashes = {name: record.sha256 for name, record in manifest.files.items()}

    def run(self, campaign: Campaign, observations: ObservationTable | None) -> None:
        """Compare everything in the bundle with the chain."""
        try:
            table = self._bundle.read_chain()
            self._compare_record(table.record())
            if observations is not None:
                self._follow(table, OBSERVATIONS, chain.OBSERVATIONS, observations.linked_rows(), _of_rows)
            self._follow(table, EVENTS, chain.EVENT, self._bundle.read_events(), _of_event)
            self._follow_campaign(table, campaign)
            self._follow_results(table)
            self._follow_raw(table)
            self._follow_documents(table)
        except Malformed as malformed:
            self._found("file-malformed", malformed.name, error=malformed.error)

    def _compare_record(self, computed: ChainRecord) -> None:
        stored = self._manifest.chain
        for name in ChainRecord.model_fields:
            said, follows = getattr(stored, name), getattr(computed, name)
            if said != follows:
                self._found("fact-differs", MANIFEST, name=f"chain.{name}", stored=said, computed=follows)

    def _follow(self, table: ChainTable, place: str, kind: str, things: Iterable[_T], rebuild: _Rebuild[_T]) -> None:
        for broken in Followed(table.entries(kind), things, rebuild).breaks():
            self._broken(place, kind, broken)

    def _follow_campaign(self, table: ChainTable, campaign: Campaign) -> None:
        """The first entry says what the campaign is about; the first session, when it began."""
        profiles = {name: self._hashes.get(profile_path(name), "") for name in campaign.profiles}
        payload = chain.campaign_payload(campaign.campaign, self._hashes.get(PLANT, ""), profiles)
        self._follow(table, PLANT, chain.CAMPAIGN, [payload], _of_payload)
        for entry, _ in table.entries(chain.CAMPAIGN):
            for name, fact in _facts(entry.subject).items():
                said = campaign.host if name == "host" else campaign.versions.get(name)
                if fact and said != fact:
                    self._found("fact-differs", RESULTS, name=name, stored=said, computed=fact)
        sessions = [entry for entry, previous in table.entries(chain.SESSION) if self._fits(entry, previous, "", CHAIN)]
        began = chain.iso(min((entry.utc_ns for entry in sessions), default=0))
        if campaign.started_utc != began:
            self._found("fact-differs", RESULTS, name="started_utc", stored=campaign.started_utc, computed=began)

    def _follow_results(self, table: ChainTable) -> None:
        """Of each item, those results that a later one replaced, and then the one that counts."""
        told: dict[str, list[str]] = defaultdict(list)
        for record in (*self._bundle.read_json_lines(ATTEMPTS), *self._bundle.read_json(RESULTS)["results"]):
            told[str(record["item"])].append(chain.result_payload(record))
        for entry, previous in table.entries(chain.RESULT):
            there = told.get(entry.subject)
            if not there:
                self._broken(entry.subject, chain.RESULT, Break(entry, -1))
            else:
                self._fits(entry, previous, there.pop(0), entry.subject)
        for item, left in told.items():
            if left:
                self._broken(item, chain.RESULT, Break(None, len(left)))

    def _follow_raw(self, table: ChainTable) -> None:
        places, linked = RawPlaces(), set()
        for entry, previous in table.entries(chain.RAW):
            vantage, window, name = _source(entry.subject)
            path = f"{RAW}/{places.next(entry.run, vantage, window, name)}"
            linked.add(path)
            self._file(entry, previous, path)
        for path in self._hashes:
            if path.startswith(f"{RAW}/") and path not in linked:
                self._broken(path, chain.RAW, Break(None, 1))

    def _follow_documents(self, table: ChainTable) -> None:
        """Of each document the latest; earlier ones are not in the bundle."""
        for entry, previous in {
            entry.subject: (entry, before) for entry, before in table.entries(chain.DOCUMENT)
        }.values():
            self._file(entry, previous, entry.subject)

    def _file(self, entry: Entry, previous: bytes, path: str) -> None:
        if path in self._hashes:
            self._fits(entry, previous, self._hashes[path], path)
        else:
            self._broken(path, entry.kind, Break(entry, -1))

    def _fits(self, entry: Entry, previous: bytes, payload: str, place: str) -> bool:
        fits = entry.link_after(previous, payload) == entry.link
        if not fits:
            self._broken(place, entry.kind, Break(entry, 0))
        return fits

    def _broken(self, place: str, kind: str, broken: Break) -> None:
        self._found(f"chain-{broken.code}", place, kind=kind, **broken.facts)


def _of_rows(entry: Entry, previous: bytes, rows: list[tuple[Any, ...]]) -> bytes:
    return entry.link_after(previous, chain.observations_payload(rows))


def _of_event(entry: Entry, previous: bytes, events: list[Event]) -> bytes:
    event = events[0]
    payload = chain.event_payload(event.utc_ns, event.run, event.kind, event.text, event.facts)
    return entry._replace(run=event.run, utc_ns=event.utc_ns).link_after(previous, payload)


def _of_payload(entry: Entry, previous: bytes, payloads: list[str]) -> bytes:
    return entry.link_after(previous, payloads[0])


def _facts(subject: str) -> Mapping[str, str]:
    facts = _json(subject)
    if not isinstance(facts, dict) or not all(isinstance(fact, str) for fact in facts.values()):
        raise Malformed(CHAIN, "the first entry states no facts")
    return facts


def _source(subject: str) -> tuple[str, int, str]:
    """Vantage point, window and name of a raw output."""
    match _json(subject):
        case [str(vantage), str(), int(window), str(name)] if is_name(name):
            return vantage, window, name
    raise Malformed(CHAIN, "an entry does not say where its raw output comes from")


def _json(subject: str) -> object:
    try:
        return json.loads(subject)
    except (ValueError, RecursionError) as error:
        raise Malformed(CHAIN, str(error)) from None
