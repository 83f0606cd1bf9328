"""OPC UA over TCP: Hello, a secure channel without security, GetEndpoints, and the channel is closed again.

All that every server must answer to anybody (OPC 10000-4, 5.4.4; 10000-6, 6.7 and 7.1): no session, no login, nothing
of the address space. A server that refuses any of it says so by an error, which is an answer.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from collections.abc import Generator
from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import NotThisProtocol
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import Send
from probes.applications import Step
from probes.applications import authority
from probes.applications import expect
from probes.applications import printable
from probes.applications.octets import Octets

POLICY = b"http://opcfoundation.org/UA/SecurityPolicy#None"
BUFFER = 1 << 14  #: octets of one chunk
LONGEST = 3 * BUFFER  #: octets of one message
#: Ids of encodings (OPC 10000-6, annex A).
FAULT, OPEN, OPENED, CLOSE, GET_ENDPOINTS, ENDPOINTS = 397, 446, 449, 452, 428, 431
_NULL = struct.pack("<i", -1)


class Refused(Exception):
    """An error in the protocol's own words."""


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask for the endpoints of a server, and so for its name."""
    url = f"opc.tcp://{authority(asked)}"
    try:
        yield from _hello(url)
        channel, token = yield from _open()
    except Refused as why:
        return {"refused": str(why)}
    yield Send(_chunk(b"MSG", channel, token, 2, GET_ENDPOINTS, _text(url.encode()) + 2 * _NULL))
    try:
        facts = endpoints((yield from _hear(b"MSG", ENDPOINTS, 2)))
    except Refused as why:
        facts = {"refused": str(why)}
    yield Send(_chunk(b"CLO", channel, token, 3, CLOSE, b""))  # else a server may keep the channel for a while
    return facts


def _hello(url: str) -> Dialogue:
    limits = struct.pack("<5I", 0, BUFFER, BUFFER, LONGEST, LONGEST // BUFFER)
    said = limits + _text(url.encode())
    yield Send(b"HELF" + struct.pack("<I", len(said) + 8) + said)
    kind, _, body = yield from _message()
    expect(kind == b"ACK" and body.left == 20, "no acknowledgement of a Hello")
    return {}


def _open() -> Generator[Step, bytes, tuple[int, int]]:
    """Open the channel; its id and that of its token."""
    asked = struct.pack("<III", 0, 0, 1) + _NULL + struct.pack("<I", 60_000)  # issue, no security, no nonce, 60 s
    security = _text(POLICY) + 2 * _NULL + struct.pack("<II", 1, 1)
    said = struct.pack("<I", 0) + security + _request(OPEN) + asked
    yield Send(b"OPNF" + struct.pack("<I", len(said) + 8) + said)
    answer = yield from _hear(b"OPN", OPENED, 1)
    answer.take(4)  # version
    return answer.number("<I"), answer.number("<I")


def endpoints(answer: Octets) -> dict[str, str]:
    """What the first endpoint says of its server, and how many there are.

    Raises:
        NotThisProtocol: if it is none.
    """
    count = answer.number("<i")
    if count <= 0:
        return {"endpoints": "0"}
    _string(answer)
    uri, product = _string(answer), _string(answer)
    mask = answer.number("B")
    _locale = _string(answer) if mask & 1 else b""
    name = _string(answer) if mask & 2 else b""
    said = {"name": name, "product": product, "uri": uri}
    return {key: printable(text) for key, text in said.items() if text} | {"endpoints": str(count)}


def _hear(kind: bytes, encoding: int, request: int) -> Generator[Step, bytes, Octets]:
    """The body of an answer, behind its header.

    Raises:
        Refused: if the service was.
        NotThisProtocol: if it is another answer.
    """
    whole = b""
    final = False
    while not final:
        came, final, body = yield from _message()
        expect(came == kind, f"a message of type {printable(came)}")
        body.take(4)  # channel
        if kind == b"OPN":
            expect(_string(body) == POLICY, "another security policy")
            _string(body)
            _string(body)
        else:
            body.take(4)  # token
        body.take(4)  # sequence
        expect(body.number("<I") == request, "an answer to another request")
        whole += body.take(body.left)
        expect(len(whole) <= LONGEST, f"a message of more than {LONGEST} octets")
    answer = Octets(whole)
    found = _node(answer)
    expect(found in (encoding, FAULT), f"an answer of the kind {found}")
    answer.take(12)  # time, handle
    status = answer.number("<I")
    if status & 0x8000_0000:
        raise Refused(f"status {status:#010x}")
    expect(found == encoding and answer.number("B") == 0, "an answer with diagnostics that nobody asked for")
    expect(answer.number("<i") <= 0, "an answer with a table of texts that nobody asked for")
    answer.take(3)  # nothing additional
    return answer


def _message() -> Generator[Step, bytes, tuple[bytes, bool, Octets]]:
    """The next chunk: its type, whether it is the last, and what it holds.

    Raises:
        Refused: if it is an error.
    """
    head = Octets((yield Read(8)))
    kind, chunk, size = head.take(3), head.take(1), head.number("<I")
    expect(kind in (b"ACK", b"ERR", b"OPN", b"MSG") and chunk in (b"F", b"C", b"A"), "no message of this protocol")
    expect(8 < size <= BUFFER, f"a chunk of {size} octets")
    body = Octets((yield Read(size - 8)))
    if kind == b"ERR" or chunk == b"A":
        if kind != b"ERR":
            raise Refused("aborted")
        status, reason = body.number("<I"), printable(_string(body))
        raise Refused(f"status {status:#010x} {reason}".strip())
    return kind, chunk == b"F", body


def _chunk(kind: bytes, channel: int, token: int, number: int, encoding: int, body: bytes) -> bytes:
    said = struct.pack("<IIII", channel, token, number, number) + _request(encoding) + body
    return kind + b"F" + struct.pack("<I", len(said) + 8) + said


def _request(encoding: int) -> bytes:
    """The encoding's id and a request header: no session, no time, handle 1, no audit, 10 s, nothing additional."""
    return struct.pack("<BBHBBqII", 1, 0, encoding, 0, 0, 0, 1, 0) + _NULL + struct.pack("<I3x", 10_000)


def _node(answer: Octets) -> int:
    """A numeric node id of namespace 0 in one of its shorter encodings (OPC 10000-6, 5.2.2.9)."""
    match answer.number("B"):
        case 0:
            return answer.number("B")
        case 1:
            expect(answer.number("B") == 0, "an id of another namespace")
            return answer.number("<H")
        case 2:
            expect(answer.number("<H") == 0, "an id of another namespace")
            return answer.number("<I")
    raise NotThisProtocol("an id that is no number")


def _text(octets: bytes) -> bytes:
    return struct.pack("<i", len(octets)) + octets


def _string(answer: Octets) -> bytes:
    length = answer.number("<i")
    return answer.take(length) if length > 0 else b""


PROTOCOL = Protocol("opc-ua", "tcp", converse)
