"""What is said of a document: a mark for each rule, with what was found and where."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from enum import StrEnum

from profiles.language import Texts
from profiles.verdict import ExitStatus
from reports.forms.document import Paragraph
from reports.forms.form import Form
from reports.forms.form import Rule
from reports.forms.package import CATALOGUE


class Mark(StrEnum):
    """What is said of one rule, the gravest first."""

    FAIL = "fail"  #: shown not kept
    WARN = "warn"  #: kept by one reading and not by another, or likely to be objected to
    MANUAL = "manual"  #: a person has to look
    PASS = "pass"  #: shown kept


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found."""

    mark: Mark
    code: str  #: of a text ``finding.<code>``
    facts: Mapping[str, object] = field(default_factory=dict)
    paragraph: int = 0  #: its number, from 1; 0 where there is none
    start: str = ""  #: how that paragraph begins

    def text(self, language: str | None = None) -> str:
        """What was found, in words."""
        return Texts.of(CATALOGUE).get(f"finding.{self.code}", language, **self.facts)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one rule."""

    rule: Rule
    findings: Sequence[Finding]
    seen: bool = False  #: whether a person says to have looked at what only a person can judge

    @property
    def mark(self) -> Mark:
        """The gravest mark of what was found."""
        marks = {finding.mark for finding in self.findings}
        worst = next((mark for mark in Mark if mark in marks), Mark.PASS)
        return Mark.PASS if worst is Mark.MANUAL and self.seen else worst


@dataclass(frozen=True, slots=True)
class Checked:
    """What is said of a whole document."""

    file: str
    form: Form
    answers: Sequence[Answer]

    def count(self, mark: Mark) -> int:
        """How many rules have this mark."""
        return sum(answer.mark is mark for answer in self.answers)

    @property
    def status(self) -> ExitStatus:
        """0 if all rules are shown kept, 1 if one is not, 3 if something is left for a person."""
        if self.count(Mark.FAIL):
            return ExitStatus.NONCONFORMANT
        left = self.count(Mark.WARN) or self.count(Mark.MANUAL)
        return ExitStatus.INCOMPLETE if left else ExitStatus.CONFORMANT


def found(mark: Mark, code: str, at: Paragraph | None = None, **facts: object) -> Finding:
    """A finding at a paragraph."""
    return Finding(mark, code, facts, at.number if at else 0, at.start if at else "")
