"""What ISO/IEC 17025 7.8.2 asks of a report at least, and that nothing of it is made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from profiles.verdict import Verdict
from reports.bundle import Event
from reports.particulars import Particulars
from reports.view.fact import Fact
from reports.view.material import Material
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view
from reports.waivers import Waiver
from reports.waivers import WaiverScope

START_NS = 1_800_000_000_000_000_000


@pytest.fixture
def made(make_example: Any) -> Material:
    return material(make_example(endpoints=80, failing=7))


def opened(vantage: str, run: int = 1, **facts: str) -> Event:
    told = {"vantage": vantage, "hostname": "jump", "system": "Linux", "kernel": "6.1", "machine": "x86_64"}
    told |= {"python": "3.11.2", "clock.synchronised": "true", "clock.max_error_us": "1500"}
    told |= {"offset.offset_ms": "-0.25", "offset.uncertainty_ms": "0.03"} | facts
    return Event(utc_ns=START_NS, run=run, kind="vantage-opened", text="open", facts=told)


def happened(kind: str, run: int = 1, **facts: str) -> Event:
    return Event(utc_ns=START_NS, run=run, kind=kind, text=f"told then: {kind}", facts=facts)


def fact(page: Page, name: str) -> Fact:
    return next(one for one in page.particulars if one.name.en == name)


def recorded(page: Page) -> list[str]:
    return [one.en for one in page.departures.recorded]


def test_a_report_is_identified_by_its_campaign_and_its_evidence(made: Material) -> None:
    page = view(made)
    id = fact(page, "Report id").value.zh
    assert id.startswith(made.campaign.campaign)
    assert view(replace(made, fingerprint="f" * 64)).particulars[0].value.zh != id


def test_what_nobody_stated_is_not_made_up(made: Material) -> None:
    page = view(made)
    client = fact(page, "Client")
    assert (client.stated, client.value.zh, client.value.en) == (False, "未载明", "not stated")
    assert fact(page, "Organisation").value.zh == made.plant.organisation


def test_the_minimum_is_there(made: Material) -> None:
    page = view(made)
    names = {one.name.en for one in page.particulars}
    assert {"Report id", "Client", "Place of the test", "Items tested", "Tested", "Authorised by"} <= names
    for item in page.measured:
        assert item.basis.rule.zh
        assert item.basis.definition.zh
        assert item.basis.methods
        assert item.figures.uncertainty.zh


def test_uncertainty_is_told_by_rule(made: Material) -> None:
    told = {item.id: item.figures.uncertainty.en for item in view(made).items}
    assert told["NET-RCH-E"] == "an integer count of a census: no uncertainty of sampling"
    assert told["NET-RCH-S"] == "≥\u00a091.24\u00a0% (exact one-sided bounds, 95 % confidence each)"
    assert "order statistics" in told["NET-LAT-E"]
    assert told["NET-RCH-X"] == "there is no value, hence no uncertainty"
    assert told["NET-TECH-5G"] == "not stated"


def test_vantage_points_are_told_with_their_clocks(made: Material) -> None:
    first, second = view(replace(made, events=[opened("jump-a"), opened("jump-a", run=2)])).environment.vantages
    assert (first.id, first.where, first.host, first.sessions) == ("jump-a", "local", "jump", 2)
    assert first.system == "Linux 6.1 x86_64, Python 3.11.2"
    assert first.clock.en == "synchronised, off by at most 1,500 µs"
    assert first.offset == "\u22120.25 ± 0.03\u00a0ms"
    assert (second.sessions, second.clock.en, second.host) == (0, "never opened", "")


@pytest.mark.parametrize(
    ("synchronised", "error", "told"),
    [
        ("true", "soon", "synchronised, off by at most soon µs"),
        ("false", "1", "not synchronised: nothing disciplines it"),
        ("unknown", "1", "unknown"),
        ("perhaps", "1", "perhaps"),
    ],
)
def test_a_clock_is_told_as_it_was_found(made: Material, synchronised: str, error: str, told: str) -> None:
    event = opened(
        "jump-a", **{"clock.synchronised": synchronised, "clock.max_error_us": error, "offset.offset_ms": "x"}
    )
    shown = view(replace(made, events=[event])).environment.vantages[0]
    assert (shown.clock.en, shown.offset) == (told, "")


def test_an_undisturbed_campaign_has_no_recorded_departures(made: Material) -> None:
    passed = [one for one in made.campaign.results if one.verdict is Verdict.PASS]
    quiet = made.campaign.model_copy(update={"results": tuple(passed)})
    page = view(replace(made, campaign=quiet, events=[opened("jump-a")], earlier=()))
    assert page.departures.recorded == []


def test_of_an_empty_campaign_nobody_says_that_it_went_as_planned(made: Material) -> None:
    page = view(replace(made, campaign=made.campaign.model_copy(update={"results": ()}), events=()))
    assert recorded(page) == ["No item was planned, so nothing was judged."]


def test_interruptions_repeats_and_exclusions_are_told(made: Material) -> None:
    lost = happened("vantage-lost", run=3, vantage="jump-b", how="closed", said="")
    stopped = happened("zone-stopped", vantage="jump-a", zone="cell-a", reason="device-went-silent")
    said = recorded(view(replace(made, events=[lost, lost, stopped])))
    assert "The test was made in 3 sessions: interrupted 2 times and resumed." in said
    assert any(one.startswith("vantage point jump-b is lost (closed)") and one.endswith("(2 times)") for one in said)
    assert any("nothing is sent into zone cell-a any more" in one for one in said)
    assert "Excluded: NET-COV. Reason: 本厂无室外区域" in said
    assert any("measured more than once" in one and "NET-RCH-E (2)" in one for one in said)
    assert any("NET-DUMB" in one and "not run" in one for one in said)


def test_an_event_without_words_is_told_as_it_was(made: Material) -> None:
    page = view(replace(made, events=[happened("vantage-lost"), happened("from-a-later-version")]))
    assert "told then: vantage-lost" in recorded(page)
    assert [one.text.en for one in page.events] == ["told then: vantage-lost", "told then: from-a-later-version"]


def test_a_long_enumeration_is_cut_and_says_so(made: Material) -> None:
    dumb = next(one for one in made.campaign.results if one.item == "NET-DUMB")
    many = tuple(dumb.model_copy(update={"item": f"NET-{index}"}) for index in range(25))
    page = view(replace(made, campaign=made.campaign.model_copy(update={"results": many})))
    assert any(one.endswith("NET-19 and 5 more") for one in recorded(page))


def test_what_people_stated_is_told_as_stated(made: Material) -> None:
    stated = Particulars(
        client="示例集团",
        authoriser="王五",
        deviations=("夜间未测",),
        conditions=("生产运行中",),
        remarks=("一", "二"),
    )
    page = view(replace(made, particulars=stated))
    assert fact(page, "Client").value.zh == "示例集团"
    assert fact(page, "Authorised by").stated
    assert fact(page, "Remarks").value.zh == "一 二"
    assert page.departures.stated == ["夜间未测"]
    assert page.environment.conditions == ["生产运行中"]


def waiver(id: str, expires: date, **scope: Any) -> Waiver:
    return Waiver(
        id=id, justification="更换交换机前暂不接入", owner="李四", approver="张三", expires=expires,
        scope=WaiverScope(**scope),
    )  # fmt: skip


def test_a_waiver_stands_beside_the_verdict_and_changes_nothing(made: Material) -> None:
    without = view(made)
    page = view(replace(made, waivers=[waiver("NET-RCH-E", date(2027, 1, 15), zones=("office",))]))
    failed = next(item for item in page.items if item.id == "NET-RCH-E")
    (beside,) = failed.waivers
    assert (failed.verdict, page.outcome, page.tallies) == (Verdict.FAIL, without.outcome, without.tallies)
    assert beside.in_force  # on its last day, too
    assert beside.expires in beside.effect.zh
    assert (beside.scope.en, page.waivers[0].effect.en) == ("office", "stands beside NET-RCH-E")
    assert [item.id for item in page.items if item.waivers] == ["NET-RCH-E"]


def test_an_expired_and_an_idle_waiver_say_so(made: Material) -> None:
    late, idle = waiver("NET-RCH-E", date(2027, 1, 14)), waiver("NET-RCH-S", date(2027, 12, 31))
    first, second = view(replace(made, waivers=[late, idle])).waivers
    assert (first.in_force, first.state.zh) == (False, "测试时已到期，不作数")
    assert second.effect.en.startswith("nothing to waive")


def test_the_day_of_the_test_is_told_where_it_was_made(made: Material) -> None:
    local = {"started_utc": "2027-01-15T23:00:00+08:00", "ended_utc": "2027-01-15T17:00:00+00:00"}
    there = replace(made, campaign=made.campaign.model_copy(update=local))
    assert not view(replace(there, waivers=[waiver("NET-RCH-E", date(2027, 1, 15))])).waivers[0].in_force


def test_remedies_are_listed_by_urgency(made: Material) -> None:
    page = view(made)
    assert [item.id for item in page.remedies] == ["NET-RCH-E"]
    assert page.remedies[0].remedy is not None
