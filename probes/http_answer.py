"""One answer of an HTTP/1.1 server, read as its octets arrive and believed only where it is well formed (RFC 9112).

No sockets here: octets go in, and out comes how many of them were payload. Whatever a server says, an answer takes
bounded memory; its length is bounded by whoever reads it.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

HTTP_PORT, HTTPS_PORT = 80, 443
HEAD_LIMIT = 1 << 14  #: octets of a status line with all its fields; of a chunk's size and of trailers, too
INTERIM_LIMIT = 4  #: interim answers (1xx) before the final one
_LINE_LIMIT = 256  #: octets of the line with a chunk's size
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})( [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)")
_LENGTH = re.compile(r"[0-9]{1,15}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(;[^\r\n]*)?")


class AnswerError(Exception):
    """What came is no answer, or not the one that was asked for."""

    def __init__(self, why: str, error: str = "bad-answer") -> None:
        super().__init__(why)
        self.error = error  #: a code of :mod:`profiles.observation`
        self.why = why


@dataclass(frozen=True, slots=True)
class Head:
    """Status and fields of an answer; names in lower case."""

    status: int
    fields: Mapping[str, str]
    octets: bytes  #: as they came
    minor: int = 1  #: of the version: HTTP/1.0 or 1.1

    @property
    def keeps_open(self) -> bool:
        """Whether the server will answer another request on this connection (RFC 9112 section 9.3)."""
        options = {it.strip().lower() for it in self.fields.get("connection", "").split(",")}
        return "close" not in options and (self.minor == 1 or "keep-alive" in options)


def request(verb: str, path: str, host: str, *fields: str) -> bytes:
    """The head of a request; whoever sends ``POST`` adds how long the body is."""
    lines = [f"{verb} {path} HTTP/1.1", f"Host: {host}", "User-Agent: plantproof", "Accept: */*"]
    lines += ["Accept-Encoding: identity", "Cache-Control: no-store", *fields, "", ""]
    return "\r\n".join(lines).encode("ascii")


@dataclass(slots=True)
class Answer:
    """An answer while it arrives: :meth:`feed` it what comes, :meth:`end` it where the connection ends."""

    head: Head | None = None
    done: bool = False
    payload: int = 0  #: octets of the body so far
    _held: bytearray = field(default_factory=bytearray)  #: of a head or a line that is not whole yet
    _left: int = 0  #: octets of the body, or of the chunk, that are still to come
    _reads: str = "head"  #: what comes next: ``head``, ``body``, ``rest``, ``size``, ``chunk``, ``gap``, ``trailer``
    _said: int = 0  #: octets of all heads and trailers
    _interim: int = 0

    def feed(self, octets: bytes | memoryview) -> int:
        """Read on; how many of ``octets`` are payload.

        Raises:
            AnswerError: if they cannot be part of a proper answer.
        """
        view, before = memoryview(octets), self.payload
        while view and not self.done:
            view = self._bulk(view) if self._reads in ("body", "rest", "chunk") else self._lines(view)
        if view:
            raise AnswerError("it says more than it has declared")
        return self.payload - before

    def end(self) -> None:
        """The server has closed the connection.

        Raises:
            AnswerError: ``reset`` if the answer is not whole.
        """
        if self._reads == "rest":
            self.done = True
        elif not self.done:
            missing = f", {self._left} octets before its end" if self._reads == "body" else ""
            raise AnswerError(f"closed after {self.payload} octets of the body{missing}", "reset")

    def _bulk(self, view: memoryview) -> memoryview:
        """Octets of the body, which are counted and thrown away."""
        if self._reads == "rest":
            self.payload += len(view)
            return view[len(view) :]
        taken = min(self._left, len(view))
        self.payload += taken
        self._left -= taken
        if not self._left:
            self.done, self._reads = (True, "end") if self._reads == "body" else (False, "gap")
        return view[taken:]

    def _lines(self, view: memoryview) -> memoryview:
        """Octets of a head, or of a line between chunks, up to its end."""
        mark, limit = (b"\r\n\r\n", HEAD_LIMIT) if self._reads == "head" else (b"\r\n", _LINE_LIMIT)
        start = max(len(self._held) - len(mark) + 1, 0)
        held = len(self._held)
        self._held += view[: limit + len(mark)]
        at = self._held.find(mark, start)
        if at < 0:
            if len(self._held) > limit:
                raise AnswerError(f"{'a head' if self._reads == 'head' else 'a line'} without an end")
            return view[len(self._held) - held :]
        found = bytes(self._held[:at])
        self._held.clear()
        self._said += at
        if self._said > 2 * HEAD_LIMIT and self._reads == "trailer":
            raise AnswerError("trailers without an end")
        {"head": self._take_head, "size": self._take_size, "gap": self._take_gap, "trailer": self._take_trailer}[
            self._reads
        ](found)
        return view[at + len(mark) - held :]

    def _take_head(self, text: bytes) -> None:
        head = _head(text)
        if head.status < 200:
            self._interim += 1
            if self._interim > INTERIM_LIMIT or head.status == 101:
                raise AnswerError(f"interim answers without an end: {head.status}")
            return
        self.head = head
        coded, length = head.fields.get("transfer-encoding"), head.fields.get("content-length")
        if coded is not None:
            if length is not None or coded.strip().lower() != "chunked":
                raise AnswerError(f"a body of transfer encoding {coded[:40]!r} and length {length}")
            self._reads, self._said = "size", 0
        elif length is not None:
            if not _LENGTH.fullmatch(length):
                raise AnswerError(f"a body of length {length[:40]!r}")
            self._left, self._reads = int(length), "body"
            self.done = self._left == 0
        else:
            self._reads, self.done = "rest", head.status in (204, 304)

    def _take_size(self, text: bytes) -> None:
        found = _CHUNK.fullmatch(text)
        if found is None:
            raise AnswerError(f"a chunk of size {text[:40]!r}")
        self._left = int(found[1], 16)
        self._reads = "chunk" if self._left else "trailer"

    def _take_gap(self, text: bytes) -> None:
        if text:
            raise AnswerError("a chunk that is longer than its size")
        self._reads = "size"

    def _take_trailer(self, text: bytes) -> None:
        self.done = not text


def _head(text: bytes) -> Head:
    first, *lines = text.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None:
        raise AnswerError(f"no HTTP: {first[:40]!r}")
    fields: dict[str, str] = {}
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise AnswerError(f"no field: {line[:40]!r}")
        name, value = found[1].decode("ascii").lower(), found[2].decode("latin-1").strip()
        if name in ("content-length", "transfer-encoding") and fields.get(name, value) != value:
            raise AnswerError(f"two of {name}")
        fields[name] = value
    return Head(int(status[2]), fields, text, int(status[1]))


def stays(location: str, host: str, port: int, *, secure: bool = False) -> str | None:
    """The path to which a redirection leads if it stays at ``host`` and ``port`` and in or out of TLS; else nothing."""
    path = location
    if not location.startswith("/") or location.startswith("//"):
        scheme, mark, rest = location.partition("://")
        authority, slash, path = rest.partition("/")
        same = {f"{host}:{port}", *([host] if port == (HTTPS_PORT if secure else HTTP_PORT) else ())}
        if scheme.lower() != ("https" if secure else "http") or not mark or authority not in same:
            return None
        path = slash + path or "/"
    return path if is_path(path) else None


def is_path(text: str) -> bool:
    """Whether ``text`` may stand in a request line as it is: printable ASCII from ``/`` on."""
    return text.startswith("/") and len(text) < 2048 and all("!" <= it <= "~" and it != "#" for it in text)
