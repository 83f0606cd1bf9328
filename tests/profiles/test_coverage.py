"""Access coverage and its change: pure functions of what logs and probes said."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.evaluate import evaluate
from profiles.indicators.coverage import CoverageParameters
from profiles.indicators.coverage import access_coverage
from profiles.indicators.coverage_change import access_coverage_change
from profiles.indicators.grid import MOST_CELLS
from profiles.indicators.grid import TooManyCellsError
from profiles.indicators.grid import cell_at
from profiles.indicators.grid import cells_of
from profiles.indicators.grid import described
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register
from profiles.requirement import Requirement
from profiles.verdict import Verdict

HALL = ((0, 0), (20, 0), (20, 10), (0, 10))  # 4 x 2 cells of 5 m
ONE = CoverageParameters(windows=1, attempts=1)
QUANTITIES = {"access": "1", "ss-rsrp": "dBm", "ss-sinr": "dB"}


def place(
    area: str = "hall",
    logged: str = "cells",
    points: Iterable[tuple[str, int]] = (),
    corners: Any = HALL,
    technology: str = "5g",
    classes: str = "E",
) -> Member:
    points = list(points)
    facts = {
        "area": area,
        "area_classes": classes,
        "technology": technology,
        "polygon_m": json.dumps(corners),
        "points": json.dumps(points),
        "logged": logged,
    }
    names = tuple(id for id, _ in points)
    return Member(f"coverage:{area}", "coverage", 1, facts=tuple(facts.items()), shared=names)


def row(
    number: int, at: Any, access: float | None = 1, rsrp: Any = -90.0, sinr: Any = 10.0, **more: Any
) -> list[Observation]:
    """One row of a log; ``None`` is absent."""
    detail = json.dumps({"point": at} if isinstance(at, str) else {"x_m": at[0], "y_m": at[1]})
    said = dict(zip(QUANTITIES, (access, rsrp, sinr), strict=True))
    target, utc_ns = more.get("target", "coverage:hall"), more.get("utc_ns", 1000 + number)
    return [
        Observation("survey-log", "plantproof", target, f"w.csv:{number}", quantity, value, QUANTITIES[quantity],
                    None if value is not None else "absent", 0, 0, utc_ns, 0, detail)
        for quantity, value in said.items()
    ]  # fmt: skip


def walked(*cells: tuple[int, int], **said: Any) -> list[Observation]:
    """Ten rows in each cell."""
    found: list[Observation] = []
    for column, line in cells:
        for step in range(10):
            number = 1000 * column + 100 * line + step
            found += row(number, (5 * column + 0.45 * step, 5 * line + 2), **said)
    return found


def everywhere(**said: Any) -> list[Observation]:
    return walked(*[(column, line) for column in range(4) for line in range(2)], **said)


def probed(point: str, value: float | None, error: str | None = None) -> Observation:
    return Observation(
        "icmp-echo", "seat", point, "192.0.2.1", "round-trip-delay", value, "ms", error, 0, 0, 2000, 0, ""
    )


def found(rows: list[Observation], *members: Member, parameters: CoverageParameters = ONE) -> Any:
    return access_coverage(Register(members or (place(),)), rows, parameters)


def test_a_sample_that_says_again_what_another_one_said_counts_once() -> None:
    """One good sample, copied ten times or logged in two files, is no tenth of a cell's evidence more."""
    square = place(corners=((0, 0), (5, 0), (5, 5), (0, 5)))
    copied = [it for number in range(30) for it in row(number, (1, 1), utc_ns=7)]
    assert (found(copied, square).denominator, found(copied, square).population) == (0, 1)
    own = [it for number in range(10) for it in row(number, (1, 1), rsrp=-90.0 - number, utc_ns=7)]
    assert (found(own, square).numerator, found(own, square).population) == (1, None)
    named = [it for number in range(6) for it in row(number, "p1", access=0, utc_ns=7)]
    named += [it for number in range(6, 9) for it in row(number, "p1", utc_ns=number)]
    points = found(named, place(logged="points", points=[("p1", 0)]))
    assert (points.numerator, points.denominator) == (1, 1)  # three that worked, and one that did not


def test_a_log_in_other_coordinates_says_so() -> None:
    rows = walked((900, 900), (901, 900))
    assert [it.reason for it in found(rows).failing] == ["log-elsewhere", "cells-not-sampled"]
    assert "log-elsewhere" not in {it.reason for it in found([*rows, *row(1, (1, 1))]).failing}


# --- the grid ---


def test_a_rectangle_has_its_cells_wherever_it_lies() -> None:
    assert cells_of(HALL, 5) == {(column, line) for column in range(4) for line in range(2)}
    moved = [(x - 40, y - 10) for x, y in HALL]
    assert cells_of(moved, 5) == {(column, line) for column in range(-8, -4) for line in range(-2, 0)}


def test_a_polygon_has_the_cells_whose_centres_it_holds() -> None:
    corner = ((0, 0), (20, 0), (20, 5), (5, 5), (5, 20), (0, 20))
    assert cells_of(corner, 5) == {(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (0, 3)}
    assert cells_of(((0, 0), (10, 0)), 5) == frozenset()
    assert cells_of(((0, 0), (2, 0), (2, 2), (0, 2)), 5) == frozenset()  # smaller than half a cell


@given(
    st.floats(-50, 50),
    st.floats(1, 40),
    st.floats(1, 40),
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.sampled_from([1, 2.5, 5]),
)
def test_areas_with_a_common_border_share_no_cell_and_lose_none(
    left: float, one: float, other: float, top: float, bottom: float, size: float
) -> None:
    border = [(left + bottom, -30.0), (left + top, 30.0)]
    first = [(left - one - 20, -30.0), border[0], border[1], (left - one - 20, 30.0)]
    second = [(left + other + 20, 30.0), border[1], border[0], (left + other + 20, -30.0)]
    whole = [first[0], second[3], second[0], first[3]]
    assert not cells_of(first, size) & cells_of(second, size)
    assert cells_of(first, size) | cells_of(second, size) == cells_of(whole, size)


@pytest.mark.parametrize("corners", [((0, 0), (1e9, 0), (1e9, 1e9)), ((-1e308, 0), (1e308, 1e308), (0, 1e308))])
def test_an_area_of_more_cells_than_can_be_walked_is_refused(corners: Any) -> None:
    with pytest.raises(TooManyCellsError):
        cells_of(corners, 5)
    assert found([], place(corners=corners)).reason == "area-too-large"
    assert MOST_CELLS < 10**7


def test_positions_fall_into_cells() -> None:
    assert [cell_at(x, 0, 5) for x in (-0.1, 0, 4.99, 5)] == [(-1, 0), (0, 0), (0, 0), (1, 0)]
    assert described((-1, 2), 2.5) == "x -2.5-0 m, y 5-7.5 m"


# --- cells of a log ---


def test_a_hall_walked_all_over_is_covered() -> None:
    ratio = found(everywhere())
    assert (ratio.numerator, ratio.denominator, ratio.unknown, ratio.population, ratio.basis) == (
        8,
        8,
        0,
        None,
        "cells",
    )
    assert ratio.failing == ()
    assert ratio.facts == (("cells", "8/8"),)


@pytest.mark.parametrize(
    ("said", "technology", "note"),
    [
        ({"rsrp": -105.5}, "5g", "SS-RSRP -105.5 dBm"),
        ({"sinr": -0.5}, "5g", "SS-SINR -0.5 dB"),
        ({"access": 0.0}, "5g", "0/10"),
        ({"access": 0.0, "rsrp": None, "sinr": None}, "5g", "0/10 · SS-RSRP – · SS-SINR –"),
        ({"access": 0.0, "rsrp": None, "sinr": None}, "wifi", "0/10"),
    ],
)
def test_a_cell_without_signal_or_access_is_not_covered(said: dict[str, Any], technology: str, note: str) -> None:
    rows = everywhere() + walked((1, 1), **said)  # the last word on a row counts
    ratio = found(rows, place(technology=technology))
    assert (ratio.numerator, ratio.denominator) == (7, 8)
    assert ratio.failing == (Finding("coverage:hall", "cell-not-covered", f"x 5-10 m, y 5-10 m · {note}"),)


@pytest.mark.parametrize(("worked", "covered"), [(6, True), (5, False)])
def test_access_has_to_work_in_more_than_half_of_a_cells_samples(worked: int, covered: bool) -> None:
    rows = [it for step in range(10) for it in row(step, (1, 1), access=float(step < worked))]
    square = place(corners=((0, 0), (5, 0), (5, 5), (0, 5)))
    assert found(rows, square).numerator == covered


def test_limits_are_met_by_equality_and_wired_access_has_no_signal() -> None:
    assert found(everywhere(rsrp=-105.0, sinr=0.0)).numerator == 8
    assert found(everywhere(rsrp=None, sinr=None), place(technology="ethernet")).numerator == 8


def test_cells_with_too_few_samples_leave_it_open(ask: Callable[..., Requirement]) -> None:
    rows = [it for it in everywhere() if not it.address.endswith("3100") and not it.address.endswith("3101")]
    ratio = found(rows)
    assert (ratio.numerator, ratio.denominator, ratio.population) == (7, 7, 8)
    assert ratio.failing == (Finding("coverage:hall", "cells-not-sampled", "1/8"),)
    asked = {"indicator": "access-coverage", "parameters": ONE.model_dump()}
    for limit, verdict in ((">= 95 %", Verdict.INCONCLUSIVE), (">= 80 %", Verdict.PASS)):
        judgement = evaluate(ask(limit, "R1", **asked), Register((place(),)), rows)
        assert (judgement.verdict, judgement.reason) == (verdict, "sample-not-census") or verdict is Verdict.PASS
    weak = evaluate(ask(">= 95 %", "R1", **asked), Register((place(),)), [*rows, *walked((0, 0), rsrp=-120.0)])
    assert weak.verdict is Verdict.FAIL  # whatever the last cell would have shown


def test_rows_outside_the_area_count_nowhere() -> None:
    assert found([*everywhere(), *walked((9, 9), access=0.0)]).facts == (("cells", "8/8"),)


@pytest.mark.parametrize(
    ("members", "reason", "note"),
    [
        ((place(logged="", points=()),), "area-not-sampled", "coverage:hall"),
        ((place(), place("yard", "", ())), "area-not-sampled", "coverage:yard"),
        ((place(), place("yard", corners=[(x + 10, y) for x, y in HALL])), "areas-overlap", "hall / yard"),
        ((place(corners=()),), "area-without-cells", "coverage:hall"),
        ((place(corners=((0, 0), (1, 0), (1, 1))),), "area-without-cells", "coverage:hall"),
    ],
)
def test_areas_that_cannot_be_counted_give_a_reason_and_no_number(
    members: tuple[Member, ...], reason: str, note: str, ask: Callable[..., Requirement]
) -> None:
    invalid = found(everywhere(), *members)
    assert (invalid.reason, invalid.note) == (reason, note)
    requirement = ask(">= 0 %", "R1", indicator="access-coverage", parameters=ONE.model_dump())
    judgement = evaluate(requirement, Register(members), everywhere())
    assert (judgement.verdict, judgement.value, judgement.reason) == (Verdict.INCONCLUSIVE, None, reason)


def test_areas_of_different_classes_may_lie_over_each_other() -> None:
    assert isinstance(found(everywhere(), place(), place("paths", classes="P")), Ratio)


# --- survey points ---


@pytest.mark.parametrize(
    ("live", "log", "state"),
    [
        ((1.0, None), None, "covered"),
        ((None, "timeout"), None, "uncovered"),
        ((None, "send-failed"), None, "unknown"),
        (None, 1.0, "covered"),
        (None, 0.0, "uncovered"),
        ((1.0, None), 0.0, "uncovered"),
        ((None, "timeout"), 1.0, "uncovered"),
        ((1.0, None), 1.0, "covered"),
        (None, None, "unsampled"),
    ],
)
def test_a_point_is_covered_as_probes_and_logs_say(live: Any, log: float | None, state: str) -> None:
    member = place(
        logged="points" if log is not None else "", points=[("p1", int(live is not None))], technology="wifi"
    )
    rows = [probed("p1", *live)] if live else []
    rows += row(1, "p1", log, None, None) if log is not None else []
    ratio = found(rows, member)
    states = {
        "covered": ratio.numerator,
        "uncovered": ratio.denominator - ratio.numerator,
        "unknown": ratio.unknown,
        "unsampled": (ratio.population or 0) and ratio.population - ratio.denominator - ratio.unknown,
    }
    assert states == {name: int(name == state) for name in states}
    assert bool(ratio.failing) == (state != "covered")


def test_of_cells_and_points_the_lower_share_is_judged() -> None:
    member = place(points=[("p1", 1), ("p2", 1)])
    sound = [probed("p1", 1.0), probed("p2", 1.0)]
    half = [probed("p1", 1.0), probed("p2", None, "timeout")]
    weak = walked((0, 0), rsrp=-120.0)
    assert found([*everywhere(), *half], member).notes == ("judged-by-points",)
    lower = found([*everywhere(), *weak, *sound], member)
    assert (lower.basis, lower.notes, lower.numerator, lower.denominator) == ("cells", ("judged-by-cells",), 7, 8)
    assert lower.facts == (("cells", "7/8"), ("points", "2/2"))


def test_what_could_make_the_other_kind_the_lower_one_stays_owed() -> None:
    member = place(points=[("p1", 1), ("p2", 1)])
    spoiled = found(
        [*everywhere(), *walked((0, 0), rsrp=-120.0), probed("p1", 1.0), probed("p2", None, "stopped")], member
    )
    assert (spoiled.basis, spoiled.unknown) == ("cells", 1)
    short = found([*walked((0, 0)), probed("p1", 1.0), probed("p2", None, "timeout")], member)
    assert (short.basis, short.population) == ("points", 9)


@pytest.mark.parametrize(("columns", "verdict"), [(4, "fail"), (400, "fail")])
def test_what_fails_by_one_kind_fails_however_many_places_of_the_other_are_unknown(
    ask: Callable[..., Requirement], columns: int, verdict: str
) -> None:
    """One of two points is not covered: whatever thousands of cells would have shown, no more than half is."""
    hall = ((0, 0), (5 * columns, 0), (5 * columns, 10), (0, 10))
    member = place(points=[("p1", 1), ("p2", 1)], corners=hall)
    rows = [*walked((0, 0)), probed("p1", 1.0), probed("p2", None, "timeout")]
    asked = ask(">= 95 %", "R1", indicator="access-coverage", parameters={"windows": 1, "attempts": 1})
    judged = evaluate(asked, Register((member,)), rows)
    assert judged.verdict == verdict
    generous = ask(">= 50 %", "R1", indicator="access-coverage", parameters={"windows": 1, "attempts": 1})
    assert evaluate(generous, Register((member,)), rows).verdict == "inconclusive"


@given(
    st.lists(
        st.tuples(
            st.floats(),
            st.floats(),
            st.floats(),
            st.sampled_from(["", "{}", "[]", '{"x_m":"a","y_m":1}', '{"x_m":1e999,"y_m":0}']),
        ),
        max_size=30,
    )
)
def test_absurd_rows_cover_nothing(rows: list[tuple[float, float, float, str]]) -> None:
    seen = [
        Observation(
            "survey-log", "plantproof", "coverage:hall", f"w:{index}", quantity, value, "1", None, 0, 0, 0, 0, detail
        )
        for index, (*values, detail) in enumerate(rows)
        for quantity, value in zip(QUANTITIES, values, strict=True)
    ]
    ratio = found(seen)
    assert (ratio.numerator, ratio.denominator, ratio.population) == (0, 0, 8)


# --- the change since an earlier bundle ---


def before(
    covered: float | None, cells: float, *, reason: str = "", utc_ns: int = 500, target: str = "coverage:hall"
) -> list[Observation]:
    counts = {"covered-cells": covered, "cells": cells, "covered-points": 0.0, "points": 0.0}
    detail = json.dumps({"campaign": "c", **({"reason": reason, "note": "why"} if reason else {})})
    return [
        Observation("earlier-bundle", "x", "coverage:hall", "../2025", quantity, None if reason else value, "1",
                    "absent" if reason else None, 0, 0, 500, 0, detail)
        for quantity, value in counts.items()
    ]  # fmt: skip


def changed(rows: list[Observation], *members: Member) -> Any:
    return access_coverage_change(Register(members or (place(),)), rows, ONE)


@pytest.mark.parametrize(
    ("weak", "covered", "change", "verdict"),
    [
        (0, 7.0, 12.5, Verdict.PASS),
        (0, 8.0, 0.0, Verdict.PASS),
        (1, 7.0, 0.0, Verdict.FAIL),
        (2, 7.0, -12.5, Verdict.FAIL),
    ],
)
def test_coverage_has_to_rise_unless_it_was_and_is_complete(
    weak: int, covered: float, change: float, verdict: Verdict, ask: Callable[..., Requirement]
) -> None:
    rows = everywhere() + walked(*[(0, line) for line in range(weak)], rsrp=-120.0) + before(covered, 8.0)
    result = changed(rows)
    assert isinstance(result, Measurement)
    assert (result.value, result.unit, result.n, result.saturated) == (change, "pp", 8, weak == 0 and covered == 8)
    requirement = ask("> 0 pp", "R1", indicator="access-coverage-change", parameters=ONE.model_dump())
    judgement = evaluate(requirement, Register((place(),)), rows)
    assert (judgement.verdict, judgement.value) == (verdict, change)
    assert ("both-full" in judgement.notes) == (weak == 0 and covered == 8)


def test_complete_coverage_in_both_years_does_not_meet_a_rise_by_a_number(ask: Callable[..., Requirement]) -> None:
    requirement = ask("> 1 pp", "R1", indicator="access-coverage-change", parameters=ONE.model_dump())
    assert evaluate(requirement, Register((place(),)), everywhere() + before(8.0, 8.0)).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (everywhere(), "baseline-missing"),
        (everywhere() + before(0.0, 0.0, reason="boundary-changed"), "boundary-changed"),
        (everywhere() + before(0.0, 0.0, reason="baseline-altered"), "baseline-altered"),
        (everywhere() + before(9.0, 8.0), "baseline-incomplete"),
        (everywhere() + before(0.0, 0.0), "baseline-incomplete"),
        (everywhere() + before(7.5, 8.0), "baseline-incomplete"),
        (everywhere() + before(float("nan"), 8.0), "baseline-incomplete"),
        (everywhere()[3:] + before(7.0, 8.0), "coverage-incomplete"),
        (everywhere(utc_ns=400) + before(7.0, 8.0), "survey-not-new"),
    ],
)
def test_what_cannot_be_compared_says_why(
    rows: list[Observation], reason: str, ask: Callable[..., Requirement]
) -> None:
    invalid = changed(rows)
    assert isinstance(invalid, Invalid)
    assert invalid.reason == reason
    requirement = ask("> 0 pp", "R1", indicator="access-coverage-change", parameters=ONE.model_dump())
    judgement = evaluate(requirement, Register((place(),)), rows)
    assert (judgement.verdict, judgement.value) == (Verdict.INCONCLUSIVE, None)


def test_an_area_of_which_the_earlier_bundle_says_nothing_leaves_it_open() -> None:
    two = place(), place("yard", corners=[(x + 100, y) for x, y in HALL])
    rows = everywhere() + everywhere(target="coverage:yard") + before(8.0, 8.0)
    assert changed(rows, *two).reason in ("baseline-incomplete", "coverage-incomplete")


def test_points_that_the_instrument_spoiled_are_no_change(ask: Callable[..., Requirement]) -> None:
    member = place(logged="", points=[("p1", 1), ("p2", 1)])
    rows = [probed("p1", 1.0), probed("p2", None, "stopped"), *map(_points, before(0.0, 0.0))]
    requirement = ask("> 0 pp", "R1", indicator="access-coverage-change", parameters=ONE.model_dump())
    assert evaluate(requirement, Register((member,)), rows).verdict is Verdict.ERROR


def _points(seen: Observation) -> Observation:
    """The same with one of two points covered before."""
    return replace(seen, value={"covered-points": 1.0, "points": 2.0}.get(seen.quantity, seen.value))
