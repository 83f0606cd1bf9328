"""Industrial PON: how much more light optical network units receive than their receivers need."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from fractions import Fraction

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Strict

_REASONS = {"timeout": "no-answer", "late": "late-answer"}


class OpticalParameters(Strict):
    """How units are asked about; the defaults are proposals of this project."""

    timeout_ms: float = Field(default=3000, gt=0, le=60_000)  #: for each response of an OLT
    retries: int = Field(default=1, ge=0, le=5)  #: further tries of a request that was not answered
    chunk: int = Field(default=16, ge=1, le=64)  #: objects in one request


@indicator("onu-rx-margin", unit="dB", methods=("snmp-read",), parameters=OpticalParameters, objects=("onu",))
def onu_rx_margin(register: Register, observations: Iterable[Observation], parameters: OpticalParameters) -> Reduced:
    """Received optical power of each unit, as its OLT reports it, less the receiver sensitivity of its module.

    A unit that is off line, or of which there is no reading, is unknown: it may be switched off, so that nothing is
    shown of its fibre, and as long as one is unknown the requirement is not met either. Received power comes from the
    module's own monitor; the limit is to allow for its accuracy.
    """
    del parameters  # they say how to ask, not what an answer means
    sensitivity = {it.id: Fraction(it.fact("sensitivity_dbm")) for it in register.members if it.drawn}
    margins: dict[str, float] = {}
    trouble: dict[str, Finding] = {}
    for seen in observations:
        if seen.target not in sensitivity or seen.quantity != "onu-rx-power" or seen.window or seen.attempt:
            continue
        if seen.value is not None and math.isfinite(seen.value):
            margins[seen.target] = float(Fraction(repr(seen.value)) - sensitivity[seen.target])
        else:
            trouble[seen.target] = _trouble(seen)
    unknown = tuple(trouble.get(id, Finding(id, "not-measured")) for id in sensitivity if id not in margins)
    return Samples(tuple(margins.values()), "dB", len(unknown), tuple(margins), unknown, ("monitor-accuracy",))


def _trouble(seen: Observation) -> Finding:
    error = seen.error or "bad-answer"
    if error != "absent":
        return Finding(seen.target, _REASONS.get(error, error))
    facts = json.loads(seen.detail) if seen.detail else {}
    off_line = facts.get("reason") == "off-line"
    return Finding(seen.target, "onu-off-line" if off_line else "no-optical-reading", str(facts.get("status", "")))
