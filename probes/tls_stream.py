"""TLS over one connection of a test of rates: the verbs of :class:`probes.load_port.Stream`, with the plain octets.

Who the server is, is told and not verified: a rate is that of the way there, whoever answers, and a plant that is cut
off from the world has no list of authorities. The certificate's fingerprint and subject stand in the evidence, so that
an intermediary that answers in the server's place is seen.

TLS works on octets in memory here (:class:`ssl.MemoryBIO`); what goes over the wire is counted by the port. Standard
library only: this module travels to vantage points.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from errno import ECONNRESET
from functools import cache
from hashlib import sha256
from os import strerror
from typing import TypeVar

from probes.applications.certificate import told_by
from probes.http_answer import AnswerError
from probes.load_port import Stream

RECORD = 1 << 14  #: octets of a record's content at most (RFC 8446 section 5.1)
AT_ONCE = 1 << 17  #: octets that are read from the wire at once, at most
HANDSHAKE_BYTES = 1 << 13  #: of a handshake, both ways, with an ordinary chain of certificates
#: What one step may read before it must have come to something: a handshake takes some 5,000 octets, and a peer can
#: send records without end that hold nothing, such as updates of keys.
MOST_STEPS = 64

T = TypeVar("T")


@cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


class TlsStream:
    """One connection within TLS."""

    least = RECORD  #: a record is deciphered whole; taken octet by octet, it would keep the tester busy for nothing

    def __init__(self, stream: Stream, name: str) -> None:
        """``name`` is what the server is asked for (SNI, RFC 6066 section 3); empty where it has an address only.

        Raises:
            AnswerError: if there can be no such name.
        """
        self._stream = stream
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        try:
            self._tls = _context().wrap_bio(self._incoming, self._outgoing, server_hostname=name or None)
        except ValueError as error:
            raise AnswerError(f"TLS: {name[:80]!r} is no name of a server: {error}") from None
        self._scratch = memoryview(bytearray(AT_ONCE))
        self.plain = self.sent = 0  #: octets given to be sent, and what they were on the wire

    async def shake(self, timeout_s: float) -> None:
        """Shake hands.

        Raises:
            AnswerError: if it is no TLS that answers, or none that this host speaks.
            TimeoutError: if nothing came in time.
            OSError: if the connection is gone.
        """
        for _ in range(MOST_STEPS):
            done = self._step(self._handshake)
            await self._flush(timeout_s)
            if done:
                return
            if not await self._more(RECORD, timeout_s):
                raise ConnectionResetError(ECONNRESET, strerror(ECONNRESET))
        raise AnswerError("TLS: the handshake does not come to an end")

    def facts(self) -> dict[str, str]:
        """The version of TLS, and what the server's certificate says: ``certificate`` is its SHA-256."""
        certificate = self._tls.getpeercert(binary_form=True) or b""
        told = {"tls": self._tls.version() or "", "certificate": sha256(certificate).hexdigest()}
        return told | {"verified": "no"} | told_by(certificate)

    async def receive(self, buffer: memoryview, timeout_s: float) -> int:
        """Read what there is into ``buffer``; 0 if the far end has closed. Raises as :meth:`shake`."""
        for _ in range(MOST_STEPS):
            if (octets := self._decrypted(buffer)) is not None:
                return octets
            await self._flush(timeout_s)
            if not await self._more(max(len(buffer), RECORD), timeout_s):
                return 0
        raise AnswerError("TLS: records that hold nothing")

    def take(self, buffer: memoryview) -> int | None:
        """Read what there is at once; nothing if there is nothing, 0 if the far end has closed.

        Raises:
            AnswerError: if it is not well formed.
        """
        if (octets := self._decrypted(buffer)) is not None:
            return octets
        came = self._stream.take(self._scratch)
        if not came:
            return came
        self._incoming.write(self._scratch[:came])
        return self._decrypted(buffer)

    async def send(self, octets: memoryview, timeout_s: float) -> int:
        """Send a part of ``octets``, one record at most; how many. Raises as :meth:`shake`."""
        part = octets[:RECORD]
        if (written := self._step(lambda: self._tls.write(part))) is None:
            raise AnswerError("TLS: another handshake instead of an answer")
        self.sent += await self._flush(timeout_s)
        self.plain += written
        return written

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def _handshake(self) -> bool:
        self._tls.do_handshake()
        return True

    def _decrypted(self, buffer: memoryview) -> int | None:
        """What has been read and is whole: octets, 0 if the far end has ended it in order, nothing if it takes more."""
        return self._step(lambda: int(self._tls.read(len(buffer), buffer)))

    async def _more(self, most: int, timeout_s: float) -> int:
        """Read from the wire; 0 if the far end has closed."""
        came = await self._stream.receive(self._scratch[:most], timeout_s)
        self._incoming.write(self._scratch[:came])
        return came

    async def _flush(self, timeout_s: float) -> int:
        """Send all that TLS has to say; how much it was."""
        octets = self._outgoing.read()
        view = memoryview(octets)
        while view:
            view = view[await self._stream.send(view, timeout_s) :]
        return len(octets)

    @staticmethod
    def _step(step: Callable[[], T]) -> T | None:
        """Take a step of TLS; nothing if it needs more from the wire."""
        try:
            return step()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLError as error:
            raise AnswerError(f"TLS: {error.reason or error}") from None
