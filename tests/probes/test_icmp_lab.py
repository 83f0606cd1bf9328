"""Echo on real networks: what is measured, what leaves, when it stops, and whether the tester notices its faults."""

from __future__ import annotations

import asyncio
import ctypes
import json
import platform
import time
from collections import Counter
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pytest

from probes.gate import Gate
from probes.methods import method
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

ABSENT = {4: "198.18.1.9", 6: "2001:db8:1::9"}
ANSWERING = {4: "198.19.0.0", 6: "2001:db8:2::"}
SILENT = {4: "198.18.64.1", 6: "2001:db8:3::1"}
PROHIBITED = {4: "198.18.128.1", 6: "2001:db8:4::1"}


def addresses(first: str, count: int) -> list[str]:
    return [str(ip_address(first) + index) for index in range(1, count + 1)]


def of_targets(seen: list[Observation]) -> list[Observation]:
    return [observation for observation in seen if observation.quantity != "instrument"]


def instrument(seen: list[Observation]) -> dict[str, object]:
    (only,) = [observation for observation in seen if observation.quantity == "instrument"]
    return json.loads(only.detail) | {"dropped": only.value}


def every_attempt_once(seen: list[Observation], targets: int, attempts: int) -> bool:
    keys = Counter((observation.target, observation.attempt) for observation in of_targets(seen))
    return len(keys) == targets * attempts and set(keys.values()) == {1}


@pytest.mark.parametrize("version", [4, 6])
def test_answers_are_timed_by_the_kernel(rig: Rig, ask: Ask, version: int) -> None:
    wanted = addresses(ANSWERING[version], 500)
    before_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
    seen = rig.probe(ask.action("icmp-echo", wanted, attempts=3, timeout_ms=1000), ask.permit(wanted))
    after_ns = time.time_ns()
    assert every_attempt_once(seen, 500, 3)
    for observation in of_targets(seen):
        assert observation.error is None
        assert 0 < observation.value < 1000
        assert json.loads(observation.detail) == {"ttl": 64}  # no "clock": both ends by the kernel
        assert before_ns <= observation.utc_ns <= after_ns
        assert observation.monotonic_ns >= monotonic_ns
    assert instrument(seen)["sent"] == instrument(seen)["received"] == 1500


@pytest.mark.parametrize("version", [4, 6])
def test_nothing_but_the_permitted_leaves_and_the_price_is_right(rig: Rig, ask: Ask, version: int) -> None:
    wanted = [*addresses(ANSWERING[version], 40), *addresses(SILENT[version], 5)]
    undeclared = addresses(ANSWERING[version], 60)[50:]
    action = ask.action("icmp-echo", wanted + undeclared, attempts=2, timeout_ms=200, payload_bytes=17)
    permit = ask.permit(wanted)
    with rig.capture() as sent:
        seen = rig.probe(action, permit)
    protocol = 1 if version == 4 else 58
    requests = [packet for packet in sent if packet.protocol == protocol and packet.payload[0] in (8, 128)]
    price = method("icmp-echo").cost(action, permit)
    assert {packet.destination for packet in requests} == set(wanted)
    assert Counter(packet.destination for packet in requests) == dict.fromkeys(wanted, 2)
    assert (len(requests), sum(packet.size for packet in requests)) == (price.packets, price.bytes)
    resolving = [packet for packet in sent if packet not in requests]
    assert all(packet.protocol in (-1, 0) or packet.payload[0] in (133, 135, 136, 143) for packet in resolving)
    refused = [observation for observation in of_targets(seen) if observation.error == "refused-by-guard"]
    assert {observation.address for observation in refused} == set(undeclared)
    assert every_attempt_once(seen, 55, 2)


@pytest.mark.parametrize("version", [4, 6])
def test_silent_targets_cost_one_timeout_whatever_their_number(rig: Rig, ask: Ask, version: int) -> None:
    wanted = [*addresses(ANSWERING[version], 800), *addresses(SILENT[version], 200)]
    started = time.monotonic()
    seen = rig.probe(ask.action("icmp-echo", wanted, attempts=3, timeout_ms=400), ask.permit(wanted))
    took_s = time.monotonic() - started
    assert every_attempt_once(seen, 1000, 3)
    assert Counter(observation.error for observation in of_targets(seen)) == {None: 2400, "timeout": 600}
    assert took_s < 3 * 0.5  # one timeout and the linger, and room for a slow machine


@pytest.mark.parametrize(("version", "kind", "code", "source"), [(4, 3, 13, "198.18.1.2"), (6, 1, 1, "2001:db8:1::2")])
def test_an_icmp_error_is_recorded_with_who_sent_it(
    rig: Rig, ask: Ask, version: int, kind: int, code: int, source: str
) -> None:
    wanted = addresses(PROHIBITED[version], 3)
    seen = rig.probe(ask.action("icmp-echo", wanted, attempts=1, timeout_ms=300), ask.permit(wanted))
    for observation in of_targets(seen):
        assert observation.error == "unreachable"
        assert json.loads(observation.detail) == {"icmp_type": kind, "icmp_code": code, "from": source}


@pytest.mark.parametrize("version", [4, 6])
def test_an_absent_neighbour_is_the_targets_fault_not_the_testers(rig: Rig, ask: Ask, version: int) -> None:
    wanted = [ABSENT[version], *addresses(ANSWERING[version], 5)]
    seen = rig.probe(ask.action("icmp-echo", wanted, attempts=2, timeout_ms=400), ask.permit(wanted))
    absent = [observation for observation in of_targets(seen) if observation.address == ABSENT[version]]
    assert [observation.error for observation in absent] == ["absent", "absent"]
    assert json.loads(absent[0].detail) == {"next_hop": ABSENT[version]}
    assert sum(observation.answered for observation in of_targets(seen)) == 10


def test_no_route_and_broadcast_are_told_at_once(rig: Rig, ask: Ask) -> None:
    wanted = ["203.0.113.7", "198.18.1.15", "198.19.0.1"]
    seen = rig.probe(ask.action("icmp-echo", wanted, attempts=1, timeout_ms=300), ask.permit(wanted))
    assert {observation.address: observation.error for observation in of_targets(seen)} == {
        "203.0.113.7": "no-route",
        "198.18.1.15": "refused-by-guard",
        "198.19.0.1": None,
    }
    assert json.loads(of_targets(seen)[-1].detail) == {"ttl": 64}  # stamps still match after failed sends


def test_a_tiny_receive_buffer_is_noticed_and_no_loss_is_laid_at_the_targets_door(
    rig: Rig, ask: Ask, monkeypatch: Any
) -> None:
    monkeypatch.setattr("probes.echo_port.BYTES_IN_FLIGHT", 8)  # an engine that believes its buffer to be huge
    wanted = addresses(ANSWERING[4], 2000)
    parameters = {"attempts": 1, "timeout_ms": 300, "receive_bytes": 8192, "resends": 1}
    seen = rig.probe(ask.action("icmp-echo", wanted, **parameters), ask.permit(wanted))
    errors = Counter(observation.error for observation in of_targets(seen))
    told = instrument(seen)
    assert every_attempt_once(seen, 2000, 1)
    assert told["dropped"] > 0
    assert told["resent"] > 0
    assert set(errors) <= {None, "tester-loss"}
    assert any('"resent":1' in observation.detail for observation in of_targets(seen))


def test_a_small_receive_buffer_slows_the_engine_and_loses_nothing(rig: Rig, ask: Ask) -> None:
    wanted = addresses(ANSWERING[4], 2000)
    action = ask.action("icmp-echo", wanted, attempts=1, timeout_ms=500, receive_bytes=16384)
    seen = rig.probe(action, ask.permit(wanted))
    assert all(observation.answered for observation in of_targets(seen))
    assert instrument(seen)["dropped"] == 0
    assert instrument(seen)["resent"] == 0


def test_the_kill_switch_ends_all_sending_within_a_second(rig: Rig, ask: Ask) -> None:
    wanted = addresses(ANSWERING[4], 300)
    stopped_s: list[float] = []
    started = time.monotonic()

    def stop() -> bool:
        if time.monotonic() - started > 0.5 and not stopped_s:
            stopped_s.append(time.time())
        return bool(stopped_s)

    with rig.capture() as sent:
        action = ask.action("icmp-echo", wanted, attempts=3, timeout_ms=500)
        seen = rig.probe(action, ask.permit(wanted, packets_per_s=100), stop=stop)
    last_s = max(packet.at_s for packet in sent if packet.protocol == 1)
    assert last_s - stopped_s[0] < 1
    assert every_attempt_once(seen, 300, 3)
    errors = Counter(observation.error for observation in of_targets(seen))
    assert set(errors) == {None, "stopped"}
    assert errors[None] == sum(packet.protocol == 1 for packet in sent)


def test_rates_hold_on_the_wire(rig: Rig, ask: Ask) -> None:
    wanted = addresses(ANSWERING[4], 8)
    permit = ask.permit(wanted, packets_per_s=20, packets_per_s_per_device=2)
    action = ask.action("icmp-echo", wanted, attempts=3, timeout_ms=300)
    with rig.capture() as sent:
        rig.probe(action, permit)
    echoes = [packet for packet in sent if packet.protocol == 1]
    times = [packet.at_s for packet in echoes]
    assert len(echoes) == 24
    assert all(sum(start <= at < start + 0.999 for at in times) <= 20 for start in times)
    for address in wanted:
        own = [packet.at_s for packet in echoes if packet.destination == address]
        assert all(after - before >= 0.499 for before, after in pairwise(own))
    assert times[-1] - times[0] <= method("icmp-echo").cost(action, permit).duration_s


def test_a_device_that_goes_silent_stops_its_zone(rig: Rig, ask: Ask) -> None:
    rig.nft(rig.server, "table inet gone {\n chain in {\n type filter hook input priority 0;\n }\n }\n")
    wanted = addresses(ANSWERING[4], 4)
    permit = ask.permit(wanted, silence_limit=2, packets_per_s_per_device=20)
    rule = "add rule inet gone in ip daddr 198.19.0.1 limit rate over 1/hour burst 1 packets drop\n"
    rig.nft(rig.server, rule)
    try:
        seen = rig.probe(ask.action("icmp-echo", wanted, attempts=40, timeout_ms=60, linger_ms=0), permit)
    finally:
        rig.nft(rig.server, "delete table inet gone\n")
    gone = [observation for observation in of_targets(seen) if observation.address == "198.19.0.1"]
    errors = [observation.error for observation in sorted(gone, key=lambda one: one.attempt)]
    assert errors[:3] == [None, "timeout", "timeout"]
    assert set(errors[3:]) == {"stopped"}
    stopped = [observation for observation in of_targets(seen) if observation.error == "stopped"]
    assert {json.loads(observation.detail)["reason"] for observation in stopped} == {"device-went-silent: e0"}
    assert {observation.target for observation in stopped} == {"e0", "e1", "e2", "e3"}
    assert every_attempt_once(seen, 4, 40)


@pytest.mark.parametrize("version", [4, 6])
def test_without_privilege_ping_sockets_do_the_same(rig: Rig, ask: Ask, version: int) -> None:
    rig.within(rig.client, lambda: Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647", "ascii"))
    wanted = [*addresses(ANSWERING[version], 100), *addresses(SILENT[version], 3), PROHIBITED[version]]
    seen: list[Observation] = []
    action = ask.action("icmp-echo", wanted, attempts=2, timeout_ms=300)

    def unprivileged() -> None:
        give_up_privilege()
        asyncio.run(method("icmp-echo").run(action, Gate(ask.permit(wanted)), seen.extend))

    rig.within(rig.client, unprivileged)
    assert every_attempt_once(seen, 104, 2)
    assert instrument(seen)["socket"] == "ping"
    assert Counter(one.error for one in of_targets(seen)) == {None: 200, "timeout": 6, "unreachable": 2}
    assert {one.detail for one in of_targets(seen) if one.answered} == {'{"ttl":64}'}
    kind, code, source = (3, 13, "198.18.1.2") if version == 4 else (1, 1, "2001:db8:1::2")
    told = [json.loads(one.detail) for one in of_targets(seen) if one.error == "unreachable"]
    assert all((one["icmp_type"], one["icmp_code"], one["from"]) == (kind, code, source) for one in told)


@pytest.mark.parametrize("version", [4, 6])
def test_without_any_socket_the_cure_is_told(rig: Rig, ask: Ask, version: int) -> None:
    rig.within(rig.client, lambda: Path("/proc/sys/net/ipv4/ping_group_range").write_text("1 0", "ascii"))
    wanted = addresses(ANSWERING[version], 3)
    seen: list[Observation] = []
    action = ask.action("icmp-echo", wanted, attempts=2)

    def unprivileged() -> None:
        give_up_privilege()
        asyncio.run(method("icmp-echo").run(action, Gate(ask.permit(wanted)), seen.extend))

    rig.within(rig.client, unprivileged)
    assert every_attempt_once(seen, 3, 2)
    assert {one.error for one in of_targets(seen)} == {"no-privilege"}
    assert "cap_net_raw" in json.loads(of_targets(seen)[0].detail)["cure"]


def give_up_privilege() -> None:
    """Become nobody, in this thread alone (the library call would change all threads)."""
    setresuid = {"x86_64": 117, "aarch64": 147}[platform.machine()]
    assert ctypes.CDLL(None).syscall(setresuid, 65534, 65534, 65534) == 0
