"""Random alterations of a sealed bundle: every one is found, and named. ``benchmarks/alterations.py`` makes more."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from profiles.problem import UserMistake
from reports.archive import pack
from reports.bundle import Bundle
from reports.seal import seal
from reports.verify import verify
from tests.reports.evidence.forging import reseal

CHANGES = int(os.environ.get("PLANTPROOF_CHANGES", "60"))
SWAPS = int(os.environ.get("PLANTPROOF_SWAPS", "10"))
SEED = int(os.environ.get("PLANTPROOF_SEED", "5"))


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, evidence_in: Any) -> Path:
    """A bundle of two sessions, four batches, events, raw output, documents and results that later ones replaced."""
    evidence = evidence_in(tmp_path_factory.mktemp("altered"))
    rows = evidence.observe_all()
    with evidence.create() as store:
        store.append(rows[:4])
        store.append(rows[4:8])
        store.event("vantage-opened", "here", {"kernel": "6.1"})
        store.put_raw("here", "icmp-echo", 0, "ping/out.txt", "64 bytes from 192.0.2.1\n")
        store.put_document("particulars.yaml", "place: Shanghai\n")
        seal(store, evidence.bundle)
    with evidence.resume() as store:
        store.append(rows[8:12])
        store.append(rows[12:])
        store.event("vantage-closed", "here")
        store.put_raw("here", "icmp-echo", 1, "ping/out.txt", "64 bytes from 192.0.2.2\n")
        path: Path = seal(store, evidence.bundle).path
    assert verify(path).alterations == []
    return path


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)


def files(bundle: Path) -> list[str]:
    return sorted(it.relative_to(bundle).as_posix() for it in bundle.rglob("*") if it.is_file() and it.stat().st_size)


def places(bundle: Path) -> set[str]:
    """What the verifier names: files and items, or the file on account of which it refuses the whole."""
    try:
        return {found.place for found in verify(bundle).alterations}
    except UserMistake as mistake:
        return {Path(it.file).name for it in mistake.problems}


def changed(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return content[:at] + bytes([content[at] ^ chance.randrange(1, 256)]) + content[at + 1 :]


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "bundle"))


def each(bundle: Path, names: list[str]) -> Iterator[dict[str, bytes]]:
    """The files' contents, written back after each turn."""
    before = {name: (bundle / name).read_bytes() for name in names}
    while True:
        yield before
        for name, content in before.items():
            (bundle / name).write_bytes(content)


def test_every_changed_byte_is_found_in_its_file(bundle: Path, chance: random.Random) -> None:
    for _, before in zip(range(CHANGES), each(bundle, files(bundle)), strict=False):
        name = chance.choice(list(before))
        (bundle / name).write_bytes(changed(before[name], chance))
        assert name in places(bundle)


def test_every_added_removed_or_reordered_byte_is_found(bundle: Path, chance: random.Random) -> None:
    for turn, before in zip(range(CHANGES // 3), each(bundle, files(bundle)), strict=False):
        name = chance.choice(list(before))
        content, at = before[name], chance.randrange(len(before[name]))
        altered = {
            0: content[:at] + bytes([chance.randrange(256)]) + content[at:],
            1: content[:at] + content[at + 1 :],
            2: content[at:] + content[:at],
        }[turn % 3]
        (bundle / name).write_bytes(altered)
        assert altered == content or name in places(bundle)


def test_every_swap_of_two_files_is_found(bundle: Path, chance: random.Random) -> None:
    for _, before in zip(range(SWAPS // 2), each(bundle, files(bundle)), strict=False):
        one, other = chance.sample(list(before), 2)
        (bundle / one).write_bytes(before[other])
        (bundle / other).write_bytes(before[one])
        assert {one, other} <= places(bundle) or "manifest.json" in {one, other} & places(bundle)


def test_every_swap_of_two_rows_is_found_in_its_batches_with_a_new_manifest(
    bundle: Path, chance: random.Random
) -> None:
    batches = [entry for entry, _ in Bundle(bundle).read_chain().entries("observations")]
    number_of = [str(entry.number) for entry in batches for _ in range(entry.rows)]
    touched = ["observations.parquet", "manifest.json"]
    for _, _before in zip(range(SWAPS // 2), each(bundle, touched), strict=False):
        path = bundle / "observations.parquet"
        table = pq.read_table(path)
        order = list(range(len(table)))
        one, other = chance.sample(order, 2)
        order[one], order[other] = other, one
        pq.write_table(table.take(pa.array(order)), path)
        reseal(bundle)
        found = {it.facts["entry"] for it in verify(bundle).alterations if it.code == "chain-changed"}
        assert found == {number_of[one], number_of[other]}


def test_every_deleted_or_repeated_row_is_found_in_its_batch(bundle: Path, chance: random.Random) -> None:
    batches = [entry for entry, _ in Bundle(bundle).read_chain().entries("observations")]
    number_of = [entry.number for entry in batches for _ in range(entry.rows)]
    path = bundle / "observations.parquet"
    table = pq.read_table(path)
    for turn in range(SWAPS):
        at = chance.randrange(len(table) - 1)
        rest = table.slice(at + 1) if turn % 2 else table.slice(at)
        pq.write_table(pa.concat_tables([table.slice(0, at + 1 - turn % 2), rest]), path)
        reseal(bundle)
        found = [it for it in verify(bundle).alterations if it.code.startswith("chain-")]
        assert [(it.code, it.place, it.facts["count"]) for it in found] == [
            ("chain-gone" if turn % 2 else "chain-added", path.name, "1")
        ]
        assert found[0].facts["entry"] == str(number_of[at + 1 - turn % 2])


def test_every_changed_byte_of_an_archive_is_found(sealed: Path, tmp_path: Path, chance: random.Random) -> None:
    archive = tmp_path / "bundle.zip"
    pack(sealed, archive)
    assert verify(archive).alterations == []
    content = archive.read_bytes()
    directory = content.index(b"PK\1\2")
    for turn in range(CHANGES):
        part = content[directory:] if turn % 2 else content  # headers as often as files
        altered = content[: len(content) - len(part)] + changed(part, chance)
        archive.write_bytes(altered)
        assert places(archive)
