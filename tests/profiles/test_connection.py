"""Connected and dumb: what shows an object, what shows that it is not there, and what shows neither."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.indicators.connection import ConnectionParameters
from profiles.indicators.connection import connected_share
from profiles.indicators.connection import dumb_device_share
from profiles.indicators.reachability import ReachabilityParameters
from profiles.indicators.reachability import access_reachability
from profiles.indicators.strangers import StrangerParameters
from profiles.indicators.strangers import unregistered_devices
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import Observation
from profiles.reduced import Exposure
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register

HOUR_NS = 3_600_000_000_000
NOW_NS = 1_800_000_000 * 1_000_000_000
QUANTITY = {"icmp-echo": "round-trip-delay", "tcp-connect": "connect-delay", "neighbour": "presence"}
PARAMETERS = ConnectionParameters(attempts=2)


def saw(method: str, result: float | str, target: str = "t", attempt: int = 0, detail: str = "") -> Observation:
    value, error = (None, result) if isinstance(result, str) else (result, None)
    quantity = QUANTITY.get(method, "sightings")
    return Observation(method, "desk", target, "192.0.2.1", quantity, value, "1", error, 0, attempt, NOW_NS, 0, detail)


def silent(target: str = "t") -> list[Observation]:
    return [saw("icmp-echo", "timeout", target, attempt) for attempt in range(2)]


UNLISTED = saw("snmp-walk", "absent")
RECORD = ("last_seen_utc_ns", str(NOW_NS - HOUR_NS))
OLD = ("last_seen_utc_ns", str(NOW_NS - 100 * HOUR_NS))
FUTURE = ("last_seen_utc_ns", str(NOW_NS + 100 * HOUR_NS))
WATCHED = ("onlookers", "1")
MAC = ("mac", "00:00:5e:00:53:01")
BEHIND = (("gateway", "g"), ("gateway_addresses", "1"), ("gateway_services", "0"), ("gateway_onlookers", "0"))
#: A gateway that is a switch with an agent, alone in its zone; beside another one; and one without an address.
SWITCH = BEHIND
SEEN = (*BEHIND[:-1], ("gateway_onlookers", "1"))
NAMED = (
    ("gateway", "g"),
    ("gateway_macs", "00:00:5e:00:53:09"),
    ("gateway_addresses", "0"),
    ("gateway_services", "0"),
    ("gateway_onlookers", "0"),
)


def own(result: float | str) -> Observation:
    """What an onlooker's own agent said."""
    return saw("snmp-walk", result, "g", detail='{"tables":{}}')


def late(hours: float) -> Observation:
    """Silence of another object, by the clock of another vantage point."""
    seen = saw("icmp-echo", "timeout", "y")
    return replace(seen, vantage="jump", utc_ns=seen.utc_ns + round(hours * HOUR_NS))


@pytest.mark.parametrize(
    ("addresses", "facts", "seen", "expected"),
    [
        pytest.param(1, (), [saw("icmp-echo", 3.0)], "", id="echo"),
        pytest.param(1, (), [*silent(), saw("tcp-connect", 3.0)], "", id="handshake"),
        pytest.param(1, (), [*silent(), saw("neighbour", 1.0)], "", id="on the link"),
        pytest.param(1, (WATCHED,), [*silent(), saw("snmp-walk", 2.0)], "", id="in a table"),
        pytest.param(0, (WATCHED, MAC), [saw("snmp-walk", 1.0)], "", id="in a table, without an address"),
        pytest.param(1, (), [*silent(), saw("neighbour", "absent")], "not-seen", id="silent"),
        pytest.param(1, (WATCHED,), [*silent(), UNLISTED], "not-seen", id="silent and in no table"),
        pytest.param(0, (WATCHED, MAC), [UNLISTED], "not-seen", id="in no table"),
        pytest.param(0, (), [], "no-network-identity", id="nothing declared"),
        pytest.param(1, (), [saw("icmp-echo", 5000.0), saw("icmp-echo", 5000.0, attempt=1)], "not-seen", id="too late"),
        pytest.param(1, (), [saw("icmp-echo", "timeout")], "?not-measured", id="one attempt short"),
        pytest.param(1, (), [*silent()[:1], saw("icmp-echo", "tester-loss", attempt=1)], "?tester-loss", id="tester"),
        pytest.param(1, (WATCHED,), silent(), "?not-measured", id="table not read"),
        pytest.param(1, (WATCHED,), [*silent(), saw("snmp-walk", "timeout")], "?no-snmp-answer", id="switch silent"),
        pytest.param(1, (WATCHED,), [*silent(), saw("snmp-walk", "bad-answer")], "?bad-answer", id="table cut"),
        pytest.param(0, (MAC,), [], "?no-onlooker", id="nobody looks"),
        pytest.param(1, (), [saw("icmp-echo", float("nan"))], "?bad-answer", id="absurd"),
        pytest.param(0, (RECORD,), silent("x"), "", id="fresh record"),
        pytest.param(0, (OLD,), silent("x"), "record-stale", id="stale record"),
        pytest.param(0, (FUTURE,), silent("x"), "?record-in-future", id="record from the future"),
        pytest.param(0, (RECORD,), [], "?not-measured", id="nothing tells the time"),
        pytest.param(1, (RECORD,), silent(), "", id="silent, and data came"),
        pytest.param(0, BEHIND, [saw("icmp-echo", 3.0, "g")], "", id="gateway there"),
        pytest.param(0, BEHIND, silent("g"), "gateway-silent", id="gateway dead"),
        pytest.param(0, BEHIND, [saw("icmp-echo", "stopped", "g")], "?stopped", id="gateway unknown"),
        pytest.param(0, (OLD, *BEHIND), [saw("icmp-echo", 3.0, "g")], "record-stale", id="the record goes before"),
        pytest.param(0, (RECORD, *BEHIND), silent("g"), "", id="data came through a gateway that is silent"),
        pytest.param(0, SWITCH, [*silent("g"), own("timeout")], "gateway-silent", id="the gateway's own agent dead"),
        pytest.param(0, SWITCH, [*silent("g"), own(7.0)], "", id="the gateway's own agent answers"),
        pytest.param(0, SWITCH, [*silent("g"), own(0.0)], "", id="its agent answers, and nobody is in its tables"),
        pytest.param(0, SWITCH, [*silent("g"), own("absent")], "", id="its agent answers, and has no tables"),
        pytest.param(0, SEEN, [*silent("g"), own("timeout")], "?not-measured", id="another's tables not read"),
        pytest.param(0, NAMED, [], "?no-onlooker", id="gateway known by its hardware address, and nobody looks"),
        pytest.param(0, (*NAMED[:-1], ("gateway_onlookers", "1")), [saw("snmp-walk", "timeout", "g")],
                     "?no-snmp-answer", id="gateway known by its hardware address, and the table not read"),
        pytest.param(0, (*NAMED[:-1], ("gateway_onlookers", "1")), [saw("snmp-walk", "absent", "g")],
                     "gateway-silent", id="gateway known by its hardware address, and in no table"),
        pytest.param(1, (), [*silent(), saw("neighbour", "no-privilege")], "?no-privilege", id="link not looked at"),
        pytest.param(0, (RECORD,), [*silent("x"), late(10_000)], "?record-age-unclear", id="a clock years ahead"),
        pytest.param(0, (OLD,), [*silent("x"), late(10_000)], "record-stale", id="too old by every clock"),
        pytest.param(0, (RECORD,), [*silent("x"), late(-10_000)], "?record-in-future", id="a clock years behind"),
        pytest.param(0, (RECORD,), [*silent("x"), late(20)], "", id="fresh by every clock"),
    ],
)  # fmt: skip
def test_what_shows_an_object(
    addresses: int, facts: tuple[tuple[str, str], ...], seen: Sequence[Observation], expected: str
) -> None:
    """The reason that is given: none if it is connected, with a question mark before it if that is not known."""
    register = Register((Member("t", addresses=addresses, facts=facts),))
    connected, dumb = (it(register, seen, PARAMETERS) for it in (connected_share, dumb_device_share))
    assert isinstance(connected, Ratio)
    assert isinstance(dumb, Ratio)
    known = not expected.startswith("?")
    assert (connected.numerator, connected.denominator, connected.unknown) == (
        int(not expected),
        int(known),
        int(not known),
    )
    assert (dumb.numerator, dumb.denominator, dumb.unknown) == (int(bool(expected)) * known, int(known), int(not known))
    assert [it.reason for it in connected.failing] == ([expected.removeprefix("?")] if expected else [])


@given(st.lists(st.sampled_from(sorted(INSTRUMENT_ERRORS)), min_size=1, max_size=4))
def test_no_instrument_error_disconnects_anybody(errors: list[str]) -> None:
    seen = [saw(method, error, attempt=n) for n, error in enumerate(errors) for method in ("icmp-echo", "snmp-walk")]
    found = connected_share(Register((Member("t", facts=(WATCHED,)),)), seen, PARAMETERS)
    assert isinstance(found, Ratio)
    assert (found.denominator, found.unknown) == (0, 1)


def test_what_cannot_be_connected_is_dumb_and_not_unconnected() -> None:
    legacy = Member("old", addresses=0, facts=(("connectable", "no"),))
    behind = Member("b", addresses=0, facts=BEHIND)
    register = Register((Member("t"), legacy, behind))
    seen = [saw("icmp-echo", 3.0), *silent("g")]
    connected, dumb = (it(register, seen, PARAMETERS) for it in (connected_share, dumb_device_share))
    assert isinstance(connected, Ratio)
    assert isinstance(dumb, Ratio)
    assert (connected.numerator, connected.denominator) == (1, 2)
    assert (dumb.numerator, dumb.denominator) == (2, 3)
    parameters = ReachabilityParameters(windows=1, basis="terminal")
    strict, networked = (
        access_reachability(register, seen, parameters.model_copy(update={"counted": it}))
        for it in ("registered", "networked")
    )
    assert isinstance(strict, Ratio)
    assert isinstance(networked, Ratio)
    assert (strict.numerator, strict.denominator, strict.notes) == (1, 3, ())
    assert (networked.numerator, networked.denominator, networked.notes) == (1, 1, ("unnetworked-left-out",))
    assert parameters.counted == "registered"  # nobody leaves the register by a word in a plant file alone
    assert connected_share(Register((legacy,)), seen, PARAMETERS) == Invalid("empty-register")


def test_a_sample_says_of_how_many() -> None:
    register = Register((Member("t"), Member("u", drawn=False)))
    found = dumb_device_share(register, [saw("icmp-echo", 3.0)], PARAMETERS)
    assert isinstance(found, Ratio)
    assert (found.denominator, found.population) == (1, 2)


# --- strangers ----------------------------------------------------------------------------------------------------

LOOKS_ON = (("looks_on", "yes"),)
REGISTER = Register((Member("sw", "element", facts=LOOKS_ON), Member("fw", "element", facts=LOOKS_ON), Member("t")))
LAPTOP = "00:00:5e:00:53:99"
TWO_CARDS = json.dumps({"mac": "00:00:5e:00:53:98", "macs": [LAPTOP]})
IS_LAPTOP = json.dumps({"mac": LAPTOP})


def listing(target: str, *strangers: str, **more: object) -> Observation:
    return saw(
        "snmp-walk",
        5.0,
        target,
        detail=json.dumps({"tables": {}, "strangers": [f"{it}: bridge-fdb 7" for it in strangers]} | more),
    )


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([listing("sw"), listing("fw")], (0, 2, 0, [])),
        ([listing("sw", LAPTOP), listing("fw")], (1, 3, 0, ["unregistered-device"])),
        ([listing("sw", LAPTOP), listing("fw", LAPTOP)], (1, 3, 0, ["unregistered-device"])),
        ([listing("sw", LAPTOP), listing("fw"), saw("snmp-walk", 1.0, detail=IS_LAPTOP)], (0, 2, 0, [])),
        ([listing("sw", LAPTOP), listing("fw"), saw("neighbour", 1.0, detail=IS_LAPTOP)], (0, 2, 0, [])),
        ([listing("sw", LAPTOP), listing("fw"), saw("snmp-walk", 2.0, detail=TWO_CARDS)], (0, 2, 0, [])),
        ([listing("sw", LAPTOP), listing("fw"), saw("snmp-walk", 2.0, detail='{"mac": 1, "macs": 2}')],
         (1, 3, 0, ["unregistered-device"])),
        ([listing("sw"), listing("fw"), saw("snmp-walk", "absent", "sw")], (0, 2, 0, [])),  # looked for in fw's tables
        ([listing("sw")], (0, 1, 1, ["not-measured"])),
        ([listing("sw"), saw("snmp-walk", "timeout", "fw", detail='{"tables":{}}')], (0, 1, 1, ["no-snmp-answer"])),
        ([listing("sw"), saw("snmp-walk", "absent", "fw", detail='{"tables":{}}')], (0, 1, 1, ["no-table"])),
        ([listing("sw"), listing("fw", LAPTOP, cut=["bridge-fdb"])], (1, 2, 1, ["unregistered-device", "table-cut"])),
        ([listing("sw"), saw("snmp-walk", 5.0, "fw", detail='{"tables": {}, "strangers": 7}')], (0, 2, 0, [])),
    ],
)  # fmt: skip
def test_strangers_are_counted_once(seen: list[Observation], expected: tuple[int, int, int, list[str]]) -> None:
    found = unregistered_devices(REGISTER, seen, StrangerParameters())
    assert isinstance(found, Exposure)
    assert (found.violations, found.trials, found.unknown, [it.reason for it in found.failing]) == expected


def test_without_a_switch_that_can_be_asked_nothing_is_known_of_strangers() -> None:
    assert unregistered_devices(Register((Member("t"),)), [], StrangerParameters()) == Invalid("no-onlooker")
