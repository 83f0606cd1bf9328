"""``plantproof plant``: write an example, import asset lists, check a plant file, and emit the JSON Schema."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from conformance.cli.plant_import import import_lists
from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake

_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DEFAULT = Path("plant.yaml")
_texts = Texts.of("fixtures")

_PlantFile = Annotated[Path, typer.Argument(metavar="FILE", help=_texts.get("plant.help-file"))]

app = typer.Typer(help=Texts.of("conformance").get("cli.plant"), no_args_is_help=True, add_completion=False)


@app.command(help=_texts.get("plant.help-new"))
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_texts.get("plant.help-new-file"))] = _DEFAULT,
) -> None:
    """Write the commented example; an existing file is left as it is.

    Raises:
        UserMistake: if the file exists or cannot be written.
    """
    example = files("fixtures.plant").joinpath("example.yaml").read_bytes()
    try:
        with file.open("xb") as stream:
            stream.write(example)
    except FileExistsError:
        raise UserMistake([Problem("plant-exists", "fixtures", str(file))]) from None
    except OSError as error:
        facts = {"error": error.strerror or error}
        raise UserMistake([Problem("plant-cannot-write", "fixtures", str(file), facts=facts)]) from None
    typer.echo(_texts.get("plant.written", file=file))


@app.command(help=_texts.get("plant.help-check"))
def check(file: _PlantFile = _DEFAULT) -> None:
    """Check a plant file and its tables, and sum it up.

    Raises:
        UserMistake: with everything that is wrong.
    """
    from rich.console import Console

    from conformance.cli.plant_summary import summary
    from fixtures.plant.loader import load_plant

    parts = list(summary(load_plant(file)))
    Console().print(*parts, sep="\n")


app.command("import", help=_texts.get("plant.help-import"))(import_lists)


@app.command(help=_texts.get("plant.help-schema"))
def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of plant files."""
    from fixtures.plant.model import Plant

    made = {"$schema": _SCHEMA_DIALECT, **Plant.model_json_schema(by_alias=True, mode="validation")}
    typer.echo(json.dumps(made, ensure_ascii=False, indent=2))
