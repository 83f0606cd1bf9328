"""The evidence store: durable, append-only, one writer, resumable."""

from __future__ import annotations

import math
import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.problem import UserMistake
from reports.effective import OWED
from reports.effective import miscounted
from reports.journal import APPLICATION_ID
from reports.journal import FILE
from reports.journal import VERSION
from reports.journal import EvidenceLost
from reports.result import Result
from reports.row import stored
from reports.seal import seal
from reports.store import EvidenceStore
from reports.verify import verify


def raw(evidence: Any) -> sqlite3.Connection:
    return sqlite3.connect(evidence.directory / FILE)


def codes(mistake: UserMistake) -> list[str]:
    return [problem.code for problem in mistake.problems]


def result(item: str, verdict: str = "pass", **more: Any) -> Result:
    facts = {"item": item, "profile": "small", "requirement": item, "indicator": "access-reachability"}
    return Result.model_validate({**facts, "scope": {}, "verdict": verdict, "reason": "met", **more})


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE something (else_)")


def torn(path: Path) -> None:
    """A store that lost its middle."""
    facts = {str(number): "x" * 1_000 for number in range(200)}
    EvidenceStore.create(path.parent, campaign="c", plant_yaml="", profile_yamls={}, facts=facts).close()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + bytes(8192) + content[len(content) // 2 + 8192 :])


# Durable and append-only


def test_what_was_appended_is_there_for_the_next_session(evidence: Any) -> None:
    rows = evidence.observe_all()
    with evidence.create() as store:
        store.append(rows)
    with evidence.resume() as store:
        assert store.run == 2
        assert list(store.rows()) == [(*row.row(), 1, True) for row in rows]
        assert store.campaign == evidence.campaign
        assert store.facts == {"host": "tester", "plantproof": "0"}
        assert {"plant_yaml": store.plant_yaml, "profile_yamls": store.profile_yamls} == evidence.texts


def test_every_commit_is_flushed(store: EvidenceStore) -> None:
    assert store._journal.query("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._journal.query("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize(
    "table", ["campaign", "profiles", "facts", "owed", "sessions", "observations", "results", "events", "raw"]
)
@pytest.mark.parametrize("change", ["UPDATE {table} SET rowid = rowid + 1", "DELETE FROM {table}"])
def test_nothing_can_be_changed_or_removed(evidence: Any, table: str, change: str) -> None:
    with evidence.create() as store:
        store.append([evidence.observe("press-1")])
        store.put_result(result("RCH-E"))
        store.event("kind", "text")
        store.put_raw("here", "flow", 0, "flow/a.json", "{}")
    with closing(raw(evidence)) as db:
        before = db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
            db.execute(change.format(table=table))
        assert before
        assert db.execute(f"SELECT * FROM {table}").fetchall() == before  # noqa: S608


def test_a_batch_is_kept_whole_or_not_at_all(evidence: Any, store: EvidenceStore) -> None:
    good, bad = evidence.observe("press-1"), evidence.observe("press-2", unit=None)
    with pytest.raises(EvidenceLost):
        store.append([good, bad])
    assert list(store.rows()) == []


def test_evidence_that_cannot_be_written_ends_the_session_with_a_clear_text(evidence: Any) -> None:
    with evidence.create() as store:
        store.append(evidence.observe_all())
        store._journal.query("PRAGMA max_page_count = 1")  # the disk is full
        with pytest.raises(EvidenceLost) as lost:  # noqa: PT012 - the page at hand may still have room
            for _ in range(1_000):
                store.append(evidence.observe_all())
        assert "evidence cannot be written (database or disk is full)" in lost.value.text("en")
        assert "--resume" in lost.value.text("zh")
        kept = len(list(store.rows()))
        store._journal.query("PRAGMA max_page_count = 1000000")
        for write in (
            lambda: store.append([]),
            lambda: store.event("kind", "text"),
            lambda: store.put_result(result("R")),
        ):
            with pytest.raises(EvidenceLost):
                write()  # what was lost stays lost: nothing may look complete after that
    with evidence.resume() as store:
        assert len(list(store.rows())) == kept
        assert kept % len(evidence.observe_all()) == 0


def test_threads_may_append_at_once(evidence: Any, store: EvidenceStore) -> None:
    def work(vantage: str) -> None:
        for attempt in range(50):
            store.append([evidence.observe("press-1", vantage=vantage, attempt=attempt, window=w) for w in range(3)])

    threads = [threading.Thread(target=work, args=(f"v{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    rows = list(store.observations(["icmp-echo"], ["press-1"]))
    for n in range(4):
        assert [(r.attempt, r.window) for r in rows if r.vantage == f"v{n}"] == [
            (a, w) for a in range(50) for w in range(3)
        ]


# One campaign in one directory


def test_a_second_campaign_on_the_same_directory_is_refused(evidence: Any, store: EvidenceStore) -> None:
    for opening in (evidence.create, evidence.resume, lambda: EvidenceStore.open(evidence.directory)):
        with pytest.raises(UserMistake) as refused:
            opening()
        assert codes(refused.value) == ["store-in-use"]
        assert str(os.getpid()) in refused.value.text("en")
    store.append([evidence.observe("press-1")])  # and the first one goes on


def test_a_campaign_is_never_overwritten(evidence: Any) -> None:
    evidence.create().close()
    with pytest.raises(UserMistake) as refused:
        evidence.create()
    assert codes(refused.value) == ["store-exists"]
    evidence.resume().close()  # the refusal left no lock


def test_another_plant_or_profile_is_refused_by_name_and_hash(evidence: Any) -> None:
    evidence.create().close()
    other = {"small": evidence.texts["profile_yamls"]["small"] + "# changed\n", "more": "profile: more"}
    with pytest.raises(UserMistake) as refused:
        evidence.resume(plant_yaml="plant: other", profile_yamls=other)
    assert codes(refused.value) == ["store-differs"] * 3
    assert [problem.facts["what"] for problem in refused.value.problems] == ["plant", "profile small", "profile more"]
    changed = refused.value.problems[1].facts
    assert len(str(changed["stored"])) == len(str(changed["given"])) == 16
    assert refused.value.problems[2].facts["stored"] == "-"
    evidence.resume().close()


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (lambda path: None, "store-absent"),
        (lambda path: path.write_bytes(b""), "store-absent"),
        (lambda path: path.write_bytes(b"this is no database, whatever it is called" * 50), "store-damaged"),
        (foreign, "store-damaged"),
        (torn, "store-damaged"),
    ],
    ids=["nothing", "empty", "garbage", "foreign", "torn"],
)
def test_what_is_no_store_is_refused(tmp_path: Path, prepare: Any, code: str) -> None:
    prepare(tmp_path / FILE)
    with pytest.raises(UserMistake) as refused:
        EvidenceStore.open(tmp_path)
    assert codes(refused.value) == [code]
    assert EvidenceStore.exists(tmp_path) == (code == "store-damaged")


def test_a_store_of_a_later_version_is_refused(evidence: Any) -> None:
    evidence.create().close()
    with closing(raw(evidence)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(UserMistake) as refused:
        evidence.resume()
    assert codes(refused.value) == ["store-version"]


def test_a_directory_that_cannot_be_made_is_refused(evidence: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserMistake) as refused:
        replace(evidence, directory=tmp_path / "file" / "evidence").create()
    assert codes(refused.value) == ["store-cannot-write"]


def test_a_creation_that_was_killed_may_be_made_again(evidence: Any) -> None:
    evidence.directory.mkdir()
    with closing(raw(evidence)) as db:
        db.execute("PRAGMA journal_mode = WAL")  # as far as a killed creation gets
    assert not EvidenceStore.exists(evidence.directory)
    evidence.create().close()
    assert EvidenceStore.exists(evidence.directory)


def test_raw_output_is_kept_beside_what_an_earlier_session_kept(evidence: Any) -> None:
    with evidence.create() as store:
        store.put_raw("here", "flow", 0, "flow/a.json", "a\0b\n")
    with evidence.resume() as store:
        store.put_raw("here", "flow", 0, "flow/a.json", "焊" * 1_000_000)
        assert [(it.run, it.vantage, it.window, it.name) for it in store.raw()] == [
            (1, "here", 0, "flow/a.json"),
            (2, "here", 0, "flow/a.json"),
        ]
        assert [it.text for it in store.raw()] == ["a\0b\n", "焊" * 1_000_000]


@pytest.mark.parametrize("name", ["../x", "/etc", "a/../../b", "", "a//b", "a\\b", "a\nb", ".a", "a/", "焊", "x" * 201])
def test_raw_output_has_plain_names(store: EvidenceStore, name: str) -> None:
    with pytest.raises(ValueError, match="plain names"):
        store.put_raw("here", "flow", 0, name, "text")
    assert list(store.raw()) == []


def test_a_store_of_version_1_is_gone_on_with(evidence: Any) -> None:
    before = evidence.observe_all()
    again = evidence.observe("press-1", error="vantage-lost")
    with evidence.create() as store:
        texts = store.plant_yaml, store.profile_yamls["small"]
    (evidence.directory / FILE).unlink()
    with closing(raw(evidence)) as db, db:
        db.executescript(Path(__file__).with_name("store-1.sql").read_text("utf-8"))
        db.executescript(
            "CREATE TRIGGER events_refuses_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, ''); END"
        )
        db.execute("INSERT INTO campaign VALUES (1, 'old', ?)", texts[:1])
        db.execute("INSERT INTO profiles (name, text) VALUES ('small', ?)", texts[1:])
        db.executemany("INSERT INTO owed VALUES (?)", [(error,) for error in sorted(OWED)])
        db.execute("INSERT INTO sessions (utc_ns, host, pid) VALUES (1, 'tester', 1)")
        rows = [(*stored(one), 1) for one in before]
        db.executemany(f"INSERT INTO observations VALUES (NULL, {', '.join('?' * 14)})", rows)  # noqa: S608
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
    with evidence.resume() as store:
        assert (store.run, store.campaign) == (2, "old")
        store.append([again])
        store.put_raw("here", "ping", 0, "ping/out.txt", "64 bytes")
        assert [row[-1] for row in store.rows()] == [*[True] * len(before), False]
    with closing(raw(evidence)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
        with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
            db.execute("DELETE FROM raw")
    with evidence.resume() as store:
        assert store.run == 3
        assert verify(seal(store, evidence.bundle).path).sound


# What counts


def test_observations_are_chosen_by_method_and_target_in_the_order_of_storing(
    evidence: Any, store: EvidenceStore
) -> None:
    rows = evidence.observe_all()
    rows += [replace(row, method="tcp-connect", detail='{"port":502}') for row in rows]
    rows.sort(key=lambda row: (row.attempt, row.target, row.method))
    for start in range(0, len(rows), 5):
        store.append(rows[start : start + 5])
    chosen = list(store.observations(["tcp-connect"], ["sensor-1", "press-1", "unknown"]))
    assert chosen == [row for row in rows if row.method == "tcp-connect" and row.target in {"sensor-1", "press-1"}]
    assert list(store.observations(["tcp-connect", "icmp-echo"], [row.target for row in rows])) == rows
    assert list(store.observations([], ["press-1"])) == []
    assert list(store.observations(["icmp-echo"], [])) == []


def test_twenty_thousand_targets_are_no_trouble(store: EvidenceStore, evidence: Any) -> None:
    one = evidence.observe("press-1")
    rows = [replace(one, target=f"t-{number}") for number in range(20_000)]
    store.append(rows)
    found = store.observations(["icmp-echo"], [row.target for row in reversed(rows)])
    assert [row.target for row in found] == [row.target for row in rows]


def test_rows_stream_without_being_sorted_first(evidence: Any) -> None:
    evidence.create().close()
    with evidence.resume() as store:  # the second session asks the harder question
        asked: list[str] = []
        store._journal._db.set_trace_callback(asked.append)
        list(store.observations(["icmp-echo"], ["press-1"]))
        store._journal._db.set_trace_callback(None)
        plan = list(store._journal.query(f"EXPLAIN QUERY PLAN {asked[0]}"))
    assert not [step for _, parent, _, step in plan if not parent and "TEMP B-TREE" in step], plan
    assert any("observations_by_object" in step for *_, step in plan)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.1 + 0.2, -0.0, 5e-324, 3.0])
def test_every_number_comes_back_as_it_was(evidence: Any, store: EvidenceStore, value: float) -> None:
    store.append([evidence.observe("press-1", value=value)])
    [found] = store.observations(["icmp-echo"], ["press-1"])
    assert isinstance(found.value, float)
    assert repr(found.value) == repr(value)


def test_an_attempt_made_again_later_replaces_the_earlier_one_and_both_stay(evidence: Any) -> None:
    lost = evidence.observe("press-1", error="vantage-lost")
    kept = evidence.observe("press-1", attempt=1)
    again = evidence.observe("press-1", value=0.7)
    with evidence.create() as store:
        store.append([lost, kept])
    with evidence.resume() as store:
        store.append([again])
        assert list(store.observations(["icmp-echo"], ["press-1"])) == [kept, again]
        assert list(store.rows()) == [(*lost.row(), 1, False), (*kept.row(), 1, True), (*again.row(), 2, True)]


def count_of_runs(evidence: Any, *runs: Sequence[Observation]) -> list[bool]:
    """Which rows count after one session for each batch of rows, in the order of storing."""
    evidence.create().close()
    for batch in runs:
        with evidence.resume() as store:
            store.append(batch)
            counts = [bool(row[-1]) for row in store.rows()]
            chosen = list(store.observations(["icmp-echo"], ["press-1"]))
            assert chosen == [row for row, counting in zip(flat(runs), counts, strict=False) if counting]
            assert miscounted(store.rows) == 0
    return counts


def flat(runs: Sequence[Sequence[Observation]]) -> list[Observation]:
    return [row for batch in runs for row in batch]


@pytest.mark.parametrize("error", sorted(INSTRUMENT_ERRORS | TARGET_ERRORS))
def test_only_what_says_something_replaces_what_says_something(evidence: Any, error: str) -> None:
    good, bad = evidence.observe("press-1"), evidence.observe("press-1", error=error)
    owed = error in OWED
    assert count_of_runs(evidence, [good], [bad], [bad]) == ([True, False, False] if owed else [False, False, True])


@pytest.mark.parametrize(
    ("errors", "counts"),
    [
        ([None, "stopped", None], [False, False, True]),
        (["stopped", None, "vantage-lost"], [False, True, False]),
        (["timeout", "stopped", "timeout", "stopped"], [False, False, True, False]),
        (["stopped", "vantage-lost"], [False, True]),
        ([None, "stopped", "stopped"], [True, False, False]),
    ],
)
def test_of_what_says_something_the_latest_counts_and_of_nothing_the_last(
    evidence: Any, errors: list[str | None], counts: list[bool]
) -> None:
    assert count_of_runs(evidence, *[[evidence.observe("press-1", error=error)] for error in errors]) == counts


def test_a_repetition_that_is_interrupted_takes_nothing_away(evidence: Any) -> None:
    action = evidence.action("press-1")
    with evidence.create() as store:
        store.append([evidence.observe("press-1"), evidence.observe("press-1", attempt=1, error="stopped")])
    with evidence.resume() as store:
        assert left(store, action) == ["press-1"]
        store.append([evidence.observe("press-1", attempt=attempt, error="stopped") for attempt in range(2)])
        assert [row.error for row in store.observations(["icmp-echo"], ["press-1"])] == [None, "stopped"]
    with evidence.resume() as store:
        store.append([evidence.observe("press-1", attempt=1)])
        assert left(store, action) == []


@pytest.mark.parametrize(
    "more",
    [{"utc_ns": 2**63}, {"monotonic_ns": -(2**63) - 1}, {"window": 2**31}, {"attempt": 10**30}, {"value": 2**63}],
)
def test_a_number_that_no_bundle_can_hold_is_refused_by_name(
    evidence: Any, store: EvidenceStore, more: dict[str, int]
) -> None:
    good = evidence.observe("press-1")
    with pytest.raises(ValueError, match=f"{next(iter(more))} of an observation of 'press-2'"):
        store.append([good, evidence.observe("press-2", **more)])
    store.append([good])
    assert [row[: len(good.row())] for row in store.rows()] == [good.row()]


def test_a_refused_resumption_leaves_no_trace(evidence: Any) -> None:
    evidence.create().close()
    for _ in range(2):
        with pytest.raises(UserMistake):
            evidence.resume(plant_yaml="plant: other")
    with evidence.resume() as store:
        assert store.run == 2
        assert len(store._journal.query("SELECT * FROM sessions").fetchall()) == 2


def test_ports_vantages_windows_and_addresses_tell_attempts_apart(evidence: Any) -> None:
    first = evidence.observe("press-1", detail='{"port":502}')
    others = [
        replace(first, detail='{"port":4840}'),
        replace(first, vantage="there"),
        replace(first, window=1),
        replace(first, address="2001:db8::1"),
        replace(first, attempt=1),
        replace(first, method="tcp-connect"),
    ]
    with evidence.create() as store:
        store.append([first])
    with evidence.resume() as store:
        store.append(others)
        assert all(row[-1] for row in store.rows())
        store.append([replace(first, detail='{"port":502,"ttl":3}', quantity="connect-delay")])
    with evidence.resume() as store:
        assert [row[-1] for row in store.rows()] == [False] + [True] * 7


# What is left to do


def left(store: EvidenceStore, action: Action) -> Sequence[str]:
    missing = store.missing(action)
    return [] if missing is None else [target.id for target in missing.targets]


def test_an_action_is_missing_for_targets_without_all_their_attempts(evidence: Any, store: EvidenceStore) -> None:
    action = evidence.action("press-1", "press-2", "tablet-1")
    assert store.missing(action) == action
    store.append([evidence.observe("press-1", attempt=0), evidence.observe("press-1", attempt=1)])
    store.append([evidence.observe("press-2", attempt=0)])
    missing = store.missing(action)
    assert missing == replace(action, targets=action.targets[1:])
    store.append(evidence.observe_all(("press-2", "tablet-1")))
    assert store.missing(action) is None
    assert left(store, replace(action, window=1)) == ["press-1"]


@pytest.mark.parametrize("error", sorted(OWED))
def test_what_failed_at_the_instrument_is_owed_and_can_be_made_good(evidence: Any, error: str) -> None:
    action = evidence.action("press-1", "press-2")
    with evidence.create() as store:
        store.append(evidence.observe_all(("press-2",)))
        store.append([evidence.observe("press-1"), evidence.observe("press-1", attempt=1, error=error)])
        assert left(store, action) == ["press-1"]
    with evidence.resume() as store:
        assert left(store, action) == ["press-1"]
        store.append([evidence.observe("press-1", attempt=attempt) for attempt in range(2)])
        assert left(store, action) == []


@pytest.mark.parametrize(
    "error", ["timeout", "refused", "unreachable", "late", "absent", "reset", "refused-by-guard", "off-schedule"]
)
def test_a_measured_absence_and_a_refusal_are_final(evidence: Any, store: EvidenceStore, error: str) -> None:
    store.append([evidence.observe("press-1", attempt=attempt, error=error) for attempt in range(2)])
    assert left(store, evidence.action("press-1")) == []


def test_ports_are_told_apart_when_something_is_missing(evidence: Any, store: EvidenceStore) -> None:
    targets = tuple(Target("press-1", "192.0.2.1", "cell-a", port) for port in (502, 4840))
    action = Action("here", "tcp-connect", targets, {"timeout_ms": 1000})
    store.append([evidence.observe("press-1", method="tcp-connect", quantity="connect-delay", detail='{"port":502}')])
    missing = store.missing(action)
    assert missing is not None
    assert [target.port for target in missing.targets] == [4840]


@pytest.mark.parametrize("method", ["tcp-throughput", "udp-throughput", "http-throughput"])
@pytest.mark.parametrize("direction", ["up", "down", "both"])
def test_a_direction_that_nobody_asked_for_is_not_missing(
    evidence: Any, store: EvidenceStore, method: str, direction: str
) -> None:
    """Otherwise a resumption would load every path again."""
    action = Action("here", method, (Target("press-1", "192.0.2.1", "cell-a", 5201),), {"direction": direction})
    kinds = ("udp-rate", "udp-loss", "udp-jitter") if method == "udp-throughput" else ("goodput",)
    ways = ("up", "down") if direction == "both" else (direction,)
    rows = [
        evidence.observe("press-1", method=method, quantity=f"{kind}-{way}", unit="1", detail='{"port":5201}')
        for kind in kinds
        for way in ways
    ]
    store.append(rows[:-1])
    assert left(store, action) == ["press-1"]
    store.append(rows[-1:])
    assert left(store, action) == []


def test_what_takes_several_ends_is_whole_only_in_one_run(evidence: Any) -> None:
    """Of a flow whose repetition was broken off, rows of both runs count: it is owed, at either end."""
    flow = Target("axis", "192.0.2.1", "cell-a")
    plc, drive = (Action(vantage, "cyclic-flow", (flow,), {"attempts": 2}) for vantage in ("plc", "drive"))

    def end(vantage: str, *errors: str | None) -> list[Observation]:
        said = {"method": "cyclic-flow", "quantity": "schedule-lag", "vantage": vantage, "address": flow.address}
        return [evidence.observe("axis", attempt=n, error=error, **said) for n, error in enumerate(errors)]

    def owing(store: EvidenceStore) -> list[str]:
        return [action.vantage for action in (plc, drive) if store.missing(action)]

    with evidence.create() as store:
        store.append([*end("plc", None, "send-failed"), *end("drive", None, "timeout")])
        assert owing(store) == ["plc"]
    with evidence.resume() as store:
        store.append([*end("plc", None, None), *end("drive", None, "stopped")])
        assert owing(store) == ["plc", "drive"]
    with evidence.resume() as store:
        store.append([*end("plc", "off-schedule", None), *end("drive", "timeout", None)])
        assert owing(store) == []


# Results and events


def test_the_latest_result_counts_and_every_attempt_is_kept(evidence: Any) -> None:
    first, second = result("A", "not-tested"), result("A", "fail")
    with evidence.create() as store:
        store.put_result(first)
        store.put_result(result("B", value=math.inf))
        store.put_result(second)
    with evidence.resume() as store:
        store.put_result(second)  # judged again from the same data
        store.put_result(result("A", "pass"))
        found = {one.item: (one.verdict, one.attempts) for one in store.results()}
        assert found == {"A": ("pass", 2), "B": ("pass", 1)}
        assert [one.item for one in store.results()] == ["A", "B"]
        assert store.superseded() == [first, second]
        assert [one.value for one in store.results()] == [None, math.inf]


def test_events_come_back_in_order(evidence: Any, store: EvidenceStore) -> None:
    store.event("vantage-opened", "here", {"内核": "6.1"})
    store.event("zone-stopped", "静默")
    first, second = store.events()
    assert (first.kind, first.text, first.facts, first.run) == ("vantage-opened", "here", {"内核": "6.1"}, 1)
    assert (second.kind, second.text, second.facts) == ("zone-stopped", "静默", {})
    assert first.utc_ns <= second.utc_ns
