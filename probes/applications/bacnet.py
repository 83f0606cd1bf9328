"""BACnet/IP (ANSI/ASHRAE 135, annex J): Who-Is by unicast (16.10), or the device's identifier by ReadProperty (15.5).

Who-Is is answered by I-Am, which old devices send to everybody and not to who asked; such a one is silent to us. So
attempts in turn ask the other question that every device answers: ReadProperty of the device's identifier, by the
instance that stands for whichever device it is (4194303). An error, a reject or an abort is an answer as well.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping

from probes.applications import Datagram
from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Send
from probes.applications import expect

BACNET_IP = 0x81  #: type of a BVLC (annex J.2)
UNICAST, BROADCAST, FORWARDED = 0x0A, 0x0B, 0x04
VERSION = 1
#: NPDU control (6.2.2): network message, destination, source, and that an answer is expected
NETWORK, DESTINATION, SOURCE, EXPECTS = 0x80, 0x20, 0x08, 0x04
CONFIRMED, UNCONFIRMED, COMPLEX, ERROR, REJECT, ABORT = 0, 1, 3, 5, 6, 7  #: types of APDU, the upper four bits (20.1)
I_AM, WHO_IS, READ_PROPERTY = 0, 8, 12
DEVICE, ANY_INSTANCE = 8, 0x3FFFFF
OBJECT_IDENTIFIER = 75  #: the property (clause 21)
MOST_DATAGRAMS = 4  #: of which one must be the answer: devices ask questions themselves

_REFUSALS = {ERROR: "error", REJECT: "reject", ABORT: "abort"}


def who_is() -> bytes:
    """Who-Is for every instance."""
    return _bvlc(bytes((VERSION, 0, UNCONFIRMED << 4, WHO_IS)))


def read_property(invoke: int) -> bytes:
    """ReadProperty of the identifier of whichever device it is; no segments, answers of up to 1476 octets."""
    identifier = (DEVICE << 22 | ANY_INSTANCE).to_bytes(4)
    request = bytes((CONFIRMED << 4, 0x05, invoke, READ_PROPERTY, 0x0C)) + identifier + bytes((0x19, OBJECT_IDENTIFIER))
    return _bvlc(bytes((VERSION, EXPECTS)) + request)


def _bvlc(npdu: bytes) -> bytes:
    return bytes((BACNET_IP, UNICAST)) + (4 + len(npdu)).to_bytes(2) + npdu


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask who the device is."""
    attempt = int(asked.get("attempt", "0"))
    invoke = attempt % 256
    yield Send(read_property(invoke) if attempt % 2 else who_is())
    for _ in range(MOST_DATAGRAMS):
        told = understood(apdu((yield Datagram())), invoke, confirmed=bool(attempt % 2))
        if told is not None:
            return told
    expect(False, f"no answer among {MOST_DATAGRAMS} datagrams")
    raise AssertionError  # not reached


def apdu(datagram: bytes) -> bytes:
    """The application's part of a datagram; nothing if it is the network layer's own.

    Raises:
        NotThisProtocol: if it is no BACnet/IP.
    """
    expect(len(datagram) >= 4 and datagram[0] == BACNET_IP, "no BACnet/IP")
    expect(int.from_bytes(datagram[2:4]) == len(datagram), "a datagram of another length than it says")
    kind = datagram[1]
    if kind not in (UNICAST, BROADCAST, FORWARDED):
        return b""  # registration and tables of broadcast managers
    at = 10 if kind == FORWARDED else 4
    expect(len(datagram) >= at + 2 and datagram[at] == VERSION, "no network header of version 1")
    control, at = datagram[at + 1], at + 2
    if control & DESTINATION:
        at = _behind_address(datagram, at)
    if control & SOURCE:
        at = _behind_address(datagram, at)
    if control & DESTINATION:
        at += 1  # hop count
    expect(at <= len(datagram), "a network header that goes beyond the end")
    return b"" if control & NETWORK else datagram[at:]


def _behind_address(datagram: bytes, at: int) -> int:
    """Network number and address with its length."""
    expect(at + 3 <= len(datagram), "a network header that goes beyond the end")
    return at + 3 + datagram[at + 2]


def understood(said: bytes, invoke: int, *, confirmed: bool) -> dict[str, str] | None:
    """What an APDU says to the question that was asked; ``None`` if it is about something else.

    Raises:
        NotThisProtocol: if it is the answer, and cannot be read.
    """
    if not said:
        return None
    kind = said[0] >> 4
    if kind == UNCONFIRMED and len(said) >= 2 and said[1] == I_AM:
        return i_am(said[2:])  # also beside the other question: the device lives
    if not confirmed or kind not in (COMPLEX, *_REFUSALS) or len(said) < 3 or said[1] != invoke:
        return None
    if kind != COMPLEX:
        return {"refused": _REFUSALS[kind]}
    expect(not said[0] & 0x08 and said[2] == READ_PROPERTY, "an answer to another service")
    # object (context tag 0), property (1), opening tag 3, identifier (application tag 12), closing tag 3
    expect(len(said) == 17 and said[3] == 0x0C and said[8:11] == bytes((0x19, OBJECT_IDENTIFIER, 0x3E)), "no property")
    expect(said[11] == 0xC4 and said[16] == 0x3F, "no object identifier")
    return {"instance": _instance(said[12:16])}


def i_am(content: bytes) -> dict[str, str]:
    """Device, longest APDU, segmentation, vendor (16.10.1.1.1), each with its application tag.

    Raises:
        NotThisProtocol: if they are not there.
    """
    expect(len(content) >= 5 and content[0] == 0xC4, "an I-Am without a device")
    told, at = {"instance": _instance(content[1:5])}, 5
    for name, tag in (("max-apdu", 2), ("segmentation", 9), ("vendor-id", 2)):
        expect(at < len(content) and content[at] >> 4 == tag and not content[at] & 0x08, f"an I-Am without {name}")
        length = content[at] & 0x07
        expect(1 <= length <= 4 and at + 1 + length <= len(content), f"an I-Am without {name}")
        told[name] = str(int.from_bytes(content[at + 1 : at + 1 + length]))
        at += 1 + length
    expect(at == len(content), "octets behind the end of an I-Am")
    return told


def _instance(identifier: bytes) -> str:
    value = int.from_bytes(identifier)
    expect(value >> 22 == DEVICE, "an identifier of something else than a device")
    return str(value & ANY_INSTANCE)


PROTOCOL = Protocol("bacnet", "udp", converse)
