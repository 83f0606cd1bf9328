"""Makes a form from a bundle, and lets nothing out that tells of the plant."""

from __future__ import annotations

import html
import os
import re
import tempfile
from pathlib import Path

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.forms.annex.blocks import Block
from reports.forms.annex.chapter import Chapter
from reports.forms.annex.rows import data_sheet
from reports.forms.annex.rows import key_indicators
from reports.forms.annex.rows import recommendation
from reports.forms.annex.told import Told
from reports.forms.annex.writer import write_docx
from reports.forms.answer import Mark
from reports.forms.applicant import Applicant
from reports.forms.check import check_form
from reports.forms.form import load_form
from reports.forms.known import KnownValues
from reports.forms.lint import leaks
from reports.forms.package import CATALOGUE
from reports.pictures import pictures

#: Forms that can be made. ``jiebang-2024`` can be checked only: it is a project plan, which no bundle supports.
MADE = ("annex4-2025", "annex3-2025", "annex5-2025", "key-indicators-2024")
_MARKUP = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)
_REDACTION = ("secrets", "known-values", "tie")


def write_form(bundle: Bundle, form: str, out: Path, applicant: Applicant) -> None:
    """Write the form called ``form`` to the DOCX file ``out``, which is replaced.

    Raises:
        UserMistake: if there is no such form, the bundle is malformed, or a text of the applicant or the profile would
            tell of the plant what must not be told; nothing is written then.
        OSError: if it cannot be written.
    """
    if form not in MADE:
        raise UserMistake([Problem("form-not-generated", CATALOGUE, facts={"form": form, "known": ", ".join(MADE)})])
    told, asked = Told(bundle), load_form(form)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".docx", dir=out.resolve().parent)
    os.close(handle)
    made = Path(name)
    try:
        blocks = _blocks(told, form, applicant)
        _refuse_drawn(blocks, bundle, out)
        write_docx(
            blocks, made, title=asked.title.zh, identifier=told.fingerprint,
            ended=bundle.campaign.ended_utc, wide=form != "annex4-2025",
        )  # fmt: skip
        if asked.public:
            _refuse_leaks(made, form, bundle, out)
        made.chmod(0o644)
        made.replace(out)
    finally:
        made.unlink(missing_ok=True)


def _blocks(told: Told, form: str, applicant: Applicant) -> list[Block]:
    if form == "annex3-2025":
        return data_sheet(told, applicant)
    if form == "annex5-2025":
        return recommendation(told, applicant)
    if form == "key-indicators-2024":
        return key_indicators(told, applicant)
    return Chapter(told, load_form(form), applicant, pictures(told.bundle, public=True)).fitted()


def _refuse_drawn(blocks: list[Block], bundle: Bundle, out: Path) -> None:
    """No program reads pixels, but the same picture as SVG has its words as text."""
    drawn = [block.picture for block in blocks if block.picture is not None]
    known = KnownValues(bundle) if drawn else None
    for picture in drawn:
        words = html.unescape(_MARKUP.sub("\n", picture.svg("zh")))
        told = [*(leak.text for leak in leaks(words)), *(known.within(words) if known else ())]
        if told:
            facts = {"leak": f"{picture.title.zh}: {told[0]}"}
            raise UserMistake([Problem("annex-leaks", CATALOGUE, file=str(out), facts=facts)])


def _refuse_leaks(made: Path, form: str, bundle: Bundle, out: Path) -> None:
    """Check the saved file itself: what the document says of its redaction is thereby shown, not hoped."""
    checked = check_form(made, form, bundle=bundle)
    failing = [
        finding
        for answer in checked.answers
        if answer.rule.check in _REDACTION
        for finding in answer.findings
        if finding.mark is Mark.FAIL
    ]
    if failing:
        raise UserMistake(
            Problem("annex-leaks", CATALOGUE, file=str(out), facts={"leak": one.text()}) for one in failing[:20]
        )
