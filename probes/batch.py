"""What an action gives, on its way to the host: rows in batches, raw output in parts.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from probes.raw import LIMIT
from probes.raw import PART
from probes.raw import Allowance
from probes.raw import file_name
from profiles.observation import COLUMNS
from profiles.observation import Observation

FLUSH_ROWS = 1000
FLUSH_S = 0.05

_columns_of = attrgetter(*COLUMNS)


class Batch:
    """Gathers rows of one action, and hands them on by number or by age, whichever comes first."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        say: Callable[..., None],
        index: int,
        allowance: Allowance,
    ) -> None:
        self._loop = loop
        self._say = say
        self._index = index
        self._allowance = allowance
        self._rows: list[Observation] = []
        self._timer: asyncio.TimerHandle | None = None
        self.left_out = 0  #: raw outputs that were more than an action may give

    def raw(self, name: str, text: str) -> None:
        """Take what an instrument or a tool said; what is longer than the limit is cut, and says so."""
        sound = text[:LIMIT]
        if not sound.isascii():  # what is no text at all, as a tool may say it, goes as escapes
            sound = sound.encode("utf-8", "backslashreplace").decode()[:LIMIT]
        cut = sound if len(text) <= LIMIT else f"{sound}\n[cut after {LIMIT} of {len(text)}]"
        if self._allowance.take(1, len(cut)):
            self._say("raw", self._index, file_name(name), cut)
        else:
            self.left_out += 1

    def __call__(self, rows: Sequence[Observation], /) -> None:
        """Take rows from a method."""
        self._rows.extend(rows)
        if len(self._rows) >= FLUSH_ROWS:
            self.flush()
        elif self._timer is None and self._rows:
            self._timer = self._loop.call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Hand on what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._rows:
            self._say("rows", self._index, self._rows)
            self._rows = []


def spelled(kind: str, *arguments: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    """A message as it goes over the wire; a long text in parts, so that the host hears something meanwhile."""
    if kind == "rows":
        index, rows = arguments
        yield kind, index, list(zip(*map(_columns_of, rows), strict=True))
    elif kind == "raw":
        index, name, text = arguments
        for start in range(0, len(text) or 1, PART):
            yield kind, index, name, text[start : start + PART], start + PART >= len(text)
    else:
        yield kind, *arguments
