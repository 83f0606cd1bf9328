"""Performs the steps of a dialogue over one line, within bounds of time, octets and packets that no answer can break.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Protocol

from probes.applications import FACTS_LIMIT
from probes.applications import TEXT_LIMIT
from probes.applications import Datagram
from probes.applications import Dialogue
from probes.applications import Ended
from probes.applications import NotThisProtocol
from probes.applications import Read
from probes.applications import ReadLine
from probes.applications import ReadSome
from probes.applications import Send
from probes.applications import Step
from probes.pace import SECOND_NS

MOST_HEARD = 1 << 16  #: octets of one dialogue
MOST_SAID = 4096  #: octets of one dialogue
MOST_SENDS = 12
KEPT = 2048  #: octets of the transcript in each direction of each step


class Line(Protocol):
    """A connection or an exchange of datagrams with one device."""

    def send(self, octets: bytes) -> None:
        """Say ``octets``.

        Raises:
            OSError: if they cannot be sent.
        """

    async def receive(self, most: int, timeout_s: float) -> bytes | None:
        """What came, at most so many octets; nothing if the other side has ended; ``None`` if the time was over.

        Raises:
            OSError: if the connection broke.
        """

    def packets(self) -> int:
        """How many packets of ours the line has taken so far."""


class Broken(Exception):
    """A dialogue that came to nothing: an error code of the observation, and why."""

    def __init__(self, error: str, reason: str) -> None:
        self.error = error
        self.reason = reason
        super().__init__(error, reason)


@dataclass(slots=True)
class Exchange:
    """One dialogue over one line."""

    line: Line
    clock: Callable[[], int]  #: nanoseconds
    deadline_ns: int
    packets: int  #: that may be sent: one who drips octet by octet makes our kernel acknowledge each of them
    transcript: list[str] = field(default_factory=list)  #: what was said and heard, in hexadecimal
    _buffer: bytearray = field(default_factory=bytearray)
    _heard: int = 0
    _said: int = 0
    _sends: int = 0
    _gone: OSError | None = None  #: why what was said last did not leave

    async def hold(self, dialogue: Dialogue) -> Mapping[str, str]:
        """Perform every step; returns what the device said of itself.

        Raises:
            Broken: ``timeout``, ``reset`` or ``bad-answer``.
            OSError: if the line broke.
        """
        heard: bytes | None = None
        try:
            while True:
                step = dialogue.send(heard) if heard is not None else next(dialogue)
                heard = await self._perform(step)
        except StopIteration as ended:
            return _bounded(ended.value)
        except NotThisProtocol as why:
            raise Broken("bad-answer", str(why)[:TEXT_LIMIT]) from None
        except Ended as why:
            raise Broken("reset", str(why)[:TEXT_LIMIT]) from None
        finally:
            dialogue.close()

    async def _perform(self, step: Step) -> bytes:
        if isinstance(step, Send):
            return self._say(step.octets)
        if isinstance(step, Read):
            self._affordable(step.count)
            while len(self._buffer) < step.count:
                await self._more()
            return self._take(step.count)
        if isinstance(step, ReadLine):
            return await self._line(step.limit)
        if isinstance(step, Datagram):
            await self._more()
            return self._take(len(self._buffer))
        assert isinstance(step, ReadSome)  # noqa: S101 - for the type checker
        if not self._buffer:
            await self._more()
        return self._take(min(step.limit, len(self._buffer)))

    async def _line(self, limit: int) -> bytes:
        while (end := self._buffer.find(b"\n", 0, limit)) < 0:
            if len(self._buffer) >= limit:
                raise Broken("bad-answer", f"a line of more than {limit} octets")
            await self._more()
        return self._take(end + 1)

    def _say(self, octets: bytes) -> bytes:
        self._said += len(octets)
        self._sends += 1
        if self._said > MOST_SAID or self._sends > MOST_SENDS:  # a bug of the protocol's module
            raise ValueError(f"a dialogue that says more than {MOST_SAID} octets or {MOST_SENDS} times something")
        self._note(">", octets)
        try:
            self.line.send(octets)
        except (BrokenPipeError, ConnectionResetError) as gone:
            self._gone = gone  # what the other side said before it went is still to be heard, and may be its answer
        return b""

    def _affordable(self, count: int) -> None:
        """See that a length which the other side has claimed can be waited for at all."""
        if count < 0 or self._heard - len(self._buffer) + count > MOST_HEARD:
            raise Broken("bad-answer", f"an answer of {count} octets was announced")

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def _more(self) -> None:
        left_ns = self.deadline_ns - self.clock()
        came = await self.line.receive(MOST_HEARD, left_ns / SECOND_NS) if left_ns > 0 else None
        if not came and self._gone is not None:
            raise self._gone
        if came is None:
            raise Broken("timeout", f"{self._heard} octets heard" if self._heard else "")
        if not came:
            raise Broken("reset", f"closed after {self._heard} octets")
        self._note("<", came)
        self._heard += len(came)
        self._buffer += came
        if self._heard > MOST_HEARD:
            raise Broken("bad-answer", f"more than {MOST_HEARD} octets")
        if self.line.packets() > self.packets:
            raise Broken("bad-answer", f"{self._heard} octets in too many packets")

    def _note(self, sign: str, octets: bytes) -> None:
        if len(self.transcript) < 4 * MOST_SENDS:
            more = f" ... {len(octets)} octets" if len(octets) > KEPT else ""
            self.transcript.append(f"{sign} {octets[:KEPT].hex(' ')}{more}")


def _bounded(facts: Mapping[str, str]) -> dict[str, str]:
    """The first facts, each bounded: what a device says is put into reports."""
    return {name: text[:TEXT_LIMIT] for name, text in list(facts.items())[:FACTS_LIMIT]}
