"""Router solicitations and advertisements: made to the byte, and read as strictly as RFC 4861 6.1.2 demands."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.router_packet import Advertisement
from probes.router_packet import Prefix
from probes.router_packet import read_advertisement
from probes.router_packet import solicitation

ROUTER = IPv6Address("fe80::1").packed
PREFIX = struct.pack("!BBBBII4x", 3, 4, 64, 0xC0, 86_400, 14_400) + IPv6Address("2001:db8:a::").packed
MTU = struct.pack("!BBHI", 5, 1, 0, 1400)
RDNSS = struct.pack("!BBHI", 25, 3, 0, 600) + IPv6Address("2001:db8::53").packed
SOURCE = b"\x01\x01\x02\x00\x00\x00\x00\x01"


def header(kind: int = 134, code: int = 0, flags: int = 0, lifetime_s: int = 1800) -> bytes:
    return struct.pack("!BBHBBHII", kind, code, 0, 64, flags, lifetime_s, 0, 0)


def read(message: bytes, hop_limit: int = 255, source: bytes = ROUTER) -> Advertisement | None:
    return read_advertisement(message, hop_limit, source)


def test_a_solicitation_is_that_of_the_rfc() -> None:
    assert solicitation(b"") == bytes.fromhex("85000000 00000000")
    assert solicitation(bytes(range(6))) == bytes.fromhex("85000000 00000000 0101 000102030405")
    assert len(solicitation(bytes(8))) == 8  # no Ethernet address: the option is left out


def test_everything_is_read() -> None:
    assert read(header(flags=0xC0) + SOURCE + PREFIX + MTU + RDNSS) == Advertisement(
        lifetime_s=1800,
        managed=True,
        other=True,
        hop_limit=64,
        mtu=1400,
        prefixes=(Prefix("2001:db8:a::/64", True, True, 86_400, 14_400),),
        resolvers=("2001:db8::53",),
    )
    assert read(header(lifetime_s=0)) == Advertisement(0, False, False, 64, None, (), ())
    assert read(header(lifetime_s=65_535)) == Advertisement(65_535, False, False, 64, None, (), ())


@pytest.mark.parametrize(
    "found",
    [
        {"message": b""},
        {"message": header()[:15]},
        {"message": header(kind=133)},
        {"message": header(code=1)},
        {"message": header(), "hop_limit": 254},  # forwarded by somebody
        {"message": header(), "hop_limit": -1},
        {"message": header(), "source": IPv6Address("2001:db8::1").packed},
        {"message": header(), "source": IPv6Address("::").packed},
        {"message": header(), "source": b""},
        {"message": header(), "source": b"\xfe"},
        {"message": header() + b"\x03\x00" + bytes(30)},  # an option of length 0
        {"message": header() + PREFIX[:-1]},
        {"message": header() + b"\x03"},
        {"message": header() + b"\xfd\xff" + bytes(8)},
    ],
)
def test_what_is_not_valid_is_none(found: dict[str, Any]) -> None:
    assert read(**found) is None


@pytest.mark.parametrize(
    "option",
    [
        b"\xfd\x01" + bytes(6),  # unknown
        b"\x03\x01" + bytes(6),  # a prefix that is too short
        PREFIX[:2] + b"\x81" + PREFIX[3:],  # /129
        b"\x05\x02" + bytes(14),
        b"\x19\x01" + bytes(6),  # resolvers, and none there
        b"\x19\x02" + bytes(4) + bytes(10),
        RDNSS[:4] + bytes(4) + RDNSS[8:],  # whose lifetime is over
    ],
)
def test_options_that_make_no_sense_are_left_aside(option: bytes) -> None:
    assert read(header() + option + MTU) == Advertisement(1800, False, False, 64, 1400, (), ())


@given(st.binary(max_size=400), st.integers(-1, 255), st.binary(min_size=0, max_size=17))
def test_no_bytes_make_it_raise(message: bytes, hop_limit: int, source: bytes) -> None:
    read(message, hop_limit, source)


@given(st.binary(max_size=300).map(lambda rest: header() + rest))
def test_what_is_valid_holds_whole_options(message: bytes) -> None:
    heard = read(message)
    assert heard is None or len(message) % 8 == 0


@given(
    st.integers(0, 65_535),
    st.booleans(),
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, 128), st.integers(0, 2**32 - 1), st.binary(min_size=16, max_size=16)), max_size=5
    ),
)
def test_what_was_written_is_read(lifetime_s: int, managed: bool, other: bool, prefixes: list[Any]) -> None:
    message = header(flags=managed << 7 | other << 6, lifetime_s=lifetime_s)
    for length, valid_s, packed in prefixes:
        message += struct.pack("!BBBBII4x", 3, 4, length, 0x40, valid_s, 0) + packed
    heard = read(message)
    assert heard is not None
    assert (heard.lifetime_s, heard.managed, heard.other) == (lifetime_s, managed, other)
    assert [(one.network, one.on_link, one.autonomous, one.valid_s) for one in heard.prefixes] == [
        (f"{IPv6Address(packed)}/{length}", False, True, valid_s) for length, valid_s, packed in prefixes
    ]
