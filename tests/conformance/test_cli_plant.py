"""``plantproof plant``: as typed by a user, with what is printed and the exit status."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from conformance.cli.app import run as command
from fixtures.plant.loader import load_plant
from profiles.language import LANGUAGES
from profiles.language import choose_language

DOCUMENTATION = [
    ipaddress.ip_network(it) for it in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
Run = Callable[..., tuple[int, str]]
EXAMPLE = files("fixtures.plant").joinpath("example.yaml").read_text("utf-8")


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    choose_language(request.param)
    yield request.param
    choose_language(None)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command as typed; what it returns is its exit status and all that it printed."""
    monkeypatch.setenv("COLUMNS", "140")

    def typed(*arguments: str | Path) -> tuple[int, str]:
        status = command(["plant", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return typed


@pytest.mark.usefixtures("language")
def test_a_new_plant_file_passes_the_check(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "plant.yaml"
    assert run("new", file)[0] == 0
    status, output = run("check", file)
    assert status == 0
    for shown in ("示例工厂", "cell-a", "192.0.2.0/25", "jump-a", "hall-1", "CHANGE-ME", "query"):
        assert shown in output


def test_an_existing_file_is_left_as_it_is(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("mine")
    status, output = run("new", file)
    assert status == 4
    assert str(file) in output
    assert file.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, run: Run) -> None:
    assert run("new", tmp_path / "absent" / "plant.yaml")[0] == 4


def test_the_example_uses_documentation_addresses_only_and_speaks_both_languages() -> None:
    found = re.findall(r"(?<![\w.])(?:\d+\.){3}\d+|[0-9a-f]*:[0-9a-f:]*::[0-9a-f:]*", EXAMPLE)
    assert len(found) > 10
    assert all(any(ipaddress.ip_address(it) in network for network in DOCUMENTATION) for it in found)
    comments = [line for line in EXAMPLE.splitlines() if line.lstrip().startswith("#")]
    assert any(re.search("[一-鿿]", line) for line in comments)
    assert any(re.search("[A-Za-z]{4} [a-z]{2}", line) for line in comments)


def test_the_examples_commented_lines_are_right_as_well(tmp_path: Path, run: Run) -> None:
    text = re.sub(r"(?m)^( *)# (open_\w+:|tailoring:|  - \{requirement)", r"\1\2", EXAMPLE)
    assert text.count("\n      open_") == 2
    file = tmp_path / "plant.yaml"
    file.write_text(text, "utf-8")
    assert len(load_plant(file).tailoring) == 1
    assert run("check", file)[0] == 0


@pytest.mark.usefixtures("language")
def test_all_mistakes_are_printed_with_status_4(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(EXAMPLE.replace("kind: it", "kind: its").replace("id: PAD-07", "id: CNC-01"), "utf-8")
    status, output = run("check", file)
    assert status == 4
    first, second = output.splitlines()
    assert first.startswith(f"{file}:{line_of('kind: it')}:11 zones[1].kind: ")
    assert second.startswith(f"{file}:{line_of('id: PAD-07')}:10 endpoints[1].id: ")


def line_of(text: str) -> int:
    """The line of the example that holds ``text``."""
    return EXAMPLE[: EXAMPLE.index(text)].count("\n") + 1


def test_sums_are_by_class_and_technology(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTPROOF_LANG", "en")
    file = tmp_path / "plant.yaml"
    file.write_text(EXAMPLE, "utf-8")
    output = run("check", file)[1]
    rows = [line.split() for line in output.splitlines()]
    assert ["E", "equipment", "0", "0", "1", "1"] in rows
    assert ["X", "other", "terminals", "1", "0", "1", "2"] in rows
    assert ["all", "2", "1", "2", "5"] in rows


def test_escapes_in_a_file_do_not_reach_the_terminal(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(EXAMPLE.replace("一号车间", r'"\e[2J"'), "utf-8")
    assert "\x1b" not in run("check", file)[1]
    file.write_text(EXAMPLE.replace("kind: it", r'kind: "\x9b2J"'), "utf-8")
    status, output = run("check", file)
    assert status == 4
    assert "\x9b" not in output


def test_markup_in_a_name_is_shown_as_it_is(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(EXAMPLE.replace("一号车间", "'[red]hall[/]'"), "utf-8")
    assert "[red]hall[/]" in run("check", file)[1]


@pytest.fixture
def schema(run: Run) -> dict[str, Any]:
    status, output = run("schema")
    assert status == 0
    found: dict[str, Any] = json.loads(output)
    return found


def test_the_schema_describes_every_field(schema: dict[str, Any]) -> None:
    made = schema
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    models = [made, *made["$defs"].values()]
    assert len(models) > 9
    for model in models:
        assert model["additionalProperties"] is False
        for name, entry in model["properties"].items():
            assert entry.get("description"), name


def test_the_schema_names_keys_as_files_do(schema: dict[str, Any]) -> None:
    endpoint = schema["$defs"]["Endpoint"]
    assert {"id", "class", "zone"} == set(endpoint["required"])
    assert "cls" not in endpoint["properties"]


def test_the_schemas_patterns_compile_everywhere(schema: dict[str, Any]) -> None:
    def patterns(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (it for key, it in node.items() if key == "pattern" and isinstance(it, str))
            node = list(node.values())
        for it in node if isinstance(node, list) else ():
            yield from patterns(it)

    found = set(patterns(schema))
    assert len(found) >= 3
    for pattern in found:
        assert "\\p{" not in pattern
        re.compile(pattern)
