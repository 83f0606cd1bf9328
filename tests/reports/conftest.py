"""An example campaign made by hand: every verdict, breakdowns, findings and delays, of any size."""

from __future__ import annotations

import random
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from fixtures.plant.dump import dump_plant
from fixtures.plant.model import Area
from fixtures.plant.model import Endpoint
from fixtures.plant.model import Plant
from fixtures.plant.model import VantagePoint
from fixtures.plant.model import Zone
from profiles.loader import dump
from profiles.observation import Observation
from profiles.requirement import Profile
from profiles.verdict import Verdict
from reports.bundle import ATTEMPTS
from reports.bundle import EVENTS
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PLANT
from reports.bundle import PROFILES
from reports.bundle import RESULTS
from reports.bundle import Bundle
from reports.bundle import Event
from reports.bundle import FileRecord
from reports.bundle import Manifest
from reports.bundle import profile_path
from reports.parquet import ObservationWriter
from reports.particulars import Particulars
from reports.result import Campaign
from reports.result import Counts
from reports.result import FindingRecord
from reports.result import IntervalRecord
from reports.result import ObservationFilter
from reports.result import Result
from reports.standing import Standing
from reports.waivers import Waiver
from reports.wording import visible

START_NS = 1_800_000_000_000_000_000
METHODS = ("icmp-echo", "tcp-connect")
ZONES = {"office": "办公网", "dmz": "隔离区", "cell-a": "焊装一区", "cell-b": "总装二区"}
AREAS = {"weld": ("焊装线", "cell-a"), "final": ("总装线", "cell-b"), "desk": ("工艺办公室", "office")}


def source(provenance: str, verified: bool, quote: str | None = None) -> dict[str, Any]:
    return {
        "standard": "沪经信基〔2022〕617 号",
        "clause": "(九)",
        "quote": quote,
        "provenance": provenance,
        "verified": verified,
    }


def requirement(id: str, zh: str, en: str, **more: Any) -> dict[str, Any]:
    remedy = {
        "zh": "检查终端供电、网线或无线覆盖，以及其所在 VLAN 的网关与访问控制。",
        "en": "Check the terminal's power, cable or radio coverage, and the gateway and access control of its VLAN.",
    }
    common = {
        "id": id,
        "title": {"zh": zh, "en": en},
        "pillar": "network",
        "indicator": "access-reachability",
        "rule": "R0",
        "source": source("stated", True, "针对生产装备活动区域的网络接入可达率达到 100%"),
        "remedy": remedy,
    }
    return common | more


def limit(op: str, value: str, provenance: str = "stated", verified: bool = True) -> dict[str, Any]:
    return {"op": op, "value": value, "source": source(provenance, verified, None)}


def profile() -> Profile:
    every = [
        requirement(
            "NET-RCH-E",
            "生产装备网络接入可达率",
            "Access reachability of production equipment",
            scope={"classes": ["E"]},
            breakdown=["technology", "zone"],
            threshold=limit(">=", "100 %"),
        ),
        requirement(
            "NET-RCH-S",
            "感知设备网络接入可达率",
            "Access reachability of sensing devices",
            threshold=limit(">=", "90 %"),
            sample_rule="R2",
            rule="R2",
        ),
        requirement(
            "NET-RCH-P", "作业人员网络接入可达率", "Access reachability of operators", threshold=limit(">=", "90 %")
        ),
        requirement(
            "NET-RCH-X", "其他辅助终端可达率", "Access reachability of other terminals", threshold=limit(">=", "90 %")
        ),
        requirement(
            "NET-LAT-E",
            "生产装备往返时延",
            "Round-trip delay of production equipment",
            rule="R4",
            quantile=0.99,
            threshold=limit("<=", "10 ms", "project", False),
        ),
        requirement(
            "NET-DUMB",
            "哑设备比例",
            "Dumb-device share",
            indicator="dumb-device-share",
            threshold=limit("<", "30 %"),
            source=source("stated", True, "“哑设备”比例低于 30%"),
        ),
        requirement("NET-COV", "网络接入覆盖率", "Access coverage", indicator="access-coverage", rule="R1"),
        requirement("NET-TECH-5G", "5G 应用情况", "Use of 5G", indicator="technology-use", rule="INFO"),
    ]
    every = [one | ({"rule": "info"} if one["rule"] == "INFO" else {}) for one in every]
    return Profile.model_validate(
        {
            "profile": "shanghai-617-2022",
            "version": "1",
            "title": {
                "zh": "上海市智能工厂网络评估（沪经信基〔2022〕617 号）",
                "en": "Shanghai smart factory networks (617/2022)",
            },
            "description": {"zh": "示例。", "en": "An example."},
            "requirements": every,
        }
    )


def plant(endpoints: int, hostile: str = "") -> Plant:
    objects = []
    for index in range(endpoints):
        zone = ("cell-a", "cell-b", "office")[index % 3]
        objects.append(
            {
                "id": f"{visible(hostile)[:150]}{'ESPX'[index % 4].lower()}-{index:05d}",
                "name": f"{hostile}{('机械手', '温度传感器', '平板终端', '打印机')[index % 4]} {index}",
                "class": "ESPX"[index % 4],
                "technology": ("ethernet", "wifi", "5g", "pon")[index // 4 % 4],
                "zone": zone,
                "area": {"cell-a": "weld", "cell-b": "final", "office": "desk"}[zone],
                "addresses": [f"198.18.{index // 250 % 256}.{index % 250 + 1}", f"2001:db8::{index + 1:x}"],
            }
        )
    return Plant(
        plant=f"{hostile}临港示范工厂",
        organisation="示例制造有限公司",
        zones=tuple(Zone(id=id, name=name) for id, name in ZONES.items()),
        areas=tuple(Area(id=id, name=name, classes=("E",), zone=zone) for id, (name, zone) in AREAS.items()),
        endpoints=tuple(Endpoint.model_validate(one) for one in objects),
        vantages=(VantagePoint(id="jump-a", where="local"), VantagePoint(id="jump-b", where="netns:b")),
    )


@dataclass(eq=False)
class ExampleBundle:
    """What the renderers read of a bundle."""

    campaign: Campaign
    plant: Plant
    profiles: list[Profile]
    manifest: Manifest
    path: Path
    silent: frozenset[str] = frozenset()
    echoes: int = 15  #: to each endpoint
    attempts: tuple[Result, ...] = ()
    events: tuple[Event, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    particulars: Particulars = field(default_factory=Particulars)
    earlier: tuple[Bundle, ...] = ()

    def observations(self, methods: Collection[str], targets: Collection[str]) -> Iterator[Observation]:
        rng = random.Random(7)
        for endpoint in self.plant.endpoints:
            if endpoint.id in targets and "icmp-echo" in methods:
                yield from self._echoes(endpoint, rng)

    def _echoes(self, endpoint: Endpoint, rng: random.Random) -> Iterator[Observation]:
        for attempt in range(self.echoes):
            silent = endpoint.id in self.silent or rng.random() < 0.002
            delay = None if silent else rng.lognormvariate(-0.9, 0.5) + (12 * (rng.random() < 0.004))
            error = "timeout" if silent else None
            sent = START_NS + attempt * 1_000_000
            yield Observation(
                "icmp-echo", "jump-a", endpoint.id, str(endpoint.addresses[0]), "round-trip-delay", delay, "ms", error,
                attempt // 5, attempt % 5, sent, sent, "",
            )  # fmt: skip


def result(item: str, verdict: Verdict, **more: Any) -> Result:
    common: dict[str, Any] = {
        "item": item,
        "profile": "shanghai-617-2022",
        "requirement": item.partition(":")[0],
        "indicator": "access-reachability",
        "scope": {},
        "verdict": verdict,
        "reason": "",
    }
    if verdict not in (Verdict.NOT_TESTED, Verdict.NOT_APPLICABLE):
        common |= {"vantages": ("jump-a",), "started_utc_ns": START_NS, "ended_utc_ns": START_NS + 94_000_000_000}
    return Result.model_validate(common | more)


def findings(targets: Sequence[str], hostile: str) -> tuple[FindingRecord, ...]:
    reasons = ("no-answer", "partly-reachable", "present-but-silent")
    return tuple(
        FindingRecord(
            target=target, reason=reasons[index % 3], note=f"{hostile}icmp-echo 0/15, tcp-connect 0/{index % 4}"
        )
        for index, target in enumerate(targets)
    )


def results(plant: Plant, profile: Profile, failing: int, hostile: str) -> tuple[Result, ...]:
    limits = {one.id: one.threshold for one in profile.requirements}
    ids = {cls: tuple(one.id for one in plant.endpoints if one.cls == cls) for cls in "EPSX"}
    every = tuple(one.id for one in plant.endpoints)
    good = len(ids["E"]) - min(failing, len(ids["E"]))
    reach = {"unit": "%", "observations": ObservationFilter(methods=METHODS, targets=ids["E"]), "rule": "R0"}
    failed = result(
        "NET-RCH-E", Verdict.FAIL, **reach, value=100 * good / len(ids["E"]), numerator=good, denominator=len(ids["E"]),
        n=len(ids["E"]), threshold=limits["NET-RCH-E"], reason="not-met",
        facts={"value": f"{good}/{len(ids['E'])}", "op": "≥", "limit": "100 %"},
        failing=findings((ids["E"] if failing <= len(ids["E"]) else every)[:failing], hostile), attempts=2,
    )  # fmt: skip
    rows = [failed]
    for name, parts in {
        "zone": (("cell-a", 7, 8), ("cell-b", 9, 9), ("office", 3, 4)),
        "technology": (("5g", 5, 7), ("pon", 14, 14)),
    }.items():
        for value, up, total in parts:
            item = f"NET-RCH-E:{name}={hostile}{value}"
            more = {"scope": {name: f"{hostile}{value}"}, "unit": "%", "value": 100 * up / total}
            rows.append(result(item, Verdict.INFO, numerator=up, denominator=total, n=total, rule="info", **more))
    interval = IntervalRecord(low=91.24, high=None, confidence=0.95)
    rows += [
        result("NET-RCH-S", Verdict.PASS, value=97.4359, unit="%", numerator=38, denominator=39, n=39,
               interval=interval, threshold=limits["NET-RCH-S"], rule="R2", reason="met",
               facts={"value": "97.4359 %", "op": "≥", "limit": "90 %"},
               notes=("sample-drawn",), observations=ObservationFilter(methods=METHODS, targets=ids["S"])),
        result("NET-RCH-P", Verdict.INCONCLUSIVE, value=92.0, unit="%", numerator=23, denominator=25, n=25, rule="R2",
               interval=IntervalRecord(low=76.9, high=98.6, confidence=0.95), threshold=limits["NET-RCH-P"],
               reason="interval-spans-limit",
               facts={"value": "92 %", "low": "76.9 %", "high": "98.6 %", "limit": "90 %"},
               observations=ObservationFilter(methods=METHODS, targets=ids["P"])),
        result("NET-RCH-X", Verdict.ERROR, reason="vantage-lost", threshold=limits["NET-RCH-X"], rule="R0"),
        result("NET-LAT-E", Verdict.PASS, value=1.84, unit="ms", n=len(ids["E"]) * 15, rule="R4", reason="met",
               facts={"value": "1.84 ms", "op": "≤", "limit": "10 ms"},
               interval=IntervalRecord(low=1.42, high=2.31, confidence=0.95), threshold=limits["NET-LAT-E"],
               observations=ObservationFilter(methods=("icmp-echo",), targets=ids["E"])),
        result("NET-DUMB", Verdict.NOT_TESTED, reason="no-suite", threshold=limits["NET-DUMB"], rule="R0"),
        result("NET-COV", Verdict.NOT_APPLICABLE, reason="tailored-out", facts={"reason": f"{hostile}本厂无室外区域"}),
        result("NET-TECH-5G", Verdict.INFO, value=12, unit="1", n=12, rule="info"),
    ]  # fmt: skip
    return tuple(rows)


def example(folder: Path, endpoints: int = 20, failing: int = 3, hostile: str = "", **more: Any) -> ExampleBundle:
    """A campaign of every verdict; ``hostile`` is put in front of everything that a user may write."""
    shop, asked = plant(endpoints, hostile), profile()
    made = results(shop, asked, failing, hostile)
    standing = Standing.of(made)
    campaign = Campaign(
        campaign="0f3c2a7e-5b1d-4c7a-9d52-6b1f3f0f9a11",
        plant=shop.plant,
        profiles=(asked.profile,),
        started_utc="2027-01-15T08:00:00+00:00",
        ended_utc="2027-01-15T08:01:34+00:00",
        outcome=standing.outcome,
        counts=Counts(planned=len(made), verdicts={word: sum(one.verdict is word for one in made) for word in Verdict}),
        versions={"plantproof": "0.1.0", "python": "3.11.2", "kernel": "6.1.0-28-amd64", "scipy": "1.17.1"},
        host="jump-a",
        results=made,
    )
    manifest = Manifest(
        campaign=campaign.campaign, sealed_utc="2027-01-15T08:01:36+00:00", host="jump-a", kernel="6.1.0-28-amd64",
        clock={"synchronised": "yes", "max_error_us": "412"}, versions=campaign.versions,
        files={name: FileRecord(sha256=f"{len(name):064x}", size=1) for name in ("results.json", "plant.yaml")},
    )  # fmt: skip
    earlier = [one.model_copy(update={"verdict": Verdict.ERROR, "attempts": 1}) for one in made if one.attempts > 1]
    found = {finding.target for one in made for finding in one.failing}
    event = Event(utc_ns=START_NS, run=1, kind="vantage-lost", text=f"{hostile}jump-b", facts={})
    more = {"silent": frozenset(found), "attempts": tuple(earlier), "events": (event,)} | more
    return ExampleBundle(campaign, shop, [asked], manifest, folder, **more)


def write_bundle(made: ExampleBundle, folder: Path) -> Bundle:
    """The example as files."""
    folder.mkdir()
    (folder / PROFILES).mkdir()
    (folder / RESULTS).write_text(made.campaign.model_dump_json())
    (folder / PLANT).write_text(dump_plant(made.plant))
    for one in made.profiles:
        (folder / profile_path(one.profile)).write_text(dump(one))
    for name, records in ((ATTEMPTS, made.attempts), (EVENTS, made.events)):
        (folder / name).write_text("".join(f"{record.model_dump_json()}\n" for record in records))
    with ObservationWriter(folder / OBSERVATIONS) as writer:
        every = made.observations(METHODS, {endpoint.id for endpoint in made.plant.endpoints})
        writer.write((*observation.row(), 1, True) for observation in every)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    hashed = {name: FileRecord(sha256=sha256(data).hexdigest(), size=len(data)) for name, data in files.items()}
    (folder / MANIFEST).write_text(made.manifest.model_copy(update={"files": hashed}).model_dump_json())
    return Bundle.open(folder)


@pytest.fixture(scope="session")
def examples() -> tuple[Callable[..., ExampleBundle], Callable[[ExampleBundle, Path], Bundle]]:
    """What makes an example, and what writes it, for fixtures that live longer than a test."""
    return example, write_bundle


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """The factory of examples as files."""
    return lambda **more: write_bundle(example(tmp_path, **more), tmp_path / "bundle")


@pytest.fixture
def make_example(tmp_path: Path) -> Callable[..., ExampleBundle]:
    """The factory itself."""
    return partial(example, tmp_path)


@pytest.fixture(scope="session")
def make_lasting(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ExampleBundle]:
    """The factory itself, for examples that a whole session shares."""
    return lambda **more: example(tmp_path_factory.mktemp("example"), **more)


@pytest.fixture(scope="session")
def write_lasting(tmp_path_factory: pytest.TempPathFactory) -> Callable[[ExampleBundle], Bundle]:
    """Writes such an example as files."""
    return lambda made: write_bundle(made, tmp_path_factory.mktemp("written") / "bundle")
