"""What ``--help`` says, of every command at every depth: whole, in one language, and true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from conformance.cli.app import COMMANDS
from reports.formats import FORMATS
from reports.forms.annex.make import MADE

HAN = re.compile("[\u4e00-\u9fff]")
#: What nobody translates: names of options, kinds of values, and the library's own word before an example.
ENGLISH_SENTENCE = re.compile(r"\b(?:[a-z]{2,} ){3,}[a-z]{2,}\b")

ALL = """
import sys
import typer
from conformance.cli import app
from profiles.language import choose_language

def walk(words):
    sys.stdout.write("\\f" + " ".join(words) + "\\n")
    sys.stdout.flush()
    app.run([*words, "--help"])
    for below in getattr(app._imported(words[0]), "commands", {}) if len(words) == 1 else ():
        walk([*words, below])

app.run(["--help"])
for name in app.COMMANDS:
    walk([name])
"""


def pages(language: str) -> Iterator[tuple[str, str]]:
    environment = os.environ | {"PLANTPROOF_LANG": language, "COLUMNS": "80", "TERM": "dumb"}
    command = [sys.executable, "-c", ALL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    for page in done.stdout.split("\f")[1:]:
        name, _, text = page.partition("\n")
        yield name, text


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, str]]:
    """Pages of help by language and command."""
    return {language: dict(pages(language)) for language in ("zh", "en")}


def test_every_page_is_whole_and_speaks_one_language(told: dict[str, dict[str, str]]) -> None:
    assert len(told["zh"]) > len(COMMANDS)
    assert told["zh"].keys() == told["en"].keys()
    for name, text in told["en"].items():
        assert not HAN.search(text), (name, text)
        assert "…" not in text, (name, text)
    for name, text in told["zh"].items():
        assert HAN.search(text), (name, text)
        assert not ENGLISH_SENTENCE.search(text), (name, text)
        assert "…" not in text, (name, text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_formats_and_forms_that_are_named_are_those_there_are(
    told: dict[str, dict[str, str]], language: str
) -> None:
    page = re.sub(r"[\s│]+", " ", told[language]["report"])
    assert all(re.search(rf"[ ：]{name}\b", page) for name in (*FORMATS, *MADE)), page
