"""Network access coverage (网络接入覆盖率) of the activity areas, and how it changed since the year before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from conformance.asking import ask
from conformance.asking import at_each_address
from conformance.earlier import as_targets
from conformance.records import log_name
from conformance.suite import measures
from fixtures.objects import Assignment
from fixtures.plant.model import Plant
from fixtures.plant.survey import Survey
from fixtures.scoping import Case
from probes.action import Action
from probes.action import Target
from probes.recorded import HERE
from profiles.indicators.coverage import CoverageParameters


@measures("access-coverage")
def test_access_coverage(case: Case, plant: Plant) -> list[Action]:
    """Probe every survey point as access-reachability does, and put the rows of every log on record."""
    return _sampled(case, plant)


@measures("access-coverage-change")
def test_access_coverage_change(case: Case, plant: Plant) -> list[Action]:
    """The same, and on record what the earlier bundle says of each area; nothing, if the plant names none."""
    before = as_targets(case, plant)
    return _sampled(case, plant) + ([Action(HERE, "earlier-bundle", before, {})] if before else [])


def _sampled(case: Case, plant: Plant) -> list[Action]:
    asked = CoverageParameters.model_validate(case.requirement.parameters)
    once = {"timeout_ms": asked.timeout_ms, "attempts": 1}
    echo = once | {"attempts": asked.attempts, "payload_bytes": asked.payload_bytes}
    one_window = ask(case, plant, "icmp-echo", echo, at_each_address, role="live")
    windows = range(asked.windows)
    spread = [replace(action, window=it, not_before_s=it * asked.spacing_s) for it in windows for action in one_window]
    spread += ask(case, plant, "neighbour", once, lambda it: at_each_address(it) if it.on_link else (), role="live")
    return spread + ask(case, plant, "survey-log", {}, _rows, role="log")


def _rows(assigned: Assignment) -> Iterable[Target]:
    """Every row of a log, with all that it says."""
    survey = assigned.source
    if not isinstance(survey, Survey):
        return
    raw = {"raw": name} if (name := log_name(survey)) else {}
    for sample in survey.samples:
        sheet = f"#{sample.sheet}" if sample.sheet and "#" not in survey.file else ""
        place: dict[str, object] = {"point": sample.point} if sample.point else {"x_m": sample.x_m, "y_m": sample.y_m}
        values = {"access": int(sample.access), "ss-rsrp": sample.ss_rsrp_dbm, "ss-sinr": sample.ss_sinr_db}
        said = {"utc_ns": sample.utc_ns, "values": values, "detail": place | raw}
        text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
        yield Target(assigned.id, f"{survey.file}{sheet}:{sample.row}", assigned.zone, ask=text)
