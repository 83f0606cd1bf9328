"""Which observations count: an attempt that a later session made again does not. The same rule as ``store.sql`` has."""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from profiles.observation import COLUMNS

_OF_AN_ATTEMPT = [COLUMNS.index(name) for name in ("method", "vantage", "target", "address", "window", "attempt")]
_DETAIL = COLUMNS.index("detail")
_RUN, _EFFECTIVE = len(COLUMNS), len(COLUMNS) + 1


def miscounted(rows: Callable[[], Iterable[tuple[Any, ...]]]) -> int:
    """How many rows are marked the wrong way. ``rows`` gives all of them, each time it is called."""
    first = min((row[_RUN] for row in rows()), default=0)
    latest: dict[tuple[Any, ...], int] = {}
    for row in rows():
        if row[_RUN] > first:
            key = _attempt(row)
            latest[key] = max(row[_RUN], latest.get(key, first))
    if not latest:
        return sum(not row[_EFFECTIVE] for row in rows())
    return sum(row[_EFFECTIVE] != (latest.get(_attempt(row), first) <= row[_RUN]) for row in rows())


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
