"""``plantproof plant import``, as typed by a user: what is shown, asked, written and left alone."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from conformance.cli.app import run as command
from fixtures.plant.import_files import save
from fixtures.plant.loader import load_plant
from profiles.language import LANGUAGES
from profiles.language import choose_language
from profiles.problem import UserMistake

Run = Callable[..., tuple[int, str]]
LIST = """\
设备编号,设备名称,设备类型,IP地址,接入方式
CNC-1,铣床,数控机床,192.0.2.10/24,有线
P-1,巡检,PDA,192.0.2.20,WIFI6
"""
ODD = "X-1,怪物,不明物,192.0.2.30,有线\n"
PLANT = """\
plant: works
zones: [{id: cell-a, networks: [192.0.2.0/24]}]
vantages: [{id: here, where: local, measures: [cell-a]}]
endpoints: [{id: own, class: E, zone: cell-a, addresses: [192.0.2.1]}]
"""


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    choose_language(request.param)
    yield request.param
    choose_language(None)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text(LIST, "utf-8")
    (tmp_path / "odd.csv").write_text(LIST + ODD, "utf-8")
    (tmp_path / "plant.yaml").write_text(PLANT, "utf-8")

    def typed(*arguments: str) -> tuple[int, str]:
        status = command(["plant", "import", *arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    return typed


def files(folder: Path) -> set[str]:
    return {it.name for it in folder.iterdir()} - {"list.csv", "odd.csv", "plant.yaml"}


@pytest.mark.usefixtures("language")
def test_a_sound_list_becomes_a_table_and_exits_0(tmp_path: Path, run: Run) -> None:
    status, output = run("list.csv", "--set", "zone=cell-a", "--yes")
    assert status == 0
    for shown in ("设备类型", "class", "数控机床", "WIFI6", "192.0.2.10/24", "list.endpoints.csv"):
        assert shown in output
    assert files(tmp_path) == {"list.endpoints.csv"}
    (tmp_path / "plant.yaml").write_text(f"{PLANT}endpoint_files: [list.endpoints.csv]\n", "utf-8")
    assert [it.id for it in load_plant(tmp_path / "plant.yaml").endpoints] == ["own", "CNC-1", "P-1"]


@pytest.mark.parametrize("out", ["made.yaml", "made.xlsx", "made.csv"])
def test_with_a_plant_the_zones_come_from_addresses(tmp_path: Path, run: Run, out: str) -> None:
    assert run("list.csv", "--plant", "plant.yaml", "--out", out, "--yes")[0] == 0
    if out.endswith(".yaml"):
        plant = load_plant(tmp_path / out)
        assert plant.plant == "works"
    else:
        (tmp_path / "with.yaml").write_text(f"{PLANT}endpoint_files: [{out}]\n", "utf-8")
        plant = load_plant(tmp_path / "with.yaml")
    assert [(it.id, it.zone) for it in plant.endpoints] == [("own", "cell-a"), ("CNC-1", "cell-a"), ("P-1", "cell-a")]


def test_a_plant_file_of_the_list_alone_can_send_nothing_yet(tmp_path: Path, run: Run) -> None:
    assert run("list.csv", "--set", "zone=cell-a", "--out", "made.yaml", "--yes")[0] == 0
    plant = load_plant(tmp_path / "made.yaml")
    assert [it.where for it in plant.vantages] == ["netns:CHANGE-ME-to-local"]
    assert (tmp_path / "made.yaml").read_text("utf-8").startswith("# ")


@pytest.mark.usefixtures("language")
def test_what_cannot_be_placed_goes_to_a_file_and_the_status_is_3(tmp_path: Path, run: Run) -> None:
    status, output = run("odd.csv", "--set", "zone=z", "--yes")
    assert status == 3
    assert "不明物" in output
    assert files(tmp_path) == {"odd.endpoints.csv", "odd.endpoints.rejected.csv"}
    rejected = (tmp_path / "odd.endpoints.rejected.csv").read_text("utf-8-sig")
    assert "X-1" in rejected
    assert "--value class:不明物" in rejected
    assert run("odd.csv", "--set", "zone=z", "--value", "class:不明物=X", "--yes", "--force")[0] == 0
    assert "X-1" not in (tmp_path / "odd.endpoints.rejected.csv").read_text("utf-8-sig")


def test_nothing_to_place_writes_no_table(tmp_path: Path, run: Run) -> None:
    status, _ = run("list.csv", "--yes")  # no zone
    assert status == 3
    assert files(tmp_path) == {"list.endpoints.rejected.csv"}


@pytest.mark.usefixtures("language")
def test_without_a_terminal_and_without_yes_nothing_is_written(tmp_path: Path, run: Run) -> None:
    status, output = run("list.csv", "--set", "zone=z")
    assert status == 4
    assert "--yes" in output
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["absent.csv"],
        ["list.csv", "--map", "nothing=id"],
        ["list.csv", "--map", "设备编号"],
        ["list.csv", "--out", "made.pdf"],
        ["list.csv", "--out", "list.csv", "--force"],
        ["list.csv", "--plant", "plant.yaml", "--out", "plant.yaml", "--force"],
        ["list.csv", "--out", "absent/made.csv"],
        ["list.csv", "--out", "there.csv"],
        ["list.csv", "--rejected", "there.csv"],
        ["list.csv", "--plant", "list.csv"],
        [],
    ],
)
def test_a_mistake_writes_nothing_and_exits_4(tmp_path: Path, run: Run, arguments: list[str]) -> None:
    (tmp_path / "there.csv").write_text("mine")
    status, output = run(*arguments, *(["--yes"] if arguments else []))
    assert status == 4
    assert output.strip()
    assert files(tmp_path) == {"there.csv"}
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert (tmp_path / "list.csv").read_text("utf-8") == LIST
    assert (tmp_path / "plant.yaml").read_text("utf-8") == PLANT


def test_force_overwrites(tmp_path: Path, run: Run) -> None:
    (tmp_path / "there.csv").write_text("mine")
    assert run("list.csv", "--set", "zone=z", "--out", "there.csv", "--yes", "--force")[0] == 0
    assert "CNC-1" in (tmp_path / "there.csv").read_text("utf-8-sig")


def test_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserMistake):
        save({tmp_path / "a": b"a", tmp_path / "absent" / "b": b"b"}, force=False)
    (tmp_path / "b").write_bytes(b"mine")
    with pytest.raises(UserMistake):
        save({tmp_path / "b": b"b"}, force=False)
    assert {it.name: it.read_bytes() for it in tmp_path.iterdir()} == {"b": b"mine"}


def test_escapes_in_a_list_do_not_reach_the_terminal(tmp_path: Path, run: Run) -> None:
    (tmp_path / "list.csv").write_text(
        "设备编号,设备类型,\x1b[2J列\nA\x1b[2J,\x1b]0;x\x07机床,\x9b2J\nB,[red]x[/],y\n", "utf-8"
    )
    _, output = run("list.csv", "--set", "zone=z", "--yes")
    assert "\x1b" not in output
    assert "\x9b" not in output
    assert "[red]x[/]" in output


def typed_at_a_terminal(folder: Path, lines: list[str], *arguments: str) -> tuple[int, str]:
    """The command at a terminal of its own; each line is typed when it asks."""
    code = "import sys; from conformance.cli import main; main(sys.argv[1:])"
    near, far = pty.openpty()
    environment = os.environ | {"PLANTPROOF_LANG": "en", "COLUMNS": "120", "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, "plant", "import", *arguments],
        cwd=folder,
        env=environment,
        stdin=far,
        stdout=far,
        stderr=far,
        start_new_session=True,
    )
    os.close(far)
    output, asked, deadline = "", 0, time.monotonic() + 120
    try:
        while time.monotonic() < deadline:
            try:
                data = os.read(near, 65_536)
            except OSError:  # Linux: the other end is closed
                break
            if not data:
                break
            output += data.decode(errors="replace")
            if output.count("q to give up") > asked and asked < len(lines):
                os.write(near, f"{lines[asked]}\n".encode())
                asked += 1
        return process.wait(timeout=60), output
    finally:
        process.kill()
        os.close(near)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "odd.csv").write_text(LIST + ODD, "utf-8")
    return tmp_path


def test_at_a_terminal_the_user_is_asked_and_may_change_everything(folder: Path) -> None:
    lines = ["set zone=z", "value class:不明物=Q", "nonsense", "value class:不明物=X", "map 设备名称=-", ""]
    status, output = typed_at_a_terminal(folder, lines, "odd.csv")
    assert status == 0, output
    table = (folder / "odd.endpoints.csv").read_text("utf-8-sig")
    assert table.splitlines()[0] == "id,class,technology,zone,addresses,#source"
    assert "X-1,X,ethernet,z,192.0.2.30" in table
    assert "no code of class" in output
    assert "not understood" in output
    again = output.partition("the same without questions: ")[2].splitlines()[0]
    options = ["--set", "zone=z", "--value", "class:不明物=X", "--map", "设备名称=-", "--yes"]
    assert shlex.split(again) == ["plantproof", "plant", "import", "odd.csv", *options]


def test_at_a_terminal_the_user_may_give_up(folder: Path) -> None:
    assert typed_at_a_terminal(folder, ["q"], "odd.csv")[0] == 2
    assert {it.name for it in folder.iterdir()} == {"odd.csv"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["plant", "imp"], "import"),
        (["plant", "import", "--re"], "--rejected"),
        (["plant", "import", "list.csv", "--set", "zo"], "zone="),
        (["plant", "import", "list.csv", "--value", "tech"], "technology:"),
    ],
)
def test_shells_complete_the_command_and_its_options(tmp_path: Path, words: list[str], expected: str) -> None:
    code = "from conformance.cli import main; main()"
    environment = os.environ | {
        "_PLANTPROOF_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["plantproof", *words]),
        "COMP_CWORD": str(len(words)),
        "PLANTPROOF_LANG": "en",
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert expected in done.stdout.split(), done.stderr


def test_a_register_of_20000_rows_is_imported(tmp_path: Path, run: Run) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("清单")
    sheet.append(["设备编号", "设备名称", "设备类型", "车间", "IP地址", "接入方式"])
    for number in range(20_000):
        address = f"198.18.{number >> 8}.{number & 255}"
        sheet.append([f"E-{number:05}", "铣床", "数控机床", f"{number % 5}车间", address, "有线"])
    book.save(tmp_path / "big.xlsx")
    assert run("big.xlsx", "--set", "zone=z", "--yes")[0] == 0
    (tmp_path / "with.yaml").write_text(
        "plant: p\nzones: [{id: z}]\nvantages: [{id: v, where: local, measures: [z]}]\n"
        f"areas: [{', '.join(f'{{id: {it}车间, classes: [E], zone: z}}' for it in range(5))}]\n"
        "endpoint_files: [big.endpoints.csv]\n",
        "utf-8",
    )
    assert len(load_plant(tmp_path / "with.yaml").endpoints) == 20_000
