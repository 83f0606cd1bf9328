"""Campaigns beside each other: what changed between two, and how values went over years."""

from pathlib import Path

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.comparison.compare import Comparison
from reports.comparison.compare import asked_otherwise
from reports.comparison.compare import compare
from reports.comparison.compare import planned
from reports.comparison.series import Series
from reports.comparison.series import series

__all__ = ["Comparison", "Series", "asked_otherwise", "compare", "planned", "series", "sound_bundle"]


def sound_bundle(path: Path) -> Bundle:
    """The bundle at ``path``, if it is what was sealed: to be compared with anything else would mislead.

    Raises:
        UserMistake: if it cannot be read, or verification finds anything.
    """
    from reports.verify import verify

    if wrong := len(verify(path).alterations):
        raise UserMistake([Problem("compare-altered", "reports", file=str(path), facts={"count": wrong})])
    return Bundle.open(path)
