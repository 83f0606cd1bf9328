"""What plants must have in common to be compared: the same requirements, limits and rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from profiles.requirement import Profile

#: What decides how a requirement is judged. Titles, sources, remedies and weights do not, and neither does which
#: terminals a sample happens to draw.
_JUDGED_BY = {"id", "pillar", "indicator", "scope", "rule", "sample_rule", "quantile", "confidence", "parameters",
              "sample_size"}  # fmt: skip
_SHOWN = 12  #: hexadecimal digits: two profiles that differ have the same with a chance of 1 to 10^14


def basis(profiles: Iterable[Profile]) -> str:
    """A short name for what was asked of a plant: equal if the plants were asked the same and judged alike.

    Requirements that a profile omits are part of it, whatever the reason. What a plant tailors out is its own matter,
    and is told with its score.
    """
    asked = [
        {
            "profile": profile.profile,
            "omitted": sorted(profile.omitted),
            "requirements": [
                it.model_dump(mode="json", include=_JUDGED_BY)
                | {"limit": it.threshold and [it.threshold.op, it.threshold.value]}
                for it in sorted(profile.requirements, key=lambda it: it.id)
            ],
        }
        for profile in sorted(profiles, key=lambda profile: profile.profile)
    ]
    text = json.dumps(asked, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_SHOWN]
