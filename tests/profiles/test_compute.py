"""Computing capacity: medians of sound runs, precisions kept apart, nodes without enough of them unknown."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import ValidationError

from profiles.indicators import find
from profiles.indicators.compute import ComputeParameters
from profiles.indicators.compute import compute_cpu_capacity
from profiles.indicators.compute import node_core_share
from profiles.indicators.compute import node_gemm_efficiency
from profiles.indicators.compute import node_gemm_fp64
from profiles.indicators.compute import node_stream_triad
from profiles.judge import judge
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.verdict import Verdict

UNITS = {"gemm-fp64": "GFLOPS", "gemm-fp32": "GFLOPS", "stream-triad": "GB/s", "core-share": "%"}
PARAMETERS = ComputeParameters(attempts=5, least_sound=4)
EACH = {
    "node-gemm-fp64": (node_gemm_fp64, "gemm-fp64"),
    "node-stream-triad": (node_stream_triad, "stream-triad"),
    "node-core-share": (node_core_share, "core-share"),
}


def row(node: str, quantity: str, value: float | None, attempt: int = 0, **more: Any) -> Observation:
    facts: dict[str, Any] = {"unit": UNITS[quantity], "error": None} | more
    return Observation(
        method="compute-benchmark", vantage="seat", target=node, address=f"node:{node}", quantity=quantity, value=value,
        window=0, attempt=attempt, utc_ns=0, monotonic_ns=0, detail="", **facts,
    )  # fmt: skip


def rows(node: str, quantity: str, *values: float) -> list[Observation]:
    return [row(node, quantity, value, n) for n, value in enumerate(values)]


def register(*ids: str) -> Register:
    return Register(tuple(Member(id, "node", facts=(("cores", "2"),)) for id in ids))


def test_capacity_is_the_sum_of_the_nodes_medians_in_fp32_only() -> None:
    seen = rows("a", "gemm-fp32", 800, 820, 810, 100, 815) + rows("b", "gemm-fp32", 400, 410, 405, 402)
    seen += rows("a", "gemm-fp64", 9e9, 9e9, 9e9, 9e9, 9e9) + rows("b", "stream-triad", 9e9, 9e9, 9e9, 9e9, 9e9)
    found = compute_cpu_capacity(register("a", "b"), seen, PARAMETERS)
    assert isinstance(found, Measurement)
    assert found.value == pytest.approx(0.810 + 0.4035)
    assert found.parts == (("a", 0.81), ("b", pytest.approx(0.4035)))
    assert (found.unit, found.n, found.unknown, found.facts) == ("TFLOPS", 2, 0, (("precision", "FP32"),))
    assert found.expanded_uncertainty > 0.2  # one run was far off


@pytest.mark.parametrize(("indicator", "quantity"), EACH.values(), ids=EACH.keys())
def test_each_node_has_its_median(
    ask: Callable[..., Requirement], indicator: Callable[..., Reduced], quantity: str
) -> None:
    seen = rows("a", quantity, 50, 52, 51, 10, 53) + rows("b", quantity, 40, 41, 42, 43)
    found = indicator(register("a", "b"), seen, PARAMETERS)
    assert found == Samples((51, 41.5), UNITS[quantity], 0, ("a", "b"))
    judged = judge(ask(f">= 45 {UNITS[quantity]}", "R0"), found)
    assert judged.verdict is Verdict.FAIL
    assert [it.target for it in judged.failing] == ["b"]


@pytest.mark.parametrize(
    ("broken", "reason", "note"),
    [
        ([], "not-measured", "0/4"),
        ([50, 50, 50], "not-measured", "3/4"),
        ([50, 50, 50, "unsound", "unsound"], "unsound", "3/4"),
        (["no-privilege"] * 5, "no-privilege", "0/4"),
        ([50, 50, 50, math.nan, math.nan], "bad-answer", "3/4"),
        ([50, 50, 50, math.inf, 0.0], "bad-answer", "3/4"),
        ([50, 50, 50, "never-heard-of"], "bad-answer", "3/4"),
    ],
)
def test_a_node_without_enough_sound_runs_is_unknown(
    ask: Callable[..., Requirement], broken: list[float | str], reason: str, note: str
) -> None:
    seen = rows("a", "gemm-fp64", 50, 50, 50, 50) + [
        row("b", "gemm-fp64", None, n, error=it) if isinstance(it, str) else row("b", "gemm-fp64", it, n)
        for n, it in enumerate(broken)
    ]
    found = node_gemm_fp64(register("a", "b"), seen, PARAMETERS)
    assert isinstance(found, Samples)
    assert (found.labels, found.unknown) == (("a",), 1)
    assert [(it.target, it.reason, it.note) for it in found.failing] == [("b", reason, note)]
    assert judge(ask(">= 45 GFLOPS", "R0"), found).verdict is Verdict.ERROR


def test_values_in_another_unit_or_of_further_attempts_are_left_aside() -> None:
    seen = [row("a", "gemm-fp64", 50, n, unit="TFLOPS") for n in range(4)]
    found = node_gemm_fp64(register("a"), seen, PARAMETERS)
    assert (found.unknown, found.failing[0].reason) == (1, "bad-answer")
    seen = [row("a", "gemm-fp64", 50, n) for n in range(5, 20)]
    found = node_gemm_fp64(register("a"), seen, PARAMETERS)
    assert (found.unknown, found.failing[0].reason) == (1, "not-measured")


@pytest.mark.parametrize("indicator", [compute_cpu_capacity, node_gemm_fp64])
def test_without_nodes_there_is_nothing_to_judge(
    ask: Callable[..., Requirement], indicator: Callable[[Register, Iterable[Observation], Any], Reduced]
) -> None:
    found = indicator(register(), [], PARAMETERS)
    assert found == Invalid("empty-register")
    assert judge(ask(None), found).verdict is Verdict.INCONCLUSIVE


def rated(**nodes: dict[str, float]) -> Register:
    """Nodes with a rating by precision."""
    return Register(
        tuple(
            Member(id, "node", facts=tuple((f"rated_{name}_gflops", repr(rate)) for name, rate in ratings.items()))
            for id, ratings in nodes.items()
        )
    )


@pytest.mark.parametrize(
    ("ratings", "share"),
    [
        ({"fp64": 100.0}, 50.0),
        ({"fp32": 100.0}, 90.0),
        ({"fp64": 100.0, "fp32": 200.0}, 45.0),
        ({"fp64": 100.0, "fp32": 100.0}, 50.0),
        ({"fp64": 50 / 1.2}, 120.0),
    ],
)
def test_efficiency_is_the_lower_of_the_rated_precisions(ratings: dict[str, float], share: float) -> None:
    seen = rows("a", "gemm-fp64", 50, 52, 48, 50) + rows("a", "gemm-fp32", 90, 20, 90, 91) + rows("a", "core-share", 9)
    found = node_gemm_efficiency(rated(a=ratings), iter(seen), PARAMETERS)
    assert found == Samples((pytest.approx(share),), "%", 0, ("a",))


def test_efficiency_is_each_node_s_own(ask: Callable[..., Requirement]) -> None:
    seen = rows("a", "gemm-fp64", 80, 80, 80, 80) + rows("b", "gemm-fp64", 10, 10, 10, 10)
    found = node_gemm_efficiency(rated(a={"fp64": 100.0}, b={"fp64": 100.0}), seen, PARAMETERS)
    assert found == Samples((80.0, 10.0), "%", 0, ("a", "b"))
    judged = judge(ask(">= 70 %", "R0"), found)
    assert judged.verdict is Verdict.FAIL
    assert [it.target for it in judged.failing] == ["b"]


@pytest.mark.parametrize(
    ("ratings", "reason", "note"),
    [
        ({}, "not-rated", ""),
        ({"fp64": 100.0}, "unsound", "gemm-fp64 3/4"),
        ({"fp64": 100.0, "fp32": 100.0}, "unsound", "gemm-fp64 3/4"),
        ({"fp32": 100.0}, "not-measured", "gemm-fp32 0/4"),
    ],
)
def test_a_node_without_a_rating_or_sound_runs_has_no_efficiency(
    ask: Callable[..., Requirement], ratings: dict[str, float], reason: str, note: str
) -> None:
    seen = rows("a", "gemm-fp64", 80, 80, 80, 80) + rows("b", "gemm-fp64", 80, 80, 80)
    seen += [row("b", "gemm-fp64", None, 3, error="unsound")]
    found = node_gemm_efficiency(rated(a={"fp64": 100.0}, b=ratings), seen, PARAMETERS)
    assert isinstance(found, Samples)
    assert (found.values, found.labels, found.unknown) == ((80.0,), ("a",), 1)
    assert [(it.target, it.reason, it.note) for it in found.failing] == [("b", reason, note)]
    assert judge(ask(">= 70 %", "R0"), found).verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("ratings", "note"),
    [
        ({"fp64": 8.0}, "gemm-fp64 1000 %"),
        ({"fp64": 100.0, "fp32": 10.0}, "gemm-fp32 1600 %"),
        ({"fp64": 66.0}, "gemm-fp64 121.2 %"),
    ],
)
def test_a_rating_that_is_far_exceeded_is_not_believed(
    ask: Callable[..., Requirement], ratings: dict[str, float], note: str
) -> None:
    seen = rows("a", "gemm-fp64", 80, 80, 80, 80) + rows("a", "gemm-fp32", 160, 160, 160, 160)
    found = node_gemm_efficiency(rated(a=ratings), seen, PARAMETERS)
    assert found == Samples((), "%", 1, (), (Finding("a", "rating-implausible", note),))
    assert judge(ask(">= 70 %", "R0"), found).verdict in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    assert "reason.rating-implausible" in Texts.of("profiles").codes()


def test_an_efficiency_needs_nodes_and_a_rating(ask: Callable[..., Requirement]) -> None:
    seen = rows("a", "gemm-fp64", 80, 80, 80, 80)
    for asked, reason, named in ((rated(), "empty-register", []), (rated(a={}), "reference-missing", ["a"])):
        found = node_gemm_efficiency(asked, seen, PARAMETERS)
        assert isinstance(found, Invalid)
        assert (found.reason, [it.target for it in found.failing]) == (reason, named)
        assert judge(ask(">= 70 %", "R0"), found).verdict is Verdict.INCONCLUSIVE


def test_without_any_sound_node_there_is_no_capacity(ask: Callable[..., Requirement]) -> None:
    found = compute_cpu_capacity(register("a"), [row("a", "gemm-fp32", None, error="unsound")], PARAMETERS)
    assert isinstance(found, Invalid)
    assert found.reason == "unsound"
    assert judge(ask(">= 1 TFLOPS", "R3"), found).verdict is Verdict.ERROR


def test_more_sound_runs_than_are_made_cannot_be_asked_for() -> None:
    with pytest.raises(ValidationError):
        ComputeParameters(attempts=3, least_sound=4)


@pytest.mark.parametrize("id", [*EACH, "compute-cpu-capacity", "node-gemm-efficiency"])
def test_they_are_in_the_register_of_indicators_with_titles(id: str) -> None:
    found = find(id)
    assert found is not None
    assert found.objects == ("node",)
    assert found.title["zh"] != found.title["en"] != id
