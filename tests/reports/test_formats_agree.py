# ruff: noqa: S314 - the XML is what we wrote
"""Every format tells the same: each item's verdict, value, unit and limit, waivers, and what people stated."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from lxml import html
from openpyxl import load_workbook
from pypdf import PdfReader

from profiles import yaml12
from profiles.language import LANGUAGES
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import interval_of
from reports.figures import threshold_text
from reports.figures import value_of
from reports.formats import FORMATS
from reports.oscal.results import STATES
from reports.result import IntervalRecord
from reports.result import Result
from reports.tables.sheets import COLUMNS
from reports.wording import SIGNS
from reports.wording import say
from reports.wording import verdict

#: What people stated; each has to stand in every format.
STATED = {"client": "示例集团", "laboratory": "某某检测所", "place": "上海临港", "tester": "张三", "authoriser": "李四"}
REASON = "备件下周到货，届时复测。"
#: Values that rounding would change, or that stand close to their limit.
ODD = {"NET-RCH-S": 90.000004, "NET-RCH-P": 89.99996, "NET-LAT-E": 9.999_996}
NAMES = {sign: name for name, sign in {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "eq": "=="}.items()}
_ID = re.compile("NET-(RCH-[ESPX]|LAT-E|DUMB|COV|TECH-5G)")  # a title may follow without a space
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, examples: Any) -> Bundle:
    """The example campaign with every verdict, with values that are easily rounded wrong, a waiver and particulars."""
    folder = tmp_path_factory.mktemp("agree")
    example, write_bundle = examples
    made = example(folder, endpoints=80, failing=7)
    results = [
        one.model_copy(
            update={"value": ODD[one.item], "interval": IntervalRecord(low=ODD[one.item], high=None, confidence=0.95)}
        )
        if one.item in ODD
        else one
        for one in made.campaign.results
    ]
    made.campaign = made.campaign.model_copy(update={"results": tuple(results)})
    written: Bundle = write_bundle(made, folder / "bundle")
    waiver = {"id": "NET-RCH-E", "justification": REASON, "owner": "王五", "approver": "赵六", "expires": "2027-03-31"}
    (written.path / "waivers.yaml").write_text(yaml12.dump({"format": "plantproof-waivers/1", "waivers": [waiver]}))
    (written.path / "particulars.yaml").write_text(yaml12.dump({"format": "plantproof-particulars/1"} | STATED))
    return Bundle(written.path)


def results(bundle: Bundle) -> dict[str, Result]:
    return {one.item: one for one in bundle.campaign.results if not one.scope}


def squeezed(text: str) -> str:
    return re.sub(r"[\s\\]+", "", text)


def told(result: Result, language: str) -> list[str]:
    """What a reader must find beside the item's id: verdict, value and limit, without spaces."""
    said = [verdict(result.verdict).in_language(language), value_of(result), threshold_text(result.threshold)]
    return [squeezed(one) for one in said if one != "–"]


Rows = Mapping[str, str]


def html_rows(path: Path) -> tuple[Rows, str]:
    page = html.document_fromstring(path.read_text("utf-8"))
    rows = {it.get("id"): it.text_content() for it in page.iter("article", "section", "tr") if it.get("id")}
    return rows, page.text_content()


def table_rows(rows: list[list[str]]) -> Rows:
    """By the item's id with which a cell begins, all rows in which it stands."""
    found: dict[str, str] = {}
    for row in rows:
        for cell in row:
            if id := _ID.match(squeezed(cell).replace("*", "")):
                found[id.group()] = f"{found.get(id.group(), '')} {' '.join(row)}"
    return found


def word_rows(path: Path) -> tuple[Rows, str]:
    with zipfile.ZipFile(path) as archive:
        root = ET.fromstring(archive.read("word/document.xml"))
    text = "".join(it.text or "" for it in root.iter(f"{WORD}t"))
    rows = [["".join(it.itertext()) for it in row.iter(f"{WORD}tc")] for row in root.iter(f"{WORD}tr")]
    return table_rows(rows), text


def markdown_rows(path: Path) -> tuple[Rows, str]:
    text = path.read_text("utf-8")
    rows = [line.strip("|").replace("`", "").split("|") for line in text.splitlines() if line.startswith("|")]
    return table_rows(rows), text


def pdf_rows(path: Path) -> tuple[Rows, str]:
    """What follows each place where an item's id stands; of these, all that is told near it."""
    text = squeezed("".join(page.extract_text() for page in PdfReader(path).pages))
    found: dict[str, str] = {}
    for it in _ID.finditer(text):
        found[it.group()] = found.get(it.group(), "") + text[max(0, it.start() - 30) : it.start() + 160]
    return found, text


def replay_rows(path: Path) -> tuple[Rows, str]:
    page = html.document_fromstring(path.read_text("utf-8"))
    (blob,) = (json.loads(it.get("data-jsonblob")) for it in page.iter("div") if it.get("data-jsonblob"))
    cells = {
        id: [html.fromstring(it).text_content() for it in t[0]["resultsTableRow"]] for id, t in blob["tests"].items()
    }
    rows = {cell: " ".join(row) for row in cells.values() for cell in row}
    return rows, page.text_content() + json.dumps(blob, ensure_ascii=False)


SHOWN: Mapping[str, Callable[[Path], tuple[Rows, str]]] = {
    "html": html_rows, "docx": word_rows, "markdown": markdown_rows, "pdf": pdf_rows, "pytest-html": replay_rows,
}  # fmt: skip


def written(bundle: Bundle, folder: Path, format: str, language: str) -> Path:
    out = folder / f"report{FORMATS[format].suffix}"
    FORMATS[format].write(bundle, out, language)
    return out


@pytest.mark.parametrize(
    ("format", "language"),
    [
        pytest.param(format, language, marks=[pytest.mark.browser] if format == "pdf" and language == "en" else [])
        for format in SHOWN
        for language in LANGUAGES
    ],
)
def test_what_people_read_is_the_same_in_every_format(
    bundle: Bundle, tmp_path: Path, format: str, language: str
) -> None:
    rows, text = SHOWN[format](written(bundle, tmp_path, format, language))
    for id, result in results(bundle).items():
        row = squeezed(rows[id])
        assert not [one for one in told(result, language) if one not in row], (id, row)
        if result.interval is not None and format != "pytest-html":
            assert squeezed(interval_of(result)) in row, (id, row)
    for one in [*STATED.values(), REASON, bundle.campaign.campaign]:
        assert squeezed(one) in squeezed(text), one


def tables(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        rows: list[Any] = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    else:
        rows = [[cell.value for cell in row] for row in load_workbook(path).worksheets[1].iter_rows()]
    return [dict(zip(COLUMNS["results"], row, strict=True)) for row in rows[1:]]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_tables_hold_the_numbers_unrounded_with_their_units(bundle: Bundle, tmp_path: Path, format: str) -> None:
    rows = {row["item"]: row for row in tables(written(bundle, tmp_path, format, "en"))}
    for id, result in results(bundle).items():
        row = rows[id]
        assert row["verdict-code"] == result.verdict, row
        assert (row["unit"] or "") == result.unit
        assert (float(row["value"]) if row["value"] not in ("", None) else None) == result.value
        assert (row["limit-text"] or "–") == threshold_text(result.threshold)
        assert (row["op"] or None) == (NAMES[result.threshold.op] if result.threshold else None)
        if result.interval is not None:
            assert float(row["low"]) == result.interval.low


def test_oscal_holds_the_numbers_unrounded_with_their_units(bundle: Bundle, tmp_path: Path) -> None:
    folder = written(bundle, tmp_path, "oscal", "zh")
    (made,) = json.loads((folder / "assessment-results.json").read_text("utf-8"))["assessment-results"]["results"]
    every = [{it["name"]: it["value"] for it in one["props"]} for one in made["observations"]]
    observed = {it["item"]: it for it in every if "scope" not in it}
    for id, result in results(bundle).items():
        if result.ended_utc_ns is None:
            assert id not in observed
            continue
        props = observed[id]
        assert props["verdict"] == result.verdict
        assert (float(props["value"]) if "value" in props else None) == result.value
        assert props.get("unit", "") == (result.unit if result.value is not None else "")
        if result.threshold is not None:
            assert f"{SIGNS[props['limit-op']]}{squeezed(props['limit'])}" == squeezed(threshold_text(result.threshold))
    assert len(made["findings"]) == sum(STATES[one.verdict] is not None for one in results(bundle).values())
    text = "".join(it.read_text("utf-8") for it in folder.iterdir())
    assert not [one for one in [*STATED.values(), REASON] if one not in text]


@pytest.mark.parametrize("format", ["junit", "junit-totals"])
def test_junit_tells_the_same_of_each_item(bundle: Bundle, tmp_path: Path, format: str) -> None:
    root = ET.parse(written(bundle, tmp_path, format, "zh")).getroot()
    properties = {it.get("name"): it.get("value") for it in root.iter("property")}
    for id, result in results(bundle).items():
        assert properties[f"{id} verdict"] == result.verdict
        assert properties[f"{id} value"] == value_of(result)
        assert properties[f"{id} threshold"] == threshold_text(result.threshold)
        assert properties[f"{id} interval"] == interval_of(result)
        (case,) = (it for it in root.iter("testcase") if it.get("name") == id)
        assert bool(list(case)) == (result.verdict not in (Verdict.PASS, Verdict.INFO))
    said = " ".join(value or "" for value in properties.values())
    assert not [one for one in [*STATED.values(), REASON] if one not in said]


@pytest.mark.parametrize("format", ["html", "docx", "markdown", "pytest-html", "csv", "xlsx", "junit", "oscal"])
def test_a_waiver_that_had_expired_says_so_in_every_format(bundle: Bundle, tmp_path: Path, format: str) -> None:
    lapsed = tmp_path / "bundle"
    shutil.copytree(bundle.path, lapsed)
    text = (lapsed / "waivers.yaml").read_text("utf-8")
    (lapsed / "waivers.yaml").write_text(text.replace("2027-03-31", "2027-01-14"), "utf-8")
    out = written(Bundle(lapsed), tmp_path, format, "zh")
    if format == "html":
        (item,) = html.document_fromstring(out.read_text("utf-8")).xpath("//article[@id='NET-RCH-E']")
        shown = item.text_content()
    elif format in ("docx", "pytest-html"):
        shown = SHOWN[format](out)[1]
    elif format == "xlsx":
        shown = str([row["waivers"] for row in tables(out)])
    else:
        shown = "".join(it.read_text("utf-8") for it in ([out] if out.is_file() else out.iterdir()))
    assert squeezed(say("waiver.expired").zh) in squeezed(shown)
