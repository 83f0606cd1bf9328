"""What a certificate says of its holder (RFC 5280 section 4.1): its subject, and until when it is good.

Nothing is verified. A certificate that cannot be read tells nothing, and takes nothing from the answer it came with.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from probes.applications import NotThisProtocol
from probes.applications import expect
from probes.applications import printable
from probes.applications.der import SEQUENCE
from probes.applications.der import arcs
from probes.applications.der import elements

NAMES = {"2.5.4.3": "CN", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C", "2.5.4.5": "serialNumber"}
SET, UTC_TIME, GENERALIZED_TIME, VERSION = 0x31, 0x17, 0x18, 0xA0
UTF16 = 0x1E  #: BMPString


def told_by(certificate: bytes) -> dict[str, str]:
    """``subject`` and ``expires`` (UTC, as in ISO 8601) of a certificate in DER; nothing if it cannot be read."""
    try:
        ((_, whole),) = elements(certificate)
        (_, signed), *_ = elements(whole)
        fields = [part for part in elements(signed) if part[0] != VERSION]
        # serial number, signature algorithm, issuer, validity, subject
        (_, validity), (tag, subject) = fields[3:5]
        expect(tag == SEQUENCE, "no name")
        _, (kind, end) = elements(validity)
        return {"subject": _name(subject), "expires": _time(kind, end)}
    except (NotThisProtocol, ValueError):
        return {}


def _name(subject: bytes) -> str:
    found = []
    for tag, relative in elements(subject):
        expect(tag == SET, "no relative name")
        for _, pair in elements(relative):
            (_, kind), (text_tag, text) = elements(pair)
            octets = text.decode("utf-16-be", "replace").encode() if text_tag == UTF16 else text
            found.append(f"{NAMES.get(arcs(kind), arcs(kind))}={printable(octets)}")
    return ", ".join(found)


def _time(kind: int, octets: bytes) -> str:
    """RFC 5280 4.1.2.5: two-digit years from 50 on are those of the last century."""
    text = octets.decode("ascii")
    if kind == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    else:
        expect(kind == GENERALIZED_TIME, "no time")
    expect(len(text) == 15 and text[:14].isdigit() and text[14] == "Z", "no time")
    year, month, day, hour, minute, second = (
        text[a:b] for a, b in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))
    )
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"
