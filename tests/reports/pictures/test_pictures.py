"""Pictures of a bundle: which there are, their size, their text, and that the same bundle gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from lxml import etree
from PIL import Image

from reports.bundle import Bundle
from reports.pictures import KINDS
from reports.pictures import Picture
from reports.pictures import pictures


@pytest.fixture
def made(make_bundle: Callable[..., Bundle]) -> list[Picture]:
    return pictures(make_bundle())


def test_a_bundle_has_the_pictures_it_has_data_for(made: list[Picture]) -> None:
    assert [it.id for it in made] == ["pillars", "topology", "delays:echo"]
    assert {it.kind for it in made} <= set(KINDS)


@pytest.mark.parametrize("size", [(1600, 1000), (1601, 999)])
def test_a_png_has_exactly_so_many_pixels(made: list[Picture], size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(made[0].png("zh", width_px=size[0], height_px=size[1])))
    assert image.size == size
    assert len(set(image.convert("L").resize((200, 125)).get_flattened_data())) > 10, "it shows something"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_svg_is_small_and_its_text_can_be_searched(made: list[Picture], language: str) -> None:
    for picture in made:
        drawn = picture.svg(language)
        words = [" ".join(it.itertext()) for it in etree.fromstring(drawn).iter("{http://www.w3.org/2000/svg}text")]
        assert any(picture.title.in_language(language)[:8] in it for it in words), picture.id
        assert len(drawn.encode()) < 60_000, picture.id
        assert "Noto Sans CJK SC" in drawn
        assert drawn == picture.svg(language)
