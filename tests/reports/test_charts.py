from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.observation import Observation
from profiles.verdict import Verdict
from reports.drawings.charts import Reading
from reports.drawings.charts import bar
from reports.drawings.charts import bar_axis
from reports.drawings.charts import delay_chart
from reports.drawings.charts import interval_chart
from reports.drawings.charts import tally_bar
from reports.drawings.svg import Scale
from reports.result import ObservationFilter
from reports.view.delays import Delays
from reports.view.delays import Distribution

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(max_size=30)
X = {"x", "x1", "x2", "cx"}
Y = {"y", "y1", "y2", "cy"}


def drawn(markup: str) -> ET.Element:
    """The picture, parsed as XML, with every coordinate finite and within its frame."""
    root = ET.fromstring(markup)  # noqa: S314 - our own output
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    for part in root.iter():
        for key, value in part.attrib.items():
            if key in X | Y:
                start, length = (left, width) if key in X else (top, height)
                assert start - 1 <= float(value) <= start + length + 1, (part.tag, key, value)
            if key in ("width", "height"):
                assert 0 <= float(value) <= max(width, height)
    return root


@given(numbers, st.none() | numbers, st.none() | numbers, st.none() | numbers, st.sampled_from(["%", "ms", "1"]), texts)
@settings(deadline=None)
def test_any_finite_numbers_give_an_interval_within_its_frame(
    value: float, low: float | None, high: float | None, limit: float | None, unit: str, text: str
) -> None:
    for op in (">=", "<", "=="):
        drawn(interval_chart(Reading(value, unit=unit, low=low, high=high, limit=limit, op=op, limit_text=text)))


@given(numbers, numbers, texts, texts, st.none() | numbers)
@settings(deadline=None)
def test_any_finite_numbers_give_a_bar_within_its_frame(
    value: float, top: float, name: str, told: str, limit: float | None
) -> None:
    drawn(bar(value, top, name, told, limit))
    drawn(bar_axis(top, "%"))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=30), st.integers(0, 10**9))
@settings(deadline=None)
def test_any_delays_give_a_picture_within_its_frame(delays: list[float], lost: int) -> None:
    assume(delays or lost)
    drawn(delay_chart(Distribution("round-trip-delay", np.sort(np.array(delays, float)), lost, 0)))


@given(st.dictionaries(st.sampled_from(list(Verdict)), st.integers(0, 10**6)))
def test_tallies_fill_the_bar_and_no_more(counts: dict[Verdict, int]) -> None:
    rects = drawn(tally_bar(list(counts.items()))).findall("rect")
    assert len(rects) == len(counts)


def test_a_picture_says_what_it_shows() -> None:
    root = drawn(interval_chart(Reading(97.4, unit="%", low=91.0, high=99.0, limit=90.0, limit_text="≥ 90 %")))
    title, desc = root.findtext("title") or "", root.findtext("desc") or ""
    assert root.attrib["role"] == "img"
    assert "97.4" in title
    assert "≥ 90 %" in title
    assert desc
    assert "limit ≥ 90 %" in [text.text for text in root.findall("text")]


@pytest.mark.parametrize(("op", "inside", "outside"), [(">=", 95.0, 85.0), ("<", 85.0, 95.0)])
def test_the_tinted_side_is_the_one_that_meets_the_limit(op: str, inside: float, outside: float) -> None:
    root = drawn(interval_chart(Reading(85.0, unit="%", low=85.0, high=95.0, limit=90.0, op=op, limit_text="90 %")))
    tint = next(rect for rect in root.findall("rect") if rect.attrib["class"] == "accepted")
    start, width = float(tint.attrib["x"]), float(tint.attrib["width"])
    caps = [float(line.attrib["x1"]) for line in root.findall("line") if line.attrib["class"] == "span"][-2:]
    at = dict(zip((85.0, 95.0), caps, strict=True))
    assert start - 1 <= at[inside] <= start + width + 1
    assert not start - 1 <= at[outside] <= start + width + 1


def test_an_unbounded_side_runs_to_the_edge_with_an_arrow() -> None:
    root = drawn(interval_chart(Reading(97.0, unit="%", low=91.0, high=None, limit=90.0, limit_text="≥ 90 %")))
    assert len([path for path in root.findall("path") if "arrow" in path.attrib["class"]]) == 1


def test_a_share_is_never_drawn_beyond_zero_and_hundred() -> None:
    root = drawn(interval_chart(Reading(100.0, unit="%", limit=100.0, limit_text="≥ 100 %")))
    ticks = [text.text or "" for text in root.findall("text") if text.attrib["class"] == "tick"]
    assert max(float(re.sub(r"[^0-9.]", "", tick)) for tick in ticks) == 100


@given(numbers, numbers, st.integers(1, 8))
def test_ticks_are_few_round_and_within_the_scale(low: float, high: float, wanted: int) -> None:
    low, high = min(low, high), max(low, high)
    ticks = Scale(low, high, 0, 100).ticks(wanted)
    slack = (high / 2 - low / 2) * 1e-6
    assert 2 <= len(ticks) <= 14
    assert all(low - slack <= value <= high + slack for value, _ in ticks)


@given(st.floats(min_value=1e-300, max_value=1e300), st.floats(min_value=1.001, max_value=1e6))
def test_log_ticks_are_within_the_scale(low: float, ratio: float) -> None:
    high = low * ratio
    assume(math.isfinite(high))
    ticks = Scale(low, high, 0, 100, log=True).ticks()
    assert 2 <= len(ticks) <= 40
    assert all(low <= value <= high for value, _ in ticks)


def test_a_scale_keeps_the_order_of_values() -> None:
    scale = Scale(-1.7e308, 1.7e308, 10, 20)
    assert 10 <= scale.at(-1e308) < scale.at(0) < scale.at(1e308) <= 20


def distribution(delays: list[float], lost: int = 0) -> Distribution:
    return Distribution("round-trip-delay", np.array(sorted(delays)), lost, 0)


@pytest.mark.parametrize(
    ("delays", "lost", "share", "expected"),
    [
        ([1, 2, 3, 4], 0, 0.5, 2),
        ([1, 2, 3, 4], 0, 0.51, 3),
        ([1, 2, 3, 4], 0, 1.0, 4),
        ([1, 2, 3, 4], 4, 0.5, 4),
        ([1, 2, 3, 4], 4, 0.51, math.inf),
        ([], 3, 0.5, math.inf),
    ],
)
def test_a_lost_packet_counts_as_infinite_in_a_quantile(
    delays: list[float], lost: int, share: float, expected: float
) -> None:
    assert distribution(delays, lost).quantile(share) == expected


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=200), st.integers(0, 50))
def test_quantiles_agree_with_their_definition(delays: list[float], lost: int) -> None:
    every = sorted(delays) + [math.inf] * lost
    for share in (0.5, 0.95, 0.99):
        found = distribution(delays, lost).quantile(share)
        assert sum(value <= found for value in every) >= share * len(every) - 1e-6
        assert sum(value < found for value in every) < share * len(every) + 1e-6


def test_a_histogram_counts_every_delay_once() -> None:
    delays = distribution([0.1, 0.5, 1, 2, 1000, 5000])
    for log in (True, False):
        assert sum(delays.histogram(0.2, 2000, log=log)) == 6


def observation(target: str, value: float | None, error: str | None = None, **more: str) -> Observation:
    method, quantity, unit = (
        more.get("method", "icmp-echo"),
        more.get("quantity", "round-trip-delay"),
        more.get("unit", "ms"),
    )
    return Observation(method, "v", target, "192.0.2.1", quantity, value, unit, error, 0, 0, 0, 0, "")


def test_observations_go_to_every_item_that_names_them_and_to_no_other() -> None:
    filters = {
        "A": ObservationFilter(methods=("icmp-echo",), targets=("a", "b")),
        "B": ObservationFilter(methods=("icmp-echo", "tcp-connect"), targets=("b",)),
        "C": ObservationFilter(methods=("neighbour",), targets=("a",)),
    }
    seen = [
        observation("a", 1.0),
        observation("b", 2000.0, unit="us"),
        observation("b", None, "timeout"),
        observation("b", None, "no-privilege"),
        observation("b", float("nan")),
        observation("b", 0.003, method="tcp-connect", quantity="connect-delay", unit="s"),
        observation("c", 9.0),
        observation("a", 1.0, quantity="presence", unit="1"),
    ]
    delays = Delays()
    delays.note(iter(seen))
    found = {item: delays.behind(filter) for item, filter in filters.items()}
    assert [list(one.delays_ms) for one in found["A"]] == [[1.0, 2.0]]
    assert (found["A"][0].lost, found["A"][0].instrument_errors) == (1, 2)
    assert [(one.quantity, list(one.delays_ms)) for one in found["B"]] == [
        ("round-trip-delay", [2.0]),
        ("connect-delay", [3.0]),
    ]
    assert found["C"] == ()
