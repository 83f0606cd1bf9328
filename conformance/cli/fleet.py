"""``plantproof fleet``: many bundles at once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Literal

import typer

from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from profiles.problem import UserMistake

if TYPE_CHECKING:
    from reports.fleet.index import Indexed
    from reports.fleet.rejudging import Rejudged

_texts = Texts.of("conformance")
_PROCESSORS = len(os.sched_getaffinity(0))  #: that this process may use
_INCOMPLETE = 1  #: exit status of an indexing that found bundles that are altered or cannot be read

app = typer.Typer(help=_texts.get("cli.fleet"), no_args_is_help=True, add_completion=False)

_Workers = Annotated[int, typer.Option("--workers", min=1, max=256, help=_texts.get("cli.fleet-workers"))]
_Directory = Annotated[Path, typer.Argument(metavar="DIR", help=_texts.get("cli.fleet-directory"))]
_Index = Annotated[Path, typer.Argument(metavar="INDEX", help=_texts.get("cli.fleet-index-folder"))]
_Json = Annotated[bool, typer.Option("--json", help=_texts.get("cli.json"))]
_Basis = Annotated[str | None, typer.Option("--basis", metavar="ID", help=_texts.get("cli.fleet-basis"))]


@app.command(help=_texts.get("cli.fleet-index"))
def index(
    directory: _Directory,
    out: Annotated[Path | None, typer.Option("--out", metavar="INDEX", help=_texts.get("cli.fleet-out"))] = None,
    workers: _Workers = _PROCESSORS,
    check: Annotated[Literal["full", "hash"], typer.Option("--check", help=_texts.get("cli.fleet-check"))] = "full",
    anew: Annotated[bool, typer.Option("--anew", help=_texts.get("cli.fleet-anew"))] = False,
    as_json: _Json = False,
) -> int:
    """Verify and index every bundle below a folder; exit 1 if some are altered or unreadable."""
    from reports.fleet.index import index as make
    from reports.fleet.layout import NAME
    from reports.fleet.shown import index_table

    target = out or directory.resolve().with_name(f"{directory.resolve().name}.{NAME}")
    counts = make(directory, target, workers=workers, full=check == "full", anew=anew, told=_progress())
    if as_json:
        found = {name: getattr(counts, name) for name in type(counts).__slots__}
        typer.echo(json.dumps({"index": str(target), **found}, ensure_ascii=False, indent=1))
    else:
        _print(*index_table(counts, target))
    return _INCOMPLETE if counts.altered or counts.unreadable else 0


@app.command(help=_texts.get("cli.fleet-rank"))
def rank(
    folder: _Index,
    weights: Annotated[Path | None, typer.Option("--weights", metavar="FILE", help=_texts.get("cli.weights"))] = None,
    top: Annotated[list[str] | None, typer.Option("--top", metavar="PERCENT", help=_texts.get("cli.fleet-top"))] = None,
    basis: _Basis = None,
    reviewed: Annotated[
        Path | None, typer.Option("--reviewed", metavar="FILE", help=_texts.get("cli.fleet-reviewed"))
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help=_texts.get("cli.fleet-rows"))] = 50,
    as_json: _Json = False,
) -> None:
    """Candidates for the first so many per cent, by the weights that the user set; never an award."""
    from profiles.weights import load_weights
    from reports.fleet.query import open_index
    from reports.fleet.rank import rank as make
    from reports.fleet.shown import rank_record
    from reports.fleet.shown import rank_table

    if weights is None:
        raise UserMistake([Problem("fleet-weights-none", "reports.fleet")])
    percents = sorted({_percent(text) for text in top or ["5", "20"]})
    names = _names(reviewed)
    with open_index(folder) as opened:
        found = make(opened, load_weights(weights), percents, now=datetime.now(UTC), basis=basis, reviewed=names)
    if as_json:
        typer.echo(json.dumps(rank_record(found), ensure_ascii=False, indent=1))
    else:
        _print(*rank_table(found, rows))


@app.command(help=_texts.get("cli.fleet-report"))
def report(
    folder: _Index,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help=_texts.get("cli.fleet-report-out"))],
    weights: Annotated[Path | None, typer.Option("--weights", metavar="FILE", help=_texts.get("cli.weights"))] = None,
    basis: _Basis = None,
    lang: Annotated[Literal["zh", "en"] | None, typer.Option("--lang", help=_texts.get("cli.lang"))] = None,
) -> None:
    """Distribution, quartiles, and what fails where."""
    from profiles.weights import load_weights
    from reports.fleet.pages import write_summary
    from reports.fleet.query import open_index
    from reports.fleet.summary import summarise

    given = load_weights(weights) if weights else None
    with open_index(folder) as opened:
        summary = summarise(opened, now=datetime.now(UTC), weights=given, basis=basis)
    write_summary(summary, out, lang or current_language())
    typer.echo(Texts.of("reports.fleet").get("fleet.report.done", out=out))


@app.command(help=_texts.get("cli.fleet-rejudge"))
def rejudge(
    directory: _Directory,
    profile: Annotated[list[str], typer.Option("--profile", metavar="NAME", help=_texts.get("cli.fleet-profile"))],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help=_texts.get("cli.fleet-rejudged"))],
    workers: _Workers = _PROCESSORS,
    dask: Annotated[str, typer.Option("--dask", metavar="ADDRESS", help=_texts.get("cli.fleet-dask"))] = "",
    check: Annotated[Literal["full", "hash"], typer.Option("--check", help=_texts.get("cli.fleet-check"))] = "hash",
    as_json: _Json = False,
) -> int:
    """Judge every bundle again under other profiles; exit 1 if some could not be."""
    from profiles.loader import load_profile
    from reports.fleet.rejudging import rejudge_fleet
    from reports.fleet.shown import rejudged_table

    profiles = [load_profile(name) for name in profile]
    full = check == "full"
    found = rejudge_fleet(directory, profiles, out, workers=workers, scheduler=dask, full=full, told=_progress())
    if as_json:
        told = {name: getattr(found, name) for name in type(found).__slots__}
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _print(*rejudged_table(found, out))
    return _INCOMPLETE if found.failed else 0


@app.command(help=_texts.get("cli.fleet-synthesise"))
def synthesise(
    directory: _Directory,
    count: Annotated[int, typer.Option("--count", min=1, max=1_000_000, help=_texts.get("cli.fleet-count"))] = 100,
    seed: Annotated[int, typer.Option("--seed", help=_texts.get("cli.fleet-seed"))] = 0,
    workers: _Workers = _PROCESSORS,
) -> None:
    """Make synthetic bundles."""
    from reports.fleet.synthetic import synthesise as make

    make(directory, count, seed=seed, workers=workers)
    said = Texts.of("reports.fleet")
    typer.echo(said.get("fleet.synthesise.done", count=count, folder=directory, seed=seed))


def _percent(text: str) -> Fraction:
    try:
        found = Fraction(text.strip().removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        found = Fraction(0)
    if not 0 < found <= 100:
        raise UserMistake([Problem("fleet-percent", "reports.fleet", facts={"found": text[:40]})])
    return found


def _names(file: Path | None) -> frozenset[str] | None:
    """Names of plants, one a line."""
    if file is None:
        return None
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserMistake([Problem("cannot-read", file=str(file), facts={"error": error})]) from None
    return frozenset(line.strip() for line in lines if line.strip())


def _progress() -> Callable[[Indexed | Rejudged], None]:
    """Says now and then, on a terminal, how far it is."""
    said = Texts.of("reports.fleet")
    latest = [time.monotonic()]

    def tell(counts: Indexed | Rejudged) -> None:
        if sys.stderr.isatty() and time.monotonic() - latest[0] > 1:
            latest[0] = time.monotonic()
            typer.echo(said.get("fleet.index.progress", bundles=counts.bundles), err=True)

    return tell


def _print(*parts: object) -> None:
    from rich.console import Console

    console = Console()
    for part in parts:
        console.print(part)
