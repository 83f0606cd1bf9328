"""BACnet/IP: what is asked, which answers are answers, recorded devices, and a real stack."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import NotThisProtocol
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import captures
from tests.probes.talk import hear
from tests.probes.talk import perform

#: By hand from ANSI/ASHRAE 135, 16.10 and 20.1.6: device 722, 1024 octets, no segmentation, vendor 15.
I_AM = "1000 c4020002d2 220400 9103 210f"
WHO_IS = bytes.fromhex("810a0008 0100 1008")
READ = bytes.fromhex("810a0011 0104 0005 01 0c 0c023fffff 194b")
TOLD = {"instance": "722", "max-apdu": "1024", "segmentation": "3", "vendor-id": "15"}


def packet(apdu: str, npdu: str = "0100", kind: int = 0x0A) -> bytes:
    content = bytes.fromhex(npdu + apdu)
    return bytes((0x81, kind)) + (4 + len(content)).to_bytes(2) + content


def test_a_device_says_who_it_is() -> None:
    assert hear("bacnet", packet(I_AM)) == (TOLD, WHO_IS)


@pytest.mark.parametrize(
    ("npdu", "kind"),
    [
        ("0120ffff00ff", 0x0B),  # broadcast to all networks
        ("01080005060a0000010203", 0x0A),  # from behind a router
        ("01280001060a000001ba c0".replace(" ", "") + "00050107ff", 0x0A),
        ("c0000201bac00100", 0x04),  # forwarded by a broadcast manager
    ],
)
def test_an_answer_may_come_a_long_way(npdu: str, kind: int) -> None:
    assert hear("bacnet", packet(I_AM, npdu, kind))[0] == TOLD


@pytest.mark.parametrize(
    ("apdu", "facts"),
    [
        ("3001 0c 0c023fffff 194b 3e c4020001f4 3f", {"instance": "500"}),
        ("5001 0c 9101 911f", {"refused": "error"}),
        ("6001 09", {"refused": "reject"}),
        ("7101 00", {"refused": "abort"}),
        (I_AM, TOLD),
    ],
)
def test_the_other_question_is_answered_too(apdu: str, facts: dict[str, str]) -> None:
    assert hear("bacnet", packet(apdu), attempt="1") == (facts, READ)


@pytest.mark.parametrize(
    ("heard", "attempt", "why"),
    [
        (b"HTTP/1.1 400", "0", "no BACnet"),
        (b"\x81\x0a\xff\xff\x01\x00", "0", "another length"),
        (packet(I_AM, "0200"), "0", "version 1"),
        (packet("", "0120"), "0", "beyond the end"),
        (packet("", "0120ffffff"), "0", "beyond the end"),
        (packet("1000"), "0", "without a device"),
        (packet("1000 c400000001 220400 9103 210f"), "0", "something else than a device"),
        (packet("1000 c4020002d2"), "0", "without max-apdu"),
        (packet("1000 c4020002d2 250400 9103 210f"), "0", "without max-apdu"),
        (packet("1000 c4020002d2 220400 9103 210f 00"), "0", "behind the end"),
        (packet("3001 0e 0c023fffff 194b 3e c4020001f4 3f"), "1", "another service"),
        (packet("3801 0c 0c023fffff 194b 3e c4020001f4 3f"), "1", "another service"),
        (packet("3001 0c 0c023fffff 194d 3e c4020001f4 3f"), "1", "no property"),
        (packet("3001 0c 0c023fffff 194b 3e 7501203f4141 3f"), "1", "no property|no object"),
    ],
)
def test_what_is_no_answer(heard: bytes, attempt: str, why: str) -> None:
    with pytest.raises(NotThisProtocol, match=why):
        hear("bacnet", heard, attempt=attempt)


@pytest.mark.parametrize(
    ("heard", "attempt"),
    [
        (packet("1008"), "0"),  # the device asks who is there itself
        (packet("3001 0c 0c023fffff 194b 3e c4020001f4 3f"), "0"),
        (packet("3007 0c 0c023fffff 194b 3e c4020001f4 3f"), "1"),
        (bytes.fromhex("810000060000"), "0"),  # a result of the broadcast manager
        (packet("00", "0180"), "0"),  # a message of the network layer
    ],
)
def test_what_is_said_about_something_else_is_passed_over(heard: bytes, attempt: str) -> None:
    with pytest.raises(Ended):
        hear("bacnet", heard, attempt=attempt)


@given(
    st.sampled_from(["0", "1"]),
    st.binary(min_size=1, max_size=80) | st.binary(max_size=40).map(lambda it: packet(it.hex())),
)
def test_whatever_comes_ends_in_facts_or_in_a_reason(attempt: str, heard: bytes) -> None:
    try:
        facts, _ = hear("bacnet", heard, attempt=attempt)
    except (NotThisProtocol, Ended):
        return
    assert all(text.isprintable() and len(text) <= 80 for text in facts.values())


def _datagrams(capture: str) -> Iterator[bytes]:
    from scapy.all import UDP
    from scapy.all import rdpcap

    for frame in rdpcap(str(captures() / capture)):
        if frame.haslayer(UDP) and 47808 in (frame[UDP].sport, frame[UDP].dport):
            yield bytes(frame[UDP].payload)


def test_recorded_devices_are_read() -> None:
    found = set()
    for heard in _datagrams("icsnpp-bacnet/traces/bacnet_example.pcap"):
        if heard[6:8] == bytes.fromhex("1000"):
            facts, _ = hear("bacnet", heard)
            found.add(facts["instance"])
    assert len(found) > 20


def test_a_recorded_answer_to_the_other_question_is_read() -> None:
    heard = next(
        it
        for it in _datagrams("ics-security-tools/BACnet/bacnet_test.pcap")
        if it[6:7] == b"\x30" and b"\x19\x4b\x3e" in it
    )
    assert hear("bacnet", heard, attempt="1")[0] == {"instance": "500"}


def test_no_other_recorded_message_of_many_is_taken_for_an_answer() -> None:
    for heard in _datagrams("icsnpp-bacnet/traces/bacnet_example.pcap"):
        if heard[6:8] != bytes.fromhex("1000"):
            with pytest.raises((NotThisProtocol, Ended)):
                hear("bacnet", heard)


@pytest.fixture(scope="module")
def device() -> Iterator[int]:
    """A device of bacpypes3 on the loopback; its port."""
    pytest.importorskip("bacpypes3")
    from bacpypes3.app import Application
    from bacpypes3.local.device import DeviceObject
    from bacpypes3.local.networkport import NetworkPortObject

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, 0))
        port = one.getsockname()[1]
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        about = DeviceObject(objectIdentifier=("device", 4711), objectName="px-7", vendorIdentifier=999)
        line = NetworkPortObject(f"{HOST}/32:{port}", objectIdentifier=("network-port", 1), objectName="line")
        application = Application.from_object_list([about, line])
        await asyncio.sleep(0)
        ready.set()
        await asyncio.get_running_loop().run_in_executor(None, done.wait)
        application.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(120)  # the stack is long in coming up
    try:
        yield port
    finally:
        done.set()
        thread.join()


def test_a_real_stack_answers_both_questions(device: int) -> None:
    seen = perform("bacnet", device, attempts=2)
    assert [it.error for it in seen] == [None, None], (seen, seen.kept)
    said = [json.loads(it.detail)["said"] for it in seen]
    assert (said[0]["instance"], said[0]["vendor-id"]) == ("4711", "999")
    # this stack knows no instance that stands for any, and says so
    assert said[1] in ({"instance": "4711"}, {"refused": "error"})
