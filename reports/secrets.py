"""Secrets stay out of evidence: whatever a plant file refers to as ``env:NAME`` is looked for before sealing.

A variable may hold one secret, or several in JSON; then every text in it is looked for by itself as
well, but for the names of users and protocols.
"""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from fixtures.plant.model import Plant

_SHORTEST = 4  #: characters; anything shorter occurs everywhere by chance
_PUBLIC = frozenset(
    {"user", "protocol"}
)  #: fields of JSON whose values are no secrets: ``SHA-256`` stands in any report
_CHUNK = 1 << 20


class Secrets:
    """The secrets a plant refers to, and whether a text holds one of them."""

    def __init__(self, plant: Plant, environment: Mapping[str, str] = os.environ) -> None:
        self._names: dict[bytes, str] = {}
        for device in plant.devices:
            kind, _, name = (device.credentials or "").partition(":")
            if kind == "env":
                for secret in _secrets(environment.get(name, "")):
                    self._names |= dict.fromkeys(_spellings(secret), f"env:{name}")
        self._longest = max(map(len, self._names), default=0)

    def __bool__(self) -> bool:
        return bool(self._names)

    def in_texts(self, texts: Iterable[object]) -> str | None:
        """The reference whose secret stands in one of ``texts``, or ``None``."""
        return self._in_bytes("\0".join(map(str, texts)).encode()) if self else None

    def in_file(self, path: Path) -> str | None:
        """The reference whose secret stands in the file, or ``None``."""
        if not self:
            return None
        kept = b""
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                if found := self._in_bytes(kept + chunk):
                    return found
                kept = (kept + chunk)[-self._longest :]
        return None

    def _in_bytes(self, content: bytes) -> str | None:
        return next((name for secret, name in self._names.items() if secret in content), None)


def _secrets(value: str) -> Iterator[str]:
    """The variable's value and, where it is JSON, every text in it but those of :data:`_PUBLIC` fields."""
    waiting: list[object] = [value]
    with suppress(ValueError, RecursionError):  # then it is one secret
        waiting.append(json.loads(value))
    while waiting:
        part = waiting.pop()
        if isinstance(part, str) and len(part) >= _SHORTEST:
            yield part
        elif isinstance(part, dict):
            waiting += [value for name, value in part.items() if name not in _PUBLIC]
        elif isinstance(part, list):
            waiting += part


def _spellings(secret: str) -> set[bytes]:
    """``secret`` as it is, and as JSON and markup write it."""
    json_texts = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    return {
        spelling.encode() for spelling in (secret, html.escape(secret), html.escape(secret, quote=False), *json_texts)
    }
