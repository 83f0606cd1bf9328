"""A small campaign with real plan, real indicators and made-up observations, in every state a store can be in."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import pytest

from fixtures.plant.dump import dump_plant
from fixtures.plant.model import Plant
from probes.action import Action
from probes.action import Target
from profiles.loader import dump
from profiles.observation import Observation
from profiles.requirement import Profile
from reports.bundle import Bundle
from reports.seal import seal
from reports.store import EvidenceStore

START_NS = 1_800_000_000_000_000_000
WINDOWS = 2
ATTEMPTS = 2
SILENT = "press-2"

SOURCE = {"standard": "S", "clause": "1", "provenance": "project", "verified": False}


def requirement(id: str, **more: Any) -> dict[str, Any]:
    asked = {
        "id": id,
        "title": {"zh": "可达率", "en": "reachability"},
        "pillar": "network",
        "indicator": "access-reachability",
        "scope": {"classes": ["E"]},
        "rule": "R0",
        "threshold": {"op": ">=", "value": "100 %", "source": SOURCE},
        "parameters": {"windows": WINDOWS, "attempts": ATTEMPTS, "basis": "terminal"},
        "source": SOURCE,
        "remedy": {"zh": "检查", "en": "check"},
    }
    return asked | more


def a_plant() -> Plant:
    def endpoint(id: str, number: int, cls: str, zone: str) -> dict[str, Any]:
        return {"id": id, "class": cls, "zone": zone, "addresses": [f"192.0.2.{number}"]}

    return Plant.model_validate(
        {
            "plant": "测试工厂 <Test & Co>",
            "zones": [{"id": "cell-a"}, {"id": "cell-b"}],
            "endpoints": [
                endpoint("press-1", 1, "E", "cell-a"),
                endpoint(SILENT, 2, "E", "cell-b"),
                endpoint("tablet-1", 3, "P", "cell-a"),
                endpoint("sensor-1", 4, "S", "cell-b"),
                endpoint("other-1", 5, "X", "cell-b"),
            ],
            "devices": [
                {"id": "switch-1", "kind": "switch", "zone": "cell-a", "credentials": "env:PLANTPROOF_TEST_SECRET"}
            ],
            "vantages": [{"id": "here", "where": "local", "measures": ["cell-a", "cell-b"]}],
            "tailoring": [{"requirement": "RCH-X", "reason": "辅助终端均无联网接口", "approved_by": "质量部"}],
        }
    )


def a_profile() -> Profile:
    return Profile.model_validate(
        {
            "profile": "small",
            "version": "1",
            "title": {"zh": "小", "en": "small"},
            "description": {"zh": "小", "en": "small"},
            "requirements": [
                requirement("RCH-E", breakdown=["zone"]),
                requirement("RCH-P", scope={"classes": ["P"]}),
                requirement("RCH-S", scope={"classes": ["S"]}, threshold=None, rule="info"),
                requirement("RCH-X", scope={"classes": ["X"]}),
                requirement("RADIO", indicator="radio-coverage", parameters={}),
            ],
        }
    )


def observe(target: str, *, window: int = 0, attempt: int = 0, **more: Any) -> Observation:
    """An echo reply from ``target``; ``error=...`` makes it an attempt without one."""
    number = [*(endpoint.id for endpoint in a_plant().endpoints), target].index(target) + 1
    facts: dict[str, Any] = {
        "method": "icmp-echo",
        "vantage": "here",
        "target": target,
        "address": f"192.0.2.{number}",
        "quantity": "round-trip-delay",
        "value": None if more.get("error") else 0.5,
        "unit": "ms",
        "error": None,
        "window": window,
        "attempt": attempt,
        "utc_ns": START_NS + 1_000 * window + attempt,
        "monotonic_ns": 5_000 + 1_000 * window + attempt,
        "detail": '{"ttl":64}',
    }
    return Observation(**facts | more)


def observe_all(targets: tuple[str, ...] = ("press-1", SILENT, "tablet-1", "sensor-1")) -> list[Observation]:
    """Every attempt at every target; one of them never answers."""
    return [
        observe(target, window=window, attempt=attempt, error="timeout" if target == SILENT else None)
        for window in range(WINDOWS)
        for attempt in range(ATTEMPTS)
        for target in targets
    ]


def an_action(*targets: str, window: int = 0) -> Action:
    """The action that :func:`observe` belongs to."""
    made = tuple(Target(target, observe(target).address, "cell-a") for target in targets)
    return Action("here", "icmp-echo", made, {"attempts": ATTEMPTS}, window)


@dataclass(frozen=True)
class Evidence:
    """What tests of stores and bundles need."""

    directory: Path
    plant: Plant = field(default_factory=a_plant)
    profile: Profile = field(default_factory=a_profile)
    campaign: str = field(default_factory=lambda: str(uuid.uuid4()))

    observe: Callable[..., Observation] = observe
    observe_all: Callable[..., list[Observation]] = observe_all
    action: Callable[..., Action] = an_action

    @property
    def texts(self) -> dict[str, Any]:
        return {"plant_yaml": dump_plant(self.plant), "profile_yamls": {"small": dump(self.profile)}}

    def create(self, **more: Any) -> EvidenceStore:
        facts = {"host": "tester", "plantproof": "0"}
        return EvidenceStore.create(self.directory, campaign=self.campaign, facts=facts, **self.texts | more)

    def resume(self, **more: Any) -> EvidenceStore:
        return EvidenceStore.resume(self.directory, **self.texts | more)

    @property
    def bundle(self) -> Path:
        return self.directory / "bundle"

    def sealed(self, documents: Mapping[str, str] | None = None) -> Bundle:
        """The bundle of a whole campaign, with some raw output, and with documents by the names of their files."""
        with self.create() as store:
            for name, text in (documents or {}).items():
                store.put_document(name, text)
            store.append(self.observe_all())
            store.event("vantage-opened", "here", {"kernel": "6.1"})
            store.put_raw("here", "icmp-echo", 0, "ping/out.txt", "64 bytes from 192.0.2.1\n")
            return seal(store, self.bundle)


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    return Evidence(tmp_path / "evidence")


@pytest.fixture
def store(evidence: Evidence) -> Iterator[EvidenceStore]:
    with evidence.create() as store:
        yield store


@pytest.fixture(scope="session")
def evidence_in() -> Callable[[Path], Evidence]:
    """Evidence in a directory of the caller's own, for bundles that several tests look at."""
    return lambda directory: Evidence(directory / "evidence")


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory, evidence_in: Callable[[Path], Evidence]) -> Path:
    """A sound bundle that nobody signed; only to be looked at, or copied."""
    return evidence_in(tmp_path_factory.mktemp("sealed")).sealed().path


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    """A copy of it, to be altered."""
    return Path(shutil.copytree(sealed, tmp_path / "bundle"))
