"""Values in OSCAL's data types, whoever wrote them."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reports.oscal.words import line
from reports.oscal.words import plain
from reports.oscal.words import prop
from reports.oscal.words import props
from reports.oscal.words import stamp

TEXTS = st.text(alphabet=st.one_of(st.sampled_from("<>&[]()!*_`#-+=~{}\\ \n\t\r\x00\u202e\ud800ab1."), st.characters()))
STRING = re.compile(r"^\S(.*\S)?$")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


@given(TEXTS)
def test_markdown_shows_the_letters_and_nothing_else(text: str) -> None:
    shown = line(text)
    assert "\n" not in shown
    assert shown
    rendered = MarkdownIt("commonmark").enable("strikethrough").renderInline(shown)
    assert "<" not in rendered
    assert html.unescape(rendered) == plain(text)
    assert "{{" not in shown


@given(TEXTS)
def test_strings_are_strings_of_oscal(text: str) -> None:
    told = prop("name", text)["value"]
    assert STRING.fullmatch(told)
    told.encode()


@given(st.one_of(st.integers(), st.text(), st.datetimes().map(lambda it: f"{it.isoformat()}+08:00")))
def test_moments_have_a_zone_or_are_none(when: int | str) -> None:
    told = stamp(when)
    assert told is None or MOMENT.fullmatch(told)


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("2027-01-15T16:00:00+08:00", "2027-01-15T08:00:00Z"),
        (1_800_000_000_123_456_789, "2027-01-15T08:00:00.123456Z"),
        ("2027-01-15T16:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("1899-12-31T23:59:59Z", None),
        (None, None),
        (10**30, None),
    ],
)
def test_moments_are_in_utc(when: int | str | None, told: str | None) -> None:
    assert stamp(when) == told


def test_properties_without_a_value_are_left_out() -> None:
    assert [(it["name"], it["value"]) for it in props(a_b=0.1, c=None, d="", e=0)] == [("a-b", "0.1"), ("e", "0")]
