"""``plantproof verify``: is a bundle what was sealed, by whom, and do its verdicts follow from its data?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus

if TYPE_CHECKING:
    from rich.table import Table

    from reports.answer import VerificationAnswer
    from reports.signing.found import SignatureFound
    from reports.verification import Verification

_texts = Texts.of("conformance")

_ALTERED = 1  #: exit status; 0 is a sound bundle, and 4 (``ExitStatus.USAGE``) one that cannot be read
_SHOWN = 50  #: findings in the table


def verify(
    bundle: Annotated[Path, typer.Argument(help=_texts.get("cli.bundle"))],
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", metavar="PEM", help=_texts.get("cli.verify-key")),
    ] = None,
    trust: Annotated[
        list[Path] | None, typer.Option("--trust", metavar="CA.pem", help=_texts.get("cli.verify-trust"))
    ] = None,
    tsa_trust: Annotated[
        list[Path] | None, typer.Option("--tsa-trust", metavar="CA.pem", help=_texts.get("cli.verify-tsa-trust"))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_texts.get("cli.json"))] = False,
) -> int:
    """Hash every file, judge again, check signatures; exit 0 sound, 1 altered, 4 unreadable."""
    from reports.answer import VerificationAnswer
    from reports.answer import answer
    from reports.signing.expected import Expected
    from reports.verify import verify as check

    try:
        verification = check(bundle, Expected.read(key or (), trust or (), tsa_trust or ()))
    except UserMistake as mistake:
        if not as_json:
            raise
        _print_json(VerificationAnswer(bundle=str(bundle), sound=None, error=mistake.text()))
        return ExitStatus.USAGE
    if as_json:
        _print_json(answer(verification))
    else:
        _print(verification)
    return 0 if verification.sound else _ALTERED


def _print_json(answer: VerificationAnswer) -> None:
    typer.echo(answer.model_dump_json(indent=1))


def _print(verification: Verification) -> None:
    from rich.console import Console
    from rich.text import Text

    from reports.wording import visible

    texts = Texts.of("reports")
    console = Console()
    if verification.sound:
        console.print(Text(f"● {texts.get('verify.ok')}", "green"))
    else:
        said = texts.get("verify.altered", count=len(verification.alterations))
        console.print(Text(f"✕ {said}", "bold red"))
        console.print(_table(verification))
        if (more := len(verification.alterations) - _SHOWN) > 0:
            console.print(Text(texts.get("verify.more", count=more), "dim"))
    files, observations, items = verification.files, verification.observations, verification.items
    checked = texts.get("verify.checked", files=files, observations=observations, items=items)
    console.print(Text(checked, "dim"))
    console.print(Text(_chained(verification), "dim"))
    for line in _signatures(verification):
        console.print(Text(line))
    if not verification.signatures:
        said = "verify.unsigned" if verification.chain is not None else "verify.unsigned-unchained"
        console.print(Text(texts.get(said), "dim"))
    elif not any(one.identified for one in verification.signatures):
        console.print(Text(texts.get("verify.unidentified"), "yellow"))
    for note in verification.notes:
        console.print(Text(f"{visible(note.place)}: {note.text()}", "dim"))


def _signatures(verification: Verification) -> Iterator[str]:
    """Each signature and its time-stamps, a line each."""
    texts = Texts.of("reports")
    for one in verification.signatures:
        mark = "✓" if one.identified else "•" if one.valid else "✕"
        yield f"{mark} {_signature(one)}"
        for stamp in one.stamps:
            if stamp.time is not None and not stamp.error:
                said = "verify.stamp-trusted" if stamp.trusted else "verify.stamp-unknown"
                yield f"  {texts.get(said, time=f'{stamp.time:%Y-%m-%d %H:%M:%S} UTC')}"


def _signature(one: SignatureFound) -> str:
    from reports.signing.names import short
    from reports.wording import visible

    texts = Texts.of("reports")
    if not one.valid:
        return texts.get("verify.signature-wrong", keyid=short(one.keyid))
    facts = {"keyid": short(one.keyid), "algorithm": one.algorithm, "subject": visible(one.subject)}
    claimed = texts.get("verify.signature-claimed", **facts) if one.subject else ""
    return texts.get(f"verify.signature-{one.identified or 'right'}", claimed=claimed, **facts)


def _chained(verification: Verification) -> str:
    """What there is of a hash chain."""
    texts, chain = Texts.of("reports"), verification.chain
    if chain is None:
        return texts.get("verify.no-chain", version=verification.version)
    said = texts.get("verify.chain", **chain.model_dump())
    return f"{said} {texts.get('verify.adopted', count=chain.adopted)}" if chain.adopted else said


def _table(verification: Verification) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from reports.wording import visible

    texts = Texts.of("reports")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    table.add_column(texts.get("verify.place"), overflow="fold", ratio=1)
    table.add_column(texts.get("verify.finding-column"), overflow="fold", ratio=2)
    for found in verification.alterations[:_SHOWN]:
        table.add_row(Text(visible(found.place)), Text(found.text()))
    return table
