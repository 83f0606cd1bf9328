"""Bars and curves: any finite input gives a well-formed picture within its frame, and says what is in it."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.evidence import is_met
from profiles.exhibit import exhibit
from profiles.quantity import exact
from profiles.reduced import Curve
from profiles.reduced import Samples
from reports.drawings.axes import domain
from reports.drawings.axes import domain_from_zero
from reports.drawings.bars import MOST
from reports.drawings.bars import Bar
from reports.drawings.bars import Limit
from reports.drawings.bars import bars_chart
from reports.drawings.bars import misses
from reports.drawings.curve import Distributed
from reports.drawings.curve import curve_chart
from reports.drawings.curve import facts
from reports.drawings.svg import Scale
from reports.drawings.svg import clipped

numbers = st.floats(allow_nan=False, allow_infinity=False)
limits = st.none() | st.builds(Limit, st.sampled_from([">=", ">", "<=", "<", "=="]), numbers, st.text(max_size=9))
units = st.sampled_from(["dBm", "dB", "ms", "%", "GFLOPS", "1"])
X = {"x", "x1", "x2", "cx"}
COMMAND = re.compile(r"([MLHV])([-0-9.]+)(?: ([-0-9.]+))?")


def drawn(markup: str) -> ET.Element:
    """The picture, parsed as XML, with every coordinate finite and within its frame."""
    root = ET.fromstring(markup)  # noqa: S314 - our own output
    left, top, width, height = map(float, root.attrib["viewBox"].split())

    def inside(across: bool, value: str) -> None:
        start, length = (left, width) if across else (top, height)
        assert start - 1 <= float(value) <= start + length + 1, value

    for part in root.iter():
        for key, value in part.attrib.items():
            if key in X | {"y", "y1", "y2", "cy"}:
                inside(key in X, value)
            if key in ("width", "height"):
                assert 0 <= float(value) <= max(width, height)
            if key == "d":
                moves = COMMAND.findall(value)
                assert "".join(name + one + (f" {two}" if two else "") for name, one, two in moves) == value
                for name, one, two in moves:
                    inside(name != "V", one)
                    if two:
                        inside(False, two)
    return root


def texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter("text")]


# Bars


@given(st.lists(st.builds(Bar, st.text(max_size=60), st.none() | numbers), min_size=1, max_size=60), units, limits)
def test_any_bars_stay_within_their_frame(bars: list[Bar], unit: str, limit: Limit | None) -> None:
    root = drawn(bars_chart(bars, unit, limit))
    groups = root.findall("g")
    assert len(groups) == min(len(bars), MOST)
    crosses = sum(path.get("class") == "cross" for path in root.iter("path"))
    assert crosses == min(MOST, sum(misses(bar, limit) for bar in bars))


@given(st.lists(numbers, min_size=1, max_size=MOST), limits.filter(bool))
def test_the_worst_stand_first(values: list[float], limit: Limit) -> None:
    bars = [Bar(str(index), value) for index, value in enumerate(values)]
    root = drawn(bars_chart(bars, "ms", limit))
    order = [values[int((group.findtext("title") or "").split(":")[0])] for group in root.findall("g")]
    met = [is_met(limit.op, exact(value), exact(limit.value)) for value in order]
    assert met == sorted(met)  # failing ones first
    if limit.op[0] in "<>":
        assert order == sorted(values, reverse=limit.op[0] == "<")


def test_failing_bars_are_told_by_shape_and_word_and_not_by_colour_alone() -> None:
    bars = [Bar("onu-1", 4.0), Bar("onu-2", -1.25), Bar("onu-3", None), Bar("onu-4", 3.0)]
    root = drawn(bars_chart(bars, "dB", Limit(">=", 3.0, "≥ 3 dB")))
    assert "−1.25 ✕ missed" in texts(root)
    assert "−1.25 ✕ 未满足" in texts(root)
    assert "○ no value" in texts(root)
    assert [name for name in texts(root) if name.startswith("onu")] == ["onu-2", "onu-3", "onu-4", "onu-1"]
    assert sum(path.get("class") == "cross" for path in root.iter("path")) == 1


def test_a_margin_below_zero_runs_the_other_way_from_zero() -> None:
    root = drawn(bars_chart([Bar("a", -2.0), Bar("b", 2.0)], "dB", Limit(">=", 1.0, "≥ 1 dB")))
    below, above = (rect for rect in root.iter("rect") if rect.get("class") in ("missed", "bar"))
    zero = float(above.attrib["x"])
    assert float(below.attrib["x"]) + float(below.attrib["width"]) == pytest.approx(zero, abs=0.2)
    assert float(below.attrib["width"]) == pytest.approx(float(above.attrib["width"]), abs=0.2)


def test_a_level_has_no_origin_and_is_drawn_from_its_limit() -> None:
    root = drawn(bars_chart([Bar("a", -110.0), Bar("b", -90.0)], "dBm", Limit(">=", -105.0, "≥ −105 dBm")))
    at = next(float(line.attrib["x1"]) for line in root.iter("line") if line.get("class") == "limit")
    weak, strong = (rect for rect in root.iter("rect") if rect.get("class") in ("missed", "bar"))
    assert float(weak.attrib["x"]) + float(weak.attrib["width"]) == pytest.approx(at, abs=0.2)
    assert float(strong.attrib["x"]) == pytest.approx(at, abs=0.2)
    ticks = [float(text.replace("−", "-").split()[0]) for text in texts(root) if re.match(r"−[0-9]+( dBm)?$", text)]
    assert min(ticks) > -130  # and not from zero


def test_too_many_bars_are_told_in_one_line() -> None:
    bars = [Bar(f"modem-{index}", -float(index)) for index in range(MOST + 7)]
    root = drawn(bars_chart(bars, "dBm", Limit(">=", -50.0, "≥ −50 dBm")))
    assert any("7 more" in text and "−6 … 0" in text for text in texts(root))


@given(st.lists(numbers, min_size=1))
def test_an_axis_of_bars_holds_zero_and_every_value(values: list[float]) -> None:
    low, high = domain_from_zero(values, "ms")
    assert math.isfinite(low)
    assert math.isfinite(high)
    assert low < high
    assert all(low <= value <= high for value in (0.0, *values))


@pytest.mark.parametrize(("values", "least"), [([0.0, 0.0], 5.0), ([2.0, 0.0], 5.0), ([40.0, 0.0], 40.0)])
def test_an_axis_of_counts_has_whole_numbers_and_nothing_below_zero(values: list[float], least: float) -> None:
    low, high = domain(values, "count")
    assert high >= least
    ticks = [value for value, _ in Scale(low, high, 0, 100).ticks()]
    assert min(ticks) == 0
    assert all(value == int(value) for value in ticks)


@given(st.text(), st.integers(1, 40))
def test_a_label_takes_no_more_than_its_room(text: str, room: int) -> None:
    assert len(clipped(text, room)) <= max(room, 1)


# Curves


@given(
    st.lists(numbers | st.just(math.inf), min_size=1, max_size=300), units, limits, st.none() | st.floats(0.001, 0.9999)
)
def test_any_distribution_stays_within_its_frame(
    values: list[float], unit: str, limit: Limit | None, quantile: float | None
) -> None:
    made = exhibit(Samples(tuple(values), unit))
    assert isinstance(made, Curve)
    finite = [value for value in values if math.isfinite(value)]
    at = finite[0] if finite else None
    shown = Distributed(unit, made.points, made.n, made.lost, quantile, at)
    root = drawn(curve_chart(shown, limit))
    assert bool(root.findall("rect[@class='lost']")) == bool(made.lost)
    assert facts(shown)[0][1].en == f"{len(values):,}"


def tail(lost: int = 0) -> Distributed:
    values = [1.0 + index / 10_000 for index in range(9_990)] + [6.0] * (10 - lost) + [math.inf] * lost
    made = exhibit(Samples(tuple(values), "ms"))
    assert isinstance(made, Curve)
    return Distributed("ms", made.points, made.n, made.lost, 0.999, 1.9989)


def test_the_tail_has_room_of_its_own() -> None:
    root = drawn(curve_chart(tail(), Limit("<=", 4.0, "≤ 4 ms")))
    heights = {
        text.text: float(text.attrib["y"]) for text in root.iter("text") if (text.text or "").endswith("%")
    }  # fmt: skip
    assert heights["90 %"] - heights["99 %"] == pytest.approx(heights["99 %"] - heights["99.9 %"], abs=0.2)
    assert "99.99 %" in heights
    assert "p99.9 = 1.999\u00a0ms" in texts(root)


def test_what_was_lost_stands_apart_and_is_told() -> None:
    root = drawn(curve_chart(tail(lost=5), Limit("<=", 4.0, "≤ 4 ms")))
    assert "lost 0.05 %" in texts(root)
    assert {name.en: value.en for name, value in facts(tail(lost=5))}["lost"] == "5 (0.05\u00a0%)"


def test_where_large_is_good_shares_are_evenly_spaced() -> None:
    root = drawn(curve_chart(tail(), Limit(">=", 4.0, "≥ 4 ms")))
    assert {"25 %", "50 %", "75 %"} <= set(texts(root))


@pytest.mark.parametrize(("values", "logarithmic"), [((0.1, 50.0), True), ((1.0, 5.0), False), ((-5.0, 400.0), False)])
def test_the_axis_is_logarithmic_only_where_the_range_asks_for_it(values: tuple[float, ...], logarithmic: bool) -> None:
    made = exhibit(Samples(values, "ms"))
    assert isinstance(made, Curve)
    ticks = texts(drawn(curve_chart(Distributed("ms", made.points, made.n, made.lost))))
    assert ({"0.1", "1", "10"} <= set(ticks)) == logarithmic


def test_all_lost_is_shown_as_such() -> None:
    made = exhibit(Samples((math.inf,) * 3, "ms"))
    assert isinstance(made, Curve)
    assert "lost 100 %" in texts(drawn(curve_chart(Distributed("ms", made.points, made.n, made.lost, 0.5))))
