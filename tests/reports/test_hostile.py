# ruff: noqa: S314 - the XML is what we wrote
"""A bundle whose every name is hostile: each format shows the names, and none of them does anything."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from openpyxl import load_workbook
from pypdf import PdfReader

from profiles import yaml12
from profiles.language import LANGUAGES
from reports.bundle import Bundle
from reports.formats import FORMATS

#: HTML, templates, Markdown, formulas, references, control and reordering characters; a name as long as a page.
NAME = (
    "=cmd|'/C calc'!A0;=1+1\"'><script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;&#60;{{7*7}}{% raw %}${x}"
    "[a](javascript:alert(1))![b](http://192.0.2.1/x.png)<http://192.0.2.1>`c`|d|**e** # f\\1%s%n"
    "\u202eabc\u2066\u200b\ufeff\U000e0041😀 _x000D_ "
)
CONTROLS = "\x00\x07\x1b[31m\r\n\t\x7f\x85"
MARK = "alert(1)"  #: of the name, wherever it is shown
LIMIT = 40 << 20  #: bytes of one report of this bundle
_SPOKEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\U000e0000-\U000e007f\x00\x07\x1b]")
_TEXT = {".xml", ".rels", ".json", ".csv", ".md", ".html"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, examples: Any) -> Bundle:
    """The example campaign with hostile names, notes, scopes and events, and a name of 10,000 letters."""
    folder = tmp_path_factory.mktemp("hostile")
    example, write_bundle = examples
    made = example(folder, endpoints=24, failing=4, hostile=NAME)
    ends = made.plant.endpoints
    odd = [ends[0].model_copy(update={"name": f"{NAME}{'长' * 10_000}"})]
    odd.append(ends[1].model_copy(update={"name": CONTROLS + NAME}))
    made.plant = made.plant.model_copy(update={"endpoints": (*odd, *ends[2:])})
    first, *rest = made.campaign.results
    noted = [one.model_copy(update={"note": f"{CONTROLS}{one.note}{'n' * 10_000}"}) for one in first.failing]
    results = (first.model_copy(update={"failing": tuple(noted)}), *rest)
    made.campaign = made.campaign.model_copy(update={"results": results, "host": f"{CONTROLS}{NAME}"})
    written: Bundle = write_bundle(made, folder / "bundle")
    waiver = {"id": "NET-RCH-E", "justification": NAME, "owner": NAME, "approver": "B", "expires": "2027-03-31"}
    stated = {"client": NAME, "deviations": [NAME], "conditions": [NAME], "remarks": [NAME]}
    (written.path / "waivers.yaml").write_text(yaml12.dump({"format": "plantproof-waivers/1", "waivers": [waiver]}))
    (written.path / "particulars.yaml").write_text(yaml12.dump({"format": "plantproof-particulars/1"} | stated))
    return Bundle(written.path)


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(page: Page, scripts: int) -> None:
    """Nothing that came from a name is an element that does anything."""
    assert sum(tag == "script" and "type" not in it for tag, it in page.elements) <= scripts
    for tag, attributes in page.elements:
        assert tag not in {"iframe", "object", "embed", "base", "form"}
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("href", "src", "xlink:href", "action"):
            assert not re.match(r"\s*(javascript|vbscript):", attributes.get(name, ""), re.IGNORECASE)
            assert "192.0.2.1" not in attributes.get(name, ""), (tag, name)


def members(path: Path) -> Iterator[tuple[str, str]]:
    """Every text in a file, a folder or a ZIP archive."""
    if path.is_dir():
        yield from ((it.name, it.read_text("utf-8")) for it in path.iterdir())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if Path(name).suffix in _TEXT:
                    yield name, archive.read(name).decode("utf-8")
    elif path.suffix in _TEXT:
        yield path.name, path.read_text("utf-8-sig")


def texts_of(format: str, path: Path) -> str:
    """The text of a report as a reader sees it, after the checks of its format."""
    checked = {
        "html": page_text, "pytest-html": page_text, "markdown": markdown_text, "csv": csv_text,
        "csv-objects": csv_text, "xlsx": workbook_text, "docx": word_text, "pdf": pdf_text, "oscal": oscal_text,
        "junit": xml_text, "junit-totals": xml_text,
    }  # fmt: skip
    return checked[format](path)


def page_text(path: Path) -> str:
    page = Page(path.read_text("utf-8"))
    harmless(page, scripts=1)
    policy = [it["content"] for _, it in page.elements if it.get("http-equiv") == "Content-Security-Policy"]
    assert policy
    assert policy[0].startswith("default-src 'none'")
    return page.text + "".join(it.get("data-jsonblob", "") for _, it in page.elements)


def markdown_text(path: Path) -> str:
    page = Page(MarkdownIt("gfm-like", {"linkify": False}).render(path.read_text("utf-8")))
    harmless(page, scripts=0)
    assert "img" not in {tag for tag, _ in page.elements}
    return page.text


def csv_text(path: Path) -> str:
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    assert len({len(row) for row in rows}) == 1
    for cell in (cell for row in rows for cell in row):
        assert not re.match(r"\s*[=+@＝＋＠]", cell)
        assert not re.match(r"\s*-", cell) or re.fullmatch(r"-[0-9.]+(e[+-][0-9]+)?", cell)
    return "\n".join(cell for row in rows for cell in row)


def workbook_text(path: Path) -> str:
    cells = []
    for sheet in load_workbook(path).worksheets:
        assert not sheet._hyperlinks
        for row in sheet.iter_rows():
            assert not [cell.coordinate for cell in row if cell.data_type in ("f", "e")]
            cells += [str(cell.value) for cell in row if cell.value is not None]
    return "\n".join(cells)


def word_text(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith(".rels"):
                outside = [it.get("Target", "") for it in ET.fromstring(content) if it.get("TargetMode") == "External"]
                assert not [it for it in outside if "192.0.2" in it or "javascript" in it]
            if name.endswith(".xml"):
                fields = [it.text or "" for it in ET.fromstring(content).iter() if it.tag.endswith("}instrText")]
                assert not [it for it in fields if re.match(r"\s*(DDE|DDEAUTO|INCLUDE|HYPERLINK \"http)", it)]
        root = ET.fromstring(archive.read("word/document.xml"))
    return "".join(it.text or "" for it in root.iter() if it.tag.endswith("}t"))


def pdf_text(path: Path) -> str:
    reader = PdfReader(path)
    assert len(reader.pages) < 400
    for page in reader.pages:
        for one in page.get("/Annots") or []:
            action = one.get_object().get("/A") or {}
            assert action.get("/S") in (None, "/GoTo", "/URI")
            assert "192.0.2" not in str(action.get("/URI", ""))
    assert not {"/JavaScript", "/EmbeddedFiles", "/OpenAction"} & {*reader.trailer["/Root"]}
    return "".join(page.extract_text() for page in reader.pages)


def oscal_text(path: Path) -> str:
    texts: list[str] = []

    def walk(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, one in value.items():
                walk(one, name)
        elif isinstance(value, list):
            for one in value:
                walk(one, key)
        elif key in ("title", "description", "prose", "remarks", "statement", "label", "text"):  # Markdown
            shown = Page(MarkdownIt("commonmark").render(re.sub(r"\{\{ insert: param, \S+ }}", "", value)))
            assert {tag for tag, _ in shown.elements} <= {"p"}, value
            assert not re.search(r"(?<!\\)\{\{(?! insert: param, )", value)
            texts.append(shown.text)
        else:
            texts.append(str(value))

    for it in path.iterdir():
        walk(json.loads(it.read_text("utf-8")))
    return "\n".join(texts)


def xml_text(path: Path) -> str:
    root = ET.parse(path).getroot()
    return "\n".join([*root.itertext(), *(text for it in root.iter() for text in it.attrib.values())])


#: What takes seconds is made in one language; the names are the same in both.
SLOW = {("pdf", "en"), ("pytest-html", "en"), ("docx", "en")}


@pytest.mark.parametrize(
    ("format", "language"),
    [
        pytest.param(format, language, marks=[pytest.mark.browser] if (format, language) in SLOW else [])
        for format in FORMATS
        for language in LANGUAGES
    ],
)
def test_hostile_names_are_shown_and_do_nothing(bundle: Bundle, tmp_path: Path, format: str, language: str) -> None:
    out = tmp_path / f"report{FORMATS[format].suffix}"
    FORMATS[format].write(bundle, out, language)
    size = sum(it.stat().st_size for it in out.rglob("*")) if out.is_dir() else out.stat().st_size
    assert size < LIMIT
    for name, text in members(out):
        found = _SPOKEN.search(text.removeprefix("\ufeff"))
        assert found is None, (name, text[found.start() - 80 : found.end() + 80])
    told = re.sub(r"[\s\\]+", "", texts_of(format, out))
    assert MARK in told
    assert "‹U+202E›" in told
