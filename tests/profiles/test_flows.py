"""Flow indicators: sanity first, then latency, loss and survival, on rows made by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from profiles.evaluate import evaluate
from profiles.indicators import find
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Exposure
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.verdict import Verdict

T_NS, START_NS, N = 4_000_000, 1_790_000_000_000_000_000, 200
BEGUN_NS, CLOSED_NS, SESSION = START_NS, START_NS + 10**10, "00c0ffee00c0ffee"
OF_RUN = {"session": SESSION, "begun_ns": BEGUN_NS}
ONE_CLOCK = OF_RUN | {"established": True, "same_clock": True, "offset_ns": [0, 0], "skipped": 0}
HEARD = {
    "session": SESSION,
    "closed_ns": CLOSED_NS,
    "established": True,
    "duplicate": 0,
    "reordered": 0,
    "corrupted": 0,
    "foreign": 0,
    "dropped": 0,
}


def member(id: str = "axis") -> Member:
    return Member(id, "flow", facts=(("interval_ms", "4.0"), ("talker", "plc"), ("listener", "drive")))


def row(id: str, vantage: str, attempt: int, utc_ns: int, error: str | None = None, **detail: Any) -> Observation:
    lag_ms = None if error else (utc_ns - BEGUN_NS - attempt * T_NS) / 1e6
    return Observation(
        "cyclic-flow", vantage, id, "192.0.2.1", "schedule-lag", lag_ms, "ms", error,
        0, attempt, utc_ns, 0, json.dumps(detail) if detail else "",
    )  # fmt: skip


def rows(
    delays_ms: dict[int, float] | None = None,
    *,
    id: str = "axis",
    end: dict[str, Any] | None = None,
    heard: dict[str, Any] | None = None,
    talker: dict[int, str] | None = None,
    listener: dict[int, str] | None = None,
    offset_ns: int = 0,
    user: tuple[int, ...] = (),
) -> list[Observation]:
    """A run of N messages of 0.5 ms each, but for those named; an infinite one was lost."""
    found = []
    for n in range(N):
        left_ns = START_NS + n * T_NS + 70_000
        delay_ms = (delays_ms or {}).get(n, 0.5)
        stamp = {"stamp": "user"} if n in user else {}
        first = n == 0
        own = {"end": end or ONE_CLOCK} if first else {}
        other = {"end": heard or HEARD} if first else {}
        found.append(row(id, "plc", n, left_ns, (talker or {}).get(n), **own, **stamp))
        lost = "timeout" if math.isinf(delay_ms) or n in (talker or {}) else None
        came_ns = CLOSED_NS if lost else left_ns + offset_ns + round(delay_ms * 1e6)
        found.append(row(id, "drive", n, came_ns, (listener or {}).get(n, lost), **other))
    return found


def reduce(id: str, seen: list[Observation], *members: Member, **parameters: Any) -> Reduced:
    indicator = find(id)
    assert indicator is not None
    assert indicator.reduce is not None
    asked = indicator.parameters.model_validate({"messages": N} | parameters)
    return indicator.reduce(Register(members or (member(),)), seen, asked)


def test_delays_are_between_the_stamps_whatever_the_schedule() -> None:
    found = reduce("flow-latency", rows({7: 5.25, 9: math.inf}))
    assert isinstance(found, Samples)
    assert set(found.values[:-2]) == {0.5}
    assert found.values[-2:] == (5.25, math.inf)
    assert (len(found.values), found.unit, found.notes) == (N, "ms", ("one-clock",))
    assert [it.note for it in found.failing] == ["1/200"]


def test_a_message_after_tmax_is_lost() -> None:
    found = reduce("flow-loss", rows({3: 21.0, 4: 19.0}), timeout_ms=20)
    assert isinstance(found, Ratio)
    assert (found.numerator, found.denominator) == (1, N)


def test_rows_of_two_transmissions_are_never_compared() -> None:
    """Run 2 was broken off: what it says counts, beside rows of run 1. None of these pairs is of one transmission."""

    def again(seen: Observation) -> Observation:
        """The same row of a later transmission."""
        return replace(seen, utc_ns=seen.utc_ns + 30_000_000_000)

    changes: list[tuple[int, str]] = [(5, "plc"), (6, "drive"), (7, "drive"), (8, "plc")]
    seen = rows({7: math.inf, 8: math.inf, 9: math.inf})
    mixed = [again(it) if (it.attempt, it.vantage) in changes else it for it in seen]
    loss, latency = reduce("flow-loss", mixed), reduce("flow-latency", mixed)
    assert isinstance(loss, Ratio)
    assert (loss.numerator, loss.denominator, loss.notes) == (1, N - 4, ("one-clock", "ends-unpaired"))
    assert isinstance(latency, Samples)
    assert (len(latency.values), latency.values.count(math.inf)) == (N - 4, 1)
    survival = reduce("flow-survival", mixed)
    assert isinstance(survival, Exposure)
    assert survival.trials == N - 4
    half = reduce("flow-loss", [again(it) if it.attempt >= N // 2 and it.vantage == "drive" else it for it in seen])
    assert isinstance(half, Invalid)
    assert (half.reason, half.note) == ("ends-unpaired", f"{N // 2}/{N}")


@pytest.mark.parametrize("skipped", ["off-schedule", "tester-loss"])
def test_what_the_talker_did_not_send_is_no_loss(skipped: str) -> None:
    seen = rows(talker=dict.fromkeys(range(10, 20), skipped))
    found = reduce("flow-loss", seen)
    assert isinstance(found, Ratio)
    assert (found.numerator, found.denominator, found.notes) == (0, N - 10, ("one-clock", "tester-skipped"))
    served = reduce("flow-survival", seen)
    assert isinstance(served, Exposure)
    assert (served.violations, served.trials) == (0, N - 10)


def test_a_stamp_from_outside_the_kernel_counts_for_nothing() -> None:
    found = reduce("flow-latency", rows({5: 100.0}, user=(5,)))
    assert isinstance(found, Samples)
    assert len(found.values) == N - 1
    assert max(found.values) == 0.5


def test_survival_counts_downs_and_tells_the_runs() -> None:
    delays = {20: math.inf} | dict.fromkeys(range(50, 58), math.inf) | {100: 4.5, 101: 4.5}
    found = reduce("flow-survival", rows(delays))
    assert isinstance(found, Exposure)
    assert (found.violations, found.trials) == (2, N)
    (finding,) = found.failing
    assert finding.reason == "service-down"
    assert "1×1 1×2 1×8" in finding.note
    longer = reduce("flow-survival", rows(delays), max_latency_ms=5, survival_time_ms=40)
    assert isinstance(longer, Exposure)
    assert longer.violations == 0
    assert longer.failing[0].reason == "messages-missed"


def test_of_several_flows_the_worst_is_judged() -> None:
    seen = rows() + rows(dict.fromkeys(range(5), 3.0), id="slow") + rows({8: math.inf, 9: math.inf}, id="lossy")
    flows = member(), member("slow"), member("lossy")
    latency, loss = reduce("flow-latency", seen, *flows), reduce("flow-loss", seen, *flows)
    assert isinstance(latency, Samples)
    assert latency.values.count(math.inf) == 2
    assert isinstance(loss, Ratio)
    assert (loss.numerator, loss.denominator) == (2, N)
    assert [it.target for it in loss.failing] == ["lossy"]


def test_two_clocks_whose_offset_is_known_are_compared() -> None:
    end = ONE_CLOCK | {"same_clock": False, "offset_ns": [999_900_000, 1_000_100_000]}
    found = reduce("flow-latency", rows(end=end, offset_ns=1_000_000_000))
    assert isinstance(found, Samples)
    assert set(found.values) == {0.5}
    assert found.notes == ("clocks-compared",)


BAD: list[tuple[str, Callable[[], list[Observation]], str]] = [
    ("nothing", list, "not-measured"),
    ("one end only", lambda: [it for it in rows() if it.vantage == "plc"], "not-measured"),
    ("half, then silence", lambda: rows()[:N], "not-measured"),
    ("another flow's rows", lambda: rows(id="other"), "not-measured"),
    ("another window's rows", lambda: [replace(it, window=1) for it in rows()], "not-measured"),
    ("ends that did not meet", lambda: rows(end=ONE_CLOCK | {"established": False}), "flow-not-established"),
    ("no word of the ends", lambda: [replace(it, detail="") for it in rows()], "bad-answer"),
    ("garbage of the ends", lambda: [replace(it, detail='{"end":7}') for it in rows()], "bad-answer"),
    ("clocks too far apart", lambda: rows(end=ONE_CLOCK | {"offset_ns": [0, 900_000]}), "clock-unknown"),
    ("a clock that was set", lambda: rows(end=ONE_CLOCK | {"offset_ns": [5, -5]}), "clock-unknown"),
    ("no clock", lambda: rows(end=ONE_CLOCK | {"offset_ns": None}), "clock-unknown"),
    ("an absurd clock", lambda: rows(end=ONE_CLOCK | {"offset_ns": ["nan", 1e400]}), "clock-unknown"),
    ("before it was sent", lambda: rows({9: -0.2}), "clock-unknown"),
    ("a listener that dropped", lambda: rows(heard=HEARD | {"dropped": 3}), "tester-loss"),
    ("a listener that does not know", lambda: rows(heard={"established": True}), "tester-loss"),
    ("off schedule", lambda: rows(talker=dict.fromkeys(range(30), "off-schedule")), "off-schedule"),
    ("left out, as was said before", lambda: rows(talker=dict.fromkeys(range(30), "tester-loss")), "off-schedule"),
    ("ends of two runs", lambda: rows(heard=HEARD | {"session": "0ff1ce"}), "ends-unpaired"),
    ("ends of no run", lambda: rows(heard={"established": True, "dropped": 0}), "ends-unpaired"),
    ("an absurd beginning", lambda: rows(end=ONE_CLOCK | {"begun_ns": 10**400}), "ends-unpaired"),
    ("no route", lambda: rows(talker=dict.fromkeys(range(N), "no-route")), "no-route"),
    ("a lost vantage point", lambda: rows(listener={N - 1: "vantage-lost"}), "vantage-lost"),
    ("user stamps only", lambda: rows(user=tuple(range(N))), "off-schedule"),
]


@pytest.mark.parametrize(("seen", "reason"), [it[1:] for it in BAD], ids=[it[0] for it in BAD])
@pytest.mark.parametrize("id", ["flow-latency", "flow-survival"])
def test_what_is_no_measurement_is_never_judged(id: str, seen: Callable[[], list[Observation]], reason: str) -> None:
    found = reduce(id, seen())
    assert isinstance(found, Invalid)
    assert found.reason == reason
    assert f"reason.{reason}" in Texts.of("profiles").codes()


def test_loss_needs_clocks_no_better_than_tmax() -> None:
    seen = rows(end=ONE_CLOCK | {"same_clock": False, "offset_ns": [-2_000_000, 2_000_000]})
    assert isinstance(reduce("flow-loss", seen), Ratio)
    assert isinstance(reduce("flow-latency", seen), Invalid)


@pytest.mark.parametrize(
    ("delay_ms", "lost", "verdict"), [(0.5, 0, Verdict.PASS), (5.0, 0, Verdict.FAIL), (0.5, 8, Verdict.FAIL)]
)
def test_latency_is_judged_at_its_quantile(ask: Any, delay_ms: float, lost: int, verdict: Verdict) -> None:
    asked = ask("<= 4 ms", "R4", quantile=0.9, indicator="flow-latency", pillar="tsn", parameters={"messages": N})
    delays = dict.fromkeys(range(N), delay_ms) | dict.fromkeys(range(5 * lost), math.inf)
    assert evaluate(asked, Register((member(),)), rows(delays)).verdict is verdict


def test_a_stall_of_the_one_host_of_both_ends_is_no_delay_of_the_network() -> None:
    found = reduce("flow-latency", rows({50: 9.0}, talker={51: "off-schedule", 52: "off-schedule"}))
    assert isinstance(found, Samples)
    assert (max(found.values), len(found.values)) == (0.5, N - 3)
    late = reduce("flow-latency", rows({50: 9.0}))  # and nothing shows that the host stood still
    assert isinstance(late, Samples)
    assert max(late.values) == 9.0
