"""MQTT: what is asked, which acknowledgements are answers, and a real broker."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import NotThisProtocol
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import hear
from tests.probes.talk import perform
from tests.probes.talk import recorded

CONNECT_4 = bytes.fromhex("100c 00044d515454 04 02 000a 0000")
CONNECT_5 = bytes.fromhex("100d 00044d515454 05 02 000a 00 0000")
DISCONNECT = bytes.fromhex("e000")


@pytest.mark.parametrize(("attempt", "asked"), [("0", CONNECT_4), ("1", CONNECT_5), ("2", CONNECT_4)])
def test_a_clean_session_is_opened_and_closed_in_both_versions(attempt: str, asked: bytes) -> None:
    facts, said = hear("mqtt", bytes.fromhex("20020000"), attempt=attempt)
    assert said == asked + DISCONNECT
    assert facts == {"asked-version": "5" if attempt == "1" else "3.1.1", "answer": "accepted"}


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        ("20020001", "refused: unacceptable protocol version"),
        ("20020005", "refused: not authorized"),
        ("2003008700", "refused: not authorized"),
        ("2003008400", "refused: unsupported protocol version"),
        ("20060089 03 210014", "refused: server busy"),
        ("20060000 03 210014", "accepted"),
    ],
)
def test_a_refusal_is_an_answer_and_nothing_more_is_said(heard: str, answer: str) -> None:
    facts, said = hear("mqtt", bytes.fromhex(heard))
    assert facts["answer"] == answer
    assert said == CONNECT_4 + (DISCONNECT if answer == "accepted" else b"")


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "packet of type 4"),
        (bytes.fromhex("90030001 00"), "packet of type 9"),
        (bytes.fromhex("20ffffffff7f"), "more than four octets"),
        (bytes.fromhex("20ffffff7f"), "acknowledgement of 268435455 octets"),
        (bytes.fromhex("200100"), "acknowledgement of 1 octets"),
        (bytes.fromhex("20020100"), "session that is present"),
        (bytes.fromhex("20020042"), "the code 66"),
        (bytes.fromhex("2003000100"), "the code 1 with properties"),
        (bytes.fromhex("2003008701"), "properties of another length"),
        (bytes.fromhex("20070087ffffffff00"), "properties of another length"),
    ],
)
def test_what_is_no_answer(heard: bytes, why: str) -> None:
    with pytest.raises(NotThisProtocol, match=why):
        hear("mqtt", heard)


@pytest.mark.parametrize("count", range(4))
def test_half_an_answer_is_none(count: int) -> None:
    with pytest.raises(Ended):
        hear("mqtt", bytes.fromhex("20020000")[:count])


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda it: b"\x20" + bytes([len(it)]) + it))
def test_whatever_comes_ends_in_facts_or_in_a_reason(heard: bytes) -> None:
    try:
        facts, _ = hear("mqtt", heard)
    except (NotThisProtocol, Ended):
        return
    assert facts["answer"]


@pytest.mark.parametrize("capture", ["zeek/traces/mqtt.pcap", "ndpi/pcap/mqtt.pcap"])
def test_a_recorded_broker_is_read(capture: str) -> None:
    facts, _ = hear("mqtt", next(it for it in recorded(capture, 1883) if it[0] == 0x20))
    assert facts["answer"] == "accepted"


@pytest.fixture(params=["true", "false"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, str, Path]]:
    """Mosquitto on the loopback, open to anybody or to nobody: its port, which, and its log."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if not program:
        pytest.skip("no mosquitto here")
    with socket.create_server((HOST, 0)) as one:
        port = one.getsockname()[1]
    log, config = tmp_path / "log", tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} {HOST}\nallow_anonymous {request.param}\nlog_type all\n")
    with log.open("wb") as sink:
        running = subprocess.Popen([program, "-c", config], stdout=sink, stderr=sink)
    try:
        _until(lambda: b"running" in log.read_bytes())
        yield port, request.param, log
    finally:
        running.terminate()
        running.wait()


def _until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_real_broker_answers_in_both_versions(broker: tuple[int, str, Path]) -> None:
    port, open_to_all, log = broker
    seen = perform("mqtt", port, attempts=2)
    assert [it.error for it in seen] == [None, None], seen
    said = [json.loads(it.detail)["said"] for it in seen]
    assert [it["asked-version"] for it in said] == ["3.1.1", "5"]
    if open_to_all == "true":
        assert {it["answer"] for it in said} == {"accepted"}
        _until(lambda: log.read_bytes().count(b"Received DISCONNECT") == 2)
    else:
        assert {it["answer"] for it in said} == {"refused: not authorized"}
