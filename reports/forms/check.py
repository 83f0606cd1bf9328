"""Checks a document against a form."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.forms.answer import Answer
from reports.forms.answer import Checked
from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.checks import CHECKS
from reports.forms.form import Rule
from reports.forms.form import data
from reports.forms.form import load_form
from reports.forms.package import CATALOGUE
from reports.forms.reading import read_document
from reports.forms.subject import Subject


def check_form(
    path: Path, form: str, *, bundle: Bundle | None = None, assessment: Path | None = None, seen: Collection[str] = ()
) -> Checked:
    """Check the DOCX file ``path`` against the form called ``form``.

    Args:
        path: any DOCX file, whoever wrote it.
        form: name of the form.
        bundle: also check that the document belongs to this bundle and tells nothing of its plant.
        assessment: the self-assessment report that goes with the document.
        seen: ids of rules which a person says to have looked at; counts only where only a person can.

    Raises:
        UserMistake: if the file cannot be read, or there is no such form or rule.
    """
    asked = load_form(form)
    rules = [*asked.rules, *(_bundle_rules() if bundle is not None else [])]
    if unknown := sorted(set(seen) - {rule.id for rule in rules}):
        raise UserMistake([Problem("form-no-rule", CATALOGUE, facts={"found": ", ".join(unknown), "form": form})])
    if assessment is not None and not assessment.is_file():
        raise UserMistake([Problem("docx-absent", CATALOGUE, file=str(assessment))])
    subject = Subject(read_document(path), asked, bundle, attached=assessment is not None)
    return Checked(str(path), asked, [Answer(rule, _findings(subject, rule), rule.id in seen) for rule in rules])


def _findings(subject: Subject, rule: Rule) -> list[Finding]:
    """What is found, the gravest first; a rule about nothing that the document has is kept."""
    order = list(Mark)
    return sorted(CHECKS[rule.check](subject, rule), key=lambda finding: order.index(finding.mark))


def _bundle_rules() -> list[Rule]:
    """Rules that tie a public document to a bundle."""
    return [Rule.model_validate(rule) for rule in data("_bundle")["rules"]]
