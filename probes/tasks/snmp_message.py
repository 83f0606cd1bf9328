"""Which SNMP message a datagram is, read from its first few octets (BER, ITU-T X.690). Pure."""

from __future__ import annotations


def message_id(datagram: bytes) -> tuple[int, int] | None:
    """Version and id of an SNMP message (RFC 3412 section 6, RFC 3416 section 3); nothing if it is none, or is cut."""
    try:
        body, rest = _element(datagram, 0x30)
        if rest:
            return None
        version, body = _integer(body)
        if version == 3:
            header, _ = _element(body, 0x30)
            return version, _integer(header)[0]
        _, body = _element(body, 0x04)
        pdu, rest = _element(body, body[0])
        return None if rest else (version, _integer(pdu)[0])
    except (ValueError, IndexError):
        return None


def _integer(octets: bytes) -> tuple[int, bytes]:
    content, rest = _element(octets, 0x02)
    return int.from_bytes(content, signed=True), rest


def _element(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """Content of the BER element (X.690 section 8.1) that ``octets`` begin with, and what follows it.

    Raises:
        ValueError: if it has another tag, or is not there as a whole.
        IndexError: likewise.
    """
    if octets[0] != tag:
        raise ValueError("another tag")
    length, at = octets[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(octets[2:at])
    if len(octets) < at + length:
        raise ValueError("cut")
    return octets[at : at + length], octets[at + length :]
