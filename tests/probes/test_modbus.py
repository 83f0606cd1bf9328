"""Modbus/TCP device identification: what is asked, which answers are answers, and a real server's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import FACTS_LIMIT
from probes.applications import NotThisProtocol
from tests.probes.talk import Ended
from tests.probes.talk import hear
from tests.probes.talk import perform
from tests.probes.talk import recorded

#: By hand from MODBUS Application Protocol V1.1b3, 6.21: three objects of unit 255.
OBJECTS = bytes.fromhex("00 05 41636d65 20 01 03 504c43 02 04 76312e30")
WHOLE = bytes.fromhex("5050 0000 001a ff 2b 0e 01 01 00 00 03") + OBJECTS


def answer(pdu: bytes, header: str = "5050 0000", unit: int = 255) -> bytes:
    return bytes.fromhex(header) + (len(pdu) + 1).to_bytes(2) + bytes([unit]) + pdu


def test_the_question_reads_the_basic_identification_and_nothing_else() -> None:
    _, said = hear("modbus", WHOLE)
    assert said == bytes.fromhex("5050 0000 0005 ff 2b 0e 01 00")


def test_an_answer_names_the_device() -> None:
    facts, _ = hear("modbus", WHOLE)
    assert facts == {"unit": "255", "vendor": "Acme", "product": "PLC", "revision": "v1.0"}


@pytest.mark.parametrize(("attempt", "unit"), [("0", 255), ("1", 1), ("2", 255), ("3", 1)])
def test_attempts_ask_the_units_that_single_devices_use(attempt: str, unit: int) -> None:
    pdu = bytes.fromhex("ab 01")
    facts, said = hear("modbus", answer(pdu, f"505{attempt} 0000", unit), attempt=attempt)
    assert facts == {"unit": str(unit), "exception": "illegal function"}
    assert said[6] == unit


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol identifier"),
        (answer(bytes.fromhex("ab01"), "5051 0000"), "another transaction"),
        (answer(bytes.fromhex("ab01"), "5050 0001"), "protocol identifier 1"),
        (answer(bytes.fromhex("ab01"), unit=1), "another unit"),
        (bytes.fromhex("5050 0000 ffff ff") + bytes(300), "length field 65535"),
        (bytes.fromhex("5050 0000 0001 ff") + bytes(300), "length field 1"),
        (answer(bytes.fromhex("ab00")), "an exception"),
        (answer(bytes.fromhex("ab0101")), "an exception"),
        (answer(bytes.fromhex("0301 00")), "an answer to function 3"),
        (answer(bytes.fromhex("2b0d 0101 00 00 00")), "no answer to the question"),
        (answer(bytes.fromhex("2b0e 0201 00 00 00")), "no answer to the question"),
        (answer(bytes.fromhex("2b0e 0101 00 00")), "no answer to the question"),
        (answer(bytes.fromhex("2b0e 0101 00 00 01 00 09") + b"Acme"), "beyond the end"),
        (answer(bytes.fromhex("2b0e 0101 00 00 ff")), "beyond the end"),
        (answer(bytes.fromhex("2b0e 0101 00 00 00 00")), "behind the last object"),
    ],
)
def test_what_is_no_answer(heard: bytes, why: str) -> None:
    with pytest.raises(NotThisProtocol, match=why):
        hear("modbus", heard)


@pytest.mark.parametrize("count", range(len(WHOLE)))
def test_half_an_answer_is_none(count: int) -> None:
    with pytest.raises(Ended):
        hear("modbus", WHOLE[:count])


@given(st.binary(max_size=300) | st.binary(max_size=80).map(answer))
def test_whatever_comes_ends_in_facts_or_in_a_reason(heard: bytes) -> None:
    try:
        facts, _ = hear("modbus", heard)
    except (NotThisProtocol, Ended):
        return
    assert len(facts) <= FACTS_LIMIT
    assert all(text.isprintable() and len(text) <= 80 for text in facts.values())


def test_recorded_answers_to_other_questions_are_none() -> None:
    answers = list(recorded("zeek/traces/modbus/modbusSmall.pcap", 502))
    assert answers
    for heard in answers:
        with pytest.raises((NotThisProtocol, Ended)):
            hear("modbus", heard)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    """A server of pymodbus on the loopback; its port."""
    pymodbus = pytest.importorskip("pymodbus")
    from pymodbus.server import ModbusTcpServer
    from pymodbus.simulator import DataType
    from pymodbus.simulator import SimData
    from pymodbus.simulator import SimDevice

    ready, done, ports = threading.Event(), threading.Event(), []

    async def serve() -> None:
        about = pymodbus.ModbusDeviceIdentification(
            info_name={"VendorName": "Example Works", "ProductCode": "PX-7", "MajorMinorRevision": "2.4"}
        )
        devices = [SimDevice(id=0, simdata=[SimData(0, values=[0], datatype=DataType.REGISTERS)])]
        server = ModbusTcpServer(devices, identity=about, address=("127.0.0.1", 0))
        await server.listen()
        ports.append(server.transport.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.get_running_loop().run_in_executor(None, done.wait)
        await server.shutdown()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        done.set()
        thread.join()


def test_a_real_server_says_who_it_is(server: int) -> None:
    seen = perform("modbus", server, attempts=3)
    assert [it.error for it in seen] == [None] * 3
    assert '"vendor":"Example Works","product":"PX-7","revision":"2.4"' in seen[0].detail
