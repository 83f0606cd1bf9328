"""Mean access rate: whose rates are averaged, which direction is judged, and what is no rate of the line."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import pytest

from profiles.indicators import find
from profiles.indicators.rates import QUANTITIES
from profiles.indicators.rates import RateParameters
from profiles.indicators.rates import RateShareParameters
from profiles.indicators.rates import mean_access_rate
from profiles.indicators.rates import rate_target_share
from profiles.judge import judge
from profiles.language import Texts
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Requirement
from profiles.verdict import Verdict

SERVING = (("tcp_ports", "80 5201"),)


def member(id: str, **more: Any) -> Member:
    return Member(id, services=2, **({"facts": SERVING} | more))


def row(target: str, direction: str, value: float | None, attempt: int = 0, **more: Any) -> Observation:
    facts: dict[str, Any] = {"unit": "Mbit/s", "error": None, "detail": "", "quantity": QUANTITIES[direction]} | more
    return Observation(
        method="tcp-throughput", vantage="seat", target=target, address="192.0.2.7", value=value, window=0,
        attempt=attempt, utc_ns=0, monotonic_ns=0, **facts,
    )  # fmt: skip


def rows(target: str, **rates: Iterable[float]) -> list[Observation]:
    return [row(target, way, value, n) for way, values in rates.items() for n, value in enumerate(values)]


def reduce(members: Iterable[Member], observations: Iterable[Observation], **parameters: Any) -> Reduced:
    return mean_access_rate(Register(tuple(members)), observations, RateParameters(**parameters))


def measured(*arguments: Any, **parameters: Any) -> Measurement:
    found = reduce(*arguments, **parameters)
    assert isinstance(found, Measurement), found
    return found


SOUND = [*rows("a", up=[100, 104, 102], down=[90, 90, 90]), *rows("b", up=[50, 50, 50], down=[40, 44, 42])]


def test_the_lower_direction_is_judged_and_both_are_told() -> None:
    found = measured([member("a"), member("b")], SOUND)
    assert (found.value, found.unit, found.n, found.unknown) == (66, "Mbit/s", 2, 0)
    assert found.parts == (("a", 90), ("b", 42))
    assert found.notes == ("judged-by-down",)
    facts = dict(found.facts)
    assert (facts["mean_up"], facts["mean_down"]) == ("76 Mbit/s", "66 Mbit/s")
    assert (facts["minimum"], facts["p5"], facts["p50"]) == ("42 Mbit/s", "42 Mbit/s", "42 Mbit/s")
    assert facts["with_server"] == "2/2"
    # one mean of three attempts with s = 2, another without scatter; half their sum; Student's 4.53 for 2 degrees
    assert found.expanded_uncertainty == pytest.approx(4.527 * 2 / math.sqrt(3) / 2, rel=1e-3)


@pytest.mark.parametrize(("direction", "value"), [("up", 76), ("down", 66)])
def test_one_direction_may_be_asked_for(direction: str, value: float) -> None:
    found = measured([member("a"), member("b")], SOUND, direction=direction)
    assert (found.value, found.notes) == (value, ())


def test_terminals_without_a_server_are_not_averaged_and_are_told_of() -> None:
    quiet = member("c", facts=(("tcp_ports", "15201 502"),))
    found = measured([member("a"), member("b"), quiet, Member("d")], SOUND)
    assert (found.n, found.unknown) == (2, 0)
    assert "some-without-rate-server" in found.notes
    assert dict(found.facts)["with_server"] == "2/4"


def test_where_nobody_has_a_server_nothing_is_claimed(ask: Callable[..., Requirement]) -> None:
    found = reduce([Member("d"), member("a", addresses=0), member("b", drawn=False)], SOUND)
    assert found == Invalid("no-rate-server", "tcp/5201")
    assert judge(ask(">= 50 Mbit/s", "R1", indicator="mean-access-rate"), found).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ([], "not-measured"),
        (rows("b", up=[50, 50]), "not-measured"),  # one direction only
        ([row("b", "down", None, error="timeout"), *rows("b", up=[50])], "timeout"),
        ([row("b", "down", None, error="busy"), *rows("b", up=[50])], "busy"),
        ([row("b", "down", None, error="what-is-this"), *rows("b", up=[50])], "bad-answer"),
        (rows("b", up=[50], down=[math.nan]), "bad-answer"),
        (rows("b", up=[50], down=[math.inf]), "bad-answer"),
        (rows("b", up=[50], down=[-1]), "bad-answer"),
        ([*rows("b", up=[50]), row("b", "down", 40, unit="bit/s")], "bad-answer"),
        ([*rows("b", up=[50]), row("b", "down", 40, detail='{"bound":"permit"}')], "rate-capped"),
        ([*rows("b", up=[50]), row("b", "down", 40, detail='{"bound":"asked"}')], "rate-at-asked-limit"),
        ([*rows("b", up=[50], down=[40]), row("b", "down", 45, 1, detail='{"bound":"asked"}')], "rate-at-asked-limit"),
        ([row("b", "up", None, error="busy"), row("b", "down", 40, detail='{"bound":"permit"}')], "rate-capped"),
        ([*rows("b", up=[50]), row("b", "down", 40, attempt=3)], "not-measured"),  # others asked for more
        ([*rows("b", up=[50]), row("b", "down", 40, detail='{"port":5202}')], "not-measured"),  # and at another port
        ([*rows("b", up=[50]), row("b", "down", None, error="busy", detail='{"port":5202}')], "not-measured"),
    ],
)
def test_a_terminal_without_a_rate_of_its_line_is_unknown(
    ask: Callable[..., Requirement], broken: list[Observation], reason: str
) -> None:
    found = measured([member("a"), member("b")], [*rows("a", up=[100] * 3, down=[90] * 3), *broken])
    assert (found.value, found.n, found.unknown) == (90, 1, 1)
    assert [(it.target, it.reason) for it in found.failing] == [("b", reason)]
    judged = judge(ask(">= 50 Mbit/s", "R1", indicator="mean-access-rate"), found)
    assert (judged.verdict, judged.reason) == (Verdict.ERROR, "unknown-objects")


def test_where_nothing_was_measured_the_reason_is_the_commonest() -> None:
    faults = [row("a", "up", None, error="refused"), row("b", "up", None, error="busy")]
    found = reduce([member("a"), member("b"), member("c")], [*faults, row("c", "down", None, error="busy")])
    assert isinstance(found, Invalid)
    assert (found.reason, len(found.failing)) == ("busy", 3)


def test_a_failed_attempt_among_sound_ones_leaves_the_mean_of_the_sound_ones_and_is_told() -> None:
    seen = [*rows("a", up=[100, 102], down=[90, 94]), row("a", "down", None, 2, error="busy")]
    found = measured([member("a")], seen)
    assert (found.value, found.unknown) == (92, 0)
    assert "some-tests-failed" in found.notes
    assert dict(found.facts)["failed_tests"] == "1"
    assert "some-tests-failed" not in measured([member("a")], seen[:-1]).notes


def test_a_limit_that_the_profile_asked_for_never_fails_a_plant(ask: Callable[..., Requirement]) -> None:
    asked = '{"bound":"asked","limit_mbit_s":100}'
    seen = [row("a", way, 98, n, detail=asked) for way in QUANTITIES for n in range(3)]
    found = reduce([member("a")], seen, limit_mbit_s=100)
    assert isinstance(found, Invalid)
    assert found.reason == "rate-at-asked-limit"
    judged = judge(ask(">= 150 Mbit/s", "R1", indicator="mean-access-rate"), found)
    assert judged.verdict is Verdict.ERROR  # not measured, which is nobody's failure


def test_a_cap_in_a_direction_that_is_not_judged_does_not_matter() -> None:
    seen = [*rows("a", up=[50]), row("a", "down", 98, detail='{"bound":"asked"}')]
    assert measured([member("a")], seen, direction="up").value == 50


@pytest.mark.parametrize(("port", "value"), [(5201, 50), (5202, 80)])
def test_ports_are_told_apart(port: int, value: float) -> None:
    both = member("a", facts=(("tcp_ports", "5201 5202"),))
    rates = {5201: 50, 5202: 80}
    seen = [row("a", way, rates[it], detail=f'{{"port":{it}}}') for way in QUANTITIES for it in rates]
    assert measured([both], seen, port=port).value == value


@pytest.mark.parametrize("detail", ["", "{", "[]", '{"bound":3}', '{"bound":["permit"]}', "null"])
def test_a_detail_that_says_nothing_binds_nothing(detail: str) -> None:
    found = measured([member("a")], [*rows("a", up=[50, 50]), row("a", "down", 40, detail=detail)])
    assert (found.value, found.unknown) == (40, 0)


def share(members: Iterable[Member], observations: Iterable[Observation], **parameters: Any) -> Ratio:
    asked = RateShareParameters(**({"target_mbit_s": 50} | parameters))
    found = rate_target_share(Register(tuple(members)), observations, asked)
    assert isinstance(found, Ratio), found
    return found


def test_a_terminal_must_reach_the_target_in_each_direction() -> None:
    found = share([member("a"), member("b"), Member("c")], SOUND)
    assert (found.numerator, found.denominator, found.unknown) == (1, 2, 0)
    assert [(it.target, it.reason, it.note) for it in found.failing] == [
        ("b", "rate-below-target", "up 50 Mbit/s, down 42 Mbit/s")
    ]
    assert found.notes == ("some-without-rate-server",)
    assert dict(found.facts) == {"target": "50 Mbit/s", "with_server": "2/3"}
    assert share([member("a"), member("b")], SOUND, direction="up").numerator == 2


def test_a_sample_is_no_census_of_those_with_a_server(ask: Callable[..., Requirement]) -> None:
    sample = [member("a"), member("b", drawn=False), Member("d", drawn=False)]
    found = share(sample, SOUND)
    assert (found.numerator, found.denominator, found.population) == (1, 1, 2)
    assert share([member("a"), member("b")], SOUND).population is None
    judged = judge(ask(">= 100 %", "R0", indicator="rate-target-share"), found)
    assert judged.verdict is Verdict.INCONCLUSIVE


def test_the_mean_of_a_sample_is_as_uncertain_as_the_draw(ask: Callable[..., Requirement]) -> None:
    """Two of ten terminals, each measured without any scatter, say little of the other eight."""
    seen = [*rows("a", up=[100, 100, 100]), *rows("b", up=[60, 60, 60])]
    drawn = [member("a"), member("b")]
    census = measured(drawn, seen, direction="up")
    assert (census.value, census.expanded_uncertainty, census.population) == (80, 0, None)
    sample = [*drawn, *(member(f"c{n}", drawn=False) for n in range(8)), Member("d", drawn=False)]
    found = measured(sample, seen, direction="up")
    assert (found.value, found.population) == (80, 10)
    assert found.expanded_uncertainty == pytest.approx(13.97 * 28.284 * (0.8 / 2) ** 0.5, rel=1e-3)
    more = {"indicator": "mean-access-rate"}
    assert judge(ask(">= 50 Mbit/s", "R3", **more), census).verdict is Verdict.PASS
    for rule, sample_rule, verdict in (
        ("R3", "R3", Verdict.INCONCLUSIVE),
        ("R3", "R1", Verdict.PASS),
        ("R1", "R3", Verdict.INCONCLUSIVE),
        ("R1", None, Verdict.INCONCLUSIVE),
        ("R3", None, Verdict.INCONCLUSIVE),
    ):
        assert judge(ask(">= 50 Mbit/s", rule, sample_rule=sample_rule, **more), found).verdict is verdict
    judged = judge(ask(">= 50 Mbit/s", "R1", **more), found)
    assert (judged.reason, dict(judged.facts)["population"]) == ("sample-not-census", "10")
    alone = [member("a"), member("b", drawn=False)]
    assert measured(alone, seen, direction="up").expanded_uncertainty == math.inf


def test_a_sample_is_drawn_from_those_that_can_be_measured() -> None:
    for id in ("mean-access-rate", "rate-target-share", "udp-rate"):
        known = find(id)
        assert known is not None
        parameters = known.parameters.model_validate({"target_mbit_s": 10} if "share" in id else {})
        members = [member("a"), Member("d"), member("e", addresses=0)]
        assert [it.id for it in members if known.counts(it, parameters)] == ["a"]


def test_tests_that_failed_beside_sound_ones_are_told_of_beside_the_share() -> None:
    seen = [*SOUND, row("a", "down", None, 2, error="busy")]
    assert share([member("a"), member("b")], seen, attempts=4).notes == ("some-tests-failed",)


@pytest.mark.parametrize(
    ("seen", "met"),
    [
        (rows("a", up=[60, 41], down=[50]), True),  # the mean counts
        (rows("a", up=[60], down=[49.9]), False),
        (rows("a", up=[60]), None),
        (rows("a", up=[10]), False),  # whatever the other direction
        ([*rows("a", up=[60]), row("a", "down", None, error="unsound")], None),
        ([*rows("a", up=[60]), row("a", "down", 55, detail='{"bound":"permit"}')], True),  # a lower bound suffices
        ([*rows("a", up=[60]), row("a", "down", 45, detail='{"bound":"permit"}')], None),  # and never shows a miss
    ],
)
def test_what_shows_that_a_target_is_met_or_missed(
    ask: Callable[..., Requirement], seen: list[Observation], met: bool | None
) -> None:
    found = share([member("a")], seen)
    assert (found.numerator, found.denominator, found.unknown) == (met is True, met is not None, met is None)
    judged = judge(ask(">= 100 %", "R0", indicator="rate-target-share"), found)
    assert judged.verdict == {True: "pass", False: "fail", None: "error"}[met]


def test_where_nobody_has_a_server_there_is_no_share() -> None:
    asked = RateShareParameters(target_mbit_s=50)
    assert rate_target_share(Register((Member("d"),)), SOUND, asked) == Invalid("no-rate-server", "tcp/5201")


def test_diagnosis_and_target_are_told_beside_the_mean() -> None:
    told = '{"sent_bytes":99000,"retransmits":1,"segment_bytes":1000,"idle_us":[500],"loaded_us":[1500]}'
    seen = [row("a", way, 47.465, detail=told) for way in QUANTITIES]
    facts = dict(measured([member("a"), member("b")], seen, line_mbit_s=100, target_mbit_s=40).facts)
    assert (facts["efficiency_up"], facts["buffer_delay_down"], facts["loaded_rtt_up"]) == ("99 %", "200 %", "1.5 ms")
    assert facts["transfer_time_ratio_up"] == "2"
    assert facts["meeting_target"] == "1/2"
    plain = dict(measured([member("a")], seen).facts)
    assert not {"transfer_time_ratio_up", "meeting_target"} & plain.keys()


def test_every_reason_and_note_has_a_text() -> None:
    texts = set(Texts.of("profiles").codes())
    codes = INSTRUMENT_ERRORS | (TARGET_ERRORS - {"late", "absent"})
    codes |= {"rate-capped", "no-rate-server", "some-without-rate-server", "rate-at-asked-limit"}
    codes |= {"one-attempt", "scatter-unknown", "judged-by-up", "judged-by-down", "some-tests-failed"}
    assert {f"reason.{code}" for code in codes} <= texts


def test_it_is_in_the_register_of_indicators() -> None:
    found = find("mean-access-rate")
    assert found is not None
    assert (found.unit, found.objects, found.methods) == ("Mbit/s", ("terminal",), ("tcp-throughput",))
