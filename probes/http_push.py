"""A test of the rate to a server: one body on each connection, for as long as the test lasts.

What the server's kernel has acknowledged counts, sampled once in a slice: a sender's own buffer tells nothing.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from probes.http_answer import Answer
from probes.http_answer import request
from probes.http_transfer import HttpTest
from probes.http_transfer import Want
from probes.http_transfer import accept
from probes.load_port import LoadPort
from probes.load_port import Stream
from probes.tls_stream import TlsStream

CHUNK = 1 << 16  #: octets of one chunk of the body
FIELDS = ("Content-Type: application/octet-stream", "Transfer-Encoding: chunked")


class Push(HttpTest):
    """Every connection sends a body of chunks; what is acknowledged counts."""

    def __init__(self, port: LoadPort, want: Want) -> None:
        super().__init__(port, want)
        self._chunk = b"%x\r\n%b\r\n" % (CHUNK, secrets.token_bytes(CHUNK))  # which nothing on the way can compress
        self._samples: list[tuple[float, int]] = []

    async def watch(self) -> None:
        """Sample what is acknowledged, too."""
        sampling = asyncio.create_task(self._sample())
        try:
            await super().watch()
            await sampling
        finally:
            sampling.cancel()

    async def _sample(self) -> None:
        for number in range(self.omitted + self.counted + 1):
            now_s = await self.await_slice(number)
            acknowledged, _ = self.port.acknowledged()
            if self._samples:
                self.series.append(acknowledged - self._samples[-1][1])
            self._samples.append((now_s, acknowledged))

    def rate(self) -> tuple[int, float]:
        """Between the samples nearest to where counting begins and ends, at the times when they were taken."""
        (from_s, before), (until_s, after) = self._samples[self.omitted], self._samples[-1]
        return round((after - before) * self._payload_share()), until_s - from_s

    def _payload_share(self) -> float:
        """What of the octets on the wire TLS did not add; 1 without TLS."""
        sent = sum(it.sent for it in self.tls)
        return sum(it.plain for it in self.tls) / sent if sent else 1.0

    def facts(self) -> dict[str, Any]:
        """Segments that were sent again."""
        return {"retransmits": self.port.acknowledged()[1]}

    async def move(self, stream: Stream | TlsStream) -> None:
        """Send until the time is over, end the body in order, and have the server accept it."""
        answer, buffer = Answer(), memoryview(bytearray(4096))
        await self.send(stream, request("POST", self.want.path, self.want.name, *FIELDS))
        while time.monotonic() < self.until_s:
            view = memoryview(self._chunk)
            while view:
                view = view[await self._part(stream, view) :]
                self._early(stream, answer, buffer)
        await self.send(stream, b"0\r\n\r\n")
        deadline_s = time.monotonic() + self.want.timeout_s
        while not answer.done:
            if time.monotonic() > deadline_s:
                raise TimeoutError("no whole answer in time")
            octets = await stream.receive(buffer, self.want.timeout_s)
            answer.feed(buffer[:octets]) if octets else answer.end()
        if answer.head is not None:
            accept(answer.head, range(200, 300))

    async def _part(self, stream: Stream | TlsStream, view: memoryview) -> int:
        allowed = await self.port.allowance(len(view))
        sent = await stream.send(view[:allowed], self.want.timeout_s)
        self.port.used(sent)
        return sent

    def _early(self, stream: Stream | TlsStream, answer: Answer, buffer: memoryview) -> None:
        """A server that answers before the body is whole has not taken it."""
        octets = stream.take(buffer)
        if octets is None:
            return
        answer.feed(buffer[:octets]) if octets else answer.end()
        if answer.head is not None:
            accept(answer.head, range(0))
