"""Echoes beside a test of rates: what they cost, how many there are, and whose silence they prove."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from probes import working_latency
from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import Emit
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.working_latency import SILENCE_S
from probes.working_latency import WorkingLatency
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Ask

SECOND_NS = 1_000_000_000
ADDRESS = "192.0.2.1"
TARGET = Target("e0", ADDRESS, "cell")
PERMIT = Permit("desk", {ADDRESS: "cell"}, {"cell": ZonePermit("cell", "load", silence_limit=3)}, {})


def answer(at_s: float, delay_ms: float | None) -> Observation:
    error = None if delay_ms is not None else "timeout"
    sent_ns = int(at_s * SECOND_NS)
    return Observation(
        "icmp-echo", "desk", "e0", ADDRESS, "round-trip-delay", delay_ms, "ms", error, 0, 0, 1, sent_ns, ""
    )


def test_a_test_that_is_begun_again_has_no_more_echoes_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def run(action: Action, _gate: Gate, emit: Emit) -> None:
        asked.append(action.parameters["attempts"])
        emit([answer(0, 1.0)])
        await asyncio.sleep(0)

    monkeypatch.setattr(working_latency.icmp, "run", run)

    async def tests() -> list[int]:
        latency = WorkingLatency("desk", TARGET, Gate(PERMIT))
        counts = []
        for _ in range(2):
            await latency.before(3)
            del asked[:]
            for _ in range(3):
                latency.begin()
                await asyncio.sleep(0.01)
                await latency.end()
            counts += asked
        return counts

    whole = int((3 + working_latency.START_S) / working_latency.EVERY_S)
    assert asyncio.run(tests()) == [whole, whole - 1, whole - 2] * 2


def test_the_baseline_is_priced_once_for_each_endpoint(ask: Ask) -> None:
    def packets(**asked: object) -> int:
        plain, echoed = (
            method("tcp-throughput").cost(
                ask.action("tcp-throughput", addresses, 5201, echoes=echoes, **asked),
                ask.permit(addresses, level="load"),
            )
            for echoes in (False, True)
        )
        assert echoed.bytes - plain.bytes == 60 * (echoed.packets - plain.packets)
        assert 0 < echoed.duration_s - plain.duration_s < 5 * len(addresses)
        return echoed.packets - plain.packets

    addresses = [ADDRESS]
    before, beside = working_latency.BEFORE["attempts"], working_latency._beside(3)["attempts"]
    assert packets(attempts=1, direction="up") == before + beside
    assert packets(attempts=3, direction="both") == before + 6 * beside
    addresses = [ADDRESS, "192.0.2.2"]
    assert packets(attempts=3, direction="both") == 2 * (before + 6 * beside)


def test_what_is_made_again_is_priced_as_often(ask: Ask) -> None:
    def price(name: str, **asked: object) -> tuple[int, float]:
        found = method(name).cost(ask.action(name, [ADDRESS], 5201, **asked), ask.permit([ADDRESS], level="load"))
        return found.bytes, found.duration_s

    once, again = (price("udp-throughput", timeout_retries=n, busy_retries=0) for n in (0, 1))
    assert again[0] == 2 * once[0]
    assert again[1] > 2 * once[1]
    never, busy = (price("tcp-throughput", busy_retries=n) for n in (0, 5))
    assert busy[0] - never[0] == 2 * 5 * (1 << 16)


def test_silence_is_judged_by_the_time_for_which_echoes_are_awaited() -> None:
    assert working_latency.BESIDE["timeout_ms"] >= 1000 * SILENCE_S
