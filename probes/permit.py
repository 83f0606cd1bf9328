"""Permits: what a vantage point may send, to whom, how fast and how much. Made by ``fixtures.scope``, kept by the gate.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from typing import Any

#: Safety levels, each including the ones before it.
LEVELS = ("passive", "query", "load", "adversarial")


@dataclass(frozen=True, slots=True)
class ZonePermit:
    """The level and the budgets of one zone at one vantage point. ``None`` means no limit of that kind."""

    zone: str
    level: str  #: highest of :data:`LEVELS` that may be used
    packets_per_s: float | None = None  #: all targets of the zone together
    packets_per_s_per_device: float | None = None  #: probes: an echo is one, a TCP connection is one
    bits_per_s: float | None = None
    total_bytes: int | None = None  #: over the whole campaign
    open_from_utc_ns: int | None = None  #: time window in which anything may be sent
    open_until_utc_ns: int | None = None
    max_connections_per_device: int = 1
    silence_limit: int | None = 3  #: silent probes in a row, of a device that had answered, which stop the zone


@dataclass(frozen=True, slots=True)
class Permit:
    """Everything one vantage point may do in one campaign."""

    vantage: str
    addresses: Mapping[str, str]  #: allow-list: each permitted address and the zone it belongs to
    zones: Mapping[str, ZonePermit]
    networks: Mapping[str, str]  #: declared lab ranges (CIDR) and the zone they belong to
    local: Mapping[str, str] = field(default_factory=dict)
    """What is no address and may be used at the vantage point itself (a command port, a management socket, a link, the
    node), and the zone whose level applies."""
    shared: Mapping[str, int] = field(default_factory=dict)
    """How many vantage points share the rate to the device with this address; one, if it is not named."""
    credentials: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What devices accept, by address; filled in when a vantage point is opened, and neither shown nor stored."""

    def to_wire(self) -> dict[str, Any]:
        """Plain builtin types, for a channel or a file."""
        return asdict(self)

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Permit:
        """The inverse of :meth:`to_wire`."""
        zones = {name: ZonePermit(**zone) for name, zone in wire["zones"].items()}
        rest = (dict(wire[name]) for name in ("networks", "local", "shared", "credentials"))
        return cls(wire["vantage"], dict(wire["addresses"]), zones, *rest)
