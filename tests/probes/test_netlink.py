"""Netlink messages: any bytes are survived, and the kernel of this host is understood."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from probes.gate import Gate
from probes.netlink import LOCAL
from probes.netlink import Kernel
from probes.netlink import address_text
from probes.netlink import attributes
from probes.netlink import messages
from probes.netlink import parse_neighbour
from probes.netlink import parse_route
from probes.permit import Permit


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    for _, payload in messages(data):
        parse_route(payload)
        parse_neighbour(payload)
    attributes(data)
    parse_route(data)
    parse_neighbour(data)


def test_a_message_cut_short_is_left_out() -> None:
    whole = struct.pack("=IHHII", 20, 24, 0, 0, 0) + b"abcd"
    assert list(messages(whole * 2)) == [(24, b"abcd")] * 2
    assert list(messages(whole + whole[:-1])) == [(24, b"abcd")]
    assert list(messages(struct.pack("=IHHII", 0, 24, 0, 0, 0) * 2)) == []  # a length of nothing does not loop


def test_attributes_that_claim_too_much_end_the_list() -> None:
    good = struct.pack("=HH4s", 8, 1, b"\1\2\3\4")
    assert attributes(good + struct.pack("=HH", 99, 2)) == {1: b"\1\2\3\4"}
    assert attributes(struct.pack("=HH", 0, 2) + good) == {}


def test_this_kernel_knows_loopback() -> None:
    kernel = Kernel(Gate(Permit("desk", {}, {}, {})).netlink_port())
    try:
        assert kernel.route(b"\x7f\0\0\1").kind == LOCAL
        assert any(route.kind == LOCAL for route in kernel.routes())
        assert isinstance(kernel.neighbours(), dict)
    finally:
        kernel.close()


def test_addresses_as_text() -> None:
    assert address_text(b"\xc0\0\2\1") == "192.0.2.1"
    assert address_text(b"\x20\1\x0d\xb8" + bytes(11) + b"\1") == "2001:db8::1"
    assert address_text(b"\1\2") == "0102"
