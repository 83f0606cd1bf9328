"""Bulk actions: what many items ask for, merged so that each address is probed once and shared by all of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from probes.action import Action
from probes.action import Cost
from probes.action import Target

#: What makes two actions part of one bulk action: everything but their targets.
_Key = tuple[str, str, int, float, str]


def _key(action: Action) -> _Key:
    parameters = json.dumps(dict(action.parameters), sort_keys=True)
    return action.vantage, action.method, action.window, action.not_before_s, parameters


@dataclass(frozen=True, slots=True)
class Priced:
    """An action and what it puts on the wire at most."""

    action: Action
    cost: Cost


class Bulk:
    """Merged actions, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self._merged: dict[_Key, tuple[Action, dict[Target, None]]] = {}

    def add(self, actions: Iterable[Action]) -> None:
        """Merge ``actions`` into what is there; a target asked for twice is probed once."""
        for action in actions:
            self._merged.setdefault(_key(action), (action, {}))[1].update(dict.fromkeys(action.targets))

    def take(self, actions: Iterable[Action]) -> list[Action]:
        """Remove and return the merged actions that ``actions`` are part of; none twice."""
        keys = dict.fromkeys(map(_key, actions))
        return [self._whole(*self._merged.pop(key)) for key in keys if key in self._merged]

    def __iter__(self) -> Iterator[Action]:
        """The merged actions, kept."""
        return (self._whole(action, targets) for action, targets in self._merged.values())

    @staticmethod
    def _whole(action: Action, targets: dict[Target, None]) -> Action:
        return replace(action, targets=tuple(targets))
