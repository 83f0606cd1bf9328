"""Bundles of older versions stay readable and verifiable; those of later ones are refused, with the reason."""

from __future__ import annotations

import json
import shutil
from html import escape
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.cli import main
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.html import render
from reports.migrations import NEWEST
from reports.plain import Malformed
from reports.verify import verify
from tests.reports.evidence.forging import reseal

BUNDLES = Path(__file__).parents[1] / "bundles"
SCHEMAS = Path(__file__).parents[3] / "reports" / "schemas"
OLD = sorted(path.name for path in BUNDLES.iterdir() if path.is_dir())


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a verification needs no network")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("name", OLD)
def test_a_bundle_of_version_1_is_sound_and_says_what_it_lacks(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    verification = verify(BUNDLES / name)
    assert verification.alterations == []
    assert (verification.version, verification.chain) == (1, None)
    assert min(verification.files, verification.observations, verification.items) > 0
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "en", "verify", str(BUNDLES / name)])
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Bundle of version 1, without a hash chain" in told
    assert "by the chain" not in told  # which it does not have


@pytest.mark.parametrize("name", OLD)
def test_a_bundle_of_version_1_is_rendered(name: str) -> None:
    bundle = Bundle.open(BUNDLES / name)
    assert bundle.manifest.chain is None
    assert escape(bundle.campaign.plant) in render(bundle)


@pytest.mark.parametrize("name", OLD)
def test_an_old_manifest_keeps_to_the_schema_of_its_version(name: str) -> None:
    manifest = json.loads((BUNDLES / name / "manifest.json").read_text("utf-8"))
    jsonschema.validate(manifest, json.loads((SCHEMAS / "manifest-1.json").read_text("utf-8")))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest, json.loads((SCHEMAS / "manifest-2.json").read_text("utf-8")))


def test_a_new_manifest_keeps_to_the_schema_of_its_version(evidence: Any) -> None:
    manifest = json.loads((evidence.sealed().path / "manifest.json").read_text("utf-8"))
    jsonschema.validate(manifest, json.loads((SCHEMAS / "manifest-2.json").read_text("utf-8")))


def test_replaced_results_of_version_1_are_read() -> None:
    assert len(Bundle.open(BUNDLES / "resumed-1").attempts) > 0


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BUNDLES / "resumed-1", tmp_path / "bundle"))


@pytest.mark.parametrize("name", ["results.json", "events.jsonl", "observations.parquet", "manifest.json"])
def test_an_altered_bundle_of_version_1_is_found(old: Path, name: str) -> None:
    path = old / name
    path.write_bytes(path.read_bytes().replace(b"press-2", b"press-3", 1) + b"\n")
    assert name in {found.place for found in verify(old).alterations}


def test_a_bundle_of_version_1_has_no_chain_to_be_stated(old: Path) -> None:
    manifest = json.loads((old / "manifest.json").read_text("utf-8"))
    (old / "manifest.json").write_text(json.dumps(manifest | {"chain": {}}), "utf-8")
    assert ("manifest-malformed", "manifest.json") in {(it.code, it.place) for it in verify(old).alterations}


def of_format(bundle: Path, said: object) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    (bundle / "manifest.json").write_text(json.dumps(manifest | {"format": said}), "utf-8")


@pytest.mark.parametrize("version", [NEWEST + 1, 10, 999_999_999])
def test_a_later_version_is_refused_with_the_reason(
    old: Path, version: int, capsys: pytest.CaptureFixture[str]
) -> None:
    of_format(old, f"plantproof-bundle/{version}")
    for read in (Bundle.open, verify):
        with pytest.raises(UserMistake) as refused:
            read(old)
        assert [it.code for it in refused.value.problems] == ["bundle-newer"]
        assert refused.value.problems[0].facts == {"found": version, "known": NEWEST}
        assert "manifest.json" in refused.value.problems[0].file
    for command in (["verify", str(old), "--json"], ["report", str(old)]):
        with pytest.raises(SystemExit) as ended:
            main(["--lang", "en", *command])
        assert ended.value.code == 4
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["sound"] is None
    assert f"plantproof-bundle/{version}" in answer["error"]
    assert "Use a newer plantproof" in said.err


@pytest.mark.parametrize(
    "said", [None, 1, "", "plantproof-bundle/", "plantproof-bundle/0", "plantproof-bundle/1 ", "plantproof-bundle/1e3",
             "plantproof-bundle/" + "9" * 5_000, ["plantproof-bundle/1"], "plantproof-bundle/٢"],
)  # fmt: skip
def test_what_is_no_version_is_a_finding(old: Path, said: object) -> None:
    of_format(old, said)
    with pytest.raises(Malformed):
        Bundle(old).read_version()
    assert ("manifest-malformed", "manifest.json") in {(it.code, it.place) for it in verify(old).alterations}


def test_a_bundle_of_version_1_with_a_new_manifest_is_one_without_a_chain(old: Path) -> None:
    """What the chain would tell is taken on trust in it, as ``docs/bundle.md`` says."""
    (old / "events.jsonl").write_bytes(b"")
    reseal(old)
    assert verify(old).sound
