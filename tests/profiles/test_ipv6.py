"""IPv6 network support: each check as a table, what is unknown included."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.evaluate import evaluate
from profiles.indicators.ipv6 import Ipv6SupportParameters
from profiles.indicators.ipv6 import ipv6_network_support
from profiles.language import Texts
from profiles.loader import load_profile
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Matrix
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.verdict import Verdict

FOUR, SIX, OTHER_SIX, LINK_LOCAL = "192.0.2.1", "2001:db8::1", "2001:db8::2", "fe80::1%eth0"
QUANTITY = {
    "icmp-echo": ("round-trip-delay", "ms"),
    "tcp-connect": ("connect-delay", "ms"),
    "dns-query": ("resolution-delay", "ms"),
    "router-solicitation": ("router-lifetime", "s"),
}


def device(*addresses: str, name: str = "", ports: str = "") -> Member:
    facts = {"kind": "device", "addresses": " ".join(addresses), "host_name": name, "tcp_ports": ports}
    return Member("sw", "element", len(addresses), facts=tuple(facts.items()))


def segment(*networks: str) -> Member:
    facts = (("kind", "segment"), ("networks", " ".join(networks)))
    return Member("segment:cell", "element", len(networks), facts=facts)


def seen(method: str, address: str, *outcomes: float | str, target: str = "sw", **detail: Any) -> list[Observation]:
    """One observation for each outcome: a value, or an error code."""
    quantity, unit = QUANTITY[method]
    return [
        Observation(
            method, "v", target, address, quantity, None if isinstance(it, str) else it, unit,
            it if isinstance(it, str) else None, 0, attempt, 0, 0, json.dumps(detail) if detail else "",
        )
        for attempt, it in enumerate(outcomes)
    ]  # fmt: skip


def echo(*outcomes: float | str, address: str = SIX) -> list[Observation]:
    return seen("icmp-echo", address, *outcomes)


def connect(address: str, port: int, *outcomes: float | str) -> list[Observation]:
    return seen("tcp-connect", address, *outcomes, port=port)


def name(*answers: str, rcode: str = "NOERROR") -> list[Observation]:
    return seen("dns-query", "192.0.2.53", 1.0, rcode=rcode, answers=list(answers))


def advertised(*outcomes: float | str, network: str = "2001:db8:a::/64") -> list[Observation]:
    return seen("router-solicitation", network, *outcomes, target="segment:cell")


def checks(member: Member, observations: list[Observation]) -> dict[str, Check]:
    found = ipv6_network_support(Register((member,)), observations, Ipv6SupportParameters())
    assert isinstance(found, Checklist)
    assert all(check.subject == member.id for check in found.checks)
    return {check.item: check for check in found.checks}


@pytest.mark.parametrize(
    ("addresses", "passed"),
    [((FOUR, SIX), True), ((SIX,), True), ((FOUR,), False), ((), False), ((FOUR, LINK_LOCAL), False)],
)
def test_an_address_beyond_the_link_is_declared(addresses: tuple[str, ...], passed: bool) -> None:
    assert checks(device(*addresses), [])["address"].passed is passed


@pytest.mark.parametrize(
    ("addresses", "observations", "passed", "note"),
    [
        ((FOUR, SIX), echo(1.0, 1.0), True, ""),
        ((FOUR, SIX), echo("timeout", 1.0), True, ""),
        ((SIX, OTHER_SIX), echo("timeout", "timeout") + echo(1.0, address=OTHER_SIX), True, ""),
        ((FOUR, SIX), echo("timeout", "timeout"), False, "timeout"),
        ((FOUR, SIX), echo(1000.1, 5000.0), False, "late"),
        ((FOUR, SIX), echo("late", "absent"), False, "late"),
        ((FOUR,), [], False, "–"),  # no IPv6 address
        ((FOUR,), echo(1.0, address=FOUR), False, "–"),
        ((FOUR, SIX), echo("timeout"), None, "timeout"),
        ((FOUR, SIX), echo("no-route", "no-route"), None, "no-route"),
        ((FOUR, SIX), echo("timeout", "tester-loss"), None, "tester-loss"),
        ((SIX, OTHER_SIX), echo("timeout", "timeout"), None, "timeout, not-measured"),
        ((FOUR, SIX), echo(float("nan"), -1.0), None, "bad-answer"),
        ((FOUR, SIX), echo(float("inf"), float("inf")), None, "bad-answer"),
        ((FOUR, SIX), [], None, "not-measured"),
    ],
)
def test_echo(addresses: tuple[str, ...], observations: list[Observation], passed: bool | None, note: str) -> None:
    assert checks(device(*addresses), observations)["echo"] == Check("sw", "echo", passed, note)


@pytest.mark.parametrize(
    ("addresses", "observations", "passed", "note"),
    [
        ((FOUR, SIX), name("2001:DB8::1"), True, ""),
        ((SIX, OTHER_SIX, LINK_LOCAL), name(OTHER_SIX, SIX), True, ""),
        ((SIX, OTHER_SIX), name(SIX), False, "sw.example: 2001:db8::1"),
        ((SIX,), name(SIX, OTHER_SIX), False, "sw.example: 2001:db8::1, 2001:db8::2"),
        ((SIX,), name(), False, "sw.example: NOERROR"),
        ((SIX,), name(rcode="NXDOMAIN"), False, "sw.example: NXDOMAIN"),
        ((FOUR,), name(), False, "sw.example: –"),  # there is nothing to be resolved to
        ((SIX,), seen("dns-query", "192.0.2.53", "timeout", "timeout"), False, "sw.example: timeout"),
        ((SIX,), seen("dns-query", "192.0.2.53", "timeout"), None, "sw.example: timeout"),
        ((SIX,), seen("dns-query", "192.0.2.53", 1.0), None, "sw.example: bad-answer"),
        ((SIX,), [], None, "sw.example: not-measured"),
    ],
)
def test_aaaa(addresses: tuple[str, ...], observations: list[Observation], passed: bool | None, note: str) -> None:
    found = checks(device(*addresses, name="sw.example"), observations)
    assert found["aaaa"] == Check("sw", "aaaa", passed, note)


def test_checks_that_do_not_apply_are_not_there() -> None:
    assert set(checks(device(FOUR, SIX), [])) == {"address", "echo"}
    assert set(checks(device(SIX, ports="80"), [])) == {"address", "echo"}  # nothing to be on a par with
    assert set(checks(device(FOUR, ports="80"), [])) == {"address", "echo", "parity"}


@pytest.mark.parametrize(
    ("observations", "passed", "note"),
    [
        (connect(FOUR, 80, 1.0) + connect(SIX, 80, 1.0) + connect(FOUR, 22, 1.0) + connect(SIX, 22, 1.0), True, ""),
        (
            connect(FOUR, 80, 1.0)
            + connect(SIX, 80, 1.0)
            + connect(FOUR, 22, 1.0)
            + connect(SIX, 22, "refused", "refused"),
            False,
            "tcp/22: refused",
        ),
        (  # what does not connect over IPv4 is not compared
            connect(FOUR, 80, 1.0) + connect(SIX, 80, 1.0) + connect(FOUR, 22, "refused", "refused"),
            True,
            "",
        ),
        (connect(FOUR, 80, "timeout", "timeout") + connect(FOUR, 22, "timeout", "timeout"), None, "IPv4: –"),
        (connect(FOUR, 80, 1.0) + connect(FOUR, 22, 1.0), None, "tcp/80: not-measured; tcp/22: not-measured"),
        (
            connect(FOUR, 80, 1.0) + connect(SIX, 80, "timeout", "timeout") + connect(FOUR, 22, 1.0),
            False,
            "tcp/80: timeout; tcp/22: not-measured",
        ),
        (connect(SIX, 80, 1.0) + connect(SIX, 22, 1.0), True, ""),  # whatever IPv4 does, IPv6 is no worse
        ([], None, "tcp/80: not-measured; tcp/22: not-measured"),
    ],
)
def test_parity(observations: list[Observation], passed: bool | None, note: str) -> None:
    found = checks(device(FOUR, SIX, ports="80 22"), observations)["parity"]
    assert (found.passed, found.note) == (passed, note)


def test_a_service_without_any_ipv6_address_is_not_on_a_par() -> None:
    found = checks(device(FOUR, ports="80"), connect(FOUR, 80, 1.0))["parity"]
    assert found == Check("sw", "parity", False, "tcp/80: –")


@pytest.mark.parametrize(
    ("networks", "observations", "passed", "note"),
    [
        (("192.0.2.0/24", "2001:db8:a::/64"), advertised(1800.0), True, ""),
        (
            ("2001:db8:a::/64", "2001:db8:b::/64"),
            advertised(0.0) + advertised(9.0, network="2001:db8:b::/64"),
            True,
            "",
        ),
        (("2001:db8:a::/64",), advertised(0.0), False, "lifetime 0 s"),
        (("2001:db8:a::/64",), advertised("timeout"), False, "timeout"),
        (("192.0.2.0/24",), [], False, "–"),
        (("2001:db8:a::/64",), advertised("no-privilege"), None, "no-privilege"),
        (("2001:db8:a::/64", "2001:db8:b::/64"), advertised("timeout"), None, "timeout, not-measured"),
        (("2001:db8:a::/64",), advertised(float("nan")), None, "bad-answer"),
        (("2001:db8:a::/64",), advertised(-1.0), None, "bad-answer"),
        (("2001:db8:a::/64",), advertised(1e9), None, "bad-answer"),
        (("2001:db8:a::/64",), [], None, "not-measured"),
    ],
)
def test_default_route(
    networks: tuple[str, ...], observations: list[Observation], passed: bool | None, note: str
) -> None:
    found = checks(segment(*networks), observations)
    assert found == {"ra-default-route": Check("segment:cell", "ra-default-route", passed, note)}


def test_the_shipped_requirement_reports_the_share_and_shows_the_matrix() -> None:
    (requirement,) = [it for it in load_profile("shanghai-617-2022").requirements if it.id == "NET-V6-SUP"]
    register = Register((device(FOUR, SIX), segment("2001:db8:a::/64")))
    found = evaluate(requirement, register, echo(1.0) + advertised("timeout"))
    assert (found.verdict, found.numerator, found.denominator) == (Verdict.INFO, 2, 3)
    assert isinstance(found.exhibit, Matrix)
    assert found.exhibit.items == ("address", "echo", "ra-default-route")
    assert {f"check.{item}" for item in (*found.exhibit.items, "aaaa", "parity")} <= set(Texts.of("profiles").codes())


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(QUANTITY)),
            st.sampled_from([FOUR, SIX, "192.0.2.53", "2001:db8:a::/64"]),
            st.sampled_from(["sw", "segment:cell", "x"]),
            st.one_of(st.floats(), st.sampled_from(sorted(TARGET_ERRORS | INSTRUMENT_ERRORS)), st.just("no-such-code")),
            st.one_of(st.text(max_size=20), st.just('{"port":80}'), st.just('{"answers":[1]}'), st.just('{"port":[]}')),
        )
    )
)
def test_nothing_seen_makes_it_raise(rows: list[tuple[Any, ...]]) -> None:
    observations = []
    for method, address, target, outcome, detail in rows:
        (one,) = seen(method, address, outcome, target=target)
        observations.append(Observation(*one.row()[:-1], detail))
    register = Register((device(FOUR, SIX, name="sw.example", ports="80 22"), segment("2001:db8:a::/64")))
    found = ipv6_network_support(register, observations, Ipv6SupportParameters())
    assert isinstance(found, Checklist)
    assert len(found.checks) == 5
