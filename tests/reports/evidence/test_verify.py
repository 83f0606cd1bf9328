"""Verification: each kind of alteration gives its finding, also with a new manifest; hostile bundles do no harm."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from conformance.cli import main
from profiles.language import LANGUAGES
from profiles.language import Texts
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.result import Campaign
from reports.verification import Verification
from reports.verify import verify
from reports.verify import verify_read
from tests.reports.evidence.forging import relink
from tests.reports.evidence.forging import reseal

Change = Callable[[Path], None]
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def codes(verification: Verification) -> set[str]:
    return {found.code for found in verification.alterations}


def findings(verification: Verification) -> set[tuple[str, str, str]]:
    return {(found.code, found.place, found.facts.get("name", "")) for found in verification.alterations}


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


def in_result(item: str, **values: Any) -> Change:
    def change(bundle: Path) -> None:
        def edit(campaign: dict[str, Any]) -> None:
            next(result for result in campaign["results"] if result["item"] == item).update(values)

        edit_json(bundle / "results.json", edit)

    return change


def in_campaign(change: Callable[[dict[str, Any]], object]) -> Change:
    return lambda bundle: edit_json(bundle / "results.json", change)


def in_text(name: str, old: str, new: str) -> Change:
    def change(bundle: Path) -> None:
        content = (bundle / name).read_text("utf-8")
        assert old in content
        (bundle / name).write_text(content.replace(old, new), "utf-8")

    return change


def in_table(change: Callable[[pa.Table], pa.Table]) -> Change:
    def rewrite(bundle: Path) -> None:
        path = bundle / "observations.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    return rewrite


def column(table: pa.Table, name: str, values: Any) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, table.schema.field(index), pa.array(values, table.schema.field(index).type))


def answered(table: pa.Table) -> pa.Table:
    """The press that never answered now has."""
    silent = pc.equal(table["target"], "press-2").to_pylist()
    table = column(
        table, "value", [0.5 if it else old for it, old in zip(silent, table["value"].to_pylist(), strict=True)]
    )
    return column(table, "error", [None] * len(table))


def drop(item: str) -> Callable[[dict[str, Any]], object]:
    def change(campaign: dict[str, Any]) -> None:
        campaign["results"] = [result for result in campaign["results"] if result["item"] != item]

    return change


def flip_whole_outcome(bundle: Path) -> None:
    """The failure becomes a pass, everywhere in the results where it shows."""
    in_result("RCH-E", verdict="pass", value=100.0, numerator=2, failing=[], reason="met")(bundle)
    in_campaign(lambda it: it.update(outcome="incomplete"))(bundle)
    in_campaign(lambda it: it["counts"].update(verdicts={"pass": 2, "info": 1, "not-tested": 1, "not-applicable": 1}))(
        bundle
    )


def conceal_failure(bundle: Path) -> None:
    in_result("RCH-E", verdict="not-tested", value=None, numerator=None, denominator=None, failing=[], n=0)(bundle)
    in_campaign(lambda it: it.update(outcome="incomplete"))(bundle)


def duplicate(campaign: dict[str, Any]) -> None:
    campaign["results"].append(campaign["results"][0])


def invent(campaign: dict[str, Any]) -> None:
    campaign["results"].append(campaign["results"][3] | {"item": "RCH-INVENTED"})


#: Alterations of the content that a new manifest covers up, and what must be found nevertheless.
FORGERIES: dict[str, tuple[Change, tuple[str, str, str]]] = {
    "a verdict flipped": (in_result("RCH-E", verdict="pass"), ("result-differs", "RCH-E", "verdict")),
    "a failure made a pass": (flip_whole_outcome, ("result-differs", "RCH-E", "verdict")),
    "a failure concealed": (conceal_failure, ("result-differs", "RCH-E", "verdict")),
    "a value raised": (in_result("RCH-E", value=50.1), ("result-differs", "RCH-E", "value")),
    "a numerator raised": (in_result("RCH-P", numerator=2), ("result-differs", "RCH-P", "numerator")),
    "an interval added": (
        in_result("RCH-P", interval={"low": 99.0, "high": 100.0, "confidence": 0.95}),
        ("result-differs", "RCH-P", "interval"),
    ),
    "an offender struck out": (in_result("RCH-E", failing=[]), ("result-differs", "RCH-E", "failing")),
    "a reason changed": (in_result("RCH-E", reason="met"), ("result-differs", "RCH-E", "reason")),
    "a limit lowered in the result": (
        in_result("RCH-E", threshold={"op": ">=", "value": "50 %", "source": {
            "standard": "S", "clause": "1", "provenance": "project", "verified": False}}),
        ("result-differs", "RCH-E", "threshold"),
    ),
    "a breakdown improved": (
        in_result("RCH-E:zone=cell-b", value=99.0), ("result-differs", "RCH-E:zone=cell-b", "value")
    ),
    "a repeat hidden": (in_result("RCH-P", attempts=2), ("result-differs", "RCH-P", "attempts")),
    "an item made not applicable": (
        in_result("RCH-P", verdict="not-applicable"), ("result-differs", "RCH-P", "verdict")
    ),
    "a not-tested item passed": (in_result("RADIO", verdict="pass"), ("result-differs", "RADIO", "verdict")),
    "a time moved": (in_result("RCH-P", started_utc_ns=1), ("result-differs", "RCH-P", "started_utc_ns")),
    "a result deleted": (in_campaign(drop("RCH-E")), ("item-missing", "RCH-E", "")),
    "a not-tested item deleted": (in_campaign(drop("RADIO")), ("item-missing", "RADIO", "")),
    "a result twice": (in_campaign(duplicate), ("item-twice", "RCH-E", "")),
    "a result invented": (in_campaign(invent), ("item-unplanned", "RCH-INVENTED", "")),
    "the outcome flipped": (
        in_campaign(lambda it: it.update(outcome="conformant")), ("fact-differs", "results.json", "outcome")
    ),
    "the counts polished": (
        in_campaign(lambda it: it["counts"]["verdicts"].update(fail=0)), ("fact-differs", "results.json", "counts")
    ),
    "an item uncounted": (
        in_campaign(lambda it: it["counts"].update(planned=4)), ("fact-differs", "results.json", "planned")
    ),
    "another plant's name": (
        in_campaign(lambda it: it.update(plant="Other")), ("fact-differs", "results.json", "plant")
    ),
    "another campaign": (
        in_campaign(lambda it: it.update(campaign="0")), ("fact-differs", "manifest.json", "campaign")
    ),
    "a profile disowned": (
        in_campaign(lambda it: it.update(profiles=[], results=[])), ("profile-unnamed", "profiles/small.yaml", "")
    ),
    "an attempt struck out of many": (in_table(lambda it: it.slice(1)), ("result-differs", "RCH-E", "rows")),
    "an attempt struck out in the middle": (
        in_table(lambda it: pa.concat_tables([it.slice(0, 4), it.slice(5)])), ("result-differs", "RCH-E", "rows")
    ),
    "an attempt added": (
        in_table(lambda it: pa.concat_tables([it, it.slice(4, 1)])), ("result-differs", "RCH-E", "rows")
    ),
    "a measured item said to be untested": (
        in_result("RCH-P", verdict="not-tested", reason="deselected"), ("result-differs", "RCH-P", "verdict")
    ),
    "an earlier result of another question": (
        lambda bundle: _earlier(bundle, threshold=None), ("result-differs", "RCH-E", "threshold")
    ),
    "an earlier result of no item": (
        lambda bundle: _earlier(bundle, item="RCH-INVENTED"), ("item-unplanned", "RCH-INVENTED", "")
    ),
    "an observation edited": (in_table(answered), ("result-differs", "RCH-E", "verdict")),
    "an observation removed": (
        in_table(lambda it: it.filter(pc.not_equal(it["target"], "tablet-1"))), ("result-differs", "RCH-P", "verdict")
    ),
    "an observation disregarded": (
        in_table(lambda it: column(it, "effective", pc.not_equal(it["target"], "press-2").to_pylist())),
        ("effective-differs", "observations.parquet", ""),
    ),
    "an observation superseded": (
        in_table(lambda it: column(it, "run", [1] * 15 + [2])), ("chain-changed", "observations.parquet", "")
    ),
    "a column renamed": (
        in_table(lambda it: it.rename_columns([*it.column_names[:-1], "counts"])),
        ("file-malformed", "observations.parquet", ""),
    ),
    "a limit lowered in the profile": (
        in_text("profiles/small.yaml", "100 %", "50 %"), ("result-differs", "RCH-E", "verdict")
    ),
    "a requirement renamed": (in_text("profiles/small.yaml", "id: RCH-P", "id: RCH-Q"), ("item-missing", "RCH-Q", "")),
    "an endpoint of another class": (
        in_text("plant.yaml", '{"id": "press-2", "class": "E"', '{"id": "press-2", "class": "P"'),
        ("result-differs", "RCH-E", "verdict"),
    ),
    "a requirement tailored out": (
        in_text("plant.yaml", '"RCH-X"', '"RCH-E"'), ("result-differs", "RCH-E", "verdict")
    ),
    "a tailoring of nothing": (in_text("plant.yaml", '"RCH-X"', '"RCH-Z"'), ("plan-impossible", "plant.yaml", "")),
    "a plant that is no plant": (in_text("plant.yaml", "zones:", "zoned:"), ("file-malformed", "plant.yaml", "")),
    "YAML of another kind": (
        in_text("plant.yaml", "tailoring:", "x: &a [1]\ny: *a\ntailoring:"), ("file-malformed", "plant.yaml", "")
    ),
    "a plant that reads other files": (
        in_text("plant.yaml", "tailoring:", "endpoint_files: [/etc/passwd]\ntailoring:"),
        ("file-malformed", "plant.yaml", ""),
    ),
    "a parameter that is none": (
        in_text("profiles/small.yaml", "windows: 2", "windows: -2"), ("result-impossible", "RCH-E", "")
    ),
    "an unknown verdict": (in_result("RCH-P", verdict="splendid"), ("file-malformed", "results.json", "")),
    "events that are none": (in_text("events.jsonl", '"kind"', '"sort"'), ("file-malformed", "events.jsonl", "")),
    "an attempt invented": (
        lambda bundle: shutil.copyfile(_one_result(bundle), bundle / "attempts.jsonl"),
        ("result-differs", "RCH-E", "attempts"),
    ),
}  # fmt: skip


def slower(table: pa.Table) -> pa.Table:
    """Every delay sevenfold."""
    return column(table, "value", [old and 7 * old for old in table["value"].to_pylist()])


def swapped(table: pa.Table) -> pa.Table:
    """One answer twice, and another of the same object not at all."""
    rows = pc.equal(table["target"], "tablet-1").to_pylist()
    first, second, *_ = [index for index, it in enumerate(rows) if it]
    return table.take([first if index == second else index for index in range(len(table))])


def nothing_in(name: str) -> Change:
    return lambda bundle: (bundle / name).write_bytes(b"")


#: What no result follows from, and the chain tells nevertheless: with a new manifest it shows, and where; with a new
#: chain as well it does not, as ``docs/bundle.md`` says.
CHAINED: dict[str, tuple[Change, tuple[str, str]]] = {
    "other values": (in_table(slower), ("chain-changed", "observations.parquet")),
    "one row for another": (in_table(swapped), ("chain-changed", "observations.parquet")),
    "other events": (in_text("events.jsonl", "here", "there"), ("chain-changed", "events.jsonl")),
    "other raw output": (nothing_in("raw/here/ping/out.txt"), ("chain-changed", "raw/here/ping/out.txt")),
    "why it was not tested": (in_result("RADIO", reason="deselected"), ("chain-changed", "RADIO")),
    "another remedy": (in_text("profiles/small.yaml", "检查", "不必检查"), ("chain-changed", "plant.yaml")),
}

#: What neither results nor the chain say.
TAKEN_ON_TRUST: dict[str, Change] = {
    "another rendering": nothing_in("junit.xml"),
    "another end": in_campaign(lambda it: it.update(ended_utc="2099-01-01T00:00:00+00:00")),
    "other versions": in_campaign(lambda it: it["versions"].update(scipy="0")),
}


@pytest.mark.parametrize("name", CHAINED)
def test_what_only_the_chain_tells_is_taken_on_trust_with_a_new_chain(bundle: Path, name: str) -> None:
    change, expected = CHAINED[name]
    change(bundle)
    reseal(bundle)
    assert {(found.code, found.place) for found in verify(bundle).alterations} == {expected}
    relink(bundle)
    assert verify(bundle).alterations == []


@pytest.mark.parametrize("name", TAKEN_ON_TRUST)
def test_what_nothing_follows_from_is_taken_on_trust_with_a_new_manifest(bundle: Path, name: str) -> None:
    before = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    TAKEN_ON_TRUST[name](bundle)
    assert before != {path: path.read_bytes() for path in before}
    assert codes(verify(bundle)) == {"file-altered"}
    reseal(bundle)
    assert verify(bundle).sound


def _earlier(bundle: Path, **values: Any) -> None:
    one = json.loads(_one_result(bundle).read_text("utf-8"))
    (bundle / "attempts.jsonl").write_text(json.dumps(one | values) + "\n", "utf-8")


def _one_result(bundle: Path) -> Path:
    campaign = Campaign.model_validate_json((bundle / "results.json").read_text("utf-8"))
    path = bundle.parent / "one.jsonl"
    path.write_text(campaign.results[0].model_dump_json() + "\n", "utf-8")
    return path


def test_a_sealed_bundle_is_sound(bundle: Path) -> None:
    verification = verify(bundle)
    assert verification.alterations == []
    assert (verification.files, verification.observations, verification.items) == (9, 16, 7)
    reseal(bundle)
    assert verify(bundle).sound  # and so is the forger's manifest of an honest bundle: it takes a signature to tell


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_with_a_new_manifest_is_found(bundle: Path, name: str) -> None:
    change, expected = FORGERIES[name]
    change(bundle)
    assert "file-altered" in codes(verify(bundle))  # the old manifest tells at once
    reseal(bundle)
    found = findings(verify(bundle))
    assert not any(code == "file-altered" for code, _, _ in found)
    assert expected in found


#: Alterations of the folder, and what must be found.
def remove(name: str) -> Change:
    return lambda bundle: (bundle / name).unlink()


def append(name: str) -> Change:
    return lambda bundle: (bundle / name).write_bytes((bundle / name).read_bytes() + b"\n")


def flip_bit(name: str) -> Change:
    def change(bundle: Path) -> None:
        content = bytearray((bundle / name).read_bytes())
        content[len(content) // 2] ^= 1
        (bundle / name).write_bytes(content)

    return change


def link(name: str) -> Change:
    def change(bundle: Path) -> None:
        real = bundle.parent / "elsewhere"
        (bundle / name).rename(real)
        (bundle / name).symlink_to(real)

    return change


def name_in_manifest(name: str) -> Change:
    return lambda bundle: edit_json(
        bundle / "manifest.json", lambda it: it["files"].update({name: {"sha256": "0" * 64, "size": 1}})
    )


FILES = ("attempts.jsonl", "chain.parquet", "events.jsonl", "junit.xml", "observations.parquet", "plant.yaml",
         "profiles/small.yaml", "raw/here/ping/out.txt", "results.json")  # fmt: skip


def on_files() -> Iterator[tuple[str, Change, tuple[str, str]]]:
    for name in FILES:
        yield f"{name} removed", remove(name), ("file-missing", name)
        yield f"{name} longer", append(name), ("file-altered", name)
        yield f"{name} a link", link(name), ("file-not-plain", name)
        if name != "attempts.jsonl":  # which is empty
            yield f"{name} one bit", flip_bit(name), ("file-altered", name)


FOLDERS: list[tuple[str, Change, tuple[str, str]]] = [
    *on_files(),
    ("manifest removed", remove("manifest.json"), ("manifest-missing", "manifest.json")),
    ("manifest a link", link("manifest.json"), ("manifest-missing", "manifest.json")),
    ("manifest no JSON", append("manifest.json"), ("manifest-not-canonical", "manifest.json")),
    ("manifest cut", lambda it: os.truncate(it / "manifest.json", 100), ("manifest-malformed", "manifest.json")),
    ("manifest of nothing", lambda it: edit_json(it / "manifest.json", lambda m: m.update(files={})),
     ("file-extra", "results.json")),
    ("manifest without results", lambda it: edit_json(it / "manifest.json", lambda m: m["files"].pop("results.json")),
     ("file-not-sealed", "results.json")),
    ("manifest of another format", lambda it: edit_json(it / "manifest.json", lambda m: m.update(format="x/2")),
     ("manifest-malformed", "manifest.json")),
    ("manifest without its chain", lambda it: edit_json(it / "manifest.json", lambda m: m.update(chain=None)),
     ("chain-missing", "manifest.json")),
    ("manifest of another host", lambda it: edit_json(it / "manifest.json", lambda m: m.update(host="x")),
     ("manifest-altered", "manifest.json")),
    ("a manifest of tomorrow", lambda it: edit_json(it / "manifest.json", lambda m: m.update(sealed_utc=TOMORROW)),
     ("sealed-in-future", "manifest.json")),
    ("a manifest of no day", lambda it: edit_json(it / "manifest.json", lambda m: m.update(sealed_utc="noon")),
     ("manifest-malformed", "manifest.json")),
    ("an empty folder", lambda it: (it / "raw" / "nothing").mkdir(), ("folder-extra", "raw/nothing/")),
    ("a signature that is sealed", name_in_manifest("manifest.dsse.json"), ("signing-sealed", "manifest.dsse.json")),
    ("an extra file", lambda it: (it / "report.html").write_text("x", "utf-8"), ("file-extra", "report.html")),
    ("an extra file below", lambda it: (it / "raw" / "x").write_text("x", "utf-8"), ("file-extra", "raw/x")),
    ("a folder that is a link", link("profiles"), ("file-not-plain", "profiles")),
    ("a pipe", lambda it: os.mkfifo(it / "pipe"), ("file-not-plain", "pipe")),
    ("a path upwards", name_in_manifest("../../etc/passwd"), ("path-unsafe", "../../etc/passwd")),
    ("an absolute path", name_in_manifest("/etc/passwd"), ("path-unsafe", "/etc/passwd")),
    ("a path within a path", name_in_manifest("raw/../results.json"), ("path-unsafe", "raw/../results.json")),
    ("a path with a control character", name_in_manifest("raw/\x1b[2J"), ("path-unsafe", "raw/\x1b[2J")),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), [it[1:] for it in FOLDERS], ids=[it[0] for it in FOLDERS])
def test_an_altered_folder_is_found(bundle: Path, change: Change, expected: tuple[str, str]) -> None:
    change(bundle)
    assert expected in {(found.code, found.place) for found in verify(bundle).alterations}


GARBAGE = {"empty": b"", "short": b"PAR1", "framed": b"PAR1" + bytes(1000) + b"PAR1", "not text": b"\xff" * 100}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("name", FILES)
def test_garbage_is_a_finding_and_never_a_crash(bundle: Path, name: str, content: bytes) -> None:
    (bundle / name).write_bytes(content)
    reseal(bundle)
    verification = verify(bundle)
    harmless = {"junit.xml"} | ({"attempts.jsonl"} if not content else set())
    assert verification.sound == (name in harmless)


def test_a_table_that_claims_too_much_is_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.parquet.MAX_ROWS", 15)
    assert ("file-malformed", "observations.parquet", "") in findings(verify(bundle))


def test_a_row_group_larger_than_the_format_has_it_is_not_read(bundle: Path) -> None:
    in_table(lambda it: pa.concat_tables([it.slice(0, 1)] * 65_537))(bundle)
    with pytest.raises(UserMistake, match="row group of more than 65536 rows"):
        _ = Bundle(bundle).table


def test_a_file_that_is_too_large_is_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.plain.read_plain.__defaults__", (1_000,))
    assert ("file-malformed", "results.json", "") in findings(verify(bundle))


@pytest.mark.parametrize(
    "name", ["outcome.pdf", "inner/results.json", "Plant.yaml", "junit.xml\N{COMBINING ACUTE ACCENT}"]
)
def test_a_file_that_no_bundle_has_is_named_though_the_manifest_was_written_anew(bundle: Path, name: str) -> None:
    """Nobody computes what it says, so it could say anything."""
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_text("conformant", "utf-8")
    reseal(bundle)
    assert [(found.code, found.place) for found in verify(bundle).alterations] == [("file-unknown", name)]


def test_too_many_files_are_not_read(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.verify.MAX_FILES", 5)
    with pytest.raises(UserMistake) as refused:
        verify(bundle)
    assert [problem.code for problem in refused.value.problems] == ["bundle-unreadable"]


def test_nothing_outside_the_bundle_is_opened(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link("plant.yaml")(bundle)
    link("profiles")(bundle.parent / "bundle") if (bundle.parent / "elsewhere").is_dir() else None
    name_in_manifest("../elsewhere")(bundle)
    opened: list[str] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *more, **named: opened.append(str(path)) or real(path, *more, **named))
    verify(bundle)
    assert opened
    assert not [path for path in opened if ".." in path or "elsewhere" in path]


# The command


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_says_that_a_bundle_is_sound(
    bundle: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    status, out, _ = run(capsys, "--lang", language, "verify", bundle)
    assert status == 0
    assert Texts.of("reports").get("verify.ok", language)[:20] in out


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_command_lists_what_was_altered(bundle: Path, capsys: pytest.CaptureFixture[str], language: str) -> None:
    FORGERIES["a verdict flipped"][0](bundle)
    status, out, _ = run(capsys, "--lang", language, "verify", bundle)
    assert status == 1
    assert "results.json" in out
    assert "RCH-E" in out


def test_the_command_answers_in_json(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "verify", bundle, "--json")
    answer = json.loads(out)
    assert (status, answer["sound"], answer["findings"], answer["items"]) == (0, True, [], 7)
    FORGERIES["a verdict flipped"][0](bundle)
    reseal(bundle)
    status, out, _ = run(capsys, "--lang", "en", "verify", bundle, "--json")
    found = next(it for it in json.loads(out)["findings"] if it["place"] == "RCH-E")
    assert (status, found["code"]) == (1, "result-differs")
    assert found["text"].startswith("verdict: pass is stored, fail follows from the data")


@pytest.mark.parametrize("asked", [[], ["--json"]])
def test_what_is_no_bundle_cannot_be_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    for path in (tmp_path / "absent", tmp_path):
        status, out, err = run(capsys, "--lang", "en", "verify", path, *asked)
        assert status == 4
        assert ("sound" in out) == bool(asked)
        assert str(path) in out + err


def test_every_finding_has_its_text_and_every_text_its_finding() -> None:
    prefix = "verify.finding."
    told = {code.removeprefix(prefix) for code in Texts.of("reports").codes() if code.startswith(prefix)}
    folder = Path(__file__).parents[3] / "reports"
    source = "".join((folder / name).read_text("utf-8") for name in ("verify.py", "recompute.py", "recompute_chain.py"))
    broken = {f"chain-{code}" for code in ("gone", "added", "changed", "rest", "unlinked")}
    signing = "".join(path.read_text("utf-8") for path in (folder / "signing").glob("*.py"))
    signed = set(re.findall(r'(?:_?found|noted|Doubt|EnvelopeMalformed)\(\s*"([a-z-]+)"', signing))
    signed |= set(re.findall(r'code = "([a-z-]+)"', signing)) | {"signer-untrusted", "unsigned"}  # chosen among two
    signed |= set(re.findall(r'^(?:ANNOUNCED|ORPHAN) = "([a-z-]+)"', signing, re.MULTILINE))
    assert set(re.findall(r'found\(\s*"([a-z-]+)"', source)) | broken | signed == told


def test_what_is_read_after_the_verification_is_what_was_verified(bundle: Path) -> None:
    opened = Bundle(bundle)
    assert verify_read(opened).sound
    shutil.rmtree(bundle)
    assert (opened.campaign.campaign, opened.plant.plant) == (opened.manifest.campaign, opened.campaign.plant)
    assert tuple(profile.profile for profile in opened.profiles) == opened.campaign.profiles
    assert len(opened.table) > 0
