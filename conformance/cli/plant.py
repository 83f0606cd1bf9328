"""``plantproof plant``: write an example of a plant file, check one, and emit the JSON Schema for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus

app = typer.Typer(no_args_is_help=True, help="Plant files (工厂描述文件): example, check, JSON Schema.")

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="file to write; must not exist (要写的文件，不得已存在)")] = Path(
        "plant.yaml"
    ),
) -> None:
    """Write a commented example of a plant file (写出带注释的示例)."""
    example = files("fixtures.plant").joinpath("example.yaml").read_bytes()
    with _mistakes_told():
        try:
            with file.open("xb") as stream:
                stream.write(example)
        except FileExistsError:
            raise UserMistake([Problem("plant-exists", "fixtures", str(file))]) from None
        except OSError as error:
            facts = {"error": error.strerror or error}
            raise UserMistake([Problem("plant-cannot-write", "fixtures", str(file), facts=facts)]) from None
    typer.echo(Texts.of("fixtures").get("plant.written", file=file))


@app.command()
def check(file: Annotated[Path, typer.Argument(help="plant file (工厂文件)")] = Path("plant.yaml")) -> None:
    """Check a plant file and its tables, and sum it up; exit status 4 if anything is wrong (检查并汇总)."""
    from rich.console import Console

    from conformance.cli.plant_summary import summary
    from fixtures.plant.loader import load_plant

    with _mistakes_told():
        parts = list(summary(load_plant(file)))
    Console().print(*parts, sep="\n")


@app.command()
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of plant files (输出 JSON Schema)."""
    from fixtures.plant.model import Plant

    made = {"$schema": _SCHEMA_DIALECT, **Plant.model_json_schema(by_alias=True, mode="validation")}
    typer.echo(json.dumps(made, ensure_ascii=False, indent=2))


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """Tell a user's mistakes as text and end with the status for them."""
    try:
        yield
    except UserMistake as mistake:
        typer.echo(mistake.text(), err=True)
        count = Texts.of("fixtures").get("plant.mistakes", count=len(mistake.problems))
        typer.echo(count, err=True)
        raise typer.Exit(ExitStatus.USAGE) from None
