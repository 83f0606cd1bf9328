"""Network access reachability (网络接入可达率): the share of objects with two-way connectivity (RFC 2678)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict


class ReachabilityParameters(Strict):
    """How reachability is sampled; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=5, ge=1, le=100)  #: probes per object, method and family in one window (N)
    timeout_ms: float = Field(default=1000, gt=0, le=60_000)  #: loss threshold Tmax of one probe (W)
    windows: int = Field(default=3, ge=1, le=100)  #: spread windows in each of which an answer is needed (M)
    spacing_s: float = Field(default=0, ge=0, le=86_400)  #: pause between windows
    payload_bytes: int = Field(default=32, ge=8, le=64)  #: ICMP payload; OT devices get no more than 64 bytes
    basis: Literal["area", "terminal", "both"] = "both"  #: reading of the definition; ``both`` judges the lower one


@indicator(
    "access-reachability",
    unit="%",
    methods=("icmp-echo", "tcp-connect", "neighbour"),
    parameters=ReachabilityParameters,
)
def access_reachability(
    register: Register, observations: Iterable[Observation], parameters: ReachabilityParameters
) -> Reduced:
    """Objects that answered at least one probe in every window, over all objects of the register."""
    return Invalid("nothing-measured")
