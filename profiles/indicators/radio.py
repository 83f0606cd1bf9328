"""5G: whether modems are registered in standalone mode, and how strong the signal is where they are.

What a modem reports of itself; no service is proved by it (a cell may have signal and give no service).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from statistics import median_low

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import facts
from profiles.indicators.trials import where
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Strict

#: SS-RSRP that can be reported, dBm, with the lower bound of its lowest interval (3GPP TS 38.133 table 10.1.6.1-1).
RSRP_DBM = (-157.0, -30.0)
_REASONS = {"timeout": "no-answer", "late": "late-answer", "absent": "no-nr-signal"}
#: What a refused command port was, each a text ``reason.*``; a port of which no more is known is ``send-failed``.
PORT_TROUBLE = frozenset({"no-such-port", "no-command-port", "port-busy", "port-lost", "port-unusable"})


class RadioParameters(Strict):
    """How modems are sampled; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=5, ge=1, le=100)  #: readings of each modem
    interval_ms: float = Field(default=500, ge=0, le=60_000)  #: between the beginnings of two readings
    timeout_ms: float = Field(default=2000, gt=0, le=60_000)  #: for each answer of a modem


@dataclass(slots=True)
class _Modem:
    """What one modem said; the first trouble stands for all others."""

    values: dict[int, float] = field(default_factory=dict)  #: by attempt
    absent: set[int] = field(default_factory=set)  #: attempts at which it said that it had no such reading
    trouble: str = ""
    where: str = ""  #: the port, and the kernel's reason, if the trouble was the kernel's


def _collected(
    register: Register, observations: Iterable[Observation], quantity: str, attempts: int, low: float, high: float
) -> dict[str, _Modem]:
    modems = {member.id: _Modem() for member in register.members if member.drawn}
    for seen in observations:
        modem = modems.get(seen.target)
        if modem is None or seen.quantity != quantity or seen.window or not 0 <= seen.attempt < attempts:
            continue
        if seen.value is not None and low <= seen.value <= high:  # NaN compares false
            modem.values[seen.attempt] = seen.value
        elif seen.error == "absent":
            modem.absent.add(seen.attempt)
        elif not modem.trouble:
            modem.trouble, modem.where = _trouble(seen), where(seen)
    return modems


def _trouble(seen: Observation) -> str:
    error, told = seen.error or "bad-answer", facts(seen.detail).get("reason")
    if error == "send-failed" and isinstance(told, str) and told in PORT_TROUBLE:
        return told
    return _REASONS.get(error, error)


@indicator("nr-registration", unit="%", methods=("modem-status",), parameters=RadioParameters, objects=("modem",))
def nr_registration(register: Register, observations: Iterable[Observation], parameters: RadioParameters) -> Reduced:
    """Modems registered in standalone mode at every reading, over all modems that could be asked.

    Registered: at home or roaming (3GPP TS 27.007 clause 10.1.46). Standalone: connected to a 5G core over NR (access
    technology 11, clause 7.3), or the modem says so. One reading without registration shows that a modem is not; one
    that does not answer is unknown.
    """
    attempts = parameters.attempts
    modems = _collected(register, observations, "registration", attempts, 0, 1)
    missing, unknown = [], []
    for id, modem in modems.items():
        registered = sum(value == 1 for value in modem.values.values())
        note = f"{registered}/{attempts}"
        if registered < len(modem.values):
            missing.append(Finding(id, "partly-registered" if registered else "not-registered", note))
        elif registered < attempts:
            notes = filter(None, (note if registered else "", modem.where))
            unknown.append(Finding(id, modem.trouble or "not-measured", " · ".join(notes)))
    known = len(modems) - len(unknown)
    population = None if register.census else len(register.members)
    failing = (*missing, *unknown)
    return Ratio(known - len(missing), known, len(unknown), population, failing=failing)


@indicator("nr-rsrp", unit="dBm", methods=("modem-status",), parameters=RadioParameters, objects=("modem",))
def nr_rsrp(register: Register, observations: Iterable[Observation], parameters: RadioParameters) -> Reduced:
    """SS-RSRP (3GPP TS 38.215 clause 5.1.1) of each modem: the median of its readings.

    A median is the same in mW and in dBm, so nothing is averaged in the wrong domain; of an even number, the lower of
    the two in the middle. A reading at which the modem had no NR cell counts as lower than any number. A modem whose
    median is such a reading, or that gave none, is unknown.
    """
    modems = _collected(register, observations, "ss-rsrp", parameters.attempts, *RSRP_DBM)
    medians: dict[str, float] = {}
    unknown = []
    for id, modem in modems.items():
        readings = [*modem.values.values(), *[-math.inf] * len(modem.absent)]
        middle = median_low(readings) if readings else -math.inf
        if math.isfinite(middle):
            medians[id] = middle
        else:
            unknown.append(
                Finding(id, "no-nr-signal")
                if modem.absent
                else Finding(id, modem.trouble or "not-measured", modem.where)
            )
    return Samples(tuple(medians.values()), "dBm", len(unknown), tuple(medians), tuple(unknown), ("reported-by-modem",))
