"""``plantproof pack`` and ``unpack``: a bundle as one file to send, and the folder again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_OUT = typer.Option("--out", metavar="PATH", help="default: beside it (默认与其并列)")


def pack(
    bundle: Annotated[Path, typer.Argument(help="folder of the bundle (证据包文件夹)")],
    out: Annotated[Path | None, _OUT] = None,
) -> None:
    """Write a bundle as one .zip, the same bytes on every machine (把证据包打成一个文件)."""
    from reports import archive
    from reports.bundle import Bundle

    folder = Bundle.open(bundle).path.resolve()
    target = out or folder.with_name(f"{folder.name}{archive.SUFFIX}")
    archive.pack(folder, target)
    typer.echo(str(target))


def unpack(
    archive: Annotated[Path, typer.Argument(help="archive of a bundle (.zip 文件)")],
    out: Annotated[Path | None, _OUT] = None,
) -> None:
    """Write the folder of a packed bundle; whatever leads elsewhere or grows without bounds is refused (解开证据包)."""
    from reports.archive import unpack as write

    target = out or archive.with_suffix("")
    write(archive, target)
    typer.echo(str(target))
