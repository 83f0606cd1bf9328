"""The command ``plantproof``: its groups, its language, and what becomes of a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated
from typing import Any

import typer
from typer.core import TyperCommand
from typer.core import TyperGroup

from profiles.language import LANGUAGES
from profiles.language import Texts
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus

#: Name of a command: module here, and its Typer group or command function. In the order of ``--help``: as
#: they come in the life of a campaign.
COMMANDS = {
    "try": ("demo", "try_plant"),
    "lab": ("lab", "app"),
    "plant": ("plant", "app"),
    "profile": ("profile", "app"),
    "particulars": ("documents", "particulars"),
    "waiver": ("documents", "waiver"),
    "key": ("key", "app"),
    "sign": ("sign", "sign"),
    "verify": ("verify", "verify"),
    "pack": ("pack", "pack"),
    "unpack": ("pack", "unpack"),
    "report": ("report", "report"),
    "check-form": ("check_form", "check_form"),
    "compare": ("compare", "compare"),
    "score": ("score", "score"),
    "fleet": ("fleet", "app"),
}

#: Base of the exceptions for wrong arguments, of which typer names only this descendant.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]

_texts = Texts.of("conformance")


class LazyGroup(TyperGroup):
    """Lists its commands from the text catalogue, and imports one only when it is called."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  # passed on to typer
        super().__init__(**settings)
        self.commands.update({name: TyperCommand(name, help=_texts.get(f"cli.{name}")) for name in COMMANDS})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  # click's types have no public name
        """The command that the first argument names, imported."""
        name, listed, rest = super().resolve_command(ctx, args)
        if name not in COMMANDS:
            return name, listed, rest
        found = _imported(name)
        if ctx.obj:
            from conformance.cli.framework import speak

            speak(found)
        return name, found, rest


app = typer.Typer(cls=LazyGroup, help=_texts.get("cli.plantproof"))


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"plantproof {version('plantproof')}")
        raise typer.Exit


def _known_language(asked: str | None) -> None:
    if asked is not None and asked not in LANGUAGES:
        raise typer.BadParameter(_texts.get("cli.unknown-language", found=asked), param_hint="--lang")


@app.callback()
def plantproof(
    _lang: Annotated[
        str | None,
        typer.Option("--lang", metavar="zh|en", callback=_known_language, is_eager=True, help=_texts.get("cli.lang")),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help=_texts.get("cli.version"))
    ] = False,
) -> None:
    """Options of every command; :func:`conformance.cli.main` has chosen the language before this is imported."""


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status: what it raises as ``typer.Exit`` or returns as an ``int``.

    A user's mistake, in a file or on the command line, is told as text and is
    :attr:`~profiles.verdict.ExitStatus.USAGE`.
    """
    command = typer.main.get_command(app)
    helping = _may_show_help(arguments)
    if helping:
        from conformance.cli.framework import speak

        speak(command)
    try:
        status = command.main(list(arguments), prog_name="plantproof", standalone_mode=False, obj=helping)
    except UserMistake as mistake:
        from reports.wording import visible

        typer.echo(visible(mistake.text()), err=True)
        return ExitStatus.USAGE
    except _USAGE_ERROR as error:
        error.show()  # type: ignore[attr-defined]  # click's own
        return ExitStatus.USAGE
    except typer.Abort:
        return ExitStatus.INTERRUPTED
    return status if isinstance(status, int) else 0


def _may_show_help(arguments: Sequence[str]) -> bool:
    """Whether help is asked for, or may come by itself: of a group that is named without a command."""
    return "--help" in arguments or sum(not argument.startswith("-") for argument in arguments) <= 2


def _imported(name: str) -> Any:  # noqa: ANN401  # as above
    module, attribute = COMMANDS[name]
    found = getattr(import_module(f"conformance.cli.{module}"), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, typer.Typer(add_completion=False)
        found.command(name, help=_texts.get(f"cli.{name}-does"))(function)
    command = typer.main.get_command(found)
    command.name = name
    return command
