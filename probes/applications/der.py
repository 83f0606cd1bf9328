"""The little of BER and DER (ITU-T X.690) that SNMP and certificates need: definite lengths, tags of one octet.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Iterator

from probes.applications import expect

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30


def element(tag: int, *contents: bytes) -> bytes:
    """One element."""
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int) -> bytes:
    """An INTEGER, which is not negative, in as few octets as it needs."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in text.split("."))
    octets = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += bytes(reversed(groups))
    return element(OID, bytes(octets))


def elements(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element in ``octets``, which they fill to the end.

    Raises:
        NotThisProtocol: if they do not.
    """
    at = 0
    while at < len(octets):
        expect(at + 2 <= len(octets) and octets[at] & 0x1F != 0x1F, "an element without a length, or of a long tag")
        tag, length, at = octets[at], octets[at + 1], at + 2
        if length >= 0x80:
            wide = length & 0x7F
            expect(0 < wide <= 4 and at + wide <= len(octets), "a length that is none")
            length, at = int.from_bytes(octets[at : at + wide]), at + wide
        expect(at + length <= len(octets), "an element that goes beyond the end")
        yield tag, octets[at : at + length]
        at += length


def parts(octets: bytes, *tags: int) -> list[bytes]:
    """Contents of the elements in ``octets``, whose tags must be these.

    Raises:
        NotThisProtocol: if they are others.
    """
    found = list(elements(octets))
    expect(tuple(tag for tag, _ in found) == tags, "elements of other kinds than the answer has")
    return [content for _, content in found]


def whole(octets: bytes, tag: int) -> bytes:
    """Content of the one element that ``octets`` are, whose tag must be this.

    Raises:
        NotThisProtocol: if they are something else.
    """
    (content,) = parts(octets, tag)
    return content


def number(content: bytes) -> int:
    """The value of an INTEGER, or of a type that is written like one.

    Raises:
        NotThisProtocol: if it is empty or of more than 64 bits.
    """
    expect(0 < len(content) <= 9, "an integer that is none")
    return int.from_bytes(content, signed=True)


def arcs(content: bytes) -> str:
    """An OBJECT IDENTIFIER as text.

    Raises:
        NotThisProtocol: if it is none.
    """
    expect(0 < len(content) <= 256 and content[-1] < 0x80, "an object identifier that is none")
    found, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            found.append(value)
            value = 0
    first = min(found[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, found[0] - 40 * first, *found[1:]))
