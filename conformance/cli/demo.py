"""``plantproof try``: the whole way from a plant file to a verified bundle, on the virtual plant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.language import current_language
from profiles.verdict import ExitStatus

_texts = Texts.of("conformance")

PROFILE = "virtual-plant"  #: something of every pillar, with limits for this plant


def try_plant(
    profile: Annotated[list[str] | None, typer.Option(help=_texts.get("cli.try-profile"))] = None,
    defect: Annotated[list[str] | None, typer.Option(help=_texts.get("cli.try-defect"))] = None,
    evidence: Annotated[Path | None, typer.Option(help=_texts.get("cli.try-evidence"))] = None,
    name: Annotated[str, typer.Option(help=_texts.get("cli.try-name"))] = "try",
) -> None:
    """Bring a virtual plant up, run the suites on it, seal and verify the bundle, take the plant down.

    Exits 0 when the campaign ran to its end and the bundle verifies, whatever the verdicts: this shows how it works.
    """
    from fixtures.lab import Lab
    from reports.verify import verify

    texts = Texts.of("conformance")
    directory = evidence or Path("evidence") / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    with Lab.up(name) as lab:
        typer.echo(texts.get("try.up", plant=lab.plant_file, namespaces=len(lab.namespaces)))
        for wanted in defect or []:
            lab.defect(wanted).on()
            typer.echo(texts.get("try.defect", defect=wanted))
        command = [sys.executable, "-m", "pytest", "--pyargs", "conformance", "-q", "-p", "no:cacheprovider"]
        command += ["--plant", str(lab.plant_file), "--evidence", str(directory)]
        command += ["--plantproof-lang", current_language()]
        for wanted in profile or [PROFILE]:
            command += ["--profile", wanted]
        status = _run(command, os.environ | lab.environment)
    if status not in (ExitStatus.CONFORMANT, ExitStatus.NONCONFORMANT, ExitStatus.INCOMPLETE):
        raise typer.Exit(ExitStatus.INTERRUPTED if status < 0 else status)
    verification = verify(directory / "bundle")
    if not verification.sound:
        typer.echo(texts.get("try.unsound", bundle=directory / "bundle"), err=True)
        raise typer.Exit(1)
    typer.echo(texts.get(f"try.ended-{status}", report=directory / "bundle" / "report.html", status=status))


def _run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a campaign to its end, also when it is told to stop: it seals what it has, and the plant stays up meanwhile.

    Ctrl-C reaches the campaign without help; SIGTERM is passed on to it.
    """
    with subprocess.Popen(command, env=environment) as process:
        usual = {
            signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
            signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: process.terminate()),
        }
        try:
            return process.wait()
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)
