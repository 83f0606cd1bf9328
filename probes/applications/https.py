"""HTTPS: a TLS handshake, then HEAD / as :mod:`probes.applications.http` asks it.

The question is whether the application lives, not whether it is to be trusted: no certificate is checked, old versions
and weak suites are taken, and what the certificate says is told as facts. An alert that ends the connection is an
answer as well (a server that wants a certificate of ours lives), but for the one that says no more than goodbye. TLS
works on octets in memory here and has no socket (:class:`ssl.MemoryBIO`).

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import re
import ssl
import warnings
from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import TypeVar

from probes.applications import Dialogue
from probes.applications import Ended
from probes.applications import NotThisProtocol
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import ReadLine
from probes.applications import ReadSome
from probes.applications import Send
from probes.applications import Step
from probes.applications import expect
from probes.applications.certificate import told_by
from probes.applications.http import answer
from probes.applications.http import request

T = TypeVar("T")
RECORD = 16_384  #: octets of a record's content at most (RFC 8446 5.1)
MOST_SAYINGS = 8  #: an undisturbed exchange takes four; a peer can make TLS say more, such as that its keys are renewed
LEGACY_SERVERS = 0x4  #: OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT: servers older than RFC 5746 (in ssl from 3.12 on)
#: How OpenSSL calls an alert that it was told, unlike one that it makes of what it was told. Neither what it calls the
#: protocol nor what it calls a version says anything about what was spoken.
_TOLD = re.compile(r"(?:sslv3 alert|ssl/tls alert|tlsv1 alert|tlsv13 alert|tlsv1) ([a-z ]+)")


@cache
def _context() -> ssl.SSLContext:
    """Takes whatever an old device has to offer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.options |= LEGACY_SERVERS
    with suppress(ssl.SSLError):
        context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(), suppress(ssl.SSLError, ValueError):
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


class _Stream:
    """TLS between the dialogue and the line."""

    def __init__(self) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context().wrap_bio(self._incoming, self._outgoing)
        self._heard = bytearray()
        self._sayings = 0

    def facts(self) -> dict[str, str]:
        """Version of TLS, and what the certificate says of the server."""
        told = {"tls": self._tls.version() or ""}
        certificate = self._tls.getpeercert(binary_form=True)
        return told | told_by(certificate or b"")

    def shake(self) -> Generator[Step, bytes, None]:
        """Shake hands."""
        yield from self._step(self._tls.do_handshake)
        yield from self._flush()

    def say(self, octets: bytes) -> Generator[Step, bytes, None]:
        """Say ``octets``, few enough for one record."""
        self._tls.write(octets)
        yield from self._flush()

    def hold(self, dialogue: Generator[Step, bytes, T]) -> Generator[Step, bytes, T]:
        """Perform a dialogue within TLS."""
        heard: bytes | None = None
        try:
            while True:
                step = dialogue.send(heard) if heard is not None else next(dialogue)
                heard = yield from self._perform(step)
        except StopIteration as ended:
            found: T = ended.value
            return found

    def end(self) -> Generator[Step, bytes, None]:
        """Say that we are done (close_notify, RFC 8446 6.1)."""
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        yield from self._flush()

    def _perform(self, step: Step) -> Generator[Step, bytes, bytes]:
        if isinstance(step, Send):
            yield from self.say(step.octets)
            return b""
        if isinstance(step, ReadLine):
            while (at := self._heard.find(b"\n", 0, step.limit)) < 0:
                expect(len(self._heard) < step.limit, f"a line of more than {step.limit} octets")
                yield from self._more()
            return self._take(at + 1)
        assert isinstance(step, Read)  # noqa: S101 - nothing else is needed within TLS
        while len(self._heard) < step.count:
            yield from self._more()
        return self._take(step.count)

    def _take(self, count: int) -> bytes:
        taken = bytes(self._heard[:count])
        del self._heard[:count]
        return taken

    def _more(self) -> Generator[Step, bytes, None]:
        came = yield from self._step(lambda: self._tls.read(RECORD))
        if not came:
            raise Ended("TLS was closed before the answer came")
        self._heard += came

    def _step(self, attempt: Callable[[], T]) -> Generator[Step, bytes, T]:
        """Whatever TLS has to do, with as much of what comes as it needs."""
        while True:
            try:
                return attempt()
            except ssl.SSLWantReadError:
                yield from self._flush()
                self._incoming.write((yield ReadSome(RECORD)))

    def _flush(self) -> Generator[Step, bytes, None]:
        if self._outgoing.pending:
            self._sayings += 1
            expect(self._sayings <= MOST_SAYINGS, "a peer that never lets TLS come to an end")
            yield Send(self._outgoing.read())


def _alert(error: ssl.SSLError) -> str:
    """Which alert we were told; empty if it is an error of another kind."""
    found = _TOLD.search(_words(error))
    return found[1].strip() if found else ""


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Shake hands and ask for the head of the root."""
    stream = _Stream()
    told: dict[str, str] = {}
    try:
        yield from stream.shake()
        told = stream.facts()
        yield from stream.say(request(asked))
        told |= yield from stream.hold(answer())
        yield from stream.end()
    except ssl.SSLZeroReturnError:
        raise Ended("TLS was closed before hands were shaken") from None
    except ssl.SSLError as error:
        if not (alert := _alert(error)):
            raise NotThisProtocol(f"no TLS: {_words(error)}") from None
        told["refused"] = f"alert: {alert}"
    return told


PROTOCOL = Protocol("https", "tcp", converse)
