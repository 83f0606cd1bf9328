"""SNMP GET of a list of objects from one agent. A task (see :mod:`probes.tasks`).

Objects are asked for in chunks; a chunk that is too big for the agent is halved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from pysnmp.proto.rfc1905 import EndOfMibView
from pysnmp.proto.rfc1905 import NoSuchInstance
from pysnmp.proto.rfc1905 import NoSuchObject
from pysnmp.proto.rfc1905 import UnSpecified

from probes.tasks.snmp_client import NO_SUCH_NAME
from probes.tasks.snmp_client import TOO_BIG
from probes.tasks.snmp_client import Client
from probes.tasks.snmp_client import Failure
from probes.tasks.snmp_client import check

_MISSING = {NoSuchObject: "no-such-object", NoSuchInstance: "no-such-instance", EndOfMibView: "no-such-instance"}


def perform(request: dict[str, Any]) -> dict[str, Any]:
    """Ask for ``oids`` at ``address`` and ``port`` with ``credentials``.

    Also in the request: ``chunk`` (objects in one GET), ``requests`` (GETs at most), ``timeout_s`` and ``retries`` of
    each, ``spacing_s`` (least time between two of them).

    Returns:
        ``values``: by OID, an integer or a text with ``type``, or ``missing``; ``error``: why the other OIDs have none;
        ``requests``: how many GETs were sent.
    """
    return asyncio.run(_Get(request).run())


class _Get(Client):
    """Single objects of one agent."""

    def __init__(self, request: dict[str, Any]) -> None:
        super().__init__(request)
        self._values: dict[str, dict[str, Any]] = {}

    def found(self) -> dict[str, Any]:
        return {"values": self._values}

    async def ask(self) -> None:
        left, self._size = list(self.request["oids"]), self.request["chunk"]
        while left:
            chunk, left = left[: self._size], left[self._size :]
            left = await self._get(chunk) + left

    async def _get(self, oids: list[str]) -> list[str]:
        """Ask for some objects together; returns those that must be asked for again, fewer at a time."""
        status, index, bound = await self.answer(oids)
        if status == TOO_BIG and len(oids) > 1:
            self._size = len(oids) // 2
            return oids
        if status == NO_SUCH_NAME and 0 < index <= len(oids):  # as SNMP v1 has it
            self._values[oids[index - 1]] = {"missing": "no-such-object"}
            return oids[: index - 1] + oids[index:]
        check(status)
        self._keep(oids, bound)
        return []

    def _keep(self, oids: Sequence[str], bound: Sequence[Any]) -> None:
        """Take values of objects that were asked for; an answer about others is none."""
        said = {str(name): _value(value) for name, value in bound}
        if not said.keys() >= set(oids):
            raise Failure("bad-answer", "other-objects")
        self._values |= {oid: said[oid] for oid in oids}


def _value(value: Any) -> dict[str, Any]:  # noqa: ANN401 - pysnmp's
    for kind, code in _MISSING.items():
        if isinstance(value, kind):
            return {"missing": code}
    if isinstance(value, UnSpecified):
        return {"missing": "no-such-object"}
    name = type(value).__name__
    try:
        return {"type": name, "integer": int(value)}
    except (TypeError, ValueError):
        return {"type": name, "text": value.prettyPrint()[:100]}
