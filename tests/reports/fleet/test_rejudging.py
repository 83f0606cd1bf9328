"""A fleet judged again under another profile: by its observations alone, here and on a cluster, resumable."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from profiles.loader import load_profile
from profiles.problem import UserMistake
from profiles.requirement import Profile
from profiles.requirement import Threshold
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.fleet.rejudging import Rejudged
from reports.fleet.rejudging import rejudge_fleet
from reports.fleet.synthetic import PROFILE

Some = Callable[[int], Path]
OPEN = {"inconclusive", "error", "not-tested"}


@pytest.fixture(scope="module")
def own() -> Profile:
    """The profile under which the fleet was judged."""
    return load_profile(str(PROFILE))


def changed(profile: Profile, id: str, **more: Any) -> Profile:
    """The profile with one requirement changed."""
    every = tuple(it.model_copy(update=more) if it.id == id else it for it in profile.requirements)
    return profile.model_copy(update={"requirements": every})


def limit(value: str) -> Threshold:
    source = {"standard": "s", "clause": "c", "provenance": "project", "verified": False}
    return Threshold.model_validate({"op": ">=", "value": value, "source": source})


def rows(out: Path, table: str = "results") -> list[tuple[Any, ...]]:
    found = duckdb.execute(f"SELECT * FROM '{out}/{table}/part-*.parquet' ORDER BY ALL").fetchall()  # noqa: S608
    duckdb.default_connection().close()
    return found


def turned(found: Rejudged) -> dict[str, set[tuple[str | None, str | None]]]:
    """By item, from which verdicts to which bundles went, if it is another one."""
    kinds: dict[str, set[tuple[str | None, str | None]]] = {}
    for it in found.changes:
        if it["was"] != it["verdict"]:
            kinds.setdefault(it["item"], set()).add((it["was"], it["verdict"]))
    return kinds


def test_under_its_own_profile_nothing_changes(fleet: Path, own: Profile, tmp_path: Path) -> None:
    found = rejudge_fleet(fleet, [own], tmp_path / "out", workers=2)
    assert (found.bundles, found.failed, turned(found)) == (len(list(fleet.iterdir())), 0, {})
    sealed = sum(len(Bundle.open(path).campaign.results) for path in fleet.iterdir())
    assert len(rows(tmp_path / "out")) == sealed
    assert sum(it["bundles"] for it in found.changes if it["item"] == "SEC-DOM") == found.bundles


def test_a_lower_limit_is_met_by_more_and_a_higher_one_by_fewer(fleet: Path, own: Profile, tmp_path: Path) -> None:
    lower = rejudge_fleet(fleet, [changed(own, "NET-RCH-E", threshold=limit("1 %"))], tmp_path / "low", workers=0)
    assert ("fail", "pass") in turned(lower)["NET-RCH-E"]
    assert {was for was, _ in turned(lower)["NET-RCH-E"]} == {"fail"}  # or an error, where too much is unknown now
    higher = rejudge_fleet(fleet, [changed(own, "5G-RSRP", threshold=limit("-30 dBm"))], tmp_path / "high", workers=0)
    assert set(turned(higher)) == {"5G-RSRP"}
    assert ("pass", "fail") in turned(higher)["5G-RSRP"]


def test_what_a_bundle_never_observed_is_not_tested(fleet: Path, own: Profile, tmp_path: Path) -> None:
    asked = next(it for it in load_profile("virtual-plant").requirements if it.id == "NET-APP")
    more = own.model_copy(update={"requirements": (*own.requirements, asked)})
    found = rejudge_fleet(fleet, [more], tmp_path / "new", workers=0)
    assert turned(found) == {"NET-APP": {(None, "not-tested")}}
    parameters = {"windows": 3, "attempts": 2, "basis": "terminal"}
    often = rejudge_fleet(fleet, [changed(own, "NET-RCH-P", parameters=parameters)], tmp_path / "often", workers=0)
    assert {became for _, became in turned(often)["NET-RCH-P"]} == {"not-tested"}
    told = {it["verdict"] for it in often.changes if it["item"] == "NET-RCH-P"}
    assert Verdict.PASS.value not in told  # two windows of three were never measured, so nothing can be shown met


def test_what_is_not_asked_any_more_is_told_also_if_it_was_tailored_out(
    fleet: Path, own: Profile, tmp_path: Path
) -> None:
    fewer = own.model_copy(update={"requirements": tuple(it for it in own.requirements if it.id != "TSN-SYNC")})
    found = rejudge_fleet(fleet, [fewer], tmp_path / "out", workers=0)
    assert found.failed == 0
    assert set(turned(found)) == {"TSN-SYNC"}
    assert ("not-applicable", None) in turned(found)["TSN-SYNC"]


def test_an_interrupted_run_goes_on_where_it_stopped(fleet: Path, own: Profile, tmp_path: Path) -> None:
    whole = rejudge_fleet(fleet, [own], tmp_path / "whole", workers=0)

    def stop(found: Rejudged) -> None:
        if found.bundles == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rejudge_fleet(fleet, [own], tmp_path / "parts", workers=0, told=stop)
    resumed = rejudge_fleet(fleet, [own], tmp_path / "parts", workers=0)
    assert (resumed.bundles, resumed.before) == (whole.bundles, 5)
    assert resumed.changes == whole.changes
    assert rows(tmp_path / "parts") == rows(tmp_path / "whole")
    assert rows(tmp_path / "parts", "bundles") == rows(tmp_path / "whole", "bundles")


def test_only_the_same_can_be_resumed(some: Some, own: Profile, tmp_path: Path) -> None:
    folder, out = some(2), tmp_path / "out"
    rejudge_fleet(folder, [own], out, workers=0)
    with pytest.raises(UserMistake, match="other profiles"):
        rejudge_fleet(folder, [changed(own, "NET-RCH-E", threshold=limit("1 %"))], out, workers=0)
    with pytest.raises(UserMistake, match="something else"):
        rejudge_fleet(folder, [own], folder, workers=0)
    manifest = folder / "plant-00000" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    with pytest.raises(UserMistake, match="has changed"):
        rejudge_fleet(folder, [own], out, workers=0)


def test_a_spoiled_bundle_is_told_and_the_others_are_judged(some: Some, own: Profile, tmp_path: Path) -> None:
    folder, out = some(3), tmp_path / "out"
    (folder / "plant-00000" / "results.json").write_text("{}")
    shutil.rmtree(folder / "plant-00001")
    (folder / "plant-00001").mkdir()
    (folder / "plant-00001" / "observations.parquet").write_text("PAR1")
    (folder / "link").symlink_to(folder / "plant-00002")
    found = rejudge_fleet(folder, [own], out, workers=0)
    assert (found.bundles, found.failed) == (4, 3)
    states = {row[0]: row[2:4] for row in rows(out, "bundles")}
    assert states == {
        "link": ("unreadable", "link"),
        "plant-00000": ("altered", "file-altered"),
        "plant-00001": ("unreadable", "bundle-no-results"),
        "plant-00002": ("rejudged", ""),
    }


def test_an_empty_fleet_has_no_changes(own: Profile, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    assert rejudge_fleet(tmp_path / "none", [own], tmp_path / "out", workers=0) == Rejudged()


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A real scheduler and two worker processes, on this machine."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
    ):
        yield cluster.scheduler_address


def test_a_cluster_finds_the_same(fleet: Path, own: Profile, tmp_path: Path, scheduler: str) -> None:
    here = rejudge_fleet(fleet, [own], tmp_path / "here", workers=0)
    there = rejudge_fleet(fleet, [own], tmp_path / "there", workers=0, scheduler=scheduler)
    assert there == here
    assert rows(tmp_path / "there") == rows(tmp_path / "here")


def test_a_task_that_kills_its_worker_costs_no_other() -> None:
    """In a program of its own: a worker that died is started anew by importing the main program, here pytest."""
    script = Path(__file__).with_name("hurting_cluster.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == {"a": "A", "b": "B", "c": "C", "die": "process-died", "raise": "broke"}


def test_a_cluster_without_workers_is_not_waited_for_for_ever(
    fleet: Path, own: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("reports.fleet.cluster._LOOK_S", 0.1)
    monkeypatch.setattr("reports.fleet.cluster._WORKERLESS_S", 0.5)
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(UserMistake, match=r"no workers for 0\.5 s") as raised,
    ):
        rejudge_fleet(fleet, [own], tmp_path / "out", workers=0, scheduler=cluster.scheduler_address)
    assert cluster.scheduler_address in raised.value.text("zh")


def test_a_scheduler_that_is_not_there_is_told(
    fleet: Path, own: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reports.fleet.cluster._CONNECT_S", 1)
    with pytest.raises(UserMistake, match=r"tcp://127\.0\.0\.1:1"):
        rejudge_fleet(fleet, [own], tmp_path / "out", workers=0, scheduler="tcp://127.0.0.1:1")
