"""Bulk actions: what many items ask for, merged so that each address is probed once and shared by all of them."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.methods import method
from profiles.problem import Problem
from profiles.problem import UserMistake

#: What makes two actions part of one bulk action.
_Key = tuple[str, str, int]

#: Parameters of which the larger value serves both: an indicator leaves aside attempts beyond its own number, and takes
#: an answer that is slower than its own Tmax for none. All others are part of Type-P (RFC 2330 13) and must be equal.
LARGER_SERVES_BOTH = ("attempts", "timeout_ms")


def _key(action: Action) -> _Key:
    return action.vantage, action.method, action.window


@dataclass(frozen=True, slots=True)
class Priced:
    """An action and what it puts on the wire at most."""

    action: Action
    cost: Cost


class Bulk:
    """Merged actions, in the order in which they were first asked for.

    How something is probed is agreed on among all items of the campaign (:meth:`agree`), whether or not they were
    selected, so that going on with another selection measures in the same way. What is probed is what was selected
    (:meth:`add`).
    """

    def __init__(self) -> None:
        self._agreed: dict[_Key, Action] = {}
        self._targets: dict[_Key, dict[Target, None]] = {}
        self._asks: dict[tuple[_Key, str, str, int | None], str] = {}  # what is asked of a target; one thing only

    def agree(self, actions: Iterable[Action]) -> None:
        """Let ``actions`` have a say in how they and others of their kind are probed.

        Raises:
            UserMistake: if two of a kind cannot be measured together.
        """
        for action in actions:
            self._agree_on_asks(action)
            agreed = self._agreed.setdefault(_key(action), action)
            if agreed is not action:
                self._agreed[_key(action)] = _reconciled(agreed, action)

    def _agree_on_asks(self, action: Action) -> None:
        """An observation does not say what was asked, so that of one target only one thing can be asked."""
        for target in (it for it in action.targets if it.ask):
            asked = self._asks.setdefault((_key(action), target.id, target.address, target.port), target.ask)
            if asked != target.ask:
                raise UserMistake([_clash(action.method, f"ask: {target.id}", asked, target.ask)])

    @property
    def agreed(self) -> tuple[Action, ...]:
        """How everything that anybody asked for is probed; targets aside."""
        return tuple(self._agreed.values())

    def add(self, actions: Iterable[Action]) -> None:
        """Probe the targets of ``actions``, which were agreed on; a target asked for twice is probed once."""
        for action in actions:
            self._targets.setdefault(_key(action), {}).update(dict.fromkeys(action.targets))

    def take(self, actions: Iterable[Action]) -> list[Action]:
        """Remove and return the merged actions that ``actions`` are part of, with all ends of theirs; none twice."""
        keys = dict.fromkeys(map(_key, actions))
        found = together(list(self), [self._whole(key, self._targets[key]) for key in keys if key in self._targets])
        for action in found:
            del self._targets[_key(action)]
        return found

    def __iter__(self) -> Iterator[Action]:
        """The merged actions, kept."""
        return (self._whole(key, targets) for key, targets in self._targets.items())

    def _whole(self, key: _Key, targets: dict[Target, None]) -> Action:
        return replace(self._agreed[key], targets=tuple(targets))


def together(actions: Sequence[Action], chosen: Sequence[Action]) -> list[Action]:
    """``chosen``, and those of ``actions`` without which they cannot be performed: the other ends of joint methods.

    An action is performed whole, so that the other ends of all its targets belong to it, and theirs in turn.
    """
    found = list(chosen)
    known = set(map(_key, chosen))
    others = {_key(it): it for it in actions if method(it.method).joint and _key(it) not in known}
    for action in found:  # which grows meanwhile
        ids = {target.id for target in action.targets}
        for key, other in list(others.items()):
            same = (other.method, other.window) == (action.method, action.window)
            if same and not ids.isdisjoint(target.id for target in other.targets):
                found.append(others.pop(key))
    return found


def owed(actions: Sequence[Action], missing: Callable[[Action], Action | None]) -> list[Action]:
    """What is left to do of merged ``actions``, where ``missing`` says what one of them lacks.

    Of a joint method, what is owed of one end is owed of all, whole: an end that is performed alone meets nobody, and
    what it says then would replace what had been measured.
    """
    left = {_key(action): lacking for action in actions if (lacking := missing(action))}
    due = {_key(it) for it in together(actions, [action for action in actions if _key(action) in left])}
    return [it if method(it.method).joint else left[_key(it)] for it in actions if _key(it) in due]


def _reconciled(one: Action, other: Action) -> Action:
    """One action that serves both; targets aside.

    Raises:
        UserMistake: naming each parameter in which they cannot be reconciled.
    """
    ours, theirs = ({**action.parameters, "not_before_s": action.not_before_s} for action in (one, other))
    names = list(dict.fromkeys([*ours, *theirs]))
    clashes = [name for name in names if name not in LARGER_SERVES_BOTH and ours.get(name) != theirs.get(name)]
    if clashes:
        raise UserMistake(_clash(one.method, name, ours.get(name), theirs.get(name)) for name in clashes)
    larger = {name: max(ours.get(name, 0), theirs.get(name, 0)) for name in LARGER_SERVES_BOTH if name in names}
    return replace(one, parameters={**one.parameters, **larger})


def _clash(method: str, name: str, one: Any, other: Any) -> Problem:  # noqa: ANN401 - a parameter's value
    facts = {"method": method, "name": name, "one": one, "other": other}
    return Problem("parameters-clash", catalogue="conformance", facts=facts)
