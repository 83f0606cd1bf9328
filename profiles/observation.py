"""The observation record: the one thing that probes and profiles share.

Standard library only: this module travels to vantage points that have nothing but Python.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields
from itertools import repeat
from operator import attrgetter
from typing import Any

#: Error codes of a *measured* absence: the instrument was sound, and the target did not answer as asked.
#: They are data (RFC 7680 loss singletons), unlike :data:`INSTRUMENT_ERRORS`.
TARGET_ERRORS = frozenset(
    {
        "timeout",  # nothing came back within Tmax (RFC 7680 section 2.8.2)
        "refused",  # TCP reset by the addressed host or something on the way
        "unreachable",  # ICMP destination unreachable; the code is in ``detail``
        "late",  # an answer came after Tmax; a loss by RFC 7680 section 2.7
        "absent",  # no neighbour entry (ARP, RFC 4861 NUD), or nothing to be read because it is off line or not served
        "reset",  # the connection was accepted and then torn down by the peer
    }
)

#: Error codes that say nothing about the target: the tester, the rig or the permission failed.
INSTRUMENT_ERRORS = frozenset(
    {
        "tester-loss",  # the tester itself dropped packets (RFC 7680 section 2.7, third error source)
        "off-schedule",  # the tester could not send it in time, and left it out; nothing was sent
        "vantage-lost",  # the vantage point died or could not be reached
        "method-failed",  # the method itself failed: a bug of this program
        "no-privilege",  # the kernel refused the socket the method needs
        "no-route",  # the vantage has no route or no address of that family
        "send-failed",  # the kernel refused the packet
        "refused-by-guard",  # the scope guard forbade it; nothing was sent
        "stopped",  # kill switch, zone stop or an exhausted budget; nothing was sent
        "bad-answer",  # an answer that the method cannot make sense of
        "access-denied",  # the device refused the credentials
        "busy",  # the instrument at the far end was serving somebody else, however often it was asked
        "unsound",  # the tester's own conditions spoiled it: others used what was measured, or memory was short
    }
)


@dataclass(frozen=True, slots=True)
class Observation:
    """One attempt to observe one quantity of one target from one vantage point.

    Exactly one of ``value`` and ``error`` is set. Every attempt is kept, also the failed ones.
    """

    method: str  #: name of the method, such as ``icmp-echo``
    vantage: str  #: id of the vantage point in the plant file
    target: str  #: id of the endpoint, point or device in the plant file
    address: str  #: IPv4 / IPv6 address really addressed
    quantity: str  #: what was observed, with the field's name: ``round-trip-delay``, ``connect-delay``, ``presence``
    value: float | None  #: the value in ``unit``; ``None`` if nothing was measured
    unit: str  #: unit of ``value``, as spelled in ``profiles/units.txt``; ``1`` for a bare number
    error: str | None  #: a code of :data:`TARGET_ERRORS` or :data:`INSTRUMENT_ERRORS`
    window: int  #: index of the spread window in which it was taken (RFC 2678 section 7)
    attempt: int  #: index of the attempt within the window
    utc_ns: int  #: time of sending, nanoseconds since the Unix epoch, UTC
    monotonic_ns: int  #: time of sending on the vantage's monotonic clock, nanoseconds
    detail: str  #: further facts as compact JSON (port, TTL, ICMP type and code, ...), or ``""``

    @property
    def answered(self) -> bool:
        """Whether the target answered within the loss threshold."""
        return self.error is None

    @property
    def is_instrument_error(self) -> bool:
        """Whether this attempt says nothing about the target."""
        return self.error is not None and self.error not in TARGET_ERRORS

    def row(self) -> tuple[Any, ...]:
        """The fields in order, as sent over a channel and stored."""
        return _row(self)


#: Column names of the stored and transmitted form, in order.
COLUMNS: tuple[str, ...] = tuple(field.name for field in fields(Observation))

_row = attrgetter(*COLUMNS)  # dataclasses.astuple copies deeply, and takes twenty times as long
_setters = [getattr(Observation, name).__set__ for name in COLUMNS]


def from_columns(columns: Sequence[Sequence[Any]]) -> list[Observation]:
    """Observations from the columns of :data:`COLUMNS`, all of one length; many at once take less than half the time.

    Raises:
        ValueError: if columns are lacking or too many, or not all of one length.
    """
    if len(columns) != len(COLUMNS) or len({len(column) for column in columns}) != 1:
        raise ValueError("observations need every column, all of one length")
    made = list(map(object.__new__, repeat(Observation, len(columns[0]))))
    for setter, column in zip(_setters, columns, strict=True):
        deque(map(setter, made, column), maxlen=0)  # as __init__ does, but column by column
    return made
