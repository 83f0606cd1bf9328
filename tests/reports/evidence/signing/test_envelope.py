"""The envelope: the encoding that is signed, and one way to write it; anything else is refused."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st

from reports.signing.envelope import Envelope
from reports.signing.envelope import EnvelopeMalformed
from reports.signing.envelope import Signature
from reports.signing.envelope import pae

SIGNATURES = st.lists(
    st.builds(Signature, st.from_regex("[0-9a-f]{64}", fullmatch=True), st.binary(max_size=80)),
    min_size=1,
    max_size=4,
    unique_by=lambda one: one.keyid,
)
ONE = Envelope(b'{"a":1}', (Signature("0" * 64, b"one"), Signature("1" * 64, b"two")))


@pytest.mark.parametrize(
    ("kind", "payload", "encoded"),
    [
        # The example of the DSSE specification.
        ("http://example.com/HelloWorld", b"hello world", b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"),
        ("", b"", b"DSSEv1 0  0 "),
        ("类型", "字".encode(), "DSSEv1 6 类型 3 字".encode()),  # bytes are counted, not characters
    ],
)
def test_the_encoding_that_is_signed(kind: str, payload: bytes, encoded: bytes) -> None:
    assert pae(kind, payload) == encoded


@given(st.text(), st.binary(), st.text(), st.binary())
@example("a", b"b 1 c", "a 5 b", b"c")
def test_no_two_messages_share_an_encoding(kind: str, payload: bytes, other: str, more: bytes) -> None:
    same = (kind, payload) == (other, more)
    assert (pae(kind, payload) == pae(other, more)) == same


@given(st.binary(), SIGNATURES)
def test_what_was_written_is_read(payload: bytes, signatures: list[Signature]) -> None:
    envelope = Envelope(payload).signed(*signatures)
    assert Envelope.parse(envelope.to_bytes()) == envelope


def changed(**fields: Any) -> bytes:
    found = json.loads(ONE.to_bytes()) | fields
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


def signature(**fields: Any) -> list[dict[str, Any]]:
    return [{"keyid": "0" * 64, "sig": "b25l"} | fields]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "envelope-malformed"),
        (b"[]", "envelope-malformed"),
        (b"[" * 100_000, "envelope-malformed"),
        (b"\xff", "envelope-malformed"),
        (b"{}", "envelope-malformed"),
        (changed(more=1), "envelope-malformed"),
        (changed(payload=1), "envelope-malformed"),
        (changed(payload="!"), "envelope-malformed"),
        (changed(payload="YQ"), "envelope-malformed"),
        (changed(payload="字"), "envelope-malformed"),
        (changed(payload="YR=="), "envelope-not-canonical"),  # the last bits mean nothing and must be zero
        (changed(payloadType="application/json"), "envelope-type"),
        (changed(signatures=[]), "envelope-malformed"),
        (changed(signatures={}), "envelope-malformed"),
        (changed(signatures=[1]), "envelope-malformed"),
        (changed(signatures=signature(keyid="A" * 64)), "envelope-malformed"),
        (changed(signatures=signature(keyid=None)), "envelope-malformed"),
        (changed(signatures=signature(more=1)), "envelope-malformed"),
        (changed(signatures=signature() * 2), "envelope-not-canonical"),
        (changed(signatures=signature() * 17), "envelope-malformed"),
        (changed(signatures=list(reversed(json.loads(ONE.to_bytes())["signatures"]))), "envelope-not-canonical"),
        (ONE.to_bytes() + b"\n", "envelope-not-canonical"),
        (ONE.to_bytes().replace(b'","', b'", "', 1), "envelope-not-canonical"),
        (ONE.to_bytes().replace(b'{"payload"', b'{"payload":"","payload"', 1), "envelope-not-canonical"),
        (ONE.to_bytes().replace(b"payloadType", rb"payload\u0054ype"), "envelope-not-canonical"),
    ],
)
def test_anything_else_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(EnvelopeMalformed) as refused:
        Envelope.parse(data)
    assert refused.value.code == code


@given(
    st.binary()
    | st.text().map(str.encode)
    | st.recursive(st.none() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_no_input_breaks_the_reader(data: bytes) -> None:
    with pytest.raises(EnvelopeMalformed):
        Envelope.parse(data)


@given(st.data())
def test_every_changed_byte_is_refused_or_read_as_something_else(data: st.DataObject) -> None:
    whole = ONE.to_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    mask = data.draw(st.integers(1, 255))
    with suppress(EnvelopeMalformed):
        assert Envelope.parse(whole[:at] + bytes([whole[at] ^ mask]) + whole[at + 1 :]) != ONE


def test_base64_is_the_standard_alphabet() -> None:
    envelope = Envelope(b"\xfb\xff\xfe", ONE.signatures)
    assert json.loads(envelope.to_bytes())["payload"] == base64.b64encode(b"\xfb\xff\xfe").decode() == "+//+"
