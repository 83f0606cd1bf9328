"""Router solicitation against a real radvd, and against routers that say what they should not."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

LINK = "2001:db8:1::/64"
SOLICITATION = 133


def permit(level: str = "query", links: tuple[str, ...] = (LINK,), **limits: Any) -> Permit:
    return Permit("desk", {}, {"cell": ZonePermit("cell", level, **limits)}, {}, dict.fromkeys(links, "cell"))


def solicit(rig: Rig, link: str = LINK, allowed: Permit | None = None, **more: Any) -> list[Observation]:
    action = Action("desk", "router-solicitation", (Target("segment:cell", link, "cell"),), {"timeout_ms": 600, **more})
    return rig.probe(action, allowed or permit())


@contextmanager
def radvd(rig: Rig, folder: Path, lifetime_s: int) -> Iterator[None]:
    """A real router; it says nothing by itself for a long time, so what is heard was solicited."""
    config = folder / "radvd.conf"
    config.write_text(
        f"interface eth0 {{ AdvSendAdvert on; MinRtrAdvInterval 600; MaxRtrAdvInterval 1800;"
        f" AdvDefaultLifetime {lifetime_s}; AdvOtherConfigFlag on; AdvLinkMTU 1400;"
        f" prefix {LINK} {{ AdvOnLink on; AdvAutonomous on; }}; RDNSS 2001:db8::53 {{ }}; }};\n"
    )
    config.chmod(0o644)
    command = ["ip", "netns", "exec", rig.server, "radvd", "-n", "-m", "stderr", "-C", str(config)]
    command += ["-p", str(folder / "radvd.pid")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.terminate()
            process.communicate(timeout=10)


def advertisement(lifetime_s: int = 1800, rest: bytes = b"") -> bytes:
    return struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime_s, 0, 0) + rest


@contextmanager
def router(rig: Rig, *messages: bytes, hop_limit: int = 255, source: str = "", delay_s: float = 0) -> Iterator[None]:
    """Answers solicitations on any link with ``messages`` on eth0, from the link-local address if none is named."""
    ready, done = threading.Event(), threading.Event()

    def serve() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as opened:
            interface = socket.if_nametoindex("eth0")
            group = socket.inet_pton(socket.AF_INET6, "ff02::2") + struct.pack("@I", interface)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hop_limit)
            opened.settimeout(0.05)
            if source:
                opened.bind((source, 0))
            ready.set()
            while not done.is_set():
                try:
                    heard = opened.recv(2048)
                except TimeoutError:
                    continue
                if heard[0] == SOLICITATION:
                    time.sleep(delay_s)
                    for message in messages:
                        opened.sendto(message, ("ff02::1", 0, 0, interface))

    thread = threading.Thread(target=rig.within, args=(rig.server, serve))
    thread.start()
    assert ready.wait(5)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.skipif(shutil.which("radvd") is None, reason="radvd is not installed")
@pytest.mark.parametrize("lifetime_s", [1800, 0])
def test_a_real_router_is_heard(rig: Rig, tmp_path: Path, lifetime_s: int) -> None:
    with radvd(rig, tmp_path, lifetime_s), rig.capture() as sent:
        deadline = time.monotonic() + 20
        while (row := solicit(rig, timeout_ms=4000)[0]).error and time.monotonic() < deadline:
            pass  # it takes a moment until it listens
    assert (row.error, row.value, row.quantity, row.unit) == (None, lifetime_s, "router-lifetime", "s")
    told = json.loads(row.detail)
    assert IPv6Address(told["router"]).is_link_local
    assert (told["other"], told["managed"], told["mtu"], told["interface"]) == (True, False, 1400, "eth0")
    assert [one["network"] for one in told["prefixes"]] == [LINK]
    assert told["resolvers"] == ["2001:db8::53"]
    ours = [packet for packet in sent if packet.protocol == socket.IPPROTO_ICMPV6 and packet.payload[0] == SOLICITATION]
    assert ours
    assert {(packet.destination, packet.size, packet.payload[8:10]) for packet in ours} == {("ff02::2", 56, b"\1\1")}


def test_without_a_router_there_is_silence_and_one_packet_for_each_attempt(rig: Rig) -> None:
    with rig.capture() as sent:
        seen = solicit(rig, attempts=2, timeout_ms=300)
    assert [(row.attempt, row.error) for row in seen] == [(0, "timeout"), (1, "timeout")]
    assert [packet.destination for packet in sent if packet.protocol == socket.IPPROTO_ICMPV6] == ["ff02::2"] * 2


@pytest.mark.parametrize(
    ("said", "how", "facts"),
    [
        ([advertisement()], {"hop_limit": 64}, {"invalid": 1}),
        ([advertisement()], {"source": "2001:db8:1::2"}, {"invalid": 1}),
        ([b"\x86" + b"\xff" * 40], {}, {"invalid": 1}),  # garbage
        ([advertisement()[:12]], {}, {"invalid": 1}),  # half an answer
        ([advertisement(rest=b"\x03\x00" + bytes(6))], {}, {"invalid": 1}),
        ([b"\x88" + bytes(23)], {}, {}),  # a neighbour advertisement: an answer to another question
        ([advertisement()], {"delay_s": 0.9}, {}),  # late
    ],
)
def test_what_is_no_advertisement_is_no_answer(
    rig: Rig, said: list[bytes], how: dict[str, Any], facts: dict[str, int]
) -> None:
    with router(rig, *said, **how):
        (row,) = solicit(rig)
    told = json.loads(row.detail)
    assert (row.error, row.value) == ("timeout", None)
    assert {name: told[name] for name in ("invalid", "other_interface") if name in told} == facts


def test_a_default_router_is_found_among_others(rig: Rig) -> None:
    said = [b"\x86" + bytes(5), advertisement(0), advertisement(65_535)]
    with router(rig, *said):
        (row,) = solicit(rig)
    assert (row.value, json.loads(row.detail)["invalid"]) == (65_535, 1)
    with router(rig, advertisement(0)):
        (row,) = solicit(rig)
    assert (row.error, row.value) == (None, 0)


def test_an_advertisement_over_another_interface_is_none(rig: Rig) -> None:
    link = ["link", "add", "eth1", "netns", rig.client, "type", "veth", "peer", "name", "eth1", "netns", rig.server]
    subprocess.run(["ip", *link], check=True)
    try:
        batch = "addr add 2001:db8:77::1/64 dev eth1 nodad\nlink set eth1 up\n"
        subprocess.run(["ip", "-n", rig.client, "-batch", "-"], input=batch, text=True, check=True)
        subprocess.run(["ip", "-n", rig.server, "link", "set", "eth1", "up"], check=True)
        with router(rig, advertisement()):
            other = permit(links=("2001:db8:77::/64",))
            deadline = time.monotonic() + 10
            while True:  # a new interface takes a moment until it hears multicast
                (row,) = solicit(rig, "2001:db8:77::/64", other)
                assert row.value is None
                if "other_interface" in json.loads(row.detail):
                    break
                assert time.monotonic() < deadline
            assert row.error == "timeout"
            (row,) = solicit(rig)
            assert row.value == 1800
    finally:
        subprocess.run(["ip", "-n", rig.client, "link", "del", "eth1"], check=False)


@pytest.mark.parametrize(
    ("link", "allowed", "error", "reason"),
    [
        ("2001:db8:9::/64", permit(), "refused-by-guard", "undeclared-instrument"),
        (LINK, permit("passive"), "refused-by-guard", "level-too-high"),
        ("2001:db8:9::/64", permit(links=("2001:db8:9::/64",)), "no-route", "no-address-in-prefix"),
        (LINK, permit(total_bytes=10), "stopped", "byte-budget-exhausted"),
    ],
)
def test_nothing_is_sent_without_leave(rig: Rig, link: str, allowed: Permit, error: str, reason: str) -> None:
    with rig.capture() as sent:
        (row,) = solicit(rig, link, allowed)
    assert (row.error, json.loads(row.detail)["reason"]) == (error, reason)
    assert not sent


def test_the_kill_switch_ends_the_listening(rig: Rig) -> None:
    began_s = time.monotonic()
    action = Action("desk", "router-solicitation", (Target("segment:cell", LINK, "cell"),), {"timeout_ms": 60_000})
    (row,) = rig.probe(action, permit(), stop=lambda: time.monotonic() > began_s + 0.3)
    assert row.error == "stopped"
    assert time.monotonic() - began_s < 2


def _ticket(gate: Gate, address: str) -> Any:
    ticket = gate.admit_local(Target("x", address, "cell"), "query")
    assert not isinstance(ticket, Refusal)
    return ticket


def test_the_port_is_for_links_and_for_what_was_claimed(rig: Rig) -> None:
    def tried() -> None:
        gate = Gate(permit(links=(LINK, "/dev/ttyUSB2")))
        with pytest.raises(ValueError, match="is no link"):
            gate.router_port(_ticket(gate, "/dev/ttyUSB2"), 1)
        port = gate.router_port(_ticket(gate, LINK), socket.if_nametoindex("eth0"))
        with pytest.raises(PermissionError):
            port.solicit(b"")
        port.close()

    rig.within(rig.client, tried)


def test_the_price_is_one_packet() -> None:
    action = Action("desk", "router-solicitation", (Target("s", LINK, "cell"), Target("s", "nowhere", "cell")), {})
    cost = method("router-solicitation").cost(action, permit())
    assert (cost.packets, cost.bytes, cost.duration_s, cost.level) == (1, 56, 4.0, "query")
