"""The dialects that a plant's instruments need, ready to travel in an action's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from probes.dialects import load


def dialects(kind: str, names: Iterable[str]) -> dict[str, Any]:
    """Every dialect of ``names`` by name; a loaded plant names none that is not known.

    All of the plant, and not only those of one requirement, so that what is asked is the same for all of them.
    """
    return {name: load(kind, name) for name in sorted(set(names))}
