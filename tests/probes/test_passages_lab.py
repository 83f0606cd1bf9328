"""Passages through a real nftables firewall: what it does to a connection, and what is made of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.indicators.segmentation import SegmentationParameters
from profiles.indicators.segmentation import user_domain_violations
from profiles.observation import Observation
from profiles.reduced import Checklist
from profiles.reduced import Member
from profiles.reduced import Register

if TYPE_CHECKING:
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

HISTORIAN = {4: "198.18.1.2", 6: "2001:db8:1::2"}
POLICIES = {
    "open": "",
    "dropped": "iifname eth0 tcp dport {port} drop",
    "reset": "iifname eth0 tcp dport {port} reject with tcp reset",
    "prohibited": "iifname eth0 tcp dport {port} reject with icmpx type admin-prohibited",
    "unreachable": "iifname eth0 tcp dport {port} reject",
    "leak in IPv6": "iifname eth0 meta nfproto ipv4 tcp dport {port} drop",
    "leak in IPv4": "iifname eth0 meta nfproto ipv6 tcp dport {port} drop",
}


@contextmanager
def listening(rig: Rig) -> Iterator[int]:
    """A service on both IP versions of the server, which accepts and closes in order."""
    done = threading.Event()
    opened = rig.within(
        rig.server, lambda: socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    )

    def serve() -> None:
        opened.settimeout(0.05)
        while not done.is_set():
            try:
                stream, _ = opened.accept()
            except TimeoutError:
                continue
            with stream:
                stream.settimeout(2)
                stream.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield opened.getsockname()[1]
    finally:
        done.set()
        thread.join()
        opened.close()


def tried(rig: Rig, room: str, vantage: str, port: int) -> list[Observation]:
    """Connections to the service from one side."""
    kind = "dmz: historian" if vantage == "inside" else "cell > dmz: historian"
    targets = tuple(Target(f"{kind} IPv{v}", address, "dmz", port) for v, address in HISTORIAN.items())
    action = Action(vantage, "tcp-connect", targets, {"attempts": 2, "timeout_ms": 400})
    gate = Gate(Permit(vantage, dict.fromkeys(HISTORIAN.values(), "dmz"), {"dmz": ZonePermit("dmz", "query")}, {}))
    seen: list[Observation] = []
    rig.within(room, lambda: asyncio.run(method("tcp-connect").run(action, gate, seen.extend)))
    return seen


def judged(seen: list[Observation], port: int) -> dict[int, bool | None]:
    """The outcome by IP version, were both passages forbidden."""
    common = {"origin": "cell", "destination": "dmz", "service": f"tcp/{port}", "holder": "historian"}
    common |= {"vantage": "outside", "control": "inside", "permitted": "no"}
    members = tuple(
        Member(
            f"cell > dmz: historian IPv{version}",
            "passage",
            facts=tuple((common | {"version": str(version)}).items()),
            shared=(f"dmz: historian IPv{version}",),
        )
        for version in HISTORIAN
    )
    found = user_domain_violations(Register(members), seen, SegmentationParameters())
    assert isinstance(found, Checklist)
    return dict(zip(HISTORIAN, (check.passed for check in found.checks), strict=True))


@pytest.mark.parametrize(
    ("policy", "closed"),
    [
        ("open", {4: False, 6: False}),
        ("dropped", {4: True, 6: True}),
        ("reset", {4: True, 6: True}),
        ("prohibited", {4: True, 6: True}),
        ("unreachable", {4: True, 6: True}),
        ("leak in IPv6", {4: True, 6: False}),
        ("leak in IPv4", {4: False, 6: True}),
    ],
)
def test_what_a_firewall_does_is_told_from_both_sides(rig: Rig, policy: str, closed: dict[int, bool]) -> None:
    with listening(rig) as port:
        rule = POLICIES[policy].format(port=port)
        rig.nft(rig.server, f"table inet wall {{ chain in {{ type filter hook input priority 0; {rule}\n }}\n }}\n")
        try:
            seen = tried(rig, rig.client, "outside", port) + tried(rig, rig.server, "inside", port)
        finally:
            rig.nft(rig.server, "delete table inet wall\n")
    assert judged(seen, port) == closed


def test_a_service_that_is_down_shows_nothing(rig: Rig) -> None:
    with listening(rig) as port:
        pass
    seen = tried(rig, rig.client, "outside", port) + tried(rig, rig.server, "inside", port)
    assert judged(seen, port) == {4: None, 6: None}
