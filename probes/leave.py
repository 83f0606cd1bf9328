"""Leave to send, awaited: for methods that send so little that they need no :class:`probes.schedule.Schedule`.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio

from probes.gate import NEVER
from probes.gate import Gate
from probes.pace import SECOND_NS
from probes.ports import Ticket

PAUSE_S = 0.05  #: longest wait between two looks at the kill switch


async def leave(gate: Gate, ticket: Ticket, packets: int, size: int) -> int:
    """Claim ``packets`` of ``size`` IP bytes together as one probe, as soon as the gate lets it.

    Returns:
        When they were charged, in nanoseconds of the gate's clock; or :data:`~probes.gate.NEVER`.
    """
    while wait_ns := gate.claim(ticket, packets, size, now_ns := gate.clock()):
        if wait_ns == NEVER:
            return NEVER
        await asyncio.sleep(min(wait_ns / SECOND_NS, PAUSE_S))
    return now_ns
