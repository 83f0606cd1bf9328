"""``plantproof sign``: further signatures, such as a witness's, and time-stamps for a sealed bundle."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake

if TYPE_CHECKING:
    from reports.signing.sign import Signing
    from reports.signing.sign import Stamper
    from reports.signing.signers import Signer


_texts = Texts.of("conformance")


def sign(
    bundle: Annotated[Path, typer.Argument(help=_texts.get("cli.bundle-folder"))],
    key: Annotated[list[str] | None, typer.Option("--key", metavar="KEY", help=_texts.get("cli.sign-key"))] = None,
    passphrase: Annotated[
        str | None,
        typer.Option("--passphrase", metavar="env:NAME", help=_texts.get("cli.key-passphrase")),
    ] = None,
    tsa: Annotated[str | None, typer.Option("--tsa", metavar="URL", help=_texts.get("cli.sign-tsa"))] = None,
    timestamp: Annotated[bool, typer.Option("--timestamp", help=_texts.get("cli.sign-timestamp"))] = False,
    write_query: Annotated[
        Path | None, typer.Option("--write-query", metavar="DIR", help=_texts.get("cli.sign-write-query"))
    ] = None,
    attach: Annotated[
        list[Path] | None, typer.Option("--attach", metavar="FILE.tsr", help=_texts.get("cli.sign-attach"))
    ] = None,
) -> int:
    """Verify a sealed bundle and sign it, or time-stamp its signatures; exit 3 if the authority is silent."""
    from reports.signing.authority import authority
    from reports.signing.authority import stamp
    from reports.signing.passphrase import Passphrase
    from reports.signing.signers import open_signers

    if not (key or timestamp or tsa or write_query or attach):
        raise UserMistake([Problem("sign-what", "reports")])
    url = authority(tsa)
    if timestamp and url is None:
        from reports.signing.authority import VARIABLE

        raise UserMistake([Problem("tsa-none", "reports", facts={"variable": VARIABLE})])
    if bundle.is_file():
        raise UserMistake([Problem("bundle-is-file", "reports", file=str(bundle))])
    secret = Passphrase(passphrase)
    _refuse_keys_inside(bundle, key or [])
    signers = open_signers(key or [], secret)
    stamper = partial(stamp, url) if url else None
    done = _signed(bundle, signers, stamper) if signers or timestamp or tsa else None
    _offline(bundle, write_query, attach or [])
    return 3 if done is not None and done.silent else 0


def _signed(bundle: Path, signers: list[Signer], stamper: Stamper | None) -> Signing:
    from reports.signing.sign import sign_bundle

    _see_that_it_is_sound(bundle, signers)
    done = sign_bundle(bundle, signers, stamper)
    lines = list(done.lines(bundle)) or [Texts.of("reports").get("sign.nothing-to-stamp")]
    for line in lines:
        typer.echo(line)
    return done


def _offline(bundle: Path, write_query: Path | None, answers: list[Path]) -> None:
    from reports.signing.names import short
    from reports.signing.sign import attach_stamp
    from reports.signing.sign import write_queries

    texts = Texts.of("reports")
    for answer in answers:
        typer.echo(texts.get("sign.attached", keyid=short(attach_stamp(bundle, answer))))
    if write_query is not None:
        if write_query.resolve().is_relative_to(bundle.resolve()):
            raise UserMistake([Problem("report-inside-bundle", "reports", file=str(write_query))])
        for path in write_queries(bundle, write_query):
            typer.echo(texts.get("sign.query", path=path, bundle=bundle))


def _see_that_it_is_sound(bundle: Path, signers: list[Signer]) -> None:
    """Whoever signs answers for what is there, so it is verified before.

    A signature may be what is missing, also one that was killed when its public part was there already.
    """
    from reports.signing.check import ANNOUNCED
    from reports.signing.check import ORPHAN
    from reports.signing.names import public_name
    from reports.verify import verify

    written_anew = {public_name(one.public.keyid) for one in signers}
    wrong = [
        found
        for found in verify(bundle).alterations
        if found.code != ANNOUNCED and not (found.code == ORPHAN and found.place in written_anew)
    ]
    if wrong:
        facts = {"count": len(wrong), "place": wrong[0].place, "first": wrong[0].text()}
        raise UserMistake([Problem("sign-unsound", "reports", file=str(bundle), facts=facts)])


def _refuse_keys_inside(bundle: Path, keys: list[str]) -> None:
    for key in keys:
        path = Path(key)
        if path.exists() and path.resolve().is_relative_to(bundle.resolve()):
            raise UserMistake([Problem("key-in-bundle", "reports", file=key)])
