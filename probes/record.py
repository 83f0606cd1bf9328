"""From what happened to observations: one place that fills the record, so that every method fills it alike."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import cast

from probes.action import Action
from probes.action import Target
from profiles.observation import COLUMNS
from profiles.observation import Observation


class _Draft:
    """An observation of an answer while it is filled in; it becomes one by taking its class.

    A frozen dataclass sets its own fields by name, which takes three times as long, and an answer in a sweep has some
    10 us for everything. Both classes have the same slots, so Python allows the change; a test sees to it.
    """

    __slots__ = COLUMNS
    __class__: type[Any]

    if TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None: ...


class Recorder:
    """Makes the observations of one action; all of one quantity in one unit."""

    def __init__(self, action: Action, quantity: str, unit: str) -> None:
        self._action = action
        self._quantity = quantity
        self._unit = unit
        self._common = (action.method, action.vantage, quantity, unit, action.window)

    def value(
        self, target: Target, attempt: int, value: float, utc_ns: int, monotonic_ns: int, detail: str = ""
    ) -> Observation:
        """``target`` answered."""
        draft = _Draft()
        draft.method, draft.vantage, draft.quantity, draft.unit, draft.window = self._common
        draft.target = target.id
        draft.address = target.address
        draft.value = value
        draft.error = None
        draft.attempt = attempt
        draft.utc_ns = utc_ns
        draft.monotonic_ns = monotonic_ns
        draft.detail = detail
        draft.__class__ = Observation
        return cast("Observation", draft)

    def error(
        self, target: Target, attempt: int, error: str, utc_ns: int = 0, monotonic_ns: int = 0, **detail: object
    ) -> Observation:
        """``target`` did not answer, or could not be asked; without times, nothing was sent and they are now."""
        action = self._action
        detail = {"port": target.port} | detail if target.port is not None else detail
        return Observation(
            action.method, action.vantage, target.id, target.address, self._quantity, None, self._unit, error,
            action.window, attempt, utc_ns or time.time_ns(), monotonic_ns or time.monotonic_ns(), compact(detail),
        )  # fmt: skip

    def instrument(self, dropped: int, **facts: object) -> Observation:
        """How the tester itself fared: messages it dropped, and further counts."""
        action = self._action
        return Observation(
            action.method, action.vantage, "", "", "instrument", float(dropped), "1", None,
            action.window, 0, time.time_ns(), time.monotonic_ns(), compact(facts),
        )  # fmt: skip


def compact(facts: Mapping[str, Any]) -> str:
    """Facts as compact JSON; nothing if there are none."""
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=False) if facts else ""
