"""Sealing: a whole bundle or none, the same results from the same data, and no secret in it."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.observation import COLUMNS
from profiles.problem import UserMistake
from profiles.verdict import Outcome
from reports.bundle import Bundle
from reports.parquet import SCHEMA
from reports.raw import RawRecord
from reports.raw import write_raw
from reports.rejudge import not_tested
from reports.result import Campaign
from reports.schemas import schemas
from reports.schemas import text
from reports.seal import seal
from reports.store import EvidenceStore
from reports.verify import verify

MANIFEST_1 = "f7c627bfafb01d2cc60aa70a0dc8b3e1eac7122a48c2545fbfe34b885ff6e290"
SECRET = "kX7\"é<&>'pass"  # in every notation a different text


def verdicts(bundle: Bundle) -> dict[str, str]:
    return {result.item: result.verdict.value for result in bundle.campaign.results}


def strict_json(path: Path) -> Any:
    """Parse JSON as RFC 8259 has it: no NaN, no Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(path.read_text("utf-8"), parse_constant=refuse)


def test_a_bundle_holds_the_whole_campaign(evidence: Any) -> None:
    bundle = evidence.sealed()
    assert {path.relative_to(bundle.path).as_posix() for path in bundle.path.rglob("*") if path.is_file()} == {
        "attempts.jsonl",
        "chain.parquet",
        "events.jsonl",
        "junit.xml",
        "manifest.json",
        "observations.parquet",
        "plant.yaml",
        "profiles/small.yaml",
        "raw/here/ping/out.txt",
        "results.json",
    }
    assert verdicts(bundle) == {
        "RCH-E": "fail",
        "RCH-E:zone=cell-a": "info",
        "RCH-E:zone=cell-b": "info",
        "RCH-P": "pass",
        "RCH-S": "info",
        "RCH-X": "not-applicable",
        "RADIO": "not-tested",
    }
    campaign = bundle.campaign
    assert campaign.outcome is Outcome.NONCONFORMANT
    assert (campaign.counts.planned, sum(campaign.counts.verdicts.values())) == (5, 5)
    assert (campaign.campaign, campaign.host, campaign.plant) == (evidence.campaign, "tester", evidence.plant.plant)
    assert bundle.plant == evidence.plant
    assert bundle.profiles == (evidence.profile,)
    assert [event.kind for event in bundle.events] == ["vantage-opened"]
    assert bundle.attempts == ()
    assert bundle.manifest.clock.keys() >= {"clocksource", "synchronised"}
    assert verify(bundle.path).alterations == []


def test_observations_are_typed_columns(evidence: Any) -> None:
    bundle = evidence.sealed()
    table = pq.read_table(bundle.path / "observations.parquet")
    assert table.schema.remove_metadata().equals(SCHEMA)
    assert [{"utc": "utc_ns"}.get(name, name) for name in SCHEMA.names[:-2]] == list(COLUMNS)
    group = pq.ParquetFile(bundle.path / "observations.parquet").metadata.row_group(0)
    assert {group.column(index).compression for index in range(group.num_columns)} == {"ZSTD"}
    first = evidence.observe_all()[0]
    assert table["utc"][0].as_py().timestamp() == pytest.approx(first.utc_ns / 1e9, abs=1e-6)
    assert table["utc"][0].value == first.utc_ns


def test_observations_are_read_back_as_they_were(evidence: Any) -> None:
    rows = evidence.observe_all()
    bundle = evidence.sealed()
    assert list(bundle.observations(["icmp-echo"], [row.target for row in rows])) == rows
    chosen = list(bundle.observations(["icmp-echo", "unknown"], ["sensor-1", "unknown", "press-1"]))
    assert chosen == [row for row in rows if row.target in {"sensor-1", "press-1"}]
    assert list(bundle.observations(["tcp-connect"], ["press-1"])) == []


def test_an_infinite_or_undefined_value_stays_valid_json_and_parquet(evidence: Any) -> None:
    values = [math.nan, math.inf, -math.inf, -0.0]
    with evidence.create() as store:
        store.append([evidence.observe("press-1", value=value, attempt=n) for n, value in enumerate(values)])
        bundle = seal(store, evidence.bundle)
    assert repr([row.value for row in bundle.observations(["icmp-echo"], ["press-1"])]) == repr(values)
    strict_json(bundle.path / "results.json")
    strict_json(bundle.path / "manifest.json")
    assert verdicts(bundle)["RCH-E"] != "pass"
    assert verify(bundle.path).sound


def test_infinities_in_a_result_are_told_apart(evidence: Any) -> None:
    result = evidence.sealed().campaign.results[0]
    for value, said in ((math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (None, None), (1.5, 1.5)):
        written = result.model_copy(update={"value": value}).model_dump_json()
        assert json.loads(written, parse_constant=lambda _: pytest.fail("not JSON"))["value"] == said
        assert repr(type(result).model_validate_json(written).value) == repr(value)


def test_an_empty_campaign_is_sealed_as_not_tested(evidence: Any) -> None:
    with evidence.create() as store:
        bundle = seal(store, evidence.bundle)
    assert set(verdicts(bundle).values()) == {"not-tested", "not-applicable"}
    assert bundle.campaign.outcome is Outcome.INCOMPLETE
    assert len(bundle.table) == 0
    assert list(bundle.observations(["icmp-echo"], ["press-1"])) == []
    assert verify(bundle.path).sound


def test_why_an_item_was_not_tested_is_kept_unless_its_objects_were_observed_after_all(evidence: Any) -> None:
    from fixtures.scoping import plan

    cases = {case.id: case for case in plan(evidence.plant, [evidence.profile])}
    said = [not_tested(cases["RCH-P"], "deselected"), not_tested(cases["RCH-S"], "interrupted")]
    with evidence.create() as store:
        store.append(evidence.observe_all(("tablet-1",)))
        bundle = seal(store, evidence.bundle, said)
    found = {result.item: (result.verdict.value, result.reason) for result in bundle.campaign.results}
    assert found["RCH-P"][0] == "pass"
    assert found["RCH-S"] == ("not-tested", "interrupted")
    assert found["RCH-E"] == ("not-tested", "not-run")
    assert found["RADIO"] == ("not-tested", "no-suite")
    assert verify(bundle.path).sound


def a_reason(evidence: Any, item: str, reason: str) -> Any:
    from fixtures.scoping import plan

    return not_tested(next(case for case in plan(evidence.plant, [evidence.profile]) if case.id == item), reason)


def found_of(bundle: Bundle, item: str) -> tuple[str, str, int]:
    result = next(result for result in bundle.campaign.results if result.item == item)
    return result.verdict.value, result.reason, result.attempts


@pytest.mark.parametrize("reason", ["deselected", "interrupted"])
@pytest.mark.parametrize("error", [None, "stopped"])
def test_an_item_nobody_ran_is_owed_nothing_by_what_was_seen_for_others(
    evidence: Any, reason: str, error: str | None
) -> None:
    seen = [replace(row, error=error, value=None if error else 0.5) for row in evidence.observe_all(("press-1",))]
    with evidence.create() as store:
        store.append(seen)
        bundle = seal(store, evidence.bundle, [a_reason(evidence, "RCH-E", reason)])
    assert found_of(bundle, "RCH-E") == ("not-tested", reason, 1)
    assert next(result for result in bundle.campaign.results if result.item == "RCH-E").rows == 0
    assert verify(bundle.path).alterations == []
    with evidence.resume() as store:  # sealed again, and again nobody ran it
        again = seal(store, evidence.bundle)
        assert found_of(again, "RCH-E") == ("not-tested", reason, 1)
        store.append(evidence.observe_all(("press-1", "press-2")))
        last = seal(store, evidence.bundle, [a_reason(evidence, "RCH-E", reason)])
    assert found_of(last, "RCH-E")[0] == "fail"  # for this is certain
    assert [verify(sealed.path).alterations for sealed in (again, last)] == [[], []]


def test_what_was_run_and_failed_at_the_instrument_stays_an_error(evidence: Any) -> None:
    with evidence.create() as store:
        store.append([evidence.observe("press-1", error="vantage-lost")])
        first = seal(store, evidence.bundle)
    assert found_of(first, "RCH-E")[0] == "error"
    with evidence.resume() as store:
        second = seal(store, evidence.bundle, [a_reason(evidence, "RCH-E", "deselected")])
    assert found_of(second, "RCH-E")[0] == "error"
    assert verify(second.path).sound


def test_an_interrupted_repetition_changes_no_verdict(evidence: Any) -> None:
    rows = evidence.observe_all()
    with evidence.create() as store:
        store.append(rows)
        first = seal(store, evidence.bundle)
    with evidence.resume() as store:
        store.append([replace(row, value=None, error="stopped") for row in rows])
        second = seal(store, evidence.bundle, [a_reason(evidence, "RCH-P", "interrupted")])
    assert second.campaign.results == first.campaign.results
    assert second.attempts == ()
    assert verify(second.path).alterations == []


def test_a_result_says_how_many_observations_it_rests_on(evidence: Any) -> None:
    bundle = evidence.sealed()
    rows = {result.item: result.rows for result in bundle.campaign.results}
    assert rows == {
        "RCH-E": 8,
        "RCH-E:zone=cell-a": 4,
        "RCH-E:zone=cell-b": 4,
        "RCH-P": 4,
        "RCH-S": 4,
        "RCH-X": 0,
        "RADIO": 0,
    }


def test_a_resumed_campaign_keeps_every_attempt_and_every_bundle(evidence: Any) -> None:
    with evidence.create() as store:
        store.append(evidence.observe_all(("press-1", "tablet-1")))
        lost = [replace(row, value=None, error="vantage-lost") for row in evidence.observe_all(("press-2",))]
        store.append(lost)
        first = seal(store, evidence.bundle)
    assert verdicts(first)["RCH-E"] == "error"
    with evidence.resume() as store:
        store.append([replace(row, value=0.4, error=None) for row in lost])
        second = seal(store, evidence.bundle)
    assert second.path == evidence.bundle
    kept = Bundle.open(evidence.directory / "bundle.1")
    assert (verdicts(kept)["RCH-E"], verdicts(second)["RCH-E"]) == ("error", "pass")
    result = next(result for result in second.campaign.results if result.item == "RCH-E")
    assert result.attempts == 2
    assert [one.verdict.value for one in second.attempts if one.item == "RCH-E"] == ["error"]
    assert [row[-2:] for row in second.table.rows() if row[2] == "press-2"] == [(1, False)] * 4 + [(2, True)] * 4
    assert [verify(bundle.path).alterations for bundle in (kept, second)] == [[], []]


def test_sealing_again_gives_the_same_results(evidence: Any) -> None:
    with evidence.create() as store:
        store.append(evidence.observe_all())
        first = (seal(store, evidence.bundle).path / "results.json").read_bytes()
    with evidence.resume() as store:
        assert (seal(store, evidence.bundle).path / "results.json").read_bytes() == first


def test_renderings_see_the_bundle_and_are_sealed_with_it(evidence: Any) -> None:
    def render(bundle: Bundle, path: Path) -> None:
        path.write_text(f"{bundle.campaign.plant} {len(bundle.manifest.files)} {len(bundle.table)}", "utf-8")

    with evidence.create() as store:
        store.append(evidence.observe_all())
        bundle = seal(store, evidence.bundle, renderings={"report.html": render})
    assert (bundle.path / "report.html").read_text("utf-8") == f"{evidence.plant.plant} 7 16"
    assert "report.html" in bundle.manifest.files
    assert verify(bundle.path).sound


# All or nothing


def test_a_failing_rendering_leaves_nothing_behind(evidence: Any) -> None:
    def fail(bundle: Bundle, path: Path) -> None:
        raise OSError(28, "No space left on device")

    with evidence.create() as store:
        store.append(evidence.observe_all())
        before = sorted(evidence.directory.iterdir())
        with pytest.raises(UserMistake, match="No space left on device"):
            seal(store, evidence.bundle, renderings={"report.html": fail})
        assert sorted(evidence.directory.iterdir()) == before
        seal(store, evidence.bundle)


@pytest.mark.parametrize("content", [{"notes.txt": "mine"}, {"results.json": "{}"}], ids=["foreign", "no-results"])
def test_what_is_in_the_way_is_not_overwritten(evidence: Any, content: dict[str, str]) -> None:
    with evidence.create() as store:
        evidence.bundle.mkdir()
        for name, said in content.items():
            (evidence.bundle / name).write_text(said, "utf-8")
        with pytest.raises(UserMistake) as refused:
            seal(store, evidence.bundle)
    assert [problem.code for problem in refused.value.problems] == ["bundle-taken"]
    assert {path.name: path.read_text("utf-8") for path in evidence.bundle.iterdir()} == content


KILLED = """
import os, signal, sys
from pathlib import Path
from reports.seal import seal
from reports.store import EvidenceStore

directory = Path(sys.argv[1])
kill = {"report.html": lambda bundle, path: os.kill(os.getpid(), signal.SIGKILL)}
with EvidenceStore.open(directory) as store:
    seal(store, directory / "bundle", renderings=kill)
"""


def test_a_sealing_that_was_killed_is_made_again(evidence: Any) -> None:
    with evidence.create() as store:
        store.append(evidence.observe_all())
    killed = subprocess.run([sys.executable, "-c", KILLED, str(evidence.directory)], check=False)
    assert killed.returncode == -9
    assert not evidence.bundle.exists()
    with evidence.resume() as store:
        bundle = seal(store, evidence.bundle)
    assert verify(bundle.path).sound
    assert not [path for path in evidence.directory.iterdir() if "sealing" in path.name]


def test_raw_output_of_every_session_and_window_is_sealed_under_names_that_rows_lead_to(evidence: Any) -> None:
    with evidence.create() as store:
        store.put_raw("here", "flow", 0, "flow/a.json", "one")
        store.put_raw("here", "flow", 1, "flow/a.json", "two")
        store.put_raw("焊 1/2", "flow", 0, "flow/a.json", "three")
    with evidence.resume() as store:
        store.put_raw("here", "flow", 0, "flow/a.json", "four")
        store.put_raw("here", "flow", 1, "flow/a.json", "")
        bundle = seal(store, evidence.bundle)
    found = {path: (bundle.path / path).read_text("utf-8") for path in bundle.manifest.files if path.startswith("raw/")}
    assert found == {
        "raw/here/flow/a.json": "one",
        "raw/here/flow/a.json@window-1": "two",
        "raw/%E7%84%8A%201%2F2/flow/a.json": "three",
        "raw/here/flow/a.json@run-2": "four",
        "raw/here/flow/a.json@window-1@run-2": "",
    }
    assert verify(bundle.path).sound


@given(st.lists(st.tuples(st.sampled_from(["a", "a/b", "a/b/c", "a%2Fb", "b", "a/a"]), st.integers(1, 2)), max_size=12))
def test_no_raw_output_takes_another_s_place(named: list[tuple[str, int]]) -> None:
    records = [RawRecord(run, "v", 0, name, f"{number}") for number, (name, run) in enumerate(named)]
    with tempfile.TemporaryDirectory() as folder:
        write_raw(records, Path(folder))
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        assert sorted(path.read_text("utf-8") for path in files) == sorted(record.text for record in records)


# Secrets


def leak_in_raw(store: EvidenceStore, evidence: Any) -> str:
    store.put_raw("here", "snmp", 0, "snmp/log", "x" * (2**20 - 4) + SECRET + "y")  # across two chunks
    return "raw/here/snmp/log"


def leak_in_event(store: EvidenceStore, evidence: Any) -> str:
    store.event("note", f"community {SECRET}")
    return "events.jsonl"


def leak_in_event_facts(store: EvidenceStore, evidence: Any) -> str:
    store.event("note", "", {"community": SECRET})
    return "events.jsonl"


def leak_in_detail(store: EvidenceStore, evidence: Any) -> str:
    store.append([evidence.observe("press-1", detail=json.dumps({"asked": SECRET}, ensure_ascii=True))])
    return "observations.parquet"


def leak_in_plant(store: EvidenceStore, evidence: Any) -> str:
    return "plant.yaml"


@pytest.mark.parametrize("leak", [leak_in_raw, leak_in_event, leak_in_event_facts, leak_in_detail, leak_in_plant])
def test_a_secret_is_never_sealed(evidence: Any, monkeypatch: pytest.MonkeyPatch, leak: Any) -> None:
    secret = "press-2" if leak is leak_in_plant else SECRET
    monkeypatch.setenv("PLANTPROOF_TEST_SECRET", secret)
    with evidence.create() as store:
        place = leak(store, evidence)
        with pytest.raises(UserMistake) as refused:
            seal(store, evidence.bundle)
    [problem] = refused.value.problems
    assert (problem.code, problem.file) == ("bundle-secret", place)
    assert "env:PLANTPROOF_TEST_SECRET" in refused.value.text("zh")
    assert secret not in refused.value.text("en")
    assert not evidence.bundle.exists()


IN_JSON: dict[str, Callable[[str], object]] = {
    "field": lambda secret: {"community": secret, "user": "press-1", "protocol": "SHA-256"},
    "deep": lambda secret: {"version": 3, "privacy": [{"password": secret}, None, True]},
    "text": lambda secret: secret,
}


@pytest.mark.parametrize("shape", IN_JSON)
def test_a_secret_within_json_is_never_sealed(evidence: Any, monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    monkeypatch.setenv("PLANTPROOF_TEST_SECRET", json.dumps(IN_JSON[shape](SECRET)))
    with evidence.create() as store:
        store.event("note", f"community {SECRET}")
        with pytest.raises(UserMistake) as refused:
            seal(store, evidence.bundle)
    assert [problem.code for problem in refused.value.problems] == ["bundle-secret"]


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "ttl",
        "nowhere to be found",
        '{"user": "press-1", "protocol": "cell-a", "community": "nowhere", "short": "ttl", "press-2": 1}',
        "[" * 100_000,
    ],
    ids=["empty", "short", "absent", "json", "deep"],
)
def test_what_is_no_secret_or_does_not_occur_is_no_obstacle(
    evidence: Any, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("PLANTPROOF_TEST_SECRET", secret)
    assert verify(evidence.sealed().path).sound


# The format


def test_the_shipped_schemas_are_those_of_the_models() -> None:
    folder = Path(__file__).parents[3] / "reports" / "schemas"
    shipped = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    before = shipped.pop("manifest-1.json")  # of a version that is only read
    assert shipped == {name: text(schema) for name, schema in schemas().items()}
    assert hashlib.sha256(before.encode()).hexdigest() == MANIFEST_1


def test_the_results_have_the_fields_of_the_schema(evidence: Any) -> None:
    written = strict_json(evidence.sealed().path / "results.json")
    schema = schemas()["results-1.json"]
    assert written.keys() == schema["properties"].keys()
    assert written["results"][0].keys() == schema["$defs"]["Result"]["properties"].keys()
    assert written["format"] == schema["properties"]["format"]["const"] == "plantproof-results/1"


def test_times_are_utc_with_zone(evidence: Any) -> None:
    campaign: Campaign = evidence.sealed().campaign
    started, ended = datetime.fromisoformat(campaign.started_utc), datetime.fromisoformat(campaign.ended_utc)
    assert started.tzinfo == ended.tzinfo == UTC
    assert started <= ended


def test_a_report_made_again_is_the_one_that_was_sealed(evidence: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from itertools import count

    from reports import host
    from reports.html import render
    from reports.html import write_report

    errors = count(1_000_000, 500)  # a free-running clock is ever less certain
    monkeypatch.setattr(
        host, "clock", lambda: {"synchronised": "yes", "maximum_error_us": str(next(errors)), "clocksource": "tsc"}
    )
    with evidence.create() as store:
        store.append(evidence.observe_all())
        bundle = seal(store, evidence.bundle, renderings={"report.html": write_report})
    assert (bundle.path / "report.html").read_text("utf-8") == render(bundle)
