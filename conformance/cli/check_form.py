"""``plantproof check-form``: a DOCX file against the rules of an application form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer

from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus

if TYPE_CHECKING:
    from rich.text import Text

    from reports.forms.answer import Answer
    from reports.forms.answer import Checked
    from reports.forms.answer import Finding

_texts = Texts.of("conformance")

_SHOWN = 8  # findings of one rule in the table
_SHOWN_PASSES = 3  # where there is nothing else to tell
_LOOKS = {"fail": ("✕", "bold red"), "warn": ("◆", "yellow"), "manual": ("○", "cyan"), "pass": ("●", "green")}


def check_form(
    file: Annotated[Path, typer.Argument(help=_texts.get("cli.form-file"))],
    form: Annotated[str, typer.Option("--form", metavar="NAME", help=_texts.get("cli.form-name"))] = "annex4-2025",
    bundle: Annotated[Path | None, typer.Option("--bundle", help=_texts.get("cli.form-bundle"))] = None,
    assessment: Annotated[
        Path | None, typer.Option("--assessment", metavar="FILE", help=_texts.get("cli.form-assessment"))
    ] = None,
    seen: Annotated[list[str] | None, typer.Option("--seen", metavar="RULE", help=_texts.get("cli.form-seen"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_texts.get("cli.json"))] = False,
) -> int:
    """Check a document; exit 0 all pass, 1 a rule fails, 3 something left for a person, 4 unreadable."""
    from reports.bundle import Bundle
    from reports.forms.check import check_form as check

    try:
        opened = None if bundle is None else Bundle.open(bundle)
        checked = check(file, form, bundle=opened, assessment=assessment, seen=seen or ())
    except UserMistake as mistake:
        if not as_json:
            raise
        _print_json({"file": str(file), "form": form, "status": int(ExitStatus.USAGE), "error": mistake.text()})
        return ExitStatus.USAGE
    if as_json:
        _print_json(_record(checked))
    else:
        _print(checked)
    return checked.status


def _print_json(answer: dict[str, Any]) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))


def _record(checked: Checked) -> dict[str, Any]:
    language = current_language()
    return {
        "file": checked.file,
        "form": checked.form.form,
        "status": int(checked.status),
        "rules": [_rule_record(answer, language) for answer in checked.answers],
    }


def _rule_record(answer: Answer, language: str) -> dict[str, Any]:
    rule = answer.rule
    return {
        "id": rule.id,
        "mark": answer.mark,
        "seen": answer.seen,
        "text": rule.text.model_dump(),
        "source": rule.source.model_dump(mode="json"),
        "reading": rule.reading.model_dump() if rule.reading else None,
        "findings": [
            {
                "mark": one.mark, "code": one.code, "facts": dict(one.facts), "text": one.text(language),
                "paragraph": one.paragraph or None, "start": one.start,
            }
            for one in answer.findings
        ],
    }  # fmt: skip


def _print(checked: Checked) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reports.forms.answer import Mark

    texts, language = Texts.of("reports.forms"), current_language()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name, ratio in zip(texts.get("check.columns").split("|"), (None, None, 3, 1), strict=True):
        table.add_column(name, overflow="fold", ratio=ratio, no_wrap=ratio is None)
    for answer in checked.answers:
        sign, style = _LOOKS[answer.mark]
        said, places = _told(answer, language)
        table.add_row(answer.rule.id, Text(f"{sign} {texts.get(f'mark.{answer.mark}')}", style), said, places)
    console = Console()
    console.print(table)
    counts = {f"{mark.value}s": checked.count(mark) for mark in Mark} | {"passes": checked.count(Mark.PASS)}
    title = getattr(checked.form.title, language)
    console.print(Text(texts.get("check.title", form=title, **counts), "bold"))
    if checked.status is ExitStatus.INCOMPLETE:
        console.print(Text(texts.get("check.left"), "dim"))


def _told(answer: Answer, language: str) -> tuple[Text, Text]:
    """The rule with what was found, and where; what passed is told only where nothing else was found."""
    from rich.text import Text

    from reports.forms.answer import Mark
    from reports.wording import visible

    texts, rule = Texts.of("reports.forms"), answer.rule
    said, places = Text(getattr(rule.text, language)), Text()
    quote = f" “{rule.source.quote}”" if rule.source.quote else ""
    source = texts.get("check.source", document=rule.source.document, clause=rule.source.clause)
    said.append(f"\n{source}{quote}", "dim")
    if rule.reading is not None:
        said.append(f"\n{texts.get('check.reading', reading=getattr(rule.reading, language))}", "dim")
    grave = [one for one in answer.findings if one.mark is not Mark.PASS]
    shown = grave[:_SHOWN] or list(answer.findings[:_SHOWN_PASSES])
    for one in shown:
        said.append(f"\n{_LOOKS[one.mark][0]} {visible(one.text(language))}", _LOOKS[one.mark][1])
        places.append(_place(one, language) if grave else "")
    if more := len(grave or answer.findings) - len(shown):
        said.append(f"\n{texts.get('check.folded', count=more)}", "dim")
    return said, places


def _place(finding: Finding, language: str) -> str:
    from reports.wording import visible

    if not finding.paragraph:
        return ""
    texts = Texts.of("reports.forms")
    return visible(texts.get("check.paragraph", language, number=finding.paragraph, start=finding.start)) + "\n"
