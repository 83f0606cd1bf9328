"""UDP at an asked rate: which datagrams count, and what was never sent is no loss and no pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

import pytest

from profiles.indicators import find
from profiles.indicators.datagrams import DatagramParameters
from profiles.indicators.datagrams import udp_loss
from profiles.indicators.datagrams import udp_rate
from profiles.judge import judge
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Requirement
from profiles.verdict import Verdict

SERVING = (("tcp_ports", "80 5201"),)
UP = {"direction": "up", "attempts": 1}
UNITS = {"loss": "%", "rate": "Mbit/s"}


def member(id: str, **more: Any) -> Member:
    return Member(id, services=2, **({"facts": SERVING} | more))


def row(target: str, quantity: str, value: float | None, attempt: int = 0, **more: Any) -> Observation:
    told = more.pop("told", {})
    facts: dict[str, Any] = {
        "unit": UNITS[quantity.split("-", maxsplit=1)[0]],
        "error": None,
        "detail": json.dumps(told),
    } | more
    return Observation(
        method="udp-throughput", vantage="seat", target=target, address="192.0.2.7", quantity=f"udp-{quantity}",
        value=value, window=0, attempt=attempt, utc_ns=0, monotonic_ns=0, **facts,
    )  # fmt: skip


def lost(target: str, count: int, of: int = 1000, way: str = "up", attempt: int = 0) -> Observation:
    return row(target, f"loss-{way}", 100 * count / of, attempt, told={"lost": count, "judged": of, "port": 5201})


def loss(members: Iterable[Member], observations: Iterable[Observation], **parameters: Any) -> Reduced:
    return udp_loss(Register(tuple(members)), observations, DatagramParameters(**parameters))


def rate(members: Iterable[Member], observations: Iterable[Observation], **parameters: Any) -> Reduced:
    return udp_rate(Register(tuple(members)), observations, DatagramParameters(**parameters))


def test_all_datagrams_of_all_terminals_are_counted_together() -> None:
    found = loss([member("a"), member("b")], [lost("a", 3), lost("b", 0, 500)], **UP)
    assert isinstance(found, Ratio)
    assert (found.numerator, found.denominator, found.unknown) == (3, 1500, 0)
    assert [(it.target, it.reason, it.note) for it in found.failing] == [("a", "messages-lost", "3/1000")]


def test_the_direction_that_loses_more_is_judged() -> None:
    seen = [lost("a", 3), lost("a", 9, way="down")]
    found = loss([member("a")], seen)
    assert isinstance(found, Ratio)
    assert (found.numerator, found.notes) == (9, ("judged-by-down-loss",))
    assert dict(found.facts) == {"loss_up": "3/1000", "loss_down": "9/1000"}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ([], None),
        ([row("b", "loss-up", None, error="unsound")], "unsound"),
        ([row("b", "loss-up", None, error="timeout")], "timeout"),
        ([row("b", "loss-up", None, error="what-is-this")], "bad-answer"),
        ([row("b", "loss-up", 1.0)], "bad-answer"),  # a share of nothing that is told
        ([row("b", "loss-up", 1.0, told={"lost": 5, "judged": 4})], "bad-answer"),
        ([row("b", "loss-up", 1.0, told={"lost": 0, "judged": 0})], "bad-answer"),
        ([row("b", "loss-up", 1.0, told={"lost": True, "judged": 4})], "bad-answer"),
        ([row("b", "loss-up", float("nan"), told={"lost": 1, "judged": 4})], "bad-answer"),
        ([row("b", "loss-up", 1.0, unit="1", told={"lost": 1, "judged": 4})], "bad-answer"),
        ([row("b", "loss-up", 1.0, told={"lost": 1, "judged": 4, "port": 5202})], None),
        ([lost("b", 1, attempt=1)], None),
        ([row("b", "rate-up", 4.0)], None),
    ],
)
def test_a_terminal_without_a_sound_test_leaves_its_datagrams_unknown(
    ask: Callable[..., Requirement], bad: list[Observation], reason: str | None
) -> None:
    found = loss([member("a"), member("b")], [lost("a", 0, 100_000), *bad], **UP, duration_s=1, rate_mbit_s=9.6)
    assert isinstance(found, Ratio)
    assert (found.numerator, found.denominator, found.unknown) == (0, 100_000, 1000)
    assert [(it.target, it.reason) for it in found.failing] == ([("b", reason)] if reason else [])
    judged = judge(ask("<= 0.5 %", "R2", indicator="udp-loss"), found)
    assert judged.verdict is not Verdict.PASS


def test_where_nothing_was_measured_there_is_no_loss() -> None:
    assert loss([member("a")], []) == Invalid("not-measured")
    found = loss([member("a")], [row("a", "loss-up", None, error="unsound")], **UP)
    assert isinstance(found, Invalid)
    assert found.reason == "unsound"
    assert loss([Member("a"), member("b", drawn=False)], []) == Invalid("no-rate-server", "tcp/5201")
    assert rate([Member("a")], []) == Invalid("no-rate-server", "tcp/5201")
    assert isinstance(rate([member("a")], []), Invalid)


@pytest.mark.parametrize(("count", "verdict"), [(0, "pass"), (20, "pass"), (40, "inconclusive"), (80, "fail")])
def test_the_verdict_is_that_of_the_exact_bound(ask: Callable[..., Requirement], count: int, verdict: str) -> None:
    found = loss([member("a")], [lost("a", count, 8000)], **UP)
    assert judge(ask("<= 0.5 %", "R2", indicator="udp-loss"), found).verdict == verdict


def test_each_terminals_rate_is_its_lower_direction() -> None:
    seen = [row("a", "rate-up", 4.0), row("a", "rate-up", 3.0, 1), row("a", "rate-down", 3.9), row("b", "rate-up", 4.0)]
    found = rate([member("a"), member("b"), Member("c")], seen, attempts=2)
    assert isinstance(found, Samples)
    assert (found.values, found.labels, found.unknown) == ((3.5,), ("a",), 1)
    assert [(it.target, it.reason) for it in found.failing] == [("b", "not-measured")]
    assert found.notes == ("some-without-rate-server",)


def test_rates_of_a_sample_are_no_census(ask: Callable[..., Requirement]) -> None:
    members = [member("a"), member("b", drawn=False)]
    found = rate(members, [row("a", "rate-up", 9.9)], **UP)
    assert isinstance(found, Samples)
    assert found.population == 2
    asked = {"indicator": "udp-rate"}
    for rule in ("R0", "R1"):
        judged = judge(ask(">= 5 Mbit/s", rule, **asked), found)
        assert (judged.verdict, judged.reason) == (Verdict.INCONCLUSIVE, "sample-not-census")
    ranked = judge(ask(">= 5 Mbit/s", "R0", sample_rule="R4", quantile=0.5, **asked), found)
    assert (ranked.verdict, ranked.reason) == (Verdict.INCONCLUSIVE, "too-few-samples")
    whole = rate([member("a")], [row("a", "rate-up", 9.9)], **UP)
    assert judge(ask(">= 5 Mbit/s", "R0", **asked), whole).verdict is Verdict.PASS


def test_losses_cannot_be_sampled() -> None:
    for id in ("udp-loss", "mean-internet-access-rate"):
        known = find(id)
        assert known is not None
        assert not known.sampled


def test_every_note_has_a_text() -> None:
    codes = {"judged-by-up-loss", "judged-by-down-loss", "rate-below-target", "unsound", "messages-lost"}
    assert {f"reason.{code}" for code in codes} <= set(Texts.of("profiles").codes())
