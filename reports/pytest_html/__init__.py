"""A campaign as the page of pytest-html, which many test departments already read: the bundle's results are replayed.

A pytest session of its own (:mod:`reports.pytest_html.replay`) takes each planned item as a test and ends it as the
campaign did; nothing is measured and nothing is sent. The page holds everything, and a content security policy sees to
it that it loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import moment
from reports.result import Result
from reports.tables.cells import one_line
from reports.view.item import ItemView
from reports.view.material import Material
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view
from reports.waivers import day_of_test
from reports.waivers import waived
from reports.wording import Said
from reports.wording import note
from reports.wording import reason
from reports.wording import same
from reports.wording import say

#: How a verdict ends a test of pytest.
OUTCOMES = {
    Verdict.PASS: "passed",
    Verdict.INFO: "passed",
    Verdict.FAIL: "failed",
    Verdict.ERROR: "error",
    Verdict.INCONCLUSIVE: "skipped",
    Verdict.NOT_APPLICABLE: "skipped",
    Verdict.NOT_TESTED: "skipped",
}
#: Columns beside those of pytest-html.
COLUMNS = ("title", "verdict", "value", "limit")
_OFFENDERS = 50  #: objects named under an item; all of them stand in the bundle
_TIMEOUT_S = 600
#: Words of pytest-html's own page, as ``report.replay.page-NAME``; English is what it says itself.
_WORDS = ("environment", "summary", "filter", "show-all", "hide-all", "none")


def write_report(bundle: Bundle, out: Path, language: str = "zh") -> None:
    """Write the page to ``out``, which is replaced.

    Raises:
        OSError: if it cannot be written, or pytest cannot be run.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    read = material(bundle, delays=False)
    page = view(read, register=False)
    waivers = waived(read.campaign.results, bundle.waivers, read.plant)
    day = day_of_test(read.campaign)
    told = {item: [one.told(day) for one in found] for item, found in waivers.items()}
    whole = [result for result in read.campaign.results if not result.scope]
    rows = [_row(result, item, told.get(item.id, []), language) for result, item in zip(whole, page.items, strict=True)]
    replay = {
        "title": one_line(page.title.in_language(language)),
        "head": [_cell("th", name, say(f"replay.{name}").in_language(language)) for name in ("result", "test", "time")],
        "columns": [_cell("th", name, say(f"replay.{name}").in_language(language)) for name in COLUMNS],
        "labels": {name: say(f"replay.{name}").in_language(language) for name in set(OUTCOMES.values())},
        "environment": {one_line(name): _shown(text) for name, text in _environment(page, language)},
        "summary": [f"<p>{_shown(one.in_language(language))}</p>" for one in _summary(page)],
        "rows": rows,
    }
    out.write_text(_sealed_off(_worded(_replayed(replay), read, page, language)), encoding="utf-8")


def _row(result: Result, item: ItemView, waivers: list[Said], language: str) -> dict[str, Any]:
    """One test: how it ends, its cells and what is told below it, all as markup."""
    told = {
        "title": item.title.in_language(language),
        "verdict": item.word.in_language(language),
        "value": item.figures.value,
        "limit": item.figures.threshold,
    }
    why = item.reason.in_language(language)
    lines = [f"{told['verdict']} · {why}", *(one.in_language(language) for one in waivers)]
    if item.figures.interval != "–":
        lines.append(item.figures.uncertainty.in_language(language))
    if item.figures.value != "–":
        lines.append(item.basis.rule.in_language(language))
    lines += [one.in_language(language) for one in item.notes]
    lines += _offenders(result, language)
    if item.remedy is not None:
        lines.append(f"{say('replay.remedy').in_language(language)} {item.remedy.in_language(language)}")
    return {
        "outcome": OUTCOMES[result.verdict],
        "why": one_line(why),
        "test": _cell("td", "testId", item.id),
        "time": _cell("td", "duration", _duration(result)),
        "cells": [_cell("td", name, text) for name, text in told.items()],
        "log": "\n".join(map(_shown, lines)),
    }


def _offenders(result: Result, language: str) -> Iterator[str]:
    for finding in result.failing[:_OFFENDERS]:
        said = (reason(finding.reason), note(finding.reason, finding.note))
        yield " · ".join([finding.target, *(text for one in said if (text := one.in_language(language)))])
    if len(result.failing) > _OFFENDERS:
        yield say("table.more", count=len(result.failing) - _OFFENDERS).in_language(language)


def _duration(result: Result) -> str:
    if result.started_utc_ns is None or result.ended_utc_ns is None:
        return "–"
    return f"{max(0, result.ended_utc_ns - result.started_utc_ns) / 1e9:.1f} s"


def _summary(page: Page) -> Iterator[Said]:
    """The outcome, what may be claimed, and what limits it; then what did not go as planned."""
    yield from (page.headline, page.why, *page.claims, page.limits, say("claim.items-tested"))
    for one in (*map(same, page.departures.stated), *page.departures.recorded):
        title = say("departure.title")
        yield Said(f"{title.zh}：{one.zh}", f"{title.en}: {one.en}")


def _environment(page: Page, language: str) -> Iterator[tuple[str, str]]:
    for fact in page.particulars:
        if fact.stated:
            yield fact.name.in_language(language), fact.value.in_language(language)
    yield say("page.host").in_language(language), page.host
    yield say("page.hash").in_language(language), page.fingerprint
    yield say("page.versions").in_language(language), ", ".join(f"{name} {it}" for name, it in page.versions)


def _cell(tag: str, name: str, text: str) -> str:
    """A cell as pytest-html wants it: what it sorts by is the cell's text."""
    if tag == "td":
        return f'<td class="col-{name}">{_shown(text)}</td>'
    kind = {"test": "testId", "time": "duration"}.get(name, name)
    return f'<th class="sortable" data-column-type="{kind}">{_shown(text)}</th>'


def _shown(text: str) -> str:
    return escape(one_line(text))


def _replayed(replay: dict[str, Any]) -> str:
    """The page that pytest-html makes of the session.

    Raises:
        OSError: if there is none.
    """
    with tempfile.TemporaryDirectory(prefix="plantproof-") as folder:
        given, made = Path(folder, "replay.json"), Path(folder, "report.html")
        given.write_text(json.dumps(replay), encoding="utf-8")
        # the page quotes the style's path: here it is a bare name
        shutil.copyfile(Path(__file__).with_name("page.css"), Path(folder, "page.css"))
        # Nobody's settings, plugins or options: the page depends on the bundle alone.
        environment = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST", "PY_"))}
        environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        try:
            ended = subprocess.run(
                [sys.executable, "-m", "reports.pytest_html.replay", str(given), str(made)],
                cwd=folder, env=environment, capture_output=True, timeout=_TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise OSError(f"pytest did not end within {_TIMEOUT_S} s") from error
        if not made.is_file():
            raise OSError(f"pytest-html made no page: {(ended.stderr or ended.stdout)[-500:].decode(errors='replace')}")
        return made.read_text("utf-8")


def _worded(html: str, read: Material, page: Page, language: str) -> str:
    """The page with its own words in the language, and without the moment and the duration of the replay."""
    head, blob, rest = html.partition('<div id="data-container"')
    sealed = moment(read.manifest.sealed_utc)
    count = _shown(say("replay.count", planned=page.planned, judged=page.judged, sealed=sealed).in_language(language))
    head = re.sub(r"Report generated on .+? at .+? by", "", head, count=1)
    head = re.sub(r'(?s)<p class="run-count">.*?</p>', lambda _: f'<p class="run-count">{count}</p>', head, count=1)
    head = head.replace(' onclick="location.reload()"', "")  # of a page that grows, and no script that is let run
    for name in _WORDS:
        word = say(f"replay.page-{name}")
        head = head.replace(f">{word.en}<", f">{word.in_language(language)}<", 1)
    return head.replace("<html>", f'<html lang="{"zh-CN" if language == "zh" else "en"}">', 1) + blob + rest


def _sealed_off(html: str) -> str:
    """The page with a policy by which it runs its own script and loads nothing."""
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    ]
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes)}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return html.replace("<head>", f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{policy}"/>', 1)
