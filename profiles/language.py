"""Texts in two languages, keyed by code, kept as data in a ``texts.toml`` beside the code that says them.

A catalogue is a TOML file of tables: ``[problem.unknown-key]`` with the keys ``zh`` and ``en``; ``{name}`` in a text is
filled from the facts. Chinese is the default: most readers of this tool read Chinese first.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("zh", "en")
_chosen: list[str] = []


def choose_language(language: str | None) -> None:
    """Set the language of everything said from now on; ``None`` returns to the environment's.

    Raises:
        ValueError: for a language that is not one of :data:`LANGUAGES`.
    """
    _chosen.clear()
    if language is not None:
        if language not in LANGUAGES:
            raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, not {language!r}")
        _chosen.append(language)


def current_language() -> str:
    """The chosen language, else ``PLANTPROOF_LANG``, else English under an ``en*`` locale, else Chinese."""
    if _chosen:
        return _chosen[0]
    asked = os.environ.get("PLANTPROOF_LANG", "")[:2]
    if asked in LANGUAGES:
        return asked
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if locale.startswith("en") else "zh"


class Texts:
    """One package's catalogue."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._table: dict[str, Any] = tomllib.loads(files(package).joinpath("texts.toml").read_text("utf-8"))

    @classmethod
    def of(cls, package: str) -> Texts:
        """The catalogue of ``package``, read once."""
        return _catalogue(package)

    def get(self, code: str, language: str | None = None, /, **facts: object) -> str:
        """The text of ``code`` (dotted), filled with ``facts``.

        Raises:
            KeyError: if the catalogue has no such text; a test sees to it that all codes used exist.
        """
        return self.raw(code, language or current_language()).format(**facts)

    def raw(self, code: str, language: str) -> str:
        """The text of ``code`` as the catalogue has it, not filled. Raises like :meth:`get`."""
        entry: Any = self._table
        for part in code.split("."):
            entry = entry[part]
        text: str = entry[language]
        return text

    def codes(self) -> list[str]:
        """Every code of this catalogue, dotted."""

        def walk(table: dict[str, Any], prefix: str) -> list[str]:
            if all(language in table for language in LANGUAGES):
                return [prefix]
            return [code for key, value in table.items() for code in walk(value, f"{prefix}.{key}" if prefix else key)]

        return walk(self._table, "")


@cache
def _catalogue(package: str) -> Texts:
    return Texts(package)
