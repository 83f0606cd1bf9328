"""What both ends of a cyclic flow have in common: the plan, leave to send, and the offset of two clocks.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from probes.flow_port import FlowPort
from probes.gate import NEVER
from probes.gate import Gate
from probes.ports import Ticket

HANDSHAKE_S = 10.0  #: how long a talker asks for its listener
HELLO_GAP_S = 0.05  #: between two questions
EXCHANGES = 8  #: replies that make a talker begin
BYES = 40  #: questions at most when it has ended
CLOSING_S = BYES * HELLO_GAP_S + 1  #: how long taking leave may take
LEAD_NS = 100_000_000  #: from the last reply to the first message
LOOK_S = 0.1  #: longest wait between two looks at the kill switch

#: This host's own no: nothing was sent, and it says nothing about the network.
NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENODEV, errno.EADDRNOTAVAIL, errno.ENETDOWN})


@dataclass(frozen=True, slots=True)
class Plan:
    """One flow, as both ends know it."""

    flow: str  #: id
    interval_ns: int
    size: int  #: UDP payload of a message, octets
    count: int  #: messages
    timeout_ns: int  #: loss threshold Tmax

    @property
    def bytes_of_message(self) -> int:
        """IP octets of a message at most: IPv6."""
        return self.size + 48

    @property
    def length_ns(self) -> int:
        """From the first message to the end of the last interval."""
        return self.count * self.interval_ns


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why an end could not do its part, as an error code of observations and facts beside it."""

    error: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int) -> Trouble:
        """From this host's errno."""
        name = errno.errorcode.get(number, str(number))
        return cls("no-route" if number in NO_ROUTE else "send-failed", {"errno": name})


class Leave:
    """Asks the gate for leave to send, from the event loop and from the thread that paces; one at a time."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self._lock = threading.Lock()

    def claim(self, ticket: Ticket, size: int) -> int:
        """:meth:`probes.gate.Gate.claim` for one datagram, now."""
        with self._lock:
            return self.gate.claim(ticket, 1, size, self.gate.clock())

    def halted(self) -> bool:
        """Whether the kill switch has been thrown."""
        return self.gate.halted(self.gate.clock())

    def stopped(self, ticket: Ticket) -> Trouble:
        """Why nothing is sent any more."""
        return Trouble("stopped", {"reason": self.gate.why_stopped(ticket) or "kill-switch"})

    async def send(self, port: FlowPort, ticket: Ticket, data: bytes) -> int | None:
        """Send one datagram as soon as there is leave; its errno, or ``None`` if there is none any more."""
        size = len(data) + port.header_bytes
        while wait_ns := self.claim(ticket, size):
            if wait_ns == NEVER:
                return None
            await asyncio.sleep(min(wait_ns / 1e9, LOOK_S))
        return port.send(data)


class ClockOffset:
    """How far the listener's clock is ahead of the talker's: bounds that hold whatever the delays in each direction.

    A question leaves at t1 and comes at t2, the reply leaves at t3 and comes at t4, t1 and t4 by the talker's clock.
    No delay is negative, so that the offset lies between t3 - t4 and t2 - t1 (RFC 5905 section 8, with the bounds
    instead of their middle). Of many exchanges, the narrowest bounds count; before the flow and after it separately,
    since clocks drift: the offset during the flow lies between the two.
    """

    def __init__(self) -> None:
        self._phases: list[list[tuple[int, int]]] = []

    def begin(self) -> None:
        """Later exchanges are of a new phase."""
        self._phases.append([])

    def add(self, question: tuple[int, int], reply: tuple[int, int]) -> None:
        """One exchange: (t1, t2) and (t3, t4)."""
        self._phases[-1].append((reply[0] - reply[1], question[1] - question[0]))

    def __len__(self) -> int:
        """Exchanges of this phase."""
        return len(self._phases[-1])

    def bounds_ns(self) -> tuple[int, int] | None:
        """Lowest and highest offset during the flow; the lower above the higher if a clock was set. None is unknown."""
        phases = [(max(low for low, _ in phase), min(high for _, high in phase)) for phase in self._phases if phase]
        if not phases:
            return None
        broken = [phase for phase in phases if phase[0] > phase[1]]
        return broken[0] if broken else (min(low for low, _ in phases), max(high for _, high in phases))
