"""PROFINET DCP on a link: one frame for a question, whoever answers what; and no other frame through that door."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING
from typing import Any

import pytest

from probes import gate as gates
from probes.action import Action
from probes.dcp_packet import ETHERTYPE
from probes.dcp_packet import EVERYBODY
from probes.dcp_packet import identify
from probes.dcp_packet import xid_of_request
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from tests.probes.conftest import ABSENT4
from tests.probes.conftest import CLIENT4
from tests.probes.conftest import SERVER4
from tests.probes.conftest import SERVER6
from tests.probes.talk import Kept
from tests.probes.test_profinet_dcp import NAME
from tests.probes.test_profinet_dcp import addressed
from tests.probes.test_profinet_dcp import answer
from tests.probes.test_profinet_dcp import block
from tests.probes.test_profinet_dcp import named

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

SOON_MS, PATIENT_MS = 300, 10_000  #: where nothing is to come, and where something comes at once
ROUTED4 = "198.19.0.1"
ASKED = f"profinet-dcp@{NAME}"
Says = Callable[[int], Iterable[bytes]]  #: what is said to the request with an Xid, frame by frame
STRANGER = bytes.fromhex("02000000ff01")


def right(xid: int) -> Iterable[bytes]:
    return [answer(named(), addressed(SERVER4), xid=xid)]


@contextmanager
def station(rig: Rig, says: Says = lambda _: (), source: bytes = b"") -> Iterator[list[bytes]]:
    """Who says this on the far end of the link, under its own hardware address or ``source``; the requests it heard."""
    heard: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        while not done.is_set():
            try:
                frame, (_, _, kind, _, asking) = ears.recvfrom(2048)
            except TimeoutError:
                continue
            xid = xid_of_request(frame)
            if kind == socket.PACKET_OUTGOING or xid is None:
                continue
            heard.append(frame)
            for said in says(xid):
                if done.is_set():
                    break
                mouth.send(asking + (source or mouth.getsockname()[4]) + ETHERTYPE.to_bytes(2) + said)

    with rig.within(rig.server, _ears) as ears, rig.within(rig.server, _mouth) as mouth:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield heard
        finally:
            done.set()
            thread.join()


def _ears() -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    made.bind(("eth0", ETHERTYPE))
    made.settimeout(0.02)
    return made


def _mouth() -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    made.bind(("eth0", 0))
    return made


def question(ask: Ask, address: str = SERVER4, **parameters: Any) -> Action:
    action = ask.action("application-exchange", [address], ETHERTYPE, **parameters)
    return replace(action, targets=tuple(replace(it, ask=json.dumps({"application": ASKED})) for it in action.targets))


def perform(rig: Rig, action: Action, gate: Gate) -> Kept:
    seen = Kept()
    rig.within(rig.client, lambda: asyncio.run(method(action.method).run(action, gate, seen)))
    return seen


def asked(rig: Rig, ask: Ask, address: str = SERVER4, **parameters: Any) -> Kept:
    return perform(rig, question(ask, address, **parameters), Gate(ask.permit([address])))


@contextmanager
def frames(rig: Rig) -> Iterator[list[bytes]]:
    """Every frame that leaves the client meanwhile, whole, but for what its kernel says to find neighbours."""

    def listen() -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(3))
        made.bind(("eth0", 3))
        return made

    left: list[bytes] = []
    with rig.within(rig.client, listen) as sniffer:
        yield left
        while True:
            try:
                frame, (_, _, kind, *_) = sniffer.recvfrom(4096)
            except BlockingIOError:
                return
            if kind == socket.PACKET_OUTGOING and frame[12:14] == ETHERTYPE.to_bytes(2):
                left.append(frame)


@pytest.mark.parametrize("known", [True, False])
def test_the_declared_station_answers_and_is_asked_with_one_frame_for_each_attempt(
    rig: Rig, ask: Ask, known: bool
) -> None:
    command = [
        "ip",
        "netns",
        "exec",
        rig.client,
        *(["ping", "-c1", SERVER4] if known else ["ip", "neigh", "flush", "all"]),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with station(rig, right) as heard, frames(rig) as left:
        seen = asked(rig, ask, attempts=3, timeout_ms=PATIENT_MS)
    assert [(it.attempt, it.error) for it in seen] == [(0, None), (1, None), (2, None)]
    assert all(it.value is not None and 0 < it.value < PATIENT_MS for it in seen)
    facts = json.loads(seen[0].detail)
    assert (facts["port"], facts["application"], facts["transport"]) == (ETHERTYPE, "profinet-dcp", "ethernet")
    assert (facts["said"]["station"], facts["said"]["address"]) == (NAME, SERVER4)
    assert facts["raw"] in seen.kept
    assert len(left) == len(heard) == len(set(heard)) == 3
    assert all(frame[:6] == EVERYBODY and xid_of_request(frame[14:]) is not None for frame in left)
    price = method("application-exchange").cost(question(ask, attempts=3), ask.permit([SERVER4]))
    assert len(left) <= price.packets
    assert sum(map(len, left)) <= price.bytes


def test_a_terminal_is_known_at_its_ipv6_address_by_its_hardware_address(rig: Rig, ask: Ask) -> None:
    command = ["ip", "netns", "exec", rig.client, "ping", "-c1", SERVER6]
    subprocess.run(command, check=True, capture_output=True)
    with station(rig, lambda xid: [answer(named(), xid=xid)]):
        (seen,) = asked(rig, ask, SERVER6, timeout_ms=PATIENT_MS)
    assert seen.error is None


@pytest.mark.parametrize(
    ("says", "error", "reason"),
    [
        (lambda _: (), "timeout", ""),
        (lambda xid: [answer(named(), addressed(SERVER4), xid=xid ^ 1)] * 100, "timeout", ""),
        (lambda xid: [identify(NAME, xid)] * 100, "timeout", ""),
        (lambda _: [bytes(46), b"\xff" * 1400, os.urandom(200)], "timeout", ""),
        (lambda xid: [answer(named("press-a-02"), addressed(SERVER4), xid=xid)], "bad-answer", "press-a-02"),
        (lambda xid: [answer(named(), addressed(ABSENT4), xid=xid)], "bad-answer", ABSENT4),
        (lambda xid: [answer(named(), addressed(SERVER4), xid=xid)[:30]], "bad-answer", "octets of blocks announced"),
        (lambda xid: [answer(named(), b"\1\2\xff\xff", xid=xid)], "bad-answer", "a block of 65535"),
        (lambda xid: [answer(xid=xid, length=0xFFFF)], "bad-answer", "65535 octets"),
        (lambda xid: [answer(block(2, 2, b"x" * 1400), xid=xid)], "bad-answer", "an answer of station xxx"),
        (lambda xid: repeat(answer(b"\0" * 1400, xid=xid)), "bad-answer", "a block of 0"),
        (lambda _: repeat(os.urandom(100)), "timeout", ""),
    ],
)
def test_whoever_says_what_costs_one_frame_and_becomes_one_reason(
    rig: Rig, ask: Ask, says: Says, error: str, reason: str
) -> None:
    with station(rig, says), frames(rig) as left:
        (seen,) = asked(rig, ask, timeout_ms=SOON_MS if error == "timeout" else PATIENT_MS)
    assert (seen.error, seen.value) == (error, None)
    assert reason in json.loads(seen.detail).get("reason", "")
    assert len(seen.detail) < 1000
    assert len(left) == 1


def test_among_answers_to_others_the_right_one_is_found(rig: Rig, ask: Ask) -> None:
    def says(xid: int) -> Iterable[bytes]:
        return [*(answer(named(), addressed(SERVER4), xid=it) for it in range(50)), *right(xid)]

    with station(rig, says):
        (seen,) = asked(rig, ask, timeout_ms=PATIENT_MS)
    assert seen.error is None


def test_another_machine_that_bears_the_name_is_not_the_terminal(rig: Rig, ask: Ask) -> None:
    ping = ["ip", "netns", "exec", rig.client, "ping", "-c1", SERVER4]
    subprocess.run(ping, check=True, capture_output=True)
    with station(rig, right, source=STRANGER):
        (seen,) = asked(rig, ask, timeout_ms=PATIENT_MS)
    assert seen.error == "bad-answer"
    assert STRANGER.hex(":") in json.loads(seen.detail)["reason"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [(ROUTED4, f"off-link, via {SERVER4}"), (CLIENT4, "own-address"), ("192.0.2.1", "no-route")],
)
def test_a_terminal_on_no_link_of_ours_is_not_asked_and_nothing_is_said_of_it(
    rig: Rig, ask: Ask, address: str, reason: str
) -> None:
    with station(rig, right) as heard, frames(rig) as left:
        (seen,) = asked(rig, ask, address)
    facts = json.loads(seen.detail)
    assert (seen.error, facts["reason"], facts["application"]) == ("no-route", reason, "profinet-dcp")
    assert heard == left == []


@pytest.mark.parametrize(
    ("limits", "error", "reason"),
    [
        ({"level": "passive"}, "refused-by-guard", "level-too-high"),
        ({"total_bytes": 10}, "stopped", "budget"),
    ],
)
def test_nothing_is_sent_that_is_not_permitted(
    rig: Rig, ask: Ask, limits: dict[str, Any], error: str, reason: str
) -> None:
    with frames(rig) as left:
        (seen,) = perform(rig, question(ask), Gate(ask.permit([SERVER4], **limits)))
        (other,) = perform(rig, question(ask), Gate(ask.permit([ABSENT4])))
    assert seen.error == error
    assert reason in json.loads(seen.detail)["reason"]
    assert (other.error, json.loads(other.detail)["reason"]) == ("refused-by-guard", "undeclared-address")
    assert left == []


def test_no_other_frame_passes_that_door(rig: Rig, ask: Ask) -> None:
    gate = Gate(ask.permit([SERVER4]))
    ticket = gate.admit(question(ask).targets[0], "query", ETHERTYPE)
    assert not isinstance(ticket, Refusal)

    def tries() -> None:
        with pytest.raises(PermissionError, match="nothing was claimed"):
            gate.link_port(ticket, 60)
        assert gate.claim(ticket, 1, 60, gate.clock()) == 0
        port = gate.link_port(ticket, 60)
        try:
            for octets in (identify(NAME, 1).replace(b"\xfe\xfe\x05", b"\xfe\xfd\x04"), bytes(46), b""):
                with pytest.raises(PermissionError, match="no request"):
                    port.send(octets)
        finally:
            port.close()

    with frames(rig) as left:
        rig.within(rig.client, tries)
    assert left == []
    assert ticket.device.connections == 0


def test_without_the_privilege_it_says_so(rig: Rig, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    made = socket.socket

    def refuse(family: int, *rest: Any) -> socket.socket:
        if family == socket.AF_PACKET:
            raise PermissionError(1, "Operation not permitted")
        return made(family, *rest)

    monkeypatch.setattr(gates.socket, "socket", refuse)
    (seen,) = asked(rig, ask)
    assert seen.error == "no-privilege"
    assert "cap_net_raw" in json.loads(seen.detail)["cure"]


def test_where_there_is_no_ethernet_it_says_so(rig: Rig, ask: Ask) -> None:
    """A tunnel has no hardware addresses, though an address may be on its link."""

    def ip(*words: str) -> None:
        subprocess.run(["ip", "-n", rig.client, *words], check=True, capture_output=True)

    ip("tuntap", "add", "tun7", "mode", "tun")
    try:
        ip("addr", "add", "203.0.113.1/30", "dev", "tun7")
        ip("link", "set", "tun7", "up")
        (seen,) = asked(rig, ask, "203.0.113.2")
    finally:
        ip("link", "del", "tun7")
    assert (seen.error, json.loads(seen.detail)["reason"]) == ("no-route", "no-ethernet")
