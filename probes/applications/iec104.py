"""IEC 60870-5-104: a test frame (TESTFR act), which the other side must confirm. No data transfer is started.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import NotThisProtocol
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import Send
from probes.applications import expect

START = 0x68
TEST, CONFIRMED = bytes.fromhex("43000000"), bytes.fromhex("83000000")
LENGTHS = range(4, 254)  #: of an APDU behind its length
FRAMES = 8  #: of others that may come before the confirmation, such as a test of the station's own


def converse(asked: Mapping[str, str]) -> Dialogue:  # noqa: ARG001 - there is one way to ask
    """Test the connection."""
    yield Send(bytes([START, len(TEST)]) + TEST)
    for others in range(FRAMES):
        start, length = yield Read(2)
        expect(start == START and length in LENGTHS, "no frame of this protocol")
        frame = yield Read(length)
        if frame == CONFIRMED:
            return {"test": "confirmed"} | ({"other-frames": str(others)} if others else {})
        # I frames end in 0, S frames in 01 and have nothing else; U frames have one function, and zeros.
        expect(frame[0] & 1 == 0 or length == len(TEST), "a frame of a wrong length")
    raise NotThisProtocol("no confirmation among many frames")


PROTOCOL = Protocol("iec104", "tcp", converse)
