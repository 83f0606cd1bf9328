"""``plantproof profile``: list, show and check profiles, and emit their JSON Schema."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from profiles.language import Texts
from profiles.language import current_language
from profiles.loader import dump
from profiles.loader import load_profile
from profiles.loader import shipped
from profiles.requirement import Bilingual
from profiles.requirement import Profile
from profiles.requirement import Provenance
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.requirement import Scope
from profiles.requirement import Source
from reports.wording import visible

if TYPE_CHECKING:
    from rich.table import Table

_texts = Texts.of("conformance")
_reports = Texts.of("reports")

app = typer.Typer(help=_texts.get("cli.profile"), no_args_is_help=True, add_completion=False)


def _names(incomplete: str) -> list[str]:
    """Shipped profiles, for shell completion."""
    return [name for name in shipped() if name.startswith(incomplete)]


_Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=_names, help=_texts.get("cli.profile-show-name"))]


@app.command("list", help=_texts.get("cli.profile-list"))
def list_profiles() -> None:
    """List the shipped profiles."""
    table = _table(_texts.get("cli.profile-list-columns"))
    for profile in map(load_profile, shipped()):
        undecided = sum(_undecided(requirement) for requirement in profile.requirements)
        cells = (profile.profile, _said(profile.title), profile.version, str(len(profile.requirements)), str(undecided))
        table.add_row(*cells)
    _print(table)


@app.command(help=_texts.get("cli.profile-show"))
def show(
    name: _Name,
    requirement: Annotated[
        str | None, typer.Option(metavar="ID", help=_texts.get("cli.profile-show-requirement"))
    ] = None,
    details: Annotated[bool, typer.Option("--details", help=_texts.get("cli.profile-show-details"))] = False,
    resolved: Annotated[bool, typer.Option("--resolved", help=_texts.get("cli.profile-show-resolved"))] = False,
) -> None:
    """Show a profile, or one of its requirements."""
    profile = load_profile(name)
    if resolved:
        typer.echo(dump(profile), nl=False)
        return
    if requirement is not None:
        _print(_details(_requirement(profile, requirement), profile))
        return
    _print(f"{_said(profile.title)}  {profile.profile} {profile.version}", _said(profile.description), "")
    if details:
        for entry in profile.requirements:
            _print(_details(entry, profile), "")
    else:
        _print(_overview(profile))


@app.command(help=_texts.get("cli.profile-check"))
def check(file: _Name) -> None:
    """Check a profile file: one line if it is sound, else every problem, and exit status 4."""
    profile = load_profile(file)
    sources = Counter(entry.threshold.source.provenance for entry in profile.requirements if entry.threshold)
    said = (f"{_reports.get(f'report.provenance.{key}')} {sources[key]}" for key in Provenance if sources[key])
    _print(
        _texts.get(
            "cli.profile-check-ok",
            profile=profile.profile,
            version=profile.version,
            count=len(profile.requirements),
            provenances=(", " if current_language() == "en" else "，").join(said) or "–",
            open=sum(_undecided(entry) for entry in profile.requirements),
            info=sum(entry.rule is Rule.INFO for entry in profile.requirements),
            omitted=len(profile.omitted),
        )
    )


@app.command(help=_texts.get("cli.profile-schema"))
def schema() -> None:
    """Print the JSON Schema of profile files."""
    from profiles.schema import schema as made

    typer.echo(json.dumps(made(), ensure_ascii=False, indent=2))


def _undecided(requirement: Requirement) -> bool:
    """Whether the source names the indicator and states no limit, so that somebody must set one."""
    return requirement.threshold is None and requirement.rule is not Rule.INFO


def _requirement(profile: Profile, id: str) -> Requirement:
    found = next((entry for entry in profile.requirements if entry.id == id.upper()), None)
    if found is None:
        allowed = ", ".join(entry.id for entry in profile.requirements)
        said = _texts.get("cli.profile-no-requirement", profile=profile.profile, found=id, allowed=allowed)
        raise typer.BadParameter(said, param_hint="--requirement")
    return found


def _overview(profile: Profile) -> Table:
    table = _table(_texts.get("cli.profile-show-columns"))
    for entry in profile.requirements:
        rule = entry.rule.value + (f" / {entry.sample_rule.value}" if entry.sample_rule else "")
        origin = _provenance(entry.threshold.source) if entry.threshold else ""
        if entry.id in profile.omitted:
            origin = _texts.get("cli.profile-omitted", reason=profile.omitted[entry.id])
        table.add_row(entry.id, _said(entry.title), _limit(entry), rule, visible(origin))
    return table


def _details(entry: Requirement, profile: Profile) -> Table:
    """Everything about one requirement, one fact a line; facts it does not have are left out."""
    from rich.table import Table

    limit = entry.threshold.source if entry.threshold else None
    facts = (
        entry.indicator,
        _scope(entry.scope),
        ", ".join(_reports.get(f"report.dimension.{dimension}") for dimension in entry.breakdown),
        _rules(entry),
        _limit(entry),
        _cited(limit) if limit else "",
        (limit.quote or "") if limit else "",
        _cited(entry.source),
        entry.source.quote or "",
        json.dumps(entry.parameters, ensure_ascii=False) if entry.parameters else "",
        profile.omitted.get(entry.id, ""),
        _said(entry.remedy),
    )
    table = Table(title=f"{entry.id}  {_said(entry.title)}", title_justify="left", show_header=False, box=None)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    names = _texts.get("cli.profile-show-fields").split("|")
    for name, fact in zip(names, facts, strict=True):
        if fact:
            table.add_row(name, visible(fact))
    return table


def _scope(scope: Scope) -> str:
    dimensions = (("class", scope.classes), ("technology", scope.technologies), ("segment", scope.segments))
    words = [_reports.get(f"report.{dimension}.{value}") for dimension, values in dimensions for value in values]
    return ", ".join([*words, *scope.zones])


def _rules(entry: Requirement) -> str:
    facts: dict[str, object] = {"confidence": f"{entry.confidence * 100:g}", "quantile": entry.quantile}
    said = _reports.get(f"report.rule.{entry.rule.value}", None, **facts)
    if entry.sample_rule:
        rule = _reports.get(f"report.rule.{entry.sample_rule.value}", None, **facts)
        said += "\n" + _reports.get("report.rule.sample", rule=rule)
    return said


def _limit(entry: Requirement) -> str:
    if entry.threshold:
        return f"{entry.threshold.op} {entry.threshold.value}"
    return _texts.get("cli.profile-info-only" if entry.rule is Rule.INFO else "cli.profile-no-limit")


def _cited(source: Source) -> str:
    words = [source.standard, source.clause, source.edition or "", _provenance(source)]
    words.append(_reports.get(f"report.provenance.{'verified' if source.verified else 'unverified'}"))
    return (", " if current_language() == "en" else "，").join(word for word in words if word)


def _provenance(source: Source) -> str:
    return _reports.get(f"report.provenance.{source.provenance.value}")


def _said(text: Bilingual) -> str:
    return visible(text.zh if current_language() == "zh" else text.en)


def _table(columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns.split("|")):
        table.add_column(column, no_wrap=index == 0, overflow="fold")
    return table


def _print(*things: Table | str) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    for thing in things:
        console.print(thing, soft_wrap=isinstance(thing, str))
