"""Pictures for print: which there are, their size and text, that they are repeatable, and what the public ones hide."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from lxml import etree
from PIL import Image

from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.exhibit import CurveRecord
from reports.pictures import KINDS
from reports.pictures import Picture
from reports.pictures import fonts
from reports.pictures import pictures
from reports.pictures.render import Draw
from reports.pseudonyms import Pseudonyms
from reports.result import Result

TEXT = "{http://www.w3.org/2000/svg}text"
IDS = [
    "pillars", "topology", "segmentation:SEC-DOM", "coverage:NET-COV", "delays:echo", "delays:TSN-FLOW-LAT",
    "rates:NET-RATE-LAN", "optical:PON-RX-MARGIN", "ipv6:NET-V6-SUP", "roofline",
]  # fmt: skip
HOSTILE = "$a$<b>&amp;\"'\u202e\x07\n$x^2$ \u05d0\u05d1\u0627\u0644 " + "很长的名称" * 60


@pytest.fixture(scope="module")
def drawn(small: Bundle) -> dict[str, Picture]:
    return {it.id: it for it in pictures(small)}


def svg(picture: Picture, language: str) -> str:
    """Drawn once for all tests; pictures of two bundles may be equal but for what they draw."""
    return _svg(picture.draw, picture, language)


@cache
def _svg(_: Draw, picture: Picture, language: str) -> str:
    return picture.svg(language)


def words(picture: Picture, language: str) -> list[str]:
    return ["".join(it.itertext()) for it in etree.fromstring(svg(picture, language)).iter(TEXT)]


def test_there_is_a_picture_of_each_kind_that_has_data(drawn: dict[str, Picture]) -> None:
    assert list(drawn) == IDS
    assert {it.kind for it in drawn.values()} == {*KINDS} - {"trend"}


def test_without_data_there_is_no_picture(make_bundle: Callable[..., Bundle]) -> None:
    assert [it.id for it in pictures(make_bundle())] == ["pillars", "topology", "delays:echo"]


@pytest.mark.parametrize("size", [(1600, 1000), (3464, 2310), (1601, 999)])
def test_a_png_has_exactly_so_many_pixels(drawn: dict[str, Picture], size: tuple[int, int]) -> None:
    image = Image.open(io.BytesIO(drawn["delays:TSN-FLOW-LAT"].png("zh", width_px=size[0], height_px=size[1])))
    assert image.size == size
    assert not image.info.keys() & {"Software", "Creation Time"}
    assert len(set(image.convert("L").resize((200, 125)).get_flattened_data())) > 10, "it shows something"


@pytest.mark.parametrize("size", [(100, 1000), (1600, 100_000)])
def test_no_png_of_an_absurd_size_is_tried(drawn: dict[str, Picture], size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="pixels"):
        drawn["pillars"].png("zh", width_px=size[0], height_px=size[1])


@pytest.mark.parametrize("id", IDS)
def test_an_svg_is_small_and_its_text_can_be_searched(drawn: dict[str, Picture], id: str) -> None:
    for language in ("zh", "en"):
        content = svg(drawn[id], language)
        assert len(content.encode()) < 60_000
        told = words(drawn[id], language)
        assert any(it.startswith(drawn[id].title.in_language(language)[:6]) for it in told)
        assert "Noto Sans CJK SC" in content
        assert not re.search(r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T", content), "no date"


@pytest.mark.parametrize("id", ["segmentation:SEC-DOM", "coverage:NET-COV"])
def test_the_same_bundle_gives_the_same_bytes(small: Bundle, drawn: dict[str, Picture], id: str) -> None:
    again = {it.id: it for it in pictures(Bundle.open(small.path))}[id]
    assert again.svg("zh") == svg(drawn[id], "zh")
    assert again.png("en", width_px=480, height_px=300) == drawn[id].png("en", width_px=480, height_px=300)


def test_ids_of_two_drawings_in_one_page_are_apart(drawn: dict[str, Picture]) -> None:
    found = [set(re.findall(r'\bid="([^"]+)"', svg(it, "zh"))) for it in drawn.values()]
    assert sum(map(len, found)) == len(set().union(*found))


def test_what_an_svg_refers_to_is_in_it(drawn: dict[str, Picture]) -> None:
    for picture in drawn.values():
        content = svg(picture, "en")
        referred = set(re.findall(r'(?:href="#|url\(#)([^")]+)', content))
        assert referred <= set(re.findall(r'\bid="([^"]+)"', content)), picture.id


@pytest.mark.parametrize(("id", "shown"), [
    ("pillars", "2/4 · 未满足 2"),
    ("topology", "安全域 6 个，终端 120 个，网络设备 13 台，勘测点 27 个，测点 6 个，登记的通道 6 条"),
    ("segmentation:SEC-DOM", "泄漏 1"),
    ("coverage:NET-COV", "勘测点未覆盖 4"),
    ("delays:TSN-FLOW-LAT", "限值 < 4 ms"),
    ("optical:PON-RX-MARGIN", "无读数"),
    ("ipv6:NET-V6-SUP", "未能检查 12"),
    ("roofline", "STREAM Triad"),
])  # fmt: skip
def test_what_was_judged_is_shown(drawn: dict[str, Picture], id: str, shown: str) -> None:
    assert any(shown in it.replace("\u00a0", " ") for it in words(drawn[id], "zh")), words(drawn[id], "zh")


@pytest.mark.parametrize("id", [it for it in IDS if it not in ("pillars", "topology", "roofline", "delays:echo")])
def test_a_limit_is_shown_with_its_source(drawn: dict[str, Picture], small: Bundle, id: str) -> None:
    result = next(it for it in small.campaign.results if it.item == drawn[id].id.partition(":")[2])
    assert result.threshold is not None
    told = "".join(words(drawn[id], "zh"))
    assert result.threshold.source.standard[:12] in told
    assert "核对原文" in told or "未见原文" in told


def test_the_trend_has_every_campaign_in_order(small: Bundle, make_campaign: Callable[..., Bundle]) -> None:
    before = make_campaign(year=2025)
    found = {it.id: it for it in pictures(small, earlier=[before])}
    told = words(found["trend"], "zh")
    assert told.count("2025-01") == told.count("2027-01") > 1
    assert "2 次测试" in "".join(told)


def identifying(bundle: Bundle) -> Iterator[str]:
    """Every id, name and address of the plant that is a word of its own."""
    yield from (it for it in Pseudonyms(bundle.plant).terms if len(it) > 3)


def test_a_public_picture_tells_no_id_name_or_address(small: Bundle) -> None:
    terms = list(identifying(small))
    assert len(terms) > 300
    for picture in pictures(small, public=True):
        for language in ("zh", "en"):
            shown = "\n".join([*words(picture, language), picture.title.in_language(language),
                               picture.caption.in_language(language)])  # fmt: skip
            assert not [it for it in terms if it in shown], picture.id
    told = words(next(it for it in pictures(small, public=True) if it.kind == "topology"), "zh")
    assert "安全域 1" in told, "what it is called instead"


def test_names_do_no_harm(make_campaign: Callable[..., Bundle]) -> None:
    made = pictures(make_campaign(hostile=HOSTILE, endpoints=40))
    assert len(made) == len(IDS)
    for picture in made:
        told = "".join(words(picture, "zh"))
        assert "\u202e" not in told
        assert "\x07" not in told
        assert "\u05d0" not in told, "it would be drawn backwards"
    assert made[2].png("en", width_px=400, height_px=300).startswith(b"\x89PNG")
    told = "".join(words(made[1], "zh"))
    assert "$a$<b>" in told, "a name is text, and neither a formula nor markup"


def test_many_zones_and_endpoints_stay_bounded(make_campaign: Callable[..., Bundle]) -> None:
    made = {it.id: it for it in pictures(make_campaign(zones=60, endpoints=600))}
    for picture in (it for it in made.values() if it.kind in ("topology", "segmentation", "coverage", "roofline")):
        assert len(svg(picture, "zh").encode()) < 70_000, picture.id
    assert any("另有 4 个" in it for it in words(made["topology"], "zh"))
    assert any("另有 34 个安全域未画出" in it for it in words(made["segmentation:SEC-DOM"], "zh"))


def test_without_a_font_the_reader_is_told(monkeypatch: pytest.MonkeyPatch, drawn: dict[str, Picture]) -> None:
    for cached in (fonts._face, fonts._font, fonts.supported, fonts.advance):
        cached.cache_clear()
    monkeypatch.setattr(fonts, "_installed", lambda: None)
    with pytest.raises(UserMistake, match="no font that can write Chinese") as raised:
        drawn["pillars"].svg("zh")
    assert "fonts-noto-cjk" in raised.value.text("zh")


def test_a_foreign_style_changes_nothing(monkeypatch: pytest.MonkeyPatch, drawn: dict[str, Picture]) -> None:
    import matplotlib as mpl

    before = svg(drawn["pillars"], "zh")
    monkeypatch.setitem(mpl.rcParams, "font.size", 30)
    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "path")
    assert drawn["pillars"].svg("zh") == before
    assert mpl.rcParams["font.size"] == 30, "and nobody else's style is changed"


@pytest.mark.parametrize("absurd", [1e308, -1e308, float("nan")])
def test_absurd_numbers_of_a_strange_bundle_do_no_harm(
    make_campaign: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch, absurd: float
) -> None:
    bundle = make_campaign(zones=3, endpoints=12)
    seen = bundle.observations

    def strange(methods: Any, targets: Any) -> Iterator[Any]:
        return (replace(it, value=absurd if index % 3 else it.value) for index, it in enumerate(seen(methods, targets)))

    results = tuple(it.model_copy(update={"value": absurd, "interval": None}) for it in bundle.campaign.results)
    campaign = bundle.campaign.model_copy(update={"results": results})
    monkeypatch.setattr(bundle, "observations", strange)
    monkeypatch.setitem(bundle.__dict__, "campaign", campaign)
    for picture in pictures(bundle, earlier=[Bundle.open(bundle.path)]):
        assert picture.svg("en").startswith("<svg"), picture.id


@pytest.mark.parametrize("points", [((-1.0, 0.5), (1e308, 0.2)), ((5.0, 1.0), (0.0, 7.0)), ((1.0, -3.0),)])
def test_an_impossible_distribution_does_no_harm(small: Bundle, points: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(result: Result) -> Result:
        curve = CurveRecord(unit="ms", points=points, n=2, lost=9)
        return result.model_copy(update={"exhibit": curve}) if isinstance(result.exhibit, CurveRecord) else result

    bundle = Bundle.open(small.path)
    results = tuple(changed(it) for it in bundle.campaign.results)
    monkeypatch.setitem(bundle.__dict__, "campaign", bundle.campaign.model_copy(update={"results": results}))
    picture = next(it for it in pictures(bundle) if it.id == "delays:TSN-FLOW-LAT")
    assert picture.svg("zh").startswith("<svg")
