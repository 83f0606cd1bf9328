"""Names of raw output are plain whatever they are made of, and there is no more of it than there may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.action import Action
from probes.action import Target
from probes.raw import ACTION_LIMIT
from probes.raw import MOST
from probes.raw import Allowance
from probes.raw import escaped
from probes.raw import file_name
from probes.raw import is_name

plain = st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,20}(/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,20}){0,3}", fullmatch=True)


@given(st.text(max_size=400) | plain)
def test_whatever_a_method_calls_it_becomes_a_plain_path(name: str) -> None:
    found = file_name(name)
    assert is_name(found)
    assert found.isascii()


@given(plain)
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    assert file_name(name) == name


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.text(st.characters(codec="utf-8"), max_size=200))
def test_different_texts_have_different_names(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("iperf3/cnc-a-01-dl.json", "iperf3/cnc-a-01-dl.json"),
        ("ping/焊 1.txt", "ping/%E7%84%8A%201.txt"),
        ("../../etc/passwd", "%2E./%2E./etc/passwd"),
        ("/a//b/", "a/b"),
        ("", "%"),
        ("50%", "50%25"),
    ],
)
def test_names(name: str, path: str) -> None:
    assert file_name(name) == path


@pytest.mark.parametrize(
    "name", ["", "/", "a/", "/a", "a//b", ".", "..", "a/..", ".a", "a b", "a\\b", "a@2", "焊", "a" * 101]
)
def test_what_is_no_plain_path(name: str) -> None:
    assert not is_name(name)


def action(targets: int, attempts: int) -> Action:
    return Action("v", "m", tuple(Target(f"{it}", "192.0.2.1", "z") for it in range(targets)), {"attempts": attempts})


def test_an_action_gives_so_much_and_no_more() -> None:
    allowance = Allowance.of(action(2, 3))
    assert all(allowance.take(1, 10) for _ in range(24))
    assert not allowance.take(1, 10)
    assert allowance.take(0, ACTION_LIMIT - 240)
    assert not allowance.take(0, 1)
    assert Allowance.of(action(2_000, 100)).outputs == MOST
