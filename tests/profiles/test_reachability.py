"""Network access reachability: what counts as reachable, what as unknown, and why an object fails."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.indicators import find
from profiles.indicators.layers import told
from profiles.indicators.reachability import ReachabilityParameters
from profiles.indicators.reachability import access_reachability
from profiles.language import Texts
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register

QUANTITIES = {
    "icmp-echo": "round-trip-delay", "tcp-connect": "connect-delay", "neighbour": "presence",
    "application-exchange": "application-delay",
}  # fmt: skip


def seen(target: str, window: int = 0, error: str | None = None, method: str = "icmp-echo", **more: Any) -> Observation:
    facts: dict[str, Any] = {
        "vantage": "v",
        "address": "192.0.2.7",
        "quantity": QUANTITIES.get(method, "something"),
        "value": None if error else 1.0,
        "unit": "1" if method == "neighbour" else "ms",
        "attempt": 0,
        "utc_ns": 0,
        "monotonic_ns": 0,
        "detail": "",
    }
    return Observation(method=method, target=target, window=window, error=error, **(facts | more))


def reduce(
    members: Iterable[Member | str],
    observations: Iterable[Observation],
    windows: int = 1,
    basis: Any = "terminal",
    attempts: int = 1,
) -> Ratio:
    register = Register(tuple(Member(member) if isinstance(member, str) else member for member in members))
    asked = ReachabilityParameters(windows=windows, basis=basis, attempts=attempts)
    found = access_reachability(register, observations, asked)
    assert isinstance(found, Ratio)
    return found


def icmp(kind: int, code: int) -> str:
    return json.dumps({"icmp_type": kind, "icmp_code": code})


OBJECTS: list[tuple[str, list[Observation], int, str, str, str]] = [
    # what, observations of object "a", windows, state, reason, note
    ("one answer is enough", [seen("a", error="timeout"), seen("a")], 1, "reachable", "", ""),
    ("any method", [seen("a", error="timeout"), seen("a", method="tcp-connect")], 1, "reachable", "", ""),
    ("any address", [seen("a", error="no-route"), seen("a", address="2001:db8::7")], 1, "reachable", "", ""),
    ("in each window", [seen("a", 0), seen("a", 1), seen("a", 2)], 3, "reachable", "", ""),
    ("windows not asked for", [seen("a"), seen("a", 1, "timeout"), seen("a", -1, "timeout")], 1, "reachable", "", ""),
    ("silent", [seen("a", error="timeout"), seen("a", error="late")], 1, "unreachable", "no-answer", ""),
    ("partly", [seen("a", 0), seen("a", 1, "timeout"), seen("a", 2)], 3, "unreachable", "partly-reachable", "2/3"),
    ("refused", [seen("a", error="refused", method="tcp-connect")], 1, "unreachable", "refused-only", ""),
    ("reset", [seen("a", error="reset", method="tcp-connect")], 1, "unreachable", "no-answer", ""),
    ("prohibited v4", [seen("a", error="unreachable", detail=icmp(3, 13))], 1, "unreachable",
     "administratively-blocked", "ICMP 3/13"),
    ("prohibited v6", [seen("a", error="unreachable", detail=icmp(1, 1))], 1, "unreachable",
     "administratively-blocked", "ICMP 1/1"),
    ("host unreachable", [seen("a", error="unreachable", detail=icmp(3, 1))], 1, "unreachable", "no-answer", ""),
    ("unreadable detail", [seen("a", error="unreachable", detail="[{")], 1, "unreachable", "no-answer", ""),
    ("strange detail", [seen("a", error="unreachable", detail='{"icmp_type": [], "icmp_code": {}}')], 1, "unreachable",
     "no-answer", ""),
    ("present", [seen("a", method="neighbour"), seen("a", error="timeout")], 1, "unreachable",
     "present-but-silent", ""),
    ("absent", [seen("a", method="neighbour", error="absent"), seen("a", error="timeout")], 1, "unreachable",
     "no-answer", ""),
    ("presence proves nothing", [seen("a", method="neighbour")], 1, "unknown", "not-measured", ""),
    ("no observation", [], 1, "unknown", "not-measured", ""),
    ("another method", [seen("a", method="snmp-get")], 1, "unknown", "not-measured", ""),
    ("another target", [seen("b")], 1, "unknown", "not-measured", ""),
    ("a window missing", [seen("a", 0), seen("a", 1)], 3, "unknown", "not-measured", "2/3"),
    ("a window of instrument errors", [seen("a", 0), seen("a", 1, "tester-loss")], 2, "unknown", "tester-loss", "1/2"),
    ("certain in another window", [seen("a", 0, "timeout"), seen("a", 1, "vantage-lost")], 2, "unreachable",
     "no-answer", ""),
    ("an attempt not asked for", [seen("a", 0, "send-failed"), seen("a", 0, "timeout", attempt=1)], 1, "unknown",
     "send-failed", ""),
    ("unheard-of error", [seen("a", 0, "gremlins")], 1, "unknown", "bad-answer", ""),
    ("an instrument reading is no answer", [seen("a", quantity="instrument")], 1, "unknown", "not-measured", ""),
    ("an instrument reading is no silence", [seen("a", quantity="instrument", error="timeout")], 1, "unknown",
     "bad-answer", ""),
    ("NaN is no answer", [seen("a", value=float("nan"))], 1, "unknown", "bad-answer", ""),
    ("infinity is no answer", [seen("a", value=float("inf"))], 1, "unknown", "bad-answer", ""),
    ("a negative delay is no answer", [seen("a", value=-1.0)], 1, "unknown", "bad-answer", ""),
    ("neither value nor error", [seen("a", value=None)], 1, "unknown", "bad-answer", ""),
]  # fmt: skip


@pytest.mark.parametrize(("observations", "windows", "state", "reason", "note"), [row[1:] for row in OBJECTS],
                         ids=[row[0] for row in OBJECTS])  # fmt: skip
def test_one_object(observations: list[Observation], windows: int, state: str, reason: str, note: str) -> None:
    ratio = reduce(["a"], observations, windows)
    counts = {"reachable": (1, 1, 0), "unreachable": (0, 1, 0), "unknown": (0, 0, 1)}
    assert (ratio.numerator, ratio.denominator, ratio.unknown) == counts[state]
    assert tuple(map(without_layers, ratio.failing)) == ((Finding("a", reason, note),) if reason else ())


def without_layers(finding: Finding) -> Finding:
    rest = [part for part in finding.note.split(" · ") if not part.startswith("layers ")]
    return replace(finding, note=" · ".join(rest))


#: What each layer said, from the lowest: + answered, - silent, ! refused; and what is told of it.
LAYERS = [
    ("   -", "layers application:silent ends:application"),
    (" -  ", "layers network:silent ends:network"),
    ("+-  ", "layers link:answered network:silent ends:network"),
    ("--- ", "layers link:silent network:silent transport:silent ends:link"),
    ("+---", "layers link:answered network:silent transport:silent application:silent ends:network"),
    ("+-! ", "layers link:answered network:silent transport:refused ends:transport"),
    (" -!-", "layers network:silent transport:refused application:silent ends:transport"),
    (" - !", "layers network:silent application:refused ends:application"),
    ("+--!", "layers link:answered network:silent transport:silent application:refused ends:transport"),
    ("-- +", "layers link:silent network:silent application:answered"),
    ("+--+", "layers link:answered network:silent transport:silent application:answered"),
    ("+   ", "layers link:answered"),
]


@pytest.mark.parametrize(("said", "note"), LAYERS)
def test_layers_are_told_from_the_lowest_and_the_one_where_it_ends(said: str, note: str) -> None:
    alive = sum(1 << place for place, it in enumerate(said) if it == "+")
    dead = sum(1 << place for place, it in enumerate(said) if it in "-!")
    assert told(alive, dead, sum(1 << place for place, it in enumerate(said) if it == "!")) == note


def test_an_unreachable_object_is_told_with_its_layers_and_a_reachable_one_is_not() -> None:
    silent = [seen("a", error="timeout"), seen("a", method="tcp-connect", error="refused")]
    known = [seen("a", method="neighbour"), seen("a", method="application-exchange", error="timeout")]
    ratio = reduce([Member("a", services=1), "b"], [*known, *silent, seen("b")])
    layers = "layers link:answered network:silent transport:refused application:silent ends:transport"
    assert ratio.failing == (Finding("a", "refused-only", layers),)


def test_nothing_known_of_any_layer_is_told_as_nothing() -> None:
    assert told(0, 0) == ""


@pytest.mark.parametrize(("error", "word"), [("timeout", "silent"), ("refused", "refused"), ("reset", "refused")])
def test_who_says_no_is_told_from_who_is_silent(error: str, word: str) -> None:
    rows = [seen("a", error="timeout"), seen("a", method="application-exchange", error=error)]
    (finding,) = reduce(["a"], rows).failing
    ends = "network" if word == "silent" else "application"
    assert finding == Finding("a", "no-answer", f"layers network:silent application:{word} ends:{ends}")


@given(st.lists(st.tuples(st.sampled_from(["neighbour", "application-exchange"]), st.sampled_from([None, "timeout"]))))
def test_a_diagnosis_changes_no_count(diagnoses: list[tuple[str, str | None]]) -> None:
    proof = [seen("a", error="timeout"), seen("b"), seen("c", error="tester-loss")]
    more = [seen(target, method=method, error=error) for method, error in diagnoses for target in "abc"]
    plain, told_more = reduce("abc", proof), reduce("abc", [*more, *proof])
    assert (plain.numerator, plain.denominator, plain.unknown) == (
        told_more.numerator, told_more.denominator, told_more.unknown
    )  # fmt: skip


def test_an_object_without_an_address_is_in_the_denominator() -> None:
    ratio = reduce([Member("a", addresses=0), "b"], [seen("b")])
    assert (ratio.numerator, ratio.denominator) == (1, 2)
    assert ratio.failing == (Finding("a", "no-address"),)


def test_of_a_sample_only_what_was_drawn_counts() -> None:
    members = [Member("a"), Member("b", drawn=False), Member("c", drawn=False, addresses=0)]
    ratio = reduce(members, [seen("a"), seen("b", error="timeout")])
    assert (ratio.numerator, ratio.denominator, ratio.unknown, ratio.population) == (1, 1, 0, 3)
    assert reduce(["a"], [seen("a")]).population is None


def both(terminals: str, points: str) -> Ratio:
    """``terminals`` and ``points`` as strings of + (reachable), - (silent) and ? (unknown)."""
    members, observations = [], []
    for basis, states in (("terminal", terminals), ("area", points)):
        for index, state in enumerate(states):
            members.append(Member(f"{basis}-{index}", basis))
            errors: dict[str, str | None] = {"+": None, "-": "timeout", "?": "tester-loss"}
            observations.append(seen(f"{basis}-{index}", error=errors[state]))
    return reduce(members, observations, basis="both")


@pytest.mark.parametrize(
    ("terminals", "points", "basis", "counts", "unknown"),
    [
        ("++++-", "+++", "terminal", (4, 5), 0),
        ("+++++", "++-", "area", (2, 3), 0),
        ("+++---", "+-", "terminal", (3, 6), 0),
        ("+++++", "?", "area", (0, 0), 1),
        ("++++-", "??", "terminal", (4, 5), 2),  # the points could still be lower
        ("+----", "+???", "terminal", (1, 5), 0),  # the points cannot be lower, whatever they are
        ("----+", "???", "terminal", (1, 5), 3),
        ("+++?", "+--", "area", (1, 3), 0),
    ],
)
def test_of_both_readings_the_lower_is_judged(
    terminals: str, points: str, basis: str, counts: tuple[int, int], unknown: int
) -> None:
    ratio = both(terminals, points)
    assert (ratio.basis, (ratio.numerator, ratio.denominator), ratio.unknown) == (basis, counts, unknown)
    assert ratio.notes == (f"judged-by-{basis}",)


def test_both_readings_are_told() -> None:
    ratio = both("++++-", "+?-")
    assert ratio.facts == (("terminal", "4/5"), ("area", "1/2 + 1?"))
    assert [finding.target for finding in ratio.failing] == ["area-2", "area-1", "terminal-4"]


@settings(max_examples=200)
@given(st.text("+-?", min_size=1, max_size=6), st.text("+-?", min_size=1, max_size=6))
def test_what_is_judged_bounds_the_lower_of_both_readings_whatever_is_unknown(terminals: str, points: str) -> None:
    ratio = both(terminals, points)

    def share(states: str, unknown: str) -> Fraction:
        return Fraction(states.replace("?", unknown).count("+"), len(states))

    lowest = min(share(terminals, "-"), share(points, "-"))
    highest = min(share(terminals, "+"), share(points, "+"))
    assert Fraction(ratio.numerator + ratio.unknown, max(1, ratio.denominator + ratio.unknown)) >= highest
    assert ratio.at_most is None or ratio.at_most >= highest
    if not ratio.unknown:
        assert lowest == highest == Fraction(ratio.numerator, ratio.denominator)


def test_readings_that_the_plant_does_not_offer() -> None:
    terminals = reduce(["a"], [seen("a")], basis="both")
    assert (terminals.basis, terminals.notes) == ("terminal", ("area-basis-not-measured",))
    points = reduce([Member("p", "area")], [seen("p")], basis="both")
    assert (points.basis, points.notes) == ("area", ("terminal-basis-not-measured",))
    register = Register((Member("a"),))
    by_area = access_reachability(register, [seen("a")], ReachabilityParameters(basis="area"))
    assert by_area == Invalid("area-basis-not-measured")


errors = st.none() | st.sampled_from(sorted(TARGET_ERRORS | INSTRUMENT_ERRORS))
methods = st.sampled_from(["icmp-echo", "tcp-connect", "neighbour", "snmp-get"])


@st.composite
def sweeps(draw: st.DrawFn) -> list[Observation]:
    rows = draw(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), errors, methods), max_size=40))
    return [seen(target, window, error, method) for target, window, error, method in rows]


@given(sweeps(), st.randoms(use_true_random=False))
def test_the_order_of_observations_does_not_matter_and_all_objects_are_counted(
    sweep: list[Observation], order: random.Random
) -> None:
    ratio = reduce("abc", sweep, windows=3)
    shuffled = list(sweep)
    order.shuffle(shuffled)
    again = reduce("abc", shuffled, windows=3)
    assert (ratio.numerator, ratio.denominator, ratio.unknown) == (again.numerator, again.denominator, again.unknown)
    assert ratio.denominator + ratio.unknown == 3
    assert len(ratio.failing) == 3 - ratio.numerator


@given(sweeps(), st.sampled_from("abc"), st.integers(0, 2), st.sampled_from(sorted(TARGET_ERRORS | INSTRUMENT_ERRORS)))
def test_nothing_but_an_answer_makes_an_object_reachable(
    sweep: list[Observation], target: str, window: int, error: str
) -> None:
    before = reduce("abc", sweep, windows=3)
    after = reduce("abc", [*sweep, seen(target, window, error)], windows=3)
    assert after.numerator == before.numerator
    assert reduce("abc", [*sweep, seen(target, window)], windows=3).numerator >= before.numerator


@given(sweeps())
def test_every_reason_has_words(sweep: list[Observation]) -> None:
    for finding in reduce("abc", sweep, windows=3).failing:
        assert Texts.of("profiles").get(f"reason.{finding.reason}", "zh")
        assert Texts.of("profiles").get(f"reason.{finding.reason}", "en")


def test_observations_are_read_once_and_the_register_knows_the_indicator() -> None:
    ratio = reduce(["a"], iter([seen("a")]))
    assert ratio.numerator == 1
    indicator = find("access-reachability")
    assert indicator is not None
    assert indicator.reduce is access_reachability
    assert set(indicator.methods) == QUANTITIES.keys()


def test_what_others_asked_for_at_the_same_object_does_not_count() -> None:
    """Objects are probed once for all requirements, as often and as patiently as the most demanding of them asks."""
    register = Register((Member("a"),))
    hasty = ReachabilityParameters(windows=1, basis="terminal", attempts=2, timeout_ms=50)
    rows = [seen("a", error="timeout", attempt=0), seen("a", value=60.0, attempt=1), seen("a", value=1.0, attempt=2)]
    found = access_reachability(register, rows, hasty)
    assert isinstance(found, Ratio)
    assert (found.numerator, found.denominator) == (0, 1)
    patient = hasty.model_copy(update={"timeout_ms": 60})
    answered = access_reachability(register, rows, patient)
    assert isinstance(answered, Ratio)
    assert (answered.numerator, answered.denominator) == (1, 1)


@pytest.mark.parametrize(
    ("member", "rows"),
    [
        (Member("a"), [seen("a", error="timeout"), seen("a", error="stopped", attempt=1)]),
        (Member("a"), [seen("a", error="timeout")]),
        (Member("a", addresses=2), [seen("a", error="timeout", attempt=0), seen("a", error="timeout", attempt=1)]),
        (Member("a", services=1), [seen("a", error="timeout", attempt=0), seen("a", error="timeout", attempt=1)]),
    ],
)
def test_a_window_counts_against_an_object_only_if_all_that_was_owed_was_tried(
    member: Member, rows: list[Observation]
) -> None:
    assert reduce([member], rows, attempts=2).unknown == 1
    whole = [
        seen("a", error="timeout", attempt=attempt, address=f"2001:db8::{n}") for n in (1, 2) for attempt in (0, 1)
    ]
    refused = seen("a", error="refused", method="tcp-connect")
    assert reduce([member], [*whole, refused], attempts=2).unknown == 0


def test_what_failed_is_told_before_what_is_unknown() -> None:
    ratio = reduce(["a", "b"], [seen("a", error="stopped"), seen("b", error="timeout")])
    assert [finding.target for finding in ratio.failing] == ["b", "a"]
