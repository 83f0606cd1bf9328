"""Industrial PON: how far the light that units receive is from what their receivers cannot work with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Strict

#: An agent does not answer a community that it does not know, so that silence has more than one cause.
_REASONS = {"timeout": "no-snmp-answer", "late": "late-answer"}


class OpticalParameters(Strict):
    """How units are asked about; the defaults are proposals of this project."""

    timeout_ms: float = Field(default=3000, gt=0, le=60_000)  #: for each response of an OLT
    retries: int = Field(default=1, ge=0, le=5)  #: further tries of a request that was not answered
    chunk: int = Field(default=16, ge=1, le=64)  #: objects in one request


@indicator("onu-rx-margin", unit="dB", methods=("snmp-read",), parameters=OpticalParameters, objects=("onu",))
def onu_rx_margin(register: Register, observations: Iterable[Observation], parameters: OpticalParameters) -> Reduced:
    """Received optical power of each unit, as its OLT reports it, less the receiver sensitivity of its module.

    Where the module's overload is declared too, the margin is the smaller of that and of overload less received power:
    too much light is as bad as too little. Where it is not declared, too much light is not seen.

    A unit that is off line, or of which there is no reading, is unknown: it may be switched off, so that nothing is
    shown of its fibre, and as long as one is unknown the requirement is not met either. Received power comes from the
    module's own monitor; the limit is to allow for its accuracy.
    """
    del parameters  # they say how to ask, not what an answer means
    units = {it.id: it for it in register.members if it.drawn}
    margins: dict[str, float] = {}
    trouble: dict[str, Finding] = {}
    for seen in observations:
        if seen.target not in units or seen.quantity != "onu-rx-power" or seen.window or seen.attempt:
            continue
        if seen.value is not None and math.isfinite(seen.value):
            margins[seen.target] = float(_margin(Fraction(repr(seen.value)), units[seen.target]))
        else:
            trouble[seen.target] = _trouble(seen)
    unknown = tuple(trouble.get(id, Finding(id, "not-measured")) for id in units if id not in margins)
    return Samples(tuple(margins.values()), "dB", len(unknown), tuple(margins), unknown, ("monitor-accuracy",))


def _margin(power: Fraction, unit: Member) -> Fraction:
    above = power - Fraction(unit.fact("sensitivity_dbm"))
    overload = unit.fact("overload_dbm")
    return min(above, Fraction(overload) - power) if overload else above


def _trouble(seen: Observation) -> Finding:
    error = seen.error or "bad-answer"
    if error != "absent":
        return Finding(seen.target, _REASONS.get(error, error))
    told = facts(seen.detail)
    off_line = told.get("reason") == "off-line"
    return Finding(seen.target, "onu-off-line" if off_line else "no-optical-reading", str(told.get("status", "")))
