"""The report as one HTML file, made from a bundle alone: offline, in both languages, with no external request."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from markupsafe import Markup

from profiles.language import LANGUAGES
from profiles.problem import UserMistake
from reports.bundle import Bundle
from reports.drawings.charts import tally_bar
from reports.fingerprint import COMMAND
from reports.html.gallery import Gallery
from reports.html.gallery import gallery
from reports.view.material import material
from reports.view.page import view
from reports.wording import say
from reports.wording import visible

#: Environment variable; ``no`` leaves the pictures out of reports that are written, which then take no seconds to draw.
PICTURES = "PLANTPROOF_PICTURES"
#: Parts of the page's script, in the order in which they are joined.
_SCRIPTS = ("page", "lists", "register", "start")
#: Texts that the script says, by the last part of their code.
_SPOKEN = (
    "verdict.not-tested", "verdict.not-applicable", "verdict.error", "register.named", "register.nothing-found",
    "register.not-drawn", "register.asked", "register.none", "control.cut-on-paper",
)  # fmt: skip
#: Heads of the columns of the register, saved as a table.
_COLUMNS = (
    "column.target", "column.name", "column.zone", "column.area", "column.class", "dimension.technology",
    "column.addresses", "register.state", "register.layer", "register.found",
)  # fmt: skip


def render(bundle: Bundle, language: str = "zh", *, pictured: bool = False) -> str:
    """The report as HTML; both languages are in it, and ``language`` is the one it opens in.

    Args:
        bundle: what is reported.
        language: ``zh`` or ``en``.
        pictured: whether the pictures of :mod:`reports.pictures` are in it, which take seconds to draw.

    Raises:
        UserMistake: if a file of the bundle is missing or malformed.
        ValueError: for a language that is not one of :data:`profiles.language.LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
    page = view(material(bundle))
    shown, undrawn = _gallery(bundle) if pictured else (Gallery([], ""), "")
    environment = _environment()
    style, script = Markup(_source(environment, "report.css") + shown.style), _script(environment)  # noqa: S704 - ours
    return environment.get_template("report.html.jinja").render(
        page=page,
        language=language,
        style=style,
        script=script,
        policy=_policy(style, script),
        data=page.paged.as_json(page.items) | {"texts": _texts()},
        gallery=shown,
        undrawn=undrawn,
        fingerprint_command=COMMAND,
        snippet=_source(environment, "rows.py.txt"),
        tally=tally_bar([(tally.verdict, tally.count) for tally in page.tallies if tally.count]),
    )


def write_report(bundle: Bundle, out: Path, language: str = "zh") -> None:
    """Write the report to ``out``, which is replaced; with pictures, unless the environment says no (:data:`PICTURES`).

    Raises:
        OSError: if it cannot be written.
        UserMistake: if a file of the bundle is missing or malformed.
    """
    pictured = os.environ.get(PICTURES) != "no"
    out.write_text(render(bundle, language, pictured=pictured), encoding="utf-8")


def _gallery(bundle: Bundle) -> tuple[Gallery, str]:
    """The pictures; or none, and why they cannot be drawn here, such as for want of a font."""
    from reports.pictures import pictures

    found = pictures(bundle)
    try:
        return gallery(found), ""
    except UserMistake as mistake:
        return Gallery([], ""), str(mistake)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["say"] = say
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    return environment


def _shown(value: Any) -> Any:  # noqa: ANN401 - whatever a template prints
    """Spell out control and reordering characters in everything a template prints, whoever wrote it."""
    if isinstance(value, Markup):
        return Markup(visible(value))  # noqa: S704 - replaces characters that need no escape by others that need none
    return visible(value) if isinstance(value, str) else value


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101 - set above
    return environment.loader.get_source(environment, name)[0]


def _script(environment: Environment) -> Markup:
    """The page's script: its parts, in a scope of their own."""
    parts = "".join(_source(environment, f"script/{name}.js") for name in _SCRIPTS)
    return Markup(f'"use strict";\n(() => {{\n{parts}}})();\n')  # noqa: S704 - ours


def _texts() -> dict[str, Any]:
    """What the script itself says, in both languages."""
    open_fields = {name: f"{{{name}}}" for name in ("count", "shown", "total")}  # which the script fills
    said: dict[str, Any] = {code.rpartition(".")[2]: say(code, **open_fields) for code in _SPOKEN}
    return said | {"columns": [say(code) for code in _COLUMNS]}


def _policy(style: str, script: str) -> str:
    """The content security policy: this style, this script, and nothing from anywhere else."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
