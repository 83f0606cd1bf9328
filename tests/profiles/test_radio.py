"""5G indicators: pure functions of what modems said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from profiles.evaluate import evaluate
from profiles.indicators.radio import PORT_TROUBLE
from profiles.indicators.radio import RadioParameters
from profiles.indicators.radio import nr_registration
from profiles.indicators.radio import nr_rsrp
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.verdict import Verdict

THREE = RadioParameters(attempts=3)


def register(*ids: str) -> Register:
    return Register(tuple(Member(id, "modem") for id in ids))


def seen(modem: str, quantity: str, *said: float | str) -> list[Observation]:
    unit = {"registration": "1", "ss-rsrp": "dBm"}.get(quantity, "dB")
    return [
        Observation(
            "modem-status", "desk", modem, "/dev/ttyUSB2", quantity, None if isinstance(it, str) else it, unit,
            it if isinstance(it, str) else None, 0, attempt, 0, 0, "",
        )
        for attempt, it in enumerate(said)
    ]  # fmt: skip


def registration(said: dict[str, tuple[float | str, ...]]) -> Ratio:
    rows = [row for modem, values in said.items() for row in seen(modem, "registration", *values)]
    found = nr_registration(register(*said), rows, THREE)
    assert isinstance(found, Ratio)
    return found


def signal(said: dict[str, tuple[float | str, ...]]) -> Samples:
    rows = [row for modem, values in said.items() for row in seen(modem, "ss-rsrp", *values)]
    found = nr_rsrp(register(*said), rows, THREE)
    assert isinstance(found, Samples)
    return found


def test_registered_at_every_reading() -> None:
    found = registration({"a": (1, 1, 1), "b": (1, 0, 1), "c": (0, 0, 0)})
    assert (found.numerator, found.denominator, found.unknown) == (1, 3, 0)
    assert found.failing == (Finding("b", "partly-registered", "2/3"), Finding("c", "not-registered", "0/3"))


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        (("timeout", "timeout", "timeout"), Finding("a", "no-answer", "")),
        ((1, "late", 1), Finding("a", "late-answer", "2/3")),
        (("send-failed",) * 3, Finding("a", "send-failed", "")),
        ((1, 1), Finding("a", "not-measured", "2/3")),
        ((), Finding("a", "not-measured", "")),
        ((1, 1, float("nan")), Finding("a", "bad-answer", "2/3")),
        ((1, 1, 7.0), Finding("a", "bad-answer", "2/3")),
    ],
)
def test_a_modem_that_did_not_say_is_unknown(said: tuple[float | str, ...], finding: Finding) -> None:
    found = registration({"a": said, "b": (1, 1, 1)})
    assert (found.numerator, found.denominator, found.unknown) == (1, 1, 1)
    assert found.failing == (finding,)


@pytest.mark.parametrize("reason", sorted(PORT_TROUBLE))
def test_a_port_that_the_kernel_refused_is_named_with_its_reason(reason: str) -> None:
    detail = json.dumps({"reason": reason, "errno": "EBUSY"})
    rows = [
        replace(row, detail=detail)
        for quantity in ("registration", "ss-rsrp")
        for row in seen("a", quantity, *["send-failed"] * 3)
    ]
    finding = Finding("a", reason, "/dev/ttyUSB2 (EBUSY)")
    assert nr_registration(register("a"), rows, THREE).failing == (finding,)  # type: ignore[union-attr]
    assert nr_rsrp(register("a"), rows, THREE).failing == (finding,)  # type: ignore[union-attr]
    assert f"reason.{reason}" in Texts.of("profiles").codes()


def test_what_was_read_before_the_port_was_lost_is_told_too() -> None:
    lost = json.dumps({"reason": "port-lost", "errno": "EIO"})
    rows = [replace(row, detail=lost if row.error else "") for row in seen("a", "registration", 1, 1, "send-failed")]
    finding = Finding("a", "port-lost", "2/3 · /dev/ttyUSB2 (EIO)")
    assert nr_registration(register("a"), rows, THREE).failing == (finding,)  # type: ignore[union-attr]


def test_one_reading_without_registration_is_enough_whatever_else_is_missing() -> None:
    assert registration({"a": ("timeout", 0, "timeout")}).failing == (Finding("a", "not-registered", "0/3"),)


@pytest.mark.parametrize(
    ("said", "median"),
    [
        ((-90.0, -100.0, -80.0), -90.0),
        ((-90.0, -100.0), -100.0),  # the lower of the two in the middle
        ((-90.0, "absent", -80.0), -90.0),
        ((-90.0, "timeout", "late"), -90.0),
        ((-157.0, -157.0, -157.0), -157.0),
    ],
)
def test_the_median_of_each_modem(said: tuple[float | str, ...], median: float) -> None:
    found = signal({"a": said})
    assert (found.values, found.labels, found.unknown, found.unit) == ((median,), ("a",), 0, "dBm")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (("absent", "absent", -80.0), "no-nr-signal"),
        (("timeout",) * 3, "no-answer"),
        (("no-privilege",) * 3, "no-privilege"),
        ((0.0, 99.0, float("inf")), "bad-answer"),
        ((), "not-measured"),
    ],
)
def test_a_modem_without_a_signal_is_unknown(said: tuple[float | str, ...], reason: str) -> None:
    found = signal({"a": said, "b": (-70.0,) * 3})
    assert (found.values, found.unknown) == ((-70.0,), 1)
    assert found.failing == (Finding("a", reason),)


def test_what_belongs_to_others_is_left_aside() -> None:
    rows = [*seen("a", "ss-rsrp", -80.0, -80.0, -80.0, -150.0, -150.0), *seen("stranger", "ss-rsrp", -150.0)]
    rows += seen("a", "ss-sinr", -20.0)
    found = nr_rsrp(register("a"), rows, THREE)
    assert isinstance(found, Samples)
    assert (found.values, found.labels) == ((-80.0,), ("a",))


@pytest.mark.parametrize(
    ("limit", "said", "verdict"),
    [
        (">= -105 dBm", {"a": (-105.0,) * 3, "b": (-60.0,) * 3}, Verdict.PASS),
        (">= -105 dBm", {"a": (-106.0,) * 3, "b": (-60.0,) * 3}, Verdict.FAIL),
        (">= -105 dBm", {"a": ("timeout",) * 3, "b": (-60.0,) * 3}, Verdict.ERROR),
        (">= -105 dBm", {"a": ("timeout",) * 3, "b": (-106.0,) * 3}, Verdict.FAIL),
        (">= -105 dBm", {"a": ("timeout",) * 3}, Verdict.ERROR),
    ],
)
def test_every_modem_must_have_the_signal(
    ask: Callable[..., Requirement], limit: str, said: dict[str, Any], verdict: Verdict
) -> None:
    requirement = ask(limit, indicator="nr-rsrp", parameters={"attempts": 3})
    rows = [row for modem, values in said.items() for row in seen(modem, "ss-rsrp", *values)]
    judged = evaluate(requirement, register(*said), rows)
    assert judged.verdict == verdict, judged
    assert judged.unit in ("dBm", "")
