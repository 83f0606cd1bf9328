"""What tests of rates have in common: which directions, how long, how fast, and how many bytes at most. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields
from math import ceil
from typing import Any
from typing import Self

from probes.action import Target
from probes.iperf3_report import Asked
from probes.permit import ZonePermit

LEVEL = "load"
DIRECTIONS = {"up": ("up",), "down": ("down",), "both": ("up", "down")}
SEGMENT_BYTES = 1200  #: payload of a TCP segment on a path of IPv6's least MTU (RFC 8200 section 5)
CONTROL_BYTES = 1 << 16  #: iperf3's control connection, at most
LARGEST_BLOCK, BLOCKS_PER_S = 1 << 17, 50  #: libiperf paces by whole blocks; several a second keep the pace even


@dataclass(frozen=True)
class LoadParameters:
    """What every method that measures rates is asked, whatever carries the data."""

    attempts: int = 1  #: tests of each target in each direction
    direction: str = "both"  #: "up" is towards the target, "down" from it
    streams: int = 1  #: parallel streams of one test
    limit_mbit_s: float = 1000.0  #: rate that is not exceeded, all streams together
    timeout_ms: float = 3000.0  #: for the connection

    def __post_init__(self) -> None:
        if min(self.attempts, self.streams, self.limit_mbit_s, self.timeout_ms) <= 0:
            raise ValueError(f"attempts, streams and limits must be positive: {self}")
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

    def bits_per_s(self, zone: ZonePermit) -> int:
        """Payload that may flow: what is asked, as far as the zone's budget permits it."""
        permitted = [self.limit_mbit_s * 1e6]
        if zone.bits_per_s is not None:
            permitted.append(zone.bits_per_s / self.overhead)
        if zone.packets_per_s is not None:
            permitted.append(zone.packets_per_s * self.packet_bytes * 8 / self.overhead)
        return max(int(min(permitted)), 1)

    def permit_binds(self, zone: ZonePermit) -> bool:
        """Whether the zone's budget permits less than is asked."""
        return self.bits_per_s(zone) < int(self.limit_mbit_s * 1e6)

    def bytes(self, zone: ZonePermit) -> int:
        """IP bytes of one test, at most."""
        raise NotImplementedError

    def packets(self, zone: ZonePermit) -> int:
        """IP packets of one test, at most."""
        return ceil(self.bytes(zone) / self.packet_bytes)


def of_directions(quantities: Iterable[str]) -> Callable[[Mapping[str, Any]], Collection[str]]:
    """Tells which of ``quantities``, named after their direction, are owed under an action's parameters."""
    known = tuple(quantities)

    def owed(parameters: Mapping[str, Any]) -> Collection[str]:
        ways = DIRECTIONS.get(parameters.get("direction", "both"), DIRECTIONS["both"])
        return [it for it in known if it.rpartition("-")[2] in ways]

    return owed


@dataclass(frozen=True)
class RateTestParameters(LoadParameters):
    """Parameters of a method that measures rates with an iperf3 server."""

    duration_s: int = 3  #: that count, whole seconds
    omit_s: int = 1  #: left out at the beginning, whole seconds
    margin_s: float = 10.0  #: how long a test may take more than it should, before it is ended
    busy_retries: int = 5  #: how often a busy server is asked again
    busy_pause_s: float = 2.0  #: pause before that
    timeout_retries: int = 0  #: how often a test that came to nothing in its time is made again

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.duration_s, self.margin_s) <= 0 or min(self.omit_s, self.busy_retries, self.timeout_retries) < 0:
            raise ValueError(f"durations must be positive, and retries not negative: {self}")

    @property
    def longest_s(self) -> float:
        """When one test is ended at the latest."""
        return self.timeout_ms / 1000 + self.omit_s + self.duration_s + self.margin_s

    def bytes(self, zone: ZonePermit) -> int:
        """IP bytes of one test, at most; one second more than it lasts, because libiperf paces by blocks."""
        seconds = self.omit_s + self.duration_s + 1
        return ceil(self.bits_per_s(zone) / 8 * seconds * self.overhead) + CONTROL_BYTES

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
