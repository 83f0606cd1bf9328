"""Comparison: what moved beyond its interval, what got worse, and what was merely asked differently."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from conformance.cli import main
from conformance.plugin.baseline import Baseline
from fixtures.plant.dump import dump_plant
from profiles.loader import dump
from profiles.requirement import Profile
from profiles.verdict import Verdict
from reports.archive import pack
from reports.bundle import Bundle
from reports.comparison import compare
from reports.comparison import planned
from reports.comparison import series
from reports.comparison import show
from reports.comparison.movement import Movement
from reports.comparison.movement import Trend
from reports.comparison.movement import movement
from reports.comparison.movement import value_trend
from reports.comparison.movement import verdict_trend
from reports.result import Result
from reports.seal import seal

SILENT = "press-2"
Make = Callable[..., Bundle]


def result(value: float | None, low: float | None = None, high: float | None = None, **more: Any) -> Result:
    interval = None if low is None and high is None else {"low": low, "high": high, "confidence": 0.95}
    facts = {
        "item": "A",
        "profile": "p",
        "requirement": "A",
        "indicator": "x",
        "scope": {},
        "verdict": "pass",
        "reason": "r",
        "value": value,
        "unit": "Mbit/s",
        "interval": interval,
        "rule": "R3",
    }
    return Result.model_validate(facts | more)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (result(100, 90, 110), result(105, 95, 115), Movement.WITHIN),
        (result(100, 90, 110), result(120, 110, 130), Movement.WITHIN),  # they touch
        (result(100, 90, 110), result(121, 110.001, 130), Movement.RISEN),
        (result(100, 90, 110), result(80, 70, 89.999), Movement.FALLEN),
        (result(100, 90, 110), result(100, 99, 101), Movement.SAME),
        (result(100, 90, None), result(50, None, 89), Movement.FALLEN),  # one side of each is bounded
        (result(100, 90, None), result(500, 480, None), Movement.WITHIN),
        (result(100, 90, 110), result(0.13, 0.12, 0.14, unit="Gbit/s"), Movement.RISEN),
        (result(100, 90, 110), result(130, 120, 140, unit="ms"), Movement.NONE),
        (result(100), result(130), Movement.UNSURE),
        (result(100, rule="R0"), result(99, rule="R0"), Movement.FALLEN),
        (result(100, rule="R0"), result(99, rule="R1"), Movement.UNSURE),
        (result(None), result(99), Movement.NONE),
        (result(math.inf), result(99), Movement.NONE),
    ],
)
def test_movement(before: Result, after: Result, expected: Movement) -> None:
    assert movement(before, after) is expected


values = st.floats(-1e6, 1e6)
spans = st.tuples(values, values, values).map(sorted)


@given(spans, spans)
def test_the_other_way_round_it_moves_the_other_way(one: list[float], other: list[float]) -> None:
    a, b = (result(span[1], span[0], span[2]) for span in (one, other))
    turned = {Movement.RISEN: Movement.FALLEN, Movement.FALLEN: Movement.RISEN}
    forth = movement(a, b)
    assert movement(b, a) is turned.get(forth, forth)
    if one[0] <= other[2] and other[0] <= one[2]:
        assert forth in (Movement.SAME, Movement.WITHIN)


@pytest.mark.parametrize(
    ("before", "after", "trend"),
    [
        ("pass", "fail", "worse"),
        ("pass", "inconclusive", "worse"),
        ("pass", "not-tested", "worse"),
        ("fail", "pass", "better"),
        ("error", "pass", "better"),
        ("error", "fail", "worse"),
        ("fail", "error", "other"),
        ("fail", "fail", "other"),
        ("pass", "not-applicable", "other"),
    ],
)
def test_a_verdict_that_is_shown_no_more_got_worse(before: str, after: str, trend: str) -> None:
    assert verdict_trend(Verdict(before), Verdict(after)) == trend


@pytest.mark.parametrize(("op", "trend"), [(">=", Trend.BETTER), ("<", Trend.WORSE), ("==", Trend.OTHER)])
def test_the_limit_tells_which_side_is_better(op: str, trend: Trend) -> None:
    source = {"standard": "S", "clause": "1", "provenance": "project", "verified": False}
    after = result(1, threshold={"op": op, "value": "1 Mbit/s", "source": source})
    assert value_trend(Movement.RISEN, after) is trend
    assert value_trend(Movement.WITHIN, after) is Trend.OTHER


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, evidence_in: Any) -> Make:
    """Seals a campaign in which the ``silent`` terminals do not answer."""

    def sealed(*silent: str, change: Callable[[dict[str, Any]], object] = lambda _: None, without: str = "") -> Bundle:
        evidence = evidence_in(tmp_path_factory.mktemp("bundle"))
        kept = tuple(one for one in evidence.plant.endpoints if one.id != without)
        plant = evidence.plant.model_copy(update={"endpoints": kept})
        facts = evidence.profile.model_dump(mode="json")
        change(facts)
        texts = {"plant_yaml": dump_plant(plant), "profile_yamls": {"small": dump(Profile.model_validate(facts))}}
        rows = [
            evidence.observe(one.target, window=one.window, attempt=one.attempt, error=error)
            for one in evidence.observe_all()
            if one.target != without
            for error in ["timeout" if one.target in silent else None]
        ]
        with evidence.create(**texts) as store:
            store.append(rows)
            return seal(store, evidence.bundle)

    return sealed


def by_item(before: Bundle, after: Bundle) -> dict[str, Any]:
    return {change.item: change for change in compare(before, after).changes}


def test_what_fails_now_and_what_is_mended_is_told_by_name(make: Make) -> None:
    broken = by_item(make(), make(SILENT))["RCH-E"]
    assert (broken.trend, broken.moved, broken.broken, broken.mended) == ("worse", "fallen", (SILENT,), ())
    mended = by_item(make(SILENT), make())["RCH-E"]
    assert (mended.trend, mended.moved, mended.broken, mended.mended) == ("better", "risen", (), (SILENT,))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_longer_to_ask_about_what_failed_mends_nothing_and_makes_nothing_better(make: Make, language: str) -> None:
    found = compare(make(SILENT), make(without=SILENT))
    change = next(one for one in found.changes if one.item == "RCH-E")
    assert (change.before.verdict, change.after.verdict) == ("fail", "pass")
    assert (change.trend, change.mended, change.dropped) == (Trend.OTHER, (), (SILENT,))
    told = show.as_markdown(found, language)
    assert ("不再测：" if language == "zh" else "not asked about any more: ") + SILENT in told


def test_what_a_sample_did_not_draw_is_not_mended(make: Make) -> None:
    def sampled(facts: dict[str, Any]) -> None:
        facts["requirements"][0] |= {"sample_size": 1, "sample_seed": 0}

    after = make(change=sampled)
    (drawn,) = next(one for one in after.campaign.results if one.item == "RCH-E").observations.targets
    before = make(*(one.id for one in after.plant.endpoints))
    failing = next(one.failing for one in before.campaign.results if one.item == "RCH-E")
    assert len(failing) > 1
    assert by_item(before, after)["RCH-E"].mended == (drawn,)


def test_a_retest_leaves_out_only_what_was_shown_of_the_same_question(make: Make, tmp_path: Path) -> None:
    def tighter(facts: dict[str, Any]) -> None:
        facts["requirements"][0]["parameters"]["timeout_ms"] = 500

    before, same, other, fewer = make(), make(), make(change=tighter), make(without=SILENT)
    shown = Baseline(before.path)
    assert not shown.is_left(planned(same)["RCH-E"])
    assert shown.is_left(planned(other)["RCH-E"])
    assert shown.is_left(planned(fewer)["RCH-E"])
    assert Baseline(make(SILENT).path).is_left(planned(same)["RCH-E"])


def test_what_was_not_to_be_measured_again_is_not_said_to_be_the_same(make: Make, evidence_in: Any) -> None:
    before = make()
    evidence = evidence_in(before.path.parent.parent / "unmeasured")
    with evidence.create() as store:
        after = seal(store, evidence.bundle)
    results = [one.model_copy(update={"reason": "deselected"}) for one in after.campaign.results]
    after.campaign = after.campaign.model_copy(update={"results": tuple(results)})
    told = show.as_markdown(compare(before, after), "en")
    assert "what was asked is the same" not in told
    whole = [one for one in results if not one.scope]
    left_out = sum(one.verdict is Verdict.NOT_TESTED for one in whole)
    assert left_out
    assert f"Items: {len(whole) - left_out}. Verdict changed: 0." in told
    assert f"Not to be measured this time: {left_out} more." in told
    again = compare(after, make(SILENT))
    assert {change.trend for change in again.changes} == {Trend.OTHER}


def test_the_same_again_is_silent(make: Make) -> None:
    found = compare(make(SILENT), make(SILENT))
    assert not any(change.telling for change in found.changes)
    assert not found.asked
    assert not found.worse


def test_another_limit_makes_another_question(make: Make) -> None:
    def lower(facts: dict[str, Any]) -> None:
        facts["requirements"][0]["threshold"]["value"] = "50 %"

    change = by_item(make(SILENT), make(SILENT, change=lower))["RCH-E"]
    assert (change.before.verdict, change.after.verdict) == ("fail", "pass")
    assert (change.trend, change.moved) == (Trend.OTHER, Movement.SAME)
    assert [(one.code, one.before, one.after) for one in change.asked] == [("limit", ">= 100 %", ">= 50 %")]


def test_another_way_of_measuring_makes_values_incomparable(make: Make) -> None:
    def patient(facts: dict[str, Any]) -> None:
        facts["requirements"][0]["parameters"]["timeout_ms"] = 2000

    change = by_item(make(), make(SILENT, change=patient))["RCH-E"]
    assert (change.trend, change.moved) == (Trend.OTHER, Movement.NONE)
    assert [(one.code, one.before, one.after) for one in change.asked] == [
        ("parameters", "timeout_ms = 1000", "timeout_ms = 2000")
    ]


def test_a_requirement_of_one_side_only_is_called_out(make: Make) -> None:
    def fewer(facts: dict[str, Any]) -> None:
        facts["requirements"] = [one for one in facts["requirements"] if one["id"] != "RCH-P"]

    gone = by_item(make(), make(change=fewer))["RCH-P"]
    assert (gone.after, gone.telling, gone.trend) == (None, True, Trend.OTHER)


def test_years_are_put_in_order(make: Make) -> None:
    bundles = [make(), make(SILENT), make()]
    found = series([bundles[2], bundles[0], bundles[1]])
    started = [side.started for side in found.sides]
    assert started == sorted(started)
    row = next(row for row in found.rows if row.item == "RCH-E")
    assert [one.value for one in row.results if one] == [100.0, 50.0, 100.0]
    assert (row.moved, row.overall) == ((Movement.FALLEN, Movement.RISEN), Movement.SAME)


def test_campaigns_of_one_day_are_told_apart(make: Make) -> None:
    found = series([make(), make(SILENT), make()])
    heading = show.series_markdown(found, "en").splitlines()[2]
    assert heading.count(" UTC") == 3


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_rendering_says_what_got_worse(make: Make, language: str) -> None:
    found = compare(make(), make(SILENT))
    console = Console(width=160, file=StringIO())
    console.print(show.as_table(found, language))
    for told in (console.file.getvalue(), show.as_markdown(found, language)):  # type: ignore[attr-defined]
        assert "RCH-E" in told
        assert SILENT in told.replace("\\", "")
        assert {"zh": "变差", "en": "worse"}[language] in told
    record = json.loads(json.dumps(show.as_record(found)))
    assert record["worse"] == 1
    assert next(one for one in record["changes"] if one["item"] == "RCH-E")["broken"] == [SILENT]


def test_markdown_takes_nothing_for_markup(make: Make) -> None:
    """The plant is called ``测试工厂 <Test & Co>``."""
    told = show.as_markdown(compare(make(), make(SILENT)), "zh")
    assert " <Test" not in told
    assert "\\<Test &amp; Co\\>" in told


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments])
    return int(ended.value.code or 0)


def test_the_command_tells_by_its_status_whether_anything_got_worse(
    make: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = str(make().path), str(make(SILENT).path)
    assert run(good, bad) == 1
    assert run(bad, good) == 0
    capsys.readouterr()
    assert run(good, bad, good, "--format", "json") == 1  # the latest two count, and the bad one is the latest
    assert len(json.loads(capsys.readouterr().out)["series"]["campaigns"]) == 3
    assert run(good, bad, good, "--format", "markdown") == 1
    assert run(good) == 4


def test_a_packed_bundle_is_compared_and_called_by_its_own_name(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = make().path, make(SILENT).path
    packed = tmp_path / "before.zip"
    pack(good, packed)
    assert run(str(packed), str(bad), "--format", "json") == 1
    assert json.loads(capsys.readouterr().out)["before"]["path"] == str(packed)
    assert Baseline(packed).is_left(planned(make(SILENT))["RCH-E"]) is False


def test_an_altered_bundle_is_not_compared(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = make()
    altered = Path(shutil.copytree(good.path, tmp_path / "altered"))
    text = (altered / "results.json").read_text("utf-8")
    (altered / "results.json").write_text(text.replace('"verdict": "pass"', '"verdict": "fail"', 1), "utf-8")
    assert run(str(good.path), str(altered)) == 4
    assert "plantproof verify" in capsys.readouterr().err
    assert run(str(good.path), str(altered), "--unverified") == 1
