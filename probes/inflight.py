"""The echoes that are under way: found again by serial number, bounded in number, decided in order. Pure bookkeeping.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from probes.icmp_packet import Answer
from probes.icmp_packet import Reply
from probes.ports import Ticket

MILLISECOND_NS = 1_000_000
#: Until a transmit stamp or an answer tells that packets leave, no more than this go, for at most this long: they would
#: overflow the queue of a next hop that is not resolved yet. Resolving is tried again after 1 s.
FIRST_ECHOES, FIRST_WAIT_NS = 64, 1200 * MILLISECOND_NS
#: An echo unanswered for this long, and four times the longest delay seen, no longer counts as about to be answered.
HOLD_NS = 50 * MILLISECOND_NS
MAX_OPEN = 200_000  #: echoes remembered at a time, to bound memory


@dataclass(frozen=True, slots=True)
class EchoParameters:
    """Parameters of the method."""

    attempts: int = 1  #: echoes per target
    timeout_ms: float = 1000  #: Tmax: a later answer is late, and counts as lost
    payload_bytes: int = 32  #: at least 8, which hold the cookie
    interval_ms: float = 0  #: least pause between attempts at one target; the permit's rates hold anyway
    linger_ms: float = 50  #: how long after Tmax an answer is still awaited, to tell late from lost
    patience_ms: float = 0  #: without any answer from a target, before echoes that it leaves unanswered are its silence
    resends: int = 2  #: how often an attempt that the tester itself spoiled is made again
    receive_bytes: int | None = None  #: receive buffer to ask for; for tests of the tester

    def __post_init__(self) -> None:
        if not (self.attempts > 0 and self.timeout_ms > 0 and 8 <= self.payload_bytes <= 64):
            raise ValueError(f"attempts and timeout_ms must be positive, payload_bytes 8 to 64: {self}")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> EchoParameters:
        """From an action's parameters; what is not for this method is left aside."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})


class Echo:
    """One attempt, and the packet that makes it."""

    __slots__ = (
        "attempt", "done", "fault", "monotonic_ns", "resent", "retried", "suspect", "ticket", "tx_ns", "utc_ns"
    )  # fmt: skip

    def __init__(self, ticket: Ticket, attempt: int, resent: int = 0) -> None:
        self.ticket = ticket
        self.attempt = attempt
        self.resent = resent  #: packets of this attempt that the tester had spoiled before
        self.utc_ns = 0  #: just before it was handed to the kernel
        self.monotonic_ns = 0
        self.tx_ns = 0  #: the kernel's transmit stamp, UTC; 0 while there is none
        self.done = False
        self.retried = False  #: whether the kernel refused it once for another's fault
        self.suspect = False  #: whether the tester dropped messages while it was open
        self.fault: Answer | None = None  #: an ICMP error or a corrupt answer


Match = tuple[Echo, int, int]  #: an echo, its delay in nanoseconds, and the hop limit of its answer


class InFlight:
    """Everything sent in a sweep, by serial number, with two marks that only move on.

    Before ``_oldest`` all is decided and forgotten. Before ``_released`` nothing counts as about to be answered any
    more: silent targets must not take the room of those that answer.
    """

    def __init__(self, window: int) -> None:
        """``window``: how many answers the receive buffer holds for sure."""
        self.window = window
        self.open = 0  #: sent and not decided
        self.stamped = 0  #: transmit stamps that came back
        self._sent: list[Echo | None] = []
        self._oldest = 0
        self._released = 0
        self._awaited = 0
        self._hold_ns = HOLD_NS
        self._first_ns = 0
        self._leaving = False  #: whether it is known that packets leave

    def __len__(self) -> int:
        """How many were sent; the serial number of the next."""
        return len(self._sent)

    def find(self, serial: int) -> Echo | None:
        """The echo of that number; nothing if there is none, or it was forgotten."""
        return self._sent[serial] if 0 <= serial < len(self._sent) else None

    def candidates(self, sequence: int) -> range:
        """Serial numbers of the remembered echoes with this 16-bit sequence number."""
        return range(self._oldest + (sequence - self._oldest) % 0x10000, len(self._sent), 0x10000)

    def add(self, echoes: Sequence[Echo], utc_ns: int, monotonic_ns: int) -> None:
        """Note echoes just before they are sent."""
        for echo in echoes:
            echo.utc_ns = utc_ns
            echo.monotonic_ns = monotonic_ns
        if not self._sent:
            self._first_ns = monotonic_ns
        self._sent += echoes
        self._awaited += len(echoes)
        self.open += len(echoes)

    def take_back(self, count: int) -> None:
        """The last ``count`` did not leave after all."""
        if count:
            del self._sent[-count:]
            self._awaited -= count
            self.open -= count

    def stamp(self, stamps: Iterable[tuple[int, int]], base: int) -> None:
        """Transmit stamps, numbered from the packet at ``base``; one that is older than its packet is another's."""
        sent, count, stamped = self._sent, len(self._sent), 0
        for number, tx_ns in stamps:
            echo = sent[base + number] if base + number < count else None
            if echo is not None and tx_ns >= echo.utc_ns - MILLISECOND_NS:
                echo.tx_ns = tx_ns
                stamped += 1
        self.stamped += stamped
        self._leaving = self.stamped > 0 or self._leaving

    def close(self, echo: Echo, serial: int) -> None:
        """``echo`` is decided."""
        echo.done = True
        self.open -= 1
        if serial >= self._released:
            self._awaited -= 1

    def answered(self, echo: Echo, serial: int, delay_ns: int) -> None:
        """``echo`` is decided by an answer that took this long; others may take as long."""
        echo.done = self._leaving = True
        self.open -= 1
        if serial >= self._released:
            self._awaited -= 1
        if 4 * delay_ns > self._hold_ns:
            self._hold_ns = 4 * delay_ns

    def match(self, answers: list[Reply | Answer], limit_ns: int) -> tuple[list[Match], list[Reply | Answer]]:
        """Close the echoes that these answer as usual: for the first time, stamped both ways, within ``limit_ns``.

        Returns:
            Those echoes, each with its delay in nanoseconds and the answer's hop limit; and all other answers.
        """
        sent, released, count, longest_ns = self._sent, self._released, len(self._sent), 0
        usual: list[Match] = []
        others: list[Reply | Answer] = []
        for answer in answers:
            if type(answer) is tuple:
                serial, source, rx_ns, hop_limit = answer
                echo = sent[serial] if serial < count else None
                if echo is not None and not echo.done and echo.tx_ns and echo.ticket.packed == source:
                    delay_ns = rx_ns - echo.tx_ns
                    if 0 <= delay_ns <= limit_ns:
                        echo.done = True
                        self._awaited -= serial >= released
                        if delay_ns > longest_ns:
                            longest_ns = delay_ns
                        usual.append((echo, delay_ns, hop_limit))
                        continue
            others.append(answer)
        self.open -= len(usual)
        self._leaving = self._leaving or bool(usual)
        self._hold_ns = max(self._hold_ns, 4 * longest_ns)
        return usual, others

    def suspect_open(self) -> None:
        """The tester dropped messages: no open echo's silence says anything about its target."""
        for echo in self._sent[self._oldest :]:
            if echo is not None:
                echo.suspect = True

    def room(self, now_ns: int, most: int) -> int:
        """How many more, up to ``most``, may go now without any risk that their answers overflow the receive buffer."""
        sent, since_ns = self._sent, now_ns - self._hold_ns
        while self._released < len(sent):
            echo = sent[self._released]
            if echo is not None and not echo.done:
                if echo.monotonic_ns > since_ns:
                    break
                self._awaited -= 1
            self._released += 1
        room = min(most, self.window - self._awaited, MAX_OPEN - len(sent) + self._oldest)
        if not self._leaving and (not sent or self._first_ns + FIRST_WAIT_NS > now_ns):
            room = min(room, FIRST_ECHOES - len(sent))
        return max(room, 0)

    def overdue(self, due_ns: int) -> Iterator[tuple[int, Echo]]:
        """Close and give out, oldest first, every open echo sent at ``due_ns`` or before; forget what is that old."""
        sent = self._sent
        while self._oldest < len(sent):
            echo = sent[self._oldest]
            if echo is not None:
                if echo.monotonic_ns > due_ns and not (echo.done and len(sent) - self._oldest >= MAX_OPEN):
                    return
                if not echo.done:
                    self.close(echo, self._oldest)
                    yield self._oldest, echo
            sent[self._oldest] = None
            self._oldest += 1

    def next_due_ns(self) -> int | None:
        """When the oldest that is remembered was sent."""
        echo = self.find(self._oldest)
        return None if echo is None else echo.monotonic_ns
