"""Two years of coverage from logs of walk tests, end to end: campaigns that send nothing, sealed, compared, verified.

The detection matrix has no place for the trend: the virtual plant has no year before it. These are its defects.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from base64 import b64decode
from collections.abc import Callable
from collections.abc import Collection
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyarrow.parquet import read_table

from conformance.earlier import _opened
from conformance.earlier import as_targets
from conformance.records import log_name
from conformance.records import logs_of
from fixtures.plant.loader import load_plant
from fixtures.plant.survey import Survey
from fixtures.scoping import plan
from probes.action import Action
from probes.action import Target
from probes.recorded import HERE
from profiles.loader import load_profile
from profiles.verdict import ExitStatus
from reports.bundle import Bundle
from reports.bundle import canonical
from reports.verify import verify

PLANT = """\
plant: works
zones: [{{id: cell, networks: [192.0.2.0/24]}}]
areas: [{{id: hall, classes: [E, P], zone: cell, polygon_m: [[0, 0], [{width}, 0], [{width}, 10], [0, 10]]}}]
surveys: [{{area: hall, file: {log}, technology: 5g}}]
vantages: [{{id: seat, where: "netns:plantproof-no-such-namespace", measures: [cell]}}]
"""
PROFILE = """\
profile: coverage
version: "1"
title: {zh: 覆盖, en: Coverage}
description: {zh: 仅供测试, en: For tests only}
extends: [shanghai-617-2022]
only: [NET-COV, NET-COV-TREND]
override:
  - id: NET-COV
    threshold: {op: ">=", value: 80 %, source: {standard: P, clause: x, provenance: project, verified: false}}
"""
ITEMS = ("NET-COV", "NET-COV-TREND")


class Works:
    """A plant in a folder, whose logs say what a test wants."""

    def __init__(self, folder: Path, run: Callable[..., Any]) -> None:
        self.folder = folder
        self._run = run
        self.profile = folder / "profile.yaml"
        self.profile.write_text(PROFILE, "utf-8")

    def plant(self, year: str, weak: Collection[tuple[int, int]], *, width: int = 20, earlier: str = "") -> Path:
        rows = ["时间,x,y,接入,SS-RSRP,SS-SINR"]
        ended = datetime.now(UTC)
        for number in range(80):
            column, line, step = number // 20, number // 10 % 2, number % 10
            at = (ended - timedelta(milliseconds=80 - number)).isoformat()
            signal = "-118,-3" if (column, line) in weak else "-90,12"
            rows.append(f"{at},{5 * column + step * 0.45},{5 * line + 2},是,{signal}")
        (self.folder / f"{year}.csv").write_text("\n".join(rows) + "\n", "utf-8")
        text = PLANT.format(width=width, log=f"{year}.csv")
        path = self.folder / f"{year}.yaml"
        path.write_text(text + (f"earlier: {{bundle: {earlier}}}\n" if earlier else ""), "utf-8")
        return path

    def campaign(self, year: str, weak: Collection[tuple[int, int]] = (), **more: Any) -> Any:
        return self._run(self.plant(year, weak, **more), self.folder / year, "--profile", str(self.profile))


@pytest.fixture
def works(tmp_path: Path, run_campaign: Callable[..., Any]) -> Works:
    return Works(tmp_path, run_campaign)


def _said(run: Any) -> tuple[tuple[str, str], tuple[str, str]]:
    """Verdict and reason of coverage and of its change."""
    return tuple((run.results[id]["verdict"], run.results[id]["reason"]) for id in ITEMS)  # type: ignore[return-value]


def test_a_rise_passes_a_fall_fails_and_complete_coverage_in_both_years_passes_with_a_note(works: Works) -> None:
    first = works.campaign("2024", weak={(0, 0), (1, 0)})
    assert _said(first) == (("fail", "not-met"), ("inconclusive", "baseline-missing"))
    second = works.campaign("2025", earlier="2024/bundle")
    assert _said(second) == (("pass", "met"), ("pass", "met")), second.output
    assert (second.results["NET-COV-TREND"]["value"], second.results["NET-COV-TREND"]["unit"]) == (25.0, "pp")
    assert second.status == ExitStatus.CONFORMANT
    third = works.campaign("2026", earlier="2025/bundle")
    assert _said(third) == (("pass", "met"), ("pass", "met"))
    assert "both-full" in third.results["NET-COV-TREND"]["notes"]
    worse = works.campaign("worse", weak={(3, 1)}, earlier="2025/bundle")
    assert _said(worse) == (("pass", "met"), ("fail", "not-met"))
    assert worse.results["NET-COV-TREND"]["value"] == -12.5
    for path in ("2024", "2025"):  # what was taken from them is kept: no earlier bundle and no log is needed
        shutil.rmtree(works.folder / path)
    for log in works.folder.glob("*.csv"):
        log.unlink()
    for run in (third, worse):
        verification = verify(run.bundle)
        assert verification.sound
        assert verification.items == 6


def test_what_cannot_be_compared_says_why(works: Works) -> None:
    works.campaign("2025", weak={(0, 0)})
    other = works.campaign("moved", width=15, earlier="2025/bundle")
    assert _said(other)[1] == ("inconclusive", "boundary-changed")
    log = (works.folder / "2025.csv").read_text("utf-8")
    plant = works.plant("again", (), earlier="2025/bundle")
    (works.folder / "again.csv").write_text(log, "utf-8")  # last year's log once more
    again = works._run(plant, works.folder / "again", "--profile", str(works.profile))
    assert _said(again)[1] == ("inconclusive", "survey-not-new")
    results = works.folder / "2025/bundle/results.json"
    results.write_text(results.read_text("utf-8").replace("87.5", "50.0"), "utf-8")
    altered = works.campaign("2026", earlier="2025/bundle")
    assert _said(altered)[1] == ("inconclusive", "baseline-altered")
    assert "results.json" in json.dumps(altered.results["NET-COV-TREND"]["facts"])


YARD = "areas: [{id: yard, classes: [X], zone: cell}, "
LEFT_OUT = "tailoring: [{requirement: 'NET-COV-TREND:area=yard', reason: rented, approved_by: Wang}]\n"


@pytest.mark.parametrize(
    ("then", "now", "reason"),
    [
        (LEFT_OUT, LEFT_OUT, None),
        ("", LEFT_OUT, "boundary-changed"),
        (LEFT_OUT, "", "boundary-changed"),
    ],
)
def test_what_was_tailored_out_in_both_years_is_no_other_boundary(
    works: Works, then: str, now: str, reason: str | None
) -> None:
    def plant(year: str, tailoring: str, **more: Any) -> Path:
        path = works.plant(year, (), **more)
        path.write_text(path.read_text("utf-8").replace("areas: [", YARD) + tailoring, "utf-8")
        return path

    works._run(plant("2025", then), works.folder / "2025", "--profile", str(works.profile))
    loaded = load_plant(plant("2026", now, earlier="2025/bundle"))
    cases = {it.id: it for it in plan(loaded, [load_profile(str(works.profile))])}
    told = [json.loads(it.ask)["detail"].get("reason") for it in as_targets(cases["NET-COV-TREND"], loaded)]
    assert set(told) == {reason}


def test_a_manifest_that_was_kept_binds_the_earlier_bundle(works: Works) -> None:
    works.campaign("2025")
    folder = works.folder / "2025/bundle"
    opened = _opened(str(folder), None)
    assert opened.bundle is not None
    digest = opened.facts["manifest_sha256"]
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert _opened(str(folder), digest).bundle is not None
    assert _opened(str(folder), "0" * 64).bundle is None
    manifest = Bundle.open(folder).manifest
    for number, text in enumerate(("2025-01-01T00:00:00", "yesterday", "")):
        other = folder.with_name(f"other{number}")
        shutil.copytree(folder, other)
        (other / "manifest.json").write_bytes(canonical(manifest.model_copy(update={"sealed_utc": text})))
        opened = _opened(str(other), None)
        assert opened.bundle is None
        assert opened.facts["note"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_the_log_itself_is_kept_byte_by_byte(works: Works, encoding: str) -> None:
    """Whatever it is encoded in; text that everybody can read stays what it is."""
    plant = works.plant("2025", ())
    log = works.folder / "2025.csv"
    content = log.read_text("utf-8").encode(encoding)
    log.write_bytes(content)
    run = works._run(plant, works.folder / "e", "--profile", str(works.profile), "-k", "NET-COV")
    (kept,) = [path for path in (run.bundle / "raw/plantproof/survey-log").iterdir() if path.is_file()]
    plain = encoding.startswith("utf-8")
    assert kept.suffix == (".csv" if plain else ".base64")
    assert (kept.read_bytes() if plain else b64decode(kept.read_bytes())) == content
    assert hashlib.sha256(content).hexdigest() in (run.bundle / "plant.yaml").read_text("utf-8")
    rows = read_table(run.bundle / "observations.parquet").column("detail").to_pylist()
    assert {json.loads(row)["raw"] for row in rows if "x_m" in row} == {f"survey-log/{kept.name}"}
    assert verify(run.bundle).sound


def test_a_log_beyond_all_bounds_is_left_out_and_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.records.LOG_BYTES", 100)
    logs = [Survey(area="hall", file=file, technology="5g", sha256=sha * 64, content=content)
            for file, sha, content in (("a.csv", "a", b"x" * 100), ("../w/b.xlsx#1", "b", b"x" * 101),
                                       ("c.xlsx", "c", b"\xff"), ("c.xlsx#2", "c", b"\xff"))]  # fmt: skip
    targets = (Target("coverage:hall:5g", "a.csv:1", "cell"),)
    assert list(logs_of(logs, [Action(HERE, "survey-log", targets, {})])) == [
        ("survey-log/aaaaaaaaaaaa-a.csv", "x" * 100),
        ("", ""),
        ("survey-log/cccccccccccc-c.xlsx.base64", "/w=="),
    ]
    assert list(logs_of(logs, [Action(HERE, "earlier-bundle", targets, {})])) == []
    suffixes = [log_name(it).rpartition("-")[2] for it in logs]
    assert suffixes == ["a.csv", "", "c.xlsx.base64", "c.xlsx.base64"]


def test_a_plan_sends_nothing_and_resuming_takes_nothing_twice(works: Works, run_campaign: Callable[..., Any]) -> None:
    plant = works.plant("2025", ())
    assert len(load_plant(plant).surveys[0].samples) == 80
    options = ("--profile", str(works.profile))
    run_campaign(plant, works.folder / "e", *options, "-k", "NET-COV and not TREND and not class")
    resumed = run_campaign(plant, works.folder / "e", *options, "--resume")
    assert _said(resumed) == (("pass", "met"), ("inconclusive", "baseline-missing"))
    verification = verify(resumed.bundle)
    assert verification.sound
    assert verification.observations == 240
