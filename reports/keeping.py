"""The hash chain in the evidence store: begun, extended with whatever is kept, and held against what is there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from itertools import islice
from typing import Any
from typing import NamedTuple

from profiles.observation import COLUMNS
from reports import chain
from reports.chain import Break
from reports.chain import Entry
from reports.chain import Followed
from reports.chain import Linked
from reports.journal import Journal
from reports.row import restored

_OBSERVATIONS = ", ".join(f'"{name}"' for name in (*COLUMNS, "run"))
_COLUMNS = "entry, kind, run, rows, utc_ns, adopted, subject, link"


class Kept(NamedTuple):
    """What is to be one entry."""

    kind: str
    run: int
    utc_ns: int
    payload: str | Iterator[str]  #: at once or in pieces
    subject: str = ""
    rows: int = 1


def observations(run: int, utc_ns: int, rows: Sequence[Sequence[Any]]) -> Iterator[Kept]:
    """One entry for each :data:`~reports.chain.BATCH` of rows."""
    for start in range(0, len(rows), chain.BATCH):
        batch = rows[start : start + chain.BATCH]
        yield Kept(chain.OBSERVATIONS, run, utc_ns, chain.observations_payload(batch), rows=len(batch))


def raw(run: int, utc_ns: int, vantage: str, method: str, window: int, name: str, text: str) -> Kept:
    """A raw output, as the SHA-256 of its file in the bundle."""
    subject = chain.raw_subject(vantage, method, window, name)
    return Kept(chain.RAW, run, utc_ns, chain.sha256_text(text), subject)


def event(run: int, utc_ns: int, kind: str, text: str, facts: str) -> Kept:
    """An event; its facts are a JSON object."""
    return Kept(chain.EVENT, run, utc_ns, chain.event_payload(utc_ns, run, kind, text, json.loads(facts)))


def result(run: int, utc_ns: int, item: str, record: str) -> Kept:
    """A result; its record is JSON."""
    return Kept(chain.RESULT, run, utc_ns, chain.result_payload(json.loads(record)), item)


def document(run: int, utc_ns: int, name: str, text: str) -> Kept:
    """A document that people wrote, as the SHA-256 of its file in the bundle."""
    return Kept(chain.DOCUMENT, run, utc_ns, chain.sha256_text(text), name)


def session(run: int, utc_ns: int, host: str) -> Kept:
    """The opening of the store."""
    return Kept(chain.SESSION, run, utc_ns, "", host)


#: Of each kind whose rows have an entry each: the rows, and what makes an entry of one.
_SINGLES: dict[str, tuple[str, Callable[..., Kept]]] = {
    chain.SESSION: ("SELECT run, utc_ns, host FROM sessions ORDER BY run", session),
    chain.RAW: ('SELECT run, utc_ns, "vantage", "method", "window", name, text FROM raw ORDER BY id', raw),
    chain.EVENT: ("SELECT run, utc_ns, kind, text, facts FROM events ORDER BY id", event),
    chain.RESULT: ("SELECT run, utc_ns, item, record FROM results ORDER BY id", result),
    chain.DOCUMENT: ("SELECT run, utc_ns, name, text FROM documents ORDER BY id", document),
}


def extend(db: sqlite3.Connection, things: Iterable[Kept], *, adopted: bool = False) -> None:
    """Put ``things`` at the chain's end, in the transaction in which they are kept."""
    found = db.execute("SELECT entry, link FROM chain ORDER BY entry DESC LIMIT 1").fetchone()
    number, link = found or (0, chain.START)
    for number, thing in enumerate(things, number + 1):  # noqa: B020 - goes on from it
        entry = Entry(number, thing.kind, thing.run, thing.rows, thing.utc_ns, adopted, thing.subject, b"")
        link = entry.link_after(link, thing.payload)
        db.execute(f"INSERT INTO chain ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*entry[:-1], link))  # noqa: S608


def begin(db: sqlite3.Connection, run: int) -> None:
    """Note that session ``run`` begins. A store that has no chain yet begins one with all that it holds."""
    if db.execute("SELECT count(*) FROM chain").fetchone()[0] == 0:
        extend(db, [_campaign(db)], adopted=run > 1)
        extend(db, (thing for kind in _SINGLES for thing in _singles(db, kind) if thing.run < run), adopted=True)
        extend(db, _all_observations(db), adopted=True)
    extend(db, (thing for thing in _singles(db, chain.SESSION) if thing.run == run))


def entries(journal: Journal, kind: str | None = None) -> Iterator[Linked]:
    """The chain's entries (of one kind), each with the link before it."""
    before = "ifnull(lag(link) OVER (ORDER BY entry), zeroblob(32))"
    query = f"SELECT * FROM (SELECT {_COLUMNS}, {before} FROM chain) WHERE ?1 IS NULL OR kind = ?1 ORDER BY entry"  # noqa: S608
    for number, of, run, rows, utc_ns, adopted, subject, link, previous in journal.query(query, (kind,)):
        yield Entry(number, of, run, rows, utc_ns, bool(adopted), subject, link), previous


def breaks(journal: Journal) -> Iterator[tuple[str, Break]]:
    """Each kind and place where the chain is not that of what the store holds."""
    db = journal.connection
    for number, (entry, _) in enumerate(entries(journal), 1):
        odd = entry.kind not in chain.KINDS or (entry.kind != chain.OBSERVATIONS and entry.rows != 1)
        if odd or entry.number != number or not 0 <= entry.rows <= chain.BATCH:
            yield entry.kind, Break(entry, 0)
            return
    about = Followed(entries(journal, chain.CAMPAIGN), [_campaign(db)], _rebuilt)
    yield from ((chain.CAMPAIGN, found) for found in about.breaks())
    for kind in _SINGLES:
        yield from ((kind, found) for found in Followed(entries(journal, kind), _singles(db, kind), _rebuilt).breaks())
    rows = map(restored, journal.query(f"SELECT {_OBSERVATIONS} FROM observations ORDER BY id"))  # noqa: S608
    made = Followed(entries(journal, chain.OBSERVATIONS), rows, rebuilt_observations)
    yield from ((chain.OBSERVATIONS, found) for found in made.breaks())


def rebuilt_observations(entry: Entry, previous: bytes, rows: list[tuple[Any, ...]]) -> bytes:
    """The link of an entry with these rows."""
    return entry.link_after(previous, chain.observations_payload(rows))


def _rebuilt(entry: Entry, previous: bytes, things: list[Kept]) -> bytes:
    thing = things[0]
    said = entry._replace(run=thing.run, rows=1, utc_ns=thing.utc_ns, subject=thing.subject)
    return said.link_after(previous, thing.payload)


def _singles(db: sqlite3.Connection, kind: str) -> Iterator[Kept]:
    query, made = _SINGLES[kind]
    return (made(*row) for row in db.execute(query))


def _campaign(db: sqlite3.Connection) -> Kept:
    campaign, plant = db.execute("SELECT campaign, plant FROM campaign").fetchone()
    profiles = {name: chain.sha256_text(text) for name, text in db.execute("SELECT name, text FROM profiles")}
    begun = db.execute("SELECT min(utc_ns) FROM sessions").fetchone()[0]
    facts = dict(db.execute("SELECT name, value FROM facts ORDER BY name"))
    payload = chain.campaign_payload(campaign, chain.sha256_text(plant), profiles)
    return Kept(chain.CAMPAIGN, 1, begun, payload, json.dumps(facts, ensure_ascii=False, separators=(",", ":")))


def _all_observations(db: sqlite3.Connection) -> Iterator[Kept]:
    """What was observed before there was a chain, in entries of one run each."""
    found = db.execute(f"SELECT {_OBSERVATIONS}, utc_ns FROM observations ORDER BY id")  # noqa: S608
    while batch := list(islice(found, chain.BATCH)):
        rows = [restored(row[:-1]) for row in batch]
        yield from observations(rows[-1][-1], batch[-1][-1], rows)
