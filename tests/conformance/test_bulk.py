"""Actions of many items become one bulk action per vantage, method, window and parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.bulk import Bulk
from conformance.bulk import owed
from probes.action import Action
from probes.action import Target
from profiles.problem import UserMistake

_targets = st.lists(st.sampled_from([Target(f"e{n}", f"192.0.2.{n}", "cell") for n in range(1, 9)]), max_size=6)
_actions = st.lists(
    st.builds(
        Action,
        vantage=st.sampled_from(["a", "b"]),
        method=st.sampled_from(["icmp-echo", "tcp-connect"]),
        targets=_targets.map(tuple),
        parameters=st.builds(
            dict, attempts=st.integers(1, 5), timeout_ms=st.integers(1, 3000), payload_bytes=st.just(32)
        ),
        window=st.integers(0, 2),
    ),
    max_size=12,
)


def _probes(actions: list[Action]) -> set[tuple[str, str, int, Target]]:
    return {(action.vantage, action.method, action.window, target) for action in actions for target in action.targets}


def _bulk(actions: list[Action]) -> Bulk:
    bulk = Bulk()
    bulk.agree(actions)
    bulk.add(actions)
    return bulk


@given(_actions)
def test_merging_loses_and_doubles_nothing(actions: list[Action]) -> None:
    merged = list(_bulk(actions))
    assert _probes(merged) == _probes(actions)
    assert sum(len(action.targets) for action in merged) == len(_probes(actions))


@given(_actions, st.integers(0, 11))
def test_what_is_taken_once_is_never_given_again(actions: list[Action], index: int) -> None:
    bulk = _bulk(actions)
    asked = actions[index : index + 1]
    assert _probes(asked) <= _probes(bulk.take(asked))
    assert bulk.take(asked) == []


def test_other_items_ride_along_in_the_same_bulk_action() -> None:
    first = Action("a", "icmp-echo", (Target("e1", "192.0.2.1", "cell"),), {"attempts": 1})
    second = Action("a", "icmp-echo", (Target("e2", "192.0.2.2", "cell"),), {"attempts": 1})
    bulk = _bulk([first, second])
    (taken,) = bulk.take([first])
    assert [target.id for target in taken.targets] == ["e1", "e2"]


@given(_actions)
def test_everybody_gets_at_least_what_he_asked_for(actions: list[Action]) -> None:
    merged = {(action.vantage, action.method, action.window): action for action in _bulk(actions)}
    for action in actions:
        served = merged[action.vantage, action.method, action.window].parameters
        assert all(served[name] >= wanted for name, wanted in action.parameters.items())


def test_how_something_is_measured_does_not_depend_on_the_selection() -> None:
    patient = Action("a", "icmp-echo", (Target("e1", "192.0.2.1", "cell"),), {"attempts": 9, "timeout_ms": 3000})
    hasty = Action("a", "icmp-echo", (Target("e2", "192.0.2.2", "cell"),), {"attempts": 1, "timeout_ms": 100})
    bulk = Bulk()
    bulk.agree([patient, hasty])
    bulk.add([hasty])
    (action,) = bulk
    assert action.targets == hasty.targets
    assert action.parameters == patient.parameters


@pytest.mark.parametrize("changed", [{"payload_bytes": 64}, {"not_before_s": 5}])
def test_another_type_p_is_refused(changed: dict[str, int]) -> None:
    one = Action("a", "icmp-echo", (), {"attempts": 1, "payload_bytes": 32}, 1)
    start_s = changed.get("not_before_s", 0)
    payload = {name: value for name, value in changed.items() if name != "not_before_s"}
    other = Action("a", "icmp-echo", (), {**one.parameters, **payload}, 1, start_s)
    with pytest.raises(UserMistake, match=next(iter(changed))):
        Bulk().agree([one, other])


def test_of_one_target_only_one_thing_can_be_asked() -> None:
    def asking(ask: str) -> Action:
        return Action("a", "dns-query", (Target("e1", "192.0.2.1", "cell", ask=ask),), {"attempts": 2})

    assert len(list(_bulk([asking('{"name":"x"}'), asking('{"name":"x"}')]))) == 1
    with pytest.raises(UserMistake) as clash:
        _bulk([asking('{"name":"x"}'), asking('{"name":"y"}')])
    assert "dns-query" in clash.value.text("en")
    assert "e1" in clash.value.text("zh")


def _ends(vantage: str, *flows: str, method: str = "cyclic-flow", window: int = 0) -> Action:
    targets = tuple(Target(flow, "192.0.2.1", "cell") for flow in flows)
    return Action(vantage, method, targets, {"attempts": 100}, window)


def _lacking(*lacking: tuple[str, str]) -> Callable[[Action], Action | None]:
    """Says that these (vantage point, target) lack something."""

    def missing(action: Action) -> Action | None:
        left = tuple(target for target in action.targets if (action.vantage, target.id) in lacking)
        return replace(action, targets=left) if left else None

    return missing


def test_what_one_end_owes_is_owed_by_both_whole() -> None:
    plc, drive = _ends("plc", "axis", "back"), _ends("drive", "axis", "back")
    robot, agv, later = _ends("robot", "arm"), _ends("agv", "arm"), _ends("drive", "axis", window=1)
    actions = [plc, drive, robot, agv, later]
    assert owed(actions, _lacking()) == []
    assert owed(actions, _lacking(("plc", "axis"))) == [plc, drive]
    assert owed(actions[:4], _lacking(("agv", "arm"))) == [robot, agv]


def test_ends_are_followed_from_one_to_the_next() -> None:
    chain = [_ends("a", "one"), _ends("b", "one", "two"), _ends("c", "two", "three"), _ends("d", "three")]
    assert owed([*chain, _ends("e", "four")], _lacking(("a", "one"))) == chain


def test_what_takes_one_end_is_owed_by_that_alone() -> None:
    here, there = (_ends(vantage, "e1", "e2", method="icmp-echo") for vantage in ("a", "b"))
    (left,) = owed([here, there], _lacking(("a", "e2")))
    assert (left.vantage, [target.id for target in left.targets]) == ("a", ["e2"])


def test_no_end_is_taken_without_the_others() -> None:
    plc, drive, agv = _ends("plc", "axis", "arm"), _ends("drive", "axis"), _ends("agv", "arm")
    bulk = _bulk([plc, drive, agv])
    assert [action.vantage for action in bulk.take([drive])] == ["drive", "plc", "agv"]
    assert bulk.take([agv, plc]) == []
    assert _bulk([plc, drive, agv]).take([agv, drive, plc]) == [agv, drive, plc]
