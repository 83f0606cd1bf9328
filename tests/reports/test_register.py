"""The register of all objects: who asks for each, what came of it, and how it is told to the page's script."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.indicators.layers import BIT
from profiles.indicators.layers import told
from profiles.observation import Observation
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.verdict import Verdict
from reports.view import register
from reports.view.material import Material
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view
from reports.view.reached import Reached
from reports.view.register import STATES
from reports.view.register import Asked
from reports.view.register import Asking
from reports.view.register import State
from reports.view.register import state_of
from reports.wording import reached


@pytest.fixture
def made(make_example: Any) -> Material:
    return material(make_example(endpoints=80, failing=7))


def data(page: Page) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(page.paged.as_json(page.items)))
    return told


def numbers(page: Page) -> dict[State, int]:
    return {state: count for state, _, _, _, count in page.register.states if count}


PASS, FAIL, ERROR, OPEN = Verdict.PASS, Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE
UNTESTED, EXCLUDED, INFO = Verdict.NOT_TESTED, Verdict.NOT_APPLICABLE, Verdict.INFO


@pytest.mark.parametrize(
    ("verdicts", "drawn", "named", "state"),
    [
        ([FAIL, PASS], [True, True], [0], State.FAIL),
        ([FAIL, PASS], [True, True], [], State.CLEAR),
        ([PASS, FAIL], [True, True], [0], State.NOTED),
        ([PASS, FAIL], [True, True], [0, 1], State.FAIL),
        ([INFO], [True], [0], State.NOTED),
        ([OPEN, PASS], [True, True], [0], State.OPEN),
        ([ERROR, PASS], [True, False], [0], State.OPEN),
        ([OPEN], [True], [], State.CLEAR),
        ([ERROR], [True], [], State.UNMEASURED),
        ([UNTESTED], [True], [], State.UNMEASURED),
        ([PASS], [False], [], State.UNMEASURED),
        ([PASS, UNTESTED], [False, True], [], State.UNMEASURED),
        ([EXCLUDED, UNTESTED], [True, True], [], State.UNMEASURED),
        ([EXCLUDED], [True], [], State.UNASKED),
        ([], [], [], State.UNASKED),
    ],
)
def test_the_state_of_an_object_follows_from_the_items_that_name_and_ask_for_it(
    verdicts: list[Verdict], drawn: list[bool], named: list[int], state: State
) -> None:
    asks = [Asked(place, was) for place, was in enumerate(drawn)]
    assert state_of(asks, named, verdicts) is state


@given(
    st.lists(st.tuples(st.sampled_from(Verdict), st.booleans(), st.booleans()), max_size=8),
)
def test_no_object_is_clear_unmeasured_or_named(
    items: list[tuple[Verdict, bool, bool]],
) -> None:
    asks = [Asked(place, drawn) for place, (_, drawn, _) in enumerate(items)]
    named = [place for place, (_, _, is_named) in enumerate(items) if is_named]
    state = state_of(asks, named, [verdict for verdict, _, _ in items])
    if named:
        assert state in (State.FAIL, State.OPEN, State.NOTED)
    if state is State.CLEAR:
        assert any(drawn and verdict in (PASS, FAIL, OPEN, INFO) for verdict, drawn, _ in items)


def test_every_object_of_the_plant_is_there_once(made: Material) -> None:
    page = view(made)
    things = data(page)["things"]
    assert {endpoint.id for endpoint in made.plant.endpoints} <= set(things["id"])
    assert len(things["id"]) == len(set(things["id"])) == page.register.total
    assert sum(numbers(page).values()) == page.register.total
    for parts in (page.register.by_zone, page.register.by_class):
        assert sum(part.total for part in parts) == page.register.total
        assert all(sum(part.counts) == part.total for part in parts)


def test_states_are_those_of_the_findings(made: Material) -> None:
    page = view(made)
    told = data(page)
    failed = list(STATES).index(State.FAIL)
    states = dict(zip(told["things"]["id"], told["things"]["state"], strict=True))
    assert [id for id, state in states.items() if state == failed] == [f"e-{4 * index:05d}" for index in range(7)]
    assert numbers(page)[State.FAIL] == 7


def test_items_that_ask_for_an_object_are_those_of_the_plan(made: Material) -> None:
    told = data(view(made))
    asks = {id: told["asked"][code] for id, code in zip(told["things"]["id"], told["things"]["asked"], strict=True)}
    names = [item[1] for item in told["items"]]
    assert "NET-RCH-E" in [names[code >> 1] for code in asks["e-00000"]]
    assert "NET-RCH-E" not in [names[code >> 1] for code in asks["s-00001"]]
    assert len(told["asked"]) <= 4  # what repeats is stored once


def test_without_a_plan_the_observed_targets_tell_who_was_asked_for(
    made: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impossible(*_: object) -> None:
        raise UserMistake([Problem("plant-tailoring-scope", "fixtures", facts={"found": "x"})])

    monkeypatch.setattr(register, "plan", impossible)
    asked = register.asked(made)
    results = [result for result in made.campaign.results if not result.scope]
    assert [results[one.item].item for one in asked.of("s-00001")] == ["NET-RCH-S"]


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("abcdef"), st.booleans()).map(lambda members: tuple(members.items())),
            st.sets(st.integers(0, 9)),
        ),
        max_size=6,
    )
)
def test_objects_that_the_same_items_ask_for_share_what_is_said_of_them(
    groups: list[tuple[tuple[tuple[str, bool], ...], set[int]]],
) -> None:
    asking = Asking((members, sorted(places)) for members, places in groups)
    for id in "abcdefg":
        every = [
            Asked(place, drawn)
            for members, places in groups
            for member, drawn in members
            if member == id
            for place in places
        ]
        assert asking.of(id) == tuple(sorted(every))
    assert asking.of("g") == ()


def test_items_that_ask_the_same_of_the_same_objects_are_worked_out_once(
    made: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    (profile,) = made.profiles
    first = made.campaign.results[0]
    (asked,) = (one for one in profile.requirements if one.id == first.requirement)
    ids = [f"MANY-{number}" for number in range(50)]
    many = profile.model_copy(update={"requirements": tuple(asked.model_copy(update={"id": id}) for id in ids)})
    results = tuple(first.model_copy(update={"item": id, "requirement": id}) for id in ids)
    worked: list[str] = []
    members = register._members
    monkeypatch.setattr(register, "_members", lambda case: worked.append(case.id) or members(case))
    campaign = made.campaign.model_copy(update={"results": results})
    found = register.asked(replace(made, profiles=[many], campaign=campaign))
    assert worked == ["MANY-0"]
    assert [one.item for one in found.of("e-00000")] == list(range(50))


def test_a_sample_tells_who_was_not_drawn(made: Material) -> None:
    (profile,) = made.profiles
    sampled = [
        one.model_copy(update={"sample_size": 5}) if one.id == "NET-RCH-S" else one for one in profile.requirements
    ]
    page = view(replace(made, profiles=[profile.model_copy(update={"requirements": tuple(sampled)})]))
    told = data(page)
    place = [item[1] for item in told["items"]].index("NET-RCH-S")
    drawn = Counter(
        code & 1 for asked in told["things"]["asked"] for code in told["asked"][asked] if code >> 1 == place
    )
    assert drawn[1] == 5
    assert drawn[0] > 5


def test_what_the_plant_does_not_know_joins_the_register_where_a_finding_names_it(made: Material) -> None:
    failed = made.campaign.results[0]
    ghost = failed.failing[0].model_copy(update={"target": "02:00:00:00:00:01"})
    results = (failed.model_copy(update={"failing": (ghost,)}), *made.campaign.results[1:])
    before = view(made).register.total
    page = view(replace(made, campaign=made.campaign.model_copy(update={"results": results})))
    things = data(page)["things"]
    assert page.register.total == before + 1
    assert things["id"][-1] == "02:00:00:00:00:01"


def seen(method: str, error: str | None, value: float | None = 1.0, quantity: str = "presence") -> Observation:
    return Observation(
        method, "v", "t", "192.0.2.1", quantity, None if error else value, "ms", error, 0, 0, 1, 1, ""
    )  # fmt: skip


@pytest.mark.parametrize(
    ("observed", "zh", "en"),
    [
        ([("neighbour", None), ("icmp-echo", None)], "到达网络层", "up to: network"),
        ([("icmp-echo", None), ("tcp-connect", "refused")], "止于传输层", "ends at: transport"),
        ([("neighbour", "absent"), ("icmp-echo", "timeout")], "止于链路层", "ends at: link"),
        ([("icmp-echo", "timeout"), ("application-exchange", None)], "到达应用层", "up to: application"),
        ([("icmp-echo", "vantage-lost")], "", ""),
        ([("cyclic-flow", None)], "", ""),
    ],
)
def test_layers_are_told_from_observations(observed: list[tuple[str, str | None]], zh: str, en: str) -> None:
    noted = Reached()
    rows = [seen(method, error) for method, error in observed]
    assert list(noted.noting(rows)) == rows
    assert reached(noted.layers().get("t", "")) == (zh, en)


def test_a_presence_of_nothing_is_no_sign_of_life() -> None:
    noted = Reached()
    list(noted.noting([seen("neighbour", None, 0.0), seen("icmp-echo", None, 3.0, "instrument")]))
    assert noted.layers() == {}


@given(st.text(max_size=60))
def test_layers_of_another_version_do_no_harm(text: str) -> None:
    for said in (reached(text), reached(f"layers {text}")):
        assert all(isinstance(words, str) for words in said)


def test_layers_as_indicators_tell_them_are_understood() -> None:
    assert reached(told(BIT["icmp-echo"], BIT["tcp-connect"])).en == "ends at: transport"


def test_the_layers_behind_a_campaign_are_told_of_each_object(made: Material) -> None:
    told = data(view(made))
    words = [told["words"]["layers"][code] for code in told["things"]["layers"]]
    by_id = dict(zip(told["things"]["id"], words, strict=True))
    assert by_id["e-00000"] == ["止于网络层", "ends at: network"]
    assert by_id["s-00001"] == ["到达网络层", "up to: network"]
