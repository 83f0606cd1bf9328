"""Pictures inside the page: no styles of their own, ids of their own, colours that can be seen in the dark."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports import pictures
from reports.bundle import Bundle
from reports.html import PICTURES
from reports.html import render
from reports.html import write_report
from reports.html.gallery import gallery
from reports.pictures import Picture
from reports.wording import Said

HOSTILE = "</script><img src=x onerror=alert(1)>"


def drawn(title: str = "图", colour: str = "#1f4e9e") -> Picture:
    def draw(sheet: Any) -> None:
        axes = sheet.figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=colour)
        axes.set_title(title)

    return Picture("pillars", "pillars", Said(title, title), Said("说明", "what it shows"), draw)


@pytest.fixture(scope="module")
def shown() -> Any:
    return gallery([drawn(HOSTILE), drawn()])


def test_drawings_have_no_styles_of_their_own(shown: Any) -> None:
    for picture in shown.pictures:
        for _, drawing in picture.drawings:
            assert "style=" not in drawing
            assert "<style" not in drawing
            assert "xmlns" not in drawing


def test_classes_are_those_that_the_page_has_rules_for(shown: Any) -> None:
    used = {
        name
        for picture in shown.pictures
        for _, drawing in picture.drawings
        for name in re.findall(r'class="(d\d+)"', drawing)
    }
    assert used
    assert used <= set(re.findall(r"^\.(d\d+)\{", shown.style, re.MULTILINE))


def test_ids_are_unique_and_every_reference_has_its_own(shown: Any) -> None:
    every = "".join(drawing for picture in shown.pictures for _, drawing in picture.drawings)
    ids = re.findall(r' id="([^"]+)"', every)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', every)) | set(re.findall(r"url\(#([^)]+)\)", every)) <= set(ids)


def test_names_in_drawings_stay_text(shown: Any) -> None:
    first = shown.pictures[0].drawings[0][1]
    assert "<img" not in first
    assert "&lt;/script&gt;" in first


def test_lightness_is_turned_in_the_dark_and_the_ground_is_the_page(shown: Any) -> None:
    light, dark = shown.style.split("@media")
    assert "fill:#ffffff" in light
    assert "var(--paper)" in dark
    assert "#1f4e9e" in light
    line = re.search(r"stroke:(#[0-9a-f]{6})", dark.split("var(--paper)")[1])
    assert line is not None
    assert "#1f4e9e" not in dark


def test_nothing_is_drawn_without_pictures() -> None:
    assert gallery([]) == ([], "")


def test_the_page_has_the_pictures_in_both_languages_and_says_nothing_outside(make_bundle: Any) -> None:
    page = render(make_bundle(), pictured=True)
    assert page.count('<figure id="picture-') >= 2
    assert page.count('<div class="zh" lang="zh-CN"><svg') == page.count('<div class="en" lang="en"><svg') >= 2
    assert not re.findall(r"https?:|//[a-z]", page.replace("http-equiv", ""), re.IGNORECASE)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_where_no_picture_can_be_drawn_the_report_is_made_and_says_why(
    make_bundle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_font(*_: object) -> str:
        raise UserMistake([Problem("bundle-absent", "reports", file="font")])

    monkeypatch.setattr(Picture, "svg", no_font)
    page = render(make_bundle(), pictured=True)
    assert "未能绘制" in page
    assert "<figure id=" not in page


@pytest.mark.parametrize(("said", "wanted"), [("no", 0), ("", 1)])
def test_the_environment_may_leave_them_out(
    make_bundle: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, wanted: int
) -> None:
    monkeypatch.setenv(PICTURES, said)
    monkeypatch.setattr(pictures, "pictures", lambda _: [drawn()])
    write_report(Bundle.open(make_bundle().path), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text().count('<figure id="picture-') == wanted
