"""One test of a rate over HTTP: what both directions have in common: its time, its connections, and how it failed.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from collections.abc import Coroutine
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from errno import EPIPE
from math import ceil
from typing import Any
from typing import TypeVar

from probes.http_answer import AnswerError
from probes.http_answer import Head
from probes.load_port import LoadPort
from probes.load_port import NoConnectionError
from probes.load_port import SpentError
from probes.load_port import Stream
from probes.tls_stream import TlsStream

BLOCK = 1 << 17  #: octets that are read at once, at most
MOST_CONNECTIONS = 128  #: connections of one test, those included that are opened again for a server that closes
LEAST_OCTETS = 1 << 14  #: of a whole test; what drips is no rate of a path
BUSY_TESTER = 0.95  #: processor time of this process by time, beyond which the tester itself is what limits the rate
LOOK_S = 0.05  #: how often the kill switch is looked at
#: What a server's refusal means, as a code of :mod:`profiles.observation`; any other is an answer without sense.
REFUSALS = {401: "access-denied", 403: "access-denied", 407: "access-denied", 429: "busy", 503: "busy"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Want:
    """The test that is wanted; times in seconds."""

    way: str  #: ``down`` or ``up``
    path: str
    host: str  #: name of the server; empty: it has an address only
    name: str  #: as its requests name it, with the port where that is not the scheme's
    port: int
    streams: int
    timeout_s: float
    duration_s: float
    omit_s: float
    slice_s: float
    secure: bool = False  #: within TLS


@dataclass(frozen=True, slots=True)
class Transfer:
    """A test that was made as wanted."""

    mbit_s: float  #: goodput in 10^6 bit/s
    series: tuple[int, ...]  #: octets in each slice since the connections stood; upwards, with what TLS adds to them
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no rate."""

    error: str
    why: str = ""
    number: int | None = None  #: errno, where the system said no
    asked: bool = True  #: whether the network had been asked then
    series: tuple[int, ...] = ()


class HttpTest:
    """The connections of one test, and what they have counted."""

    def __init__(self, port: LoadPort, want: Want) -> None:
        self.port = port
        self.tls: list[TlsStream] = []
        self.want = want
        self.omitted = ceil(want.omit_s / want.slice_s - 1e-9)  #: slices at the beginning that do not count
        self.counted = max(ceil(want.duration_s / want.slice_s - 1e-9), 1)  #: slices that do
        self.series: list[int] = []
        self.began_s = self.from_s = self.until_s = 0.0
        self.connections = 0
        self._processor_s = self._held_s = 0.0

    async def perform(self, ended: Callable[[], bool]) -> Transfer | Failure:
        """Make the test, at the latest until it must be over; ``ended`` is the kill switch."""
        want = self.want
        work = asyncio.create_task(self._run())
        deadline_s = time.monotonic() + want.omit_s + want.duration_s + 3 * want.timeout_s
        try:
            while not work.done():
                await asyncio.wait({work}, timeout=LOOK_S)
                if ended() and not work.done():
                    return Failure("stopped", "kill-switch", series=tuple(self.series))
                if time.monotonic() > deadline_s and not work.done():
                    return Failure("timeout", "it does not come to an end", series=tuple(self.series))
            return work.result()
        finally:
            work.cancel()
            await asyncio.wait({work})

    async def move(self, stream: Stream | TlsStream) -> None:
        """Move octets over one connection until the time is over, and see that it lives then.

        Raises:
            AnswerError: if the server says what it should not.
            OSError: if the connection fails; a ``TimeoutError`` if it is silent.
        """
        raise NotImplementedError

    async def watch(self) -> None:
        """See the time that counts begin and end."""
        await self.await_slice(self.omitted)
        began_s, held_s = time.process_time(), self.port.held_s
        await self.await_slice(self.omitted + self.counted)
        self._processor_s, self._held_s = time.process_time() - began_s, self.port.held_s - held_s

    async def await_slice(self, number: int) -> float:
        """Sleep until so many slices have passed; what time it is then."""
        await asyncio.sleep(max(self.began_s + number * self.want.slice_s - time.monotonic(), 0))
        return time.monotonic()

    def rate(self) -> tuple[int, float]:
        """The octets that count, and the seconds in which they were moved."""
        moved = sum(self.series[self.omitted : self.omitted + self.counted])
        return moved, self.counted * self.want.slice_s

    def facts(self) -> dict[str, Any]:
        """Further facts, for the observation's detail.

        Raises:
            AnswerError: if they show that this was no measurement.
        """
        return {}

    async def connect(self) -> Stream | TlsStream:
        """One more connection, with hands shaken."""
        self.connections += 1
        if self.connections > MOST_CONNECTIONS:
            raise AnswerError("the server closes after every body, and they are too short")
        stream = await self.port.connect(self.want.timeout_s)
        if not self.want.secure:
            return stream
        secured = TlsStream(stream, self.want.host)
        await secured.shake(self.want.timeout_s)
        self.tls.append(secured)
        return secured

    async def send(self, stream: Stream | TlsStream, octets: bytes) -> None:
        """Send a little, at once."""
        view = memoryview(octets)
        while view:
            view = view[await stream.send(view, self.want.timeout_s) :]

    async def _run(self) -> Transfer | Failure:
        try:
            streams = await together([self.connect() for _ in range(self.want.streams)])
            self.began_s = time.monotonic()
            self.from_s = self.began_s + self.omitted * self.want.slice_s
            self.until_s = self.from_s + self.counted * self.want.slice_s
            await together([self.watch(), *map(self.move, streams)])
            return self._found()
        except (AnswerError, OSError, SpentError) as error:
            return self._failure(error)

    def _found(self) -> Transfer | Failure:
        octets, seconds = self.rate()
        counted_s = self.counted * self.want.slice_s
        busy, held = self._processor_s / counted_s, min(self._held_s / (self.want.streams * counted_s), 1)
        facts: dict[str, Any] = {"seconds": round(seconds, 3), "octets": octets, "connections": self.connections}
        facts |= {"held_percent": round(100 * held, 1), "tester_cpu_percent": round(100 * busy, 1), **self.facts()}
        facts |= self.tls[0].facts() if self.tls else {}
        if octets < LEAST_OCTETS:
            return Failure("timeout", f"{octets} octets in {seconds:.1f} s", series=tuple(self.series))
        if busy >= BUSY_TESTER:
            return Failure("tester-loss", f"the tester was busy: {100 * busy:.0f} %", series=tuple(self.series))
        return Transfer(octets * 8 / seconds / 1e6, tuple(self.series), facts)

    def _failure(self, error: Exception) -> Failure:
        """What an exception says."""
        series = tuple(self.series)
        if isinstance(error, AnswerError):
            return Failure(error.error, error.why, series=series)
        if isinstance(error, TimeoutError) and error.errno is None:
            return Failure("timeout", str(error) or f"silent for {self.want.timeout_s:g} s", series=series)
        if isinstance(error, OSError):
            asked = not isinstance(error, NoConnectionError) or error.asked
            return Failure("send-failed", str(error), error.errno or EPIPE, asked, series)
        return Failure("stopped", "the claim is spent", series=series)


async def together(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """What all of them return, or the first failure, upon which the others are ended."""
    tasks = [asyncio.create_task(it) for it in coroutines]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in (it for it in tasks if it in done and it.exception()):
            task.result()
        return [task.result() for task in tasks]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def accept(head: Head, statuses: range) -> None:
    """See that the server did what it was asked to.

    Raises:
        AnswerError: if it did not.
    """
    if head.status not in statuses:
        raise AnswerError(f"status {head.status}", REFUSALS.get(head.status, "bad-answer"))
