"""PROFINET DCP: the one request that is made, which answers are answers, a recorded device, and hostile frames."""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import NotThisProtocol
from probes.applications import Send
from probes.applications import dialogue
from probes.dcp_packet import LEAST_OCTETS
from probes.dcp_packet import STATION
from probes.dcp_packet import Malformed
from probes.dcp_packet import identify
from probes.dcp_packet import identity
from probes.dcp_packet import is_answer
from probes.dcp_packet import xid_of_request
from tests.probes.talk import captures
from tests.probes.talk import hear
from tests.probes.talk import perform

NAME, OWN, XID = "press-a-01", "192.0.2.7", 0x50500001
MAC = bytes.fromhex("02000000020b")
CAPTURE = "ics-security-tools/profinet/PROFINET-RT-DCP/ChangeIPUsingDCP.pcap"
TOLD = {"station": NAME, "mac": "02:00:00:00:02:0b"}


def block(option: int, suboption: int, content: bytes, information: bytes = b"\0\0") -> bytes:
    length = len(information) + len(content)
    return bytes((option, suboption)) + length.to_bytes(2) + information + content + bytes(length % 2)


def named(name: str = NAME) -> bytes:
    return block(2, 2, name.encode())


def addressed(address: str = OWN) -> bytes:
    return block(1, 2, IPv4Address(address).packed + bytes(8), b"\0\1")


def answer(*blocks: bytes, xid: int = XID, kind: str = "feff0501", length: int | None = None) -> bytes:
    said = b"".join(blocks)
    size = len(said) if length is None else length
    return (bytes.fromhex(kind) + xid.to_bytes(4) + bytes(2) + size.to_bytes(2) + said).ljust(LEAST_OCTETS, b"\0")


def asked_xid(station: str = NAME, address: str = OWN, attempt: str = "0") -> int:
    step = next(dialogue("profinet-dcp").converse({"station": station, "address": address, "attempt": attempt}))
    assert isinstance(step, Send)
    xid = xid_of_request(step.octets)
    assert xid is not None
    return xid


def told(*blocks: bytes, source: bytes = MAC, **asked: str) -> dict[str, str]:
    whole = {"station": NAME, "address": OWN} | asked
    xid = asked_xid(whole["station"], whole["address"])
    return hear("profinet-dcp", source + answer(*blocks, xid=xid), **whole)[0]


# --- what is asked ---


def test_the_request_names_one_station_and_reads() -> None:
    assert identify(NAME, 0x01020304).hex() == (
        "fefe 05 00 01020304 0001 000e 02 02 000a 70726573732d612d3031".replace(" ", "") + "00" * 20
    )
    assert identify("abc", 1)[10:12] == b"\0\x08"  # the octet that makes a block even is counted


@pytest.mark.parametrize("name", ["a", "press-1", "x" * 63 + ".b", "pn-io.cell-a.plant", "X208-BORD"])
def test_the_request_is_that_of_scapy(name: str) -> None:
    from scapy.contrib.pnio_dcp import ProfinetDCP

    theirs = bytes(
        ProfinetDCP(
            service_id=5, service_type=0, xid=77, reserved=1, dcp_data_length=4 + len(name) + len(name) % 2, option=2,
            sub_option=2, name_of_station=name, dcp_block_length=len(name),
        )
    )  # fmt: skip
    ours = identify(name, 77)
    assert ours[:2] == b"\xfe\xfe"
    assert ours[2:].rstrip(b"\0") == theirs.rstrip(b"\0")


@pytest.mark.parametrize("name", ["", "-a", "a-", "a..b", ".a", "a.", "a" * 64, "a_b", "站", "a b", "a\n", "a." * 121])
def test_nobody_is_asked_whose_name_is_none(name: str) -> None:
    assert STATION.fullmatch(name) is None
    with pytest.raises(ValueError, match="no name"):
        identify(name, 1)


@given(st.from_regex(STATION, fullmatch=True), st.integers(0, 2**32 - 1))
def test_every_request_is_known_for_one(name: str, xid: int) -> None:
    frame = identify(name, xid)
    assert xid_of_request(frame) == xid
    assert len(frame) >= LEAST_OCTETS
    assert not is_answer(frame, xid)


@pytest.mark.parametrize(
    "frame",
    [
        bytes.fromhex("fefe0500 01000001 0001 0004 ffff0000").ljust(46, b"\0"),  # asks every station, as recorded
        bytes.fromhex("fefd0400 01000001 0000 0012 0102000e 0001 c0a8000a ffffff00 c0a80001").ljust(46, b"\0"),  # sets
        identify(NAME, 1).replace(b"\xfe\xfe\x05", b"\xfe\xfd\x04"),
        identify(NAME, 1) + block(2, 2, b"another"),
        identify(NAME, 1)[:-1],
        identify(NAME, 1)[:14],
        b"",
    ],
)
def test_no_other_message_passes_for_a_request(frame: bytes) -> None:
    assert xid_of_request(frame) is None


@given(st.binary(max_size=80))
def test_whatever_passes_for_a_request_is_one(frame: bytes) -> None:
    xid = xid_of_request(frame)
    if xid is not None:
        length = int.from_bytes(frame[14:16])
        assert frame == identify(frame[16 : 16 + length].decode("ascii"), xid)


def test_each_attempt_and_each_station_is_asked_under_an_xid_of_its_own() -> None:
    xids = {asked_xid(name, OWN, str(attempt)) for name in ("a", "b", "c") for attempt in range(10)}
    assert len(xids) == 30


# --- what is heard ---


@pytest.mark.parametrize(
    ("blocks", "more", "facts"),
    [
        ((named(), addressed()), {}, {"address": OWN}),
        ((addressed(), named()), {"mac": TOLD["mac"]}, {"address": OWN}),
        ((named(NAME.upper()), addressed()), {}, {"station": NAME.upper(), "address": OWN}),
        ((named(),), {"mac": TOLD["mac"]}, {}),
        ((named(), addressed("0.0.0.0")), {"mac": TOLD["mac"]}, {"address": "0.0.0.0"}),
        ((named(), addressed()), {"address": "2001:db8::7", "mac": TOLD["mac"]}, {"address": OWN}),
        (
            (named(), addressed(), block(2, 1, b"S7-1500"), block(2, 3, b"\0\x2a\x0a\x10")),
            {},
            {"address": OWN, "type": "S7-1500", "vendor-id": "42", "device-id": "2576"},
        ),
        ((named(), addressed(), block(2, 3, b"\0")), {}, {"address": OWN}),
    ],
)
def test_the_declared_station_is_known(blocks: tuple[bytes, ...], more: dict[str, str], facts: dict[str, str]) -> None:
    assert told(*blocks, **more) == TOLD | facts


@pytest.mark.parametrize(
    ("blocks", "more", "why"),
    [
        ((named("press-a-02"), addressed()), {}, "station press-a-02"),
        ((named(""), addressed()), {}, "an answer of station"),
        ((addressed(),), {}, "without a station's name"),
        ((), {}, "without a station's name"),
        ((named(), addressed("192.0.2.8")), {}, "192.0.2.8"),
        ((named(), addressed("192.0.2.8")), {"mac": TOLD["mac"]}, "192.0.2.8"),
        ((named(), addressed()), {"mac": "02:00:00:00:02:0c"}, "instead of 02:00:00:00:02:0c"),
        ((named(),), {}, "no address ties"),
        ((named(), addressed("0.0.0.0")), {}, "no address ties"),
        ((named(), addressed()), {"address": "2001:db8::7"}, "no address ties"),
        ((named(), block(1, 2, b"1234")), {}, "an address block of 4"),
        ((named(), b"\2\2\xff\xff"), {}, "a block of 65535"),
        ((named(), b"\2\2\0\1\0\0"), {}, "a block of 1"),
        ((named(), b"\2\2\0"), {}, "half a block"),
    ],
)
def test_an_answer_that_is_not_of_the_declared_station_is_none(
    blocks: tuple[bytes, ...], more: dict[str, str], why: str
) -> None:
    with pytest.raises(NotThisProtocol, match=re.escape(why)):
        told(*blocks, **more)


def test_a_sender_with_the_address_of_a_group_is_no_station() -> None:
    with pytest.raises(NotThisProtocol, match="hardware address"):
        told(named(), addressed(), source=b"\x01" + MAC[1:])


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (answer(named(), xid=XID + 1), "no answer to this"),
        (answer(named(), kind="fefe0501"), "no answer to this"),
        (answer(named(), kind="feff0401"), "no answer to this"),
        (answer(named(), kind="feff0505"), "an answer of type 5"),
        (answer(named(), length=0xFFFF), "65535 octets of blocks announced"),
        (answer(named(), length=len(named()) - 2), "a block of 12"),
        (answer(named())[:11], "no answer to this"),
        (b"", "no answer to this"),
        (bytes(range(256)) * 5, "no answer to this"),
    ],
)
def test_what_is_no_answer_has_a_reason(frame: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=re.escape(why)):
        identity(frame, XID)


@given(st.binary(max_size=200))
def test_garbage_is_a_reason_and_nothing_else(content: bytes) -> None:
    for frame in (content, answer(content), answer(content, length=len(content) % 7)):
        try:
            found = identity(frame, XID)
        except Malformed:
            continue
        assert found.name in frame


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_damaged_answer_is_a_reason_or_the_station(at: int, octet: int) -> None:
    whole = bytearray(MAC + answer(named(), addressed(), xid=asked_xid()))
    whole[at % len(whole)] = octet
    try:
        facts, _ = hear("profinet-dcp", bytes(whole), station=NAME, address=OWN)
    except NotThisProtocol:
        return
    assert facts["station"].lower() == NAME
    assert facts["address"] == OWN


def test_a_recorded_device_is_understood() -> None:
    from scapy.all import rdpcap

    whole = [bytes(it) for it in rdpcap(str(captures() / CAPTURE))]
    frames = [it[14:] for it in whole if it[12:14] == b"\x88\x92"]
    _, said, _, _ = frames
    assert [xid_of_request(it) for it in frames] == [None] * 4
    assert [is_answer(it, 0x01000001) for it in frames] == [False, True, False, False]
    found = identity(said, 0x01000001)
    assert (found.name, found.vendor, found.device) == (b"X208-BORD", b"INC", (0x2A, 0x0A01))
    assert found.address == IPv4Address("192.168.0.6").packed
    for cut in range(1, len(said)):
        with pytest.raises(Malformed):
            identity(said[:-cut], 0x01000001)


def test_what_is_no_neighbour_is_not_asked_and_nothing_is_said_of_it() -> None:
    (seen,) = perform(f"profinet-dcp@{NAME}", 0x8892)
    facts = json.loads(seen.detail)
    assert (seen.error, facts["reason"], facts["application"]) == ("no-route", "own-address", "profinet-dcp")
