"""Method ``compute-benchmark``: what a node computes, by dense matrix products (GEMM) and the STREAM triad.

Each attempt is one timed run of each kind after a warm-up, its result verified; a run of which others took more than
``most_taken`` is repeated for a while, and if they go on it is no measurement but ``unsound``. A quota of the node's
own group is not others: it is the node's capacity. Precisions are quantities of their own and are never added.
``core-share`` is the processor time that the FP64 run got, in per cent of the declared cores for as long as it took:
100 % on a node whose cores are all its own, whatever their speed.

numpy computes in a one-shot process (:mod:`probes.tasks.gemm_stream`), with as many threads as cores are declared.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.ports import Ticket
from probes.programs import Finished
from probes.record import Recorder
from probes.record import compact

LEVEL = "load"
TASK = "probes.tasks.gemm_stream"
KINDS = ("gemm-fp64", "gemm-fp32", "stream-triad")  #: quantities that are benchmarks of their own
CORE_SHARE, SHARE_OF = "core-share", "gemm-fp64"
QUANTITIES = {"gemm-fp64": "GFLOPS", "gemm-fp32": "GFLOPS", "stream-triad": "GB/s", CORE_SHARE: "%"}
START_S = 30.0  #: for the interpreter, the library and the sizing
SLOWEST = 10  #: times longer than aimed that a run may take, on a node with a small part of its cores' time
STDERR_TAIL = 300
PAUSE_S = 0.05  #: longest wait between two looks at the kill switch


@dataclass(frozen=True, slots=True)
class ComputeParameters:
    """Parameters of the method."""

    attempts: int = 10  #: timed runs of each kind
    run_s: float = 0.4  #: aimed length of one run
    repeat_s: float = 1.6  #: how long an attempt may be repeated because others disturbed it
    most_taken: float = 0.1  #: share of the time of a run that others, or the hypervisor, may take

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.run_s > 0 and self.repeat_s >= 0 and 0 <= self.most_taken < 1):
            raise ValueError(f"attempts and durations must be positive, most_taken a share: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> ComputeParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    @property
    def longest_s(self) -> float:
        """When the runs of one kind are ended at the latest."""
        return START_S + self.attempts * (self.repeat_s + SLOWEST * self.run_s)


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt's run that counts."""

    rate: float  #: in 10^9 operations or bytes per second
    share: float  #: processor time that it got, in per cent of the declared cores
    utc_ns: int
    monotonic_ns: int
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """Why an attempt has no value."""

    error: str
    why: str
    facts: Mapping[str, Any]


def cost(action: Action, permit: Permit) -> Cost:
    """No packet; the time of all runs at their slowest."""
    parameters = ComputeParameters.of(action.parameters)
    gate = Gate(permit)
    admitted = [target for target in action.targets if not isinstance(gate.admit_local(target, LEVEL), Refusal)]
    return Cost(0, 0, len(admitted) * len(KINDS) * parameters.longest_s, LEVEL)


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = ComputeParameters.of(action.parameters)
    records = {quantity: Recorder(action, quantity, unit) for quantity, unit in QUANTITIES.items()}
    for target in action.targets:
        ticket = gate.admit_local(target, LEVEL, action.method)
        for kind in KINDS:
            outcomes: list[Run | Spoiled]
            if isinstance(ticket, Refusal):
                outcomes = [Spoiled(ticket.error, ticket.reason, {})] * parameters.attempts
            else:
                async with gate.alone:
                    outcomes = await _benchmark(gate, ticket, kind, parameters, emit)
            for attempt, outcome in enumerate(outcomes):
                emit([_row(records[kind], target, attempt, outcome, share=False)])
                if kind == SHARE_OF:
                    emit([_row(records[CORE_SHARE], target, attempt, outcome, share=True)])


def _row(record: Recorder, target: Target, attempt: int, outcome: Run | Spoiled, *, share: bool) -> Any:  # noqa: ANN401
    if isinstance(outcome, Spoiled):
        return record.error(target, attempt, outcome.error, **dict(outcome.facts), why=outcome.why)
    value = outcome.share if share else outcome.rate
    return record.value(target, attempt, value, outcome.utc_ns, outcome.monotonic_ns, compact(outcome.facts))


async def _benchmark(
    gate: Gate, ticket: Ticket, kind: str, parameters: ComputeParameters, emit: Emit
) -> list[Run | Spoiled]:
    """Every attempt of one kind."""
    cores = _cores(ticket.target)
    while wait_ns := gate.claim(ticket, 1, 1, gate.clock()):
        if wait_ns == NEVER:
            return [Spoiled("stopped", gate.why_stopped(ticket), {})] * parameters.attempts
        await asyncio.sleep(min(wait_ns / 1e9, PAUSE_S))
    request = {
        "kind": kind,
        "cores": cores,
        "attempts": parameters.attempts,
        "run_s": parameters.run_s,
        "repeat_s": parameters.repeat_s,
        "most_taken": parameters.most_taken,
    }
    try:
        finished = await gate.run_task(ticket, 1, TASK, request, timeout_s=parameters.longest_s)
    except OSError as error:
        return [Spoiled("method-failed", f"the task did not start: {error}", {})] * parameters.attempts
    text = finished.reply.decode("utf-8", "replace")
    if not finished.sound or not text:
        return [_ended(finished)] * parameters.attempts
    name = f"compute/{ticket.target.id}-{kind}.json"
    emit.raw(name, text)
    return read(text, cores, parameters, {"raw": name})


def _cores(target: Target) -> int:
    """The cores that the plant file declares.

    Raises:
        ValueError: if the suite did not say. It is a bug of the caller.
    """
    cores = json.loads(target.ask or "{}").get("cores")
    if type(cores) is not int or cores < 1:
        raise ValueError(f"{target.id}: cores must be asked for, not {target.ask!r}")
    return cores


def _ended(finished: Finished) -> Spoiled:
    if finished.ended_by == "stopped":
        return Spoiled("stopped", "the benchmark was ended", {})
    if finished.ended_by == "timeout":
        return Spoiled("unsound", f"not done after {finished.duration_s:.0f} s", {})
    said = finished.stderr.decode("utf-8", "replace").strip()[-STDERR_TAIL:]
    return Spoiled("method-failed", said or f"status {finished.status}", {})


def read(text: str, cores: int, parameters: ComputeParameters, facts: Mapping[str, Any]) -> list[Run | Spoiled]:
    """What the reply of the task says of each attempt: exactly one outcome for each, whatever it says. Pure."""
    try:
        reply = json.loads(text)
        if "unsound" in reply:
            return [Spoiled("unsound", str(reply["unsound"]), facts)] * parameters.attempts
        work, attempts = _number(reply["work"]), reply["runs"]
        common = {name: reply[name] for name in ("n", "threads", "cpus", "quota_cores", "array_bytes") if name in reply}
        owed = range(parameters.attempts)
        return [
            _outcome(runs, work, cores, parameters, {**facts, **common}) for _, runs in zip(owed, attempts, strict=True)
        ]
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, AttributeError) as error:
        return [Spoiled("bad-answer", f"{type(error).__name__}: {error}"[:200], facts)] * parameters.attempts


def _outcome(
    runs: Any,  # noqa: ANN401 - JSON
    work: float,
    cores: int,
    parameters: ComputeParameters,
    facts: Mapping[str, Any],
) -> Run | Spoiled:
    *earlier, last = runs
    seconds, taken, got_s = (_number(last[name]) for name in ("seconds", "taken", "got_s"))
    told = {**facts, "seconds": round(seconds, 4), "taken": round(taken, 3)} | dict(_kept(earlier, work))
    if throttled_s := _number(last["throttled_s"]):
        told["throttled_s"] = round(throttled_s, 3)
    if last["correct"] is not True:
        return Spoiled("bad-answer", "the result is wrong", told)
    if taken > parameters.most_taken:
        return Spoiled("unsound", f"others took {taken:.0%} of the time", told)
    utc_ns, monotonic_ns = int(last["utc_ns"]), int(last["monotonic_ns"])
    return Run(work / seconds / 1e9, 100 * got_s / (cores * seconds), utc_ns, monotonic_ns, told)


def _kept(earlier: list[Any], work: float) -> Iterator[tuple[str, list[list[float]]]]:
    """The runs that were disturbed and repeated: rate and share that was taken, of each."""
    if earlier:
        rates = ((work / _number(it["seconds"]) / 1e9, _number(it["taken"])) for it in earlier)
        yield "repeated", [[round(rate, 2), round(taken, 3)] for rate, taken in rates]


def _number(value: object) -> float:
    """A finite number that is not negative; of a time, not zero either, or the division will say so."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(f"{value!r} is no such number")
    return float(value)


METHOD = Method("compute-benchmark", LEVEL, cost, run, QUANTITIES, needs=("python:numpy",))
