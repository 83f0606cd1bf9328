"""What tests of rates have in common, TCP or UDP: how long, how fast, and what they put on the wire at most. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields
from dataclasses import replace
from functools import partial
from math import ceil
from typing import Any
from typing import Self

from probes import working_latency
from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.iperf3_report import Asked
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ports import Ticket
from probes.price import price

LEVEL = "load"
DIRECTIONS = {"up": ("up",), "down": ("down",), "both": ("up", "down")}
SEGMENT_BYTES = 1200  #: payload of a TCP segment on a path of IPv6's least MTU (RFC 8200 section 5)
CONTROL_BYTES = 1 << 16  #: iperf3's control connection, at most
LARGEST_BLOCK, BLOCKS_PER_S = 1 << 17, 50  #: libiperf paces by whole blocks; several a second keep the pace even


@dataclass(frozen=True)
class RateTestParameters:
    """Parameters of a method that measures rates with an iperf3 server."""

    attempts: int = 1  #: tests of each target in each direction
    direction: str = "both"  #: "up" is towards the target, "down" from it
    duration_s: int = 3  #: that count, whole seconds
    omit_s: int = 1  #: left out at the beginning, whole seconds
    streams: int = 1  #: parallel streams of one test
    limit_mbit_s: float = 1000.0  #: rate that is not exceeded, all streams together
    timeout_ms: float = 3000.0  #: for the connection
    margin_s: float = 10.0  #: how long a test may take more than it should, before it is ended
    busy_retries: int = 5  #: how often a busy server is asked again
    busy_pause_s: float = 2.0  #: pause before that
    timeout_retries: int = 0  #: how often a test that came to nothing in its time is made again

    def __post_init__(self) -> None:
        whole = (self.attempts, self.duration_s, self.streams)
        if (
            min(*whole, self.limit_mbit_s, self.timeout_ms, self.margin_s) <= 0
            or min(self.omit_s, self.busy_retries) < 0
        ):
            raise ValueError(f"attempts, durations, streams and limits must be positive: {self}")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"direction {self.direction!r} is none of {', '.join(DIRECTIONS)}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """From an action's parameters; what is not for this method is left aside."""
        names = {it.name for it in fields(cls)}
        return cls(**{name: value for name, value in parameters.items() if name in names})

    @property
    def directions(self) -> tuple[str, ...]:
        """What is measured, a test each."""
        return DIRECTIONS[self.direction]

    @property
    def overhead(self) -> float:
        """IP bytes over payload bytes: headers of segments on a path of the least MTU, and some retransmissions."""
        return 1.1

    @property
    def packet_bytes(self) -> int:
        """Payload of one packet."""
        return SEGMENT_BYTES

    @property
    def longest_s(self) -> float:
        """When one test is ended at the latest."""
        return self.timeout_ms / 1000 + self.omit_s + self.duration_s + self.margin_s

    def bits_per_s(self, zone: ZonePermit) -> int:
        """Payload that may flow: what is asked, as far as the zone's budget permits it."""
        permitted = [self.limit_mbit_s * 1e6]
        if zone.bits_per_s is not None:
            permitted.append(zone.bits_per_s / self.overhead)
        if zone.packets_per_s is not None:
            permitted.append(zone.packets_per_s * self.packet_bytes * 8 / self.overhead)
        return max(int(min(permitted)), 1)

    def bytes(self, zone: ZonePermit) -> int:
        """IP bytes of one test, at most; one second more than it lasts, because libiperf paces by blocks."""
        seconds = self.omit_s + self.duration_s + 1
        return ceil(self.bits_per_s(zone) / 8 * seconds * self.overhead) + CONTROL_BYTES

    def packets(self, zone: ZonePermit) -> int:
        """IP packets of one test, at most."""
        return ceil(self.bytes(zone) / self.packet_bytes)

    def asked(self, target: Target, zone: ZonePermit, direction: str) -> Asked:
        """The question that one test puts."""
        return Asked(
            target.address,
            target.port or 0,
            direction == "down",
            self.streams,
            self.duration_s,
            self.omit_s,
            self.bits_per_s(zone),
        )

    def request(self, asked: Asked) -> dict[str, Any]:
        """What the task is told (:mod:`probes.tasks.iperf3_client`)."""
        block = max(SEGMENT_BYTES, asked.bits_per_s // asked.streams // 8 // BLOCKS_PER_S)
        return {
            "address": asked.address,
            "port": asked.port,
            "reverse": asked.reverse,
            "streams": asked.streams,
            "duration_s": asked.duration_s,
            "omit_s": asked.omit_s,
            "bits_per_s": max(asked.bits_per_s, asked.streams),
            "block_bytes": min(block, LARGEST_BLOCK),
            "connect_timeout_ms": int(self.timeout_ms),
            "congestion": "",
            "udp": False,
            "socket_bytes": 0,
        }


def total(action: Action, permit: Permit, parameters: RateTestParameters, *, echoes: bool) -> Cost:
    """Every test in each direction at the full permitted rate; what a server sends is charged as if it were sent."""
    tests = len(parameters.directions) * parameters.attempts
    waiting_s = parameters.longest_s + parameters.busy_retries * parameters.busy_pause_s
    parts = []
    for zone in dict.fromkeys(target.zone for target in action.targets):
        limits = permit.zones.get(zone, ZonePermit(zone, LEVEL))
        size, packets = parameters.bytes(limits), parameters.packets(limits)
        part = replace(action, targets=tuple(target for target in action.targets if target.zone == zone))
        longest_s = waiting_s * tests * len(part.targets)
        parts.append(
            price(part, permit, LEVEL, attempts=tests, packets=packets, size=partial(_same, size), waiting_s=longest_s)
        )
        if echoes:
            parts.append(working_latency.cost(part, permit, tests, parameters.duration_s))
    return _sum(parts)


def _same(size: int, _ticket: Ticket) -> int:
    return size


def _sum(parts: Iterable[Cost]) -> Cost:
    found = Cost(0, 0, 0.0, LEVEL)
    for one in parts:
        found = Cost(found.packets + one.packets, found.bytes + one.bytes, found.duration_s + one.duration_s, LEVEL)
    return found
