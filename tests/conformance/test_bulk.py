"""Actions of many items become one bulk action per vantage, method, window and parameters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conformance.bulk import Bulk
from probes.action import Action
from probes.action import Target

_targets = st.lists(st.sampled_from([Target(f"e{n}", f"192.0.2.{n}", "cell") for n in range(1, 9)]), max_size=6)
_actions = st.lists(
    st.builds(
        Action,
        vantage=st.sampled_from(["a", "b"]),
        method=st.sampled_from(["icmp-echo", "tcp-connect"]),
        targets=_targets.map(tuple),
        parameters=st.sampled_from([{"attempts": 1}, {"attempts": 2}]),
        window=st.integers(0, 2),
    ),
    max_size=12,
)


def _probes(actions: list[Action]) -> set[tuple[str, str, str, int, Target]]:
    return {
        (action.vantage, action.method, str(action.parameters), action.window, target)
        for action in actions
        for target in action.targets
    }


@given(_actions)
def test_merging_loses_and_doubles_nothing(actions: list[Action]) -> None:
    bulk = Bulk()
    bulk.add(actions)
    merged = list(bulk)
    assert _probes(merged) == _probes(actions)
    assert sum(len(action.targets) for action in merged) == len(_probes(actions))


@given(_actions, st.integers(0, 11))
def test_what_is_taken_once_is_never_given_again(actions: list[Action], index: int) -> None:
    bulk = Bulk()
    bulk.add(actions)
    asked = actions[index : index + 1]
    assert _probes(asked) <= _probes(bulk.take(asked))
    assert bulk.take(asked) == []


def test_other_items_ride_along_in_the_same_bulk_action() -> None:
    first = Action("a", "icmp-echo", (Target("e1", "192.0.2.1", "cell"),), {"attempts": 1})
    second = Action("a", "icmp-echo", (Target("e2", "192.0.2.2", "cell"),), {"attempts": 1})
    bulk = Bulk()
    bulk.add([first])
    bulk.add([second])
    (taken,) = bulk.take([first])
    assert [target.id for target in taken.targets] == ["e1", "e2"]
