"""PROFINET DCP: does the station of the declared name answer Identify (IEC 61158-6-10, 4.3), on its own link?

The plant file must give the station's name (``ethernet/0x8892:profinet-dcp@press-1``). It is a dialogue below IP, so it
can only be held from a vantage point on the terminal's own link. An answer is that of the declared terminal if it bears
the name, the declared IPv4 address where it names one, and the hardware address under which this host's kernel knows
the declared address, where it knows one; one of the two addresses at the least.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from ipaddress import ip_address
from zlib import crc32

from probes.applications import Datagram
from probes.applications import Dialogue
from probes.applications import NotThisProtocol
from probes.applications import Protocol
from probes.applications import Send
from probes.applications import expect
from probes.applications import printable
from probes.dcp_packet import ETHERTYPE
from probes.dcp_packet import STATION
from probes.dcp_packet import Malformed
from probes.dcp_packet import identify
from probes.dcp_packet import identity

MAC = 6  #: octets of a hardware address


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask the station of that name who it is. What is heard is the sender's hardware address, and the frame."""
    station = asked["station"]
    xid = crc32(f"{station} {asked['address']} {asked.get('attempt', '0')}".encode())
    yield Send(identify(station, xid))
    heard = yield Datagram()
    return understood(heard[:MAC], heard[MAC:], xid, asked)


def understood(source: bytes, frame: bytes, xid: int, asked: Mapping[str, str]) -> dict[str, str]:
    """What an answer from ``source`` says of the station that was asked.

    Raises:
        NotThisProtocol: if it is no answer, or not that of the declared terminal.
    """
    try:
        told = identity(frame, xid)
    except Malformed as why:
        raise NotThisProtocol(str(why)) from None
    expect(told.name.lower() == asked["station"].lower().encode(), f"an answer of station {printable(told.name, 40)}")
    expect(len(source) == MAC and not source[0] & 1, "an answer from no station's hardware address")
    known = asked.get("mac", "")
    expect(not known or known == source.hex(":"), f"an answer from {source.hex(':')} instead of {known}")
    declared, own = ip_address(asked["address"].partition("%")[0]), told.address
    names_address = isinstance(declared, IPv4Address) and own is not None and any(own)
    if names_address:
        expect(own == declared.packed, f"an answer of the station at {IPv4Address(own or b'')}")
    expect(bool(known) or names_address, "an answer that no address ties to the terminal")
    facts = {"station": printable(told.name), "mac": source.hex(":")}
    facts |= {"address": str(IPv4Address(own))} if own is not None else {}
    facts |= {"type": printable(told.vendor)} if told.vendor else {}
    return facts | ({"vendor-id": str(told.device[0]), "device-id": str(told.device[1])} if told.device else {})


PROTOCOL = Protocol("profinet-dcp", "ethernet", converse, needs_station=True, number=ETHERTYPE, names=STATION)
