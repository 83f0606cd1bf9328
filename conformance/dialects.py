"""The dialects that a plant's instruments need, ready to travel in an action's parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from probes.dialects import known
from probes.dialects import load
from profiles.problem import Problem
from profiles.problem import UserMistake


def dialects(kind: str, place: str, names: Iterable[str]) -> dict[str, Any]:
    """Every dialect of ``names`` by name; ``names`` are those of all entries of the plant file's list ``place``.

    All of the plant, and not only those of one requirement, so that what is asked is the same for all of them.

    Raises:
        UserMistake: naming each entry whose dialect nobody knows.
    """
    listed = list(names)
    unknown = [(index, name) for index, name in enumerate(listed) if name not in known(kind)]
    if unknown:
        facts = {"kind": kind, "known": ", ".join(sorted(known(kind)))}
        raise UserMistake(
            Problem("unknown-dialect", "conformance", path=f"{place}[{index}].dialect", facts=facts | {"found": name})
            for index, name in unknown
        )
    return {name: load(kind, name) for name in sorted(set(listed))}
