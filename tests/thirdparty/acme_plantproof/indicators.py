"""The indicator ``acme-level-share``: how many meters report enough of a level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from profiles.indicators import indicator
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Ratio
from profiles.reduced import Register
from profiles.requirement import Strict


class AcmeParameters(Strict):
    """What is enough."""

    least_dbm: float = -100.0
    attempts: int = 2


@indicator(
    "acme-level-share",
    unit="%",
    methods=("acme-greeting",),
    parameters=AcmeParameters,
    objects=("terminal",),
    title={"zh": "Acme 表计电平达标率", "en": "Share of Acme meters with enough level"},
)
def acme_level_share(register: Register, observations: Iterable[Observation], parameters: AcmeParameters) -> Ratio:
    """Meters whose every reported level is at least ``least_dbm``, over all meters."""
    levels: dict[str, list[float]] = defaultdict(list)
    for seen in observations:
        if seen.quantity == "acme-level" and seen.value is not None:
            levels[seen.target].append(seen.value)
    known = [member.id for member in register.members if len(levels[member.id]) >= parameters.attempts]
    low = [id for id in known if min(levels[id]) < parameters.least_dbm]
    failing = tuple(Finding(id, "check-failed", f"{min(levels[id])} dBm") for id in low)
    return Ratio(
        len(known) - len(low), len(known), len(register.members) - len(known), failing=failing, basis="terminal"
    )
