"""``plantproof key``: make a signing key, and show the public part of one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from profiles.language import Texts

_texts = Texts.of("conformance")
app = typer.Typer(help=_texts.get("cli.key"), no_args_is_help=True, add_completion=False)

_PASSPHRASE = typer.Option("--passphrase", metavar="env:NAME", help=_texts.get("cli.key-passphrase"))


@app.command("new", help=_texts.get("cli.key-new"))
def new(
    path: Annotated[Path, typer.Argument(help=_texts.get("cli.key-path"))],
    kind: Annotated[str, typer.Option("--kind", metavar="NAME", help=_texts.get("cli.key-kind"))] = "ed25519",
    passphrase: Annotated[str | None, _PASSPHRASE] = None,
    unprotected: Annotated[bool, typer.Option("--unprotected", help=_texts.get("cli.key-unprotected"))] = False,
) -> None:
    """Make a private key in a new file and its public key beside it, in ``PATH.pub``."""
    from reports.signing.keyfile import KINDS
    from reports.signing.keyfile import make_key
    from reports.signing.passphrase import Passphrase

    if kind not in KINDS:
        said = _texts.get("cli.key-unknown-kind", found=kind, known=", ".join(KINDS))
        raise typer.BadParameter(said, param_hint="--kind")
    secret = None if unprotected else Passphrase(passphrase).new(str(path))
    part, public = make_key(path, kind, secret)
    texts = Texts.of("reports")
    typer.echo(texts.get("key.made", algorithm=part.algorithm, path=path, public=public))
    if secret is None:
        typer.echo(texts.get("key.unprotected"))
    typer.echo(part.keyid)


@app.command("show", help=_texts.get("cli.key-show"))
def show(
    name: Annotated[str, typer.Argument(metavar="KEY", help=_texts.get("cli.key-name"))],
    passphrase: Annotated[str | None, _PASSPHRASE] = None,
) -> None:
    """Print the id and the PEM text of the public part of a private key, a token's key, a public key or certificate."""
    from profiles.problem import UserMistake
    from reports.signing.expected import Expected
    from reports.signing.passphrase import Passphrase
    from reports.signing.signers import open_signer

    try:
        (part,) = Expected.read([Path(name)]).keys if os.path.lexists(name) else ()
    except (UserMistake, ValueError):  # a private key, or a URI
        part = open_signer(name, Passphrase(passphrase)).public
    typer.echo(f"{part.keyid}  {part.algorithm}")
    typer.echo(part.pem.decode(), nl=False)
