"""DNP3 (IEEE 1815): a request for the status of the link, which a station answers below its application layer.

The plant file must give the station's address (``tcp/20000:dnp3@10``): a station is silent to every other. Some answer
one master only, so attempts in turn use the addresses that masters commonly have.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import NotThisProtocol
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import Send
from probes.applications import expect

MASTERS = (1, 3, 100)
START = b"\x05\x64"
#: Control octets: from a master that begins, "request link status"; from a station that answers, "status of link".
REQUEST_STATUS, STATUS, MASK = 0xC9, 0x0B, 0x4F
BUSY = 0x10  #: data flow control: its buffers are full
HEADER = struct.Struct("<2sBBHHH")  # start, length, control, destination, source, check
FRAMES = 4  #: of others that may come before the answer, such as what a station reports unasked
BLOCK = 16  #: octets of user data to a check


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask a station for the status of its link."""
    station = int(asked["station"])
    master = MASTERS[int(asked.get("attempt", "0")) % len(MASTERS)]
    head = struct.pack("<2sBBHH", START, 5, REQUEST_STATUS, station, master)
    yield Send(head + check(head).to_bytes(2, "little"))
    for _ in range(FRAMES):
        frame = yield Read(HEADER.size)
        start, length, control, destination, source, told = HEADER.unpack(frame)
        expect(start == START and length >= 5 and told == check(frame[:8]), "no frame of this protocol")
        if control & MASK == STATUS and length == 5:
            expect((destination, source) == (master, station), "an answer of another station")
            return {"station": str(station), "master": str(master), "link": "busy" if control & BUSY else "ready"}
        data = length - 5
        if data:
            yield Read(data + 2 * -(-data // BLOCK))
    raise NotThisProtocol("no status of the link among many frames")


def check(octets: bytes) -> int:
    """The cyclic redundancy check of the data link layer (IEEE 1815, 9.2.4.1.7; CRC-16/DNP)."""
    register = 0
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0xA6BC if register & 1 else 0)
    return register ^ 0xFFFF


PROTOCOL = Protocol("dnp3", "tcp", converse, stations=range(0xFFF0), needs_station=True)
