"""The store against a model of it, through any sequence of batches, sessions and power losses."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from hypothesis.stateful import invariant
from hypothesis.stateful import precondition
from hypothesis.stateful import rule

from probes.action import Action
from probes.action import Target
from probes.methods import MODULES
from probes.methods import Method
from profiles.observation import Observation
from reports.effective import OWED
from reports.effective import miscounted
from reports.journal import FILE
from reports.store import EvidenceStore

METHODS = ("one-quantity", "two-quantities")
QUANTITIES = ("round-trip-delay", "presence")
MADE = {"one-quantity": QUANTITIES[:1], "two-quantities": QUANTITIES}
TARGETS = ("a", "b", "传感器 3")
PORTS = (None, 502, 4840)
ATTEMPTS = 2

observations = st.builds(
    Observation,
    method=st.sampled_from(METHODS),
    vantage=st.sampled_from(["v", "w"]),
    target=st.sampled_from(TARGETS),
    address=st.sampled_from(["192.0.2.1", "2001:db8::1"]),
    quantity=st.sampled_from(QUANTITIES),
    value=st.none() | st.floats(),
    unit=st.just("ms"),
    error=st.none() | st.sampled_from(["timeout", "vantage-lost", "stopped", "refused-by-guard"]),
    window=st.integers(0, 1),
    attempt=st.integers(0, ATTEMPTS - 1),
    utc_ns=st.integers(0, 2**63 - 1),
    monotonic_ns=st.integers(-(2**63), 2**63 - 1),
    detail=st.sampled_from(["", "not json {", "[1]", '{"ttl":64}', '{"port":502}', '{"port":4840,"ttl":1}']),
)


def port(detail: str) -> Any:
    try:
        known = json.loads(detail)
    except ValueError:
        return None
    return known.get("port") if isinstance(known, dict) else None


def attempt(row: Observation) -> tuple[Any, ...]:
    return row.method, row.vantage, row.target, row.address, row.window, row.attempt, port(row.detail)


class StoreModel(RuleBasedStateMachine):
    """Keeps in a list what the store keeps on disk."""

    def __init__(self) -> None:
        super().__init__()
        # Hundreds of stores are flushed hundreds of times; that a disk keeps them is asked in test_store_kill.py.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="plantproof-store-", dir=memory))
        self.places = 0
        self.rows: list[tuple[int, Observation]] = []
        self.run_number = 1
        self.store = EvidenceStore.create(self.place(), campaign="c", plant_yaml="p", profile_yamls={}, facts={})

    def place(self) -> Path:
        self.places += 1
        return self.folder / str(self.places)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(batch=st.lists(observations, max_size=6))
    def append(self, batch: list[Observation]) -> None:
        self.store.append(batch)
        self.rows += [(self.run_number, row) for row in batch]

    @rule()
    def resume(self) -> None:
        self.store.close()
        self.store = EvidenceStore.open(self.store.directory)
        self.run_number += 1

    @rule(batch=st.lists(observations, min_size=1, max_size=6))
    def lose_power_in_the_middle_of_a_batch(self, batch: list[Observation]) -> None:
        """What lies on the disk while a batch is being written is all that the next session finds."""
        directory = self.place()
        directory.mkdir()
        with self.store._journal.transaction() as db:
            for row in batch:
                db.execute(f"INSERT INTO observations VALUES (NULL, {', '.join('?' * 14)})", (*row.row(), 9))  # noqa: S608
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{self.store.directory / FILE}{suffix}", f"{directory / FILE}{suffix}")
            db.execute("ROLLBACK")
            db.execute("BEGIN")
        self.store.close()
        self.store = EvidenceStore.open(directory)
        self.run_number += 1

    def counting(self) -> list[bool]:
        said: dict[tuple[Any, ...], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for run, row in self.rows:
            said[attempt(row)][run] |= set() if row.error in OWED else {row.quantity}
        most = {made: max(runs, key=lambda run: (len(runs[run]), run)) for made, runs in said.items()}
        return [most[attempt(row)] == run for run, row in self.rows]

    @invariant()
    def everything_is_kept(self) -> None:
        expected = [(*row.row(), run, counts) for (run, row), counts in zip(self.rows, self.counting(), strict=True)]
        assert repr(list(self.store.rows())) == repr(expected)
        assert self.store.run == self.run_number

    @invariant()
    def the_verifier_counts_alike(self) -> None:
        assert miscounted(self.store.rows) == 0

    @precondition(lambda self: self.rows)
    @rule(methods=st.sets(st.sampled_from(METHODS)), objects=st.sets(st.sampled_from([*TARGETS, "unknown"])))
    def choose(self, methods: set[str], objects: set[str]) -> None:
        asked = [
            row
            for (_, row), counts in zip(self.rows, self.counting(), strict=True)
            if counts and row.method in methods and row.target in objects
        ]
        assert repr(list(self.store.observations(methods, objects))) == repr(asked)

    @rule(method=st.sampled_from(METHODS), vantage=st.sampled_from("vw"), window=st.integers(0, 1))
    def ask_what_is_missing(self, method: str, vantage: str, window: int) -> None:
        targets = tuple(Target(target, "192.0.2.1", "z", port) for target in TARGETS for port in PORTS)
        done = defaultdict(set)
        for (_, row), counts in zip(self.rows, self.counting(), strict=True):
            owed = row.error in OWED or row.quantity not in MADE[method]
            if counts and not owed and (row.method, row.vantage, row.window) == (method, vantage, window):
                done[row.target, row.address, port(row.detail)].add((row.attempt, row.quantity))
        left = [it for it in targets if len(done[it.id, it.address, it.port]) < ATTEMPTS * len(MADE[method])]
        missing = self.store.missing(Action(vantage, method, targets, {"attempts": ATTEMPTS}, window))
        assert left == ([] if missing is None else list(missing.targets))


@pytest.fixture(autouse=True)
def methods(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, quantities in MADE.items():
        module = ModuleType(f"plantproof_{name}")
        module.METHOD = Method(name, "query", None, None, dict.fromkeys(quantities, "ms"))  # type: ignore[arg-type,attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(MODULES, name, module.__name__)


TestStore = StoreModel.TestCase
TestStore.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
