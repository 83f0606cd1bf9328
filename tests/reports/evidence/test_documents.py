"""Waivers and particulars: what is refused, what they say beside a verdict, and that they change none."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from conformance.cli import main
from conformance.plugin import documents
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from fixtures.scoping import plan
from profiles.document import load
from profiles.document import validate
from profiles.problem import UserMistake
from reports import particulars
from reports.bundle import PARTICULARS
from reports.bundle import WAIVERS
from reports.bundle import Bundle
from reports.examples import __path__ as examples
from reports.particulars import Particulars
from reports.particulars import load_particulars
from reports.table import terminal_table
from reports.verify import verify
from reports.waivers import Waiver
from reports.waivers import WaiverFile
from reports.waivers import WaiverScope
from reports.waivers import dump
from reports.waivers import load_waivers
from reports.waivers import waived

SILENT = "press-2"  #: of the small plant, in cell-b
TODAY = date(2027, 1, 15)
GOOD = {
    "id": "RCH-E",
    "justification": "等待十二月检修更换网卡",
    "owner": "李工",
    "approver": "王经理",
    "expires": "2027-01-15",
}


@pytest.fixture
def asked(evidence: Any) -> tuple[Plant, Sequence[Case], date]:
    """The plant, its plan and the day."""
    return evidence.plant, plan(evidence.plant, [evidence.profile]), TODAY


def written(folder: Path, *waivers: dict[str, Any]) -> Path:
    path = folder / "waivers.yaml"
    lines = ["format: plantproof-waivers/1", "waivers:" if waivers else "waivers: []"]
    for one in waivers:
        lines += [f"  {'-' if first == 0 else ' '} {key}: {value}" for first, (key, value) in enumerate(one.items())]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_a_waiver_holds_to_the_end_of_its_last_day(tmp_path: Path, asked: Any) -> None:
    (read,) = load_waivers(written(tmp_path, GOOD), *asked).waivers
    assert (read.id, read.expires, read.scope) == ("RCH-E", TODAY, WaiverScope())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"expires": "2027-01-14"}, "waiver-expired"),
        ({"id": "RCH-EE"}, "waiver-unknown"),
        ({"approver": " 李工 "}, "waiver-own-approval"),
        ({"scope": "{zones: [cell-x]}"}, "waiver-scope-unknown"),
        ({"scope": "{objects: [press-9]}"}, "waiver-scope-unknown"),
        ({"scope": "{areas: [nowhere]}"}, "waiver-scope-unknown"),
        ({"scope": "{classes: [Q]}"}, "not-a-choice"),
        ({"scope": "{classes: [P]}"}, "waiver-scope-empty"),
        ({"approver": "李\u200b工"}, "waiver-own-approval"),
        ({"approver": "'  '"}, "too-short"),
        ({"justification": f"'{' ' * 12}'"}, "too-short"),
        ({"expires": "4102444800"}, "wants-date"),
        ({"expires": "2099-12-31T00:00:00"}, "wants-date"),
        ({"justification": "因为"}, "too-short"),
        ({"expires": "soon"}, "wants-date"),
        ({"approvr": "x"}, "unknown-key-like"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_told_with_its_place(
    tmp_path: Path, asked: Any, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(UserMistake) as told:
        load_waivers(written(tmp_path, GOOD | change), *asked)
    problem = told.value.problems[0]
    assert problem.code.startswith(code)
    assert problem.line > 1
    assert all(problem.text(language) for language in ("zh", "en"))


def test_waivers_that_expired_before_a_campaign_goes_on_are_refused_with_what_to_do(
    tmp_path: Path, evidence: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, cases = evidence.plant, plan(evidence.plant, [evidence.profile])
    monkeypatch.setattr(documents, "today", lambda: TODAY)
    with evidence.create() as store:
        documents.Documents(plant, cases, {WAIVERS: written(tmp_path, GOOD)}).keep(store)
        documents.Documents(plant, cases, {}).keep(store)  # the same day
        monkeypatch.setattr(documents, "today", lambda: TODAY + timedelta(days=1))
        with pytest.raises(UserMistake) as told:
            documents.Documents(plant, cases, {}).keep(store)
        assert [problem.code for problem in told.value.problems] == ["waiver-expired", "waivers-of-before"]
        assert "--waivers FILE" in told.value.text("en")
        documents.Documents(plant, cases, {WAIVERS: written(tmp_path)}).keep(store)
        documents.Documents(plant, cases, {}).keep(store)


def test_two_waivers_of_one_scope_are_one_too_many(tmp_path: Path, asked: Any) -> None:
    with pytest.raises(UserMistake) as told:
        load_waivers(written(tmp_path, GOOD, GOOD), *asked)
    assert [problem.code for problem in told.value.problems] == ["waiver-twice"]


words = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30).filter(str.strip)
some_waivers = st.builds(
    Waiver,
    id=st.sampled_from(["RCH-E", "RCH-P"]),
    scope=st.builds(WaiverScope, zones=st.sets(st.sampled_from(["cell-a", "cell-b"])).map(tuple)),
    justification=words.map(lambda text: f"{text:.>10}."),
    owner=words,
    approver=words,
    expires=st.dates(),
)


@given(st.lists(some_waivers, max_size=4))
def test_what_is_sealed_reads_back_equal(tmp_path_factory: pytest.TempPathFactory, waivers: list[Waiver]) -> None:
    file = WaiverFile(waivers=tuple(waivers))
    path = tmp_path_factory.mktemp("w") / "waivers.yaml"
    path.write_text(dump(file), "utf-8")
    assert validate(load(path), WaiverFile) == file


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, evidence_in: Any) -> Path:
    """A bundle with a waiver of one zone and with particulars."""
    evidence = evidence_in(tmp_path_factory.mktemp("sealed"))
    scope = WaiverScope(zones=("cell-b",))
    waiver = Waiver.model_validate(GOOD | {"scope": scope, "expires": "2099-12-31"})
    stated = Particulars(client="甲公司", deviations=("夜间测试",))
    documents = {WAIVERS: dump(WaiverFile(waivers=(waiver,))), PARTICULARS: particulars.dump(stated)}
    path: Path = evidence.sealed(documents).path
    return path


def test_documents_are_sealed_and_verified(sealed: Path) -> None:
    bundle = Bundle.open(sealed)
    assert bundle.particulars.client == "甲公司"
    assert [one.owner for one in bundle.waivers] == ["李工"]
    assert {WAIVERS, PARTICULARS} <= bundle.manifest.files.keys()
    assert verify(sealed).sound


def test_a_waiver_stands_beside_the_verdict_and_changes_nothing(sealed: Path, evidence_in: Any, tmp_path: Path) -> None:
    with_waiver, without = Bundle.open(sealed), evidence_in(tmp_path).sealed()
    assert [one.verdict for one in with_waiver.campaign.results] == [one.verdict for one in without.campaign.results]
    assert with_waiver.campaign.outcome == without.campaign.outcome
    said = waived(with_waiver.campaign.results, with_waiver.waivers, with_waiver.plant)
    assert {item: [one.covered for one in found] for item, found in said.items()} == {"RCH-E": [(SILENT,)]}
    (one,) = said["RCH-E"]
    assert one.whole
    assert "2099-12-31" in one.said().zh
    assert "2099-12-31" in one.said().en
    console = Console(width=120, file=StringIO())
    console.print(terminal_table(with_waiver.campaign.results, "zh", waived=said))
    assert "已豁免至 2099-12-31" in console.file.getvalue()


def test_a_waiver_of_another_zone_says_what_it_does_not_cover(sealed: Path) -> None:
    bundle = Bundle.open(sealed)
    other = Waiver.model_validate(GOOD | {"scope": {"zones": ["cell-a"]}})
    assert waived(bundle.campaign.results, [other], bundle.plant) == {}
    whole = Waiver.model_validate(GOOD)
    (found,) = waived(bundle.campaign.results, [whole], bundle.plant)["RCH-E"]
    assert found.whole


def test_a_waiver_that_had_expired_or_is_unknown_is_found_by_verification(sealed: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(sealed, tmp_path / "bundle"))
    text = (bundle / WAIVERS).read_text("utf-8")
    (bundle / WAIVERS).write_text(text.replace("2099-12-31", "2001-12-31"), "utf-8")
    assert "waiver-wrong" in {found.code for found in verify(bundle).alterations}


def test_the_examples_are_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(next(iter(examples)))
    assert load_particulars(folder / "particulars.yaml") == Particulars()
    example = (folder / "waivers.yaml").read_text("utf-8")
    assert validate(load(folder / "waivers.yaml"), WaiverFile).waivers == ()  # whoever changes nothing waives nothing
    used = tmp_path / "used.yaml"
    head, _, waivers = example.partition("waivers: []")
    used.write_text(head + "waivers:" + waivers.replace("\n#", "\n"), "utf-8")
    assert [one.id for one in validate(load(used), WaiverFile).waivers] == ["NET-RCH-X"]
    for command, name in (("waiver", "waivers.yaml"), ("particulars", "particulars.yaml")):
        with pytest.raises(SystemExit) as ended:
            main([command, "new", str(tmp_path / name)])
        assert ended.value.code == 0
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
        with pytest.raises(SystemExit) as ended:
            main([command, "new", str(tmp_path / name)])
        assert ended.value.code == 4
    with pytest.raises(SystemExit) as ended:
        main(["particulars", "check", str(tmp_path / "particulars.yaml")])
    assert ended.value.code == 0
    assert "client" in capsys.readouterr().out
