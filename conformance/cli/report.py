"""``plantproof report``: a bundle in a format for people or machines, made from the bundle alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from profiles.language import LANGUAGES
from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from profiles.problem import UserMistake

if TYPE_CHECKING:
    from reports.formats import Writer


_texts = Texts.of("conformance")


def report(
    bundle: Annotated[Path, typer.Argument(help=_texts.get("cli.bundle"))],
    format: Annotated[str, typer.Option("--format", metavar="NAME", help=_texts.get("cli.report-format"))] = "html",
    lang: Annotated[str | None, typer.Option("--lang", metavar="zh|en", help=_texts.get("cli.report-lang"))] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--earlier", metavar="BUNDLE", help=_texts.get("cli.report-earlier")),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help=_texts.get("cli.report-out"))] = None,
    form: Annotated[
        str | None,
        typer.Option("--form", metavar="NAME", help=_texts.get("cli.report-form")),
    ] = None,
    applicant: Annotated[
        Path | None, typer.Option("--applicant", metavar="FILE", help=_texts.get("cli.report-applicant"))
    ] = None,
) -> None:
    """Make a report of a bundle; exit 4 if the bundle cannot be read."""
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(Texts.of("conformance").get("cli.unknown-language", found=lang), param_hint="--lang")
    from reports.archive import opened as unpacked
    from reports.bundle import Bundle
    from reports.formats import FORMATS
    from reports.sound import sound_bundle

    if form is None and format not in FORMATS:
        said = Texts.of("conformance").get("cli.unknown-format", found=format, known=", ".join(FORMATS))
        raise typer.BadParameter(said, param_hint="--format")
    write, suffix = _form_writer(form, applicant) if form else (FORMATS[format].write, FORMATS[format].suffix)
    if applicant is not None and not form:
        raise UserMistake([Problem("applicant-without-form", "reports.forms", file=str(applicant))])
    place = bundle.resolve()
    named = place.stem if place.is_file() else place.name
    target = place.with_name(f"{named}{suffix}") if out is None else out
    if target.resolve().is_relative_to(place):
        raise UserMistake([Problem("report-inside-bundle", "reports", file=str(target))])
    with unpacked(bundle) as folder:
        opened = Bundle.open(folder)
        opened.earlier = tuple(map(sound_bundle, earlier or ()))
        try:
            write(opened, target, lang or current_language())
        except OSError as error:
            facts = {"error": error.strerror or str(error)}
            raise UserMistake([Problem("report-cannot-write", "reports", file=str(target), facts=facts)]) from error
    typer.echo(str(target))


def _form_writer(form: str, applicant: Path | None) -> tuple[Writer, str]:
    """What writes an application form, and how its file ends. A form is written in its own language, Chinese."""
    from reports.forms.annex.make import write_form
    from reports.forms.applicant import Applicant
    from reports.forms.applicant import load_applicant

    stated = Applicant() if applicant is None else load_applicant(applicant)
    return lambda bundle, out, _: write_form(bundle, form, out, stated), f".{form}.docx"
