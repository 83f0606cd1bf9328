"""``plantproof score`` and ``plantproof fleet``, run as a user runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from profiles.language import choose_language
from profiles.verdict import ExitStatus
from reports.archive import pack
from reports.fleet.synthetic import synthesise

PLANTS = 4
Run = Callable[..., tuple[Any, str, str]]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fleet") / "bundles"
    synthesise(folder, PLANTS)
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PLANTPROOF_LANG", "zh")

    def command(*arguments: object) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as exit:
            main([str(it) for it in arguments])
        return exit.value.code, *capsys.readouterr()

    yield command
    choose_language(None)


@pytest.fixture
def weights(fleet: Path, run: Run, tmp_path: Path) -> Path:
    """The template, filled in."""
    status, out, _ = run("score", fleet / "plant-00000", "--template")
    assert status == 0
    file = tmp_path / "weights.yaml"
    file.write_text(out.replace("null", "2").replace('set_by: ""', "set_by: 评审组 \u202ex"), "utf-8")
    return file


def test_without_weights_there_is_no_score_and_what_is_missing_is_named(fleet: Path, run: Run, weights: Path) -> None:
    status, out, err = run("score", fleet / "plant-00000")
    assert (status, out) == (ExitStatus.USAGE, "")
    assert "NET-RCH-E" in err
    assert "SEC-DOM" in err
    weights.write_text(weights.read_text("utf-8").replace("  SEC-DOM: 2", "  SEC-DOM: null"), "utf-8")
    status, out, err = run("--lang", "en", "score", fleet / "plant-00000", "--weights", weights)
    assert (status, out) == (ExitStatus.USAGE, "")
    assert "no weight: SEC-DOM." in err


def test_nothing_is_scored_that_is_not_what_was_sealed_and_what_is_packed_is_read(
    fleet: Path, run: Run, weights: Path, tmp_path: Path
) -> None:
    status, folder, _ = run("score", fleet / "plant-00000", "--weights", weights)
    packed = tmp_path / "packed.zip"
    pack(fleet / "plant-00000", packed)
    assert run("score", packed, "--weights", weights) == (0, folder, "")
    altered = shutil.copytree(fleet / "plant-00000", tmp_path / "altered")
    results = altered / "results.json"
    results.write_text(results.read_text("utf-8").replace('"fail"', '"pass"'), "utf-8")
    status, out, err = run("score", altered, "--weights", weights)
    assert (status, out) == (ExitStatus.USAGE, "")
    assert "plantproof verify" in err


def test_the_score_sheet_says_whose_weights_and_what_is_open(fleet: Path, run: Run, weights: Path) -> None:
    status, out, _ = run("score", fleet / "plant-00000", "--weights", weights)
    assert status == 0
    assert "总分" in out
    assert "评审组 ‹U+202E›x" in out
    status, out, _ = run("--lang", "en", "score", fleet / "plant-00000", "--weights", weights, "--json")
    told = json.loads(out)
    assert status == 0
    assert told["total"]["points"]
    assert {it["pillar"] for it in told["pillars"]} >= {"network", "security"}


def test_weights_for_another_profile_are_refused(fleet: Path, run: Run, weights: Path) -> None:
    weights.write_text(weights.read_text("utf-8").replace("synthetic-fleet", "shanghai-617-2022"), "utf-8")
    status, _, err = run("score", fleet / "plant-00000", "--weights", weights)
    assert status == ExitStatus.USAGE
    assert "shanghai-617-2022" in err


def test_a_fleet_from_beginning_to_end(fleet: Path, run: Run, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    status, said, _ = run("fleet", "index", fleet, "--out", out, "--workers", 1, "--json")
    assert status == 0
    assert json.loads(said)["verified"] == PLANTS
    status, said, _ = run("fleet", "rank", out, "--weights", weights, "--top", 50)
    assert status == 0
    assert "候选" in said
    assert "合成" in said
    status, said, _ = run("--lang", "en", "fleet", "rank", out, "--weights", weights, "--top", "25 %", "--json")
    told = json.loads(said)
    assert [it["percent"] for it in told["cuts"]] == ["25"]
    assert len(told["places"]) == PLANTS
    assert "award" not in said


def test_a_wrong_bundle_shows_in_the_exit_status(fleet: Path, run: Run, tmp_path: Path) -> None:
    shutil.copytree(fleet / "plant-00001", tmp_path / "some" / "bad")
    (tmp_path / "some" / "bad" / "junit.xml").write_text("x")
    status, said, _ = run("--lang", "en", "fleet", "index", tmp_path / "some", "--workers", 1)
    assert status == 1
    assert "altered 1" in said
    assert (tmp_path / "some.fleet-index" / "bundles.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rank", "absent"), "weights"),
        (("rank", "absent", "--weights", "absent.yaml"), "absent"),
        (("rank", "absent", "--weights", "absent.yaml", "--top", "0"), "0"),
        (("rank", "absent", "--weights", "absent.yaml", "--top", "1/0"), "1/0"),
        (("rank", "absent", "--weights", "absent.yaml", "--reviewed", "list.txt"), "list.txt"),
        (("index", "absent"), "no such folder"),
    ],
)
def test_a_mistake_is_told(run: Run, arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch,
                           tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    status, out, err = run("--lang", "en", "fleet", *arguments)
    assert (status, out) == (ExitStatus.USAGE, "")
    assert said in err
