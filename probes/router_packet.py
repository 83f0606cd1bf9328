"""Router solicitations and advertisements on the wire (RFC 4861, RFC 8106): made and read. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address

SOLICITATION, ADVERTISEMENT = 133, 134
HOP_LIMIT = 255  #: a packet that a router has forwarded has less (RFC 4861 3.1)
_HEADER = struct.Struct("!BBHBBHII")
_PREFIX = struct.Struct("!BBII4x16s")
_SOURCE_LINK, _PREFIX_INFORMATION, _MTU, _RDNSS = 1, 3, 5, 25


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix information option (RFC 4861 4.6.2)."""

    network: str  #: prefix and length
    on_link: bool
    autonomous: bool  #: for stateless address configuration (RFC 4862)
    valid_s: int
    preferred_s: int


@dataclass(frozen=True, slots=True)
class Advertisement:
    """A router advertisement (RFC 4861 4.2) with the options that are read here."""

    lifetime_s: int  #: as a default router; 0: it is none
    managed: bool  #: M: addresses by DHCPv6
    other: bool  #: O: other configuration by DHCPv6
    hop_limit: int  #: that hosts are to use; 0: not stated
    mtu: int | None
    prefixes: tuple[Prefix, ...]
    resolvers: tuple[str, ...]  #: of RDNSS options (RFC 8106 5.1) whose lifetime is not over


def solicitation(mac: bytes) -> bytes:
    """A router solicitation (RFC 4861 4.1), with the sender's link-layer address if it has one of 6 bytes.

    The kernel fills in the checksum.
    """
    message = struct.pack("!BBHI", SOLICITATION, 0, 0, 0)
    return message + bytes((_SOURCE_LINK, 1)) + mac if len(mac) == 6 else message


def read_advertisement(message: bytes, hop_limit: int, source: bytes) -> Advertisement | None:
    """The advertisement, if it is valid by RFC 4861 6.1.2; the kernel has checked its sum.

    Args:
        message: from the ICMPv6 header on.
        hop_limit: with which it arrived.
        source: packed address that it came from.
    """
    is_link_local = source[:1] == b"\xfe" and source[1:2] and source[1] & 0xC0 == 0x80
    if hop_limit != HOP_LIMIT or not is_link_local or len(source) != 16 or len(message) < _HEADER.size:
        return None
    kind, code, _, hops, flags, lifetime_s, _, _ = _HEADER.unpack_from(message)
    options = list(_options(message[_HEADER.size :]))
    if kind != ADVERTISEMENT or code != 0 or None in options:
        return None
    sound = [option for option in options if option is not None]
    mtus = [int.from_bytes(data[2:6]) for number, data in sound if number == _MTU and len(data) == 6]
    prefixes = (_prefix(data) for number, data in sound if number == _PREFIX_INFORMATION)
    return Advertisement(
        lifetime_s=lifetime_s,
        managed=bool(flags & 0x80),
        other=bool(flags & 0x40),
        hop_limit=hops,
        mtu=mtus[0] if mtus else None,
        prefixes=tuple(filter(None, prefixes)),
        resolvers=tuple(one for number, data in sound if number == _RDNSS for one in _resolvers(data)),
    )


def _options(data: bytes) -> Iterator[tuple[int, bytes] | None]:
    """Number and data of each option; ``None`` for one that makes the whole message invalid."""
    start = 0
    while start < len(data):
        size = data[start + 1] * 8 if start + 1 < len(data) else 0
        if size == 0 or start + size > len(data):
            yield None
            return
        yield data[start], data[start + 2 : start + size]
        start += size


def _prefix(data: bytes) -> Prefix | None:
    if len(data) != _PREFIX.size:
        return None
    length, flags, valid_s, preferred_s, packed = _PREFIX.unpack(data)
    if length > 128:
        return None
    return Prefix(f"{IPv6Address(packed)}/{length}", bool(flags & 0x80), bool(flags & 0x40), valid_s, preferred_s)


def _resolvers(data: bytes) -> Iterator[str]:
    if len(data) < 22 or (len(data) - 6) % 16 or not int.from_bytes(data[2:6]):
        return
    for start in range(6, len(data), 16):
        yield str(IPv6Address(data[start : start + 16]))
