"""The compute benchmark: what its task replies, what is believed of it, and a real run of all of it."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from probes.action import Action
from probes.action import Target
from probes.compute import QUANTITIES
from probes.compute import ComputeParameters
from probes.compute import Run
from probes.compute import Spoiled
from probes.compute import read
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.tasks import gemm_stream
from profiles.observation import Observation

PARAMETERS = ComputeParameters(attempts=2)


def a_run(**more: Any) -> dict[str, Any]:
    sound = {"utc_ns": 5, "monotonic_ns": 6, "seconds": 0.5, "correct": True, "got_s": 0.9, "taken": 0.05}
    return sound | {"throttled_s": 0.0} | more


def reply(*attempts: Any, **more: Any) -> str:
    return json.dumps({"work": 2e9, "n": 1000, "runs": list(attempts) or [[a_run()], [a_run()]]} | more)


def test_the_last_run_of_an_attempt_counts_and_the_others_are_kept() -> None:
    disturbed = a_run(seconds=1.0, taken=0.4)
    first, second = read(reply([disturbed, a_run()], [a_run(throttled_s=0.2)]), 2, PARAMETERS, {"raw": "r"})
    assert isinstance(first, Run)
    assert (first.rate, first.share, first.utc_ns, first.monotonic_ns) == (4.0, 90.0, 5, 6)
    assert first.facts == {"raw": "r", "n": 1000, "seconds": 0.5, "taken": 0.05, "repeated": [[2.0, 0.4]]}
    assert second.facts["throttled_s"] == 0.2


def test_what_others_disturbed_to_the_end_is_no_measurement() -> None:
    spoiled, sound = read(reply([a_run(taken=0.3)], [a_run()]), 2, PARAMETERS, {})
    assert isinstance(spoiled, Spoiled)
    assert (spoiled.error, spoiled.why) == ("unsound", "others took 30% of the time")
    assert isinstance(sound, Run)


def test_a_wrong_result_is_no_speed() -> None:
    wrong, _ = read(reply([a_run(correct=False)], [a_run()]), 2, PARAMETERS, {})
    assert isinstance(wrong, Spoiled)
    assert (wrong.error, wrong.why) == ("bad-answer", "the result is wrong")


def test_conditions_that_do_not_allow_a_measurement_are_told() -> None:
    found = read('{"unsound": "too little memory"}', 2, PARAMETERS, {})
    assert [(it.error, it.why) for it in found] == [("unsound", "too little memory")] * 2


BAD = {
    "nothing": "",
    "no JSON": "hello",
    "no object": "[]",
    "half": reply()[:40],
    "no work": json.dumps({"runs": [[a_run()], [a_run()]]}),
    "an attempt too few": reply([a_run()]),
    "an attempt too many": reply([a_run()], [a_run()], [a_run()]),
    "an attempt without a run": reply([], []),
    "runs that are none": reply(3, "x"),
    "no time": reply([a_run(seconds=None)], [a_run()]),
    "zero time": reply([a_run(seconds=0)], [a_run()]),
    "negative time": reply([a_run(seconds=-1)], [a_run()]),
    "NaN": reply([a_run(seconds=math.nan)], [a_run()]),
    "infinite work": reply(work=math.inf),
    "NaN taken": reply([a_run(taken=math.nan)], [a_run()]),
    "truth as work": reply(work=True),
    "text as work": reply(work="2e9"),
    "an integer beyond floats": reply(work=10**400),
    "nested too deeply": "[" * 100_000,
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_what_does_not_hold_is_no_value(text: str) -> None:
    found = read(text, 2, PARAMETERS, {})
    assert [getattr(it, "error", None) for it in found] == ["bad-answer"] * 2


# --- the task itself, with small work ---


def bench(kind: str, **more: Any) -> dict[str, Any]:
    request = {"kind": kind, "cores": 1, "attempts": 2, "run_s": 0.02, "repeat_s": 0, "most_taken": 0.1}
    found = gemm_stream.perform(request | more)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("kind", ["gemm-fp32", "gemm-fp64", "stream-triad"])
def test_the_work_is_done_and_right(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm_stream, "cache_bytes", lambda _: 1 << 20)
    found = bench(kind)
    assert len(found["runs"]) == 2
    assert all(run["correct"] and run["seconds"] > 0 for (run,) in found["runs"])
    if kind == "stream-triad":
        assert found["array_bytes"] == 4 << 20
        assert found["work"] == 3 * found["array_bytes"] * found["passes"]
    else:
        assert found["work"] == 2 * found["n"] ** 3
        assert found["n"] >= 256


def test_arrays_that_do_not_fit_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gemm_stream, "memory_bytes", lambda: 1 << 20)
    assert "do not fit" in bench("stream-triad")["unsound"]


def test_a_disturbed_run_is_repeated_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([0.5, 0.2, 0.0, 0.05])
    honest = gemm_stream.between

    def disturbed(*arguments: Any) -> Any:
        found = honest(*arguments)
        return type(found)(found.wall_s, found.got_s, next(shares, 0.0), found.throttled_s)

    monkeypatch.setattr(gemm_stream, "between", disturbed)
    found = bench("gemm-fp64", repeat_s=30)
    assert [[run["taken"] for run in runs] for runs in found["runs"]] == [[0.5, 0.2, 0.0], [0.05]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("damage", [1.0, -1.0, 0.5, math.nan, math.inf, 2.0**40])
def test_one_wrong_entry_is_always_found(dtype: str, damage: float) -> None:
    product = gemm_stream._Gemm(dtype, 2, 0.001)
    product.run()
    assert product.verify()
    product._c[17, 31] += np.dtype(dtype).type(damage)
    assert not product.verify()
    product.poison()
    assert not product.verify()


def test_a_swapped_or_transposed_product_is_found() -> None:
    product = gemm_stream._Gemm("float64", 2, 0.001)
    for wrong in (product._b @ product._a, (product._a @ product._b).T):
        product._c[:] = wrong
        assert not product.verify()


def test_every_sum_is_exact_in_the_precision_under_test() -> None:
    for dtype, bits in gemm_stream.MANTISSA_BITS.items():
        product = gemm_stream._Gemm(dtype, 2, 0.001)
        most = int(abs(product._a).max())
        assert most > 1
        assert product._n * most**2 <= 2**bits


def test_one_wrong_element_of_the_triad_is_found() -> None:
    triad = gemm_stream._Triad(1 << 22, 3, 0.001)
    assert [end - begin > 0 for begin, end in triad._parts] == [True] * 3
    triad.poison()
    assert not triad.verify()
    triad.run()
    assert triad.verify()
    triad._a[-1] += 1
    assert not triad.verify()


# --- the method, through the gate ---


class Kept:
    """What a method emits."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []
        self.raws: dict[str, str] = {}

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.rows += rows

    def raw(self, name: str, text: str) -> None:
        self.raws[name] = text


def perform(permit: Permit, ask: str = '{"cores":1}', stop: bool = False, **parameters: Any) -> Kept:
    asked = {"attempts": 2, "run_s": 0.02, "repeat_s": 0.0} | parameters
    action = Action("seat", "compute-benchmark", (Target("n1", "node:n1", "core", None, ask),), asked)
    kept = Kept()
    asyncio.run(method(action.method).run(action, Gate(permit, stop=lambda: stop), kept))
    owed = {("n1", "node:n1", quantity, unit, n) for quantity, unit in QUANTITIES.items() for n in range(2)}
    assert {(it.target, it.address, it.quantity, it.unit, it.attempt) for it in kept.rows} == owed
    assert len(kept.rows) == len(owed)
    return kept


ALLOWED = Permit("seat", {}, {"core": ZonePermit("core", "load")}, {}, {"node:n1": "core"})


def test_a_real_benchmark_through_the_gate() -> None:
    kept = perform(ALLOWED, most_taken=0.99)
    assert len(kept.rows) == 8
    assert {row.error for row in kept.rows} <= {None, "unsound"}  # whoever else is busy on this machine
    values = {row.quantity: row.value for row in kept.rows if row.value is not None}
    assert all(value > 0 for value in values.values())
    assert values.get("core-share", 0) < 130  # one thread; clocks differ in a short run
    assert sorted(kept.raws) == [f"compute/n1-{kind}.json" for kind in ("gemm-fp32", "gemm-fp64", "stream-triad")]


def test_nothing_runs_without_leave() -> None:
    for permit, reason in (
        (Permit("seat", {}, ALLOWED.zones, {}), "undeclared-instrument"),
        (Permit("seat", {}, {"core": ZonePermit("core", "query")}, {}, ALLOWED.local), "level-too-high"),
    ):
        kept = perform(permit)
        assert {(row.error, json.loads(row.detail)["why"]) for row in kept.rows} == {("refused-by-guard", reason)}
    assert {row.error for row in perform(ALLOWED, stop=True).rows} == {"stopped"}


def test_a_node_whose_cores_nobody_told_is_a_bug() -> None:
    for ask in ("", "{}", '{"cores":0}', '{"cores":true}', '{"cores":"2"}'):
        with pytest.raises(ValueError, match="cores"):
            perform(ALLOWED, ask)


def test_it_costs_time_and_no_packet() -> None:
    action = Action("seat", "compute-benchmark", (Target("n1", "node:n1", "core"),), {"attempts": 2})
    found = method("compute-benchmark").cost(action, ALLOWED)
    assert (found.packets, found.bytes, found.level) == (0, 0, "load")
    assert found.duration_s > 0
    assert method("compute-benchmark").cost(action, Permit("seat", {}, {}, {})).duration_s == 0
