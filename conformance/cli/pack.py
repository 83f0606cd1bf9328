"""``plantproof pack`` and ``unpack``: a bundle as one file to send, and the folder again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from profiles.language import Texts

_texts = Texts.of("conformance")

_OUT = typer.Option("--out", metavar="PATH", help=_texts.get("cli.pack-out"))


def pack(
    bundle: Annotated[Path, typer.Argument(help=_texts.get("cli.bundle-folder"))],
    out: Annotated[Path | None, _OUT] = None,
) -> None:
    """Write a bundle as one .zip, the same bytes on every machine."""
    from reports import archive
    from reports.bundle import Bundle

    folder = Bundle.open(bundle).path.resolve()
    target = out or folder.with_name(f"{folder.name}{archive.SUFFIX}")
    archive.pack(folder, target)
    typer.echo(str(target))


def unpack(
    archive: Annotated[Path, typer.Argument(help=_texts.get("cli.unpack-archive"))],
    out: Annotated[Path | None, _OUT] = None,
) -> None:
    """Write the folder of a packed bundle; whatever leads elsewhere or grows without bounds is refused."""
    from reports.archive import unpack as write

    target = out or archive.with_suffix("")
    write(archive, target)
    typer.echo(str(target))
