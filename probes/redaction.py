"""Takes secrets out of what a program has written, so that none of them becomes evidence.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from probes.programs import Finished

PUBLIC = frozenset({"user", "protocol"})  #: fields of credentials whose values are no secrets
STAND_IN = b"***"


def redacted(finished: Finished, credentials: object) -> Finished:
    """``finished`` without any secret of ``credentials``."""
    for secret in sorted(set(secrets(credentials)), key=len, reverse=True):
        stdout, stderr, reply = (
            text.replace(secret.encode(), STAND_IN) for text in (finished.stdout, finished.stderr, finished.reply)
        )
        finished = replace(finished, stdout=stdout, stderr=stderr, reply=reply)
    return finished


def secrets(credentials: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Every text in ``credentials`` that is a secret."""
    if isinstance(credentials, str):
        if credentials:
            yield credentials
    elif isinstance(credentials, dict):
        for name, value in credentials.items():
            if name not in PUBLIC:
                yield from secrets(value)
    elif isinstance(credentials, list):
        for value in credentials:
            yield from secrets(value)
