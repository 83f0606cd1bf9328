"""What verdicts amount to: nothing failed is not conformant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import ExitStatus
from profiles.verdict import Outcome
from profiles.verdict import Verdict
from profiles.verdict import exit_status
from profiles.verdict import outcome

PASS, FAIL, INFO, TAILORED = Verdict.PASS, Verdict.FAIL, Verdict.INFO, Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("verdicts", "expected", "status"),
    [
        ([PASS], "conformant", 0),
        ([PASS, INFO, TAILORED], "conformant", 0),
        ([PASS, FAIL], "nonconformant", 1),
        ([FAIL, Verdict.ERROR, Verdict.NOT_TESTED], "nonconformant", 1),
        ([], "incomplete", 3),
        ([INFO], "incomplete", 3),
        ([TAILORED, TAILORED], "incomplete", 3),
        ([PASS, Verdict.INCONCLUSIVE], "incomplete", 3),
        ([PASS, Verdict.ERROR], "incomplete", 3),
        ([PASS, Verdict.NOT_TESTED], "incomplete", 3),
    ],
)
def test_outcome_and_exit_status(verdicts: list[Verdict], expected: str, status: int) -> None:
    assert outcome(verdicts) == expected
    assert exit_status(outcome(verdicts)) == status


@given(st.lists(st.sampled_from(Verdict), max_size=8), st.sampled_from([FAIL, *sorted(OPEN_VERDICTS)]))
def test_bad_news_never_makes_a_campaign_conformant(verdicts: list[Verdict], news: Verdict) -> None:
    assert outcome([*verdicts, news]) is not Outcome.CONFORMANT
    if outcome(verdicts) is Outcome.NONCONFORMANT:
        assert outcome([*verdicts, news]) is Outcome.NONCONFORMANT


def test_every_outcome_has_a_status_and_pytest_keeps_its_own() -> None:
    assert {exit_status(found) for found in Outcome} == set(ExitStatus) - {ExitStatus.INTERRUPTED, ExitStatus.USAGE}
    assert (ExitStatus.INTERRUPTED, ExitStatus.USAGE) == (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR)
