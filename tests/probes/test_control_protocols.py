"""S7, EtherNet/IP, OPC UA and IEC 60870-5-104: recorded answers, hostile ones, and real servers where there are any."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import FACTS_LIMIT
from probes.applications import NotThisProtocol
from probes.applications.dnp3 import check
from probes.applications.octets import Octets
from probes.applications.opc_ua import endpoints
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import hear
from tests.probes.talk import perform
from tests.probes.talk import recorded

OURS = ("dnp3", "ethernet-ip", "iec104", "opc-ua", "s7")

# --- whole answers, as recorded or written by hand ---

#: A connection confirmed and a message length agreed on; references are ours.
S7_CONFIRMED = bytes.fromhex("03000016 11 d0 5050 0001 00 c0010a c1020100 c2020101")
S7_AGREED = bytes.fromhex("0300001b 02f080 3203 0000 5050 0008 0000 0000 f000 0001 0001 00f0")
#: What a 1756-ENBT/A says (ics-security-tools/EthernetIP/enip_test.pcap), with our context.
IDENTITY = bytes.fromhex(
    "0100 0c00 2d00 0100 0002af12 0a0101a4 0000000000000000"
    "0100 0c00 3a00 0403 3000 8e4d5200 0b 313735362d454e42542f41 03"
)
IDENTIFIED = bytes.fromhex("6300 3300 00000000 00000000") + b"plntprf\0" + bytes(4) + IDENTITY


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body) + 8) + body


def text(octets: bytes) -> bytes:
    return struct.pack("<i", len(octets)) + octets


def header(encoding: int, status: int = 0) -> bytes:
    return struct.pack("<BBH", 1, 0, encoding) + bytes(12) + struct.pack("<IBi3x", status, 0, -1)


NONE = text(b"http://opcfoundation.org/UA/SecurityPolicy#None") + struct.pack("<ii", -1, -1)
ACKNOWLEDGED = chunk(b"ACKF", struct.pack("<5I", 0, 8192, 8192, 0, 0))
OPENED = chunk(b"OPNF", struct.pack("<I", 7) + NONE + struct.pack("<II", 1, 1) + header(449) + bytes(4)
    + struct.pack("<IIqIi", 7, 9, 0, 60_000, -1))  # fmt: skip
SERVER = text(b"opc.tcp://x") + text(b"urn:x") + text(b"urn:product") + b"\x02" + text(b"Example") + bytes(40)
LISTED_BODY = header(431) + struct.pack("<i", 2) + SERVER
LISTED = chunk(b"MSGF", struct.pack("<IIII", 7, 9, 2, 2) + LISTED_BODY)
IN_PARTS = chunk(b"MSGC", struct.pack("<IIII", 7, 9, 2, 2) + LISTED_BODY[:50]) + chunk(
    b"MSGF", struct.pack("<IIII", 7, 9, 3, 2) + LISTED_BODY[50:]
)
UA_NAMED = {"name": "Example", "product": "urn:product", "uri": "urn:x", "endpoints": "2"}
#: From station 10 to master 1, the link ready; the check as opendnp3 and others compute it.
LINK_STATUS = bytes.fromhex("0564 05 0b 0100 0a00") + check(bytes.fromhex("0564050b01000a00")).to_bytes(2, "little")
#: A frame of user data, as recorded in zeek's dnp3_write.pcap.
DNP3_DATA = bytes.fromhex("05640a44030002005382d4c081000016ce")
TESTED = bytes.fromhex("680483000000")


def station(protocol: str) -> dict[str, str]:
    return {"station": "10"} if protocol == "dnp3" else {}


@pytest.mark.parametrize(
    ("protocol", "heard", "facts"),
    [
        ("s7", S7_CONFIRMED + S7_AGREED, {"slot": "1", "message-octets": "240"}),
        (
            "s7",
            bytes.fromhex("0300000b 06 80 5050 0000 03"),
            {"slot": "1", "refused": "transport connection, reason 3"},
        ),
        (
            "s7",
            S7_CONFIRMED + bytes.fromhex("03000013 02f080 3203 0000 5050 0000 0000 8104"),
            {"slot": "1", "refused": "setup, error 0x8104"},
        ),
        (
            "ethernet-ip",
            IDENTIFIED,
            {
                "vendor-id": "1",
                "device-type": "12",
                "product-code": "58",
                "revision": "4.3",
                "serial": "00524d8e",
                "product": "1756-ENBT/A",
            },
        ),
        (
            "ethernet-ip",
            bytes.fromhex("6300 0000 00000000 01000000") + b"plntprf\0" + bytes(4),
            {"refused": "status 0x1"},
        ),
        ("iec104", TESTED, {"test": "confirmed"}),
        ("dnp3", LINK_STATUS, {"station": "10", "master": "1", "link": "ready"}),
        ("dnp3", DNP3_DATA + LINK_STATUS, {"station": "10", "master": "1", "link": "ready"}),
        ("iec104", bytes.fromhex("680443000000") + TESTED, {"test": "confirmed", "other-frames": "1"}),
        ("opc-ua", ACKNOWLEDGED + OPENED + LISTED, UA_NAMED),
        ("opc-ua", ACKNOWLEDGED + OPENED + IN_PARTS, UA_NAMED),
        (
            "opc-ua",
            chunk(b"ERRF", struct.pack("<I", 0x8083_0000) + text(b"no such endpoint")),
            {"refused": "status 0x80830000 no such endpoint"},
        ),
        (
            "opc-ua",
            ACKNOWLEDGED + OPENED + chunk(b"MSGF", struct.pack("<IIII", 7, 9, 2, 2) + header(397, 0x800B_0000)),
            {"refused": "status 0x800b0000"},
        ),
    ],
)
def test_what_is_an_answer(protocol: str, heard: bytes, facts: dict[str, str]) -> None:
    assert hear(protocol, heard, **station(protocol))[0] == facts


@pytest.mark.parametrize("answer", [LISTED, chunk(b"MSGF", struct.pack("<4I", 7, 9, 2, 2) + header(397, 0x800B_0000))])
def test_an_opened_channel_is_closed_also_by_who_was_refused(answer: bytes) -> None:
    _, said = hear("opc-ua", ACKNOWLEDGED + OPENED + answer)
    assert said[said.rindex(b"CLOF") + 4 :][:4] == (len(said) - said.rindex(b"CLOF")).to_bytes(4, "little")


WHOLE = {
    "dnp3": LINK_STATUS,
    "s7": S7_CONFIRMED + S7_AGREED,
    "ethernet-ip": IDENTIFIED,
    "iec104": TESTED,
    "opc-ua": ACKNOWLEDGED + OPENED + LISTED,
}


@pytest.mark.parametrize("protocol", OURS)
def test_half_an_answer_is_none(protocol: str) -> None:
    whole = WHOLE[protocol]
    for count in range(len(whole)):
        with pytest.raises(Ended):
            hear(protocol, whole[:count], **station(protocol))


@pytest.mark.parametrize(
    ("protocol", "heard", "why"),
    [
        ("s7", b"SSH-2.0-OpenSSH\r\n", "packet format"),
        ("s7", bytes.fromhex("0300ffff") + bytes(9), "a packet of 65535 octets"),
        ("s7", bytes.fromhex("03000016 11 d0 4141 0001 00 c0010a c1020100 c2020101"), "another transport connection"),
        ("s7", S7_CONFIRMED + S7_AGREED.replace(b"\x50\x50", b"\x41\x41"), "another job"),
        ("s7", S7_CONFIRMED + S7_AGREED.replace(b"\x00\x08", b"\x00\x09"), "lengths"),
        ("s7", S7_CONFIRMED + S7_AGREED.replace(b"\x32\x03", b"\x72\x03"), "no S7 message"),
        ("ethernet-ip", b"HTTP/1.1 400 Bad Request\r\n", "another command"),
        ("ethernet-ip", IDENTIFIED.replace(b"plntprf", b"someone"), "another question"),
        ("ethernet-ip", b"\x63\x00\xff\xff" + IDENTIFIED[4:], "65535 octets announced"),
        ("ethernet-ip", IDENTIFIED.replace(b"\x0b1756", b"\xff1756"), "255 octets where"),
        ("ethernet-ip", IDENTIFIED[:24] + b"\xff\xff" + IDENTIFIED[26:], None),
        ("iec104", b"\x68\x03abc", "no frame"),
        ("iec104", b"\x16\x03\x01\x02", "no frame"),
        ("iec104", bytes.fromhex("680401000000") * 8, "many frames"),
        ("iec104", bytes.fromhex("68 06 830000000000"), "wrong length"),
        ("dnp3", b"\x05\x64" + bytes(8), "no frame"),
        ("dnp3", LINK_STATUS[:-1] + b"\0", "no frame"),
        ("dnp3", b"SSH-2.0-OpenSSH\r\n", "no frame"),
        ("dnp3", DNP3_DATA * 4, "many frames"),
        ("opc-ua", b"HTTP/1.1 400 Bad Request\r\n", "no message of this protocol"),
        ("opc-ua", b"ACKF\xff\xff\xff\xff", "a chunk of 4294967295 octets"),
        ("opc-ua", b"ACKF\x08\0\0\0", "a chunk of 8 octets"),
        ("opc-ua", ACKNOWLEDGED + ACKNOWLEDGED, "a message of type ACK"),
        ("opc-ua", ACKNOWLEDGED + OPENED.replace(b"#None", b"#Else"), "another security policy"),
        ("opc-ua", ACKNOWLEDGED + OPENED + LISTED.replace(b"\x02\0\0\0\x02\0\0\0", b"\x02\0\0\0\x09\0\0\0"), "request"),
    ],
)
def test_what_is_no_answer(protocol: str, heard: bytes, why: str | None) -> None:
    if why is None:
        assert hear(protocol, heard)  # an identity that was found is enough, whatever is claimed to follow
    else:
        with pytest.raises(NotThisProtocol, match=why):
            hear(protocol, heard, **station(protocol))


@given(st.sampled_from(OURS), st.integers(0, 400), st.binary(max_size=200))
def test_whatever_comes_ends_in_facts_or_in_a_reason(protocol: str, kept: int, rest: bytes) -> None:
    try:
        facts, _ = hear(protocol, WHOLE[protocol][:kept] + rest, **station(protocol))
    except (NotThisProtocol, Ended):
        return
    assert len(facts) <= FACTS_LIMIT
    assert all(text.isprintable() and len(text) <= 90 for text in facts.values())


@given(st.binary(max_size=120))
def test_endpoints_are_read_within_what_came(heard: bytes) -> None:
    with suppress(NotThisProtocol):
        endpoints(Octets(heard))


# --- recordings ---


def test_the_check_is_that_of_recorded_dnp3_frames() -> None:
    frames = list(recorded("zeek/traces/dnp3/dnp3_write.pcap", 20000))
    assert frames
    assert all(check(frame[:8]) == int.from_bytes(frame[8:10], "little") for frame in frames)
    with pytest.raises((NotThisProtocol, Ended)):
        hear("dnp3", b"".join(frames), station="10")


def test_a_recorded_s7_controller_is_understood() -> None:
    confirmed, agreed, *_ = recorded("icsnpp-s7comm/traces/s7ident.pcap", 102)
    # the same answers, to our reference and job
    confirmed = confirmed.replace(b"\0\1\0\1\0\xc0", b"\x50\x50\0\1\0\xc0")
    facts, said = hear("s7", confirmed + agreed[:11] + b"\x50\x50" + agreed[13:])
    assert facts == {"slot": "1", "message-octets": "480"}
    assert len(said) == 22 + 25


def test_a_recorded_ethernet_ip_device_is_understood() -> None:
    (answer,) = [it for it in recorded("ics-security-tools/EthernetIP/enip_test.pcap", 44818) if it[:2] == b"\x63\0"]
    facts, said = hear("ethernet-ip", answer[:12] + b"plntprf\0" + answer[20:])
    assert facts["product"] == "1756-ENBT/A"
    assert len(said) == 24


def test_recorded_iec104_stations_are_understood() -> None:
    heard = b"".join(recorded("ics-security-tools/IEC60870-5-104/TestDissectIec104.pcap", 2404))
    assert hear("iec104", heard[6:])[0]["test"] == "confirmed"


def test_a_recorded_opc_ua_server_is_understood() -> None:
    whole = b"".join(recorded("ndpi/pcap/opc-ua.pcap", 4840))
    facts, _ = hear("opc-ua", whole)
    assert facts["endpoints"] == "1"
    assert facts["name"]


# --- real servers ---


@pytest.fixture(scope="module")
def s7_server() -> Iterator[int]:
    """The server of python-snap7 in a process of its own; its port."""
    pytest.importorskip("snap7")
    yield from in_a_process(
        "import sys, time\n"
        "from snap7.server import Server\n"
        "server = Server()\n"
        "server.start(tcp_port=int(sys.argv[1]))\n"
        "time.sleep(60)\n"
    )


@pytest.fixture(scope="module")
def enip_server() -> Iterator[int]:
    """The server of cpppo in a process of its own; its port."""
    pytest.importorskip("cpppo")
    yield from in_a_process(
        "import sys\n"
        "from cpppo.server.enip.main import main\n"
        "main(argv=['--address', '127.0.0.1:' + sys.argv[1], 'SCADA=INT[10]'])\n"
    )


def in_a_process(script: str) -> Iterator[int]:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-c", script, str(port)], stdout=quiet, stderr=quiet)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((HOST, port), 1).close()
                break
            except OSError:
                assert time.monotonic() < deadline
                assert process.poll() is None
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def ua_server() -> Iterator[int]:
    """A server of asyncua on the loopback; its port."""
    asyncua = pytest.importorskip("asyncua")
    ready, done, ports = threading.Event(), threading.Event(), []

    async def serve() -> None:
        with socket.create_server((HOST, 0)) as free:
            ports.append(free.getsockname()[1])
        server = asyncua.Server()
        await server.init()
        server.set_endpoint(f"opc.tcp://{HOST}:{ports[0]}/")
        server.set_server_name("Example Server")
        async with server:
            ready.set()
            await asyncio.get_running_loop().run_in_executor(None, done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield ports[0]
    finally:
        done.set()
        thread.join()


def test_a_real_s7_server_agrees(s7_server: int) -> None:
    seen = perform("s7", s7_server, attempts=3)
    assert [it.error for it in seen] == [None] * 3
    assert json.loads(seen[0].detail)["said"]["message-octets"]


def test_a_real_ethernet_ip_server_says_who_it_is(enip_server: int) -> None:
    (seen,) = perform("ethernet-ip", enip_server)
    assert seen.error is None, seen.detail
    assert json.loads(seen.detail)["said"]["product"]


def test_a_real_opc_ua_server_says_who_it_is(ua_server: int) -> None:
    seen = perform("opc-ua", ua_server, attempts=2)
    assert [it.error for it in seen] == [None] * 2, seen[0].detail
    assert json.loads(seen[0].detail)["said"]["name"] == "Example Server"
