"""Verdicts as pytest outcomes (the mapping of docs/verdicts.md)."""

from __future__ import annotations

import pytest

from profiles.language import current_language
from profiles.verdict import Verdict
from reports.result import Result
from reports.wording import reason

#: Verdicts that pytest shows as skipped: nothing was shown either way.
_SKIPPED = frozenset({Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.NOT_TESTED})


def note_result(item: pytest.Item, result: Result) -> None:
    """Attach what a JUnit or HTML view of pytest's own needs to tell the verdict."""
    item.user_properties.append(("verdict", result.verdict.value))
    item.user_properties.append(("requirement", result.requirement))
    item.user_properties.append(("reason", result.reason))
    if result.value is not None:
        item.user_properties.append(("value", f"{result.value} {result.unit}".strip()))


def settle(result: Result) -> None:
    """Turn a verdict into the item's outcome.

    Raises:
        Failed: for ``fail``, and for ``error`` (raised in the setup phase, which pytest shows as an error).
        Skipped: for ``inconclusive``, ``not-applicable`` and ``not-tested``.
    """
    said = reason(result.reason, result.facts).in_language(current_language())
    text = f"{result.item} {result.verdict}: {said}"
    if result.verdict in (Verdict.FAIL, Verdict.ERROR):
        pytest.fail(text, pytrace=False)
    if result.verdict in _SKIPPED:
        pytest.skip(text)
