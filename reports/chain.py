"""The hash chain over everything that a campaign keeps, as it arrives: pure functions, shared by store and verifier.

Each thing that the store keeps at once (a batch of observations, a raw output, an event, a result, the opening of a
session) is an *entry*. Its link is the SHA-256 of the link before it (32 bytes; zeros before the first), the entry's
header, a line feed, and its payload. So nothing before the last link can be removed, added, changed or reordered
without another last link, the *head*. ``docs/bundle.md`` has the payload of each kind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import islice
from typing import Any
from typing import Generic
from typing import NamedTuple
from typing import TypeVar

from profiles.observation import COLUMNS

CAMPAIGN = "campaign"  #: the first entry: what the campaign is about
SESSION = "session"  #: the store was opened
OBSERVATIONS = "observations"
RAW = "raw"
EVENT = "event"
RESULT = "result"
DOCUMENT = "document"  #: what people wrote beside the plant
KINDS = (CAMPAIGN, SESSION, OBSERVATIONS, RAW, EVENT, RESULT, DOCUMENT)

BATCH = 65_536  #: most rows of one entry; more are several entries
START = bytes(32)  #: the link before the first

_FIELDS = len(COLUMNS) + 1  #: of an observation, and its run
_VALUE = COLUMNS.index("value")
_PIECE = 256  #: rows turned into JSON at a time
_SHIFT = 64  #: by how many rows more or less the entry after an altered one is looked for
_SEARCHES = 50  #: altered entries behind which that is tried
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_encode_sorted = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode

_T = TypeVar("_T")


class Entry(NamedTuple):
    """One entry of the chain."""

    number: int  #: from 1
    kind: str  #: one of :data:`KINDS`
    run: int  #: session in which it was kept
    rows: int  #: observations in it; 1 of any other kind
    utc_ns: int  #: when it was kept
    adopted: bool  #: kept before there was a chain, and taken into it later
    subject: str  #: what it is about, where the payload does not say: see ``docs/bundle.md``
    link: bytes

    def link_after(self, previous: bytes, payload: str | Iterator[str]) -> bytes:
        """The link that the entry must have after ``previous`` if ``payload``, also in pieces, is what was kept."""
        digest = hashlib.sha256(previous)
        digest.update(_encode(self[:-1]).encode())
        digest.update(b"\n")
        for piece in (payload,) if isinstance(payload, str) else payload:
            digest.update(piece.encode())
        return digest.digest()


#: An entry, and the link before it.
Linked = tuple[Entry, bytes]


def campaign_payload(campaign: str, plant_sha256: str, profiles: Mapping[str, str]) -> str:
    """What the campaign is about: its UUID, the SHA-256 of the plant, and name and SHA-256 of each profile in order."""
    return _encode([campaign, plant_sha256, list(profiles.items())])


def observations_payload(rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    """A JSON array with one array for each row: its fields and its run; more fields are left out.

    It comes in pieces, as the rows of one entry may be long.
    """
    yield "["
    for start in range(0, len(rows), _PIECE):
        part = rows[start : start + _PIECE]
        if any(type(row[_VALUE]) is int or len(row) > _FIELDS for row in part):
            part = [_row(row) for row in part]
        yield ("," if start else "") + _encode(part)[1:-1]
    yield "]"


def _row(row: Sequence[Any]) -> tuple[Any, ...]:
    value = row[_VALUE]  # of older stores it may be an int, which the bundle keeps as a float
    return (*row[:_VALUE], None if value is None else float(value), *row[_VALUE + 1 : _FIELDS])


def raw_subject(vantage: str, method: str, window: int, name: str) -> str:
    """Where a raw output comes from, as a JSON array."""
    return _encode([vantage, method, window, name])


def event_payload(utc_ns: int, run: int, kind: str, text: str, facts: Mapping[str, str]) -> str:
    """A JSON array; the keys of its facts are sorted."""
    return _encode_sorted([utc_ns, run, kind, text, facts])


def result_payload(record: Mapping[str, Any]) -> str:
    """The result's JSON with keys sorted, without ``attempts``, which is counted, and without members that say nothing.

    A later version's result says nothing more in what it has in addition, so that its record has the same payload.
    """
    nothing: tuple[object, ...] = (None, "", [], {})
    return _encode_sorted(
        {name: value for name, value in record.items() if name != "attempts" and value not in nothing}
    )


def sha256_text(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def iso(utc_ns: int) -> str:
    """A time since the epoch as ISO 8601 with zone, in microseconds; or the number itself, if no calendar has it."""
    try:
        return (_EPOCH + timedelta(microseconds=utc_ns // 1_000)).isoformat(timespec="microseconds")
    except OverflowError:
        return f"{utc_ns} ns"


class Break(NamedTuple):
    """An entry whose link is not that of what is there, or what belongs to no entry."""

    entry: Entry | None  #: ``None``: things behind the last entry
    more: int  #: how many things there are more than the entry had; negative if some are gone
    rest: bool = False  #: nothing after it fits either, and nothing was compared in detail

    @property
    def code(self) -> str:
        """What is wrong, as the end of a text's code."""
        if self.entry is None:
            return "unlinked"
        if self.rest:
            return "rest"
        return "gone" if self.more < 0 else "added" if self.more else "changed"

    @property
    def facts(self) -> dict[str, object]:
        """They fill the text."""
        facts: dict[str, object] = {"count": abs(self.more)}
        if self.entry is None:
            return facts
        return facts | {
            "entry": self.entry.number,
            "run": self.entry.run,
            "rows": self.entry.rows,
            "utc": iso(self.entry.utc_ns),
        }


class Followed(Generic[_T]):
    """Compares a sequence of things (observations, events, ...) with the chain's entries of that kind, in order.

    Where an entry does not fit, the next one is looked for some things further on or back, so that what was removed or
    inserted is found in its own entry and the entries after it are compared nevertheless.

    Args:
        entries: the entries of one kind, each with the link before it.
        things: everything of that kind; of the next entries together, a few are held at a time.
        rebuild: the link that an entry would have, given the link before it and the things in it.
    """

    def __init__(
        self, entries: Iterable[Linked], things: Iterable[_T], rebuild: Callable[[Entry, bytes, list[_T]], bytes]
    ) -> None:
        self._entries = iter(entries)
        self._things = iter(things)
        self._rebuild = rebuild
        self._held: list[_T] = []
        self._searches = 0

    def breaks(self) -> Iterator[Break]:
        """Everything that does not fit."""
        at = next(self._entries, None)
        while at is not None:
            entry = at[0]
            following = next(self._entries, None)
            if self._fits(at, 0):
                del self._held[: entry.rows]
            elif self._searches >= _SEARCHES:
                yield Break(entry, 0, rest=True)
                return
            else:
                more = self._shift(entry, following)
                yield Break(entry, more)
                del self._held[: entry.rows + more]
            at = following
        if left := self._left():
            yield Break(None, left)

    def _left(self) -> int:
        """How many things are left; none is afterwards."""
        left = len(self._held) + sum(1 for _ in self._things)
        self._held.clear()
        return left

    def _fits(self, at: Linked, start: int) -> bool:
        entry, previous = at
        self._hold(start + entry.rows)
        there = self._held[start : start + entry.rows]
        return len(there) == entry.rows and self._rebuild(entry, previous, there) == entry.link

    def _hold(self, count: int) -> None:
        if (lacking := count - len(self._held)) > 0:
            self._held += islice(self._things, lacking)

    def _shift(self, entry: Entry, following: Linked | None) -> int:
        """By how many things the entry grew: so many before the one that follows, or that there are in all."""
        if following is None:
            return self._left() - entry.rows
        self._searches += 1
        near = sorted(range(-min(_SHIFT, entry.rows), _SHIFT + 1), key=abs)
        for more in dict.fromkeys((*near, -entry.rows)):
            if self._fits(following, entry.rows + more):
                return more
        self._hold(entry.rows)
        return min(len(self._held) - entry.rows, 0)
