"""``plantproof waiver`` and ``plantproof particulars``: write an example of such a document, and check one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake

_texts = Texts.of("conformance")
_File = Annotated[Path, typer.Argument(metavar="FILE")]

waiver = typer.Typer(help=_texts.get("cli.waiver"), no_args_is_help=True, add_completion=False)
particulars = typer.Typer(help=_texts.get("cli.particulars"), no_args_is_help=True, add_completion=False)


@waiver.command("new", help=_texts.get("cli.document-new"))
def new_waivers(file: _File = Path("waivers.yaml")) -> None:
    """Write the commented example of waivers."""
    _write_example("waivers.yaml", file)


@particulars.command("new", help=_texts.get("cli.document-new"))
def new_particulars(file: _File = Path("particulars.yaml")) -> None:
    """Write the commented example of particulars."""
    _write_example("particulars.yaml", file)


@waiver.command("check", help=_texts.get("cli.waiver-check"))
def check_waivers(
    plant: Annotated[Path, typer.Option("--plant", metavar="PLANT.yaml", help=_texts.get("cli.waiver-plant"))],
    file: _File = Path("waivers.yaml"),
    profile: Annotated[
        list[str] | None, typer.Option("--profile", metavar="NAME|FILE", help=_texts.get("cli.waiver-profile"))
    ] = None,
) -> None:
    """Check a file of waivers against a plant and the profiles it is tested under.

    Raises:
        UserMistake: with everything that is wrong in any of them.
    """
    from conformance.plugin.documents import today
    from conformance.plugin.session import DEFAULT_PROFILE
    from fixtures.plant.loader import load_plant
    from fixtures.scoping import plan
    from profiles.loader import load_profile
    from reports.waivers import load_waivers
    from reports.wording import visible

    loaded = load_plant(plant)
    cases = plan(loaded, [load_profile(name) for name in profile or [DEFAULT_PROFILE]])
    for one in load_waivers(file, loaded, cases, today()).waivers:
        facts = {"id": one.id, "expires": one.expires, "owner": one.owner, "approver": one.approver}
        typer.echo(visible(_texts.get("cli.waiver-one", **facts)))
    typer.echo(_texts.get("cli.document-sound", file=file))


@particulars.command("check", help=_texts.get("cli.particulars-check"))
def check_particulars(file: _File = Path("particulars.yaml")) -> None:
    """Check a file of particulars, and say what is not stated.

    Raises:
        UserMistake: with everything that is wrong.
    """
    from reports.particulars import load_particulars

    stated = load_particulars(file)
    missing = [name for name in type(stated).model_fields if not getattr(stated, name)]
    if missing:
        typer.echo(_texts.get("cli.particulars-missing", fields=", ".join(missing)))
    typer.echo(_texts.get("cli.document-sound", file=file))


def _write_example(name: str, file: Path) -> None:
    example = files("reports.examples").joinpath(name).read_bytes()
    try:
        with file.open("xb") as stream:
            stream.write(example)
    except FileExistsError:
        raise UserMistake([Problem("document-exists", "conformance", str(file))]) from None
    except OSError as error:
        facts = {"error": error.strerror or error}
        raise UserMistake([Problem("document-cannot-write", "conformance", str(file), facts=facts)]) from None
    typer.echo(_texts.get("cli.document-written", file=file))
