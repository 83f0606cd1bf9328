"""``plantproof lab``: the virtual plant, up and down, and its defects."""

from __future__ import annotations

import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.language import current_language

if TYPE_CHECKING:
    from fixtures.lab.lab import Status

_texts = Texts.of("fixtures")


def _text(code: str, **facts: object) -> str:
    return _texts.get(f"lab.{code}", current_language(), **facts)


app = typer.Typer(help=Texts.of("conformance").get("cli.lab"), no_args_is_help=True, add_completion=False)

Name = Annotated[str, typer.Option(metavar="NAME", help=_text("help-name"))]
DEFAULT_NAME = "plant"

#: Styles of the words for a daemon's health.
_STYLES = {"answers": "green", "silent": "yellow", "dead": "red"}


class Switch(StrEnum):
    """Positions of a defect's switch."""

    ON = "on"
    OFF = "off"


@app.command(help=_text("help-up"))
def up(
    name: Name = DEFAULT_NAME,
    dir: Annotated[Path | None, typer.Option(metavar="DIR", help=_text("help-dir"))] = None,
) -> None:
    """Bring a virtual plant up; everything in it answers when this returns."""
    from fixtures.lab import Lab

    for terminating in (signal.SIGTERM, signal.SIGHUP):  # like Ctrl-C: what was made is removed
        if signal.getsignal(terminating) is not signal.SIG_IGN:  # as under nohup(1)
            signal.signal(terminating, signal.default_int_handler)
    lab = Lab.up(name, dir)
    _say("up", name=name, namespaces=len(lab.namespaces), terminals=len(lab.topology.register), plant=lab.plant_file)
    _say("next", name=name, plant=lab.plant_file, credentials=lab.credentials_file)


@app.command(help=_text("help-status"))
def status(name: Name = DEFAULT_NAME) -> None:
    """Show namespaces, daemons and defects; exit status 0 only if everything answers."""
    from fixtures.lab import names
    from fixtures.lab import status as ask

    found = ask(name)
    if found is None:
        _say("nothing", name=name, known=", ".join(names()) or "-")
        raise typer.Exit(1)
    _show(found)
    raise typer.Exit(0 if found.sound else 1)


@app.command(help=_text("help-down"))
def down(name: Name = DEFAULT_NAME) -> None:
    """Take a virtual plant down, whole or in pieces, however it was left."""
    from fixtures.lab import down as take_down

    removed = take_down(name)
    _say("down", name=name, namespaces=len(removed.namespaces), processes=len(removed.processes))


@app.command(help=_text("help-defect"))
def defect(
    which: Annotated[str, typer.Argument(metavar="NAME|list", help=_text("help-which"))],
    switch: Annotated[Switch | None, typer.Argument(metavar="on|off", help=_text("help-switch"))] = None,
    name: Name = DEFAULT_NAME,
) -> None:
    """Switch a defect on or off, or list them all."""
    from fixtures.lab import Lab

    if which == "list":
        _list_defects(name)
        return
    if switch is None:
        raise typer.BadParameter(_text("help-switch"), param_hint="on|off")
    chosen = Lab.attach(name).defect(which)
    if switch is Switch.ON:
        chosen.on()
    else:
        chosen.off()
    _say(f"defect-{switch}", defect=which, title=_in_language(chosen.defect.title.model_dump()))


@app.command(help=_text("help-plant"))
def plant(name: Name = DEFAULT_NAME) -> None:
    """Print the path of the plant file of a virtual plant that is up."""
    from fixtures.lab import Lab

    typer.echo(Lab.attach(name).plant_file)


def _list_defects(name: str) -> None:
    from rich.console import Console
    from rich.table import Table

    from fixtures.lab import DEFECTS
    from fixtures.lab import status as ask

    found = ask(name)
    active = found.defects if found else ()
    table = Table(*(_text(f"column-{column}") for column in ("defect", "switch", "meaning", "turns")))
    for defect in DEFECTS.values():
        turns = ", ".join(f"{requirement} {verdict}" for requirement, verdict in defect.turns.items())
        switch = Switch.ON if defect.id in active else Switch.OFF
        table.add_row(defect.id, switch, _in_language(defect.title.model_dump()), turns or _text("turns-nothing"))
    Console().print(table)


def _show(found: Status) -> None:
    from rich.console import Console
    from rich.table import Table

    _say(f"phase-{found.phase}", name=found.name, namespaces=len(found.namespaces))
    if found.missing:
        _say("missing", namespaces=" ".join(found.missing))
    if found.daemons:
        table = Table(*(_text(f"column-{column}") for column in ("daemon", "namespace", "pid", "health")))
        for daemon in found.daemons:
            style = _STYLES[daemon.health]
            health = _text(f"health-{daemon.health}")
            table.add_row(daemon.id, daemon.namespace, str(daemon.pid), f"[{style}]{health}[/{style}]")
        Console().print(table)
    if found.phase == "up":
        _say("defects", defects=" ".join(found.defects) or "-")
        _say("plant", plant=found.plant_file)


def _say(code: str, **facts: object) -> None:
    typer.echo(_text(code, **facts))


def _in_language(title: dict[str, str]) -> str:
    return title[current_language()]
