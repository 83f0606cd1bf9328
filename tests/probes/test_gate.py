"""The gate keeps the permit, over any order of claims, by a clock of the test's own."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.action import Target
from probes.gate import LOOK_NS
from probes.gate import NEVER
from probes.gate import Gate
from probes.gate import Refusal
from probes.limits import BACK_OFF_LIMIT
from probes.pace import SECOND_NS
from probes.pace import SLACK_NS
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ports import Ticket

PERMIT = Permit(
    "desk",
    {"192.0.2.1": "cell", "192.0.2.2": "cell", "2001:db8::1": "cell", "192.0.2.3": "quiet", "192.0.2.4": "nowhere"},
    {
        "cell": ZonePermit("cell", "query", packets_per_s=10, packets_per_s_per_device=1),
        "quiet": ZonePermit("quiet", "passive"),
        "rig": ZonePermit("rig", "adversarial"),
    },
    {"198.19.0.0/24": "rig", "2001:db8:2::/64": "rig"},
)


def target(address: str, id: str = "plc", zone: str = "cell") -> Target:
    return Target(id, address, zone)


def ticket(gate: Gate, address: str, id: str = "plc", port: int = 0) -> Ticket:
    admitted = gate.admit(target(address, id), "query", port)
    assert not isinstance(admitted, Refusal)
    return admitted


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "2001:DB8:0::1", "198.19.0.7", "2001:db8:2::77"])
def test_declared_addresses_are_admitted_in_any_spelling(address: str) -> None:
    assert ticket(Gate(PERMIT), address).target.address == address


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("192.0.2.9", "undeclared-address"),
        ("198.19.1.0", "undeclared-address"),
        ("198.19.0.255", "undeclared-address"),  # the network's broadcast address
        ("2001:db8::2", "undeclared-address"),
        ("192.0.2.3", "level-too-high"),
        ("192.0.2.4", "zone-without-permit"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved-address"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("::ffff:192.0.2.1", "mapped-address"),
        ("192.0.2.01", "not-an-address"),
        ("plc.example", "not-an-address"),
        ("", "not-an-address"),
        ("192.0.2.1%lo", "not-an-address"),
    ],
)
def test_everything_else_is_refused(address: str, reason: str) -> None:
    assert Gate(PERMIT).admit(target(address), "query") == Refusal("refused-by-guard", reason)


@pytest.mark.parametrize("address", ["224.0.0.1", "255.255.255.255", "ff02::1", "0.0.0.0"])
def test_no_permit_opens_what_is_never_open(address: str) -> None:
    permit = Permit("desk", {address: "rig"}, PERMIT.zones, {"0.0.0.0/0": "rig", "::/0": "rig"})
    assert isinstance(Gate(permit).admit(target(address), "query"), Refusal)


def test_the_permits_zone_counts_and_not_the_actions() -> None:
    assert ticket(Gate(PERMIT), "192.0.2.1").zone.permit.zone == "cell"
    admitted = Gate(PERMIT).admit(target("192.0.2.3", zone="rig"), "query")
    assert admitted == Refusal("refused-by-guard", "level-too-high")


@pytest.mark.parametrize("level", ["load", "adversarial"])
def test_a_level_above_the_zones_is_refused(level: str) -> None:
    assert Gate(PERMIT).admit(target("192.0.2.1"), level) == Refusal("refused-by-guard", "level-too-high")
    assert not isinstance(Gate(PERMIT).admit(target("198.19.0.1"), level), Refusal)


def test_a_link_local_address_needs_an_interface_that_is_there() -> None:
    permit = Permit("desk", {"fe80::1%lo": "cell", "fe80::2": "cell", "fe80::3%nix": "cell"}, PERMIT.zones, {})
    gate = Gate(permit)
    assert ticket(gate, "fe80::1%lo").scope_id == 1
    for address in ("fe80::2", "fe80::3%nix"):
        assert gate.admit(target(address), "query") == Refusal("no-route", "no-such-interface")


# --- any schedule ----------------------------------------------------------------------------------------------------

ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.9", "192.0.2.3", "224.0.0.1")
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(ADDRESSES),
        st.integers(0, SECOND_NS // 2),
        st.sampled_from(["claim", "claim", "claim", "heard", "silent"]),
    ),
    max_size=120,
)


@given(EVENTS, st.integers(1, 30), st.one_of(st.none(), st.floats(0.5, 10)), st.integers(100, 4000))
def test_over_any_schedule_every_limit_holds(
    events: Any, zone_rate: int, device_rate: float | None, budget: int
) -> None:
    zone = ZonePermit(
        "cell",
        "query",
        packets_per_s=zone_rate,
        packets_per_s_per_device=device_rate,
        bits_per_s=zone_rate * 60 * 8,
        total_bytes=budget,
    )
    gate = Gate(Permit("desk", PERMIT.addresses, {**PERMIT.zones, "cell": zone}, {}))
    now_ns, sent = 10**12, []
    for address, pause_ns, event in events:
        now_ns += pause_ns
        admitted = gate.admit(target(address, id=address[-1]), "query")
        if isinstance(admitted, Refusal):
            assert address in ADDRESSES[3:]
            continue
        if event == "heard":
            gate.heard(admitted)
        elif event == "silent":
            gate.silent(admitted)
        elif gate.claim(admitted, 1, 60, now_ns) == 0:
            sent.append((now_ns, admitted.device.id))
            assert not gate.why_stopped(admitted)
    assert len(sent) * 60 <= budget
    for end_ns, _ in sent:
        assert sum(end_ns - SECOND_NS < at_ns <= end_ns for at_ns, _ in sent) <= zone_rate
    if device_rate is not None:
        for device in {id for _, id in sent}:
            times = [at_ns for at_ns, id in sent if id == device]
            assert all(after - before >= SECOND_NS / device_rate - 1 for before, after in pairwise(times))


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 5))
def test_a_device_stops_its_zone_only_if_it_had_answered(answers: list[bool], limit: int) -> None:
    zone = ZonePermit("cell", "query", silence_limit=limit)
    gate = Gate(Permit("desk", PERMIT.addresses, {**PERMIT.zones, "cell": zone}, {}))
    one, other = ticket(gate, "192.0.2.1"), ticket(gate, "192.0.2.2", id="robot")
    expected, run, answered = False, 0, False
    for heard in answers:
        if heard:
            gate.heard(one)
            run, answered = 0, True
        else:
            gate.silent(one)
            run += 1
        expected = expected or (answered and run >= limit)
        assert bool(gate.why_stopped(other)) is expected
    assert (gate.claim(other, 1, 60, 10**12) == NEVER) is expected
    if expected:
        assert gate.why_stopped(other) == "device-went-silent: plc"


# --- single rules ----------------------------------------------------------------------------------------------------


def test_back_off_doubles_and_an_answer_ends_it() -> None:
    gate, now_ns = Gate(PERMIT), 10**12
    one = ticket(gate, "192.0.2.1")
    pauses = []
    for _ in range(6):
        assert gate.claim(one, 1, 60, now_ns) == 0
        gate.silent(one)
        wait_ns = gate.claim(one, 1, 60, now_ns)
        pauses.append(round(wait_ns / SECOND_NS))
        now_ns += wait_ns
    assert pauses == [2, 4, 8, BACK_OFF_LIMIT, BACK_OFF_LIMIT, BACK_OFF_LIMIT]
    assert gate.claim(one, 1, 60, now_ns) == 0
    gate.heard(one)
    now_ns += BACK_OFF_LIMIT * SECOND_NS + 10
    assert gate.claim(one, 1, 60, now_ns) == 0
    assert round(gate.claim(one, 1, 60, now_ns) / SECOND_NS) == 1


def test_one_device_has_one_rhythm_whatever_its_address_or_id() -> None:
    gate = Gate(PERMIT)
    four, six = ticket(gate, "192.0.2.1"), ticket(gate, "2001:db8::1")
    alias = ticket(gate, "192.0.2.1", id="survey-point")
    assert gate.claim(four, 1, 60, 10**12) == 0
    assert gate.claim(six, 1, 60, 10**12) > 0
    assert gate.claim(alias, 1, 60, 10**12) > 0


def test_one_connection_at_a_time_per_device() -> None:
    zone = ZonePermit("cell", "query")
    gate = Gate(Permit("desk", PERMIT.addresses, {**PERMIT.zones, "cell": zone}, {}))
    four, six = ticket(gate, "192.0.2.1", port=80), ticket(gate, "2001:db8::1", port=443)
    assert gate.claim(four, 8, 480, 10**12) == 0
    assert gate.claim(six, 8, 640, 10**12) > 0
    four.device.connections -= 1
    assert gate.claim(six, 8, 640, 10**12) == 0


def test_time_windows() -> None:
    utc_ns = [5 * SECOND_NS]
    zone = ZonePermit("cell", "query", open_from_utc_ns=10 * SECOND_NS, open_until_utc_ns=20 * SECOND_NS)
    gate = Gate(Permit("desk", PERMIT.addresses, {**PERMIT.zones, "cell": zone}, {}), utc=lambda: utc_ns[0])
    one = ticket(gate, "192.0.2.1")
    assert gate.claim(one, 1, 60, 0) == 5 * SECOND_NS
    utc_ns[0] = 10 * SECOND_NS
    assert gate.claim(one, 1, 60, 0) == 0
    utc_ns[0] = 20 * SECOND_NS
    assert gate.claim(one, 1, 60, 0) == NEVER
    assert gate.why_stopped(one) == "time-window-closed"


def test_the_kill_switch_is_looked_at_often_and_holds() -> None:
    thrown = [False]
    gate = Gate(PERMIT, stop=lambda: thrown[0])
    one = ticket(gate, "198.19.0.1")
    assert gate.claim(one, 1, 60, 0) == 0
    thrown[0] = True
    assert gate.claim(one, 1, 60, LOOK_NS) == NEVER
    assert gate.why_stopped(one) == "kill-switch"
    thrown[0] = False
    assert gate.claim(one, 1, 60, SECOND_NS) == NEVER


def test_a_claim_larger_than_a_second_holds_stands_alone() -> None:
    zone = ZonePermit("cell", "query", packets_per_s=4)
    gate = Gate(Permit("desk", PERMIT.addresses, {**PERMIT.zones, "cell": zone}, {}))
    one = ticket(gate, "192.0.2.1", port=80)
    assert gate.claim(one, 8, 480, 10**12) == 0
    one.device.connections -= 1
    assert gate.claim(one, 8, 480, 10**12) == 2 * SECOND_NS - SLACK_NS


def test_nothing_leaves_a_port_unclaimed() -> None:
    gate = Gate(PERMIT)
    with pytest.raises(PermissionError, match="nothing was claimed"):
        gate.stream_port(ticket(gate, "198.19.0.1", port=80), 100)


def test_the_netlink_port_only_asks() -> None:
    port = Gate(PERMIT).netlink_port()
    try:
        for kind in (24, 25, 28, 29, 16, 20):  # RTM_NEW... and RTM_DEL...
            with pytest.raises(PermissionError):
                port.ask(kind, b"")
        with pytest.raises(PermissionError):
            port.solicit(ticket(Gate(PERMIT), "198.19.0.1"), 28, b"")
    finally:
        port.close()


def test_silence_where_a_device_never_answered_stops_nothing() -> None:
    """It answers on TCP and over IPv4; echo and IPv6 are dead, and always were."""
    gate = Gate(PERMIT)
    alive = ticket(gate, "192.0.2.1", port=502)
    deaf = gate.admit(target("192.0.2.1"), "query", method="icmp-echo")
    dead = ticket(gate, "2001:db8::1")
    assert not isinstance(deaf, Refusal)
    for _ in range(5):
        gate.heard(alive)
        for one in (deaf, dead, deaf, dead, deaf, dead):
            gate.silent(one)
    assert gate.stops() == {}
    for _ in range(3):
        gate.silent(alive)
    assert gate.stops() == {"cell": "device-went-silent: plc"}
