"""Computing capacity of CPU servers (基础算力), memory bandwidth, and whether what is declared is there."""

from __future__ import annotations

from conformance.asking import ask
from conformance.asking import question
from conformance.suite import measures
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from probes.action import Action
from profiles.indicators.compute import ComputeParameters


@measures("compute-cpu-capacity")
def test_compute_cpu_capacity(case: Case, plant: Plant) -> list[Action]:
    """Multiply matrices and move memory on each node, in as many threads as it declares cores."""
    return _benchmarks(case, plant)


@measures("node-gemm-fp64")
def test_node_gemm_fp64(case: Case, plant: Plant) -> list[Action]:
    """The FP64 products of the same benchmark."""
    return _benchmarks(case, plant)


@measures("node-stream-triad")
def test_node_stream_triad(case: Case, plant: Plant) -> list[Action]:
    """The triad of the same benchmark."""
    return _benchmarks(case, plant)


@measures("node-core-share")
def test_node_core_share(case: Case, plant: Plant) -> list[Action]:
    """The processor time of the same benchmark."""
    return _benchmarks(case, plant)


@measures("node-gemm-efficiency")
def test_node_gemm_efficiency(case: Case, plant: Plant) -> list[Action]:
    """The products of the same benchmark, for comparison with what each node is to deliver."""
    return _benchmarks(case, plant)


def _benchmarks(case: Case, plant: Plant) -> list[Action]:
    """One benchmark gives all five: actions that are alike are merged."""
    asked = ComputeParameters.model_validate(case.requirement.parameters)
    cores = {node.id: node.cores for node in plant.nodes}
    parameters = asked.model_dump(exclude={"least_sound"})
    return ask(case, plant, "compute-benchmark", parameters, lambda it: question(it, cores=cores[it.id]))
