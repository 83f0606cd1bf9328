"""What compute nodes can do: 基础算力 by measured matrix products, memory bandwidth, and whether that is what they owe.

Every figure carries its precision: 基础算力 is the FP32 capability of CPU servers (the convention of the national
totals), so only FP32 figures are added up, and FP64 has an indicator of its own. Measured, not theoretical.
"""

from __future__ import annotations

import math
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from statistics import median

from pydantic import Field
from pydantic import model_validator

from profiles.indicators.registry import indicator
from profiles.indicators.scatter import combine
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Strict

METHODS = ("compute-benchmark",)
GFLOPS_PER_TFLOPS = 1000
#: Of each precision, the fact that says what a node is to deliver, GFLOPS.
RATINGS = {"gemm-fp64": "rated_fp64_gflops", "gemm-fp32": "rated_fp32_gflops"}
#: No node delivers so much more than it is rated, %: above it the rating is wrong. A proposal of this project.
MOST_PLAUSIBLE = 120


class ComputeParameters(Strict):
    """How nodes are measured; practice is ten timed runs or more after a warm-up, and their median."""

    attempts: int = Field(default=12, ge=1, le=100)  #: timed runs of each kind
    least_sound: int = Field(default=10, ge=1, le=100)  #: of which so many must have been undisturbed
    run_s: float = Field(default=0.4, gt=0, le=60)  #: aimed length of one run
    repeat_s: float = Field(default=1.6, ge=0, le=600)  #: how long an attempt is repeated because others disturbed it
    most_taken: float = Field(default=0.1, ge=0, lt=1)  #: share of a run's time that others may take

    @model_validator(mode="after")
    def _enough(self) -> ComputeParameters:
        if self.least_sound > self.attempts:
            raise ValueError("least_sound must not be more than attempts")
        return self


@indicator("compute-cpu-capacity", unit="TFLOPS", methods=METHODS, parameters=ComputeParameters, objects=("node",))
def compute_cpu_capacity(
    register: Register, observations: Iterable[Observation], parameters: ComputeParameters
) -> Reduced:
    """Sum over the declared nodes of the median FP32 rate of square matrix products (GEMM, 2 n^3 operations), TFLOPS.

    A node with too few undisturbed runs is unknown. The uncertainty is that of the repeated runs (GUM, type A).
    """
    found, failing = _sound(register, observations, parameters, "gemm-fp32", "GFLOPS")
    if not found:
        reasons = Counter(it.reason for it in failing)
        return Invalid(reasons.most_common(1)[0][0] if reasons else "empty-register", failing=failing)
    combined = combine([[rate / GFLOPS_PER_TFLOPS for rate in rates] for rates in found.values()], by_median=True)
    return Measurement(
        math.fsum(combined.values),
        combined.expanded_uncertainty,
        "TFLOPS",
        n=len(found),
        unknown=len(failing),
        failing=failing,
        notes=combined.notes,
        parts=tuple(zip(found, combined.values, strict=True)),
        facts=(("precision", "FP32"),),
    )


@indicator("node-gemm-fp64", unit="GFLOPS", methods=METHODS, parameters=ComputeParameters, objects=("node",))
def node_gemm_fp64(register: Register, observations: Iterable[Observation], parameters: ComputeParameters) -> Reduced:
    """Median FP64 rate of square matrix products (GEMM, 2 n^3 operations) of each node, GFLOPS.

    The size is that whose product takes about ``run_s``, which on few cores is less than the 8192 of common practice.
    """
    return _medians(register, observations, parameters, "gemm-fp64", "GFLOPS")


@indicator("node-stream-triad", unit="GB/s", methods=METHODS, parameters=ComputeParameters, objects=("node",))
def node_stream_triad(
    register: Register, observations: Iterable[Observation], parameters: ComputeParameters
) -> Reduced:
    """Median rate of the STREAM triad of each node, 24 bytes per element, arrays of four last-level caches, GB/s.

    STREAM's own rule is to drop the first run and report the best of the rest; a median is the lower figure of the two.
    """
    return _medians(register, observations, parameters, "stream-triad", "GB/s")


@indicator("node-core-share", unit="%", methods=METHODS, parameters=ComputeParameters, objects=("node",))
def node_core_share(register: Register, observations: Iterable[Observation], parameters: ComputeParameters) -> Reduced:
    """Median share of the declared cores' time that each node's FP64 runs got while nobody else disturbed them, %.

    A node whose cores are all its own gets close to 100 %, whatever their speed; a quota, or fewer cores than are
    declared, show as what is missing.
    """
    return _medians(register, observations, parameters, "core-share", "%")


@indicator("node-gemm-efficiency", unit="%", methods=METHODS, parameters=ComputeParameters, objects=("node",))
def node_gemm_efficiency(
    register: Register, observations: Iterable[Observation], parameters: ComputeParameters
) -> Reduced:
    """Median rate of square matrix products (GEMM) of each node over its declared rating in the same precision, %.

    Where both FP64 and FP32 are rated, the lower share of the two is the node's; they are never added. A node that is
    not rated, or has too few undisturbed runs in a precision that is, is unknown; so is one that seems to deliver more
    than 120 % of a rating, which then is taken to be wrong. Without any rating there is nothing to compare with.
    """
    seen = list(observations)
    drawn = [it for it in register.members if it.drawn]
    lacking = {it.id: Finding(it.id, "not-rated") for it in drawn if not any(map(it.fact, RATINGS.values()))}
    if len(lacking) == len(drawn):
        return Invalid("reference-missing" if drawn else "empty-register", failing=tuple(lacking.values()))
    shares: dict[str, list[float]] = defaultdict(list)
    for quantity, fact in RATINGS.items():
        rated = tuple(it for it in drawn if it.fact(fact))
        found, failing = _sound(Register(rated), seen, parameters, quantity, "GFLOPS")
        for it in failing:
            lacking.setdefault(it.target, replace(it, note=f"{quantity} {it.note}"))
        for node in rated:
            if node.id not in found:
                continue
            share = 100 * median(found[node.id]) / float(node.fact(fact))
            shares[node.id].append(share)
            if share > MOST_PLAUSIBLE:
                lacking.setdefault(node.id, Finding(node.id, "rating-implausible", f"{quantity} {share:.4g} %"))
    lowest = {it.id: min(shares[it.id]) for it in drawn if it.id not in lacking}
    return Samples(tuple(lowest.values()), "%", len(lacking), tuple(lowest), tuple(lacking.values()))


def _medians(
    register: Register, observations: Iterable[Observation], parameters: ComputeParameters, quantity: str, unit: str
) -> Reduced:
    found, failing = _sound(register, observations, parameters, quantity, unit)
    if not found and not failing:
        return Invalid("empty-register")
    return Samples(tuple(map(median, found.values())), unit, len(failing), tuple(found), failing)


def _sound(
    register: Register, observations: Iterable[Observation], parameters: ComputeParameters, quantity: str, unit: str
) -> tuple[dict[str, list[float]], tuple[Finding, ...]]:
    """The sound runs of each node that has enough of them, and of the others why not."""
    rates: dict[str, list[float]] = {it.id: [] for it in register.members if it.drawn}
    faults: dict[str, Counter[str]] = defaultdict(Counter)
    for row in observations:
        if row.target not in rates or row.quantity != quantity or row.attempt >= parameters.attempts:
            continue
        if row.error is None and row.unit == unit and row.value is not None and 0 < row.value < math.inf:
            rates[row.target].append(row.value)
        else:
            known = row.error in INSTRUMENT_ERRORS | TARGET_ERRORS
            faults[row.target][row.error if row.error and known else "bad-answer"] += 1
    enough = {id: found for id, found in rates.items() if len(found) >= parameters.least_sound}
    lacking = (
        Finding(id, _commonest(faults[id]) or "not-measured", f"{len(found)}/{parameters.least_sound}")
        for id, found in rates.items()
        if id not in enough
    )
    return enough, tuple(lacking)


def _commonest(faults: Counter[str]) -> str:
    return faults.most_common(1)[0][0] if faults else ""
