"""S7 communication: an ISO transport connection (RFC 1006, ISO 8073 class 0) and "setup communication", and no more.

Nothing is read or written: a controller that agrees on the length of its messages lives. The transport connection
names a slot: attempts in turn ask the slots in which the processors of the usual families are.

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
from probes.applications.octets import Octets

SLOTS = (1, 2, 0)  #: of S7-1200 and S7-1500; of S7-300; of what takes any
REFERENCE = 0x5050  #: our end of the transport connection
CONNECT, CONFIRM, DISCONNECT, DATA = 0xE0, 0xD0, 0x80, 0xF0  #: ISO 8073, 13.1
S7, JOB, ACKNOWLEDGED, SETUP = 0x32, 1, 3, 0xF0
LONGEST = 1024  #: octets of one packet; the messages agreed on are shorter


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Open a transport connection and agree on the length of messages."""
    slot = SLOTS[int(asked.get("attempt", "0")) % len(SLOTS)]
    # Length of the header, what it is, no reference of theirs yet, ours, class 0; then 1024 octets, and both selectors.
    variable = bytes.fromhex("c0010a c1020100 c20201") + bytes([slot])
    yield Send(_packet(CONNECT, bytes(2) + REFERENCE.to_bytes(2) + b"\0" + variable))
    kind, answer = yield from _hear()
    reference = answer.number(">H")
    expect(reference == REFERENCE, "an answer to another transport connection")
    if kind == DISCONNECT:
        answer.take(2)
        return {"slot": str(slot), "refused": f"transport connection, reason {answer.number('B')}"}
    expect(kind == CONFIRM, f"no answer to a connection request: {kind:#x}")
    setup = bytes.fromhex("f000 0001 0001 01e0")  # one job at a time on either side, messages of 480 octets
    yield Send(_packet(DATA, b"\x80" + bytes([S7, JOB]) + bytes.fromhex("0000 5050 0008 0000") + setup))
    kind, answer = yield from _hear()
    expect(kind == DATA and answer.number("B") == 0x80, "no data of a transport connection")
    return {"slot": str(slot), **agreed(answer)}


def agreed(answer: Octets) -> dict[str, str]:
    """What an S7 message says that answers "setup communication".

    Raises:
        NotThisProtocol: if it is none that does.
    """
    expect(answer.number("B") == S7, "no S7 message")
    expect(answer.number("B") == ACKNOWLEDGED, "no answer to a job")
    answer.take(2)
    expect(answer.number(">H") == 0x5050, "an answer to another job")
    parameters, data = answer.number(">H"), answer.number(">H")
    error = answer.number(">H")
    expect(parameters + data == answer.left, "lengths that are not those of the message")
    if error:
        return {"refused": f"setup, error {error:#06x}"}
    expect(parameters == 8 and answer.number("B") == SETUP, "no answer to setup communication")
    answer.take(5)
    return {"message-octets": str(answer.number(">H"))}


def _hear() -> Generator[Step, bytes, tuple[int, Octets]]:
    """The next packet (RFC 1006, 6): the kind of its header, and what follows that."""
    head = Octets((yield Read(4)))
    version, _, length = head.number("B"), head.number("B"), head.number(">H")
    expect(version == 3, f"packet format {version}")
    expect(7 <= length <= LONGEST, f"a packet of {length} octets")
    body = Octets((yield Read(length - 4)))
    header = body.number("B")
    kind = body.number("B")
    expect(2 <= header < length - 4 and (kind == DATA or header == length - 5), "a header beyond the packet")
    return kind, body


def _packet(kind: int, rest: bytes) -> bytes:
    header = 2 if kind == DATA else len(rest) + 1
    return b"\x03\x00" + (len(rest) + 6).to_bytes(2) + bytes([header, kind]) + rest


PROTOCOL = Protocol("s7", "tcp", converse)
