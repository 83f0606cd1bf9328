"""The chain over a campaign: whatever is done to the store behind its back is found, and where; old stores get one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles import observation
from profiles.problem import UserMistake
from reports import chain
from reports import chain_file
from reports.chain import Break
from reports.chain import Entry
from reports.chain import Followed
from reports.chain import Linked
from reports.chain_file import ChainTable
from reports.chain_file import write_chain
from reports.journal import FILE
from reports.seal import seal
from reports.store import EvidenceStore
from reports.verify import verify

COLUMNS = ", ".join(f'"{name}"' for name in (*observation.COLUMNS, "run"))
Tampering = Callable[[sqlite3.Connection], object]


def filled(evidence: Any) -> None:
    """Two sessions, with four batches of observations: entries 3, 4, 6 and 7 hold rows 1-4, 5-8, 9-12 and 13-16."""
    rows = evidence.observe_all()
    with evidence.create() as store:
        store.append(rows[:4])
        store.append(rows[4:8])
    with evidence.resume() as store:
        store.append(rows[8:12])
        store.append(rows[12:])
        store.event("vantage-opened", "here", {"kernel": "6.1"})
        store.put_raw("here", "icmp-echo", 0, "ping/out.txt", "64 bytes from 192.0.2.1\n")
        store.put_document("particulars.yaml", "place: somewhere\n")
        seal(store, evidence.bundle)


def tampered(evidence: Any, change: Tampering) -> None:
    """Change the file as somebody would who knows SQLite: the triggers stand in nobody's way."""
    with closing(sqlite3.connect(evidence.directory / FILE, isolation_level=None)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        change(db)


def swap(table: str, one: int, other: int) -> Tampering:
    def change(db: sqlite3.Connection) -> None:
        for old, new in ((one, -1), (other, one), (-1, other)):
            db.execute(f"UPDATE {table} SET id = ? WHERE id = ?", (new, old))  # noqa: S608

    return change


def renumbered(db: sqlite3.Connection) -> None:
    """One row gone, and those after it moved up, so that no gap tells."""
    db.execute("DELETE FROM observations WHERE id = 6")
    for id in range(7, 17):
        db.execute("UPDATE observations SET id = ? WHERE id = ?", (id - 1, id))


def inserted(db: sqlite3.Connection) -> None:
    """One row twice, the second in the midst of the others."""
    for id in range(16, 5, -1):
        db.execute("UPDATE observations SET id = ? WHERE id = ?", (id + 1, id))
    db.execute(f"INSERT INTO observations (id, {COLUMNS}) SELECT 6, {COLUMNS} FROM observations WHERE id = 5")  # noqa: S608


def sql(statement: str) -> Tampering:
    return lambda db: db.execute(statement)


#: What is done, and what is told: code, kind, entry and session.
TAMPERINGS: dict[str, tuple[Tampering, set[tuple[str, str, int | None, int | None]]]] = {
    "a row deleted": (sql("DELETE FROM observations WHERE id = 6"), {("store-gone", "observations", 4, 1)}),
    "a row deleted without a gap": (renumbered, {("store-gone", "observations", 4, 1)}),
    "a batch deleted": (
        sql("DELETE FROM observations WHERE id BETWEEN 9 AND 12"), {("store-gone", "observations", 6, 2)}
    ),
    "the last row deleted": (sql("DELETE FROM observations WHERE id = 16"), {("store-gone", "observations", 7, 2)}),
    "every row deleted": (sql("DELETE FROM observations"), {
        ("store-gone", "observations", entry, run) for entry, run in ((3, 1), (4, 1), (6, 2), (7, 2))
    }),
    "a value changed": (sql('UPDATE observations SET "value" = 0.4 WHERE id = 1'), {
        ("store-changed", "observations", 3, 1)
    }),
    "an error made an answer": (sql('UPDATE observations SET "value" = 0.4, "error" = NULL WHERE id = 14'), {
        ("store-changed", "observations", 7, 2)
    }),
    "a row of another session": (sql('UPDATE observations SET "run" = 2 WHERE id = 8'), {
        ("store-changed", "observations", 4, 1)
    }),
    "two rows of a batch reordered": (swap("observations", 9, 11), {("store-changed", "observations", 6, 2)}),
    "two rows of two batches swapped": (swap("observations", 2, 15), {
        ("store-changed", "observations", 3, 1), ("store-changed", "observations", 7, 2)
    }),
    "a row inserted": (inserted, {("store-added", "observations", 4, 1)}),
    "a row added at the end": (
        sql(f"INSERT INTO observations ({COLUMNS}) SELECT {COLUMNS} FROM observations WHERE id = 1"),  # noqa: S608
        {("store-unlinked", "observations", None, None)},
    ),
    "an event changed": (sql("UPDATE events SET text = 'there'"), {("store-changed", "event", 8, 2)}),
    "an event of another time": (sql("UPDATE events SET utc_ns = utc_ns + 1"), {("store-changed", "event", 8, 2)}),
    "an event deleted": (sql("DELETE FROM events"), {("store-gone", "event", 8, 2)}),
    "a raw output changed": (sql("UPDATE raw SET text = text || ' '"), {("store-changed", "raw", 9, 2)}),
    "a raw output renamed": (sql("UPDATE raw SET name = 'ping/other.txt'"), {("store-changed", "raw", 9, 2)}),
    "a document changed": (sql("UPDATE documents SET text = 'place: x'"), {("store-changed", "document", 10, 2)}),
    "a result changed": (sql("""UPDATE results SET record = replace(record, '"fail"', '"pass"') WHERE id = 1"""), {
        ("store-changed", "result", 11, 2)
    }),
    "a result deleted": (sql("DELETE FROM results WHERE id = 2"), {("store-gone", "result", 12, 2)}),
    "a session of another time": (sql("UPDATE sessions SET utc_ns = utc_ns - 1 WHERE run = 2"), {
        ("store-changed", "session", 5, 2)
    }),
    "another fact": (sql("UPDATE facts SET value = 'elsewhere' WHERE name = 'host'"), {
        ("store-changed", "campaign", 1, 1)
    }),
    "an entry deleted": (sql("DELETE FROM chain WHERE entry = 4"), {("store-changed", "session", 5, 2)}),
    "an entry deleted with its rows": (lambda db: [
        db.execute("DELETE FROM chain WHERE entry = 4"), db.execute("DELETE FROM observations WHERE id BETWEEN 5 AND 8")
    ], {("store-changed", "session", 5, 2)}),
    "an entry of no kind": (sql("UPDATE chain SET kind = 'x' WHERE entry = 4"), {("store-changed", "x", 4, 1)}),
    "an entry of too many rows": (sql("UPDATE chain SET rows = 1000000000 WHERE entry = 4"), {
        ("store-changed", "observations", 4, 1)
    }),
    "an event of several rows": (sql("UPDATE chain SET rows = 0 WHERE entry = 8"), {("store-changed", "event", 8, 2)}),
    "the whole chain deleted": (sql("DELETE FROM chain"), {
        ("store-unlinked", kind, None, None)
        for kind in ("campaign", "session", "observations", "raw", "event", "result", "document")
    }),
}  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, evidence_in: Any) -> Any:
    evidence = evidence_in(tmp_path_factory.mktemp("chain"))
    filled(evidence)
    return evidence


@pytest.fixture
def copy(kept: Any, evidence: Any) -> Any:
    """A sound store to be tampered with."""
    evidence.directory.mkdir()
    (evidence.directory / FILE).write_bytes((kept.directory / FILE).read_bytes())
    return evidence


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_is_done_behind_the_stores_back_is_found_and_named(copy: Any, name: str) -> None:
    change, expected = TAMPERINGS[name]
    tampered(copy, change)
    with pytest.raises(UserMistake) as refused:
        copy.resume()
    told = {
        (it.code, str(it.facts["kind"]), it.facts.get("entry"), it.facts.get("run")) for it in refused.value.problems
    }
    assert told == expected
    assert all(
        it.file == str(copy.directory / FILE) and it.text("zh") != it.text("en") for it in refused.value.problems
    )


def test_nothing_is_sealed_as_if_it_were_sound(copy: Any) -> None:
    with EvidenceStore.open(copy.directory) as store:
        tampered(copy, sql("DELETE FROM observations WHERE id = 6"))
        with pytest.raises(UserMistake, match=r"entry 4 of the hash chain \(observations, session 1, 4 rows"):
            seal(store, copy.bundle)
    assert not copy.bundle.exists()


def test_each_session_goes_on_from_the_link_before(kept: Any) -> None:
    with EvidenceStore.open(kept.directory) as store:
        entries = list(store.chain())
    kinds = ["campaign", "session", "observations", "observations", "session", "observations", "observations"]
    assert [it.kind for it in entries][:7] == kinds
    assert [it.run for it in entries][:7] == [1, 1, 1, 1, 2, 2, 2]
    assert not any(it.adopted for it in entries)
    assert [it.number for it in entries] == list(range(1, len(entries) + 1))
    assert len({it.link for it in entries}) == len(entries)


def test_the_bundle_says_what_the_store_kept(kept: Any) -> None:
    verification = verify(kept.bundle)
    assert verification.alterations == []
    assert verification.chain is not None
    assert (verification.chain.observations, verification.chain.adopted) == (16, 0)


def old_store(evidence: Any, path: Path) -> None:
    """The store as the last version without a chain left it."""
    tampered(evidence, lambda db: [db.execute("DROP TABLE chain"), db.execute("PRAGMA user_version = 3")])


def test_a_store_without_a_chain_begins_one_where_it_is_and_says_so(copy: Any) -> None:
    old_store(copy, copy.directory)
    with copy.resume() as store:
        store.append([copy.observe("press-1", window=5)])
        bundle = seal(store, copy.bundle)
        entries = list(store.chain())
    assert {it.kind for it in entries if it.adopted} == {*chain.KINDS}
    assert [it.rows for it in entries if it.kind == chain.OBSERVATIONS] == [16, 1]
    verification = verify(bundle.path)
    assert verification.alterations == []
    assert verification.chain is not None
    assert (verification.chain.observations, verification.chain.adopted) == (17, 16)
    tampered(copy, sql("DELETE FROM observations WHERE id = 6"))
    with pytest.raises(UserMistake, match="of entry"):
        copy.resume()


def test_large_batches_are_several_entries(evidence: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 5)
    with evidence.create() as store:
        store.append(evidence.observe_all())
        assert [it.rows for it in store.chain() if it.kind == chain.OBSERVATIONS] == [5, 5, 5, 1]
        store.append([])
        assert verify(seal(store, evidence.bundle).path).alterations == []


# The links themselves


def test_a_link_is_what_the_documents_say() -> None:
    """Computed by hand: SHA-256 of the link before, the header, a line feed and the payload."""
    import hashlib

    row = ("icmp-echo", "here", "传感器", "192.0.2.1", "round-trip-delay", 0.5, "ms", None, 0, 1, 2, 3, "", 1)
    entry = Entry(3, "observations", 1, 1, 17, False, "", b"")
    header = '[3,"observations",1,1,17,false,""]'
    payload = '[["icmp-echo","here","传感器","192.0.2.1","round-trip-delay",0.5,"ms",null,0,1,2,3,"",1]]'
    expected = hashlib.sha256(bytes(32) + f"{header}\n{payload}".encode()).digest()
    assert entry.link_after(chain.START, chain.observations_payload([row])) == expected
    assert entry.link_after(chain.START, chain.observations_payload([(*row, True)])) == expected


def test_a_whole_number_and_a_float_are_one_value() -> None:
    row = ("m", "v", "t", "a", "q", 5, "1", None, 0, 1, 2, 3, "", 1)
    whole, same = ("".join(chain.observations_payload([one])) for one in (row, (*row[:5], 5.0, *row[6:])))
    assert whole == same


def test_a_result_says_the_same_in_a_later_version() -> None:
    said = {"item": "i", "verdict": "pass", "numerator": 0, "value": 0.0, "attempts": 1}
    later = {"exhibit": None, "notes": [], "text": "", "facts": {}, "attempts": 3} | said
    assert chain.result_payload(said) == chain.result_payload(later)
    assert chain.result_payload(said) != chain.result_payload({**said, "numerator": None})
    assert json.loads(chain.result_payload(said)) == {"item": "i", "verdict": "pass", "numerator": 0, "value": 0.0}


def linked(batches: list[list[int]]) -> list[Linked]:
    made, link = [], chain.START
    for number, batch in enumerate(batches, 1):
        entry = Entry(number, "observations", 1, len(batch), number, False, "", b"")
        made.append((entry._replace(link=entry.link_after(link, repr(batch))), link))
        link = made[-1][0].link
    return made


def followed(entries: list[Linked], things: list[int]) -> list[Break]:
    rebuild = lambda entry, previous, batch: entry.link_after(previous, repr(batch))  # noqa: E731
    return list(Followed(entries, things, rebuild).breaks())


BATCHES = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=8)


@given(BATCHES, st.data())
def test_any_change_of_a_sequence_is_found_and_no_other(batches: list[list[int]], data: st.DataObject) -> None:
    entries, things = linked(batches), [it for batch in batches for it in batch]
    assert followed(entries, things) == []
    changed = data.draw(st.lists(st.integers(0, 3), max_size=20) | st.permutations(things))
    assert bool(followed(entries, changed)) == (changed != things)


@given(BATCHES, st.data())
def test_what_one_entry_lost_or_gained_is_found_in_it(batches: list[list[int]], data: st.DataObject) -> None:
    unique = iter(range(1_000))
    batches = [[next(unique) for _ in batch] for batch in batches]
    entries = linked(batches)
    hit = data.draw(st.integers(0, len(batches) - 1))
    more = data.draw(st.integers(-len(batches[hit]), 3).filter(bool))
    at = data.draw(st.integers(0, len(batches[hit]) - max(0, -more)))
    altered = [*batches[hit][:at], *range(2_000, 2_000 + more), *batches[hit][at - min(0, more) :]]
    things = [it for batch in (*batches[:hit], altered, *batches[hit + 1 :]) for it in batch]
    ends_like_it = more > 0 and at == len(batches[hit])  # then it is before the next entry, or behind the last
    expected = ([*(entry for entry, _ in entries), None])[hit + ends_like_it]
    assert followed(entries, things) == [Break(expected, more)]


def test_where_nothing_fits_the_search_ends() -> None:
    entries = linked([[number] for number in range(1_000)])
    found = followed(entries, [-1] * 1_000)
    assert found[-1].rest
    assert len(found) < 100


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_entries_have_their_links_wherever_a_slice_ends(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = [chain.CAMPAIGN, chain.SESSION, chain.EVENT, chain.RESULT, chain.EVENT, chain.EVENT]
    entries = [
        Entry(number, kind, 1, 1, number, False, "", bytes([number] * 32)) for number, kind in enumerate(kinds, 1)
    ]
    linked = list(zip(entries, [chain.START, *(entry.link for entry in entries)], strict=False))
    write_chain(tmp_path / "chain.parquet", entries)
    monkeypatch.setattr(chain_file, "_SLICE", size)
    with (tmp_path / "chain.parquet").open("rb") as file:
        table = ChainTable.read(file)
    assert list(table.entries()) == linked
    for kind in chain.KINDS:
        assert list(table.entries(kind)) == [one for one in linked if one[0].kind == kind]
