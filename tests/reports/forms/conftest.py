"""Documents as a person writes them, made with python-docx: one that keeps every rule of annex 4, to be spoilt."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.text import WD_LINE_SPACING
from docx.oxml.ns import qn
from docx.shared import Cm
from docx.shared import Pt

from reports.forms.answer import Answer
from reports.forms.answer import Checked
from reports.forms.check import check_form
from reports.forms.form import Form
from reports.forms.form import load_form

FULL = 5 << 20  #: bytes that annex 4 asks for
SMALL = 5 << 10  #: bytes that the form asks for in most tests, which would take minutes otherwise
DECIMAL = 4883  #: what 5,000,000 becomes at that scale
FILLER = "工厂网络建设成效显著，测试结果真实可靠。"  # twenty characters


@cache
def png(width: int = 4000, height: int = 2000, size: int = SMALL, seed: int = 0) -> bytes:
    """A PNG as far as its header goes, filled up to exactly ``size`` bytes, different for each ``seed``."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    begun = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(struct.pack(">I", seed)))
    ended = chunk(b"IEND", b"")
    return begun + chunk(b"fiLl", b"\0" * (size - len(begun) - len(ended) - 12)) + ended


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@dataclass(frozen=True)
class Written:
    """What a person writes."""

    cover: tuple[tuple[str, str], ...] = (
        ("企业名称", "示例制造有限公司"),
        ("工厂名称", "示例智能工厂"),
        ("所属行业", "高端装备"),
        ("所属区域", "浦东新区"),
    )
    headings: tuple[str, ...] = (
        "第一部分：申报企业基本情况介绍", "1、发展历程、行业属性、行业地位",
        "2、品牌品质、专业资质、生产经营、财务状况",
        "第二部分：智能工厂建设情况介绍", "1、智能工厂建设历程", "2、智能工厂整体架构", "3、智能工厂建设要素",
        "第三部分：智能工厂创新情况介绍", "1、技术创新", "2、新技术应用", "3、智慧供应链建设",
        "第四部分：智能工厂建设成效情况介绍", "1、绿色低碳安全", "2、生产效率", "3、行业引领性", "第五部分：自评估报告",
    )  # fmt: skip
    texts: dict[str, str] = field(default_factory=dict)  #: by the beginning of a heading; else as long as needed
    filler: str = FILLER * 15  #: below each heading of a section
    first: str = "以下内容对应典型场景数字基础设施建设。"
    pictures: tuple[bytes, ...] = tuple(png(seed=seed) for seed in range(10))
    captions: tuple[str, ...] = tuple(f"图 {number} 网络测试结果示意" for number in range(1, 11))
    mention: str = "测试结果见图 1 至图 10。"
    font: str = "仿宋_GB2312"
    points: float = 16
    line: float = 27
    picture_exact: bool = False
    tail: str = ""

    def but(self, **changes: Any) -> Written:
        """The same with changes."""
        return replace(self, **changes)

    def document(self) -> Any:
        """As python-docx has it."""
        document = docx.Document()
        normal = document.styles["Normal"]
        for name in ("Normal", "Heading 1", "Heading 2", "Caption"):
            style = document.styles[name]
            style.font.name = self.font
            for attribute in list(style.element.rPr.rFonts.attrib):
                del style.element.rPr.rFonts.attrib[attribute]
            for slot in ("ascii", "hAnsi", "eastAsia"):
                style.element.rPr.rFonts.set(qn(f"w:{slot}"), self.font)
            style.font.size = Pt(self.points)
            style.paragraph_format.line_spacing = Pt(self.line)
        normal.paragraph_format.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        table = document.add_table(rows=0, cols=2)
        for label, value in self.cover:
            cells = table.add_row().cells
            cells[0].text, cells[1].text = label, value
        for heading in self.headings:
            part = heading.startswith("第")
            document.add_paragraph(heading, "Heading 1" if part else "Heading 2")
            if not part:
                own = next((text for begin, text in self.texts.items() if heading.startswith(begin)), self.filler)
                document.add_paragraph(own)
            elif heading.startswith("第四"):
                document.add_paragraph(self.first)
                document.add_paragraph(self.mention)
                self._pictures(document)
        if self.tail:
            document.add_paragraph(self.tail)
        return document

    def _pictures(self, document: Any) -> None:
        for index, picture in enumerate(self.pictures):
            paragraph = document.add_paragraph()
            if not self.picture_exact:
                paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE
            paragraph.add_run().add_picture(BytesIO(picture), width=Cm(12))
            if index < len(self.captions):
                document.add_paragraph(self.captions[index], "Caption")


@pytest.fixture(scope="session")
def good() -> Written:
    """Keeps every rule of annex 4."""
    return Written()


def smaller(form: Form) -> Form:
    """The form with a thousandth of the bytes for its pictures."""
    rules = [
        one.model_copy(update={"facts": one.facts | {"bytes": SMALL, "also": DECIMAL}}) if "bytes" in one.facts else one
        for one in form.rules
    ]
    return form.model_copy(update={"rules": tuple(rules)})


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Checked]:
    """Writes a document and checks it, with pictures of :data:`SMALL` bytes asked for."""
    monkeypatch.setattr("reports.forms.check.load_form", lambda name: smaller(load_form(name)))

    def check(document: Any, form: str = "annex4-2025", **more: Any) -> Checked:
        path = tmp_path / "document.docx"
        (document.document() if isinstance(document, Written) else document).save(str(path))
        return check_form(path, form, **more)

    return check


def answer(checked: Checked, id: str) -> Answer:
    """What is said of one rule."""
    return next(one for one in checked.answers if one.rule.id == id)


def codes(checked: Checked, id: str) -> list[str]:
    """Codes of what was found that is not a pass."""
    return [one.code for one in answer(checked, id).findings if one.mark.value != "pass"]


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A copy of a package whose parts ``change`` has changed; ``None`` leaves a part out."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return target
