"""What the library of the command line says by itself in ``--help``, in the reader's language."""

from __future__ import annotations

from typing import Any

import typer
from typer import rich_utils

from profiles.language import Texts
from profiles.language import current_language

_make_rich_text = rich_utils._make_rich_text  # noqa: SLF001 - as in :func:`speak`


def speak(command: Any) -> None:  # noqa: ANN401  # click's types have no public name
    """Put the catalogue's texts in place of the library's own, for ``command`` and those below it."""
    texts = Texts.of("conformance")
    for name in ("arguments", "options", "commands"):
        setattr(rich_utils, f"{name.upper()}_PANEL_TITLE", texts.get(f"cli.framework.{name}"))
    rich_utils.DEFAULT_STRING = texts.raw("cli.framework.default", current_language())
    rich_utils.REQUIRED_LONG_STRING = texts.get("cli.framework.required")
    rich_utils._make_rich_text = _folding  # noqa: SLF001 - Chinese has no spaces to break lines at, and would be cut
    _describe(command, texts)


def _folding(**facts: Any) -> Any:  # noqa: ANN401  # as above
    text: Any = _make_rich_text(**facts)
    text.overflow = "fold"
    return text


def _describe(command: Any, texts: Texts) -> None:  # noqa: ANN401  # as above
    asking = command.get_help_option(typer.Context(command))
    if asking is not None:
        asking.help = texts.get("cli.framework.help")
    for option in command.params:
        if option.name in {"install_completion", "show_completion"}:
            option.help = texts.get(f"cli.framework.{option.name}")
    for below in getattr(command, "commands", {}).values():
        _describe(below, texts)
