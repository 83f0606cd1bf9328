"""What actions cost, and how long they may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from probes.action import Cost
from probes.methods import MODULES
from probes.methods import method
from probes.tcp import ConnectParameters
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS

if TYPE_CHECKING:
    from tests.probes.conftest import Ask

ADDRESSES = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]


def test_echo_is_priced_to_the_byte(ask: Ask) -> None:
    action = ask.action("icmp-echo", [*ADDRESSES, "192.0.2.99"], attempts=5, payload_bytes=32, timeout_ms=1000)
    cost = method("icmp-echo").cost(action, ask.permit(ADDRESSES))
    assert (cost.packets, cost.bytes, cost.level) == (15, 5 * (60 + 60 + 80), "query")
    assert cost.duration_s == pytest.approx(1.05)


def test_rates_stretch_the_time(ask: Ask) -> None:
    action = ask.action("icmp-echo", ADDRESSES, attempts=4, timeout_ms=1000, linger_ms=0)
    cost = method("icmp-echo").cost(action, ask.permit(ADDRESSES, packets_per_s=10))
    assert cost.duration_s == pytest.approx(12 / 10 + 1)
    cost = method("icmp-echo").cost(action, ask.permit(ADDRESSES, packets_per_s=10, packets_per_s_per_device=1))
    assert cost.duration_s == pytest.approx(12 / 10 + (2 + 4 + 8) + 1)
    cost = method("icmp-echo").cost(action, ask.permit(ADDRESSES, bits_per_s=800))
    assert cost.duration_s == pytest.approx(4 * 200 * 8 / 800 + 1)


#: What is asked of each of their targets is needed to price them; their own tests do.
ASKED_BY_TARGET = {"cyclic-flow", "http-throughput", "modem-status", "snmp-read", "snmp-walk"}


@pytest.mark.parametrize("name", sorted(MODULES.keys() - ASKED_BY_TARGET))
def test_what_is_not_permitted_costs_nothing(ask: Ask, name: str) -> None:
    action = ask.action(name, ADDRESSES, 80, attempts=3)
    assert method(name).cost(action, ask.permit([])) == Cost(0, 0, 0.0, method(name).level)
    assert method(name).cost(action, ask.permit(ADDRESSES, level="passive")) == Cost(0, 0, 0.0, method(name).level)
    assert method(name).level in ({"passive"} if method(name).here else {"query", "load"})


@pytest.mark.parametrize(("timeout_ms", "syns"), [(500, 1), (740, 1), (1000, 2), (1800, 3), (60_000, 6)])
def test_syns_are_counted_to_the_timeout(timeout_ms: float, syns: int) -> None:
    assert ConnectParameters(timeout_ms=timeout_ms).syns == syns


def test_connections_to_one_device_take_turns(ask: Ask) -> None:
    action = ask.action("tcp-connect", ["192.0.2.1"], 80, attempts=4, timeout_ms=500, close_ms=500)
    cost = method("tcp-connect").cost(action, ask.permit(["192.0.2.1"]))
    assert cost.packets == 4 * (1 + 7)
    assert cost.duration_s == pytest.approx(4.0)


def test_codes_are_either_the_targets_or_the_instruments() -> None:
    assert not TARGET_ERRORS & INSTRUMENT_ERRORS


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(LookupError, match="icmp-echo"):
        method("carrier-pigeon")
