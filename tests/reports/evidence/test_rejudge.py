"""Results: the one way from a case and observations to what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fixtures.scoping import Case
from fixtures.scoping import plan
from profiles.language import LANGUAGES
from profiles.language import Texts
from profiles.observation import Observation
from profiles.reduced import Member
from profiles.reduced import Register
from profiles.verdict import Verdict
from reports.rejudge import conclude
from reports.rejudge import not_tested
from reports.rejudge import observation_filter
from reports.rejudge import rejudge


@pytest.fixture
def cases(evidence: Any) -> dict[str, Case]:
    return {case.id: case for case in plan(evidence.plant, [evidence.profile])}


def test_a_requirement_is_judged_with_all_that_led_to_it(evidence: Any, cases: dict[str, Case]) -> None:
    rows = [row for row in evidence.observe_all() if row.target in {"press-1", "press-2"}]
    result = rejudge(cases["RCH-E"], iter(rows))
    assert (result.verdict, result.value, result.unit) == (Verdict.FAIL, 50.0, "%")
    assert (result.numerator, result.denominator, result.n) == (1, 2, 2)
    assert (result.item, result.requirement, result.profile, result.scope) == ("RCH-E", "RCH-E", "small", {})
    assert [finding.target for finding in result.failing] == ["press-2"]
    assert (result.vantages, result.rule) == (("here",), "R0")
    assert (result.started_utc_ns, result.ended_utc_ns) == (min(r.utc_ns for r in rows), max(r.utc_ns for r in rows))
    assert result.threshold == cases["RCH-E"].requirement.threshold
    assert result.observations == observation_filter(cases["RCH-E"])


def test_a_breakdown_is_reported_and_compared_with_nothing(evidence: Any, cases: dict[str, Case]) -> None:
    rows = [row for row in evidence.observe_all() if row.target == "press-2"]
    result = rejudge(cases["RCH-E:zone=cell-b"], rows)
    assert (result.verdict, result.value, result.threshold, result.rule) == (Verdict.INFO, 0.0, None, "info")
    assert result.scope == {"zone": "cell-b"}
    assert [finding.target for finding in result.failing] == ["press-2"]


def test_a_breakdown_that_was_not_measured_is_not_reported_as_if_it_were(evidence: Any, cases: dict[str, Case]) -> None:
    case = cases["RCH-E:zone=cell-b"]
    lost = [evidence.observe("press-2", window=window, error="vantage-lost") for window in range(2)]
    assert rejudge(case, lost).verdict not in {Verdict.INFO, Verdict.PASS}
    assert rejudge(case, []).verdict is Verdict.NOT_TESTED


def test_what_does_not_apply_says_why_whatever_was_observed(evidence: Any, cases: dict[str, Case]) -> None:
    case = cases["RCH-X"]
    for result in (rejudge(case, [evidence.observe("other-1")]), rejudge(case, []), not_tested(case, "deselected")):
        assert (result.verdict, result.reason) == (Verdict.NOT_APPLICABLE, "tailored-out")
        assert "辅助终端均无联网接口" in result.facts["reason"]
        assert result.observations is None


def test_what_nothing_computes_is_not_tested_and_reads_nothing(cases: dict[str, Case]) -> None:
    def refuse(*_: object) -> Iterator[Observation]:
        raise AssertionError("nothing selects these observations")

    result = conclude(cases["RADIO"], refuse)
    assert (result.verdict, result.reason) == (Verdict.NOT_TESTED, "no-suite")
    assert result.threshold is not None


def test_what_was_never_run_is_not_tested_and_no_failure(cases: dict[str, Case]) -> None:
    result = rejudge(cases["RCH-E"], [])
    assert (result.verdict, result.reason, result.failing, result.n) == (Verdict.NOT_TESTED, "not-run", (), 0)
    assert (result.vantages, result.started_utc_ns, result.ended_utc_ns) == ((), None, None)


def test_objects_without_an_address_are_judged_although_nothing_can_be_sent_to_them(cases: dict[str, Case]) -> None:
    register = Register((Member("press-1", addresses=0), Member("press-2", addresses=0)))
    result = rejudge(replace(cases["RCH-E"], register=register), [])
    assert (result.verdict, result.value) == (Verdict.FAIL, 0.0)


def test_an_empty_register_is_no_pass(cases: dict[str, Case]) -> None:
    result = rejudge(replace(cases["RCH-E"], register=Register(())), [])
    assert result.verdict not in {Verdict.PASS, Verdict.INFO, Verdict.FAIL}


def test_the_filter_names_drawn_objects_only(cases: dict[str, Case]) -> None:
    register = Register((Member("a"), Member("b", drawn=False), Member("c", addresses=0)))
    found = observation_filter(replace(cases["RCH-E"], register=register))
    assert found is not None
    assert found.targets == ("a", "c")
    assert "icmp-echo" in found.methods


def test_observations_nobody_asked_for_still_tell_when_and_where(evidence: Any, cases: dict[str, Case]) -> None:
    rows = [*evidence.observe_all(("press-1",)), evidence.observe("press-1", window=9, vantage="there", utc_ns=1)]
    result = rejudge(cases["RCH-E"], rows)
    assert result.vantages == ("here", "there")
    assert result.started_utc_ns == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ["no-suite", "not-run", "tailored-out"])
def test_every_reason_given_here_has_its_text(code: str, language: str) -> None:
    assert Texts.of("profiles").get(f"reason.{code}", language, reason="x")
