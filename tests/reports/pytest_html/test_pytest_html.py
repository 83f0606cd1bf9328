"""The page of pytest-html: every item with its verdict, nothing loaded, nothing executed, the same each time."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import reports.pytest_html
from profiles.language import LANGUAGES
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.formats import FORMATS
from reports.pytest_html import OUTCOMES

HOSTILE = "\"'><script>alert(1)</script><img/src=x\\1onerror=alert(2)>]]>&amp;{{7*7}}${x}::()data-jsonblob=\u202e\u2066"

Make = Callable[..., Bundle]


def written(bundle: Bundle, folder: Path, language: str = "zh") -> str:
    out = folder / f"{language}.html"
    FORMATS["pytest-html"].write(Bundle(bundle.path), out, language)
    return out.read_text("utf-8")


def data_of(page: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unescape(re.findall(r'id="data-container" data-jsonblob="(.*?)"', page)[0]))
    return found


class Texts(HTMLParser):
    """The text of markup, and its tags."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def rows_of(page: str) -> dict[str, tuple[str, list[str], str]]:
    """By item: what pytest calls it, its cells, and what is told below."""
    rows = {}
    for tests in data_of(page)["tests"].values():
        [test] = tests
        cells = [Texts(cell).text for cell in test["resultsTableRow"]]
        rows[cells[1]] = (test["result"], cells, Texts(test["log"]).text)
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_item_is_a_test_that_ended_like_it(make_bundle: Make, tmp_path: Path, language: str) -> None:
    bundle = make_bundle()
    page = written(bundle, tmp_path, language)
    rows = rows_of(page)
    whole = {result.item: result for result in bundle.campaign.results if not result.scope}
    assert rows.keys() == whole.keys()
    assert {result.verdict for result in whole.values()} == set(Verdict) == set(OUTCOMES)
    for item, (outcome, _, _) in rows.items():
        assert outcome.lower() == OUTCOMES[whole[item].verdict]
    outcome, cells, log = rows["NET-RCH-E"]
    assert cells == {
        "zh": ["Failed", "NET-RCH-E", "生产装备网络接入可达率", "不通过", "40\u00a0%", "≥\u00a0100\u00a0%", "94.0 s"],
        "en": ["Failed", "NET-RCH-E", "Access reachability of production equipment", "fail", "40\u00a0%",
               "≥\u00a0100\u00a0%", "94.0 s"],
    }[language]  # fmt: skip
    assert all(finding.target in log for finding in whole["NET-RCH-E"].failing)
    assert {"zh": "检查终端供电", "en": "Check the terminal's power"}[language] in log
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page
    assert ("Show all details" in page) == (language == "en")


def test_the_page_is_the_same_each_time_and_tells_nothing_of_this_machine(
    make_bundle: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle()
    first = written(bundle, tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing --no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    assert written(bundle, tmp_path) == first
    assert "Report generated on" not in first
    for word in (str(tmp_path), str(Path(reports.pytest_html.__file__).parent), "Platform", "JAVA_HOME"):
        assert word not in first
    assert "2027-01-15 08:01:36 UTC" in first


def test_a_hostile_name_is_text_and_nothing_is_loaded(make_bundle: Make, tmp_path: Path) -> None:
    page = written(make_bundle(hostile=HOSTILE), tmp_path)
    outside = Texts(page)
    assert [attributes for tag, attributes in outside.tags if tag == "script"] == [{}]
    policy = next(str(it["content"]) for tag, it in outside.tags if it.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert not [it for _, it in outside.tags if {name for name in it if name.startswith("on")}]
    assert {it.get("src") or "" for _, it in outside.tags} == {""}
    assert {it["href"] for _, it in outside.tags if "href" in it} == {"https://pypi.python.org/pypi/pytest-html"}
    data = data_of(page)
    markup = [cell for tests in data["tests"].values() for test in tests for cell in test["resultsTableRow"]]
    markup += [test["log"] for tests in data["tests"].values() for test in tests]
    markup += [*data["environment"].values()]
    assert {tag for one in markup for tag, _ in Texts(one).tags} == {"td"}
    seen = "".join(Texts(one).text for one in markup)
    assert "<script>alert(1)</script>" in seen
    assert "‹U+202E›" in seen
    assert "\u202e" not in page


def test_a_session_that_makes_no_page_is_told(
    make_bundle: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = subprocess.CompletedProcess([], 4, b"", b"no pytest-html here")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(OSError, match="no pytest-html here"):
        written(make_bundle(), tmp_path)


@pytest.mark.browser
def test_a_browser_shows_every_item_and_runs_no_name(make_bundle: Make, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    FORMATS["pytest-html"].write(make_bundle(hostile=HOSTILE), out, "zh")
    ended = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", f"--user-data-dir={tmp_path}/chromium",
         "--enable-logging=stderr", "--dump-dom", out.as_uri()], capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    assert b"Content Security Policy" not in ended.stderr
    assert b"Uncaught" not in ended.stderr
    shown = Texts(ended.stdout.decode())
    bodies = [str(it.get("class")) for tag, it in shown.tags if tag == "tbody"]
    assert sorted(re.sub("results-table-row ", "", it) for it in bodies if "results-table-row " in it) == [
        "error", "failed", "passed", "passed", "passed", "skipped", "skipped", "skipped",
    ]  # fmt: skip
    assert not [it for tag, it in shown.tags if tag == "img" and it.get("onerror")]
