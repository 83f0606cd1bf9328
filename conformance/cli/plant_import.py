"""``plantproof plant import``: asset lists become a table of endpoints or a plant file, once confirmed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus

if TYPE_CHECKING:
    from rich.console import Console

    from fixtures.plant.import_choices import Choices
    from fixtures.plant.import_files import Lists
    from fixtures.plant.import_list import Import
    from fixtures.plant.model import Plant

_texts = Texts.of("fixtures")
_CHANGE = re.compile(r"\s*(map|value|set)\s+(.+?)\s*")
_SUFFIXES = (".csv", ".xlsx", ".yaml", ".yml")


def _fields(incomplete: str) -> list[str]:
    """``FIELD=`` and ``FIELD:``, for shell completion of ``--set`` and ``--value``."""
    from fixtures.plant.import_choices import FILLED_FIELDS

    return [f"{name}=" for name in FILLED_FIELDS if name.startswith(incomplete)]


def _worded(incomplete: str) -> list[str]:
    from fixtures.plant.import_words import CHOICE_FIELDS

    return [f"{name}:" for name in CHOICE_FIELDS if name.startswith(incomplete)]


def _help(name: str) -> str:
    return _texts.get(f"plant.help-import-{name}")


_Files = Annotated[list[str], typer.Argument(metavar="FILE...", help=_help("files"))]
_Plant = Annotated[Path | None, typer.Option("--plant", metavar="FILE", help=_help("plant"))]
_Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help=_help("out"))]
_Rejected = Annotated[Path | None, typer.Option("--rejected", metavar="FILE", help=_help("rejected"))]
_Map = Annotated[list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help=_help("map"))]
_Value = Annotated[
    list[str] | None,
    typer.Option("--value", metavar="FIELD:WORD=CODE", autocompletion=_worded, help=_help("value")),
]
_Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", autocompletion=_fields, help=_help("set"))
]
_Yes = Annotated[bool, typer.Option("--yes", help=_help("yes"))]
_Force = Annotated[bool, typer.Option("--force", help=_help("force"))]


def import_lists(
    files: _Files,
    plant: _Plant = None,
    out: _Out = None,
    rejected: _Rejected = None,
    maps: _Map = None,
    values: _Value = None,
    fills: _Set = None,
    yes: _Yes = False,
    force: _Force = False,
) -> int:
    """Guess, show, ask, write; see :class:`~profiles.verdict.ExitStatus` for what is returned.

    Raises:
        UserMistake: if a file cannot be read or written, or an option is wrong.
    """
    from rich.console import Console

    from conformance.cli.plant_import_tables import outcome
    from conformance.cli.plant_import_tables import text
    from fixtures.plant.import_choices import Choices
    from fixtures.plant.import_files import check_targets
    from fixtures.plant.import_files import path_of
    from fixtures.plant.import_files import read_lists
    from fixtures.plant.loader import load_plant

    inputs = [path_of(name)[0] for name in files]
    target = out or inputs[0].with_name(f"{inputs[0].stem}.endpoints.csv")
    if target.suffix.lower() not in _SUFFIXES:
        raise UserMistake([Problem("plant-import-format", "fixtures", facts={"found": target})])
    aside = rejected or target.with_name(f"{target.stem}.rejected.csv")
    check_targets([target, aside], [*inputs, *([plant] if plant else [])], force=force)
    choices = Choices().and_these(maps or (), values or (), fills or ())
    known = load_plant(plant) if plant else None
    lists = read_lists(files)
    console = Console()
    made, decided = _confirmed(console, lists, choices, known, inputs[0].stem, yes=yes)
    if made is None:
        typer.echo(text("not-confirmed"), err=True)
        return ExitStatus.USAGE
    if decided:
        given = [*_given(maps, values, fills), *decided]
        typer.echo(text("again", command=_again(files, plant, out, rejected, given)))
    else:
        console.print(*outcome(made), sep="\n")
    return _write(made, target, aside, force=force)


def _given(maps: Sequence[str] | None, values: Sequence[str] | None, fills: Sequence[str] | None) -> Iterator[str]:
    for option, said in (("--map", maps), ("--value", values), ("--set", fills)):
        for it in said or ():
            yield from (option, it)


def _again(
    files: Sequence[str], plant: Path | None, out: Path | None, rejected: Path | None, decided: Sequence[str]
) -> str:
    """The command that does the same without a question."""
    named = [("--plant", plant), ("--out", out), ("--rejected", rejected)]
    options = [word for option, path in named if path for word in (option, str(path))]
    return shlex.join(["plantproof", "plant", "import", *files, *options, *decided, "--yes"])


def _confirmed(
    console: Console, lists: Lists, choices: Choices, plant: Plant | None, name: str, *, yes: bool
) -> tuple[Import | None, list[str]]:
    """The import as the user wants it, and the options that say so; ``None`` if nobody is there to be asked."""
    from conformance.cli.plant_import_tables import mapping
    from conformance.cli.plant_import_tables import outcome
    from conformance.cli.plant_import_tables import text
    from fixtures.plant.import_list import make

    made = make(lists, choices, plant, name)
    console.print(*mapping(made), sep="\n")
    if yes:
        return made, []
    console.print(*outcome(made), sep="\n")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None, []
    decided: list[str] = []
    while typed := str(typer.prompt(text("prompt"), default="", show_default=False)).strip():
        if typed.lower() in ("q", "quit"):
            raise typer.Abort
        try:
            choices, option = _changed(choices, typed)
            made = make(lists, choices, plant, name)
        except UserMistake as mistake:
            typer.echo(mistake.text(current_language()), err=True)
            continue
        decided += option
        console.print(*mapping(made), *outcome(made), sep="\n")
    return made, decided


def _changed(choices: Choices, typed: str) -> tuple[Choices, list[str]]:
    found = _CHANGE.fullmatch(typed)
    if found is None:
        raise UserMistake([Problem("plant-import-not-understood", "fixtures", facts={"found": typed})])
    kind, rest = found.groups()
    choices = choices.and_these(
        [rest] if kind == "map" else (), [rest] if kind == "value" else (), [rest] if kind == "set" else ()
    )
    return choices, [f"--{kind}", rest]


def _write(made: Import, target: Path, aside: Path, *, force: bool) -> int:
    """Write what was placed and what was not, all or nothing."""
    from conformance.cli.plant_import_tables import text
    from fixtures.plant.import_files import save
    from fixtures.plant.import_tables import as_csv
    from fixtures.plant.import_tables import as_plant
    from fixtures.plant.import_tables import as_workbook
    from fixtures.plant.import_tables import aside_lines
    from fixtures.plant.import_tables import endpoint_lines

    contents: dict[Path, bytes] = {}
    if made.checked.asides or aside.exists():
        contents[aside] = as_csv(aside_lines(made.checked.asides))
    if made.checked.entries:
        if target.suffix.lower() in (".yaml", ".yml"):
            contents[target] = as_plant(made.checked)
        else:
            lines = endpoint_lines(made.checked.entries)
            contents[target] = as_workbook(lines) if target.suffix.lower() == ".xlsx" else as_csv(lines)
    save(contents, force=force)
    for path in sorted(contents, key=lambda it: it != target):
        typer.echo(text("written" if path == target else "rejected-written", file=path))
    if not made.checked.entries:
        typer.echo(text("nothing"), err=True)
    elif target.suffix.lower() in (".csv", ".xlsx"):
        typer.echo(text("next", file=target.name))
    return ExitStatus.CONFORMANT if made.complete else ExitStatus.INCOMPLETE
