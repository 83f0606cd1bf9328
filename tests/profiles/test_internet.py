"""Mean internet access rate: whose rates are averaged, which hours and directions are judged, what decides nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import ValidationError

from profiles.indicators import find
from profiles.indicators.internet import FIRST_WINDOW
from profiles.indicators.internet import InternetRateParameters
from profiles.indicators.internet import mean_internet_access_rate
from profiles.judge import judge
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Requirement
from profiles.verdict import Verdict

HOUR_NS = 3600 * 10**9
TOOLS = "http-down http-up iperf3"
HOURS = {"busy": "09:00-11:30", "idle": "22:00-06:00"}
BUSY, NIGHT, NOON = (it * HOUR_NS for it in (2, 17, 4))  # 10:00, 01:00 and 12:00 at +08:00


def member(id: str, tools: str = TOOLS, **more: Any) -> Member:
    return Member(id, "server", facts=(("tools", tools),), **more)


def row(target: str, value: float | None, attempt: int = 0, **more: Any) -> Observation:
    facts: dict[str, Any] = {
        "method": "http-throughput", "quantity": "goodput-down", "unit": "Mbit/s", "error": None, "detail": "",
        "window": FIRST_WINDOW, "utc_ns": BUSY,
    } | more  # fmt: skip
    return Observation(
        vantage="edge", target=target, address="192.0.2.7", value=value, attempt=attempt, monotonic_ns=0, **facts
    )


def rows(target: str, *rates: float, **more: Any) -> list[Observation]:
    return [row(target, value, n, **more) for n, value in enumerate(rates)]


def reduce(observations: Iterable[Observation], members: Iterable[Member] | None = None, **parameters: Any) -> Reduced:
    register = Register(tuple(members or (member("a"), member("b"))))
    return mean_internet_access_rate(register, observations, InternetRateParameters(**parameters))


def measured(*arguments: Any, **parameters: Any) -> Measurement:
    found = reduce(*arguments, **parameters)
    assert isinstance(found, Measurement), found
    return found


SOUND = [*rows("a", 98, 100, 102), *rows("b", 88, 90, 92)]


def test_the_mean_of_the_servers_means_is_the_rate() -> None:
    found = measured(SOUND)
    assert (found.value, found.unit, found.n, found.unknown) == (95, "Mbit/s", 2, 0)
    assert found.parts == (("a", 100), ("b", 90))
    assert found.notes == ("any-hour",)
    assert dict(found.facts) == {"mean_down": "95 Mbit/s", "servers_down": "2/2", "failed_tests": "0"}
    # two means of three attempts with s = 2; half their sum; Student's 2.87 for 4 degrees
    assert found.expanded_uncertainty == pytest.approx(2.869 * math.sqrt(2 * 4 / 3) / 2, rel=1e-3)


def test_both_tools_of_a_server_count_and_one_may_be_asked_for() -> None:
    seen = [*SOUND, *rows("a", 130, method="tcp-throughput")]
    assert dict(measured(seen).parts)["a"] == pytest.approx(107.5)
    assert dict(measured(seen, tools=("http",)).parts)["a"] == 100


def test_of_both_directions_the_lower_is_judged() -> None:
    up = [row(it.target, it.value / 10, it.attempt, quantity="goodput-up") for it in SOUND if it.value]
    found = measured([*SOUND, *up], direction="both")
    assert (found.value, "judged-by-up" in found.notes) == (9.5, True)
    assert measured([*SOUND, *up], direction="up").value == 9.5
    assert measured([*SOUND, *up]).value == 95


def test_each_period_has_a_mean_and_the_lowest_is_judged() -> None:
    night = [row(it.target, it.value * 2, it.attempt, utc_ns=NIGHT) for it in SOUND if it.value]
    noon = rows("a", 1, utc_ns=NOON)
    found = measured([*SOUND, *night, *noon], hours=HOURS)
    assert found.value == 95
    assert found.notes == ("judged-by-lowest-period", "some-outside-hours")
    facts = dict(found.facts)
    assert (facts["mean_down_busy"], facts["mean_down_idle"]) == ("95 Mbit/s", "190 Mbit/s")
    assert (facts["servers_down_busy"], facts["servers_down_idle"]) == ("2/2", "2/2")
    assert measured(SOUND, hours={"busy": HOURS["busy"]}).notes == ("hours-of-day",)


@pytest.mark.parametrize("utc_ns", [NOON, NIGHT])
def test_a_run_outside_the_hours_decides_nothing(ask: Callable[..., Requirement], utc_ns: int) -> None:
    found = reduce([row(it.target, it.value, it.attempt, utc_ns=utc_ns) for it in SOUND], hours=HOURS)
    assert isinstance(found, Invalid)
    assert (found.reason, found.note) == ("period-not-measured", "busy")
    judged = judge(ask(">= 50 Mbit/s", "R1", indicator="mean-internet-access-rate"), found)
    assert judged.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("utc_ns", "period"),
    [(1 * HOUR_NS, "busy"), (int(3.5 * HOUR_NS), None), (14 * HOUR_NS - 1, None), (14 * HOUR_NS, "idle"), (0, None)],
)
def test_periods_begin_at_their_first_minute_and_end_before_their_last(utc_ns: int, period: str | None) -> None:
    assert InternetRateParameters(hours=HOURS).period(utc_ns) == period


def test_hours_are_those_of_the_plant() -> None:
    hours = {"busy": "09:00-10:00"}
    for offset, hour in (("+08:00", 1), ("-05:30", 14.5), ("+00:00", 9)):
        asked = InternetRateParameters(hours=hours, utc_offset=offset)
        assert (asked.period(int(hour * HOUR_NS)), asked.period(int((hour + 1) * HOUR_NS))) == ("busy", None)


@pytest.mark.parametrize(
    "hours",
    [
        {"a": "9:00-10:00"},
        {"a": "09:00-24:00"},
        {"a": "09:00-09:00"},
        {"a": "08:00-10:00", "b": "09:00-11:00"},
        {"a": ""},
    ],
)
def test_hours_that_make_no_sense_are_refused(hours: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        InternetRateParameters(hours=hours)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ([], "too-few-servers"),
        (rows("b", math.nan), "too-few-servers"),
        ([row("b", None, error="timeout")], "too-few-servers"),
        ([row("b", None, error="what-is-this")], "too-few-servers"),
        ([row("b", 90, window=0)], "too-few-servers"),  # of another requirement
        ([row("b", 90, 3)], "too-few-servers"),  # others asked for more
        ([row("b", 90, unit="bit/s")], "too-few-servers"),
        ([row("b", 90, quantity="round-trip-delay")], "too-few-servers"),
        ([row("c", 90)], "too-few-servers"),
        ([row("b", 90, detail='{"bound":"permit"}')], "rate-capped"),
        ([*rows("b", 90), row("b", 400, 1, detail='{"bound":"asked"}')], "rate-at-asked-limit"),
    ],
)
def test_one_server_with_a_rate_decides_nothing(
    ask: Callable[..., Requirement], broken: list[Observation], reason: str
) -> None:
    found = reduce([*rows("a", 100, 101), *broken])
    assert isinstance(found, Invalid)
    assert found.reason == reason
    assert [it.target for it in found.failing] == ["b"]
    judged = judge(ask(">= 50 Mbit/s", "R1", indicator="mean-internet-access-rate"), found)
    assert judged.verdict is (Verdict.INCONCLUSIVE if reason == "too-few-servers" else Verdict.ERROR)


@pytest.mark.parametrize(
    "members",
    [
        [member("a")],
        [member("a"), member("b", "iperf3")],
        [member("a"), member("b", "http-up")],
        [member("a"), member("b", "")],
        [member("a"), member("b", drawn=False)],
    ],
)
def test_fewer_than_two_declared_servers_are_too_few(members: list[Member]) -> None:
    found = reduce(SOUND, members, tools=("http",))
    assert found == Invalid("too-few-servers", "1/2")


def test_a_third_server_that_fails_is_told_and_the_others_decide(ask: Callable[..., Requirement]) -> None:
    members = [member("a"), member("b"), member("c")]
    found = measured([*SOUND, row("c", None, error="refused")], members)
    assert (found.value, found.n, found.unknown) == (95, 2, 0)
    assert [(it.target, it.reason, it.note) for it in found.failing] == [("c", "refused", "down")]
    assert {"some-servers-without-rate", "some-tests-failed"} <= set(found.notes)
    assert judge(ask(">= 50 Mbit/s", "R1", indicator="mean-internet-access-rate"), found).verdict is Verdict.PASS


def test_a_direction_that_a_server_does_not_have_is_no_failure() -> None:
    absent = [row("a", None, quantity="goodput-up", error="absent", detail='{"reason":"no-path"}')]
    assert dict(measured([*SOUND, *absent]).facts)["failed_tests"] == "0"


def test_every_reason_and_note_has_a_text() -> None:
    texts = set(Texts.of("profiles").codes())
    codes = {"too-few-servers", "period-not-measured", "judged-by-lowest-period", "hours-of-day", "any-hour"}
    codes |= {"some-outside-hours", "some-servers-without-rate", "some-tests-failed", "rate-capped"}
    assert {f"reason.{code}" for code in codes} <= texts


def test_it_is_in_the_register_of_indicators() -> None:
    found = find("mean-internet-access-rate")
    assert found is not None
    assert (found.unit, found.objects, found.methods) == ("Mbit/s", ("server",), ("http-throughput", "tcp-throughput"))
