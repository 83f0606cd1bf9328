"""Liveness of applications: which terminals live, which do not, and of which nothing is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.indicators.applications import LivenessParameters
from profiles.indicators.applications import application_liveness
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register

ONE, TWO = "192.0.2.1", "2001:db8::1"
ASKED = LivenessParameters(attempts=2, timeout_ms=1000)


def member(applications: str = "tcp/502:modbus", id: str = "a", addresses: int = 1, **more: Any) -> Member:
    facts = (("applications", applications),) if applications else ()
    return Member(id, "terminal", addresses, facts=facts, **more)


def seen(error: str | None = None, attempt: int = 0, port: int = 502, value: float = 3.0, **more: Any) -> Observation:
    facts: dict[str, Any] = {
        "method": "application-exchange", "vantage": "v", "target": "a", "address": ONE,
        "quantity": "application-delay", "value": None if error else value, "unit": "ms", "error": error, "window": 0,
        "attempt": attempt, "utc_ns": 0, "monotonic_ns": 0, "detail": json.dumps({"port": port, "transport": "tcp"}),
    }  # fmt: skip
    return Observation(**(facts | more))


def reduced(rows: list[Observation], *members: Member) -> Ratio:
    found = application_liveness(Register(members or (member(),)), rows, ASKED)
    assert isinstance(found, Ratio)
    return found


def test_what_is_spoken_below_ip_is_found_by_its_ethertype() -> None:
    station = member("tcp/102:s7 ethernet/0x8892:profinet-dcp@press-1")
    lives = [seen(port=102), seen(port=0x8892)]
    assert reduced(lives, station).numerator == 1
    detail = json.dumps({"port": 0x8892, "transport": "ethernet"})
    silent = [seen(port=102), *both("timeout", detail=detail)]
    found = reduced(silent, station)
    assert (found.numerator, found.denominator) == (0, 1)
    told = "timeout · layers application:silent ends:application"  # there is no port that could accept
    assert found.failing[0].note == f"ethernet/0x8892:profinet-dcp@press-1: {told}"
    beyond = [seen(port=102), *both("no-route", port=0x8892)]
    found = reduced(beyond, station)
    assert (found.denominator, found.unknown) == (0, 1)
    assert found.failing[0].reason == "check-not-made"


def both(error: str, **more: Any) -> list[Observation]:
    return [seen(error, attempt, **more) for attempt in range(2)]


@pytest.mark.parametrize(
    ("rows", "counts", "reason", "note"),
    [
        ([seen()], (1, 1, 0), None, None),  # the other attempt is missing, and this one was answered
        ([seen("timeout"), seen(attempt=1)], (1, 1, 0), None, None),
        ([seen("bad-answer"), seen(attempt=1)], (1, 1, 0), None, None),
        (both("timeout"), (0, 1, 0), "application-silent", "tcp/502:modbus: timeout"),
        (both("refused"), (0, 1, 0), "application-silent", "tcp/502:modbus: refused"),
        ([seen("timeout"), seen("reset", 1)], (0, 1, 0), "application-silent", "tcp/502:modbus: timeout"),
        ([seen(value=1000.1), seen(value=2e9, attempt=1)], (0, 1, 0), "application-silent", "tcp/502:modbus: late"),
        ([seen("timeout")], (0, 0, 1), "check-not-made", "tcp/502:modbus: timeout"),
        ([seen("timeout"), seen("bad-answer", 1)], (0, 0, 1), "check-not-made", "tcp/502:modbus: bad-answer"),
        ([seen("timeout"), seen("timeout", 2)], (0, 0, 1), "check-not-made", "tcp/502:modbus: timeout"),
        ([seen("timeout"), seen("timeout", 1, window=1)], (0, 0, 1), "check-not-made", "tcp/502:modbus: timeout"),
        (both("timeout", port=503), (0, 0, 1), "check-not-made", "tcp/502:modbus: not-measured"),
        ([seen(port=503)], (0, 0, 1), "check-not-made", "tcp/502:modbus: not-measured"),
        ([seen(method="tcp-connect")], (0, 0, 1), "check-not-made", "tcp/502:modbus: not-measured"),
        ([seen(value=float("nan"))], (0, 0, 1), "check-not-made", "tcp/502:modbus: bad-answer"),
        ([seen(value=-1.0)], (0, 0, 1), "check-not-made", "tcp/502:modbus: bad-answer"),
        ([seen(detail="[")], (0, 0, 1), "check-not-made", "tcp/502:modbus: not-measured"),
        ([], (0, 0, 1), "check-not-made", "tcp/502:modbus: not-measured"),
    ],
)
def test_one_application(
    rows: list[Observation], counts: tuple[int, int, int], reason: str | None, note: str | None
) -> None:
    found = reduced(rows)
    assert (found.numerator, found.denominator, found.unknown) == counts
    assert tuple(map(without_layers, found.failing)) == ((Finding("a", reason, note or ""),) if reason else ())


def without_layers(finding: Finding) -> Finding:
    return replace(finding, note=finding.note.partition(" · layers ")[0])


TCP, UDP = "transport:{} ends:transport", "application:{} ends:application"
BOTH = "transport:answered " + UDP


@pytest.mark.parametrize(
    ("errors", "transport", "accepted", "layers"),
    [
        (["timeout"] * 2, "tcp", False, TCP.format("silent")),
        (["refused"] * 2, "tcp", False, TCP.format("refused")),
        (["unreachable"] * 2, "tcp", False, TCP.format("silent")),
        (["timeout"] * 2, "tcp", True, BOTH.format("silent")),
        (["reset", "timeout"], "tcp", True, BOTH.format("refused")),
        (["timeout"] * 2, "udp", False, UDP.format("silent")),
        (["refused"] * 2, "udp", False, UDP.format("refused")),
    ],
)
def test_what_does_not_live_is_told_with_the_layer_at_which_it_ends(
    errors: list[str], transport: str, accepted: bool, layers: str
) -> None:
    told = {"port": 502, "transport": transport} | ({"accepted": True} if accepted else {})
    rows = [seen(error, attempt, detail=json.dumps(told)) for attempt, error in enumerate(errors)]
    (finding,) = reduced(rows).failing
    assert finding.note == f"tcp/502:modbus: {errors[0]} · layers {layers}"


def test_layers_are_told_of_what_does_not_live_alone() -> None:
    two = member("tcp/502:modbus tcp/80:http tcp/443:https")
    (finding,) = reduced([seen(port=80), *both("refused"), seen("timeout", port=443)], two).failing
    assert finding.note == ("tcp/502:modbus: refused; tcp/443:https: timeout · layers transport:refused ends:transport")


def test_one_address_that_answers_is_enough_and_silence_counts_only_at_all() -> None:
    dual = member(addresses=2)
    silent = both("timeout")
    assert reduced([*silent, seen(address=TWO)], dual).numerator == 1
    assert reduced(silent, dual).unknown == 1  # nobody knows of the other address
    assert reduced([*silent, *both("refused", address=TWO)], dual).denominator == 1


def test_every_application_must_live() -> None:
    two = member("tcp/502:modbus udp/161:snmp")
    assert reduced([seen(), seen(port=161)], two).numerator == 1
    (finding,) = reduced([seen(), *both("timeout", port=161)], two).failing
    assert without_layers(finding) == Finding("a", "application-silent", "udp/161:snmp: timeout")
    assert reduced([seen()], two).unknown == 1


def test_only_terminals_that_declare_an_application_count() -> None:
    quiet = [member("", f"q{index}") for index in range(5)]
    found = reduced([seen()], member(), *quiet)
    assert (found.numerator, found.denominator, found.population) == (1, 1, None)
    assert reduced([], *quiet) == Ratio(0, 0, 0, None, "terminal")


def test_a_sample_states_how_many_declare_one() -> None:
    found = reduced([seen()], member(), member(id="b", drawn=False), member("", "c"))
    assert (found.numerator, found.denominator, found.population) == (1, 1, 2)


def test_a_declared_application_without_an_address_does_not_live() -> None:
    found = reduced([], member(addresses=0))
    assert (found.denominator, found.failing) == (1, (Finding("a", "no-address", "tcp/502:modbus: no-address"),))


@given(
    st.lists(
        st.builds(
            seen,
            st.sampled_from([None, *sorted(TARGET_ERRORS | INSTRUMENT_ERRORS)]),
            st.integers(0, 3),
            st.sampled_from([502, 161, 9]),
            st.floats(),
            target=st.sampled_from(["a", "b", "ghost"]),
            address=st.sampled_from([ONE, TWO]),
        ),
        max_size=20,
    )
)
def test_whatever_was_seen_each_terminal_counts_once(rows: list[Observation]) -> None:
    found = reduced(rows, member(addresses=2), member("tcp/502:modbus udp/161:snmp", "b", addresses=2))
    assert found.denominator + found.unknown == 2
    assert 0 <= found.numerator <= found.denominator
    assert len(found.failing) == 2 - found.numerator
