"""Whom switches and routers have heard: forwarding and neighbour tables by SNMP, passively. Method ``snmp-walk``.

An action names agents, and for each agent the objects to be looked for in its tables, by hardware address and by IP
address; nothing is sent to those. One task walks the tables of an agent (:mod:`probes.tasks.snmp_walk`). An object's
row counts the entries that show it; ``absent`` means that all tables were read to their ends and none does; every other
error is the agent's, and says nothing of the object. An agent's row counts all entries, and lists *strangers*: what no
part of the plant file declares. The task's whole reply is kept as raw output.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.device_tables import Sighting
from probes.device_tables import columns
from probes.device_tables import sightings
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.price import price
from probes.record import Recorder
from probes.record import compact
from probes.snmp_task import DISCOVERY
from probes.snmp_task import HEADER_BYTES
from probes.snmp_task import PORT
from probes.snmp_task import REQUEST_BYTES
from probes.snmp_task import START_S
from probes.snmp_task import ask
from probes.snmp_task import spacing_s

LEVEL = "query"
TASK = "probes.tasks.snmp_walk"
SIGHTINGS = "sightings"
_MOST_MACS = 16  #: further hardware addresses of one object that its row names
LISTED = 3000  #: characters of strangers in an agent's row; how many more there are is counted
_ANYTIME: dict[str, Any] = {"live": {}, "idle": {}}  #: of a table: whoever was heard at any time
_OCTETS = 4 << 20  #: of values that one agent may give


@dataclass(frozen=True, slots=True)
class WalkParameters:
    """Parameters of the method."""

    tables: Mapping[str, Any]  #: by name, as :func:`probes.dialects.tables` gives them
    known: Sequence[str] = ()  #: every hardware and IP address that the plant file declares
    timeout_ms: float = 3000  #: for each response
    retries: int = 1  #: further tries of a request that was not answered
    bindings: int = 24  #: objects in one answer
    rows: int = 10_000  #: of one table
    requests: int = 400  #: to one agent
    walk_s: float = 120.0  #: longest time for the tables of one agent

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> WalkParameters:
        """From an action's parameters."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    def patience_s(self, spacing_s: float) -> float:
        """Longest time that a task may take."""
        return START_S + self.walk_s + (self.retries + 2) * (self.timeout_ms / 1000 + spacing_s)


def agents(action: Action) -> dict[tuple[str, int], list[Target]]:
    """What is asked of each agent, by its address and port."""
    found: dict[tuple[str, int], list[Target]] = {}
    for target in action.targets:
        found.setdefault((target.address, target.port or PORT), []).append(target)
    return found


def cost(action: Action, permit: Permit) -> Cost:
    """The most that all requests take, agents beside each other."""
    parameters = WalkParameters.of(action.parameters)
    packets = parameters.requests + DISCOVERY
    prices = []
    for of_agent in agents(action).values():
        zone = permit.zones.get(of_agent[0].zone)
        pause_s = spacing_s(zone, permit.shared.get(of_agent[0].address, 1)) if zone else 0.0
        one = replace(action, targets=(replace(of_agent[0], port=None),))
        waiting_s = parameters.patience_s(pause_s)
        size = packets * (REQUEST_BYTES + HEADER_BYTES)
        prices.append(
            price(one, permit, LEVEL, attempts=1, packets=packets, size=lambda _, size=size: size, waiting_s=waiting_s)  # type: ignore[misc]
        )
    return Cost(
        sum(it.packets for it in prices),
        sum(it.bytes for it in prices),
        max((it.duration_s for it in prices), default=0.0),
        LEVEL,
    )


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = WalkParameters.of(action.parameters)
    known = frozenset(parameters.known)
    of_each = agents(action).items()
    await asyncio.gather(*(_walk(action, port, of, parameters, known, gate, emit) for (_, port), of in of_each))


async def _walk(
    action: Action,
    port: int,
    targets: Sequence[Target],
    parameters: WalkParameters,
    known: frozenset[str],
    gate: Gate,
    emit: Emit,
) -> None:
    """All that is asked of one agent."""
    utc_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
    admitted = gate.admit(replace(targets[0], port=None), LEVEL, method=action.method)
    if isinstance(admitted, Refusal):
        reply: dict[str, Any] = {"error": admitted.error, "reason": admitted.reason}
    else:
        request = {
            "tables": [
                {"name": name, "columns": columns(how)} | ({"instead_of": it} if (it := how.get("instead_of")) else {})
                for name, how in parameters.tables.items()
            ],
            "bindings": parameters.bindings,
            "rows": parameters.rows,
            "octets": _OCTETS,
            "walk_s": parameters.walk_s,
            "requests": parameters.requests,
            "timeout_s": parameters.timeout_ms / 1000,
            "retries": parameters.retries,
        }
        raw = f"snmp/{targets[0].address}-{port}-tables.json"
        words = frozenset(parameters.tables)
        reply = await ask(gate, emit, admitted, port, TASK, request, parameters.patience_s, raw, words)
    seen = Seen(parameters.tables, reply)
    recorder, rows = Recorder(action, SIGHTINGS, "1"), []
    for target in targets:
        asked = json.loads(target.ask)
        count, error, facts = seen.agent(known) if asked.get("agent") else seen.of(asked)
        if target.port is not None:
            facts = {"port": target.port} | facts
        if error:
            rows.append(recorder.error(target, 0, error, utc_ns, monotonic_ns, **facts))
        else:
            rows.append(recorder.value(target, 0, float(count), utc_ns, monotonic_ns, compact(facts)))
    emit(rows)


_Found = tuple[int, str, dict[str, Any]]  # entries, error, facts


class Seen:
    """What the tables of one agent show."""

    def __init__(self, tables: Mapping[str, Any], reply: Mapping[str, Any]) -> None:
        read = {name: it for name, it in reply.get("tables", {}).items() if name in tables}
        self._sightings = [it for name in read for it in sightings(name, tables[name], read[name]["rows"])]
        everything = [it for name in read for it in sightings(name, tables[name] | _ANYTIME, read[name]["rows"])]
        self._identities = [(it.mac, it.address) for it in everything if it.address]  # stale ones tell them as well
        self._served = any(it["rows"] for it in read.values())
        self._cut = sorted(name for name, it in read.items() if it["cut"])
        self._reply = reply
        self._of: dict[str, list[Sighting]] = {}
        for it in self._sightings:
            for name in {it.mac, it.address} - {""}:
                self._of.setdefault(name, []).append(it)

    def of(self, asked: Mapping[str, Any]) -> _Found:
        """The entries that show an object, and where the first of them does."""
        names = (*asked.get("macs", ()), *asked.get("addresses", ()))
        shown = list(dict.fromkeys(it for name in names for it in self._of.get(name, ())))
        if not shown:
            return 0, self._fault() or "absent", self._facts()
        first = shown[0]
        facts: dict[str, Any] = {"table": first.table, "mac": first.mac, "interface": first.port}
        facts |= {"address": first.address} if first.address else {}
        others = list(dict.fromkeys(it.mac for it in shown if it.mac != first.mac))[:_MOST_MACS]
        return len(shown), "", facts | ({"macs": others} if others else {})

    def agent(self, known: frozenset[str]) -> _Found:
        """All entries; the strangers among them."""
        error = self._reply.get("error", "") or ("" if self._served else "absent")
        facts: dict[str, Any] = {"tables": dict(Counter(it.table for it in self._sightings))} | self._facts()
        listed, length, more = [], 0, 0
        for stranger in self._strangers(known):
            length += len(stranger) + 3
            if length > LISTED:
                more += 1
            else:
                listed.append(stranger)
        facts |= {"strangers": listed} if listed else {}
        facts |= {"more": more} if more else {}
        return len(self._sightings), error, facts

    def _strangers(self, known: frozenset[str]) -> Iterator[str]:
        """Hardware addresses that are not declared, nor go with an address that is: each with where it was heard."""
        associated = {mac for mac, address in self._identities if address in known}
        found: dict[str, dict[str, None]] = {}
        for it in self._sightings:
            if it.mac not in known and it.mac not in associated:
                found.setdefault(it.mac, {})[f"{it.table} {it.port} {it.address}".rstrip()] = None
        for mac in sorted(found):
            yield f"{mac}: {', '.join(list(found[mac])[:4])}"

    def _fault(self) -> str:
        """Why what is not shown may be there all the same."""
        return str(self._reply.get("error", "")) or ("bad-answer" if self._cut or not self._served else "")

    def _facts(self) -> dict[str, Any]:
        reason = self._reply.get("reason") or ("cut" if self._cut else "" if self._served else "no-table")
        facts = {"reason": reason} if reason else {}
        facts |= {"cut": self._cut} if self._cut else {}
        return facts | ({"raw": self._reply["raw"]} if "raw" in self._reply else {})


METHOD = Method("snmp-walk", LEVEL, cost, run, {SIGHTINGS: "1"}, credentials=True, needs=("python:pysnmp",))
