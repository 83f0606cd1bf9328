"""User domains: what counts as open, as closed, and as not known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.evaluate import evaluate
from profiles.indicators.segmentation import SegmentationParameters
from profiles.indicators.segmentation import user_domain_violations
from profiles.loader import load_profile
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Finding
from profiles.reduced import Matrix
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.verdict import Verdict

ERRORS = sorted(TARGET_ERRORS | INSTRUMENT_ERRORS)
PROHIBITED = json.dumps({"port": 80, "icmp_type": 1, "icmp_code": 1})


def passage(
    id: str = "p", *, permitted: str = "no", control: str = "inside", untried: str = "", left_out: int = 0
) -> Member:
    facts = {
        "origin": "cell",
        "destination": "dmz",
        "service": "tcp/80",
        "version": "6",
        "holder": "historian",
        "permitted": permitted,
        "vantage": "outside",
        "control": control,
        "untried": untried,
        "holders_left_out": str(left_out),
    }
    return Member(id, "passage", 1, 1, facts=tuple(facts.items()), shared=("service",))


def tried(
    vantage: str, *errors: str | None, target: str = "", detail: str = "", value: float = 1.0
) -> list[Observation]:
    target = target or ("service" if vantage == "inside" else "p")
    return [
        Observation(
            "tcp-connect", vantage, target, "2001:db8::1", "connect-delay", None if error else value, "ms", error,
            0, attempt, 0, 0, detail,
        )
        for attempt, error in enumerate(errors)
    ]  # fmt: skip


def reduced(member: Member, seen: list[Observation]) -> Checklist:
    found = user_domain_violations(Register((member,)), seen, SegmentationParameters())
    assert isinstance(found, Checklist)
    return found


LISTENS = tried("inside", None, None)
CLOSED = tried("outside", "timeout", "timeout")


@pytest.mark.parametrize(
    ("seen", "passed", "note"),
    [
        (LISTENS + CLOSED, True, ""),
        (
            LISTENS + tried("outside", "refused", "refused"),
            True,
            "",
        ),  # a firewall's reset: the host would have accepted
        (LISTENS + tried("outside", "unreachable", "unreachable", detail=PROHIBITED), True, ""),
        (LISTENS + tried("outside", "timeout", "refused"), True, ""),
        (tried("inside", "timeout", None) + CLOSED, True, ""),
        (LISTENS + tried("outside", None, None), False, ": connected"),
        (LISTENS + tried("outside", "timeout", None), False, ": connected"),
        (LISTENS + tried("outside", "reset", "timeout"), False, ": connected, reset"),
        (LISTENS + tried("outside", "late", "late"), False, ": connected, late"),
        (tried("outside", None, None), False, ": connected"),  # needs no control
        (tried("outside", None, "stopped"), False, ": connected"),
        (tried("inside", "refused", "refused") + CLOSED, None, ": control: refused"),
        (tried("inside", "vantage-lost", "vantage-lost") + CLOSED, None, ": control: vantage-lost"),
        (CLOSED, None, ": control: not-measured"),
        (LISTENS + tried("outside", "no-route", "no-route"), None, ": no-route"),
        (LISTENS + tried("outside", "timeout"), None, ": timeout"),  # half an answer: one attempt is missing
        (LISTENS + tried("outside", "timeout", "stopped"), None, ": stopped"),
        (LISTENS, None, ": not-measured"),
        ([], None, ": not-measured"),
        (LISTENS + tried("outside", None, None, value=float("nan")), None, ": bad-answer"),
        (LISTENS + tried("outside", None, None, value=-1.0), None, ": bad-answer"),
        (LISTENS + tried("outside", None, None, value=float("inf")), None, ": bad-answer"),
        (
            LISTENS + tried("outside", None, None, value=1e12),
            False,
            ": connected",
        ),  # late, and let through all the same
        (LISTENS + tried("outside", "no-such-code", "no-such-code"), None, ": bad-answer"),
        (LISTENS + tried("outside", None, None, target="other"), None, ": not-measured"),
        (LISTENS + tried("elsewhere", None, None), None, ": not-measured"),
    ],
)
def test_what_is_seen_decides(seen: list[Observation], passed: bool | None, note: str) -> None:
    (check,) = reduced(passage(), seen).checks
    assert check == Check("cell", "dmz", passed, f"historian tcp/80 IPv6{note}")


def test_without_a_control_nothing_is_shown_closed() -> None:
    (check,) = reduced(passage(control=""), CLOSED).checks
    assert (check.passed, check.note) == (None, "historian tcp/80 IPv6: no-control")


@pytest.mark.parametrize(
    ("seen", "failing"),
    [
        (LISTENS + CLOSED, (Finding("p", "conduit-broken", "timeout"),)),
        (
            LISTENS + tried("outside", "unreachable", "unreachable", detail=PROHIBITED),
            (Finding("p", "conduit-broken", "unreachable, ICMP 1/1"),),
        ),
        (LISTENS + tried("outside", None, None), ()),
        (tried("inside", "timeout", "timeout") + CLOSED, ()),  # the service is down: no fault of the conduit
        ([], ()),
    ],
)
def test_a_broken_conduit_is_a_fault_and_no_violation(seen: list[Observation], failing: tuple[Finding, ...]) -> None:
    found = reduced(passage(permitted="yes"), seen)
    assert (found.checks, found.failing) == ((), failing)


def test_a_holder_that_does_not_even_serve_its_own_side_stands_aside_for_another() -> None:
    silent = replace(passage("q"), shared=("silent-service",))
    dead = tried("inside", "timeout", "timeout", target="silent-service") + tried(
        "outside", "timeout", "timeout", target="q"
    )
    found = user_domain_violations(Register((passage(), silent)), LISTENS + CLOSED + dead, SegmentationParameters())
    assert isinstance(found, Checklist)
    assert [check.passed for check in found.checks] == [True]
    assert found.failing == (Finding("q", "holder-silent", "timeout"),)
    assert [check.passed for check in reduced(silent, dead).checks] == [None]  # nobody else was tried


def test_a_holder_of_which_nothing_was_seen_is_still_owed() -> None:
    unseen = replace(passage("q"), shared=("unseen-service",))
    lost = tried("inside", "vantage-lost", "vantage-lost", target="unseen-service")
    found = user_domain_violations(Register((passage(), unseen)), LISTENS + CLOSED + lost, SegmentationParameters())
    assert isinstance(found, Checklist)
    assert [check.passed for check in found.checks] == [True, None]


def test_zones_without_a_vantage_point_are_checks_that_were_not_made() -> None:
    found = reduced(passage(untried="core lab"), LISTENS + CLOSED)
    assert [check.passed for check in found.checks] == [True, None, None]
    assert found.checks[1:] == tuple(Check(zone, "*", None, "no-vantage-in-zone") for zone in ("core", "lab"))
    assert found.failing == (Finding("core", "no-vantage-in-zone"), Finding("lab", "no-vantage-in-zone"))


def test_a_zone_without_a_vantage_point_keeps_the_requirement_from_passing() -> None:
    (requirement,) = [it for it in load_profile("shanghai-617-2022").requirements if it.id == "SEC-DOM"]
    verdicts = {
        untried: evaluate(requirement, Register((passage(untried=untried),)), LISTENS + CLOSED).verdict
        for untried in ("", "lab")
    }
    assert verdicts[""] is Verdict.PASS
    assert verdicts["lab"] not in (Verdict.PASS, Verdict.FAIL)
    leak = evaluate(requirement, Register((passage(untried="lab"),)), tried("outside", None, None))
    assert leak.verdict is Verdict.FAIL


def test_holders_that_were_left_out_are_said_beside_the_verdict() -> None:
    register = Register((passage(left_out=3), replace(passage("q", left_out=3), shared=("service",))))
    found = user_domain_violations(register, LISTENS + CLOSED, SegmentationParameters())
    assert isinstance(found, Checklist)
    assert found.notes == ("holders-sampled",)
    assert found.failing == (Finding("dmz tcp/80 IPv6", "holders-sampled", "3"),)
    assert reduced(passage(), LISTENS + CLOSED).notes == ()
    assert reduced(passage(permitted="yes", left_out=3), LISTENS + CLOSED).notes == ()  # no violation can be missed


@pytest.mark.parametrize(
    ("seen", "verdict", "value"),
    [(LISTENS + CLOSED, Verdict.PASS, 0), (tried("outside", None, None), Verdict.FAIL, 1), ([], Verdict.ERROR, None)],
)
def test_the_shipped_requirement_counts_open_passages(seen: list[Observation], verdict: str, value: int) -> None:
    (requirement,) = [it for it in load_profile("shanghai-617-2022").requirements if it.id == "SEC-DOM"]
    found = evaluate(requirement, Register((passage(), passage("q", permitted="yes"))), seen)
    assert (found.verdict, found.value if value is not None else None) == (verdict, value)
    assert isinstance(found.exhibit, Matrix)
    assert (found.exhibit.subjects, found.exhibit.items) == (("cell",), ("dmz",))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["inside", "outside"]),
            st.sampled_from([None, *ERRORS]),
            st.integers(0, 3),
            st.floats(),
            st.text(max_size=20),
        )
    )
)
def test_nothing_seen_makes_it_raise_and_closed_needs_the_control(rows: list[tuple[Any, ...]]) -> None:
    seen = []
    for vantage, error, attempt, value, detail in rows:
        (one,) = tried(vantage, error, value=value, detail=detail)
        seen.append(replace(one, attempt=attempt))
    (check,) = reduced(passage(), seen).checks
    controlled = any(it.vantage == "inside" and it.error in (None, "reset", "late") for it in seen)
    assert check.passed is not True or controlled
