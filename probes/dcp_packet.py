"""Frames of PROFINET DCP as pure functions: the one request that is ever sent, and answers to it, whatever they hold.

DCP finds, names and configures stations on one link (IEC 61158-6-10, 4.3). Of its services this project uses Identify
alone, which reads; Set, which changes names and addresses, cannot be made here. The request goes to everybody on the
link and holds a filter on the station's name, so that the station of that name answers and nobody else.

The numbers below are recalled, not compared with the standard's text; those of the answer, and the padding of its
blocks, agree with a recorded answer of a real device (ITI ICS-Security-Tools, ``ChangeIPUsingDCP.pcap``).

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

ETHERTYPE = 0x8892
EVERYBODY = bytes.fromhex("010ecf000000")  #: multicast address of Identify requests
IDENTIFY_REQUEST, IDENTIFY_ANSWER = 0xFEFE, 0xFEFF  #: FrameIDs
IDENTIFY = 5  #: ServiceID
REQUEST, SUCCESS = 0, 1  #: ServiceTypes
AT_ONCE = 1  #: ResponseDelayFactor: nobody else is to answer, so there is nothing to wait for
IP_PARAMETER, NAME_OF_STATION = (1, 2), (2, 2)  #: option and suboption of a block
VENDOR_NAME, DEVICE_ID = (2, 1), (2, 3)
LEAST_OCTETS = 46  #: of a frame without its header (IEEE 802.3)
#: A station's name: labels of up to 63 letters, digits and hyphens, 240 octets in all. The standard has lower case
#: only; devices in the field have not.
STATION = re.compile(
    r"(?=[A-Za-z0-9.-]{1,240}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_HEADER = struct.Struct(">HBBIHH")  # FrameID, ServiceID, ServiceType, Xid, response delay or reserved, DCPDataLength


@dataclass(frozen=True, slots=True)
class Identity:
    """What a station says of itself."""

    name: bytes
    address: bytes | None = None  #: IPv4; ``None`` if it says nothing of one
    vendor: bytes = b""  #: the text that the standard calls type of station, or manufacturer specific string
    device: tuple[int, int] | None = None  #: VendorID and DeviceID


class Malformed(Exception):
    """No answer to Identify, and why."""


def identify(station: str, xid: int) -> bytes:
    """The request that the station of this name alone answers, padded; without the Ethernet header.

    Raises:
        ValueError: if there can be no such name.
    """
    if STATION.fullmatch(station) is None:
        raise ValueError(f"no name of a station: {station!r}")
    name = station.encode("ascii")
    block = bytes((*NAME_OF_STATION,)) + len(name).to_bytes(2) + name + bytes(len(name) % 2)
    head = _HEADER.pack(IDENTIFY_REQUEST, IDENTIFY, REQUEST, xid, AT_ONCE, len(block))
    return (head + block).ljust(LEAST_OCTETS, b"\0")


def xid_of_request(frame: bytes) -> int | None:
    """The Xid of a request that :func:`identify` can have made; ``None`` of every other frame, such as one that sets.

    One that asks every station, without a filter on a name, is none either.
    """
    if len(frame) < _HEADER.size + 4:
        return None
    *_, xid, _, _ = _HEADER.unpack_from(frame)
    end = _HEADER.size + 4 + int.from_bytes(frame[_HEADER.size + 2 : _HEADER.size + 4])
    name = frame[_HEADER.size + 4 : end].decode("ascii", "replace")
    return xid if STATION.fullmatch(name) and frame == identify(name, xid) else None


def is_answer(frame: bytes, xid: int) -> bool:
    """Whether a frame is meant as an answer to the request with this Xid, well formed or not."""
    if len(frame) < _HEADER.size:
        return False
    kind, service, _, told, _, _ = _HEADER.unpack_from(frame)
    return (kind, service, told) == (IDENTIFY_ANSWER, IDENTIFY, xid)


def identity(frame: bytes, xid: int) -> Identity:
    """What the answer to the request with this Xid says.

    Raises:
        Malformed: if it is none.
    """
    if not is_answer(frame, xid):
        raise Malformed("no answer to this request")
    _, _, outcome, _, _, length = _HEADER.unpack_from(frame)
    if outcome != SUCCESS:
        raise Malformed(f"an answer of type {outcome}")
    if _HEADER.size + length > len(frame):
        raise Malformed(f"{length} octets of blocks announced, {len(frame) - _HEADER.size} there")
    found = _blocks(frame[_HEADER.size : _HEADER.size + length])
    if NAME_OF_STATION not in found:
        raise Malformed("an answer without a station's name")
    network, device = found.get(IP_PARAMETER), found.get(DEVICE_ID)
    if network is not None and len(network) != 12:  # address, mask, gateway
        raise Malformed(f"an address block of {len(network)} octets")
    return Identity(
        found[NAME_OF_STATION],
        network[:4] if network is not None else None,
        found.get(VENDOR_NAME, b""),
        struct.unpack(">HH", device) if device is not None and len(device) == 4 else None,
    )


def _blocks(octets: bytes) -> dict[tuple[int, int], bytes]:
    """Content of each block by option and suboption, the first of each; without its BlockInfo, two octets."""
    found: dict[tuple[int, int], bytes] = {}
    start = 0
    while start < len(octets):
        if start + 4 > len(octets):
            raise Malformed("half a block")
        option, suboption, length = struct.unpack_from(">BBH", octets, start)
        end = start + 4 + length
        if length < 2 or end > len(octets):
            raise Malformed(f"a block of {length} octets")
        found.setdefault((option, suboption), octets[start + 6 : end])
        start = end + length % 2
    return found
