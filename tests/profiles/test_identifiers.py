"""Identifier resolution: which answers are right, wrong, none, or nothing that was measured."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.evaluate import evaluate
from profiles.indicators.identifiers import ResolutionParameters
from profiles.indicators.identifiers import identifier_resolution
from profiles.indicators.identifiers import records
from profiles.language import Texts
from profiles.loader import load_profile
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Register
from profiles.verdict import Verdict


def member(*answers: str, type: str = "TXT", id: str = "id1", drawn: bool = True) -> Member:
    return Member(id, "identifier", facts=(("type", type), ("answers", "\n".join(answers))), drawn=drawn)


def came(*answers: str, attempt: int = 0, error: str | None = None, **more: Any) -> Observation:
    told = {"rcode": "NOERROR", "answers": list(answers)} | more.pop("told", {})
    facts: dict[str, Any] = {
        "method": "dns-query",
        "vantage": "v",
        "target": "id1",
        "address": "192.0.2.53",
        "quantity": "resolution-delay",
        "value": None if error else 1.5,
        "unit": "ms",
        "window": 0,
        "utc_ns": 0,
        "monotonic_ns": 0,
        "detail": json.dumps(told),
    }
    return Observation(error=error, attempt=attempt, **(facts | more))


def reduced(seen: list[Observation], *members: Member) -> Ratio:
    found = identifier_resolution(Register(members or (member("a", "b"),)), seen, ResolutionParameters())
    assert isinstance(found, Ratio)
    return found


def lost(error: str, attempt: int = 0) -> Observation:
    return came(error=error, attempt=attempt, detail="")


@pytest.mark.parametrize(
    ("seen", "counts", "note"),
    [
        ([came("b", "a"), came("a", "b", attempt=1)], (1, 1, 0), None),
        ([came("a", "b")], (1, 1, 0), None),  # the other attempt is missing, and this one was right
        ([lost("timeout"), came("a", "b", attempt=1)], (1, 1, 0), None),
        ([lost("vantage-lost"), came("a", "b", attempt=1)], (1, 1, 0), None),
        ([came("a")], (0, 1, 0), "a"),  # half an answer
        ([came("a", "b", "c")], (0, 1, 0), "a, b, c"),
        ([came("A", "b")], (0, 1, 0), "A, b"),  # text is taken literally
        ([came("a", "b"), came("forged", attempt=1)], (0, 1, 0), "forged"),
        ([came(told={"rcode": "NXDOMAIN"})], (0, 1, 0), "NXDOMAIN"),
        ([came(told={"rcode": "SERVFAIL"})], (0, 1, 0), "SERVFAIL"),
        ([lost("timeout"), lost("refused", 1)], (0, 1, 0), "timeout"),
        ([came("a", "b", value=2000.1), came("a", "b", attempt=1, value=9e9)], (0, 1, 0), "late"),
        ([lost("timeout")], (0, 0, 1), "timeout"),
        ([lost("timeout"), lost("stopped", 1)], (0, 0, 1), "stopped"),
        ([lost("refused-by-guard"), lost("refused-by-guard", 1)], (0, 0, 1), "refused-by-guard"),
        ([], (0, 0, 1), "not-measured"),
        ([came("a", "b", detail="garbage")], (0, 0, 1), "bad-answer"),
        ([came("a", "b", detail='{"answers": "a"}')], (0, 0, 1), "bad-answer"),
        ([came("a", "b", value=float("nan"))], (0, 0, 1), "bad-answer"),
        ([came("a", "b", value=-1.0)], (0, 0, 1), "bad-answer"),
        ([came("a", "b", target="another")], (0, 0, 1), "not-measured"),
        ([came("a", "b", method="icmp-echo")], (0, 0, 1), "not-measured"),
        ([came("a", "b", attempt=2)], (0, 0, 1), "not-measured"),  # asked for by somebody else
    ],
)
def test_what_came_decides(seen: list[Observation], counts: tuple[int, int, int], note: str | None) -> None:
    found = reduced(seen)
    assert (found.numerator, found.denominator, found.unknown) == counts
    assert [it.note for it in found.failing] == ([] if note is None else [note])
    assert {it.reason for it in found.failing} <= {"wrongly-resolved" if counts[1] else "check-not-made"}


@pytest.mark.parametrize(
    ("type", "declared", "answers", "same"),
    [
        ("AAAA", "2001:db8::1", "2001:DB8:0::1", True),
        ("A", "192.0.2.1", "192.0.2.2", False),
        ("A", "192.0.2.1", "nonsense", False),
        ("CNAME", "Spare.Plant.Example", "spare.plant.example.", True),
        ("TXT", "Spare.", "spare", False),
    ],
)
def test_records_compare_by_their_type(type: str, declared: str, answers: str, same: bool) -> None:
    assert (records(type, [declared]) == records(type, [answers])) is same


def test_the_shipped_requirement_can_pass_and_fail() -> None:
    (requirement,) = load_profile("identifier-resolution").requirements
    register = Register((member("a"), member("b", id="id2")))
    right = [came("a"), came("b", target="id2")]
    wrong = [came("a"), came("c", target="id2")]
    assert evaluate(requirement, register, right).verdict is Verdict.PASS
    failed = evaluate(requirement, register, wrong)
    assert (failed.verdict, failed.numerator, failed.denominator) == (Verdict.FAIL, 1, 2)
    assert "reason.wrongly-resolved" in Texts.of("profiles").codes()


def test_a_sample_keeps_its_population() -> None:
    found = reduced([came("a", "b")], member("a", "b"), member("c", id="id2", drawn=False))
    assert (found.numerator, found.denominator, found.population) == (1, 1, 2)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, *sorted(TARGET_ERRORS | INSTRUMENT_ERRORS)]),
            st.integers(0, 3),
            st.floats(),
            st.one_of(st.text(max_size=30), st.just('{"answers":["a","b"]}')),
        )
    )
)
def test_nothing_seen_makes_it_raise(rows: list[tuple[Any, ...]]) -> None:
    seen = [came(attempt=n, error=error, value=None if error else value, detail=text) for error, n, value, text in rows]
    found = reduced(seen)
    assert found.denominator + found.unknown == 1
