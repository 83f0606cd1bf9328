"""TCP connects against real servers: handshakes, refusals, silence, errors, and orderly ends, seen on the wire."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from probes.methods import method
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig
    from tests.probes.conftest import Sent

pytestmark = pytest.mark.lab

FIN, SYN, RST = 1, 2, 4
ANSWERING = {4: "198.19.0.0", 6: "2001:db8:2::"}
SILENT = {4: "198.18.64.1", 6: "2001:db8:3::1"}
PROHIBITED = {4: "198.18.128.1", 6: "2001:db8:4::1"}


def addresses(first: str, count: int) -> list[str]:
    return [str(ip_address(first) + index) for index in range(1, count + 1)]


def of_targets(seen: list[Observation]) -> list[Observation]:
    return [observation for observation in seen if observation.quantity != "instrument"]


def flags(packet: Sent) -> int:
    return packet.payload[13]


@contextmanager
def serving(rig: Rig, greeting: bytes = b"", reset: bool = False) -> Iterator[tuple[dict[int, int], Counter[str]]]:
    """A real server on every address of the far end; greets first, and may tear connections down."""
    ready, done = threading.Event(), threading.Event()
    ports = {}
    most_at_once = Counter()
    open_now = Counter()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("sockname")[0]
        open_now[peer] += 1
        most_at_once[peer] = max(most_at_once[peer], open_now[peer])
        if reset:
            linger = (1).to_bytes(4, "little") + bytes(4)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            writer.write(greeting)
            await writer.drain()
            await reader.read()
        open_now[peer] -= 1
        writer.close()

    async def serve() -> None:
        four = await asyncio.start_server(talk, "0.0.0.0", 0, backlog=1024)
        six = await asyncio.start_server(talk, "::", 0, backlog=1024)
        async with four, six:
            ports.update({4: four.sockets[0].getsockname()[1], 6: six.sockets[0].getsockname()[1]})
            ready.set()
            await asyncio.get_running_loop().run_in_executor(None, done.wait)

    thread = threading.Thread(target=rig.within, args=(rig.server, lambda: asyncio.run(serve())))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports, most_at_once
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("greeting", [b"", b"220 ready\r\n" * 100], ids=["quiet", "greets"])
def test_handshakes_are_full_and_ends_orderly(rig: Rig, ask: Ask, version: int, greeting: bytes) -> None:
    wanted = addresses(ANSWERING[version], 30)
    with serving(rig, greeting) as (ports, most_at_once):
        action = ask.action("tcp-connect", wanted, ports[version], attempts=3, timeout_ms=900)
        permit = ask.permit(wanted)
        with rig.capture() as sent:
            seen = rig.probe(action, permit)
    keys = Counter((observation.target, observation.attempt) for observation in of_targets(seen))
    assert len(keys) == 90
    assert set(keys.values()) == {1}
    for observation in of_targets(seen):
        assert observation.error is None
        assert 0 < observation.value < 900
        assert json.loads(observation.detail) == {"port": ports[version]}  # no "clock": the kernel's own sample
    ours = [packet for packet in sent if packet.protocol == 6]
    assert {packet.destination for packet in ours} == set(wanted)
    assert sum(bool(flags(packet) & SYN) for packet in ours) == 90
    assert sum(bool(flags(packet) & FIN) for packet in ours) == 90
    assert not any(flags(packet) & RST for packet in ours)
    price = method("tcp-connect").cost(action, permit)
    assert len(ours) <= price.packets
    assert sum(packet.size for packet in ours) <= price.bytes
    assert set(most_at_once.values()) == {1}


@pytest.mark.parametrize("version", [4, 6])
def test_a_closed_port_is_refused(rig: Rig, ask: Ask, version: int) -> None:
    wanted = addresses(ANSWERING[version], 5)
    seen = rig.probe(ask.action("tcp-connect", wanted, 9, attempts=2, timeout_ms=500), ask.permit(wanted))
    assert [observation.error for observation in of_targets(seen)] == ["refused"] * 10


@pytest.mark.parametrize("version", [4, 6])
def test_silence_times_out_and_sends_no_more_syns_than_priced(rig: Rig, ask: Ask, version: int) -> None:
    wanted = addresses(SILENT[version], 4)
    action = ask.action("tcp-connect", wanted, 80, attempts=1, timeout_ms=1400)
    started = time.monotonic()
    with rig.capture() as sent:
        seen = rig.probe(action, ask.permit(wanted))
    assert time.monotonic() - started < 3
    assert [observation.error for observation in of_targets(seen)] == ["timeout"] * 4
    syns = Counter(packet.destination for packet in sent if packet.protocol == 6)
    assert set(syns.values()) == {2}
    price = method("tcp-connect").cost(action, ask.permit(wanted))
    assert syns.total() <= price.packets


@pytest.mark.parametrize(("version", "kind", "code", "source"), [(4, 3, 13, "198.18.1.2"), (6, 1, 1, "2001:db8:1::2")])
def test_an_icmp_error_is_recorded_with_who_sent_it(
    rig: Rig, ask: Ask, version: int, kind: int, code: int, source: str
) -> None:
    wanted = addresses(PROHIBITED[version], 2)
    seen = rig.probe(ask.action("tcp-connect", wanted, 80, attempts=1, timeout_ms=500), ask.permit(wanted))
    for observation in of_targets(seen):
        assert observation.error == "unreachable"
        told = json.loads(observation.detail)
        assert (told["icmp_type"], told["icmp_code"], told["from"]) == (kind, code, source)


def test_a_dropped_port_times_out_while_others_answer(rig: Rig, ask: Ask) -> None:
    with serving(rig) as (ports, _):
        rule = (
            f"chain in {{\n type filter hook input priority 0;\n ip daddr 198.19.0.2 tcp dport {ports[4]} drop\n }}\n"
        )
        rig.nft(rig.server, f"table inet wall {{\n {rule} }}\n")
        wanted = addresses(ANSWERING[4], 3)
        try:
            seen = rig.probe(
                ask.action("tcp-connect", wanted, ports[4], attempts=1, timeout_ms=400), ask.permit(wanted)
            )
        finally:
            rig.nft(rig.server, "delete table inet wall\n")
    assert {one.address: one.error for one in of_targets(seen)} == {
        "198.19.0.1": None,
        "198.19.0.2": "timeout",
        "198.19.0.3": None,
    }


def test_no_route_is_this_hosts_own(rig: Rig, ask: Ask) -> None:
    wanted = ["203.0.113.7"]
    seen = rig.probe(ask.action("tcp-connect", wanted, 80, attempts=1), ask.permit(wanted))
    assert [observation.error for observation in of_targets(seen)] == ["no-route"]


def test_a_peer_that_tears_down_is_not_taken_for_silent(rig: Rig, ask: Ask) -> None:
    with serving(rig, reset=True) as (ports, _):
        wanted = addresses(ANSWERING[4], 20)
        seen = rig.probe(ask.action("tcp-connect", wanted, ports[4], attempts=1), ask.permit(wanted))
    assert {observation.error for observation in of_targets(seen)} <= {None, "reset"}


def test_ports_of_this_host_that_run_out_are_the_testers_trouble(rig: Rig, ask: Ask) -> None:
    rig.within(rig.client, lambda: _sysctl("net/ipv4/ip_local_port_range", "40000 40003"))
    wanted = ["198.19.0.1"]
    try:
        with serving(rig) as (ports, _):
            action = ask.action("tcp-connect", wanted, ports[4], attempts=8, retries=1)
            seen = rig.probe(action, ask.permit(wanted))
    finally:
        rig.within(rig.client, lambda: _sysctl("net/ipv4/ip_local_port_range", "32768 60999"))
    errors = Counter(observation.error for observation in of_targets(seen))
    assert set(errors) == {None, "tester-loss"}
    assert json.loads(of_targets(seen)[-1].detail)["errno"] == "EADDRNOTAVAIL"


def test_the_kill_switch_ends_all_sending_within_a_second(rig: Rig, ask: Ask) -> None:
    wanted = [*addresses(ANSWERING[4], 40), *addresses(SILENT[4], 10)]
    started = time.monotonic()
    stopped_s = []

    def stop() -> bool:
        if time.monotonic() - started > 0.4 and not stopped_s:
            stopped_s.append(time.time())
        return bool(stopped_s)

    with serving(rig) as (ports, _), rig.capture() as sent:
        action = ask.action("tcp-connect", wanted, ports[4], attempts=4, timeout_ms=5000)
        seen = rig.probe(action, ask.permit(wanted, packets_per_s=600), stop=stop)
        assert time.monotonic() - started < 4
    last_s = max(packet.at_s for packet in sent if packet.protocol == 6)
    assert last_s - stopped_s[0] < 1
    keys = Counter((observation.target, observation.attempt) for observation in of_targets(seen))
    assert len(keys) == 200
    assert set(keys.values()) == {1}
    assert {observation.error for observation in of_targets(seen)} == {None, "stopped"}


def test_rates_hold_on_the_wire(rig: Rig, ask: Ask) -> None:
    wanted = addresses(ANSWERING[4], 6)
    with serving(rig) as (ports, _), rig.capture() as sent:
        action = ask.action("tcp-connect", wanted, ports[4], attempts=1, timeout_ms=500)
        rig.probe(action, ask.permit(wanted, packets_per_s=20))
    times = [packet.at_s for packet in sent if packet.protocol == 6]
    assert len(times) >= 24
    assert all(sum(start <= at < start + 0.99 for at in times) <= 20 for start in times)


def _sysctl(path: str, value: str) -> None:
    Path(f"/proc/sys/{path}").write_text(value, "ascii")
