"""judge(): total, exact at the boundary, and never generous."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.judge import NOTHING_TO_JUDGE
from profiles.judge import judge
from profiles.language import Texts
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Exposure
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Judgement
from profiles.reduced import Measurement
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.rules import RULES
from profiles.verdict import Verdict

Ask = Callable[..., Requirement]
inf, nan = math.inf, math.nan
GOODNESS = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 2}

# fmt: off
CASES: list[tuple[str | None, str, dict[str, Any], Reduced, str, str]] = [
    # limit, rule, more of the requirement, value, verdict, reason
    # R0: integers; 达到 is inclusive, 低于 is strict; nothing is rounded
    (">= 100 %", "R0", {}, Ratio(40, 40), "pass", "met"),
    (">= 100 %", "R0", {}, Ratio(39, 40), "fail", "not-met"),
    (">= 90 %", "R0", {}, Ratio(9, 10), "pass", "met"),
    ("> 90 %", "R0", {}, Ratio(9, 10), "fail", "not-met"),
    (">= 90 %", "R0", {}, Ratio(8996, 10000), "fail", "not-met"),
    (">= 0.9 1", "R0", {}, Ratio(8999999999999999, 9007199254740992), "pass", "met"),
    (">= 90 %", "R0", {}, Ratio(2**53 - 2**53 // 10 - 1, 2**53), "fail", "not-met"),
    ("< 30 %", "R0", {}, Ratio(30, 100), "fail", "not-met"),
    ("<= 30 %", "R0", {}, Ratio(30, 100), "pass", "met"),
    ("< 30 %", "R0", {}, Ratio(29, 100), "pass", "met"),
    ("== 50 %", "R0", {}, Ratio(1, 2), "pass", "met"),
    ("== 50 %", "R0", {}, Ratio(2, 3), "fail", "not-met"),
    # unknown objects: fail only when certain, never pass
    (">= 90 %", "R0", {}, Ratio(40, 40, unknown=1), "error", "unknown-objects"),
    (">= 90 %", "R0", {}, Ratio(80, 90, unknown=1), "fail", "not-met"),
    (">= 90 %", "R0", {}, Ratio(89, 99, unknown=1), "error", "unknown-objects"),
    (">= 100 %", "R0", {}, Ratio(39, 40, unknown=60), "fail", "not-met"),
    ("< 30 %", "R0", {}, Ratio(30, 90, unknown=10), "fail", "not-met"),
    ("< 30 %", "R0", {}, Ratio(29, 90, unknown=10), "error", "unknown-objects"),
    (">= 90 %", "R0", {}, Ratio(0, 0, unknown=5), "error", "unknown-objects"),
    (">= 0 %", "R0", {}, Ratio(0, 0), "inconclusive", "nothing-measured"),
    ("> 100 %", "R0", {}, Ratio(0, 0), "inconclusive", "nothing-measured"),
    # a sample where only a census can pass
    (">= 100 %", "R0", {}, Ratio(29, 29, population=60), "inconclusive", "sample-not-census"),
    (">= 100 %", "R0", {}, Ratio(28, 29, population=60), "fail", "not-met"),
    (">= 90 %", "R0", {}, Ratio(28, 29, population=60), "inconclusive", "sample-not-census"),
    (">= 90 %", "R0", {}, Ratio(59, 59, population=60), "inconclusive", "sample-not-census"),
    (">= 90 %", "R0", {}, Ratio(20, 29, population=60), "fail", "not-met"),
    (">= 90 %", "R0", {}, Ratio(20, 25, population=60), "inconclusive", "sample-not-census"),
    (">= 100 %", "R0", {}, Ratio(28, 28, unknown=1, population=60), "error", "unknown-objects"),
    (">= 90 %", "R0", {"sample_rule": "R2"}, Ratio(29, 29, population=10**6), "pass", "met"),
    (">= 90 %", "R0", {"sample_rule": "R2"}, Ratio(28, 28, population=10**6), "inconclusive", "interval-spans-limit"),
    (">= 90 %", "R0", {"sample_rule": "R2"}, Ratio(28, 28, unknown=1, population=10**6), "error", "unknown-objects"),
    (">= 90 %", "R0", {"sample_rule": "R2"}, Ratio(0, 28, unknown=1, population=10**6), "fail", "not-met"),
    (">= 90 %", "R0", {"sample_rule": "R1"}, Ratio(9, 10, population=60), "pass", "met"),
    # R2: see also the reference values
    (">= 90 %", "R2", {}, Ratio(29, 29), "pass", "met"),
    ("< 30 %", "R2", {}, Ratio(22, 100), "pass", "met"),
    (">= 90 %", "R5", {}, Ratio(29, 29), "inconclusive", "falsify-only"),
    # R1
    ("< 30 %", "R1", {}, Ratio(23, 100), "pass", "met"),
    (">= 100 Mbit/s", "R1", {}, Measurement(100.0, 5.0, "Mbit/s", 3), "pass", "met"),
    (">= 0.1 Gbit/s", "R1", {}, Measurement(99.9, 5.0, "Mbit/s", 3), "fail", "not-met"),
    ("<= 0.1 ms", "R1", {}, Samples((0.1,) * 10, "ms"), "pass", "met"),
    ("<= 2 ms", "R1", {}, Samples((1.0, inf), "ms"), "fail", "not-met"),
    ("<= 2 ms", "R1", {"quantile": 0.5}, Samples((1.0, inf), "ms"), "pass", "met"),
    (">= 2 ms", "R1", {}, Samples((3.0, inf), "ms"), "error", "unknown-objects"),
    # R3: the guard band may touch the limit
    ("<= 10 ms", "R3", {}, Measurement(9.9, 0.1, "ms", 5), "pass", "met"),
    ("<= 10 ms", "R3", {}, Measurement(0.0099, 0.0001, "s", 5), "pass", "met"),
    ("< 10 ms", "R3", {}, Measurement(9.9, 0.1, "ms", 5), "inconclusive", "interval-spans-limit"),
    ("<= 10 ms", "R3", {}, Measurement(9.9, 0.11, "ms", 5), "inconclusive", "interval-spans-limit"),
    ("<= 10 ms", "R3", {}, Measurement(10.1, 0.1, "ms", 5), "inconclusive", "interval-spans-limit"),
    ("<= 10 ms", "R3", {}, Measurement(10.11, 0.1, "ms", 5), "fail", "not-met"),
    ("== 10 ms", "R3", {}, Measurement(10.0, 0.1, "ms", 5), "inconclusive", "interval-spans-limit"),
    ("== 10 ms", "R3", {}, Measurement(10.0, 0.0, "ms", 5), "pass", "met"),
    (">= -105 dBm", "R3", {}, Measurement(-103.0, 2.0, "dBm", 5), "pass", "met"),
    (">= -105 dBm", "R3", {}, Measurement(-107.5, 2.0, "dBm", 5), "fail", "not-met"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, inf, "ms", 5), "inconclusive", "interval-spans-limit"),
    ("<= 10 ms", "R3", {}, Measurement(nan, 0.1, "ms", 5), "error", "not-a-number"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, nan, "ms", 5), "error", "not-a-number"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, -1.0, "ms", 5), "error", "not-a-number"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, 0.1, "ms", 5, unknown=1), "error", "unknown-objects"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, 0.1, "ms", 0), "inconclusive", "nothing-measured"),
    # R4
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 100, "ms"), "pass", "met"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 99, "ms"), "inconclusive", "too-few-samples"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 96 + (inf,) * 4, "ms"), "pass", "met"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 90 + (inf,) * 10, "ms"), "inconclusive",
     "interval-spans-limit"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 80 + (inf,) * 20, "ms"), "fail", "not-met"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 100, "ms", unknown=1), "error", "unknown-objects"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 99 + (nan,), "ms"), "error", "unknown-objects"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((1.0,) * 70 + (inf,) * 30, "ms", unknown=1), "fail", "not-met"),
    ("<= 10 ms", "R4", {"quantile": 0.9}, Samples((), "ms"), "inconclusive", "nothing-measured"),
    ("<= 10 ms", "R4", {}, Samples((1.0,) * 100, "ms"), "error", "quantile-missing"),
    (">= 50 Mbit/s", "R4", {"quantile": 0.05}, Samples((60.0,) * 200, "Mbit/s"), "pass", "met"),
    (">= 50 Mbit/s", "R4", {"quantile": 0.05}, Samples((60.0,) * 199, "Mbit/s"), "inconclusive", "too-few-samples"),
    # R5
    (">= 99.9999 %", "R5", {}, Exposure(0, 10**9), "inconclusive", "falsify-only"),
    (">= 99.9999 %", "R5", {}, Exposure(1, 1000), "fail", "not-met"),
    (">= 99.9999 %", "R5", {}, Exposure(1, 10**7), "inconclusive", "falsify-only"),
    (">= 100 %", "R5", {}, Exposure(1, 10**9), "fail", "not-met"),
    ("<= 0.1 %", "R5", {}, Exposure(5, 1000), "fail", "not-met"),
    ("<= 0 count", "R5", {}, Exposure(0, 10), "inconclusive", "falsify-only"),
    ("<= 0 count", "R5", {}, Exposure(1, 10), "fail", "not-met"),
    ("== 0 count", "R5", {}, Exposure(1, 10, unknown=5), "fail", "not-met"),
    ("== 0 count", "R5", {}, Exposure(0, 10, unknown=5), "error", "unknown-objects"),
    ("<= 10 ms", "R5", {}, Samples((1.0, 10.0), "ms"), "inconclusive", "falsify-only"),
    ("< 10 ms", "R5", {}, Samples((1.0, 10.0), "ms"), "fail", "not-met"),
    ("<= 10 ms", "R5", {}, Samples((1.0, inf, nan), "ms"), "fail", "not-met"),
    ("== 10 ms", "R5", {}, Samples((9.0, 10.0), "ms"), "fail", "not-met"),
    ("== 10 ms", "R5", {}, Samples((10.0, 10.0), "ms"), "inconclusive", "falsify-only"),
    # counts and checks
    ("<= 0 count", "R0", {}, Exposure(0, 10), "pass", "met"),
    ("<= 0 count", "R0", {}, Exposure(1, 10), "fail", "not-met"),
    ("<= 0 count", "R0", {}, Exposure(0, 0), "inconclusive", "nothing-measured"),
    ("<= 0 count", "R0", {}, Exposure(0, 9, unknown=1), "error", "unknown-objects"),
    ("<= 0 count", "R0", {}, Exposure(1, 9, unknown=1), "fail", "not-met"),
    (">= 100 %", "R0", {}, Checklist((Check("a", "x", True), Check("b", "x", True))), "pass", "met"),
    (">= 100 %", "R0", {}, Checklist((Check("a", "x", False), Check("b", "x", None))), "fail", "not-met"),
    (">= 100 %", "R0", {}, Checklist((Check("a", "x", True), Check("b", "x", None))), "error", "unknown-objects"),
    (">= 100 %", "R0", {}, Checklist(()), "inconclusive", "nothing-measured"),
    ("<= 0 count", "R0", {}, Checklist((Check("a", "x", True), Check("b", "x", True))), "pass", "met"),
    ("<= 0 count", "R0", {}, Checklist((Check("a", "x", True), Check("b", "x", False))), "fail", "not-met"),
    ("<= 0 count", "R0", {}, Checklist((Check("a", "x", True), Check("b", "x", None))), "error", "unknown-objects"),
    (">= 3 dB", "R0", {}, Samples((3.0, 4.0), "dB"), "pass", "met"),
    (">= 3 dB", "R0", {}, Samples((2.9, 4.0), "dB"), "fail", "not-met"),
    (">= 3 dB", "R0", {}, Samples((4.0,), "dB", unknown=1), "error", "unknown-objects"),
    (">= 3 dB", "R0", {}, Samples((2.9,), "dB", unknown=1), "fail", "not-met"),
    ("<= 3 ms", "R0", {}, Samples((1.0, inf), "ms"), "fail", "not-met"),
    # no limit
    (None, "R0", {}, Ratio(1, 3), "info", "value-reported"),
    (None, "R2", {}, Ratio(1, 3, unknown=1), "info", "value-reported"),
    (None, "info", {}, Ratio(0, 0, unknown=1), "error", "unknown-objects"),
    (None, "info", {}, Samples((), "ms"), "inconclusive", "nothing-measured"),
    (None, "info", {}, Samples((1.0, 2.0), "ms"), "info", "value-reported"),
    (">= 90 %", "info", {}, Ratio(1, 3), "info", "value-reported"),
    # questions that make no sense are errors, never crashes
    ("<= 10 ms", "R0", {}, Ratio(1, 2), "error", "unit-mismatch"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, 0.1, "%", 3), "error", "unit-mismatch"),
    ("<= 10 ms", "R3", {}, Measurement(1.0, 0.1, "furlong", 3), "error", "unit-mismatch"),
    (">= 10 dB", "R3", {}, Measurement(1.0, 0.1, "dBm", 3), "error", "unit-mismatch"),
    (">= ninety", "R0", {}, Ratio(1, 2), "error", "threshold-unreadable"),
    (">= 90", "R0", {}, Ratio(1, 2), "error", "threshold-unreadable"),
    (">= 90 %", "R3", {}, Ratio(1, 2), "error", "rule-does-not-fit"),
    (">= 90 %", "R0", {}, Ratio(3, 2), "error", "counts-inconsistent"),
    (">= 90 %", "R0", {}, Ratio(-1, 2), "error", "counts-inconsistent"),
    (">= 90 %", "R0", {}, Ratio(9, 10, population=5), "error", "counts-inconsistent"),
    (">= 90 %", "R5", {}, Exposure(3, 2), "error", "counts-inconsistent"),
    (">= 90 %", "R0", {}, Ratio(10**400, 10**400), "error", "counts-inconsistent"),
    # invalid measurements
    (">= 90 %", "R0", {}, Invalid("empty-register"), "inconclusive", "empty-register"),
    (">= 90 %", "R0", {}, Invalid("baseline-missing"), "inconclusive", "baseline-missing"),
    (">= 90 %", "R0", {}, Invalid("tester-loss", "12 packets"), "error", "tester-loss"),
    (None, "info", {}, Invalid("tester-loss"), "error", "tester-loss"),
]
# fmt: on


@pytest.mark.parametrize(("limit", "rule", "more", "value", "verdict", "reason"), CASES)
def test_table(
    ask: Ask, limit: str | None, rule: str, more: dict[str, Any], value: Reduced, verdict: str, reason: str
) -> None:
    judged = judge(ask(limit, rule, **more), value)
    assert (judged.verdict, judged.reason) == (verdict, reason)


def test_the_table_exercises_every_pair_of_rule_and_value() -> None:
    tried = {(Rule(more.get("sample_rule", rule)), type(value)) for _, rule, more, value, _, _ in CASES}
    tried |= {(Rule.INFO, type(value)) for limit, _, _, value, _, _ in CASES if limit is None}
    untried = RULES.keys() - tried - {(Rule.R1, Exposure), (Rule.INFO, Exposure), (Rule.INFO, Measurement)}
    assert not untried


def test_everything_that_led_to_the_verdict_is_kept(ask: Ask) -> None:
    findings = (Finding("ep-1", "no-answer"),)
    ratio = Ratio(95, 99, unknown=1, failing=findings, basis="terminal", notes=("n",), facts=(("area", "3/3"),))
    judged = judge(ask(">= 0.95 1", "R2"), ratio)
    assert (judged.verdict, judged.unit, judged.n, judged.rule) == (Verdict.ERROR, "1", 99, "R2")
    assert (judged.value, judged.numerator, judged.denominator, judged.failing) == (None, None, None, findings)
    assert judged.interval is not None
    assert judged.interval.low == pytest.approx(0.8977, abs=1e-4)
    assert judged.notes == ("n",)
    assert dict(judged.facts) | {"area": "3/3", "basis": "terminal", "unknown": "1", "owed": "100"} == dict(
        judged.facts
    )


def test_values_are_told_in_the_limit_s_unit(ask: Ask) -> None:
    judged = judge(ask("<= 0.01 s", "R3"), Measurement(9.9, 0.2, "ms", 4))
    assert (judged.value, judged.unit) == (0.0099, "s")
    assert judged.interval is not None
    assert (judged.interval.low, judged.interval.high) == (0.0097, 0.0101)


def test_simple_acceptance_and_partial_knowledge_are_labelled(ask: Ask) -> None:
    assert judge(ask(">= 90 %", "R1"), Ratio(9, 10)).notes == ("simple-acceptance",)
    partly = judge(ask(">= 90 %", "R0"), Ratio(1, 10, unknown=1))
    assert partly.notes == ("some-unknown",)
    assert (partly.value, partly.numerator, partly.denominator) == (None, None, None), "no biased share as a result"
    assert partly.interval is not None
    assert (partly.interval.low, partly.interval.high) == (pytest.approx(100 / 11), pytest.approx(200 / 11))
    assert judge(ask(">= 90 %", "R0"), Ratio(9, 10)).notes == ()


def test_a_sample_s_fact_never_reads_as_if_it_met_the_limit(ask: Ask) -> None:
    facts = dict(judge(ask(">= 90 %", "R0"), Ratio(899996, 1000000)).facts)
    assert facts["value"] == "89.9996 %"


def test_checks_that_failed_are_named(ask: Ask) -> None:
    judged = judge(
        ask(">= 100 %", "R0"), Checklist((Check("a", "x", True), Check("b", "x", False), Check("c", "x", None)))
    )
    assert judged.failing == (Finding("b", "check-failed", "x"), Finding("c", "check-not-made", "x"))


# --- properties -----------------------------------------------------------------------------------------------------

counts = st.integers(0, 60)
numbers = st.floats(allow_nan=True, allow_infinity=True)
units = st.sampled_from(["ms", "s", "%", "1", "dBm", "count", "Mbit/s", "furlong", ""])
any_count = st.integers(-3, 60) | st.sampled_from([2**53, 10**30])
checks = st.builds(
    Check, st.text(max_size=3), st.sampled_from(["x", "y"]), st.none() | st.booleans(), st.text(max_size=3)
)
reduced = st.one_of(
    st.builds(Ratio, any_count, any_count, any_count, st.none() | any_count),
    st.builds(Samples, st.lists(numbers, max_size=30).map(tuple), units, any_count),
    st.builds(Samples, st.lists(st.floats(0, 20), min_size=20, max_size=200).map(tuple), st.just("ms"), counts),
    st.builds(Measurement, numbers, numbers, units, any_count, any_count),
    st.builds(Checklist, st.lists(checks, max_size=5).map(tuple)),
    st.builds(Exposure, any_count, any_count, any_count),
    st.builds(Invalid, st.sampled_from([*sorted(NOTHING_TO_JUDGE), "tester-loss", "anything"])),
)
limits = st.none() | st.builds(
    "{} {}".format,
    st.sampled_from([">=", ">", "<=", "<", "=="]),
    st.sampled_from(["0 %", "30 %", "90 %", "100 %", "0.5 1", "10 ms", "0.01 s", "0 count", "-90 dBm", "90", "nan %"])
    | st.text(max_size=8),
)
rules = st.sampled_from([rule.value for rule in Rule])
more = st.fixed_dictionaries(
    {
        "quantile": st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
        "sample_rule": st.none() | rules,
        "confidence": st.floats(0.5, 1, exclude_min=True, exclude_max=True),
    }
)


@settings(max_examples=400)
@given(limits, rules, more, reduced)
def test_judge_is_total_and_its_reasons_have_words(
    ask: Ask, limit: str | None, rule: str, more: dict[str, Any], value: Reduced
) -> None:
    judged = judge(ask(limit, rule, **more), value)
    assert isinstance(judged, Judgement)
    assert judged.value is None or math.isfinite(judged.value)
    if judged.interval and judged.value is not None and judged.interval.low is not None:
        assert judged.interval.low <= judged.value + abs(judged.value) * 1e-9
    if not isinstance(value, Invalid):
        for code in (f"reason.{judged.reason}", *(f"reason.{note}" for note in judged.notes)):
            for language in ("zh", "en"):
                assert Texts.of("profiles").get(code, language, **dict(judged.facts))
    if judged.verdict in (Verdict.PASS, Verdict.FAIL):
        assert judged.n > 0


@settings(max_examples=300)
@given(limits, rules, more, reduced)
def test_nothing_unknown_empty_or_not_a_number_passes(
    ask: Ask, limit: str | None, rule: str, more: dict[str, Any], value: Reduced
) -> None:
    judged = judge(ask(limit, rule, **more), value)
    unknown = getattr(value, "unknown", 0)
    empty = 0 in (getattr(value, "denominator", 1), getattr(value, "trials", 1), getattr(value, "n", 1))
    if isinstance(value, Samples):
        unknown += any(math.isnan(number) or number == -inf for number in value.values)
        empty = not value.values
    if isinstance(value, Checklist):
        unknown, empty = sum(check.passed is None for check in value.checks), not value.checks
    if isinstance(value, Measurement):
        unknown += not (math.isfinite(value.value) and value.expanded_uncertainty >= 0)
    if unknown or empty or isinstance(value, Invalid) or limit is None or rule == "info":
        assert judged.verdict is not Verdict.PASS


@given(st.sampled_from([">=", ">", "<=", "<", "=="]), st.integers(0, 10_000), st.integers(1, 10**6), st.data())
def test_r0_is_the_comparison_of_integers(ask: Ask, op: str, hundredths: int, total: int, data: st.DataObject) -> None:
    ok = data.draw(st.integers(0, total) | st.just(total * hundredths // 10_000))
    left, right = 10_000 * ok, hundredths * total
    expected = {">=": left >= right, ">": left > right, "<=": left <= right, "<": left < right, "==": left == right}
    judged = judge(ask(f"{op} {hundredths // 100}.{hundredths % 100:02} %"), Ratio(ok, total))
    assert judged.verdict is (Verdict.PASS if expected[op] else Verdict.FAIL)


ratio_rules = st.sampled_from([("R0", None), ("R1", None), ("R2", None), ("R5", None), ("R0", "R2"), ("R2", "R1")])
percents = st.sampled_from([0, 5, 30, 50, 90, 99, 100])


@settings(max_examples=300)
@given(ratio_rules, percents, st.sampled_from([">=", ">"]), counts, counts, st.none() | st.integers(0, 50), st.data())
def test_more_successes_are_never_worse_and_further_failures_never_rescue(
    ask: Ask, rule: tuple[str, str | None], percent: int, op: str, ok: int, bad: int, rest: int | None, data: Any
) -> None:
    assume(ok + bad)
    requirement = ask(f"{op} {percent} %", rule[0], sample_rule=rule[1])

    def goodness(ok: int, bad: int) -> int:
        population = None if rest is None else 121 + rest
        return GOODNESS[judge(requirement, Ratio(ok, ok + bad, population=population)).verdict]

    here = goodness(ok, bad)
    if bad:
        assert goodness(ok + 1, bad - 1) >= here
    if here < GOODNESS[Verdict.PASS]:
        assert goodness(ok, bad + data.draw(st.integers(1, 60 - bad) if bad < 60 else st.just(1))) < 2


@given(ratio_rules, percents, st.sampled_from([">=", ">", "<=", "<", "=="]), counts, counts, st.integers(1, 9))
def test_unknown_objects_never_turn_a_verdict_into_a_pass(
    ask: Ask, rule: tuple[str, str | None], percent: int, op: str, ok: int, bad: int, unknown: int
) -> None:
    judged = judge(ask(f"{op} {percent} %", rule[0], sample_rule=rule[1]), Ratio(ok, ok + bad, unknown))
    assert judged.verdict in (Verdict.FAIL, Verdict.ERROR)


@settings(max_examples=200)
@given(
    st.sampled_from(["R0", "R1", "R2", "R5"]),
    percents,
    st.sampled_from([">=", ">", "<=", "<", "=="]),
    counts,
    counts,
    st.integers(1, 6),
    st.none() | st.integers(130, 150),
)
def test_a_share_with_unknown_objects_fails_only_if_every_completion_fails(
    ask: Ask, rule: str, percent: int, op: str, ok: int, bad: int, unknown: int, population: int | None
) -> None:
    requirement = ask(f"{op} {percent} %", rule, sample_rule=rule)
    ratio = Ratio(ok, ok + bad, unknown, population)
    if judge(requirement, ratio).verdict is Verdict.FAIL:
        for good in range(unknown + 1):
            complete = replace(ratio, numerator=ok + good, denominator=ok + bad + unknown, unknown=0)
            assert judge(requirement, complete).verdict is Verdict.FAIL


@settings(max_examples=100)
@given(
    st.sampled_from(["R1", "R4", "R5"]),
    st.sampled_from([">=", "<=", "<", "=="]),
    st.lists(st.sampled_from([1.0, 10.0, 12.0, inf]), min_size=20, max_size=40),
    st.integers(1, 2),
)
def test_samples_with_unknown_attempts_fail_only_if_every_completion_fails(
    ask: Ask, rule: str, op: str, values: list[float], unknown: int
) -> None:
    assume(op in ("<", "<=") or inf not in values)
    requirement = ask(f"{op} 10 ms", rule, quantile=0.5)
    if judge(requirement, Samples(tuple(values), "ms", unknown)).verdict is Verdict.FAIL:
        for filling in product([0.0, 10.0, 1e9], repeat=unknown):
            assert judge(requirement, Samples((*values, *filling), "ms")).verdict is Verdict.FAIL


@given(counts, counts, st.integers(2, 1000), percents, st.sampled_from([">=", ">", "<=", "<", "=="]))
def test_r0_depends_on_the_share_alone(ask: Ask, ok: int, bad: int, times: int, percent: int, op: str) -> None:
    requirement = ask(f"{op} {percent} %")
    assert (
        judge(requirement, Ratio(ok, ok + bad)).verdict
        is judge(requirement, Ratio(ok * times, (ok + bad) * times)).verdict
    )


@given(st.integers(0, 20_000), st.integers(0, 3000), st.sampled_from([">=", ">", "<=", "<", "=="]))
def test_the_unit_in_which_something_was_measured_does_not_matter(ask: Ask, us: int, width_us: int, op: str) -> None:
    requirement = ask(f"{op} 10 ms", "R3")
    verdicts = {
        judge(requirement, Measurement(value, width, unit, 3)).verdict
        for value, width, unit in (
            (float(us), float(width_us), "us"),
            (us / 1000, width_us / 1000, "ms"),
            (us / 10**6, width_us / 10**6, "s"),
        )
    }
    assert len(verdicts) == 1


@given(st.lists(st.integers(0, 40).map(lambda tenths: tenths / 10), min_size=1, max_size=60), st.sampled_from("<=>"))
def test_the_mean_is_exact(ask: Ask, values: list[float], sign: str) -> None:
    mean = statistics.mean(Fraction(repr(value)) for value in values)
    op = {"<": "<", ">": ">", "=": "=="}[sign]
    holds = {"<": mean < 2, ">": mean > 2, "==": mean == 2}[op]
    judged = judge(ask(f"{op} 2 ms", "R1"), Samples(tuple(values), "ms"))
    assert judged.verdict is (Verdict.PASS if holds else Verdict.FAIL)
