"""What of a list of needs this interpreter and its host lack; run once when a vantage point is opened.

It is a process of its own because it has the installed packages, which the worker leaves out, and because looking for a
shared library runs what that library does when it is loaded.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Sequence
from importlib.util import find_spec


def lacking(needs: Sequence[str]) -> list[str]:
    """Those of ``needs`` (``python:NAME``, ``library:NAME``, ``program:NAME``) that are not there."""
    return [need for need in needs if not _is_there(*need.partition(":")[::2])]


def _is_there(kind: str, name: str) -> bool:
    try:
        if kind == "python":
            return find_spec(name) is not None
        if kind == "library":
            return bool(ctypes.CDLL(name))
        return kind == "program" and shutil.which(name) is not None  # the PATH is that of probes.programs
    except (ImportError, OSError, ValueError):
        return False


def main() -> None:
    """Answer the list on standard input; the descriptor of the reply file is the last argument."""
    reply = json.dumps(lacking(json.load(sys.stdin)))
    with os.fdopen(int(sys.argv[-1]), "w", encoding="utf-8") as file:
        file.write(reply)
