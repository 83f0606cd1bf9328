"""``plantproof report``: a bundle in a format for people or machines, made from the bundle alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from profiles.language import LANGUAGES
from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from profiles.problem import UserMistake


def report(
    bundle: Annotated[Path, typer.Argument(help="folder of the bundle (证据包文件夹)")],
    format: Annotated[str, typer.Option("--format", metavar="NAME", help="format of the report (报告格式)")] = "html",
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="zh|en", help="language it opens in (打开时的语言)")
    ] = None,
    earlier: Annotated[
        list[Path] | None,
        typer.Option("--earlier", metavar="BUNDLE", help="earlier bundle, for the trend; may repeat (历年证据包)"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="default: beside the bundle (默认与证据包并列)")
    ] = None,
) -> None:
    """Make a report of a bundle; exit 4 if the bundle cannot be read (由证据包生成报告)."""
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(Texts.of("conformance").get("cli.unknown-language", found=lang), param_hint="--lang")
    from reports.bundle import Bundle
    from reports.comparison import sound_bundle
    from reports.formats import FORMATS

    if format not in FORMATS:
        said = Texts.of("conformance").get("cli.unknown-format", found=format, known=", ".join(FORMATS))
        raise typer.BadParameter(said, param_hint="--format")
    opened = Bundle.open(bundle)
    opened.earlier = tuple(map(sound_bundle, earlier or ()))
    folder = bundle.resolve()
    target = folder.with_name(f"{folder.name}{FORMATS[format].suffix}") if out is None else out
    if target.resolve().is_relative_to(folder):
        raise UserMistake([Problem("report-inside-bundle", "reports", file=str(target))])
    try:
        FORMATS[format].write(opened, target, lang or current_language())
    except OSError as error:
        facts = {"error": error.strerror or str(error)}
        raise UserMistake([Problem("report-cannot-write", "reports", file=str(target), facts=facts)]) from error
    typer.echo(str(target))
