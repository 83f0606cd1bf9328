"""MQTT: CONNECT for a clean session without name, will or user, then DISCONNECT; nothing is published or subscribed.

Attempts in turn speak version 3.1.1 and version 5 (OASIS MQTT 3.1.1 and 5.0, sections 3.1, 3.2 and 3.14). The empty
client identifier has the server give one, so that no other client's session can be taken over. A server that refuses
(not authorised, another version, no empty identifier) has answered.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Generator
from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import Send
from probes.applications import Step
from probes.applications import expect

CONNACK = 0x20
DISCONNECT = b"\xe0\x00"
CLEAN = 0x02  #: connect flags: clean session (3.1.1) or clean start (5)
KEEP_ALIVE_S = 10
LEVELS = (4, 5)  #: protocol levels of 3.1.1 and 5, for attempts in turn
VERSIONS = {4: "3.1.1", 5: "5"}
MOST = 4096  #: octets of an acknowledgement; it holds a reason and some properties

#: Return codes of 3.1.1 (table 3.1), and reason codes of 5 (table 3-1).
CODES = {
    1: "unacceptable protocol version", 2: "identifier rejected", 3: "server unavailable",
    4: "bad user name or password", 5: "not authorized", 0x80: "unspecified error", 0x81: "malformed packet",
    0x82: "protocol error", 0x83: "implementation specific error", 0x84: "unsupported protocol version",
    0x85: "client identifier not valid", 0x86: "bad user name or password", 0x87: "not authorized",
    0x88: "server unavailable", 0x89: "server busy", 0x8A: "banned", 0x8C: "bad authentication method",
    0x90: "topic name invalid", 0x95: "packet too large", 0x97: "quota exceeded", 0x99: "payload format invalid",
    0x9A: "retain not supported", 0x9B: "quality of service not supported", 0x9C: "use another server",
    0x9D: "server moved", 0x9F: "connection rate exceeded",
}  # fmt: skip


def connect(level: int) -> bytes:
    """A CONNECT packet of this protocol level."""
    properties = b"\0" if level == 5 else b""
    variable = b"\0\4MQTT" + bytes((level, CLEAN)) + KEEP_ALIVE_S.to_bytes(2) + properties
    rest = variable + b"\0\0"
    return bytes((0x10, len(rest))) + rest


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Connect, and disconnect if the server let us."""
    level = LEVELS[int(asked.get("attempt", "0")) % len(LEVELS)]
    yield Send(connect(level))
    (kind,) = yield Read(1)
    expect(kind == CONNACK, f"a packet of type {kind >> 4} where an acknowledgement is due")
    length = yield from _length()
    expect(2 <= length <= MOST, f"an acknowledgement of {length} octets")
    told = acknowledged((yield Read(length)))
    if told["answer"] == "accepted":
        yield Send(DISCONNECT)
    return {"asked-version": VERSIONS[level], **told}


def _length() -> Generator[Step, bytes, int]:
    """Remaining length: seven bits in each octet, four octets at most (3.1.1, section 2.2.3)."""
    length = 0
    for place in range(4):
        (octet,) = yield Read(1)
        length |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            return length
    expect(False, "a length of more than four octets")
    raise AssertionError  # not reached


def acknowledged(content: bytes) -> dict[str, str]:
    """What an acknowledgement says: flags, a code and, in version 5, properties.

    Raises:
        NotThisProtocol: if it is none.
    """
    flags, code = content[0], content[1]
    expect(flags == 0, "a session that is present though a clean one was asked for")
    expect(code == 0 or code in CODES, f"the code {code}")
    if len(content) > 2:  # the properties' own length, which must fill the rest
        expect(code == 0 or code >= 0x80, f"the code {code} with properties")
        expect(_fills(content[2:]), "properties of another length")
    return {"answer": "accepted" if code == 0 else f"refused: {CODES[code]}"}


def _fills(properties: bytes) -> bool:
    length = 0
    for place, octet in enumerate(properties[:4]):
        length |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            return length == len(properties) - place - 1
    return False


PROTOCOL = Protocol("mqtt", "tcp", converse)
