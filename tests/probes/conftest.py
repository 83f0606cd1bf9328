"""Two network namespaces back to back, with no way out: a client that probes and a server that is everything else."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import TypeVar

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

T = TypeVar("T")
_serial = itertools.count()
_libc = ctypes.CDLL(None, use_errno=True)

CLIENT4, SERVER4 = "198.18.1.1", "198.18.1.2"
CLIENT6, SERVER6 = "2001:db8:1::1", "2001:db8:1::2"
ABSENT4, ABSENT6 = "198.18.1.9", "2001:db8:1::9"  #: on link, nobody there

_BATCH = f"""
link set lo up
addr add {CLIENT4}/28 dev eth0
addr add {CLIENT6}/64 dev eth0 nodad
link set eth0 up
route add 198.18.0.0/15 via {SERVER4}
route add 2001:db8::/32 via {SERVER6}
"""
_SERVER_BATCH = f"""
link set lo up
addr add {SERVER4}/28 dev eth0
addr add {SERVER6}/64 dev eth0 nodad
link set eth0 up
route add local 198.19.0.0/16 dev lo
route add local 2001:db8:2::/96 dev lo
route add blackhole 198.18.64.0/18
route add blackhole 2001:db8:3::/64
route add prohibit 198.18.128.0/24
route add prohibit 2001:db8:4::/64
route add unreachable 198.18.129.0/24
"""


@dataclass(frozen=True)
class Sent:
    """One IP packet or ARP frame that left the client."""

    protocol: int  #: IP protocol number; -1 for ARP
    source: str
    destination: str
    size: int  #: IP bytes
    at_s: float
    payload: bytes  #: after the IP header


class Rig:
    """The pair of namespaces."""

    def __init__(self) -> None:
        prefix = f"ppk{os.getpid()}x{next(_serial)}"
        self.client, self.server = f"{prefix}c", f"{prefix}s"

    def up(self) -> None:
        for name in (self.client, self.server):
            self._ip("netns", "add", name)
            self.within(name, _no_duplicate_detection)
        self._ip(
            "link", "add", "eth0", "netns", self.client, "type", "veth", "peer", "name", "eth0", "netns", self.server
        )
        for name, batch in ((self.client, _BATCH), (self.server, _SERVER_BATCH)):
            subprocess.run(["ip", "-n", name, "-batch", "-"], input=batch, text=True, check=True)
        self.within(self.server, _forward)
        for address in (SERVER4, SERVER6):  # IPv6 needs a moment until its multicast groups are joined
            ping = ["ip", "netns", "exec", self.client, "ping", "-q", "-c", "1", "-W", "1", address]
            assert any(subprocess.run(ping, check=False, capture_output=True).returncode == 0 for _ in range(20))

    def down(self) -> None:
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)

    def _ip(self, *arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def nft(self, name: str, rules: str) -> None:
        subprocess.run(["ip", "netns", "exec", name, "nft", "-f", "-"], input=rules, text=True, check=True)

    def within(self, name: str, call: Callable[[], T]) -> T:
        """Call in a thread of its own in a namespace; sockets made there stay there."""
        result: list[Any] = []

        def body() -> None:
            try:
                with Path(f"/run/netns/{name}").open("rb") as file:
                    assert _libc.setns(file.fileno(), 0x40000000) == 0, ctypes.get_errno()
                result.extend((call(), None))
            except BaseException as error:  # noqa: BLE001 - raised again below
                result.extend((None, error))

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if result[1] is not None:
            raise result[1]
        return result[0]

    def probe(
        self, action: Action, permit: Permit, stop: Callable[[], bool] = lambda: False, gate: Gate | None = None
    ) -> list[Observation]:
        """Perform an action at the client."""
        seen: list[Observation] = []
        guard = gate or Gate(permit, stop=stop)
        self.within(self.client, lambda: asyncio.run(method(action.method).run(action, guard, seen.extend)))
        return seen

    @contextmanager
    def capture(self) -> Iterator[list[Sent]]:
        """Everything that leaves the client's interface meanwhile, as its kernel sends it."""
        sniffer = self.within(self.client, _sniffer)
        sent: list[Sent] = []
        try:
            yield sent
            sent.extend(_drain(sniffer))
        finally:
            sniffer.close()


def _no_duplicate_detection() -> None:
    """Otherwise the kernel has no link-local address to ask from in an interface's first seconds."""
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0", "ascii")


def _forward() -> None:
    for path, value in (
        ("ipv4/ip_forward", "1"),
        ("ipv6/conf/all/forwarding", "1"),
        ("ipv4/icmp_ratelimit", "0"),
        ("ipv6/icmp/ratelimit", "0"),
    ):
        Path(f"/proc/sys/net/{path}").write_text(value, "ascii")  # /proc/sys/net is that of the thread's namespace


def _sniffer() -> socket.socket:
    sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(3))
    sniffer.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    sniffer.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
    sniffer.bind(("eth0", 3))
    return sniffer


def _drain(sniffer: socket.socket) -> Iterator[Sent]:
    dropped = struct.unpack("=II", sniffer.getsockopt(263, 6, 8))[1]  # SOL_PACKET, PACKET_STATISTICS
    assert dropped == 0, "the capture is not complete"
    while True:
        try:
            data, ancillary, _, (_, ethertype, kind, *_) = sniffer.recvmsg(4096, 256)
        except BlockingIOError:
            return
        if kind != socket.PACKET_OUTGOING:
            continue
        seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
        at_s = seconds + nanoseconds / 1e9
        if ethertype == 0x0806:
            yield Sent(-1, socket.inet_ntoa(data[14:18]), socket.inet_ntoa(data[24:28]), 28, at_s, b"")
        elif ethertype == 0x0800:
            size, start = int.from_bytes(data[2:4]), (data[0] & 15) * 4
            source, destination = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
            yield Sent(data[9], source, destination, size, at_s, data[start:size])
        elif ethertype == 0x86DD:
            source, destination = (socket.inet_ntop(socket.AF_INET6, data[at : at + 16]) for at in (8, 24))
            yield Sent(data[6], source, destination, 40 + int.from_bytes(data[4:6]), at_s, data[40:])


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """A pair of namespaces for the tests of one module."""
    if os.geteuid() != 0:
        pytest.skip("needs root for network namespaces")
    rig = Rig()
    try:
        rig.up()
        yield rig
    finally:
        rig.down()


class Ask:
    """Makes actions, and the permits that just allow them."""

    zone = ZonePermit("cell", "query")

    def action(self, name: str, addresses: list[str], port: int | None = None, **parameters: Any) -> Action:
        targets = tuple(Target(f"e{index}", address, "cell", port) for index, address in enumerate(addresses))
        return Action("desk", name, targets, parameters)

    def permit(self, addresses: list[str], networks: dict[str, str] | None = None, **limits: Any) -> Permit:
        zone = replace(self.zone, **limits)
        return Permit("desk", dict.fromkeys(addresses, "cell"), {"cell": zone}, networks or {})


@pytest.fixture
def ask() -> Ask:
    """Makes actions and permits."""
    return Ask()
