"""Modbus/TCP: Read Device Identification, function 43 / 14 (MODBUS Application Protocol V1.1b3, 6.21).

It reads three texts that every device with this function has, and no register. A device without it says so by an
exception, which is an answer as well: the application lives. A unit that nobody has is answered by some devices with
silence, so attempts in turn ask the unit of a device that is addressed by its IP address alone (255; MODBUS Messaging
on TCP/IP V1.0b, 4.4.2) and the one that single devices use (1), unless the plant file names one
(``tcp/502:modbus@17``), such as that of a device behind a gateway. Unit 0 is asked only where it is named: on the
serial line behind a gateway it means everybody, and is for writing alone (MODBUS over Serial Line V1.02, 2.1).

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import Send
from probes.applications import expect
from probes.applications import printable

UNITS = (255, 1)
FUNCTION, MEI, BASIC = 0x2B, 0x0E, 0x01
EXCEPTION = 0x80  #: added to the function's number
LENGTHS = range(3, 255)  #: octets after the length field: a unit, and 2 to 253 of the protocol data unit
OBJECTS = {0: "vendor", 1: "product", 2: "revision", 3: "url", 4: "product-name", 5: "model", 6: "application-name"}
EXCEPTIONS = {1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "server device failure"}
EXCEPTIONS |= {6: "server device busy", 10: "gateway path unavailable", 11: "gateway target failed to respond"}

_HEADER = struct.Struct(">HHHB")  # MBAP: transaction, protocol (0), octets that follow, unit


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask for the basic device identification."""
    attempt = int(asked.get("attempt", "0"))
    unit, transaction = int(asked.get("station", UNITS[attempt % len(UNITS)])), 0x5050 + attempt % 0x100
    yield Send(_HEADER.pack(transaction, 0, 5, unit) + bytes((FUNCTION, MEI, BASIC, 0)))
    said, protocol, length, speaker = _HEADER.unpack((yield Read(_HEADER.size)))
    expect(protocol == 0, f"protocol identifier {protocol}")
    expect(length in LENGTHS, f"length field {length}")
    expect(said == transaction, "an answer to another transaction")
    expect(speaker == unit, "an answer of another unit")
    return {"unit": str(unit), **identity((yield Read(length - 1)))}


def identity(pdu: bytes) -> dict[str, str]:
    """What a protocol data unit says that answers the question.

    Raises:
        NotThisProtocol: if it is none that does.
    """
    if pdu[0] == FUNCTION | EXCEPTION:
        expect(len(pdu) == 2 and pdu[1] != 0, "an exception of another length")
        return {"exception": EXCEPTIONS.get(pdu[1], str(pdu[1]))}
    expect(pdu[0] == FUNCTION, f"an answer to function {pdu[0]}")
    # MEI type, code asked for, conformity, more follows, next object, number of objects
    expect(len(pdu) >= 7 and pdu[1] == MEI and pdu[2] == BASIC, "no answer to the question for the identification")
    found: dict[str, str] = {}
    at = 7
    for _ in range(pdu[6]):
        expect(at + 2 <= len(pdu) and at + 2 + pdu[at + 1] <= len(pdu), "an object beyond the end of the answer")
        if name := OBJECTS.get(pdu[at]):
            found[name] = printable(pdu[at + 2 : at + 2 + pdu[at + 1]])
        at += 2 + pdu[at + 1]
    expect(at == len(pdu), "octets behind the last object")
    return found


PROTOCOL = Protocol("modbus", "tcp", converse, stations=range(256))
