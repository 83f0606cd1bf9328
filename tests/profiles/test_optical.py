"""Optical margins: a pure function of what OLTs said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from profiles.evaluate import evaluate
from profiles.indicators.optical import OpticalParameters
from profiles.indicators.optical import onu_rx_margin
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.verdict import Verdict


def register(**sensitivity_dbm: float) -> Register:
    return Register(
        tuple(Member(id, "onu", facts=(("sensitivity_dbm", repr(it)),)) for id, it in sensitivity_dbm.items())
    )


def seen(onu: str, said: float | str, attempt: int = 0, **facts: str) -> Observation:
    value, error = (None, said) if isinstance(said, str) else (said, None)
    detail = json.dumps(facts) if facts else ""
    return Observation(
        "snmp-read", "desk", onu, "192.0.2.5", "onu-rx-power", value, "dBm", error, 0, attempt, 0, 0, detail
    )


def reduced(members: Register, *rows: Observation) -> Samples:
    found = onu_rx_margin(members, rows, OpticalParameters())
    assert isinstance(found, Samples)
    return found


def test_each_unit_is_held_against_its_own_module() -> None:
    found = reduced(register(a=-28.0, b=-27.5), seen("a", -21.5), seen("b", -29.0), seen("stranger", -5.0))
    assert found.labels == ("a", "b")
    assert found.values == (6.5, -1.5)
    assert (found.unit, found.unknown, found.failing) == ("dB", 0, ())


def test_the_difference_is_that_of_the_numbers_as_written() -> None:
    assert reduced(register(a=-28.1), seen("a", -25.1)).values == (3.0,)


@pytest.mark.parametrize(
    ("power", "margin"), [(2.0, -10.0), (-8.0, 0.0), (-9.5, 1.5), (-18.0, 10.0), (-25.0, 3.0), (-29.0, -1.0)]
)
def test_too_much_light_is_as_bad_as_too_little(ask: Callable[..., Requirement], power: float, margin: float) -> None:
    unit = Register((Member("a", "onu", facts=(("sensitivity_dbm", "-28.0"), ("overload_dbm", "-8.0"))),))
    assert reduced(unit, seen("a", power)).values == (margin,)
    requirement: Any = ask(">= 3 dB", indicator="onu-rx-margin")
    judged = evaluate(requirement, unit, [seen("a", power)])
    assert judged.verdict is (Verdict.PASS if margin >= 3 else Verdict.FAIL)


@pytest.mark.parametrize("detail", ["[]", "3", "null", "{", '"off-line"'])
def test_a_detail_that_is_no_object_says_nothing(detail: str) -> None:
    found = reduced(register(a=-28.0), replace(seen("a", "absent"), detail=detail))
    assert found.failing == (Finding("a", "no-optical-reading", ""),)


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        (seen("a", "absent", reason="off-line", status="los"), Finding("a", "onu-off-line", "los")),
        (seen("a", "absent", reason="no-reading", status="up"), Finding("a", "no-optical-reading", "up")),
        (seen("a", "absent"), Finding("a", "no-optical-reading", "")),
        (seen("a", "timeout"), Finding("a", "no-snmp-answer")),
        (seen("a", "late"), Finding("a", "late-answer")),
        (seen("a", "access-denied"), Finding("a", "access-denied")),
        (seen("a", float("nan")), Finding("a", "bad-answer")),
        (seen("a", -20.0, attempt=1), Finding("a", "not-measured")),
    ],
)
def test_a_unit_without_a_reading_is_unknown(row: Observation, finding: Finding) -> None:
    found = reduced(register(a=-28.0, b=-28.0), row, seen("b", -20.0))
    assert (found.values, found.labels, found.unknown) == ((8.0,), ("b",), 1)
    assert found.failing == (finding,)


def test_silence_may_be_a_wrong_community_and_says_so() -> None:
    texts = Texts.of("profiles")
    assert "community" in texts.get("reason.no-snmp-answer", "zh")
    assert "community" in texts.get("reason.no-snmp-answer", "en")


@pytest.mark.parametrize(
    ("rows", "verdict"),
    [
        ([seen("a", -25.0), seen("b", -20.0)], Verdict.PASS),
        ([seen("a", -25.01), seen("b", -20.0)], Verdict.FAIL),
        ([seen("a", "absent", reason="off-line"), seen("b", -20.0)], Verdict.ERROR),
        ([seen("a", "absent", reason="off-line"), seen("b", -29.0)], Verdict.FAIL),
        ([seen("a", "access-denied"), seen("b", "access-denied")], Verdict.ERROR),
    ],
)
def test_every_unit_must_have_the_margin(
    ask: Callable[..., Requirement], rows: list[Observation], verdict: Verdict
) -> None:
    requirement: Any = ask(">= 3 dB", indicator="onu-rx-margin")
    judged = evaluate(requirement, register(a=-28.0, b=-28.0), rows)
    assert judged.verdict == verdict, judged
    assert "monitor-accuracy" in judged.notes
