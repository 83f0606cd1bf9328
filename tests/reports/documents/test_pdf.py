"""The report as PDF: read with pypdf."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from pypdf.generic import Destination

from conformance.cli import main
from reports.document.blocks import Document
from reports.document.blocks import Heading
from reports.pdf import markup
from reports.pdf import render
from reports.pdf.system import LIBRARIES
from reports.pdf.system import weasyprint

Made = Callable[..., bytes]


@pytest.fixture(scope="session")
def made(document: Callable[..., Document]) -> Made:
    @cache
    def rendered(kind: str = "plain", language: str = "zh") -> bytes:
        return render(weasyprint(), document(kind, language))

    return rendered


def read(data: bytes) -> PdfReader:
    return PdfReader(BytesIO(data))


def titles(outline: Any) -> list[str]:
    found = []
    for one in outline:
        found += [str(one.title)] if isinstance(one, Destination) else titles(one)
    return found


def test_the_text_can_be_searched_and_every_page_tells_its_number(made: Made) -> None:
    pages = read(made()).pages
    texts = [page.extract_text() for page in pages]
    assert "工厂网络符合性测试报告" in texts[0]
    assert "示例集团" in texts[0]
    assert "第" not in texts[0].rpartition("认可")[2]
    for number, text in enumerate(texts[1:], 2):
        assert f"第 {number} 页，共 {len(pages)} 页" in text
        assert "0f3c2a7e-5b1d-4c7a-9d52-6b1f3f0f9a11" in text


def test_fonts_are_embedded_and_one_of_them_is_chinese(made: Made) -> None:
    fonts = {}
    for page in read(made()).pages:
        for font in page["/Resources"].get("/Font", {}).values():
            one = font.get_object()
            kept = one["/DescendantFonts"][0].get_object() if "/DescendantFonts" in one else one
            fonts[str(one["/BaseFont"])] = kept["/FontDescriptor"].get_object()
    assert fonts
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(found) for found in fonts.values())
    assert any("CJK" in name or "Han" in name for name in fonts)


def test_it_is_tagged_has_bookmarks_and_says_what_it_is(made: Made, document: Any, example: Any) -> None:
    found, told = read(made()), document()
    catalog = found.trailer["/Root"]
    assert catalog["/MarkInfo"]["/Marked"].value is True
    assert catalog["/Lang"] == "zh-CN"
    assert titles(found.outline) == [f"{it.number} {it.text}" for it in told.blocks if isinstance(it, Heading)]
    assert found.metadata is not None
    assert found.metadata.title == told.title
    assert found.metadata.author == "示例制造有限公司"
    assert found.metadata.creation_date is not None
    assert found.metadata.creation_date.isoformat() == example().campaign.ended_utc


def test_the_contents_give_the_page_of_each_chapter(made: Made) -> None:
    found = read(made())
    contents = found.pages[1].extract_text()
    for one in found.outline:
        if isinstance(one, Destination):
            page = found.get_destination_page_number(one)
            assert page is not None
            line = next(line for line in contents.splitlines() if line.startswith(str(one.title)[:5]))
            assert line.rstrip().endswith(str(page + 1))


def test_nothing_is_fetched_and_what_a_user_wrote_stays_text(made: Made, document: Any) -> None:
    page = markup(document("hostile"))
    assert "<script>" not in page
    text = "".join(page.extract_text() for page in read(made("hostile")).pages).replace("\n", "")
    assert "<script>alert(1)</script>" in text
    for one in read(made("hostile")).pages:
        for note in one.get("/Annots", []):
            assert "/A" not in note.get_object() or note.get_object()["/A"]["/S"] != "/URI"


@pytest.mark.parametrize("url", ["http://192.0.2.1/x.css", "file:///etc/hostname", "data:text/css,p{color:red}"])
def test_a_reference_is_refused(url: str, monkeypatch: pytest.MonkeyPatch, document: Any) -> None:
    engine, asked = weasyprint(), []
    fetch = engine.urls.URLFetcher.fetch
    monkeypatch.setattr(
        engine.urls.URLFetcher, "fetch", lambda *told, **more: asked.append(told) or fetch(*told, **more)
    )
    monkeypatch.setattr(
        "reports.pdf.markup", lambda _: f'<link rel="stylesheet" href="{url}"><p>x</p><img src="{url}">'
    )
    assert render(engine, document()).startswith(b"%PDF")
    assert asked == []


def test_the_same_document_is_the_same_bytes(made: Made, document: Any) -> None:
    assert render(weasyprint(), document()) == made()


def test_a_missing_library_is_a_mistake_that_names_the_packages(
    make_bundle: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """WeasyPrint is made to find no library, in a process of its own: here it is loaded for good."""
    bundle = make_bundle()
    program = (
        "import sys, cffi\n"
        "def none(*_): raise OSError(\"cannot load library 'libpango-1.0-0'\")\n"
        "cffi.FFI.dlopen = none\n"
        "from conformance.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", program, "--lang", "en", "report", str(bundle.path), "--format", "pdf"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (4, "")
    assert "apt-get install" in done.stderr
    assert "libpango-1.0-0" in done.stderr
    assert "Traceback" not in done.stderr
    assert not bundle.path.with_name("bundle.pdf").exists()


def test_the_command_writes_both_formats_beside_the_bundle(make_bundle: Any, capsys: Any) -> None:
    bundle = make_bundle()
    for format in ("docx", "pdf"):
        with pytest.raises(SystemExit) as stopped:
            main(["--lang", "en", "report", str(bundle.path), "--format", format])
        assert not stopped.value.code
        assert bundle.path.with_name(f"bundle.{format}").stat().st_size > 10_000
        assert capsys.readouterr().out.strip() == str(bundle.path.with_name(f"bundle.{format}"))
    assert set(LIBRARIES.values()) >= {"libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"}
