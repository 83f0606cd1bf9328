"""Time synchronisation: checks of each clock on what it said of itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from profiles.evaluate import evaluate
from profiles.indicators.clocks import TimeSyncParameters
from profiles.indicators.clocks import time_sync
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Checklist
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.verdict import Verdict

OWN, LEADER, ROGUE = "00005e.fffe.005302", "00005e.fffe.005301", "00005e.fffe.005309"
SAID = {"clock": OWN, "ports": {"1": "SLAVE"}, "gm_present": True, "gm_identity": LEADER, "steps_removed": 1}
REGISTER = Register((Member("drive-clock", "clock", facts=(("grandmaster", LEADER),)),))
POLLS = 3


def row(attempt: int, value: float | None = 40.0, error: str | None = None, **said: Any) -> Observation:
    detail = json.dumps(SAID | said) if error is None else ""
    return Observation(
        "ptp-management", "drive", "drive-clock", "/run/ptp", "clock-offset", None if error else value, "ns", error,
        0, attempt, 1, 1, detail,
    )  # fmt: skip


def outcome(rows: list[Observation], **parameters: Any) -> dict[str, bool | None]:
    asked = TimeSyncParameters.model_validate({"polls": POLLS} | parameters)
    found = time_sync(REGISTER, rows, asked)
    assert isinstance(found, Checklist)
    assert {f"check.{check.item}" for check in found.checks} <= set(Texts.of("profiles").codes())
    assert "offset-is-self-reported" in found.notes
    return {check.item: check.passed for check in found.checks}


GOOD = {"clock-answers": True, "port-state": True, "grandmaster": True, "clock-offset": True}


def changed(attempt: int, **said: Any) -> list[Observation]:
    """Three polls, of which one says something else."""
    return [row(n, **(said if n == attempt else {})) for n in range(POLLS)]


def test_a_clock_in_time_passes_every_check() -> None:
    assert outcome(changed(-1)) == GOOD


def test_under_gptp_the_link_must_be_capable() -> None:
    assert outcome([row(n, as_capable=True) for n in range(POLLS)]) == GOOD | {"as-capable": True}
    assert outcome([row(n, as_capable=n != 1) for n in range(POLLS)]) == GOOD | {"as-capable": False}


@pytest.mark.parametrize(
    ("rows", "failed"),
    [
        (changed(1, value=1001.0), {"clock-offset": False}),
        (changed(2, value=-1e9), {"clock-offset": False}),
        (changed(0, gm_identity=ROGUE), {"grandmaster": False}),
        (changed(0, gm_present=False, gm_identity=OWN), {"grandmaster": False}),
        (changed(0, gm_identity=None), {"grandmaster": False}),
    ],
)
def test_one_bad_poll_fails_its_check(rows: list[Observation], failed: dict[str, bool]) -> None:
    assert outcome(rows) == GOOD | failed


@pytest.mark.parametrize("ports", [{"1": "LISTENING"}, {"1": "MASTER"}, {}, None, "SLAVE"])
def test_a_clock_that_follows_nobody_has_no_grandmaster_and_no_offset(ports: Any) -> None:
    assert outcome(changed(1, ports=ports)) == {"clock-answers": True, "port-state": False, "grandmaster": False}


def test_a_clock_that_is_not_settled_has_a_grandmaster_all_the_same() -> None:
    rows = [row(n, ports={"1": "UNCALIBRATED"}) for n in range(POLLS)]
    assert outcome(rows) == {"clock-answers": True, "port-state": False, "grandmaster": True}
    assert outcome(rows, port_states=["SLAVE", "UNCALIBRATED"]) == GOOD


def test_one_port_of_a_bridge_follows() -> None:
    assert outcome([row(n, ports={"1": "MASTER", "2": "SLAVE", "3": "PASSIVE"}) for n in range(POLLS)]) == GOOD


def test_without_a_declared_grandmaster_any_other_clock_leads() -> None:
    asked = TimeSyncParameters(polls=1)
    found = time_sync(Register((Member("drive-clock", "clock"),)), [row(0, gm_identity=ROGUE)], asked)
    assert isinstance(found, Checklist)
    assert all(check.passed for check in found.checks)


@pytest.mark.parametrize("error", ["timeout", "late"])
def test_a_clock_that_does_not_answer_fails(error: str) -> None:
    assert outcome([row(n, error=error) for n in range(POLLS)]) == {"clock-answers": False}
    assert outcome([row(n, error=error if n == 2 else None) for n in range(POLLS)]) == GOOD | {"clock-answers": False}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [row(0)],
        [row(n, error="bad-answer") for n in range(POLLS)],
        [row(n, error="refused-by-guard" if n else None) for n in range(POLLS)],
    ],
)
def test_a_clock_that_could_not_be_asked_is_unknown(rows: list[Observation]) -> None:
    assert outcome(rows) == {"clock-answers": None}


def test_what_others_asked_for_is_left_aside() -> None:
    rows = [*changed(-1), row(POLLS, value=1e9), *(row(n, error="timeout") for n in range(POLLS, 9))]
    assert outcome(rows) == GOOD


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        (changed(-1), Verdict.PASS),
        (changed(1, ports={"1": "LISTENING"}), Verdict.FAIL),
        ([row(n, error="timeout") for n in range(POLLS)], Verdict.FAIL),
        ([row(n, error="vantage-lost") for n in range(POLLS)], Verdict.ERROR),
        ([], Verdict.ERROR),
    ],
)
def test_verdicts(ask: Any, rows: list[Observation], verdict: Verdict) -> None:
    asked = ask(">= 100 %", "R0", indicator="time-sync", pillar="tsn", parameters={"polls": POLLS})
    assert evaluate(asked, REGISTER, rows).verdict is verdict
