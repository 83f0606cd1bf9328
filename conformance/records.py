"""What the program performs itself: it puts on record what it has read, and nothing is sent (``Method.here``)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import replace

from fixtures.vantage.ledger import Ledger
from probes.action import Action
from probes.gate import Gate
from probes.methods import Method
from probes.methods import method
from probes.permit import Permit
from probes.recorded import HERE
from profiles.observation import Observation

#: Of the program itself: it may send nothing to anybody.
PERMIT = Permit(HERE, {}, {}, {})


def is_record(action: Action) -> bool:
    """Whether the program performs it itself."""
    return method(action.method).here


def put_on_record(actions: Sequence[Action], keep: Callable[[list[Observation]], None]) -> None:
    """Perform actions for which nothing is sent; every target gets its observations, also if the method fails."""
    for action in actions:
        how = method(action.method)
        owed = how.observes(action.parameters)
        ledger = Ledger(replace(action, parameters={"attempts": 1, **action.parameters}), owed)
        rows = _Rows()
        asyncio.run(_perform(how, action, rows))
        keep(ledger.strike(rows.found))
        keep(ledger.settle("method-failed", "nothing was read"))


async def _perform(how: Method, action: Action, rows: _Rows) -> None:
    await how.run(action, Gate(PERMIT), rows)


class _Rows:
    """Takes what a method emits."""

    def __init__(self) -> None:
        self.found: list[Observation] = []

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.found.extend(rows)

    def raw(self, name: str, text: str) -> None:
        """Nothing said but the rows."""
