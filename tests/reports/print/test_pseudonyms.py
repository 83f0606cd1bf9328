"""What public documents call things: stable, and nothing of ids, names and addresses is left in a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from fixtures.plant.model import Plant
from reports.pseudonyms import KINDS
from reports.pseudonyms import Pseudonyms
from reports.wording import say

PLANT = Plant.model_validate(
    {
        "plant": "临港工厂",
        "organisation": "某某公司",
        "zones": [
            {"id": "it", "name": "办公网", "networks": ["192.0.2.0/24"]},
            {"id": "cell-a", "name": "焊装", "kind": "ot"},
        ],
        "areas": [{"id": "weld", "name": "焊装线", "classes": ["E"], "zone": "cell-a", "points": [{"id": "p-1"}]}],
        "endpoints": [
            {"id": "robot-1", "name": "机械手 1", "class": "E", "zone": "cell-a", "addresses": ["198.18.0.7"],
             "mac": "02:00:00:00:00:07"},
            {"id": "robot-12", "name": "机械手 12", "class": "E", "zone": "cell-a", "addresses": ["2001:db8::7"]},
        ],
        "devices": [{"id": "sw", "kind": "switch", "zone": "it", "host_name": "sw.plant.example"}],
        "vantages": [{"id": "jump", "where": "ssh:tester@jump.plant.example", "zone": "it"}],
        "services": {"dns": "192.0.2.53"},
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def known() -> Pseudonyms:
    return Pseudonyms(PLANT)


@pytest.mark.parametrize(("text", "told"), [
    ("item it", "item zone 1"),
    ("robot-12, robot-1; robot-123", "terminal 2, terminal 1; robot-123"),
    ("机械手 12 位于焊装线", "terminal 2 位于area 1"),
    ("198.18.0.7:502", "terminal 1:502"),
    ("from 203.0.113.9/24 and 2001:db8:ffff::1%eth0", "from [address] and [address]"),
    ("02:00:00:00:00:07 and 02-00-00-00-00-99", "terminal 1 and [address]"),
    ("at 12:30:45 on 2027-01-15", "at 12:30:45 on 2027-01-15"),
    ("cell-a > it: sw tcp/80 IPv4", "zone 2 > zone 1: device 1 tcp/80 IPv4"),
    ("临港工厂（某某公司）", "the plant（the organisation）"),
    ("tester@jump.plant.example", "vantage 1"),
    ("robot_1 sw.plant.example", "robot_1 device 1"),
    ("", ""),
])  # fmt: skip
def test_what_tells_who_is_replaced_as_whole_words(known: Pseudonyms, text: str, told: str) -> None:
    assert known.replaced(text, "en") == told


def test_each_thing_has_one_number_in_the_order_of_the_plant_file(known: Pseudonyms) -> None:
    assert known.of("zone", "cell-a") == say("pseudonym.zone", number=2)
    assert known.thing("robot-12") == say("pseudonym.terminal", number=2)
    assert known.thing("weld") == say("pseudonym.area", number=1)
    assert known.thing("of another plant") == say("pseudonym.other")
    assert known.of("zone", "of another plant").en == "zone ?"


def test_every_kind_has_a_word() -> None:
    assert all(say(f"pseudonym.{kind}", number=1).zh for kind in KINDS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*Pseudonyms(PLANT).terms, " ", "，", "x", "7", ".", ":"]), max_size=8))
def test_no_term_that_stands_alone_is_left(known: Pseudonyms, words: list[str]) -> None:
    told = known.replaced(" ".join(words), "zh")
    left = [term for term in known.terms if f" {term} " in f" {told} "]
    assert not left
