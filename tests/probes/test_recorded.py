"""What the program puts on record itself: rows as they were read, and never a packet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from conformance.records import PERMIT
from conformance.records import put_on_record
from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from probes.recorded import HERE
from profiles.observation import Observation


def action(name: str, **values: float | None) -> Action:
    said = {"utc_ns": 7, "values": values, "detail": {"x_m": 1.5, "y_m": 2}}
    return Action(HERE, name, (Target("coverage:hall:5g", "w.csv:2", "cell", ask=json.dumps(said)),), {})


@pytest.mark.parametrize("name", ["survey-log", "earlier-bundle"])
def test_a_row_is_kept_as_it_was_read_with_one_observation_for_each_quantity(name: str) -> None:
    quantities = method(name).quantities
    first = next(iter(quantities))
    kept: list[Observation] = []
    put_on_record([action(name, **{first: 1})], kept.extend)
    assert {seen.quantity: (seen.value, seen.error) for seen in kept} == {
        quantity: (1.0, None) if quantity == first else (None, "absent") for quantity in quantities
    }
    assert {(seen.vantage, seen.target, seen.address, seen.utc_ns) for seen in kept} == {
        (HERE, "coverage:hall:5g", "w.csv:2", 7)
    }
    assert {seen.detail for seen in kept} == {'{"x_m":1.5,"y_m":2}'}


def test_the_program_itself_may_send_nothing_to_anybody() -> None:
    target = Target("cnc", "192.0.2.1", "cell")
    assert isinstance(Gate(PERMIT).admit(target, "passive"), Refusal)
    assert isinstance(Gate(PERMIT).admit_local(target, "passive"), Refusal)


def test_a_method_that_keeps_a_row_back_is_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        await asyncio.sleep(0)

    how = method("survey-log")
    monkeypatch.setattr("conformance.records.method", lambda _: how.__class__(how.name, how.level, how.cost, nothing))
    kept: list[Sequence[Observation]] = []
    put_on_record([action("survey-log")], kept.append)
    assert [seen.error for rows in kept for seen in rows] == ["method-failed"]
