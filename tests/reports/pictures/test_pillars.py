"""A report with something of every pillar: grouped, counted, and every kind of object named."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from profiles.verdict import Verdict
from reports.html import material
from reports.html import render
from reports.junit import junit
from reports.table import terminal_table
from reports.view.item import ItemView
from reports.view.listing import things
from reports.view.page import Page
from reports.view.page import view
from reports.wording import PILLARS
from reports.wording import note
from reports.wording import pillar


@pytest.fixture
def page(make_gallery: Any) -> Page:
    return view(material(make_gallery()))


def item(page: Page, id: str) -> ItemView:
    return next(item for item in page.items if item.id == id)


def test_items_are_grouped_by_pillar_in_its_order_and_none_is_lost(page: Page) -> None:
    assert tuple(group.id for group in page.groups) == PILLARS
    assert sorted(one.id for group in page.groups for one in group.items) == sorted(one.id for one in page.items)
    for group in page.groups:
        assert sum(tally.count for tally in group.tallies) == len(group.items)
        assert len(group.measured) + len(group.unmeasured) == len(group.items)
    (tsn,) = (group for group in page.groups if group.id == "tsn")
    assert [(tally.verdict, tally.count) for tally in tsn.tallies] == [
        (Verdict.FAIL, 1), (Verdict.NOT_TESTED, 2), (Verdict.PASS, 1),
    ]  # fmt: skip


def test_an_item_whose_requirement_is_unknown_has_a_group_too(make_gallery: Any) -> None:
    made = make_gallery()
    made.profiles = []
    assert [(group.id, group.name.en, len(group.items)) for group in view(material(made)).groups] == [
        ("other", "Other", len(made.campaign.results))
    ]


def test_each_exhibit_has_its_picture(page: Page) -> None:
    for id, title in {
        "5G-RSRP": "Value of each object", "PON-RX-MARGIN": "Value of each object",
        "TSN-FLOW-LAT": "Distribution of the values", "SEC-DOM": "Checks at a glance",
    }.items():  # fmt: skip
        picture = item(page, id).picture
        assert picture is not None
        assert picture.title.en == title
        assert bool(picture.chart) != bool(picture.matrix)
    assert item(page, "NET-RCH-E").picture is None
    assert "p99.9 = 6.213" in item(page, "TSN-FLOW-LAT").picture.chart  # type: ignore[union-attr]
    assert "车载模组 modem-00" in item(page, "5G-RSRP").picture.chart  # type: ignore[union-attr]


def test_every_kind_of_object_is_named_with_its_kind_and_zone(make_gallery: Any) -> None:
    known = things(make_gallery().plant)
    kinds = {
        "drive-cycle": ("伺服驱动周期流", "cyclic flow", "总装二区"),
        "clock-a": ("焊装时钟", "clock", "焊装一区"),
        "modem-00": ("车载模组", "5G terminal", "总装二区"),
        "onu-2": ("二号分光箱", "optical network unit", "总装二区"),
        "node-1": ("计算节点一", "compute node", "焊装一区"),
        "olt": ("olt", "network device", "总装二区"),
        "e-00000": ("机械手 0", "E production equipment", "焊装一区"),
    }
    for id, (name, kind, zone) in kinds.items():
        assert (known[id].name, known[id].cls.en, known[id].zone) == (name, kind, zone), id
    assert known["drive-cycle"].addresses == "198.18.0.10, 198.18.0.9"
    assert known["clock-a"].addresses == "/var/run/ptp4l"


def test_a_zone_is_no_object_although_one_is_called_like_it(make_gallery: Any) -> None:
    made = make_gallery()
    content = made.plant.model_dump(mode="json", by_alias=True)
    content["devices"].append({"id": "cell-a", "kind": "historian", "zone": "dmz", "addresses": ["203.0.113.8"]})
    made.plant = type(made.plant).model_validate(content)
    assert things(made.plant)["cell-a"].cls.en == "network device"
    found = item(view(material(made)), "SEC-DOM")
    assert [(row.thing.name, row.thing.cls.en) for row in found.failing] == [
        ("焊装一区", "security zone"), ("办公网", "security zone"),
    ]  # fmt: skip
    assert found.picture is not None
    assert found.picture.matrix is not None
    assert found.picture.matrix.corner.en == "from \\ to"


def test_delays_are_drawn_where_they_tell_something_only(make_gallery: Any) -> None:
    made = make_gallery()
    page = view(material(made))
    assert all(not one.delays for one in page.items if one.picture)
    assert "SEC-DOM" not in material(made).delays


def test_parameters_are_written_as_a_profile_has_them(page: Page) -> None:
    assert "port_states = [SLAVE, UNCALIBRATED]" in item(page, "TSN-SYNC").basis.parameters


def test_segments_and_passages_are_known(make_gallery: Any) -> None:
    content = make_gallery().plant.model_dump(mode="json", by_alias=True)
    next(zone for zone in content["zones"] if zone["id"] == "cell-a")["networks"] = ["198.18.0.0/24"]
    content["devices"].append(
        {"id": "web", "kind": "server", "zone": "dmz", "addresses": ["203.0.113.7"], "services": ["tcp/80"]}
    )
    known = things(type(make_gallery().plant).model_validate(content))
    assert (known["segment:cell-a"].cls.en, known["segment:cell-a"].zone) == ("zone's segment", "焊装一区")
    (passage,) = (thing for id, thing in known.items() if id.startswith("cell-a > dmz: web"))
    assert (passage.cls.en, passage.zone, passage.addresses) == ("passage between zones", "隔离区", "203.0.113.7")


def test_findings_of_checks_call_the_check_by_its_words() -> None:
    assert note("check-failed", "no-such-check · port 80").en == "no-such-check · port 80"
    assert note("no-answer", "a · b").zh == "a · b"


def test_layers_are_told_in_words() -> None:
    told = note("partly-reachable", "2/3 · layers link:answered network:silent transport:refused ends:transport")
    assert told.en == "2/3 · link answers, network silent, transport refuses, ends at: transport"
    assert told.zh == "2/3 · 链路层有应答，网络层无应答，传输层拒绝连接，止于传输层"
    for strange in ("layers gremlin:answered", "layers link", "layers link:answered:twice"):
        assert note("no-answer", strange).en == strange


@pytest.mark.parametrize("width", [40, 80, 120, 160])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_terminal_table_names_every_pillar_with_its_counts(make_gallery: Any, width: int, language: str) -> None:
    made = make_gallery()
    asked = {one.id: one for one in made.profiles[0].requirements}
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None, legacy_windows=False)
    pillars = {id: one.pillar for id, one in asked.items()}
    console.print(terminal_table(made.campaign.results, language, {id: it.title for id, it in asked.items()}, pillars))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(cell_len, text.splitlines())) <= width
    if width >= 120:
        places = [text.index(f" {pillar(id).in_language(language)}  ") for id in PILLARS]
        assert places == sorted(places)
        tsn = next(line for line in text.splitlines() if f" {pillar('tsn').in_language(language)}  " in line)
        assert ("✕ 不通过 1" if language == "zh" else "✕ fail 1") in tsn


def test_the_other_renderings_take_it_too(make_gallery: Any) -> None:
    made = make_gallery()
    assert b"edge-gw tcp/80 IPv6" in junit(made.campaign, "en")
    assert 'id="pillar-data"' in render(made)
