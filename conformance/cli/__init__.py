"""The command line ``plantproof``: what is not testing. Testing itself is ``pytest conformance``.

Each group of commands is a module here that is imported only when it is used, so that ``plantproof --help`` and shell
completion answer at once. Help texts are made when a module is imported, hence in the language chosen before.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from profiles.language import LANGUAGES
from profiles.language import choose_language


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``plantproof`` with ``arguments`` (default: those of the process) and exit with its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    choose_language(_asked_language(given))

    from conformance.cli.app import run

    sys.exit(run(given or ["--help"]))


def _asked_language(arguments: Sequence[str]) -> str | None:
    """The value of ``--lang`` before the first command; a wrong one is left for the command line to refuse."""
    for index, argument in enumerate(arguments):
        if not argument.startswith("-"):
            break
        name, _, value = argument.partition("=")
        if name == "--lang":
            asked = value or next(iter(arguments[index + 1 :]), "")
            return asked if asked in LANGUAGES else None
    return None
