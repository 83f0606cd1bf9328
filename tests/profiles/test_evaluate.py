"""From observations to a judgement, as the campaign and the verifier both do it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from profiles.evaluate import evaluate
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.requirement import Requirement
from profiles.verdict import Verdict

Ask = Callable[..., Requirement]


def echo(target: str, error: str | None = None) -> Observation:
    value = None if error else 0.4
    return Observation("icmp-echo", "v", target, "192.0.2.7", "round-trip-delay", value, "ms", error, 0, 0, 1, 1, "")


def register(count: int, drawn: int | None = None) -> Register:
    return Register(tuple(Member(f"ep-{i}", drawn=drawn is None or i < drawn) for i in range(count)))


def one_window(ask: Ask, limit: str, **more: object) -> Requirement:
    return ask(limit, "R0", parameters={"windows": 1, "attempts": 1, "basis": "terminal"}, **more)


def test_a_clean_census_passes_and_one_silent_object_fails(ask: Ask) -> None:
    requirement = one_window(ask, ">= 100 %")
    clean = evaluate(requirement, register(10), [echo(f"ep-{i}") for i in range(10)])
    assert (clean.verdict, clean.value, clean.numerator, clean.denominator) == (Verdict.PASS, 100.0, 10, 10)
    broken = evaluate(requirement, register(10), [echo(f"ep-{i}", "timeout" if i == 3 else None) for i in range(10)])
    assert (broken.verdict, broken.value) == (Verdict.FAIL, 90.0)
    assert broken.failing == (Finding("ep-3", "no-answer", "layers network:silent ends:network"),)


def test_what_was_never_measured_is_owed(ask: Ask) -> None:
    judged = evaluate(one_window(ask, ">= 90 %"), register(10), [echo(f"ep-{i}") for i in range(9)])
    assert (judged.verdict, judged.reason) == (Verdict.ERROR, "unknown-objects")
    assert evaluate(one_window(ask, ">= 90 %"), register(10), []).verdict is Verdict.ERROR


def test_a_sample_passes_by_the_sample_rule_only(ask: Ask) -> None:
    sweep = [echo(f"ep-{i}") for i in range(29)]
    assert evaluate(one_window(ask, ">= 90 %"), register(500, 29), sweep).reason == "sample-not-census"
    sampled = evaluate(one_window(ask, ">= 90 %", sample_rule="R2"), register(500, 29), sweep)
    assert (sampled.verdict, sampled.rule) == (Verdict.PASS, "R2")


def test_an_empty_register_is_open_and_never_passes(ask: Ask) -> None:
    judged = evaluate(one_window(ask, ">= 90 %"), Register(()), [])
    assert (judged.verdict, judged.reason) == (Verdict.INCONCLUSIVE, "empty-register")


def test_an_indicator_that_nothing_computes_is_the_plan_s_mistake(ask: Ask) -> None:
    with pytest.raises(LookupError, match="no-such-indicator"):
        evaluate(ask(">= 90 %", "R0", indicator="no-such-indicator"), register(1), [])
