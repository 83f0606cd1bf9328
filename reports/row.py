"""An observation as a row of the evidence store: what SQLite cannot hold as it is, and what no bundle could hold."""

from __future__ import annotations

from typing import Any

from profiles.observation import COLUMNS
from profiles.observation import Observation

_VALUE = COLUMNS.index("value")
#: What a bundle's columns can hold, where a number is an integer.
_MOST = {"value": 2**63, "window": 2**31, "attempt": 2**31, "utc_ns": 2**63, "monotonic_ns": 2**63}


def stored(observation: Observation) -> tuple[Any, ...]:
    """The row as SQLite and a bundle can hold it.

    Raises:
        ValueError: if a number is too large for that.
    """
    for name, most in _MOST.items():
        number = getattr(observation, name)
        if isinstance(number, int) and not -most <= number < most:
            raise ValueError(f"{name} of an observation of {observation.target!r} is out of range")
    row = observation.row()
    if row[_VALUE] != row[_VALUE]:  # NaN, for which SQLite has no number: it would become NULL
        return (*row[:_VALUE], "nan", *row[_VALUE + 1 :])
    return row


def restored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The fields of the observation of which :func:`stored` made ``row``."""
    if type(row[_VALUE]) is str:
        return (*row[:_VALUE], float(row[_VALUE]), *row[_VALUE + 1 :])
    return row
