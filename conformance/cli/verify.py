"""``plantproof verify``: whether a bundle is what was sealed, and whether its verdicts follow from its data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any

import typer

from profiles.language import Texts
from profiles.problem import UserMistake
from profiles.verdict import ExitStatus

if TYPE_CHECKING:
    from rich.table import Table

    from reports.verification import Verification

_ALTERED = 1  #: exit status; 0 is a sound bundle, and 4 (``ExitStatus.USAGE``) one that cannot be read
_SHOWN = 50  #: findings in the table


def verify(
    bundle: Annotated[Path, typer.Argument(help="folder of the bundle (证据包文件夹)")],
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable answer (机器可读)")] = False,
) -> int:
    """Hash every file of a bundle and judge it again; exit 0 sound, 1 altered, 4 unreadable (校验证据包)."""
    from reports.verify import verify as check

    try:
        verification = check(bundle)
    except UserMistake as mistake:
        if not as_json:
            raise
        _print_json({"bundle": str(bundle), "sound": None, "error": mistake.text()})
        return ExitStatus.USAGE
    if as_json:
        _print_json(_record(verification))
    else:
        _print(verification)
    return 0 if verification.sound else _ALTERED


def _print_json(answer: dict[str, Any]) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=1))


def _record(verification: Verification) -> dict[str, Any]:
    findings = [
        {"code": found.code, "place": found.place, "facts": dict(found.facts), "text": found.text()}
        for found in verification.alterations
    ]
    return {
        "bundle": str(verification.bundle),
        "campaign": verification.campaign,
        "version": verification.version,
        "sound": verification.sound,
        "files": verification.files,
        "observations": verification.observations,
        "items": verification.items,
        "chain": verification.chain and verification.chain.model_dump(),
        "findings": findings,
    }


def _print(verification: Verification) -> None:
    from rich.console import Console
    from rich.text import Text

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
    console.print(Text(texts.get("verify.unsigned"), "dim"))


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
