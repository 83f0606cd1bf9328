"""``plantproof compare``: what changed from one campaign to another, and over several."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from profiles.problem import UserMistake

_texts = Texts.of("conformance")

_WORSE = 1  #: exit status


class Form(StrEnum):
    """How a comparison is told."""

    TABLE = "table"
    MARKDOWN = "markdown"
    JSON = "json"


def compare(
    bundles: Annotated[list[Path], typer.Argument(help=_texts.get("cli.compare-bundles"))],
    form: Annotated[Form, typer.Option("--format", help=_texts.get("cli.compare-format"))] = Form.TABLE,
    unverified: Annotated[bool, typer.Option("--unverified", help=_texts.get("cli.compare-unverified"))] = False,
) -> int:
    """Compare campaigns; exit 0 if nothing got worse, 1 if something did, 4 if one cannot be read."""
    from rich.console import Console

    from reports import comparison
    from reports.comparison import show
    from reports.sound import open_bundle
    from reports.sound import sound_bundle

    if len(bundles) < 2:
        raise UserMistake([Problem("compare-one", "reports")])
    opened = [open_bundle(path) if unverified else sound_bundle(path) for path in bundles]
    found = comparison.series(opened) if len(opened) > 2 else None
    if found is not None:  # the two latest, whatever order they were named in
        opened.sort(key=lambda bundle: bundle.campaign.started_utc)
    compared = comparison.compare(opened[-2], opened[-1])
    language, console = current_language(), Console()
    if form is Form.JSON:
        record = show.as_record(compared)
        if found is not None:
            record |= {"series": show.series_record(found)}
        typer.echo(json.dumps(record, ensure_ascii=False, indent=1))
    elif form is Form.MARKDOWN:
        typer.echo(show.as_markdown(compared, language), nl=False)
        if found is not None:
            typer.echo(show.series_markdown(found, language), nl=False)
    else:
        if found is not None:
            console.print(show.series_table(found, language))
        console.print(show.as_table(compared, language))
    return _WORSE if compared.worse else 0
