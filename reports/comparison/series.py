"""The same requirements over several campaigns, such as those of several years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from reports.bundle import Bundle
from reports.comparison.compare import Comparison
from reports.comparison.compare import Side
from reports.comparison.compare import compare
from reports.comparison.movement import Movement
from reports.result import Result


@dataclass(frozen=True)
class Row:
    """One item over the campaigns."""

    item: str
    results: tuple[Result | None, ...]  #: one for each campaign
    moved: tuple[Movement, ...]  #: from each campaign to the next
    overall: Movement  #: from the first campaign to the last


@dataclass(frozen=True)
class Series:
    """Items over campaigns, oldest first."""

    sides: tuple[Side, ...]
    rows: tuple[Row, ...]


def series(bundles: Sequence[Bundle]) -> Series:
    """The items of two or more ``bundles`` over time, by the times at which the campaigns began.

    A value moves as :func:`~reports.comparison.compare.compare` has it: not where something else was asked.

    Raises:
        UserMistake: if a bundle is malformed, or its plan is impossible.
    """
    ordered = sorted(bundles, key=lambda bundle: bundle.campaign.started_utc)
    steps = [_moved(compare(one, other)) for one, other in pairwise(ordered)]
    overall = _moved(compare(ordered[0], ordered[-1]))
    results = [{one.item: one for one in bundle.campaign.results if not one.scope} for bundle in ordered]
    items = dict.fromkeys(item for found in reversed(results) for item in found)
    rows = (
        Row(
            item,
            tuple(found.get(item) for found in results),
            tuple(step.get(item, Movement.NONE) for step in steps),
            overall.get(item, Movement.NONE),
        )
        for item in items
    )
    return Series(tuple(map(Side.of, ordered)), tuple(rows))


def _moved(comparison: Comparison) -> dict[str, Movement]:
    return {change.item: change.moved for change in comparison.changes}
