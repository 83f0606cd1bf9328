"""A secret is found wherever in a file it stands: what is shown, what is not, and what only the package holds."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import docx
import pytest
from PIL import Image

from reports.forms.check import check_form
from reports.forms.known import KnownValues
from tests.reports.conftest import example
from tests.reports.conftest import write_bundle
from tests.reports.forms.conftest import answer
from tests.reports.forms.conftest import chunk
from tests.reports.forms.conftest import codes
from tests.reports.forms.conftest import rewritten

ADDRESS = "198.51.100.77"
_HELD = ADDRESS.encode()
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
_V = 'xmlns:v="urn:schemas-microsoft-com:vml"'

Change = Callable[[Path, Path], object]


@pytest.fixture(scope="module")
def plain_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plain") / "plain.docx"
    docx.Document().save(str(path))
    return path


def body(markup: str) -> Change:
    """Puts markup at the end of the body."""
    return part("word/document.xml", lambda old: old.replace(b"<w:sectPr", markup.encode() + b"<w:sectPr", 1))


def part(name: str, change: Callable[[bytes], bytes]) -> Change:
    return lambda source, target: rewritten(source, target, lambda one, old: change(old) if one == name else old)


def added(name: str, content: bytes) -> Change:
    def change(source: Path, target: Path) -> None:
        rewritten(source, target, lambda _, old: old)
        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr(name, content)

    return change


def commented(source: Path, target: Path) -> None:
    rewritten(source, target, lambda _, old: old)
    with zipfile.ZipFile(target, "a") as archive:
        archive.comment = _HELD


def picture(kind: str, **more: object) -> bytes:
    held = BytesIO()
    Image.new("RGB", (40, 40)).save(held, kind, **more)
    return held.getvalue()


def chunked(kind: bytes, content: bytes) -> bytes:
    png = picture("PNG")
    return png[:33] + chunk(kind, content) + png[33:]


def windows_author() -> bytes:
    tags = Image.Exif()
    tags[0x010E] = "x" * 4000
    tags[0x9C9D] = f"张工{ADDRESS}".encode("utf-16-le") + b"\0\0"
    return picture("JPEG", exif=tags)


_RUN = "<w:r><w:t>x</w:t></w:r>"
PLACES: dict[str, Change] = {
    "name of a part": added(f"word/media/{ADDRESS}.png", picture("PNG")),
    "comment of the archive": commented,
    "comment in the markup": body(f"<!-- {ADDRESS} -->"),
    "chart": added("word/charts/chart1.xml", f"<c {_A}><v>{ADDRESS}</v></c>".encode()),
    "split runs of a diagram": added(
        "word/diagrams/data1.xml", f"<c {_A}><a:p><a:r><a:t>198.51.</a:t></a:r><a:t>100.77</a:t></a:p></c>".encode()
    ),
    "title of a control": body(f'<w:sdt><w:sdtPr><w:alias w:val="{ADDRESS}"/></w:sdtPr></w:sdt>'),
    "choice of a list": body(
        f'<w:sdt><w:sdtPr><w:dropDownList><w:listItem w:displayText="{ADDRESS}"/></w:dropDownList></w:sdtPr></w:sdt>'
    ),
    "alternative text of a table": body(f'<w:tbl><w:tblPr><w:tblCaption w:val="{ADDRESS}"/></w:tblPr></w:tbl>'),
    "tip of a link": body(f'<w:p><w:hyperlink w:tooltip="{ADDRESS}">{_RUN}</w:hyperlink></w:p>'),
    "instruction of a simple field": body(f'<w:p><w:fldSimple w:instr="QUOTE {ADDRESS}">{_RUN}</w:fldSimple></w:p>'),
    "deleted instruction": body(f"<w:p><w:del><w:r><w:delInstrText>{ADDRESS}</w:delInstrText></w:r></w:del></w:p>"),
    "what old programs show": body(
        f'<w:p><w:r><mc:AlternateContent {_MC}><mc:Choice Requires="wps"><w:t>1</w:t></mc:Choice>'
        f"<mc:Fallback><w:t>{ADDRESS}</w:t></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    ),
    "reading above characters": body(
        f"<w:p><w:r><w:ruby><w:rt><w:r><w:t>{ADDRESS}</w:t></w:r></w:rt><w:rubyBase>{_RUN}</w:rubyBase></w:ruby></w:r>"
        "</w:p>"
    ),
    "word art": body(f'<w:p><w:r><w:pict><v:textpath {_V} string="{ADDRESS}"/></w:pict></w:r></w:p>'),
    "variable of the document": part(
        "word/settings.xml",
        lambda old: old.replace(b"<w:zoom", b'<w:docVars><w:docVar w:val="' + _HELD + b'"/></w:docVars><w:zoom', 1),
    ),
    "text of a numbering": part(
        "word/numbering.xml", lambda old: old.replace(b'<w:lvlText w:val="', b'<w:lvlText w:val="' + _HELD, 1)
    ),
    "data of a control": added("customXml/item9.xml", f'<a b="{ADDRESS}"/>'.encode()),
    "property": added("docProps/custom.xml", f"<a><b>{ADDRESS}</b></a>".encode()),
    "header": added("word/header9.xml", f"<w:hdr {_W}><w:p><w:r><w:t>{ADDRESS}</w:t></w:r></w:p></w:hdr>".encode()),
    "author as Windows writes it": added("word/media/a.jpg", windows_author()),
    "comment of a JPEG": added("word/media/a.jpg", picture("JPEG", comment=_HELD)),
    "behind a JPEG": added("word/media/a.jpg", picture("JPEG") + _HELD),
    "behind a PNG": added("word/media/a.png", picture("PNG") + _HELD),
    "compressed text of a PNG": added("word/media/a.png", chunked(b"zTXt", b"k\0\0" + zlib.compress(_HELD))),
    "own chunk of a PNG": added("word/media/a.png", chunked(b"prVt", _HELD)),
    "comment of a GIF": added("word/media/a.gif", picture("GIF", comment=_HELD)),
    "words of an EMF": added(
        "word/media/a.emf", struct.pack("<I", 1) + bytes(36) + b" EMF" + ADDRESS.encode("utf-16-le")
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_an_address_is_found_in_every_place(place: str, plain_file: Path, tmp_path: Path) -> None:
    PLACES[place](plain_file, tmp_path / "told.docx")
    said = answer(check_form(tmp_path / "told.docx", "annex4-2025"), "A4-SECRETS")
    assert ADDRESS in {one.facts.get("text") for one in said.findings}


def test_the_format_itself_is_no_secret(plain_file: Path) -> None:
    assert "leak" not in codes(check_form(plain_file, "annex4-2025"), "A4-SECRETS")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("word/media/a.bin", b"RIFF" + _HELD),
        ("word/embeddings/a.xlsx", b"PK"),
        ("word/media/a.webp", b"RIFF\0\0\0\0WEBP"),
    ],
)
def test_what_is_not_looked_into_is_said(name: str, content: bytes, plain_file: Path, tmp_path: Path) -> None:
    added(name, content)(plain_file, tmp_path / "a.docx")
    said = answer(check_form(tmp_path / "a.docx", "annex4-2025"), "A4-SECRETS")
    assert name in {one.facts.get("part") for one in said.findings}


def test_names_of_formats_in_a_photograph_are_no_hosts(plain_file: Path, tmp_path: Path) -> None:
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"/>'
    added("word/media/a.png", chunked(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))(
        plain_file, tmp_path / "a.docx"
    )
    assert "leak" not in codes(check_form(tmp_path / "a.docx", "annex4-2025"), "A4-SECRETS")


@dataclass(frozen=True)
class Labelled:
    rows: tuple[tuple[str, ...], ...]
    caught: str


@pytest.mark.parametrize(
    "table",
    [
        Labelled((("设备", "ONU"), ("序列号", "HWTC12AB34CD")), "HWTC12AB34CD"),
        Labelled((("名称", "IMSI"), ("甲", "001 01 0123456789"), ("乙", "见附件")), "001 01 0123456789"),
        Labelled((("名称", "MAC 地址"), ("甲", "无"), ("乙", "0200000A1B2C")), "0200000A1B2C"),
        Labelled((("主机名", "gw-17"),), "gw-17"),
    ],
)
def test_a_label_tells_what_the_cell_beside_or_below_it_is(table: Labelled, tmp_path: Path) -> None:
    document = docx.Document()
    made = document.add_table(rows=0, cols=len(table.rows[0]))
    for row in table.rows:
        for cell, text in zip(made.add_row().cells, row, strict=True):
            cell.text = text
    document.save(str(tmp_path / "a.docx"))
    said = answer(check_form(tmp_path / "a.docx", "annex4-2025"), "A4-SECRETS")
    assert [one.facts["text"] for one in said.findings if one.code == "leak"] == [table.caught]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> KnownValues:
    folder = tmp_path_factory.mktemp("known")
    made = example(folder)
    plant = made.plant
    first, second = plant.endpoints[:2]
    vantage = plant.vantages[0].model_copy(update={"where": "ssh:tester@jump-17.plant.example"})
    endpoints = (
        first.model_copy(update={"mac": "02:00:00:0a:1b:2c", "id": "460001234567890"}),
        second.model_copy(update={"name": "焊机\u2011七号-A1"}),
        *plant.endpoints[2:],
    )
    tailoring = [{"requirement": "NET-COV", "reason": "无室外区域", "approved_by": "欧阳某某"}]
    changed = plant.model_copy(update={"endpoints": endpoints, "vantages": (vantage, *plant.vantages[1:])})
    changed = type(plant).model_validate(changed.model_dump(by_alias=True, mode="json") | {"tailoring": tailoring})
    made.plant = changed
    return KnownValues(write_bundle(made, folder / "bundle"))


@pytest.mark.parametrize(
    "text",
    [
        "0200000A1B2C", "0200.000a.1b2c", "0200-000a-1b2c", "02-00-00-0a-1b-2c",
        "2001:0db8:0000:0000:0000:0000:0000:0001", "jump-17 上", "jump-17.plant.example", "460001234567890",
        "焊机-七号–A1", "焊机\u200b-七号-A1", "经欧阳某某批准",
    ],
)  # fmt: skip
def test_a_known_value_is_found_however_it_is_written(text: str, known: KnownValues) -> None:
    assert list(known.within(text))
