"""A test of the rate from a server: bodies that are asked for, again and again, and counted as they arrive.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import time
from typing import Any

from probes.http_answer import Answer
from probes.http_answer import AnswerError
from probes.http_answer import Head
from probes.http_answer import request
from probes.http_answer import stays
from probes.http_transfer import BLOCK
from probes.http_transfer import HttpTest
from probes.http_transfer import Want
from probes.http_transfer import accept
from probes.load_port import LoadPort
from probes.load_port import Stream
from probes.tls_stream import TlsStream

MOST_REQUESTS = 4000  #: requests of one test
REDIRECTS = 3  #: of one connection in a row
MOST_WAITING = 0.2  #: share of the connections' time that may pass between bodies before these are too short


class Pull(HttpTest):
    """Every connection asks for the path; what arrives of bodies counts."""

    def __init__(self, port: LoadPort, want: Want) -> None:
        super().__init__(port, want)
        self._requests = 0
        self._waited_s = 0.0

    def facts(self) -> dict[str, Any]:
        """How often was asked; bodies between which too much time passes are refused."""
        waited = self._waited_s / (self.want.streams * self.counted * self.want.slice_s)
        if waited > MOST_WAITING:
            raise AnswerError(f"the bodies are too short: {100 * waited:.0f} % of the time passed between them")
        return {"requests": self._requests, "waiting_percent": round(100 * waited, 1)}

    async def move(self, stream: Stream | TlsStream) -> None:
        """Ask until a body's octets arrive after the end, so that a server that fell silent is found out."""
        buffer, path, redirects = memoryview(bytearray(BLOCK)), self.want.path, 0
        while True:
            self._requests += 1
            if self._requests > MOST_REQUESTS:
                raise AnswerError("the bodies are too short to measure with")
            await self.send(stream, request("GET", path, self.want.name))
            answer = Answer()
            stays_open = await self._body(stream, answer, buffer)
            if answer.payload and time.monotonic() >= self.until_s:
                return
            if answer.head is not None and _redirects(answer.head):
                path, redirects = self._redirected(answer.head), redirects + 1
                if redirects > REDIRECTS:
                    raise AnswerError("redirected in circles")
            elif not answer.payload:
                raise AnswerError("a body of nothing")
            else:
                redirects = 0
            if not (stays_open and answer.head and answer.head.keeps_open):
                stream.close()
                stream = await self.connect()

    async def _body(self, stream: Stream | TlsStream, answer: Answer, buffer: memoryview) -> bool:
        """Read an answer to its end, or to that of the test; whether the connection may serve on."""
        asked_s, accepted = time.monotonic(), False
        while not answer.done:
            octets, waited_from_s = await self._receive(stream, buffer)
            now_s = time.monotonic()
            if not answer.payload:
                self._waited_s += max(min(now_s, self.until_s) - max(waited_from_s, self.from_s), 0.0)
            if not octets:
                answer.end()
                return False
            payload = answer.feed(buffer[:octets])
            if not accepted and answer.head is not None:
                if _redirects(answer.head):
                    return False  # whatever else it says, it is asked on a connection of its own
                accept(answer.head, range(200, 201))
                accepted = True
            if payload:
                self._arrived(payload, now_s)
                if now_s >= self.until_s:
                    return True
            elif not accepted and now_s > asked_s + self.want.timeout_s:
                raise TimeoutError("no whole head in time")
        return True

    def _arrived(self, payload: int, now_s: float) -> None:
        index = int((now_s - self.began_s) / self.want.slice_s)
        self.series += [0] * (index + 1 - len(self.series))
        self.series[index] += payload

    async def _receive(self, stream: Stream | TlsStream, buffer: memoryview) -> tuple[int, float]:
        """Read what the limit allows; how much, and since when only the server was waited for."""
        allowed = await self.port.allowance(len(buffer))
        allowed_s = time.monotonic()
        octets = await stream.receive(buffer[: max(allowed, stream.least)], self.want.timeout_s)
        self.port.used(octets)
        return octets, allowed_s

    def _redirected(self, head: Head) -> str:
        host = self.want.name.removesuffix(f":{self.want.port}")
        location = head.fields.get("location", "")
        path = stays(location, host, self.want.port, secure=self.want.secure)
        if path is None:
            raise AnswerError(f"redirected to another place: {location[:80]!r}")
        return path


def _redirects(head: Head) -> bool:
    return head.status in (301, 302, 303, 307, 308)
