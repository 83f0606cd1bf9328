"""The index: all that is sound is in it, everything else is told in it, and nothing is read twice for nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from profiles.problem import UserMistake
from reports.archive import pack
from reports.bundle import Bundle
from reports.fleet.index import Indexed
from reports.fleet.index import index
from reports.fleet.layout import ABOUT
from reports.fleet.query import open_index

Some = Callable[[int], Path]


def rows(out: Path, query: str = "SELECT * FROM bundles ORDER BY bundle", *facts: str) -> list[dict[str, Any]]:
    with open_index(out) as opened:
        return opened.rows(query, facts)


def states(out: Path) -> dict[str, str]:
    return {row["bundle"]: f"{row['state']} {row['reason']}".strip() for row in rows(out)}


def test_it_says_of_each_bundle_what_the_bundle_says(fleet: Path, indexed: Path) -> None:
    for row in rows(indexed):
        bundle = Bundle.open(fleet / row["bundle"])
        assert (row["state"], row["reason"], row["synthetic"]) == ("verified", "", True)
        assert row["campaign"] == bundle.campaign.campaign
        assert (row["plant"], row["organisation"]) == (bundle.plant.plant, bundle.plant.organisation)
        assert row["outcome"] == bundle.campaign.outcome
        results = rows(indexed, "SELECT * FROM results WHERE bundle = ?", row["bundle"])
        assert [(it["item"], it["verdict"], it["value"]) for it in results] == [
            (it.item, it.verdict.value, it.value) for it in bundle.campaign.results
        ]
        failing = rows(indexed, "SELECT item, target, reason FROM failing WHERE bundle = ?", row["bundle"])
        assert {(it["item"], it["target"], it["reason"]) for it in failing} == {
            (it.item, one.target, one.reason)
            for it in bundle.campaign.results
            if not it.scope and it.verdict != "pass"
            for one in it.failing
        }
        assert (
            sum(row[f"n_{word}"] for word in ("pass", "fail", "error", "not_tested", "not_applicable"))
            == row["planned"]
        )


def test_one_basis_for_plants_that_were_asked_the_same(indexed: Path) -> None:
    assert len({row["basis"] for row in rows(indexed)}) == 1


def test_what_has_not_changed_is_not_read_again(some: Some, tmp_path: Path) -> None:
    folder, out = some(3), tmp_path / "index"
    assert index(folder, out, workers=2) == Indexed(bundles=3, verified=3)
    before = rows(out)
    assert index(folder, out, workers=0) == Indexed(bundles=3, verified=3, unchanged=3)
    assert rows(out) == before
    assert len(rows(out, "SELECT * FROM results")) == sum(it["planned"] for it in before) + len(
        rows(out, "SELECT * FROM results WHERE scope <> ''")
    )
    assert index(folder, out, workers=0, anew=True).unchanged == 0


def test_a_bundle_that_is_gone_leaves_the_index_and_a_new_one_joins(some: Some, tmp_path: Path) -> None:
    folder, out = some(3), tmp_path / "index"
    index(folder, out, workers=0)
    (folder / "plant-00001").rename(tmp_path / "away")
    assert index(folder, out, workers=0) == Indexed(bundles=2, verified=2, unchanged=2)
    (tmp_path / "away").rename(folder / "back")
    assert index(folder, out, workers=0) == Indexed(bundles=3, verified=3, unchanged=2)
    assert set(states(out)) == {"plant-00000", "plant-00002", "back"}


def test_a_byte_that_changed_shows_although_manifest_size_and_time_are_the_same(some: Some, tmp_path: Path) -> None:
    folder, out = some(2), tmp_path / "index"
    index(folder, out, workers=0)
    file = folder / "plant-00000" / "results.json"
    about = file.stat()
    content = file.read_bytes()
    file.write_bytes(content.replace(b'"pass"', b'"fail"', 1))
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert file.stat().st_size == about.st_size
    assert index(folder, out, workers=0) == Indexed(bundles=2, verified=1, altered=1, unchanged=1)
    assert states(out) == {"plant-00000": "altered file-altered", "plant-00001": "verified"}
    assert not rows(out, "SELECT * FROM results WHERE bundle = 'plant-00000'")
    file.write_bytes(content)
    assert index(folder, out, workers=0) == Indexed(bundles=2, verified=2, unchanged=1)


def test_hashes_alone_are_told_apart_and_are_not_enough_later(some: Some, tmp_path: Path) -> None:
    folder, out = some(2), tmp_path / "index"
    assert index(folder, out, workers=0, full=False) == Indexed(bundles=2, hashed=2)
    assert index(folder, out, workers=0, full=False).unchanged == 2
    assert index(folder, out, workers=0) == Indexed(bundles=2, verified=2)
    assert index(folder, out, workers=0, full=False) == Indexed(bundles=2, verified=2, unchanged=2)


def spoil(folder: Path) -> None:
    """Eleven ways to be no bundle, beside one sound one."""
    names = [
        "empty-manifest",
        "no-manifest",
        "no-results",
        "truncated",
        "not-json",
        "later",
        "traversal",
        "link-inside",
        "pipe",
    ]
    sound = folder / "plant-00000"
    for name in names:
        shutil.copytree(sound, folder / name)
    (folder / "empty-manifest" / "manifest.json").write_bytes(b"")
    (folder / "no-manifest" / "manifest.json").unlink()
    (folder / "no-results" / "results.json").unlink()
    table = folder / "truncated" / "observations.parquet"
    table.write_bytes(table.read_bytes()[:-400])
    (folder / "not-json" / "results.json").write_bytes(b"\x00" * 100)
    manifest = folder / "later" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("plantproof-bundle/", "plantproof-bundle/9"))
    manifest = folder / "traversal" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"attempts.jsonl"', '"../attempts.jsonl"'))
    (folder / "link-inside" / "plant.yaml").unlink()
    (folder / "link-inside" / "plant.yaml").symlink_to("/etc/hostname")
    (folder / "pipe" / "plant.yaml").unlink()
    os.mkfifo(folder / "pipe" / "plant.yaml")
    (folder / "link").symlink_to(sound)
    (folder / "only-rows").mkdir()
    (folder / "only-rows" / "observations.parquet").write_bytes(b"PAR1")
    (folder / "nothing" / "at" / "all").mkdir(parents=True)
    (folder / "deep" / "er").mkdir(parents=True)
    shutil.copytree(sound, folder / "deep" / "er" / "evidence" / "bundle")


def test_whatever_is_wrong_is_told_and_stops_nothing(some: Some, tmp_path: Path) -> None:
    folder, out = some(1), tmp_path / "index"
    spoil(folder)
    counts = index(folder, out, workers=2)
    found = states(out)
    assert {name for name, state in found.items() if state == "verified"} == {"plant-00000", "deep/er/evidence/bundle"}
    assert "nothing" not in " ".join(found)
    assert found["link"] == "unreadable link"
    assert found["only-rows"] == "unreadable bundle-no-results"
    assert found["no-manifest"] == "altered manifest-missing"
    assert found["later"].startswith("unreadable")
    bad = {name: state for name, state in found.items() if state.startswith("altered")}
    assert set(bad) == {"empty-manifest", "no-manifest", "no-results", "truncated", "not-json", "traversal",
                        "link-inside", "pipe"}  # fmt: skip
    assert (counts.verified, counts.altered, counts.unreadable) == (2, 8, 3)
    assert all(row["said"] or row["reason"] == "link" for row in rows(out) if row["state"] != "verified")
    again = index(folder, out, workers=0)
    assert again.bundles == counts.bundles


def test_an_archive_is_told_unless_its_folder_lies_beside_it(some: Some, tmp_path: Path) -> None:
    folder, out = some(1), tmp_path / "index"
    pack(folder / "plant-00000", folder / "plant-00000.zip")
    assert index(folder, out, workers=1).bundles == 1
    (folder / "plant-00000.zip").rename(folder / "另一厂.ZIP")
    counts = index(folder, out, workers=1)
    assert (counts.verified, counts.unreadable) == (1, 1)
    assert states(out)["另一厂.ZIP"] == "unreadable archive"
    (told,) = (row["said"] for row in rows(out) if row["state"] == "unreadable")
    assert "plantproof unpack" in told


def test_a_name_that_is_no_text_is_written_out(some: Some, tmp_path: Path) -> None:
    folder, out = some(1), tmp_path / "index"
    (folder / "plant-00000").rename(folder / os.fsdecode(b"\xff\xfe"))
    assert index(folder, out, workers=0).verified == 1
    assert states(out) == {r"\udcff\udcfe": "verified"}
    assert index(folder, out, workers=0).unchanged == 1


def test_the_index_before_stays_until_the_new_one_is_there(
    some: Some, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = some(2), tmp_path / "index"
    index(folder, out, workers=0)

    def stop(_: Indexed) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index(folder, out, workers=0, anew=True, told=stop)
    assert states(out) == {"plant-00000": "verified", "plant-00001": "verified"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index", "some"]


def test_only_an_index_gives_way_to_an_index(some: Some, tmp_path: Path) -> None:
    folder, out = some(1), tmp_path / "index"
    out.mkdir()
    index(folder, out, workers=0)  # an empty folder holds nothing
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(UserMistake, match="not an index"):
        index(folder, tmp_path / "mine", workers=0)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep"
    (out / ABOUT).write_text('{"format": "plantproof-fleet-index/9"}')
    with pytest.raises(UserMistake, match="plantproof-fleet-index/9"):
        index(folder, out, workers=0)


def test_a_damaged_index_is_told_and_made_again(some: Some, tmp_path: Path) -> None:
    folder, out = some(1), tmp_path / "index"
    index(folder, out, workers=0)
    (out / "bundles.parquet").write_bytes(b"PAR1 and so on")
    with pytest.raises(UserMistake, match="damaged"):
        rows(out)
    assert index(folder, out, workers=0) == Indexed(bundles=1, verified=1)
    assert states(out) == {"plant-00000": "verified"}


def test_there_is_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(UserMistake, match="no such folder"):
        index(tmp_path / "absent", tmp_path / "index", workers=0)
    with pytest.raises(UserMistake, match="no index"):
        rows(tmp_path)
