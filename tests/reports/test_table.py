from __future__ import annotations

import io
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from profiles.quantity import format_quantity
from profiles.quantity import parse_quantity
from profiles.requirement import Threshold
from profiles.verdict import Verdict
from reports.figures import interval_of
from reports.figures import limit_of
from reports.figures import misses
from reports.figures import number
from reports.figures import threshold_text
from reports.figures import value_of
from reports.result import Result
from reports.standing import Standing
from reports.table import terminal_table
from reports.wording import visible


def shown(results: Any, width: int = 120, language: str = "zh", titles: Any = None) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None, legacy_windows=False)
    console.print(terminal_table(results, language, titles))
    return console.file.getvalue()  # type: ignore[attr-defined]


def limited(value: float | None, op: str = ">=", limit: str = "100 %", unit: str = "%", **more: Any) -> Result:
    threshold = {
        "op": op,
        "value": limit,
        "source": {"standard": "S", "clause": "1", "provenance": "stated", "verified": True},
    }
    record = {
        "item": "A",
        "profile": "p",
        "requirement": "A",
        "indicator": "i",
        "scope": {},
        "verdict": "fail",
        "reason": "r",
    }
    return Result.model_validate(record | {"value": value, "unit": unit, "threshold": threshold} | more)


@pytest.mark.parametrize("width", [40, 60, 80, 110, 160])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_line_is_wider_than_the_terminal(make_example: Any, width: int, language: str) -> None:
    bundle = make_example(failing=5)
    lines = shown(bundle.campaign.results, width, language).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_every_item_is_named_and_breakdowns_stand_under_their_requirement(make_example: Any) -> None:
    bundle = make_example()
    text = shown(bundle.campaign.results, 160)
    for result in bundle.campaign.results:
        if not result.scope:
            assert result.item in text
    assert text.index("NET-RCH-E ") < text.index("安全区 cell-a") < text.index("NET-RCH-S ")


def test_many_breakdowns_are_folded_worst_first(make_example: Any) -> None:
    whole = limited(50)
    parts = [limited(float(value), item=f"A:zone=z{value}", scope={"zone": f"z{value}"}) for value in range(90, 60, -1)]
    text = shown([whole, *parts])
    assert "z61" in text
    assert "z90" not in text
    assert "另有 26 行分项" in text


def test_parts_of_a_requirement_that_is_met_are_left_to_the_report() -> None:
    whole = limited(100.0, verdict="pass")
    text = shown([whole, limited(100.0, item="A:zone=z1", scope={"zone": "z1"}, verdict="info")])
    assert "z1" not in text


def test_offenders_beyond_the_third_are_counted(make_example: Any) -> None:
    text = shown(make_example(endpoints=80, failing=20).campaign.results, 160, "en")
    assert "e-00008" in text
    assert "e-00012" not in text
    assert "17 more" in text


def test_unmeasured_items_with_one_reason_share_a_row_and_are_all_listed() -> None:
    results = [limited(None, item=f"Q-{n}", verdict="not-tested", reason="no-suite") for n in range(25)]
    text = shown(results, 160)
    assert text.count("还没有测试方法能测量这一指标。") == 1
    assert all(f"Q-{n}" in text for n in range(25))


def test_hostile_names_cannot_drive_the_terminal(make_example: Any) -> None:
    text = shown(make_example(hostile="\x1b]0;owned\x07\u202e[bold]<b>").campaign.results, 160)
    assert "\x1b]0" not in text
    assert "\u202e" not in text
    assert "‹U+001B›" in text
    assert "[bold]" in text


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (["pass", "pass", "not-applicable"], ["Conformant", "2 were measured"]),
        (["pass", "fail"], ["Nonconformant", "1 of 2"]),
        (["fail", "not-tested", "error"], ["1 of 3", "2 are open", "1 error", "1 not tested"]),
        (["pass", "inconclusive"], ["Incomplete", "1 of 2", "1 inconclusive"]),
        (["info"], ["Incomplete", "No requirement was judged"]),
        ([], ["Incomplete", "No requirement was judged"]),
    ],
)
def test_the_outcome_is_told_in_a_sentence(verdicts: list[str], words: list[str]) -> None:
    standing = Standing.of([limited(1.0, verdict=verdict) for verdict in verdicts])
    said = f"{standing.headline().en} {standing.why().en}"
    for word in words:
        assert word in said


def test_breakdowns_do_not_count_as_items() -> None:
    standing = Standing.of([limited(1.0, verdict="pass"), limited(1.0, verdict="info", scope={"zone": "z"})])
    assert (standing.planned, standing.judged, standing.open) == (1, 1, 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (100.0, "100"),
        (97.43589, "97.44"),
        (0.183421, "0.1834"),
        (123456.7, "123,457"),
        (-85.25, "−85.25"),
        (1.25e-9, "1.25 × 10⁻⁹"),
        (float("inf"), "∞"),
        (float("nan"), "–"),
    ],
)
def test_numbers_are_short_and_plain(value: float, text: str) -> None:
    assert number(value) == text


def test_a_failing_value_is_not_rounded_up_to_its_limit() -> None:
    assert value_of(limited(99.9996)) == "99.9996\u00a0%"
    assert value_of(limited(29.99996, "<", "30 %")) == "29.99996\u00a0%"


@given(
    st.floats(min_value=0, max_value=200),
    st.floats(min_value=0, max_value=200),
)
@settings(max_examples=300)
def test_rounding_never_changes_the_side_of_the_limit(value: float, limit: float) -> None:
    text = number(value, limit)
    if "×" in text:
        return
    rounded = float(text.replace(",", ""))
    assert (rounded >= limit) == (value >= limit)
    assert (rounded <= limit) == (value <= limit)


@pytest.mark.parametrize(
    ("value", "limit", "told", "told_limit"),
    [
        (-105.0, "-105 dBm", "−105\u00a0dBm", "≥\u00a0−105\u00a0dBm"),
        (1e-9, "1e-9 ms", "1 × 10⁻⁹\u00a0ms", "≥\u00a01 × 10⁻⁹\u00a0ms"),
        (99.99999, "99.99999%", "99.99999\u00a0%", "≥\u00a099.99999\u00a0%"),
        (1000.0, "1e3 Mbit/s", "1,000\u00a0Mbit/s", "≥\u00a01,000\u00a0Mbit/s"),
        (3.0, "3 count", "3", "≥\u00a03"),
    ],
)
def test_one_number_looks_the_same_wherever_it_stands(value: float, limit: str, told: str, told_limit: str) -> None:
    quantity = parse_quantity(limit)
    result = limited(value, ">=", limit, quantity.unit)
    assert (value_of(result), threshold_text(result.threshold)) == (told, told_limit)
    assert format_quantity(quantity, "en", limit=quantity).replace(" ", "\u00a0") == told.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("op", "missing"),
    [
        (">=", [9.9]),
        (">", [9.9, 10.0]),
        ("<=", [10.1, math.inf]),
        ("<", [10.0, 10.1, math.inf]),
        ("==", [9.9, 10.1, math.inf]),
    ],
)
def test_a_part_misses_the_limit_of_the_whole_by_the_whole_s_comparison(op: str, missing: list[float]) -> None:
    whole = limited(1.0, op, "10 ms", "ms")
    values = [9.9, 10.0, 10.1, math.inf]
    assert [value for value in values if misses(limited(value, unit="ms"), whole)] == missing
    assert misses(limited(math.nan, unit="ms"), whole)
    assert not misses(limited(None, unit="ms"), whole)
    assert not misses(limited(9.9, unit="ms"), limited(1.0, op, "10 ms", "%"))


def test_the_limit_is_told_in_the_results_unit() -> None:
    assert limit_of(limited(1.0, "<=", "10 ms", "s")) == 0.01
    assert limit_of(limited(1.0, "<=", "10 ms", "ms")) == 10
    assert limit_of(limited(1.0, ">=", "90%")) == 90
    assert limit_of(limited(1.0, "<=", "10 ms", "%")) is None
    assert limit_of(limited(1.0, "<=", "soon", "ms")) is None


def test_an_interval_bounded_on_one_side_is_told_as_a_bound() -> None:
    def interval(low: float | None, high: float | None) -> str:
        return interval_of(limited(95.0, interval={"low": low, "high": high, "confidence": 0.95}))

    assert interval(91.24, None) == "≥\u00a091.24\u00a0%"
    assert interval(None, 91.24) == "≤\u00a091.24\u00a0%"
    assert interval(91.24, 97) == "91.24 … 97\u00a0%"


@given(st.text(max_size=40))
def test_what_is_shown_is_printable_and_nothing_is_lost(text: str) -> None:
    out = visible(text)
    out.encode()  # also lone surrogates
    assert all(character.isprintable() or character in "\t\n" or ord(character) > 0x9F for character in out)


def test_every_verdict_has_a_word_in_both_languages() -> None:
    for language in ("zh", "en"):
        text = shown([limited(1.0, item=str(n), verdict=word.value) for n, word in enumerate(Verdict)], 160, language)
        assert text


def test_threshold_texts_keep_the_profiles_words() -> None:
    assert "<\u00a030\u00a0%" in shown([limited(12.0, "<", "30 %")])
    assert isinstance(limited(1.0).threshold, Threshold)
