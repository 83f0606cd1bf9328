"""Which observations count where a later session made an attempt again. ``store.sql`` holds the same rule as SQL.

Of all sessions that made an attempt, the rows of one count: of that in which most of its quantities say something about
its target; of several such, of the latest. So an interrupted repetition takes nothing away from what was measured
before, and what belongs together was measured together.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from profiles.observation import COLUMNS
from profiles.observation import INSTRUMENT_ERRORS

#: Errors that say nothing of the target and leave the attempt owed when a campaign is resumed. What the scope guard
#: refused, it would refuse again, so that is final; so is what a sound flow left out, which cannot be sent afterwards.
OWED = INSTRUMENT_ERRORS - {"refused-by-guard", "off-schedule"}

_OF_AN_ATTEMPT = [COLUMNS.index(name) for name in ("method", "vantage", "target", "address", "window", "attempt")]
_QUANTITY, _ERROR, _DETAIL = (COLUMNS.index(name) for name in ("quantity", "error", "detail"))
_RUN, _EFFECTIVE = len(COLUMNS), len(COLUMNS) + 1


def miscounted(rows: Callable[[], Iterable[tuple[Any, ...]]]) -> int:
    """How many rows are marked the wrong way. ``rows`` gives all of them, each time it is called."""
    first = min((row[_RUN] for row in rows()), default=0)
    again = {_attempt(row) for row in rows() if row[_RUN] > first}
    if not again:
        return sum(not row[_EFFECTIVE] for row in rows())
    said: dict[tuple[tuple[Any, ...], int], frozenset[str]] = {}
    shared: dict[frozenset[str], frozenset[str]] = {}  # quantities that occur together are few
    for row in rows():
        if (key := _attempt(row)) in again:
            known = said.get((key, row[_RUN]), frozenset())
            more = known if row[_ERROR] in OWED else known | {row[_QUANTITY]}
            said[key, row[_RUN]] = shared.setdefault(more, more)
    counting: dict[tuple[Any, ...], tuple[int, int]] = {}
    for (key, run), quantities in said.items():
        counting[key] = max((len(quantities), run), counting.get(key, (0, first)))
    return sum(row[_EFFECTIVE] != (counting.get(_attempt(row), (0, first))[1] == row[_RUN]) for row in rows())


def _attempt(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*(row[index] for index in _OF_AN_ATTEMPT), _port(row[_DETAIL]))


def _port(detail: str) -> object:
    if '"port"' not in detail:
        return None
    try:
        known = json.loads(detail)
    except (ValueError, RecursionError):
        return None
    port = known.get("port") if isinstance(known, dict) else None
    return port if isinstance(port, int | str | None) else None
