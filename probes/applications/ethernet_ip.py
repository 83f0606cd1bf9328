"""EtherNet/IP: ListIdentity, which every device must answer without a session (CIP Networks Library vol. 2, 2-4.2).

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
from probes.applications import printable
from probes.applications.octets import Octets

LIST_IDENTITY = 0x63
IDENTITY_ITEM = 0x0C
HEADER = 24
LONGEST = 1024  #: octets behind the header; one identity has less than 300
CONTEXT = b"plntprf\0"  #: comes back as it was sent


def converse(asked: Mapping[str, str]) -> Dialogue:  # noqa: ARG001 - there is one way to ask
    """Ask who is there."""
    # Command, no data, no session, status 0, context, no options: encapsulation header, little endian.
    yield Send(LIST_IDENTITY.to_bytes(2, "little") + bytes(10) + CONTEXT + bytes(4))
    head = Octets((yield Read(HEADER)))
    expect(head.number("<H") == LIST_IDENTITY, "an answer to another command")
    length = head.number("<H")
    head.take(4)
    status = head.number("<I")
    expect(head.take(8) == CONTEXT, "an answer to another question")
    expect(length <= LONGEST, f"{length} octets announced")
    body = (yield Read(length)) if length else b""
    return {"refused": f"status {status:#x}"} if status else identity(Octets(body))


def identity(body: Octets) -> dict[str, str]:
    """What the items of an answer say of the device.

    Raises:
        NotThisProtocol: if there is no identity among them.
    """
    for _ in range(body.number("<H")):
        kind, item = body.number("<H"), Octets(body.take(body.number("<H")))
        if kind == IDENTITY_ITEM:
            break
    else:
        raise NotThisProtocol("no identity among the items")
    item.take(2 + 16)  # version of the encapsulation, a socket address
    vendor, device, product = (item.number("<H") for _ in range(3))
    major, minor = item.number("B"), item.number("B")
    item.take(2)  # status
    serial = item.number("<I")
    name = printable(item.take(item.number("B")))
    return {
        "vendor-id": str(vendor),
        "device-type": str(device),
        "product-code": str(product),
        "revision": f"{major}.{minor}",
        "serial": f"{serial:08x}",
        "product": name,
    }


PROTOCOL = Protocol("ethernet-ip", "tcp", converse)
