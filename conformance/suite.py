"""How a suite function says what it measures.

A suite function takes a :class:`~fixtures.scoping.Case` and the plant, and returns the actions that would measure the
case's requirement. It sends nothing and decides nothing: the same function serves ``--plan``, the run, ``--resume``
and a unit test. The plugin parametrizes it with every planned case of its indicator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from fixtures.scoping import Case
from probes.action import Action
from profiles.indicators import is_computed

SuiteFunction = TypeVar("SuiteFunction", bound=Callable[..., list[Action]])

#: Name of the marker that :func:`measures` sets.
MARKER = "measures"

#: Name of the marker of the one function that lists the requirements no suite can measure.
OPEN_MARKER = "open_requirements"


def measures(indicator: str) -> Callable[[SuiteFunction], SuiteFunction]:
    """Declare that the decorated function measures ``indicator`` (an id of :mod:`profiles.indicators`)."""

    def declare(function: SuiteFunction) -> SuiteFunction:
        if not function.__doc__:
            raise ValueError(f"{function.__name__} needs a docstring that says how it measures")
        marked: SuiteFunction = pytest.mark.measures(indicator)(function)
        return marked

    return declare


def can_be_measured(case: Case) -> bool:
    """Whether a suite is to measure ``case``: it applies here, and its indicator is computed by something."""
    return not case.not_applicable and is_computed(case.requirement.indicator)
