"""Every application protocol against peers that mean ill: each costs one bounded attempt and becomes the right reason.

What a peer does is done in order and never by the clock: it waits until we have gone, not for a time.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import struct
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress

import pytest

from probes.applications import PROTOCOLS
from probes.applications import NotThisProtocol
from probes.applications import dialogue
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import Kept
from tests.probes.talk import hear
from tests.probes.talk import peer
from tests.probes.talk import perform
from tests.probes.test_bacnet import I_AM
from tests.probes.test_bacnet import packet
from tests.probes.test_control_protocols import ACKNOWLEDGED
from tests.probes.test_control_protocols import IDENTIFIED
from tests.probes.test_control_protocols import LINK_STATUS
from tests.probes.test_control_protocols import LISTED
from tests.probes.test_control_protocols import OPENED
from tests.probes.test_control_protocols import S7_AGREED
from tests.probes.test_control_protocols import S7_CONFIRMED
from tests.probes.test_control_protocols import TESTED
from tests.probes.test_snmp_application import reported

SOON_MS = 300  #: where nothing is to come
PATIENT_MS = 10_000  #: where something comes at once, on however busy a host
BETWEEN_MS = 1500  #: where both are the case
STREAMS = sorted(name for name in PROTOCOLS if dialogue(name).transport == "tcp")
DATAGRAMS = sorted(name for name in PROTOCOLS if dialogue(name).transport == "udp")
SPOKEN = {"dnp3": "dnp3@10"}  #: as a plant file writes it, where that is more than the name
SPEAKS_FIRST = frozenset({"ssh"})  #: the server does, and we say nothing before

#: A right answer to the first attempt.
RIGHT = {
    "http": b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n",
    "modbus": bytes.fromhex("5050 0000 0003 ff ab 01"),
    "mqtt": bytes.fromhex("20020000"),
    "rtsp": b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
    "ssh": b"SSH-2.0-x\r\n",
    "dnp3": LINK_STATUS,
    "ethernet-ip": IDENTIFIED,
    "iec104": TESTED,
    "opc-ua": ACKNOWLEDGED + OPENED + LISTED,
    "s7": S7_CONFIRMED + S7_AGREED,
    "bacnet": packet(I_AM),
    "snmp": reported(),
}
KNOWN_STREAMS = sorted(RIGHT.keys() & set(STREAMS))
KNOWN_DATAGRAMS = sorted(RIGHT.keys() & set(DATAGRAMS))
Behaviour = Callable[[socket.socket], None]


def test_every_protocol_has_a_right_answer_here() -> None:
    elsewhere = {"https", "profinet-dcp"}  # those need a real peer, or a link: see their own tests
    assert RIGHT.keys() | elsewhere == PROTOCOLS.keys()


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@pytest.mark.parametrize("other", RIGHT)
def test_nobody_takes_the_answer_of_another_protocol_for_its_own(name: str, other: str) -> None:
    if name == other:
        return
    with pytest.raises((NotThisProtocol, Ended)):
        hear(name, RIGHT[other], station="10")


@pytest.mark.parametrize("name", DATAGRAMS)
def test_a_question_that_comes_back_is_no_answer(name: str) -> None:
    def echoed(one: socket.socket, who: tuple[str, int]) -> None:
        one.sendto(said[0], who)

    said = [next(dialogue(name).converse({"attempt": "0"})).octets]  # type: ignore[union-attr]
    with datagram_peer(echoed) as port:
        (seen,) = ask(name, port, SOON_MS)
    assert seen.error in ("bad-answer", "timeout")


def until_they_go(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def say_nothing(connection: socket.socket) -> None:
    until_they_go(connection)


def close_at_once(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)
    until_they_go(connection)


def tear_down(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def garbage(connection: socket.socket) -> None:
    connection.sendall(bytes(range(256)) * 8)
    until_they_go(connection)


def noise(connection: socket.socket) -> None:
    connection.sendall(os.urandom(1 << 14))
    until_they_go(connection)


def huge_lengths(connection: socket.socket) -> None:
    connection.sendall(b"\xff" * 64)
    until_they_go(connection)


def endless_banner(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(b"Welcome to a very long banner. Authorized use only.\r\n" * 200)


def endless_zeros(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(bytes(4096))


def echo(connection: socket.socket) -> None:
    while said := connection.recv(4096):
        connection.sendall(said)


def ask(name: str, port: int, timeout_ms: int, **parameters: object) -> Kept:
    return perform(SPOKEN.get(name, name), port, timeout_ms=timeout_ms, close_ms=100, **parameters)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
    ("behave", "errors"),
    [
        (say_nothing, {"timeout"}),
        (close_at_once, {"reset"}),
        (tear_down, {"reset"}),
        (garbage, {"bad-answer", "timeout"}),  # the latter: lines before an identification, and a line without an end
        (noise, {"bad-answer", "timeout"}),
        (huge_lengths, {"bad-answer", "timeout"}),
        (endless_banner, {"bad-answer"}),
        (endless_zeros, {"bad-answer"}),
        (echo, {"bad-answer", "timeout"}),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)
def test_a_hostile_stream_becomes_one_reason(name: str, behave: Behaviour, errors: set[str]) -> None:
    connections = []

    def counted(connection: socket.socket) -> None:
        connections.append(connection)
        behave(connection)

    with peer(counted) as port:
        (seen,) = ask(name, port, SOON_MS if "timeout" in errors else PATIENT_MS)
    assert seen.error in errors, seen
    assert seen.value is None
    assert len(connections) == 1
    assert len(seen.detail) < 1000


@pytest.mark.parametrize("name", KNOWN_STREAMS)
def test_a_right_answer_that_never_ends_is_a_timeout(name: str) -> None:
    """Octet by octet, all but the last one."""

    def drip(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in RIGHT[name][:-1]:
            connection.sendall(bytes((octet,)))
        until_they_go(connection)

    with peer(drip) as port:
        (seen,) = ask(name, port, BETWEEN_MS)
    assert seen.error == "timeout"
    assert "octets heard" in json.loads(seen.detail)["reason"]


@pytest.mark.parametrize("name", KNOWN_STREAMS)
def test_half_an_answer_and_then_the_end_is_a_reset(name: str) -> None:
    def half(connection: socket.socket) -> None:
        connection.sendall(RIGHT[name][: len(RIGHT[name]) // 2])
        connection.shutdown(socket.SHUT_WR)
        until_they_go(connection)

    with peer(half) as port:
        (seen,) = ask(name, port, PATIENT_MS)
    assert seen.error == "reset"


@pytest.mark.parametrize("name", KNOWN_STREAMS)
def test_an_answer_after_its_time_is_a_timeout_and_spoils_no_later_attempt(name: str) -> None:
    turns = itertools.count()

    def late_at_first(connection: socket.socket) -> None:
        first = next(turns) == 0
        if first:
            until_they_go(connection)
        connection.sendall(RIGHT[name])
        if not first:
            until_they_go(connection)

    with peer(late_at_first) as port:
        seen = ask(name, port, BETWEEN_MS, attempts=2)
    first, second = sorted(seen, key=lambda it: it.attempt)
    assert first.error == "timeout"
    # attempts differ there, and this peer answers the first one again
    fixed = {"modbus", "rtsp", "dnp3"}
    assert second.error == ("bad-answer" if name in fixed else None)


@pytest.mark.parametrize("name", KNOWN_STREAMS)
def test_the_right_answer_is_one(name: str) -> None:
    def answer(connection: socket.socket) -> None:
        if name not in SPEAKS_FIRST:
            connection.recv(4096)
        connection.sendall(RIGHT[name])
        until_they_go(connection)

    with peer(answer) as port:
        (seen,) = ask(name, port, PATIENT_MS)
    assert seen.error is None


Reply = Callable[[socket.socket, tuple[str, int]], None]


@contextmanager
def datagram_peer(reply: Reply) -> Iterator[int]:
    """A UDP socket on the loopback that does this for each datagram; its port."""
    done = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, 0))
        one.settimeout(0.02)

        def serve() -> None:
            while not done.is_set():
                with suppress(OSError):
                    _, who = one.recvfrom(4096)
                    reply(one, who)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield one.getsockname()[1]
        finally:
            done.set()
            thread.join()


def nothing(_one: socket.socket, _who: tuple[str, int]) -> None:
    pass


def emptiness(one: socket.socket, who: tuple[str, int]) -> None:
    for _ in range(100):
        one.sendto(b"", who)


def a_mess(one: socket.socket, who: tuple[str, int]) -> None:
    one.sendto(os.urandom(200), who)


def a_giant(one: socket.socket, who: tuple[str, int]) -> None:
    one.sendto(b"\xff" * 65_000, who)


def a_flood(one: socket.socket, who: tuple[str, int]) -> None:
    for _ in range(300):
        one.sendto(bytes(1400), who)


def a_foreign_tongue(one: socket.socket, who: tuple[str, int]) -> None:
    one.sendto(RIGHT["http"], who)


def another_peer(_one: socket.socket, who: tuple[str, int]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for right in RIGHT.values():
            stranger.sendto(right, who)


@pytest.mark.parametrize("name", DATAGRAMS)
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (nothing, "timeout"),
        (emptiness, "timeout"),
        (another_peer, "timeout"),
        (a_mess, "bad-answer"),
        (a_giant, "bad-answer"),
        (a_flood, "bad-answer"),
        (a_foreign_tongue, "bad-answer"),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)
def test_hostile_datagrams_become_one_reason(name: str, reply: Reply, error: str) -> None:
    with datagram_peer(reply) as port:
        (seen,) = ask(name, port, SOON_MS if error == "timeout" else PATIENT_MS)
    assert seen.error == error, seen
    assert len(seen.detail) < 1000


@pytest.mark.parametrize("name", KNOWN_DATAGRAMS)
def test_a_datagram_that_was_cut_is_no_answer_and_a_whole_one_is(name: str) -> None:
    for cut in (1, len(RIGHT[name]) // 2):
        with datagram_peer(lambda one, who, cut=cut: one.sendto(RIGHT[name][:-cut], who) and None) as port:
            (seen,) = ask(name, port, PATIENT_MS)
        assert seen.error == "bad-answer"
    with datagram_peer(lambda one, who: one.sendto(RIGHT[name], who) and None) as port:
        (seen,) = ask(name, port, PATIENT_MS)
    assert seen.error is None


@pytest.mark.parametrize("name", KNOWN_DATAGRAMS)
def test_a_late_datagram_is_no_answer_to_the_next_question(name: str) -> None:
    """The first answer comes when the second question is there: to a socket that is gone."""
    asked: list[tuple[str, int]] = []

    def late(one: socket.socket, who: tuple[str, int]) -> None:
        asked.append(who)
        if len(asked) == 2:
            one.sendto(RIGHT[name], asked[0])

    with datagram_peer(late) as port:
        seen = ask(name, port, SOON_MS, attempts=2)
    assert [it.error for it in seen] == ["timeout", "timeout"]
    assert asked[0] != asked[1]
