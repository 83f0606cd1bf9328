"""Packing and unpacking: the same bytes everywhere, and whatever an archive may try is refused, with the reason."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

import reports.archive
from conformance.cli import main
from profiles.problem import UserMistake
from reports.archive import differs_at
from reports.archive import pack
from reports.archive import unpack
from reports.bundle import Bundle
from reports.verify import verify

Making = Callable[[zipfile.ZipFile], object]


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, evidence_in: Any) -> Path:
    path: Path = evidence_in(tmp_path_factory.mktemp("sealed")).sealed().path
    return path


@pytest.fixture(scope="module")
def packed(sealed: Path) -> bytes:
    path = sealed.with_name("whole.zip")
    pack(sealed, path)
    return path.read_bytes()


def content(folder: Path) -> dict[str, bytes]:
    return {it.relative_to(folder).as_posix(): it.read_bytes() for it in folder.rglob("*") if it.is_file()}


def code_of(mistake: UserMistake) -> str:
    return mistake.problems[0].code


# Packing


def test_a_bundle_comes_back_as_it_was_and_verifies_packed(sealed: Path, tmp_path: Path) -> None:
    archive, folder = tmp_path / "a.zip", tmp_path / "b"
    pack(sealed, archive)
    verification = verify(archive)
    assert verification.alterations == []
    assert verification.bundle == archive
    unpack(archive, folder)
    assert content(folder) == content(sealed)
    assert differs_at(archive, folder) is None


def test_the_same_bundle_is_the_same_bytes_whatever_its_times_modes_and_order(sealed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name, data in sorted(content(sealed).items(), reverse=True):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_bytes(data)
        (other / name).chmod(0o600)
        os.utime(other / name, (1, 1))
    archives = [tmp_path / "1.zip", tmp_path / "2.zip"]
    pack(sealed, archives[0])
    pack(other, archives[1])
    assert archives[0].read_bytes() == archives[1].read_bytes()


def test_common_tools_read_it(packed: bytes, sealed: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert {it.filename: archive.read(it) for it in archive.infolist()} == content(sealed)
    if shutil.which("unzip"):
        (tmp_path / "a.zip").write_bytes(packed)
        subprocess.run(["unzip", "-tq", tmp_path / "a.zip"], check=True, capture_output=True)


def test_nothing_is_overwritten(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"mine")
    with pytest.raises(UserMistake) as refused:
        pack(sealed, tmp_path / "a.zip")
    assert code_of(refused.value) == "archive-exists"
    pack(sealed, tmp_path / "b.zip")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserMistake) as refused:
        unpack(tmp_path / "b.zip", tmp_path / "folder")
    assert code_of(refused.value) == "archive-taken"
    assert sorted(it.name for it in tmp_path.iterdir()) == ["a.zip", "b.zip", "folder"]


def test_what_is_not_there_or_not_a_folder_is_called_so(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(UserMistake) as refused:
        unpack(tmp_path / "none.zip", tmp_path / "none")
    assert code_of(refused.value) == "archive-absent"
    pack(sealed, tmp_path / "packed.zip")
    with pytest.raises(UserMistake) as refused:
        Bundle.open(tmp_path / "packed.zip")
    assert code_of(refused.value) == "bundle-is-file"


def test_a_folder_with_a_link_is_not_packed(sealed: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(sealed, tmp_path / "bundle"))
    (bundle / "raw" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(UserMistake) as refused:
        pack(bundle, tmp_path / "a.zip")
    assert code_of(refused.value) == "archive-impossible"
    assert not list(tmp_path.glob("*.zip*")) + list(tmp_path.glob(".*"))


# Archives that others made


def entry(name: str, mode: int = 0, **more: Any) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    for field, value in more.items():
        setattr(made, field, value)
    return made


def one(name: str, data: bytes = b"x", mode: int = 0) -> Making:
    return lambda archive: archive.writestr(entry(name, mode), data)


def twice(archive: zipfile.ZipFile) -> None:
    archive.writestr("results.json", "{}")
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("results.json", "{}")


def as_zip64(archive: zipfile.ZipFile) -> None:
    with archive.open(entry("results.json"), "w", force_zip64=True) as file:
        file.write(b"{}")


REFUSED: dict[str, tuple[Making, str]] = {
    "a path upwards": (one("../../evil"), "leads out of the folder"),
    "a path upwards within": (one("raw/../../evil"), "leads out of the folder"),
    "an absolute path": (one("/etc/cron.d/evil"), "leads out of the folder"),
    "a path of Windows": (one("..\\evil"), "leads out of the folder"),
    "a drive": (one("C:\\evil"), "leads out of the folder"),
    "a control character": (one("a\x1b[2J"), "leads out of the folder"),
    "a name cut by NUL": (
        lambda archive: archive.writestr(entry("x", filename="results.json\0.txt"), b"x"), "leads out of the folder"
    ),
    "no name": (one(""), "leads out of the folder"),
    "dots": (one("./results.json"), "leads out of the folder"),
    "a link": (one("raw/passwd", b"/etc/passwd", stat.S_IFLNK | 0o777), "a link or a device"),
    "a device": (one("raw/null", b"", stat.S_IFCHR | 0o666), "a link or a device"),
    "a name twice": (twice, "two entries of this name"),
    "ZIP64": (as_zip64, "ZIP64"),
    "another method": (
        lambda archive: archive.writestr("a", b"x" * 100, zipfile.ZIP_LZMA), "only stored and deflated are read"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_an_archive_may_try_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    make, reason = REFUSED[name]
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plant.yaml", b"plant: x")
        make(archive)
    with pytest.raises(UserMistake, match=reason) as refused:
        unpack(path, tmp_path / "out")
    assert code_of(refused.value) == "archive-refused"
    assert [it.name for it in tmp_path.iterdir()] == ["hostile.zip"]


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("raw", b"x")
        archive.writestr("raw/here", b"x")
    with pytest.raises(UserMistake):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_encrypted_entry_is_refused(packed: bytes, tmp_path: Path) -> None:
    at = packed.index(b"PK\1\2")
    (tmp_path / "a.zip").write_bytes(packed[: at + 8] + b"\x01\x08" + packed[at + 10 :])
    with pytest.raises(UserMistake, match="encrypted"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.archive.MAX_FILES", 3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(4):
            archive.writestr(str(number), b"")
    with pytest.raises(UserMistake, match="4 > 3 entries"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


#: Unpacks an archive with no more memory than a small program has, and says what came of it.
CHILD = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 200 << 20))
resource.setrlimit(resource.RLIMIT_FSIZE, (100 << 20, 100 << 20))
from profiles.problem import UserMistake
from reports.archive import unpack
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[2]))
except UserMistake as mistake:
    print(mistake.text("en"))
"""


def bomb(path: Path, claimed: int | None = None) -> None:
    """10 GB of zeros in some 10 MB, deflated; ``claimed`` is what it says that they are."""
    import zlib

    size, block = 10 * 10**9, bytes(10**6)
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    piece = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # which may be repeated
    body = piece * (size // len(block)) + packer.flush()
    said = min(size, 2**32 - 1) if claimed is None else claimed
    about = struct.pack("<5H3L2H", 20, 0, 8, 0, 0x21, 0, len(body), said, 12, 0)
    local = b"PK\3\4" + about + b"results.json"
    central = b"PK\1\2" + struct.pack("<H", 20) + about + struct.pack("<3H2L", 0, 0, 0, 0, 0) + b"results.json"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local) + len(body), 0)
    path.write_bytes(local + body + central + end)


@pytest.mark.parametrize(("claimed", "told"), [(None, "bytes unpacked of"), (1_000_000, "Bad CRC-32")])
def test_a_bomb_is_refused_in_bounded_memory_and_on_a_bounded_disk(
    tmp_path: Path, claimed: int | None, told: str
) -> None:
    path = tmp_path / "bomb.zip"
    bomb(path, claimed)
    assert path.stat().st_size < 50 << 20
    done = subprocess.run(
        [sys.executable, "-c", CHILD, path, tmp_path / "out"], check=True, capture_output=True, text=True, timeout=60
    )
    assert told in done.stdout
    assert [it.name for it in tmp_path.iterdir()] == ["bomb.zip"]


@pytest.mark.parametrize("comment", [b"", b"c" * 60_000])
def test_a_list_of_entries_that_would_take_much_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, comment: bytes
) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as written:
        for number in range(100):
            written.writestr(str(number), b"")
        written.comment = comment
    monkeypatch.setattr(reports.archive, "MAX_DIRECTORY", 4_000)
    with pytest.raises(UserMistake, match="a list of entries of 4790 bytes"):
        unpack(path, tmp_path / "out")


def test_an_archive_that_would_not_fit_on_the_disk_is_refused(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.zip").write_bytes(packed)
    monkeypatch.setattr(reports.archive.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1_000))
    with pytest.raises(UserMistake, match="No space left on device"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_an_archive_on_a_full_medium_is_unpacked_where_there_is_room(
    packed: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a disc, on which nothing is ever free."""
    medium, elsewhere = tmp_path / "disc", tmp_path / "disk"
    medium.mkdir()
    (medium / "a.zip").write_bytes(packed)
    free = {medium: 0}
    usage = lambda path: shutil._ntuple_diskusage(1, 1, free.get(Path(path), 1 << 40))  # noqa: E731
    monkeypatch.setattr(reports.archive.shutil, "disk_usage", usage)
    unpack(medium / "a.zip", elsewhere)
    assert (elsewhere / "manifest.json").is_file()


def test_an_archive_of_a_common_tool_is_unpacked_and_told_from_a_packed_one(sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content(sealed).items():
            archive.writestr(name, data)
    unpack(path, tmp_path / "out")
    assert verify(tmp_path / "out").alterations == []
    assert [(it.code, it.place) for it in verify(path).alterations] == [("archive-altered", "a.zip")]


@pytest.mark.parametrize("cut", [1, 21, 22, 100, 5_000])
def test_a_cut_archive_is_refused(packed: bytes, tmp_path: Path, cut: int) -> None:
    (tmp_path / "a.zip").write_bytes(packed[:-cut])
    with pytest.raises(UserMistake) as refused:
        verify(tmp_path / "a.zip")
    assert code_of(refused.value) in {"archive-damaged", "archive-refused"}


@pytest.mark.parametrize("position", ["front", "back", "comment"])
def test_bytes_that_belong_to_no_file_are_found(packed: bytes, tmp_path: Path, position: str) -> None:
    altered = {
        "front": b"#!/bin/sh\n" + packed,
        "back": packed + b"\0",
        "comment": packed[:-2] + b"\5\0hello",
    }[position]
    (tmp_path / "a.zip").write_bytes(altered)
    assert [it.code for it in verify(tmp_path / "a.zip").alterations] == ["archive-altered"]


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_garbage_is_more_than_a_mistake(packed: bytes, tmp_path: Path, data: st.DataObject) -> None:
    """Pieces of an archive in any order and length, with anything between them: told, and nothing left behind."""
    starts = [0, packed.index(b"PK\1\2"), packed.index(b"PK\5\6"), len(packed) - 4]
    pieces = data.draw(st.lists(
        st.binary(max_size=20)
        | st.tuples(st.sampled_from(starts), st.integers(0, 400)).map(lambda it: packed[it[0] : it[0] + it[1]])
        | st.just(packed), max_size=4,
    ))  # fmt: skip
    path = tmp_path / "a.zip"
    path.write_bytes(b"".join(pieces))
    with suppress(UserMistake):
        assert bool(verify(path).alterations) == (path.read_bytes() != packed)
    assert [it.name for it in tmp_path.iterdir()] == ["a.zip"]


# The commands


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["--lang", "en", *map(str, arguments)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_commands(sealed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = Path(shutil.copytree(sealed, tmp_path / "bundle"))
    archive = tmp_path / "bundle.zip"
    assert run(capsys, "pack", bundle)[:2] == (0, f"{archive}\n")
    assert run(capsys, "verify", archive)[0] == 0
    status, out, _ = run(capsys, "report", archive, "--format", "junit")
    assert (status, Path(out.strip())) == (0, tmp_path / "bundle.junit.xml")
    assert (tmp_path / "bundle.junit.xml").stat().st_size > 0
    assert run(capsys, "unpack", archive, "--out", tmp_path / "again")[:2] == (0, f"{tmp_path / 'again'}\n")
    assert content(tmp_path / "again") == content(bundle)
    assert run(capsys, "unpack", archive)[0] == 4
    assert run(capsys, "unpack", tmp_path / "absent.zip")[0] == 4
    assert run(capsys, "pack", tmp_path / "absent")[0] == 4
    status, _, err = run(capsys, "verify", tmp_path / "bundle.junit.xml")
    assert (status, "no sound ZIP archive" in err) == (4, True)
