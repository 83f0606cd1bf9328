"""Whole campaigns of any size, made by the real plan and the real judges from made-up observations."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fixtures.objects import passages
from fixtures.plant.dump import dump_plant
from fixtures.plant.model import Plant
from fixtures.scoping import plan
from profiles.loader import dump
from profiles.loader import load_profile
from profiles.observation import Observation
from profiles.requirement import Profile
from reports.bundle import ATTEMPTS
from reports.bundle import EVENTS
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PLANT
from reports.bundle import PROFILES
from reports.bundle import RESULTS
from reports.bundle import Bundle
from reports.bundle import FileRecord
from reports.bundle import Manifest
from reports.bundle import profile_path
from reports.parquet import ObservationTable
from reports.parquet import ObservationWriter
from reports.rejudge import conclude
from reports.result import Campaign
from reports.result import Counts
from reports.standing import Standing

START_NS = 1_800_000_000_000_000_000
KINDS = ("it", "dmz", "ot", "ot", "ot", "external")
#: Parameters that make each judge content with one attempt.
BRIEF: dict[str, dict[str, Any]] = {
    "NET-RCH-E": {"windows": 1, "attempts": 1, "basis": "terminal"},
    "NET-RCH-S": {"windows": 1, "attempts": 1, "basis": "terminal"},
    "NET-COV": {"windows": 1, "attempts": 1, "least_samples": 1},
    "NET-RATE-LAN": {"attempts": 2},
    "NET-V6-SUP": {"attempts": 1},
    "SEC-DOM": {"attempts": 1},
    "TSN-FLOW-LAT": {"messages": 400},
    "PON-RX-MARGIN": {},
    "CMP-GEMM-FP64": {"attempts": 6, "least_sound": 4},
    "CMP-GEMM-EFF": {"attempts": 6, "least_sound": 4},
    "DATA-ID-RES": {},
}


def a_profile() -> Profile:
    """Requirements of the virtual plant, as brief as they can be."""
    whole = load_profile("virtual-plant")
    asked = [
        one.model_copy(
            update={
                "parameters": {**one.parameters, **BRIEF[one.id]},
                "breakdown": (),
                "quantile": 0.95 if one.quantile else None,
            }
        )
        for one in whole.requirements
        if one.id in BRIEF
    ]
    return whole.model_copy(update={"requirements": tuple(asked)})


def a_plant(zones: int, endpoints: int, hostile: str) -> Plant:
    names = [f"z{index:03d}-secret" for index in range(zones)]

    def spread(index: int) -> str:
        return names[index % zones]

    def endpoint(index: int) -> dict[str, Any]:
        services = ["tcp/502"] if index < zones else ["tcp/5201"] if index % 20 == 0 else []
        return {
            "id": f"asset-{index:05d}", "name": f"{hostile}机械手 {index}", "class": "ES"[index % 2],
            "zone": spread(index), "addresses": [f"198.18.{index // 250}.{index % 250 + 1}"], "services": services,
        }  # fmt: skip

    def area(index: int) -> dict[str, Any]:
        x, y = 50 * (index % 10), 40 * (index // 10)
        corners = [(x, y), (x + 45, y), (x + 45, y + 32), (x, y + 32)] if index % 7 != 6 else []
        points = [
            {"id": f"pt-{index}-{at}", "addresses": [f"2001:db8:5::{index:x}:{at + 1:x}"], "technology": "wifi"}
            for at in range(2 + index % 6)
        ]
        return {"id": f"area-{index}", "name": f"{hostile}车间 {index}", "classes": ["E"], "zone": spread(index),
                "polygon_m": corners, "points": points}  # fmt: skip

    devices = [
        {"id": f"switch-{index}", "kind": "switch", "zone": spread(index), "host_name": f"sw{index}.plant.example",
         "addresses": [f"2001:db8:6::{index + 1:x}"]}
        for index in range(zones * 2)
    ]  # fmt: skip
    olt = {"id": "olt", "kind": "olt", "zone": names[0], "addresses": ["198.51.100.2"]}
    watched = [zone for index, zone in enumerate(names) if index % 9 != 8]
    return Plant.model_validate(
        {
            "plant": f"{hostile}临港示范工厂",
            "organisation": "示例制造有限公司",
            "zones": [
                {"id": id, "name": f"{hostile}{index} 号域", "kind": KINDS[index % 6], "networks": []}
                for index, id in enumerate(names)
            ],
            "conduits": [
                {"source": spread(index), "destination": spread(index + 1 + index % 3), "services": ["tcp/502"]}
                for index in range(zones)
            ],
            "areas": [area(index) for index in range(max(3, min(zones, 60)))],
            "surveys": [
                {"area": f"area-{index}", "file": f"walk-{index}.csv", "technology": "5g", "positions": "cells"}
                for index in (0, 1)
            ],
            "endpoints": [endpoint(index) for index in range(endpoints)],
            "devices": [*devices, olt],
            "flows": [{"id": "axis-loop", "name": f"{hostile}轴控", "talker": f"v-{names[0]}", "interval_ms": 4,
                       "listener": f"v-{names[1]}", "talker_address": "198.51.100.9", "address": "198.51.100.10"}],
            "onus": [
                {"id": f"onu-{index}", "name": f"{hostile}光猫 {index}", "olt": "olt", "index": f"1.{index}",
                 "sensitivity_dbm": -28, **({"overload_dbm": -8} if index % 3 else {})}
                for index in range(min(300, endpoints // 4))
            ],
            "nodes": [
                {"id": f"node-{index}", "name": f"{hostile}节点 {index}", "vantage": f"v-{names[0]}", "zone": names[0],
                 "cores": 8, "rated_fp64_gflops": 200, "rated_fp32_gflops": 400}
                for index in range(1 if zones < 20 else 6)
            ],
            "vantages": [
                {"id": f"v-{id}", "where": "local", "zone": id, "measures": names if index == 0 else []}
                for index, id in enumerate(watched)
            ],
        }
    )  # fmt: skip


def row(method: str, vantage: str, target: str, address: str, quantity: str, value: float | None, unit: str,
        **more: Any) -> Observation:  # fmt: skip
    error, attempt, detail = more.get("error"), more.get("attempt", 0), more.get("detail", {})
    at = more.get("at", START_NS + attempt)
    told = json.dumps(detail) if detail else ""
    return Observation(
        method, vantage, target, address, quantity, None if error else value, unit, error, 0, attempt, at, at, told
    )


def observed(plant: Plant) -> Iterator[Observation]:
    """What the plant shows: some of everything is silent, too slow, open or dark."""
    drawn = random.Random(11)
    first = plant.vantages[0].id
    for index, endpoint in enumerate(plant.endpoints):
        error, delay = "timeout" if index % 97 == 96 else None, drawn.lognormvariate(-0.5, 0.6)
        address = str(endpoint.addresses[0])
        yield row("icmp-echo", first, endpoint.id, address, "round-trip-delay", delay, "ms", error=error)
        for attempt in range(2 if "tcp/5201" in endpoint.services else 0):
            for way, mean in (("up", 620.0), ("down", 410.0)):
                rate = abs(drawn.gauss(mean, 90.0))
                detail = {"port": 5201}
                yield row("tcp-throughput", first, endpoint.id, address, f"goodput-{way}", rate, "Mbit/s",
                          attempt=attempt, detail=detail)  # fmt: skip
    for area in plant.areas:
        for at, point in enumerate(area.points):
            error = "timeout" if at == 3 else "socket-error" if at == 5 else None
            yield row("icmp-echo", first, point.id, str(point.addresses[0]), "round-trip-delay", 1.0, "ms", error=error)
    for device in plant.devices[:-1]:
        error = "timeout" if int(device.id.split("-")[1]) % 13 == 5 else None
        vantage = next((it.id for it in plant.vantages if it.zone == device.zone), first)
        yield row("icmp-echo", vantage, device.id, str(device.addresses[0]), "round-trip-delay", 1.0, "ms", error=error)
    yield from passage_rows(plant)
    yield from walk_rows(plant, drawn)
    yield from facility_rows(plant, drawn)


def passage_rows(plant: Plant) -> Iterator[Observation]:
    """Every forbidden passage is closed but some; some have a control that says nothing."""
    controls = set()
    for index, one in enumerate(passages.objects(plant)):
        for vantage, seen in one.assign():
            if seen.role == "control":
                if seen.id not in controls:
                    controls.add(seen.id)
                    error = "timeout" if len(controls) % 17 == 16 else None
                    yield row("tcp-connect", vantage, seen.id, seen.addresses[0], "connect-delay", 0.4, "ms",
                              error=error, detail={"port": 502})  # fmt: skip
            else:
                error = None if index % 41 == 40 else "timeout"
                yield row("tcp-connect", vantage, seen.id, seen.addresses[0], "connect-delay", 0.5, "ms", error=error,
                          detail={"port": 502})  # fmt: skip


def walk_rows(plant: Plant, drawn: random.Random) -> Iterator[Observation]:
    for survey in plant.surveys:
        area = next(it for it in plant.areas if it.id == survey.area)
        (left, low), (right, high) = area.polygon_m[0], area.polygon_m[2]
        for number in range(400):
            x, y = drawn.uniform(left, right), drawn.uniform(low, high)
            signal = -70 - 1.1 * (x - left) + drawn.gauss(0, 3)
            for quantity, value, unit in (("access", 1.0, "1"), ("ss-rsrp", signal, "dBm"), ("ss-sinr", 12.0, "dB")):
                yield row("survey-log", "plantproof", f"coverage:{area.id}:5g", f"{survey.file}:{number + 2}", quantity,
                          value, unit, at=START_NS + number, detail={"x_m": x, "y_m": y})  # fmt: skip


def facility_rows(plant: Plant, drawn: random.Random) -> Iterator[Observation]:
    first, second = plant.vantages[0].id, plant.vantages[1].id
    for index, onu in enumerate(plant.onus):
        error = "absent" if index == 4 else None
        power = -18.0 + drawn.gauss(0, 3.2)
        yield row("snmp-read", first, onu.id, "198.51.100.2", "onu-rx-power", power, "dBm", error=error)
    for node in plant.nodes:
        for attempt in range(6):
            for quantity, mean, unit in (("gemm-fp64", 110.0, "GFLOPS"), ("gemm-fp32", 230.0, "GFLOPS"),
                                         ("stream-triad", 31.0, "GB/s")):  # fmt: skip
                value = mean * drawn.uniform(0.93, 1.04)
                yield row("compute-benchmark", first, node.id, f"node:{node.id}", quantity, value, unit,
                          attempt=attempt, detail={"n": 2048})  # fmt: skip
    end = {"established": True, "session": "s", "begun_ns": START_NS, "closed_ns": START_NS + 10**10,
           "same_clock": True, "offset_ns": [0, 0], "dropped": 0}  # fmt: skip
    for number in range(400):
        due, delay_ms = START_NS + number * 4_000_000, drawn.lognormvariate(-1, 0.6)
        detail = {"end": end} if number == 0 else {}
        came, lost = due + round(delay_ms * 1e6), number % 151 == 150
        yield row("cyclic-flow", first, "axis-loop", "198.51.100.10", "schedule-lag", 0.0, "ms", attempt=number,
                  at=due, detail=detail)  # fmt: skip
        yield row("cyclic-flow", second, "axis-loop", "198.51.100.9", "schedule-lag", delay_ms, "ms", attempt=number,
                  at=end["closed_ns"] if lost else came, detail=detail, error="timeout" if lost else None)  # fmt: skip


def make(folder: Path, *, zones: int = 6, endpoints: int = 120, hostile: str = "", year: int = 2027) -> Bundle:
    """A bundle that the real judges made of what such a plant shows."""
    folder.mkdir(parents=True)
    plant, asked = a_plant(zones, endpoints, hostile), a_profile()
    with ObservationWriter(folder / OBSERVATIONS) as writer:
        writer.write((*one.row(), 1, True) for one in observed(plant))
    with (folder / OBSERVATIONS).open("rb") as file:
        table = ObservationTable.read(file)
    results = tuple(conclude(case, table.select) for case in plan(plant, [asked]))
    standing = Standing.of(results)
    campaign = Campaign(
        campaign=f"0f3c2a7e-5b1d-4c7a-9d52-6b1f3f0f{year}", plant=plant.plant, profiles=(asked.profile,),
        started_utc=f"{year}-01-15T08:00:00+00:00", ended_utc=f"{year}-01-15T09:00:00+00:00",
        outcome=standing.outcome, versions={"plantproof": "0.1.0"}, host="jump-a", results=results,
        counts=Counts(planned=standing.planned, verdicts={it: n for it, n in standing.counts.items() if n}),
    )  # fmt: skip
    (folder / PROFILES).mkdir()
    (folder / RESULTS).write_text(campaign.model_dump_json())
    (folder / PLANT).write_text(dump_plant(plant))
    (folder / profile_path(asked.profile)).write_text(dump(asked))
    for name in (ATTEMPTS, EVENTS):
        (folder / name).write_text("")
    hashed = {
        it.relative_to(folder).as_posix(): FileRecord(
            sha256=sha256(it.read_bytes()).hexdigest(), size=it.stat().st_size
        )
        for it in folder.rglob("*")
        if it.is_file()
    }
    manifest = Manifest(
        campaign=campaign.campaign, sealed_utc=campaign.ended_utc, host="jump-a",
        kernel="6", clock={}, versions=campaign.versions, files=hashed,
    )  # fmt: skip
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    return Bundle.open(folder)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A plant of six zones."""
    return make(tmp_path_factory.mktemp("pictures") / "bundle")


@pytest.fixture
def make_campaign(tmp_path: Path) -> Callable[..., Bundle]:
    """The factory of such bundles."""
    return partial(make, tmp_path / "bundle")
