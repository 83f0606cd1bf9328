"""Verdicts (ISO/IEC 9646 words, extended) and what a whole campaign amounts to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from enum import StrEnum


class Verdict(StrEnum):
    """What is said of one requirement in one scope."""

    PASS = "pass"  #: shown met under the decision rule
    FAIL = "fail"  #: shown not met
    INCONCLUSIVE = "inconclusive"  #: valid data that cannot decide
    ERROR = "error"  #: the tool or the rig failed
    NOT_APPLICABLE = "not-applicable"  #: tailored out, with a written reason
    NOT_TESTED = "not-tested"  #: in scope, never run
    INFO = "info"  #: value reported, no threshold


class Outcome(StrEnum):
    """What a campaign amounts to."""

    CONFORMANT = "conformant"
    NONCONFORMANT = "nonconformant"
    INCOMPLETE = "incomplete"


class ExitStatus(IntEnum):
    """Exit status of a campaign; 2 and 4 keep pytest's meaning."""

    CONFORMANT = 0  #: every planned requirement was measured and none failed
    NONCONFORMANT = 1  #: at least one requirement fails
    INTERRUPTED = 2  #: stopped by the user or a signal; resume to go on
    INCOMPLETE = 3  #: inconclusive, error or not-tested left, or nothing was planned
    USAGE = 4  #: wrong plant, profile or option; nothing was sent


#: Verdicts that leave a campaign incomplete.
OPEN_VERDICTS = frozenset({Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.NOT_TESTED})


def outcome(verdicts: Iterable[Verdict]) -> Outcome:
    """Fold the verdicts of all planned items into the campaign's outcome.

    A failure outweighs everything; without one, anything open, and also an empty or purely informative
    campaign, is incomplete: "nothing failed" is not "conformant".
    """
    counts = Counter(verdicts)
    if counts[Verdict.FAIL]:
        return Outcome.NONCONFORMANT
    if any(counts[verdict] for verdict in OPEN_VERDICTS) or not counts[Verdict.PASS]:
        return Outcome.INCOMPLETE
    return Outcome.CONFORMANT


def exit_status(outcome: Outcome) -> ExitStatus:
    """The exit status of a campaign that ran to its end."""
    return ExitStatus[outcome.name]
