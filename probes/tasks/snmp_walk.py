"""SNMP GETBULK over columns of tables of one agent, by pysnmp, v2c or v3. A task (see :mod:`probes.tasks`).

Bounded in rows, octets, requests and time. The columns of a table go forward together, so that a row is read whole. An
agent has to advance: one that names an object that is not beyond the last one is not followed any further, for a walk
of it would never end (RFC 3416 section 4.2.3 has it answer with lexicographic successors only).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from pysnmp.proto.rfc1902 import OctetString
from pysnmp.proto.rfc1905 import EndOfMibView
from pysnmp.proto.rfc1905 import NoSuchInstance
from pysnmp.proto.rfc1905 import NoSuchObject

from probes.tasks.snmp_client import NO_SUCH_NAME
from probes.tasks.snmp_client import TOO_BIG
from probes.tasks.snmp_client import Client
from probes.tasks.snmp_client import Failure
from probes.tasks.snmp_client import check

_MISSING = (EndOfMibView, NoSuchInstance, NoSuchObject)
_VALUE_OCTETS = 64  #: no address of a link or a network is longer

Oid = tuple[int, ...]


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """Walk ``tables`` at ``address`` and ``port`` with ``credentials``.

    Each table has a ``name``, the OIDs of its ``columns``, and may be ``instead_of`` another, which then is asked for
    first; it is walked only if that one has no row. Also in the request: ``bindings`` (objects in one answer at most),
    ``rows`` (of a table), ``octets`` (of all values), ``walk_s`` (for all), ``requests``, ``timeout_s``, ``retries``,
    ``spacing_s`` as for GET.

    Returns:
        ``tables``: by name, ``rows`` (by instance, the value of each column: an integer, octets in hexadecimal, or
        ``None`` where the agent gives none) and ``cut``, why there may be more; ``error``: what ended it too early;
        ``requests``: how many were sent.
    """
    return asyncio.run(_Walk(request).run())


class _Walk(Client):
    """The tables of one agent."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request)
        self._tables: dict[str, dict[str, Any]] = {}
        self._octets = 0
        self._deadline_s = time.monotonic() + request["walk_s"]

    def found(self) -> dict[str, Any]:
        return {"tables": self._tables}

    async def ask(self) -> None:
        for table in self.request["tables"]:
            if not self._tables.get(table.get("instead_of"), {}).get("rows"):
                found = self._tables[table["name"]] = {"rows": {}, "cut": "unfinished"}
                found["cut"] = await self._table(table["columns"], found["rows"])

    async def _table(self, columns: Sequence[str], rows: dict[str, list[Any]]) -> str:
        """Walk a table into ``rows``; returns which limit cut it, or nothing."""
        roots = [_oid(column) for column in columns]
        places = dict(enumerate(roots))  # of the columns that have not ended
        bindings = self.request["bindings"]
        while places:
            if limit := self._limit(rows):
                return limit
            asked = list(places)
            status, _, bound = await self.answer(
                [_text(places[column]) for column in asked], max(bindings // len(asked), 1)
            )
            if status == TOO_BIG and bindings > len(asked):
                bindings = max(bindings // 2, len(asked))
                continue
            if status == NO_SUCH_NAME:  # as SNMP v1 has it: nothing follows
                return ""
            check(status)
            self._take(bound, asked, roots, places, rows)
        return ""

    def _take(
        self,
        bound: Iterable[Any],
        asked: Sequence[int],
        roots: Sequence[Oid],
        places: dict[int, Oid],
        rows: dict[str, list[Any]],
    ) -> None:
        """Keep what an answer says, column after column, and go forward in ``places``.

        Raises:
            Failure: if a column does not advance, or the answer is empty.
        """
        advanced = False
        for number, (name, value) in enumerate(bound):
            column = asked[number % len(asked)]
            if column not in places:
                continue
            oid, root = _oid(str(name)), roots[column]
            advanced = True
            if isinstance(value, _MISSING) or oid[: len(root)] != root:
                if oid < places[column] and not isinstance(value, _MISSING):
                    raise Failure("bad-answer", "does-not-advance")
                del places[column]
                continue
            if oid <= places[column]:
                raise Failure("bad-answer", "does-not-advance")
            places[column] = oid
            rows.setdefault(_text(oid[len(root) :]), [None] * len(roots))[column] = self._plain(value)
        if not advanced:
            raise Failure("bad-answer", "empty-answer")

    def _plain(self, value: Any) -> int | str | None:  # noqa: ANN401 - pysnmp's
        if isinstance(value, OctetString):
            octets = value.asOctets()
            self._octets += len(octets)
            return octets.hex() if len(octets) <= _VALUE_OCTETS else None
        try:
            return int(value)
        except (TypeError, ValueError):
            return None

    def _limit(self, rows: dict[str, list[Any]]) -> str:
        """The limit that is reached, if any."""
        request = self.request
        reached = {
            "rows": len(rows) >= request["rows"],
            "octets": self._octets >= request["octets"],
            "time": time.monotonic() >= self._deadline_s,
            "requests": self.sent >= request["requests"],
        }
        return next((name for name, is_reached in reached.items() if is_reached), "")


def _oid(text: str) -> Oid:
    return tuple(map(int, text.strip(".").split(".")))


def _text(oid: Oid) -> str:
    return ".".join(map(str, oid))
