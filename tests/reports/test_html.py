from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from profiles.indicators.registry import known
from profiles.language import Texts
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.fingerprint import COMMAND
from reports.fingerprint import fingerprint
from reports.html import render

HOSTILE = "\"'><script>alert(1)</script>]]>&amp;{{7*7}}${x}\u202e\u2066"
VOID = {"meta", "link", "input", "br"}


class Reader(HTMLParser):
    """Reads a page and fails on anything that does not nest."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len(dict(attrs)), (tag, attrs)
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def every(self, tag: str) -> Iterator[dict[str, str]]:
        return (attributes for found, attributes in self.tags if found == tag)

    def text_of(self, tag: str) -> str:
        return "".join(text for where, text in self.texts if where == tag)


@pytest.fixture(params=["", HOSTILE], ids=["plain", "hostile"])
def page(request: pytest.FixtureRequest, make_example: Any) -> str:
    return render(make_example(endpoints=600, failing=140, hostile=request.param))


def test_the_page_is_well_formed_and_ids_are_unique(page: str) -> None:
    read = Reader(page)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert next(read.every("html"))["lang"] == "zh-CN"


def test_nothing_outside_the_file_is_referred_to(page: str) -> None:
    for tag, attributes in Reader(page).tags:
        for key in ("src", "href", "action", "srcset", "poster", "data", "xlink:href", "formaction", "ping"):
            if key in attributes:
                assert attributes[key].startswith("#") or attributes[key] == "data:,", (tag, key, attributes[key])
        assert not [key for key in attributes if key.startswith("on")]
        assert "style" not in attributes
    assert not re.findall(r"(?<![a-z])url\(|@import|https?:|//[a-z]", page.replace("http-equiv", ""), re.IGNORECASE)


def test_links_lead_to_sections_that_exist(page: str) -> None:
    read = Reader(page)
    ids = {attributes["id"] for _, attributes in read.tags if "id" in attributes}
    for tag in ("a", "use"):
        for attributes in read.every(tag):
            assert attributes["href"][1:] in ids


def test_the_policy_allows_this_script_and_style_and_nothing_else(page: str) -> None:
    policy = next(found["content"] for found in Reader(page).every("meta") if "http-equiv" in found)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for kind in ("style-src", "script-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", rules[kind])


def test_what_a_user_wrote_stays_text(make_example: Any) -> None:
    read = Reader(render(make_example(endpoints=600, failing=140, hostile=HOSTILE)))
    scripts = [attributes for tag, attributes in read.tags if tag == "script"]
    assert scripts == [{"type": "application/json", "id": "data"}, {}]
    shown = "".join(text for _, text in read.texts)
    assert "<script>alert(1)</script>]]>&amp;{{7*7}}" in shown
    assert "49${x}" not in shown
    assert "\u202e" not in shown
    assert "‹U+202E›" in shown


def test_the_embedded_data_is_json_that_no_markup_can_leave(make_example: Any) -> None:
    page = render(make_example(endpoints=600, failing=140, hostile=HOSTILE))
    raw = page.split('id="data">')[1].split("</script>")[0]
    assert "<" not in raw
    data = json.loads(raw)
    assert len(data["lists"]["NET-RCH-E"]) == 140
    assert "<script>alert(1)</script>" in data["things"]["id"][0]
    assert "<script>alert(1)</script>" in data["things"]["name"][0]
    assert all(len(column) == len(data["things"]["id"]) for column in data["things"].values())


def test_every_text_is_there_in_both_languages(make_example: Any) -> None:
    read = Reader(render(make_example()))
    shown = "".join(text for _, text in read.texts)
    assert "不符合" in shown
    assert "Nonconformant" in shown
    spans = [attributes for attributes in read.every("span") if attributes.get("class") in ("zh", "en")]
    assert {(one["class"], one["lang"]) for one in spans} == {("zh", "zh-CN"), ("en", "en")}
    assert sum(one["class"] == "zh" for one in spans) == sum(one["class"] == "en" for one in spans)


@pytest.mark.parametrize(("language", "lang", "title"), [("zh", "zh-CN", "报告"), ("en", "en", "report")])
def test_it_opens_in_the_language_asked_for(make_example: Any, language: str, lang: str, title: str) -> None:
    read = Reader(render(make_example(), language))
    html = next(read.every("html"))
    assert (html["lang"], html["data-lang"]) == (lang, language)
    assert title in read.text_of("title")


def test_another_language_is_refused(make_example: Any) -> None:
    with pytest.raises(ValueError, match="fr"):
        render(make_example(), "fr")


def test_every_item_has_a_section_and_a_row_in_the_summary(make_example: Any) -> None:
    bundle = make_example()
    read = Reader(render(bundle))
    sections = {attributes["id"] for attributes in read.every("article")}
    links = {attributes["href"][1:] for attributes in read.every("a")}
    for result in bundle.campaign.results:
        if not result.scope:
            assert result.item in sections
            assert result.item in links


def test_twenty_thousand_failing_endpoints_stay_below_five_megabytes(make_example: Any) -> None:
    page = render(make_example(endpoints=20_000, failing=20_000, echoes=0))
    assert len(page.encode()) < 5_000_000
    assert page.count('<tr><th scope="row" class="id">') == 100
    assert "p-19998" in page


def test_twenty_thousand_endpoints_stay_below_four_megabytes(make_example: Any) -> None:
    page = render(make_example(endpoints=20_000, failing=500, echoes=0))
    assert len(page.encode()) < 4_000_000


def test_an_unsealed_kind_of_text_cannot_break_the_encoding(make_example: Any) -> None:
    render(make_example(hostile="\x00\x85\ufffe")).encode()


def test_the_same_bundle_gives_the_same_page(make_bundle: Any) -> None:
    bundle = make_bundle()
    assert render(bundle) == render(Bundle.open(bundle.path))


def test_the_fingerprint_can_be_computed_with_common_tools(make_bundle: Any) -> None:
    bundle = make_bundle()
    (bundle.path / "report.html").write_text("a rendering is no evidence")
    (bundle.path / "raw").mkdir()
    computed = subprocess.run(["bash", "-c", COMMAND], cwd=bundle.path, capture_output=True, text=True, check=True)
    assert computed.stdout.split()[0] == fingerprint(bundle.manifest)
    assert fingerprint(bundle.manifest) in render(bundle)


def test_the_fingerprint_changes_with_the_evidence_and_not_with_renderings(make_bundle: Any) -> None:
    manifest = make_bundle().manifest
    some = manifest.files["results.json"]
    other = some.model_copy(update={"sha256": "0" * 64})

    def changed(name: str) -> str:
        return fingerprint(manifest.model_copy(update={"files": manifest.files | {name: other}}))

    assert changed("results.json") != fingerprint(manifest)
    assert changed("raw/nmap.txt") != fingerprint(manifest)
    assert changed("report.html") == changed("junit.xml") == fingerprint(manifest)


def test_the_recipe_for_the_raw_rows_works_as_printed(make_bundle: Any) -> None:
    bundle = make_bundle()
    recipe = next(
        text for where, text in Reader(render(bundle)).texts if where == "pre" and text.startswith("import json")
    )
    command = [sys.executable, "-c", recipe.replace("ITEM", "NET-RCH-S")]
    done = subprocess.run(command, cwd=bundle.path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{5 * 15}\n")


def test_every_quantity_and_rule_and_verdict_of_the_report_has_words() -> None:
    codes = set(Texts.of("reports").codes())
    templates = Path(__file__).parents[2] / "reports" / "html" / "templates"
    every = "".join(path.read_text("utf-8") for path in templates.glob("*.jinja"))
    said = set(re.findall(r'say\("([\w.-]+)"[,)]', every))
    facts = set(re.findall(r'fact\("([\w.-]+)"', every))
    assert said | facts
    assert {f"report.{code}" for code in said | facts} <= codes


def test_every_indicator_that_is_computed_is_defined_in_both_languages() -> None:
    """Without a text of its own, a reader of Chinese would be shown the docstring."""
    computed = {id for id, it in known().items() if it.reduce and it.reduce.__module__.startswith("profiles.")}
    assert {f"report.definition.{id}" for id in computed} <= set(Texts.of("reports").codes())


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["--lang", "en", "report", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_the_command_writes_the_report_beside_the_bundle(make_bundle: Any, capsys: Any) -> None:
    bundle = make_bundle()
    status, out, _ = command(capsys, str(bundle.path))
    written = bundle.path.with_name("bundle.html")
    assert (status, out.strip()) == (0, str(written))
    assert 'data-lang="en"' in written.read_text()


def test_the_command_takes_a_language_and_a_file(make_bundle: Any, capsys: Any, tmp_path: Path) -> None:
    out = tmp_path / "other.html"
    status, _, _ = command(capsys, str(make_bundle().path), "--lang", "zh", "--out", str(out))
    assert status == 0
    assert 'data-lang="zh"' in out.read_text()


@pytest.mark.parametrize("name", ["results.json", "plant.yaml", "observations.parquet", "manifest.json"])
def test_a_damaged_bundle_is_told_and_nothing_is_written(make_bundle: Any, capsys: Any, name: str) -> None:
    bundle = make_bundle()
    (bundle.path / name).write_bytes(b"{broken")
    status, _, err = command(capsys, str(bundle.path))
    assert status == 4
    assert name in err
    assert "Traceback" not in err
    assert not bundle.path.with_name("bundle.html").exists()


def test_no_bundle_and_no_place_to_write_are_told(make_bundle: Any, capsys: Any, tmp_path: Path) -> None:
    assert command(capsys, str(tmp_path / "nowhere"))[0] == 4
    bundle = make_bundle()
    status, _, err = command(capsys, str(bundle.path), "--out", str(tmp_path / "no" / "folder.html"))
    assert (status, "--out" in err) == (4, True)
    status, _, err = command(capsys, str(bundle.path), "--out", str(bundle.path / "report.html"))
    assert (status, "into the bundle" in err) == (4, True)
    assert command(capsys, str(bundle.path), "--lang", "fr")[0] == 4


def test_a_bundle_without_a_manifest_is_refused(make_bundle: Any) -> None:
    bundle = make_bundle()
    os.unlink(bundle.path / "manifest.json")  # noqa: PTH108
    with pytest.raises(UserMistake):
        render(Bundle.open(bundle.path))
