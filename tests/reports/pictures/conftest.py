"""An example campaign with something of every pillar, and a picture of every kind."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fixtures.plant.model import Plant
from profiles.exhibit import exhibit
from profiles.loader import load_profile
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.verdict import Verdict
from reports.exhibit import record_of
from reports.result import Counts
from reports.result import FindingRecord
from reports.result import IntervalRecord
from reports.result import Result
from reports.standing import Standing

ZONES = ("office", "dmz", "cell-a", "cell-b", "core", "internet")
LEAKS = {("cell-a", "internet"): "edge-gw tcp/80 IPv6: connected", ("office", "cell-b"): "agv-b-01 tcp/4840 IPv4"}


def checks() -> Checklist:
    """A zone matrix: two passages leak, one could not be tried, and a zone has no passage to itself."""
    made = []
    for origin in ZONES[:5]:
        for destination in ZONES:
            if origin != destination:
                leak = LEAKS.get((origin, destination))
                outcome = False if leak else None if (origin, destination) == ("core", "dmz") else True
                made.append(Check(origin, destination, outcome, leak or ("no-control" if outcome is None else "")))
    return Checklist(tuple(made))


def rules(devices: int, items: int) -> Checklist:
    """Many devices, many checks; few of them fail."""
    drawn = random.Random(3)
    return Checklist(
        tuple(
            Check(f"device-{device:03d}", f"check-{item}", drawn.random() > 0.02, "expected on, is off")
            for device in range(devices)
            for item in range(items)
        )
    )


def signals(modems: int) -> Samples:
    drawn = random.Random(5)
    values = tuple(round(drawn.gauss(-94, 8), 1) for _ in range(modems))
    return Samples(values, "dBm", labels=tuple(f"modem-{index:02d}" for index in range(modems)))


def margins() -> Samples:
    values = (7.4, 5.9, -1.3, 2.2, 9.8, float("inf"), 4.05, 3.0)
    return Samples(values, "dB", labels=tuple(f"onu-{index}" for index in range(8)))


def latencies(n: int = 10_000, lost: int = 12) -> Samples:
    drawn = random.Random(9)
    values = [drawn.lognormvariate(-0.7, 0.35) + (5.5 if drawn.random() < 0.0015 else 0) for _ in range(n - lost)]
    return Samples((*values, *[float("inf")] * lost), "ms")


def judged(requirement: Requirement, verdict: Verdict, reduced: Any, **more: Any) -> Result:
    return Result(
        item=requirement.id, profile="virtual-plant", requirement=requirement.id, indicator=requirement.indicator,
        scope={}, verdict=verdict, rule=requirement.rule.value, threshold=requirement.threshold, attempts=1,
        exhibit=record_of(exhibit(reduced)) if reduced else None, vantages=("jump-a",),
        **{"reason": {"pass": "met", "fail": "not-met"}.get(verdict.value, "not-run"),
           "facts": {"value": "1", "op": "<=", "limit": "2"}} | more,
    )  # fmt: skip


def results() -> tuple[Result, ...]:
    asked = {one.id: one for one in load_profile("virtual-plant").requirements}
    findings = tuple(
        FindingRecord(target=origin, reason="check-failed", note=f"{destination} · {note}")
        for (origin, destination), note in LEAKS.items()
    )
    interval = IntervalRecord(low=5.9, high=6.6, confidence=0.95)
    made = {
        "NET-RCH-E": judged(asked["NET-RCH-E"], Verdict.PASS, None, value=100.0, unit="%", numerator=24, denominator=24,
                            n=24),
        "SEC-DOM": judged(asked["SEC-DOM"], Verdict.FAIL, checks(), value=2, unit="count", n=24, failing=findings),
        "NET-V6-SUP": judged(asked["NET-V6-SUP"], Verdict.FAIL, rules(60, 24), value=98.0, unit="%", numerator=1411,
                             denominator=1440, n=1440),
        "TSN-SYNC": judged(asked["TSN-SYNC"], Verdict.PASS, rules(2, 4), value=100.0, unit="%", numerator=8,
                           denominator=8, n=8),
        "TSN-FLOW-LAT": judged(asked["TSN-FLOW-LAT"], Verdict.FAIL, latencies(), value=6.213, unit="ms", n=10_000,
                               interval=interval,
                               failing=(FindingRecord(target="drive-cycle", reason="beyond-limit", note="6.2 ms"),)),
        "5G-RSRP": judged(asked["5G-RSRP"], Verdict.FAIL, signals(55), value=-111.2, unit="dBm", n=55),
        "PON-RX-MARGIN": judged(asked["PON-RX-MARGIN"], Verdict.FAIL, margins(), value=-1.3, unit="dB", n=7),
        "CMP-GEMM-FP64": judged(asked["CMP-GEMM-FP64"], Verdict.INFO, Samples((61.5, 58.2), "GFLOPS",
                                labels=("node-1", "node-2")), value=59.85, unit="GFLOPS", n=2,
                                reason="value-reported"),
    }  # fmt: skip
    untested = {"reason": "not-run", "facts": {}}
    return tuple(made.get(id) or judged(one, Verdict.NOT_TESTED, None, **untested) for id, one in asked.items())


def facilities(plant: Plant) -> Plant:
    """The plant with one object of each kind beside its terminals."""
    zones = [
        *plant.model_dump(mode="json")["zones"],
        {"id": "core", "name": "核心"},
        {"id": "internet", "name": "外网"},
    ]
    content = plant.model_dump(mode="json", by_alias=True) | {"zones": zones}
    content["vantages"] = [
        {"id": "jump-a", "where": "local", "zone": "cell-a"}, {"id": "jump-b", "where": "netns:b", "zone": "cell-b"},
    ]  # fmt: skip
    content["devices"] = [
        {"id": "olt", "kind": "olt", "zone": "cell-b", "addresses": ["198.18.20.2"], "services": ["tcp/161"]},
    ]
    flow = {"talker": "jump-a", "listener": "jump-b", "talker_address": "198.18.0.9", "address": "198.18.0.10"}
    content["flows"] = [{"id": "drive-cycle", "name": "伺服驱动周期流", "interval_ms": 4, **flow}]
    content["clocks"] = [{"id": "clock-a", "name": "焊装时钟", "vantage": "jump-a"}]
    content["modems"] = [{"id": "modem-00", "name": "车载模组", "vantage": "jump-b", "port": "/dev/ttyUSB2"}]
    content["onus"] = [{"id": "onu-2", "name": "二号分光箱", "olt": "olt", "index": "1.2", "sensitivity_dbm": -28}]
    content["nodes"] = [{"id": "node-1", "name": "计算节点一", "vantage": "jump-a", "zone": "cell-a", "cores": 8}]
    return Plant.model_validate(content)


@pytest.fixture
def make_gallery(make_example: Any) -> Callable[..., Any]:
    """The factory of that example."""

    def make(**more: Any) -> Any:
        made = make_example(**more)
        every = results()
        standing = Standing.of(every)
        campaign = made.campaign.model_copy(
            update={
                "results": every,
                "profiles": ("virtual-plant",),
                "outcome": standing.outcome,
                "counts": Counts(planned=len(every), verdicts=dict(standing.counts)),
            }
        )
        return replace(
            made, campaign=campaign, plant=facilities(made.plant), profiles=[load_profile("virtual-plant")],
            attempts=(), events=(),
        )  # fmt: skip

    return make
