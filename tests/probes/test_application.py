"""The method: which peers cost what, and become which reason; a number is only ever made of a whole answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import applications
from probes.action import Action
from probes.action import Target
from probes.application import METHOD
from probes.applications import PROTOCOLS
from probes.applications import Datagram
from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Read
from probes.applications import ReadLine
from probes.applications import ReadSome
from probes.applications import Send
from probes.applications import dialogue
from probes.applications import printable
from probes.applications.exchange import MOST_HEARD
from probes.gate import Gate
from probes.permit import Permit
from probes.permit import ZonePermit
from tests.probes.talk import HOST
from tests.probes.talk import peer
from tests.probes.talk import perform

LIVES = bytes.fromhex("5050 0000 0003 ff ab 01")
MARGIN_MS = 600  #: what a test may take beyond the method's own bound


def asked(connection: socket.socket) -> bytes:
    return connection.recv(64)


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def half(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(LIVES[:5])
    silent(connection)


def drip(connection: socket.socket) -> None:
    asked(connection)
    for octet in LIVES:
        connection.sendall(bytes([octet]))
        time.sleep(0.2)


def endless(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"\0" * 65536)


def huge(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(bytes.fromhex("5050 0000 ffff ff") + b"x" * 1000)
    silent(connection)


def garbage(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(b"SSH-2.0-x\r\n")
    silent(connection)


def another(connection: socket.socket) -> None:
    asked(connection)
    connection.sendall(bytes.fromhex("4141 0000 0003 ff ab 01"))
    silent(connection)


def closes(connection: socket.socket) -> None:
    asked(connection)


def tears(connection: socket.socket) -> None:
    asked(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, (1).to_bytes(4, "little") + bytes(4))


def late(connection: socket.socket) -> None:
    asked(connection)
    time.sleep(0.6)
    connection.sendall(LIVES)


@pytest.mark.parametrize(
    ("behave", "error", "reason"),
    [
        (silent, "timeout", ""),
        (half, "timeout", "5 octets heard"),
        (drip, "timeout", "octets heard"),
        (late, "timeout", ""),
        (endless, "bad-answer", "length field 0"),
        (huge, "bad-answer", "length field 65535"),
        (garbage, "bad-answer", "protocol identifier"),
        (another, "bad-answer", "another transaction"),
        (closes, "reset", "closed after 0 octets"),
        (tears, "reset", None),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)
def test_a_hostile_peer_costs_one_timeout_and_becomes_a_reason(
    behave: Callable[[socket.socket], None], error: str, reason: str | None
) -> None:
    with peer(behave) as port:
        begun = time.monotonic()
        seen = perform("modbus", port, attempts=1, timeout_ms=400, close_ms=100)
        took_ms = (time.monotonic() - begun) * 1000
    (one,) = seen
    told = json.loads(one.detail)
    assert (one.error, one.value) == (error, None)
    assert (told["port"], told["application"], told["transport"], told["accepted"]) == (port, "modbus", "tcp", True)
    assert reason is None or reason in told["reason"]
    assert took_ms < 500 + MARGIN_MS
    assert told["raw"] in seen.kept


def answer(connection: socket.socket) -> None:
    said = asked(connection)
    connection.sendall(said[:4] + bytes.fromhex("0003") + said[6:7] + bytes.fromhex("ab01"))
    silent(connection)


def test_every_attempt_is_one_orderly_connection_with_its_number() -> None:
    ends = []

    def counted(connection: socket.socket) -> None:
        answer(connection)
        ends.append(connection.recv(1))

    with peer(counted) as port:
        seen = perform("modbus", port, attempts=3)
    assert [(it.attempt, it.error, it.quantity, it.unit) for it in seen] == [
        (attempt, None, "application-delay", "ms") for attempt in range(3)
    ]
    assert all(it.value is not None and 0 < it.value < 2000 for it in seen)
    assert json.loads(seen[1].detail)["said"] == {"unit": "1", "exception": "illegal function"}
    assert ends == [b""] * 3
    assert len(seen.kept) == 3


def test_a_closed_port_is_refused() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    (one,) = perform("modbus", port)
    told = json.loads(one.detail)
    assert (one.error, told["application"], "accepted" in told) == ("refused", "modbus", False)


def test_closed_ports_take_no_more_of_a_slow_zone_than_they_cost() -> None:
    """Each attempt is charged by its price, which would be seconds here, and what a refusal leaves is given back."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    begun = time.monotonic()
    seen = perform("modbus", port, attempts=2, limits={"packets_per_s": 10})
    assert [it.error for it in seen] == ["refused"] * 2
    assert time.monotonic() - begun < 4  # the second one would wait for more than six seconds


@pytest.mark.parametrize(
    ("address", "written"),
    [("192.0.2.1", "192.0.2.1:80"), ("2001:db8::1", "[2001:db8::1]:80"), ("fe80::1%eth0", "[fe80::1]:80")],
)
def test_an_address_is_written_as_urls_have_it(address: str, written: str) -> None:
    assert applications.authority({"address": address, "port": "80"}) == written


def test_nothing_is_said_where_nothing_is_permitted() -> None:
    heard: list[bytes] = []
    with peer(lambda connection: heard.append(asked(connection))) as port:
        gate = Gate(Permit("v", {HOST: "cell"}, {"cell": ZonePermit("cell", "passive")}, {}))
        (one,) = perform("modbus", port, gate=gate)
    assert (one.error, json.loads(one.detail)["reason"]) == ("refused-by-guard", "level-too-high")
    assert heard == []


def test_a_device_that_answered_and_falls_silent_stops_its_zone() -> None:
    turns = iter([answer, silent, silent, silent, silent])

    def take_turns(connection: socket.socket) -> None:
        next(turns)(connection)

    with peer(take_turns) as port:
        seen = perform("modbus", port, attempts=5, timeout_ms=200, close_ms=50, limits={"silence_limit": 2})
    assert [it.error for it in seen] == [None, "timeout", "timeout", "stopped", "stopped"]
    assert "device-went-silent" in seen[-1].detail


def test_the_price_is_an_upper_bound_for_every_attempt() -> None:
    targets = (Target("plc", "192.0.2.1", "cell", 502, '{"application":"modbus"}'),)
    permit = Permit("v", {"192.0.2.1": "cell"}, {"cell": ZonePermit("cell", "query")}, {})
    one, three = (METHOD.cost(Action("v", METHOD.name, targets, {"attempts": n}), permit) for n in (1, 3))
    assert (three.packets, three.bytes) == (3 * one.packets, 3 * one.bytes)
    assert one.level == "query"
    assert one.duration_s >= 2


# --- dialogues of other shapes ---


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes ``odd`` a protocol of one's own."""

    def speak(converse: Callable[[Any], Dialogue], transport: str = "tcp") -> None:
        module = SimpleNamespace(PROTOCOL=Protocol("odd", transport, converse))
        monkeypatch.setitem(PROTOCOLS, "odd", "odd")
        monkeypatch.setattr(applications, "import_module", lambda _: module)

    return speak


def one(step: Any) -> Callable[[Any], Dialogue]:
    def converse(_asked: Any) -> Dialogue:
        heard = yield step
        return {"heard": printable(heard)}

    return converse


@pytest.mark.parametrize(
    ("step", "said", "outcome"),
    [
        (ReadLine(), b"220 ready\r\nmore", "220 ready"),
        (ReadLine(8), b"220 ready\r\n", "a line of more than 8 octets"),
        (ReadSome(3), b"220 ready", "220"),
        (Read(3), b"220 ready", "220"),
        (Read(MOST_HEARD + 1), b"220", f"an answer of {MOST_HEARD + 1} octets was announced"),
        (ReadLine(1 << 30), b"x" * MOST_HEARD * 2, f"more than {MOST_HEARD} octets"),
    ],
)
def test_each_step_hears_what_it_says(odd: Any, step: Any, said: bytes, outcome: str) -> None:
    odd(one(step))

    def greet(connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(said)
        silent(connection)

    with peer(greet) as port:
        (seen,) = perform("odd", port, timeout_ms=1500, close_ms=50)
    told = json.loads(seen.detail)
    assert outcome in (told["reason"] if seen.error else told["said"]["heard"])


def test_a_protocol_that_stumbles_is_our_fault_and_not_the_devices(odd: Any) -> None:
    def converse(_asked: Any) -> Dialogue:
        heard = yield Read(1)
        return {"heard": str(heard[7])}

    odd(converse)
    with peer(lambda connection: connection.sendall(b"x")) as port:
        (seen,) = perform("odd", port)
    assert seen.error == "method-failed"


def test_datagrams_are_exchanged_with_the_asked_port_only(odd: Any) -> None:
    def converse(_asked: Any) -> Dialogue:
        yield Send(b"who?")
        heard = yield Datagram()
        return {"heard": printable(heard)}

    odd(converse, "udp")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        server.bind((HOST, 0))

        def serve() -> None:
            _, client = server.recvfrom(100)
            stranger.sendto(b"forged", client)
            server.sendto(b"", client)
            server.sendto(b"me", client)

        thread = threading.Thread(target=serve)
        thread.start()
        (seen,) = perform("odd", server.getsockname()[1])
        thread.join()
    assert (seen.error, json.loads(seen.detail)["said"]) == (None, {"heard": "me"})
    (refused,) = perform("odd", 9)
    assert (refused.error, "accepted" in json.loads(refused.detail)) == ("refused", False)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_each_protocol_is_named_as_it_is_found(name: str) -> None:
    found = dialogue(name)
    assert found.name == name
    assert found.transport in ("tcp", "udp", "ethernet")
    assert (found.transport == "ethernet") == bool(found.number)


def test_an_unknown_protocol_is_a_mistake() -> None:
    with pytest.raises(LookupError, match="modbus"):
        dialogue("gopher")


@given(st.binary(max_size=500))
def test_what_devices_say_is_printable_and_bounded(heard: bytes) -> None:
    text = printable(heard)
    assert text.isprintable()
    assert len(text) <= 80
