"""One document each of a plain, a hostile and an empty campaign, written once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reports.document.blocks import Document
from reports.document.compose import compose
from reports.particulars import Particulars
from reports.pictures import pictures
from reports.view.material import material
from reports.view.page import view
from reports.waivers import Waiver
from reports.waivers import WaiverScope

HOSTILE = "\"'><script>alert(1)</script>]]>&amp;{{7*7}}`|[x](http://evil.example)@you\u202e\u2066"
WAIVER = Waiver(
    id="NET-RCH-E", justification="停产检修期间断电，下月更换", owner="设备部", approver="总工程师",
    expires=date(2027, 6, 30), scope=WaiverScope(),
)  # fmt: skip
STATED = Particulars(client="示例集团", place="上海临港", tester="张三", authoriser="李四", deviations=("夜班未测",))


@pytest.fixture(scope="session")
def example(make_lasting: Any) -> Any:
    """An example campaign with particulars and a waiver; ``hostile`` ones have names that try to be code."""

    @cache
    def made(kind: str = "plain") -> Any:
        hostile = HOSTILE if kind == "hostile" else ""
        return make_lasting(endpoints=240, failing=45, hostile=hostile, waivers=(WAIVER,), particulars=STATED)

    return made


@pytest.fixture(scope="session")
def document(example: Any) -> Callable[..., Document]:
    """The document of such an example in a language."""

    @cache
    def made(kind: str = "plain", language: str = "zh") -> Document:
        bundle = example(kind)
        return compose(view(material(bundle)), pictures(bundle), bundle.campaign.ended_utc, language)

    return made


@pytest.fixture(scope="session")
def written(document: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The document as a Word file."""
    from reports.word import write_document

    @cache
    def made(kind: str = "plain", language: str = "zh") -> Path:
        out = tmp_path_factory.mktemp("word") / f"{kind}-{language}.docx"
        write_document(document(kind, language), out)
        return out

    return made
