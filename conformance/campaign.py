"""A campaign: the plan, the actions that measure it, and the results, joined over one evidence store."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from fixtures.vantage import VantagePool
from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.methods import method
from profiles.indicators import find
from profiles.observation import Observation
from profiles.requirement import Profile
from reports.rejudge import not_tested
from reports.rejudge import rejudge
from reports.result import Result
from reports.store import EvidenceStore

#: What makes two actions one bulk action: everything but their targets.
_Key = tuple[str, str, int, float, str]


def _key(action: Action) -> _Key:
    parameters = json.dumps(dict(action.parameters), sort_keys=True)
    return action.vantage, action.method, action.window, action.not_before_s, parameters


class Bulk:
    """Actions of many items merged, so that each address is probed once per campaign and shared by all items."""

    def __init__(self) -> None:
        self._actions: dict[_Key, tuple[Action, dict[Target, None]]] = {}

    def add(self, actions: Iterable[Action]) -> None:
        """Merge ``actions`` into what is there."""
        for action in actions:
            self._actions.setdefault(_key(action), (action, {}))[1].update(dict.fromkeys(action.targets))

    def take(self, actions: Iterable[Action]) -> list[Action]:
        """Remove and return the merged actions that any of ``actions`` is part of."""
        keys = dict.fromkeys(map(_key, actions))
        found = [self._actions.pop(key) for key in keys if key in self._actions]
        return [replace(action, targets=tuple(targets)) for action, targets in found]

    def __iter__(self) -> Iterable[Action]:  # type: ignore[override]
        return iter([replace(action, targets=tuple(targets)) for action, targets in self._actions.values()])


@dataclass(frozen=True, slots=True)
class Priced:
    """An action and what it may put on the wire."""

    action: Action
    cost: Cost


@dataclass(slots=True)
class Campaign:
    """What is planned for a plant, and how far it is.

    Sends nothing before :meth:`collect`, which needs ``store`` and ``pool``.
    """

    plant: Plant
    profiles: Sequence[Profile]
    cases: dict[str, Case] = field(init=False)
    bulk: Bulk = field(default_factory=Bulk)

    def __post_init__(self) -> None:
        self.cases = {case.id: case for case in plan(self.plant, self.profiles)}
