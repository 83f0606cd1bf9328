"""judge(): from a reduced value and a requirement to a verdict, by the requirement's decision rule."""

from __future__ import annotations

from profiles.reduced import Judgement
from profiles.reduced import Reduced
from profiles.requirement import Requirement


def judge(requirement: Requirement, reduced: Reduced) -> Judgement:
    """Decide; pure."""
    raise NotImplementedError
