from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from profiles.requirement import Provenance
from profiles.verdict import Verdict
from reports.figures import moment
from reports.figures import zone_of
from reports.view.item import ItemView
from reports.view.listing import PAGE
from reports.view.material import material
from reports.view.page import Material
from reports.view.page import Page
from reports.view.page import view
from reports.wording import reason


@pytest.fixture
def made(make_example: Any) -> Material:
    return material(make_example(endpoints=80, failing=7))


def item(page: Page, id: str) -> ItemView:
    return next(item for item in page.items if item.id == id)


def with_results(made: Material, *changes: tuple[str, dict[str, Any]]) -> Page:
    """The page after some results were changed, and all others dropped."""
    by_item = {result.item: result for result in made.campaign.results}
    results = tuple(by_item[id].model_copy(update=update) for id, update in changes)
    return view(replace(made, campaign=made.campaign.model_copy(update={"results": results})))


def test_every_item_has_a_place_and_none_is_hidden(made: Material) -> None:
    page = view(made)
    planned = [result.item for result in made.campaign.results if not result.scope]
    assert [item.id for item in page.items] == planned
    assert sorted(item.id for item in page.measured + page.unmeasured) == sorted(planned)
    assert {item.verdict for item in page.unmeasured} == {Verdict.NOT_TESTED, Verdict.NOT_APPLICABLE}
    assert len({item.anchor for item in page.items}) == len(planned)


def test_tallies_add_up_to_the_plan(made: Material) -> None:
    page = view(made)
    assert sum(tally.count for tally in page.tallies) == page.planned == 8
    assert page.judged == 4


def test_untrusted_limits_are_named(made: Material) -> None:
    said = view(made).limits
    assert "NET-LAT-E" in said.en
    assert "4 are stated" in said.en
    assert "NET-LAT-E" in said.zh


def test_a_document_is_named_only_where_every_limit_is_trusted(made: Material) -> None:
    sound = with_results(made, ("NET-RCH-S", {}))
    assert sound.claims[0].en.startswith("It conforms to “Shanghai")
    doubted = with_results(made, ("NET-RCH-S", {}), ("NET-LAT-E", {}))
    assert doubted.claims[0].en.startswith("It meets the project-set values")


@pytest.mark.parametrize("open_item", ["NET-RCH-P", "NET-RCH-X", "NET-RCH-E", "NET-DUMB"])
def test_nothing_is_claimed_while_an_item_is_open_or_failed(made: Material, open_item: str) -> None:
    page = with_results(made, ("NET-RCH-S", {}), (open_item, {}))
    assert page.claims[0].en.startswith("No conformity to")


def test_nothing_is_claimed_when_nothing_was_judged(made: Material) -> None:
    assert with_results(made, ("NET-TECH-5G", {})).claims[0].en.startswith("No conformity to")
    assert with_results(made, ("NET-TECH-5G", {})).limits.en == "No limit was used."


def test_a_pass_is_told_by_the_provenance_of_its_limit(made: Material) -> None:
    page = view(made)
    assert item(page, "NET-RCH-S").statement is not None
    assert "沪经信基〔2022〕617 号" in item(page, "NET-RCH-S").statement.en  # type: ignore[union-attr]
    assert item(page, "NET-LAT-E").statement.en == "Meets the project-set value ≤\u00a010\u00a0ms."  # type: ignore[union-attr]
    assert item(page, "NET-RCH-E").statement is None


def test_breakdowns_stand_by_dimension_the_worst_first_and_under_the_plants_names(made: Material) -> None:
    zones, technologies = item(view(made), "NET-RCH-E").breakdowns
    assert [part.name.en for part in zones.parts] == ["办公网 office", "焊装一区 cell-a", "总装二区 cell-b"]
    assert [part.share for part in zones.parts] == ["3/4", "7/8", "9/9"]
    assert [part.name.zh for part in technologies.parts] == ["5G", "工业 PON"]


def test_a_part_that_does_not_apply_says_why(made: Material) -> None:
    why = {"verdict": Verdict.NOT_APPLICABLE, "value": None, "reason": "tailored-out", "facts": {"reason": "r"}}
    page = with_results(made, ("NET-RCH-E", {}), ("NET-RCH-E:zone=cell-b", why))
    remark = item(page, "NET-RCH-E").breakdowns[0].parts[0].remark
    assert remark is not None
    assert remark.en.startswith("not applicable: ")


def test_failing_objects_carry_what_the_plant_knows_of_them(made: Material) -> None:
    first = item(view(made), "NET-RCH-E").failing[0]
    assert first.thing.id == "e-00000"
    assert (first.thing.name, first.thing.zone, first.thing.area) == ("机械手 0", "焊装一区", "焊装线")
    assert first.thing.cls.en == "E production equipment"
    assert first.thing.addresses == "198.18.0.1, 2001:db8::1"
    assert first.note.en.startswith("icmp-echo")


def test_an_object_that_the_plant_does_not_know_is_still_listed(made: Material) -> None:
    failing = made.campaign.results[0].failing[0].model_copy(update={"target": "ghost"})
    row = item(with_results(made, ("NET-RCH-E", {"failing": (failing,)})), "NET-RCH-E").failing[0]
    assert (row.thing.id, row.thing.zone) == ("ghost", "")


def test_a_long_list_is_cut_at_a_page_and_kept_whole_as_data(make_example: Any) -> None:
    page = view(material(make_example(endpoints=1000, failing=250)))
    failed = item(page, "NET-RCH-E")
    assert (len(failed.failing), failed.failing_total) == (PAGE, 250)
    data = page.paged.as_json(page.items)
    listed = data["lists"][failed.anchor]
    assert len(listed) == 250
    assert [data["things"]["id"][thing] for thing, _, _ in listed[:PAGE]] == [row.thing.id for row in failed.failing]
    assert len(data["reasons"]) == 3
    assert len(data["notes"]) == 4


def test_delays_are_those_behind_the_item(made: Material) -> None:
    page = view(made)
    (delays,) = item(page, "NET-RCH-S").delays
    facts = {name.en: value.en for name, value in delays.facts}
    assert facts["valid attempts"] == "300"
    assert item(page, "NET-TECH-5G").delays == []


def test_earlier_attempts_are_told(made: Material) -> None:
    page = view(made)
    assert "error" in item(page, "NET-RCH-E").evidence.attempts.en
    assert "2 times" in item(page, "NET-RCH-E").evidence.attempts.en
    assert item(page, "NET-RCH-S").evidence.attempts.en == "once"


def test_passing_only_on_a_repeat_is_marked(made: Material) -> None:
    again = {"verdict": Verdict.PASS, "attempts": 2}
    assert item(with_results(made, ("NET-RCH-E", again)), "NET-RCH-E").repeated
    assert not item(with_results(made, ("NET-RCH-S", {})), "NET-RCH-S").repeated


def test_an_item_that_had_not_been_run_before_passes_at_once(made: Material) -> None:
    result = next(one for one in made.campaign.results if one.item == "NET-RCH-S")
    untested, failed = (result.model_copy(update={"verdict": word}) for word in (Verdict.NOT_TESTED, Verdict.FAIL))
    passed = ("NET-RCH-S", {"verdict": Verdict.PASS})
    assert not item(with_results(replace(made, earlier=[untested, untested]), passed), "NET-RCH-S").repeated
    assert item(with_results(replace(made, earlier=[untested, failed]), passed), "NET-RCH-S").repeated


def test_a_result_whose_requirement_is_unknown_is_still_shown(made: Material) -> None:
    page = with_results(made, ("NET-RCH-S", {"requirement": "GONE", "indicator": "gone", "rule": "R9"}))
    shown = item(page, "NET-RCH-S")
    assert shown.title.en == "NET-RCH-S"
    assert (shown.basis.rule.en, shown.indicator.en) == ("R9", "gone")


def test_what_to_do_is_told_where_something_fails_and_only_there(made: Material) -> None:
    page = view(made)
    assert item(page, "NET-RCH-E").remedy is not None
    assert item(page, "NET-RCH-S").remedy is None
    bare = with_results(made, ("NET-RCH-E", {"failing": ()}))
    assert item(bare, "NET-RCH-E").remedy is not None


def test_rules_and_parameters_are_told_in_words(made: Material) -> None:
    page = view(made)
    assert "95 % confidence" in item(page, "NET-RCH-S").basis.rule.en
    assert "0.99 quantile" in item(page, "NET-LAT-E").basis.rule.en
    assert "Only a census can pass." in item(page, "NET-RCH-E").basis.rule.en
    assert "timeout_ms = 1000" in item(page, "NET-RCH-E").basis.parameters


def test_every_provenance_has_words(made: Material) -> None:
    threshold = made.campaign.results[0].threshold
    assert threshold is not None
    for provenance in Provenance:
        source = threshold.source.model_copy(update={"provenance": provenance, "verified": False})
        page = with_results(made, ("NET-RCH-E", {"threshold": threshold.model_copy(update={"source": source})}))
        limit = item(page, "NET-RCH-E").limit
        assert limit is not None
        assert limit.trusted is (provenance is Provenance.STATED)


def test_infinite_values_are_shown_without_a_chart(made: Material) -> None:
    shown = item(with_results(made, ("NET-LAT-E", {"value": float("inf")})), "NET-LAT-E")
    assert shown.figures.value == "∞\u00a0ms"
    assert shown.chart == ""


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("2027-01-15T08:00:00+00:00", "2027-01-15 08:00:00 UTC"),
        ("2027-01-15T16:00:00.5+08:00", "2027-01-15 16:00:00 UTC+08:00"),
        ("2027-01-15T16:00:00", "2027-01-15 16:00:00"),
        ("soon", "soon"),
        (1_800_000_000_000_000_000, "2027-01-15 08:00:00 UTC"),
        (10**30, str(10**30)),
    ],
)
def test_moments_carry_their_zone(when: str | int, told: str) -> None:
    assert moment(when) == told


def test_times_are_told_in_the_zone_of_the_campaign(made: Material) -> None:
    local = made.campaign.model_copy(update={"started_utc": "2027-01-15T16:00:00+08:00"})
    page = view(replace(made, campaign=local))
    assert item(page, "NET-RCH-S").evidence.times.startswith("2027-01-15 16:00:00 UTC+08:00")
    assert str(zone_of("never")) == "UTC"


def test_a_reason_without_words_is_told_by_its_code() -> None:
    assert reason("no-such-code").zh == "no-such-code"
    assert reason("met", {}).en == "met"  # its text wants facts
