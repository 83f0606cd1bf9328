"""Passphrases and PINs: from an environment variable that is named, or asked of whoever sits at the terminal.

Never from the command line, which every process of the machine can read and the shell remembers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path

from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake

_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


class Passphrase:
    """Where the passphrase of a key comes from, if it has one."""

    def __init__(
        self,
        reference: str | None = None,
        environment: Mapping[str, str] = os.environ,
        ask: Callable[[str], str] | None = None,
    ) -> None:
        """Take ``env:NAME``, or ``None`` to ask the terminal.

        Raises:
            UserMistake: if ``reference`` is anything else, such as a passphrase, which is not repeated.
        """
        if reference is not None and not _REFERENCE.fullmatch(reference):
            raise UserMistake([Problem("passphrase-no-reference", "reports")])
        self._reference = reference
        self._environment = environment
        self._ask = ask or (getpass if _terminal() else None)

    def of(self, key: str, reference: str | None = None) -> str:
        """The passphrase of ``key``.

        Args:
            key: what it opens, to be shown.
            reference: ``env:NAME`` of this key's own.

        Raises:
            UserMistake: if the variable is not set, or there is no terminal to ask at.
        """
        if (asked := reference or self._reference) is None:
            return self._typed(key)
        match = _REFERENCE.fullmatch(asked)
        if match is None:
            raise UserMistake([Problem("passphrase-no-reference", "reports", file=key)])
        if not (value := self._environment.get(match[1])):
            raise UserMistake([Problem("passphrase-unset", "reports", file=key, facts={"name": match[1]})])
        return value

    def new(self, key: str) -> str | None:
        """The passphrase for a new key; an empty answer at the terminal means none.

        Raises:
            UserMistake: as for :meth:`of`, or if the two answers differ.
        """
        if self._reference is not None:
            return self.of(key)
        first = self._typed(key)
        if first and first != self._typed(key, "key.passphrase-again"):
            raise UserMistake([Problem("passphrase-differs", "reports", file=key)])
        return first or None

    def _typed(self, key: str, text: str = "key.passphrase") -> str:
        if self._ask is None:
            raise UserMistake([Problem("passphrase-needed", "reports", file=key)])
        return self._ask(Texts.of("reports").get(text, key=key))


def _terminal() -> bool:
    """Whether somebody can be asked; standard input may be anything meanwhile."""
    try:
        with Path("/dev/tty").open("rb"):
            return True
    except OSError:
        return False
