"""What the gate remembers of each zone and each device, and when the next probe may go. No sockets here."""

from __future__ import annotations

from collections.abc import Callable

from probes.pace import SECOND_NS
from probes.pace import Pace
from probes.permit import LEVELS
from probes.permit import ZonePermit

BACK_OFF_LIMIT = 8  #: the pause between probes of a device grows to no more than this many times the usual one
BUSY_NS = 5_000_000  #: when to ask again for a device that has all its permitted connections open


class Zone:
    """One zone's budgets and why it was stopped, if it was."""

    __slots__ = ("_bits", "_bytes_left", "_packets", "_utc", "gap_ns", "limited", "permit", "rank", "stopped")

    def __init__(self, permit: ZonePermit, utc: Callable[[], int]) -> None:
        self.permit = permit
        rate = permit.packets_per_s_per_device
        self.gap_ns = int(SECOND_NS / rate) + 1 if rate is not None else 0  #: usual pause between probes of one device
        self.rank = LEVELS.index(permit.level)
        self.stopped = ""  #: why nothing may be sent into the zone any more
        self._utc = utc
        self._packets = Pace(permit.packets_per_s) if permit.packets_per_s is not None else None
        self._bits = Pace(permit.bits_per_s) if permit.bits_per_s is not None else None
        self._bytes_left = permit.total_bytes
        limits = (permit.packets_per_s, permit.bits_per_s, permit.total_bytes)
        windows = (permit.open_from_utc_ns, permit.open_until_utc_ns)
        self.limited = any(limit is not None for limit in limits + windows)

    def wait_ns(self, now_ns: int, packets: int, size: int) -> int:
        """Nanoseconds until the claim may pass; one that never may sets :attr:`stopped`, and gets 1."""
        if self._bytes_left is not None and size > self._bytes_left:
            self.stopped = "byte-budget-exhausted"
            return 1
        permit = self.permit
        wait_ns = 0
        if permit.open_until_utc_ns is not None and self._utc() >= permit.open_until_utc_ns:
            self.stopped = "time-window-closed"
            return 1
        if permit.open_from_utc_ns is not None:
            wait_ns = max(wait_ns, permit.open_from_utc_ns - self._utc())
        if self._packets is not None:
            wait_ns = max(wait_ns, self._packets.wait_ns(now_ns, packets))
        if self._bits is not None:
            wait_ns = max(wait_ns, self._bits.wait_ns(now_ns, size * 8))
        return wait_ns

    def charge(self, now_ns: int, packets: int, size: int) -> None:
        """Take a claim from the budgets."""
        if self._bytes_left is not None:
            self._bytes_left -= size
        if self._packets is not None:
            self._packets.charge(now_ns, packets)
        if self._bits is not None:
            self._bits.charge(now_ns, size * 8)

    def settle(self, charged_ns: int, left_ns: int) -> None:
        """What was claimed at ``charged_ns`` left at ``left_ns``."""
        for pace in (self._packets, self._bits):
            if pace is not None:
                pace.settle(charged_ns, left_ns)

    def refund(self, charged_ns: int, packets: int, size: int) -> None:
        """Give back what a claim asked for as an upper bound and did not use."""
        if self._bytes_left is not None:
            self._bytes_left += size
        if self._packets is not None:
            self._packets.refund(charged_ns, packets)
        if self._bits is not None:
            self._bits.refund(charged_ns, size * 8)


class Device:
    """One device's rhythm, back-off and open connections, whichever of its addresses is probed."""

    __slots__ = (
        "_back_off", "_gap_ns", "_other_ways", "_silence", "_way", "connections", "id", "permit", "ready_ns", "sent_ns",
        "steady",
    )  # fmt: skip

    def __init__(self, id: str, zone: Zone, shared_by: int = 1) -> None:
        """The device ``id`` of a zone, to whose rate this vantage point has one part of ``shared_by``."""
        self.id = id
        self.permit = zone.permit
        self.ready_ns = 0  #: earliest time of the next probe
        self.sent_ns = 0  #: time of the last one
        self.connections = 0  #: open now
        self.steady = False  #: whether it answered the last probe that was decided
        self._way: object = None  #: the first address, method and port at which it has answered
        self._other_ways: set[object] | None = None  #: most devices have one way only, and a set takes 216 bytes
        self._gap_ns = zone.gap_ns * shared_by
        self._back_off = 1
        self._silence = 0

    @property
    def gap_ns(self) -> int:
        """Usual pause between its probes."""
        return self._gap_ns

    def wait_ns(self, now_ns: int, connects: bool) -> int:
        """Nanoseconds until the device may be probed again; 0 means now."""
        if connects and self.connections >= self.permit.max_connections_per_device:
            return max(self.ready_ns - now_ns, BUSY_NS)
        return self.ready_ns - now_ns if self.ready_ns > now_ns else 0

    def probe(self, now_ns: int, connects: bool) -> None:
        """Note that a probe leaves now."""
        self.connections += connects
        self.sent_ns = now_ns
        self.ready_ns = now_ns + self._gap_ns * self._back_off if self._gap_ns else 0

    def settle(self, charged_ns: int, left_ns: int) -> None:
        """What was claimed at ``charged_ns`` left at ``left_ns``."""
        if self.ready_ns:
            self.ready_ns += left_ns - charged_ns
            self.sent_ns = left_ns

    def heard(self, way: object) -> None:
        """It answered on ``way`` (method, address and port): the usual rhythm again."""
        self.steady = True
        if self._way is None:
            self._way = way
        elif way != self._way:
            self._other_ways = self._other_ways or set()
            self._other_ways.add(way)
        self._silence = 0
        self._back_off = 1

    def silent(self, way: object) -> bool:
        """It did not answer on ``way``; whether that makes it a device that answered before and has gone silent.

        Only silence where it used to answer counts, and any answer ends it: a device that filters echo requests, or
        has a dead address, is not one that was harmed.
        """
        self.steady = False
        self._silence += way == self._way or way in (self._other_ways or ())
        if self._back_off < BACK_OFF_LIMIT:
            self._back_off *= 2
        if self._gap_ns:
            self.ready_ns = max(self.ready_ns, self.sent_ns + self._gap_ns * self._back_off)
        limit = self.permit.silence_limit
        return limit is not None and self._silence >= limit
