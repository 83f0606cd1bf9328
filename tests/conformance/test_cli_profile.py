"""``plantproof`` and ``plantproof profile``, run as a user runs them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.cli.app import COMMANDS
from profiles.language import Texts
from profiles.language import choose_language
from profiles.loader import dump
from profiles.loader import load_profile
from profiles.loader import shipped
from profiles.verdict import ExitStatus


@pytest.fixture(autouse=True)
def _wide_and_without_a_language_left_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PLANTPROOF_LANG", "zh")
    yield
    choose_language(None)


class Said:
    """Exit status and output of one command."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        self.status = exit.value.code
        self.out, self.err = capsys.readouterr()


def test_help_lists_every_group_and_imports_none_of_them() -> None:
    code = (
        "import sys\nfrom conformance.cli import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n    print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    for name in COMMANDS:
        assert f" {name} " in done.stdout
    imported = done.stderr.split()
    assert "conformance.cli.app" in imported
    heavy = {"pydantic", "scapy", "pint", "scipy", "pyarrow", "pysnmp", "jinja2", "pytest"}
    assert not heavy & set(imported)
    assert not [name for name in imported if name in {f"conformance.cli.{module}" for module, _ in COMMANDS.values()}]


@pytest.mark.parametrize("arguments", [("--lang", "en", "--help"), ("--lang=en", "--help"), ("--lang", "en")])
def test_help_speaks_the_language_asked_for(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", "from conformance.cli import main; main()", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if arguments[-1] == "--help":
        assert Texts.of("conformance").get("cli.profile", "en") in done.stdout
        assert not re.search("[\u4e00-\u9fff]", done.stdout)
    else:
        assert done.returncode == ExitStatus.USAGE


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_group_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    said = Said(capsys, name, "--help")
    assert (said.status, said.err) == (0, "")
    assert "--help" in said.out


def test_no_argument_shows_help_and_version_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys)
    assert said.status == 0
    assert "profile" in said.out
    assert Said(capsys, "--version").out == f"plantproof {version('plantproof')}\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("profle",), "profile"),
        (("--lang", "fr", "profile", "list"), "fr"),
        (("profile", "show"), "NAME"),
        (("profile", "list", "--wrong"), "--wrong"),
        (("profile", "show", "terminal-reachability", "--requirement", "X"), "NET-RCH-PSX"),
        (("profile", "check", "shanghai-617-2021"), "shanghai-617-2022"),
        (("profile", "show", "absent.yaml"), "absent.yaml"),
    ],
)
def test_mistakes_are_told_as_text_on_stderr_and_exit_4(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], hint: str
) -> None:
    said = Said(capsys, *arguments)
    assert (said.status, said.out) == (ExitStatus.USAGE, "")
    assert hint in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("language", ["zh", "en"])
def test_list_shows_every_shipped_profile(capsys: pytest.CaptureFixture[str], language: str) -> None:
    said = Said(capsys, "--lang", language, "profile", "list")
    assert said.status == 0
    for name in shipped():
        profile = load_profile(name)
        assert name in said.out
        assert getattr(profile.title, language)[:12] in said.out
    assert re.search(r"shanghai-617-2022 .* 48 +19", said.out)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_show_gives_every_requirement_a_line(capsys: pytest.CaptureFixture[str], language: str) -> None:
    said = Said(capsys, "--lang", language, "profile", "show", "shanghai-617-2022")
    for it in load_profile("shanghai-617-2022").requirements:
        assert f" {it.id} " in said.out
    assert re.search(r"NET-DUMB .* < 30 % +R0 / R2", said.out)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("id", ["NET-DUMB", "net-rch-p", "CMP-NETQ-RTT", "NET-TECH-5G"])
def test_show_tells_everything_about_one_requirement(
    capsys: pytest.CaptureFixture[str], language: str, id: str
) -> None:
    said = Said(capsys, "--lang", language, "profile", "show", "shanghai-617-2022", "--requirement", id)
    it = next(it for it in load_profile("shanghai-617-2022").requirements if it.id == id.upper())
    plain = re.sub(r"\s+", "", said.out)
    facts = [it.id, it.indicator, it.source.clause, it.source.quote or "", getattr(it.title, language)]
    facts += [getattr(it.remedy, language), f"{it.rule.value}" if it.rule != "info" else ""]
    facts += [it.threshold.value, it.threshold.source.quote or ""] if it.threshold else []
    for fact in facts:
        assert re.sub(r"\s+", "", fact) in plain


def test_show_details_holds_every_quote_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    plain = re.sub(r"\s+", "", Said(capsys, "profile", "show", "terminal-reachability", "--details").out)
    for it in load_profile("terminal-reachability").requirements:
        assert re.sub(r"\s+", "", it.remedy.zh) in plain


def test_show_resolved_is_the_dump(capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "profile", "show", "terminal-reachability", "--resolved")
    assert said.out == dump(load_profile("terminal-reachability"))


def test_check_sums_up_a_sound_file_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "profile: mine\nversion: '3'\ntitle: {zh: 甲, en: a}\ndescription: {zh: 甲, en: a}\n"
        "extends: [shanghai-617-2022]\nomitted: {SEC-DEL: 外包}\n",
        encoding="utf-8",
    )
    said = Said(capsys, "--lang", "en", "profile", "check", str(file))
    assert said.status == 0
    assert said.out == (
        "OK: mine 3, 48 requirements; limits: stated in the policy document 7, set by this project 6; "
        "19 without a limit yet, 16 reported only, 1 left out.\n"
    )
    assert len(Said(capsys, "profile", "check", str(file)).out.splitlines()) == 1


def test_check_tells_all_mistakes_each_on_its_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("profile: Mine\nversion: 1\ntitle: \x1b[31m\n")
    said = Said(capsys, "profile", "check", str(file))
    assert said.status == ExitStatus.USAGE
    assert said.err.startswith(f"{file}:3:8: ")  # the control character stops the reading
    file.write_text('profile: Mine\nversion: 1\n"\\e[31m": x\ntitle: {zh: a, en: b}\n')
    said = Said(capsys, "profile", "check", str(file))
    lines = said.err.splitlines()
    assert [line.removeprefix(f"{file}:").split(" ")[0] for line in lines] == ["1:1:", "1:10", "2:10", "3:1"]
    assert "\x1b" not in said.err


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert "override" in json.loads(Said(capsys, "profile", "schema").out)["properties"]
