"""Questions and answers of echo on the wire: what is believed, and everything that is not."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.echo_port import CONTROL_BYTES
from probes.echo_port import MESSAGE_BYTES
from probes.icmp_packet import Answer
from probes.icmp_packet import Codec
from probes.icmp_packet import extended_error
from probes.icmp_packet import stamps
from probes.mmsg import Batch

KEY, IDENT, SERIAL = 0x1122334455667788, 0xBEEF, 70_001
HERE, THERE, ROUTER = b"\xc6\x12\x01\x01", b"\xc6\x13\x00\x07", b"\xc6\x12\x01\x02"


def codec(version: int = 4, raw: bool = True, payload: int = 32) -> Codec:
    return Codec(version, IDENT, payload, raw=raw, key=KEY)


def internet_checksum(data: bytes) -> int:
    """RFC 1071 as its text has it, word by word."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4(
    payload: bytes, source: bytes = THERE, destination: bytes = HERE, protocol: int = 1, options: bytes = b""
) -> bytes:
    first, size = 0x45 + len(options) // 4, 20 + len(options) + len(payload)
    return struct.pack("!BBHHHBBH4s4s", first, 0, size, 1, 0, 61, protocol, 0, source, destination) + options + payload


def ip6(payload: bytes, source: bytes, destination: bytes, header: int = 58) -> bytes:
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), header, 60, source, destination) + payload


def reply(question: bytes, version: int = 4) -> bytes:
    """What an honest host sends back."""
    body = bytes([0 if version == 4 else 129, 0, 0, 0]) + question[4:]
    return body[:2] + internet_checksum(body).to_bytes(2) + body[4:] if version == 4 else body


def error4(quoted: bytes, kind: int = 3, code: int = 1) -> bytes:
    return struct.pack("!BBHI", kind, code, 0, 0) + quoted


@given(st.integers(0, 2**32 - 1), st.integers(8, 64), st.integers(0, 2**64 - 1), st.integers(0, 0xFFFF))
def test_a_question_carries_a_right_checksum(serial: int, payload: int, key: int, ident: int) -> None:
    question = Codec(4, ident, payload, raw=True, key=key).question(serial)
    assert len(question) == 8 + payload
    assert internet_checksum(question) == 0


@pytest.mark.parametrize("options", [b"", b"\x07\x03\x04\x00", bytes(40)], ids=["none", "some", "most"])
def test_an_honest_answer_is_believed(options: bytes) -> None:
    found = codec().read(ip4(reply(codec().question(SERIAL)), options=options), THERE, 5, 61)
    assert found == Answer(SERIAL, THERE, THERE, 5, 61)


def test_an_honest_answer_is_believed_over_ipv6_and_ping_sockets() -> None:
    there = bytes(range(16))
    six, ping = codec(6), codec(4, raw=False)
    assert six.read(reply(six.question(SERIAL), 6), there) == Answer(SERIAL, there, there, 0, -1)
    assert ping.read(reply(ping.question(SERIAL)), THERE) == Answer(SERIAL, THERE, THERE, 0, -1)


GOOD = reply(codec().question(SERIAL))


NOT_FOR_US = {
    "nothing at all": b"",
    "a byte": b"\x45",
    "no ICMP": ip4(b""),
    "less than a header": ip4(GOOD[:7]),
    "a header length beyond the packet's own": b"\x4f" + ip4(GOOD)[1:],
    "a header length below the least": b"\x41" + ip4(GOOD)[1:],
    "another IP version": b"\x65" + ip4(GOOD)[1:],
    "a question, not an answer": ip4(codec().question(SERIAL)),
    "a timestamp request": ip4(b"\x0d" + GOOD[1:]),
    "somebody else's identifier": ip4(reply(Codec(4, 0xBEEE, 32, raw=True, key=KEY).question(SERIAL))),
    "all ones": ip4(b"\xff" * 40),
    "all zeros": ip4(bytes(40)),
    "an error about nothing": ip4(error4(b"")),
    "an error that quotes too little": ip4(error4(ip4(codec().question(SERIAL)[:7], HERE, THERE))),
    "an error about UDP": ip4(error4(ip4(codec().question(SERIAL), HERE, THERE, protocol=17))),
    "an error about an answer": ip4(error4(ip4(GOOD, HERE, THERE))),
    "an error with a guessed cookie": ip4(error4(ip4(Codec(4, IDENT, 32, raw=True, key=1).question(9), HERE, THERE))),
    "an error whose quote is cut": ip4(error4(b"\x4f" + bytes(30))),
    "a redirect": ip4(struct.pack("!BBHI", 5, 1, 0, 0) + ip4(codec().question(SERIAL), HERE, THERE)),
}


@pytest.mark.parametrize("why", NOT_FOR_US)
def test_what_is_not_for_us_is_left_out(why: str) -> None:
    assert codec().read(NOT_FOR_US[why], THERE) is None


DAMAGED = {
    "half an answer: no cookie": ip4(GOOD[:8]),
    "half an answer": ip4(GOOD[:20]),
    "a byte short": ip4(GOOD[:-1]),
    "a byte long": ip4(GOOD + b"\0"),
    "one byte changed": ip4(GOOD[:30] + b"?" + GOOD[31:]),
    "another cookie": ip4(GOOD[:8] + bytes(8) + GOOD[16:]),
    "an absurd code": ip4(GOOD[:1] + b"\x01" + GOOD[2:]),
    "the sequence number of another question": ip4(GOOD[:6] + b"\xff\xff" + GOOD[8:]),
}


@pytest.mark.parametrize("why", DAMAGED)
def test_a_damaged_answer_is_no_answer(why: str) -> None:
    found = codec().read(DAMAGED[why], THERE)
    assert found.corrupt
    assert found.partial


def test_errors_are_tied_to_the_question_they_quote() -> None:
    quoted = ip4(codec().question(SERIAL), HERE, THERE)
    found = codec().read(ip4(error4(quoted, 3, 13), source=ROUTER), ROUTER)
    assert (found.serial, found.source, found.destination) == (SERIAL, ROUTER, THERE)
    assert (found.icmp_type, found.icmp_code, found.partial, found.corrupt) == (3, 13, False, False)


def test_a_router_that_quotes_eight_bytes_is_checked_by_checksum() -> None:
    quoted = ip4(codec().question(SERIAL)[:8], HERE, THERE)
    found = codec().read(ip4(error4(quoted, 11, 0), source=ROUTER), ROUTER)
    assert (found.serial, found.partial) == (SERIAL & 0xFFFF, True)
    assert found.checksum == codec().checksum(SERIAL)
    assert found.checksum != codec().checksum(SERIAL + 0x10000)


def test_icmpv6_errors_must_quote_the_cookie() -> None:
    there, router, here = bytes(range(16)), bytes(15) + b"\2", bytes(15) + b"\1"
    six = codec(6)
    error = struct.pack("!BBHI", 1, 1, 0, 0) + ip6(six.question(SERIAL), here, there)
    found = six.read(error, router)
    assert (found.serial, found.destination, found.icmp_type, found.icmp_code) == (SERIAL, there, 1, 1)
    assert six.read(error[: 8 + 40 + 8], router) is None
    assert six.read(struct.pack("!BBHI", 1, 1, 0, 0) + ip6(six.question(SERIAL), here, there, header=0), router) is None


@given(st.binary(max_size=300), st.sampled_from([(4, True), (4, False), (6, True)]))
def test_no_bytes_raise_or_are_taken_for_an_answer(message: bytes, kind: Any) -> None:
    version, raw = kind
    found = codec(version, raw).read(message, THERE if version == 4 else bytes(16))
    assert found is None or found.corrupt


@given(st.data(), st.sampled_from([(4, True), (4, False), (6, True)]))
def test_no_damage_to_an_answer_makes_it_another_ones(data: Any, kind: Any) -> None:
    version, raw = kind
    reader = codec(version, raw)
    there = THERE if version == 4 else bytes(16)
    whole = reply(reader.question(SERIAL), version)
    whole = bytearray(ip4(whole)) if reader.header else bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    message = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    found = reader.read(message, there)
    assert found is None or found.corrupt or found.icmp_type >= 0 or found.serial == SERIAL


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("first", [0, 0xFF80, 0xFFFF, 0x10000, 0x2_FF01])
def test_many_questions_are_each_like_one(version: int, first: int) -> None:
    maker = codec(version)
    assert maker.questions(first, 256) == [maker.question(serial) for serial in range(first, first + 256)]


# --- what recvmmsg leaves in the slots -------------------------------------------------------------------------------


def slot(batch: Batch, index: int, message: bytes, source: bytes, control: bytes = b"", version: int = 4) -> None:
    name = struct.pack("=HH4s8x", 2, 0, source) if version == 4 else struct.pack("=HHI16sI", 10, 0, 0, source, 0)
    batch.messages[index * MESSAGE_BYTES :][: len(message)] = message[:MESSAGE_BYTES]
    batch.names[index * len(name) :][: len(name)] = name
    batch.controls[index * CONTROL_BYTES :][: len(control)] = control
    header = struct.pack("@8xI4x8x8x8xNi4xI4x", len(name), len(control), 0, len(message))
    batch.headers[index * len(header) :][: len(header)] = header


def stamp(seconds: int, nanoseconds: int, *more: Any) -> bytes:
    body = struct.pack("@Niillllll", 64, 1, 37, seconds, nanoseconds, 0, 0, 0, 0)
    for level, kind, data in more:
        body += struct.pack("@Nii", 16 + len(data), level, kind) + data + b"\0" * (-len(data) % 8)
    return body


def test_slots_are_read_like_messages() -> None:
    batch = Batch(8, MESSAGE_BYTES, 16, CONTROL_BYTES)
    slot(batch, 0, ip4(GOOD), THERE, stamp(3, 7))
    slot(batch, 1, ip4(GOOD, options=bytes(4)), THERE, stamp(3, 8))
    slot(batch, 2, ip4(GOOD[:-3]), THERE, stamp(3, 9))
    slot(batch, 3, ip4(b"\x0d" + GOOD[1:]), THERE)
    slot(batch, 4, ip4(GOOD), THERE)
    slot(batch, 5, b"", THERE)
    found = codec().answers(batch, 6)
    assert found[0] == (SERIAL, THERE, 3_000_000_007, 61)
    assert found[1] == Answer(SERIAL, THERE, THERE, 3_000_000_008, 61)
    assert found[2].corrupt
    assert found[3] == (SERIAL, THERE, 0, 61)  # no stamp: the caller falls back, and says so
    assert len(found) == 4


def test_slots_of_icmpv6_tell_the_hop_limit_beside_the_stamp() -> None:
    batch, six, there = Batch(2, MESSAGE_BYTES, 28, CONTROL_BYTES), codec(6), bytes(range(16))
    good = reply(six.question(SERIAL), 6)
    slot(batch, 0, good, there, stamp(3, 7, (41, 52, struct.pack("=i", 63))), version=6)
    slot(batch, 1, good, there, version=6)
    assert six.answers(batch, 2) == [(SERIAL, there, 3_000_000_007, 63), (SERIAL, there, 0, -1)]


def extended(
    error: int, origin: int, kind: int, code: int, number: int, offender: bytes = b"", level: int = 0, option: int = 11
) -> tuple[int, int, bytes]:
    return level, option, struct.pack("=IBBBBII", error, origin, kind, code, 0, 0, number) + offender


def test_transmit_stamps_are_told_from_errors() -> None:
    batch = Batch(4, MESSAGE_BYTES, 16, CONTROL_BYTES)
    slot(batch, 0, b"", THERE, stamp(5, 1, extended(42, 4, 0, 0, 77, bytes(16))))
    slot(batch, 1, b"", THERE, stamp(5, 2, extended(113, 2, 3, 1, 0, bytes(16))))
    slot(batch, 2, b"", THERE, stamp(5, 3))
    slot(batch, 3, b"", THERE)
    assert list(stamps(batch, 4)) == [(77, 5_000_000_001)]


def test_a_ping_sockets_queued_error_names_question_and_router() -> None:
    batch, ping = Batch(3, MESSAGE_BYTES, 16, CONTROL_BYTES), codec(4, raw=False)
    router = struct.pack("=HH4s8x", 2, 0, ROUTER)
    slot(batch, 0, ping.question(SERIAL), THERE, stamp(5, 1, extended(113, 2, 3, 13, 0, router)))
    slot(batch, 1, b"", THERE, stamp(5, 1, extended(42, 4, 0, 0, 77, bytes(16))))
    slot(batch, 2, b"garbage", THERE, stamp(5, 1, extended(113, 2, 3, 13, 0, router)))
    (found,) = ping.queued_errors(batch, 3)
    assert (found.serial, found.source, found.destination) == (SERIAL, ROUTER, THERE)
    assert (found.icmp_type, found.icmp_code) == (3, 13)


@given(st.binary(max_size=200))
def test_no_control_data_raises(control: bytes) -> None:
    found = extended_error(control)
    assert found is None or len(found) == 3
