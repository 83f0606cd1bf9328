"""Actions: what a suite asks to be measured, complete enough to be priced, permitted, sent and repeated.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """One address to be probed, or one instrument to be read, on behalf of one object of the plant file."""

    id: str  #: id of the object
    address: str  #: IPv4 or IPv6 address, with ``%interface`` if link-local; or a name of :attr:`Permit.local`
    zone: str  #: zone whose level and budget apply
    port: int | None = None  #: for methods that address a port
    ask: str = ""  #: what is asked of this very target, compact JSON; empty where the method needs nothing


@dataclass(frozen=True, slots=True)
class Action:
    """One method applied to many targets from one vantage point in one window."""

    vantage: str
    method: str
    targets: tuple[Target, ...]
    parameters: Mapping[str, Any]  #: the method's parameters, JSON types only
    window: int = 0
    not_before_s: float = 0.0  #: earliest start, seconds after that of the run that carries it (spread windows)

    def to_wire(self) -> dict[str, Any]:
        """Plain builtin types, for a channel or a file."""
        return asdict(self) | {"parameters": dict(self.parameters)}

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Action:
        """The inverse of :meth:`to_wire`."""
        targets = tuple(Target(**target) for target in wire["targets"])
        return cls(**{**wire, "targets": targets})


@dataclass(frozen=True, slots=True)
class Cost:
    """What an action puts on the wire at most, as seen at the vantage's interface."""

    packets: int  #: IP packets sent by the vantage; resolution by the kernel is not counted, unless it is the probe
    bytes: int  #: IP bytes sent by the vantage
    duration_s: float  #: longest time it can take, within the permitted rates
    level: str  #: safety level it needs: ``passive``, ``query``, ``load`` or ``adversarial``
