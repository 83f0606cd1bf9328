"""Received optical power of ONUs, read at their OLT by SNMP. Method ``snmp-read``.

All units of one OLT are asked for by one task (:mod:`probes.tasks.snmp_get`), a few objects in each request. How an OLT
of some make is asked, and what its integers mean, is the dialect's part (:mod:`probes.dialects`). ``absent`` means that
the OLT itself says that there is nothing to read: the unit is off line, it has no such instance, or the integer stands
for "no reading". Whatever else the dialect knows of a unit (transmitted power, the OLT's own reading, distance, run
state) stands in the detail. The task's whole reply is kept as raw output.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Any

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.ports import Ticket
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
TASK = "probes.tasks.snmp_get"
RX_POWER = "onu-rx-power"
QUARTERS = 4  #: requests for each chunk at most, should it be too big; and as many more until that is known


@dataclass(frozen=True, slots=True)
class SnmpParameters:
    """Parameters of the method."""

    dialects: Mapping[str, Any]  #: by name, as :func:`probes.dialects.load` gives them
    attempts: int = 1
    timeout_ms: float = 3000  #: for each response
    retries: int = 1  #: further tries of a request that was not answered
    chunk: int = 16  #: objects in one request

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> SnmpParameters:
        """From an action's parameters."""
        return cls(**{name: value for name, value in parameters.items() if name in cls.__slots__})

    def requests(self, oids: int) -> int:
        """Requests for so many objects at most."""
        return QUARTERS * (ceil(oids / self.chunk) + 1) + self.retries

    def patience_s(self, oids: int, spacing_s: float) -> float:
        """Longest time that a task may take that asks for so many objects."""
        chunks = ceil(oids / self.chunk)
        answering_s = (chunks + self.retries + 1) * self.timeout_ms / 1000
        return START_S + answering_s + self.requests(oids) * spacing_s


@dataclass(frozen=True, slots=True)
class Unit:
    """One ONU: its target, its dialect, its instance."""

    target: Target
    dialect: Mapping[str, Any]
    instance: str

    def oids(self) -> dict[str, str]:
        """The OIDs of its objects by name, and that of its ``status``."""
        wanted = self.dialect["objects"] | ({"status": self.dialect["status"]} if "status" in self.dialect else {})
        return {
            name: ".".join(filter(None, (how["oid"], self.instance, how.get("suffix")))) for name, how in wanted.items()
        }


def units(action: Action, parameters: SnmpParameters) -> dict[tuple[str, int], list[Unit]]:
    """The units of each agent, by its address and port."""
    found: dict[tuple[str, int], list[Unit]] = {}
    for target in action.targets:
        asked = json.loads(target.ask)
        unit = Unit(target, parameters.dialects[asked["dialect"]], asked["index"])
        found.setdefault((target.address, target.port or PORT), []).append(unit)
    return found


def cost(action: Action, permit: Permit) -> Cost:
    """The most that all requests take, agents beside each other."""
    parameters = SnmpParameters.of(action.parameters)
    prices = []
    for of_agent in units(action, parameters).values():
        oids = sum(len(unit.oids()) for unit in of_agent)
        packets = parameters.requests(oids) + DISCOVERY
        one = replace(action, targets=(replace(of_agent[0].target, port=None),))
        zone = permit.zones.get(of_agent[0].target.zone)
        pause_s = spacing_s(zone, permit.shared.get(of_agent[0].target.address, 1)) if zone else 0.0
        waiting_s = parameters.attempts * parameters.patience_s(oids, pause_s)
        prices.append(
            price(
                one,
                permit,
                LEVEL,
                attempts=parameters.attempts,
                packets=packets,
                size=lambda _, packets=packets: packets * (REQUEST_BYTES + HEADER_BYTES),  # type: ignore[misc]
                waiting_s=waiting_s,
            )
        )
    return Cost(
        sum(it.packets for it in prices),
        sum(it.bytes for it in prices),
        max((it.duration_s for it in prices), default=0.0),
        LEVEL,
    )


async def run(action: Action, gate: Gate, emit: Emit) -> None:
    """Perform the action; see :class:`probes.methods.Method`."""
    parameters = SnmpParameters.of(action.parameters)
    agents = units(action, parameters).items()
    await asyncio.gather(*(_Agent(action, port, of, parameters, gate, emit).run() for (_, port), of in agents))


class _Agent:
    """All attempts at all units of one OLT."""

    def __init__(
        self, action: Action, port: int, of_agent: Sequence[Unit], parameters: SnmpParameters, gate: Gate, emit: Emit
    ) -> None:
        self._action = action
        self._recorder = Recorder(action, RX_POWER, "dBm")
        self._port = port
        self._units = of_agent
        self._parameters = parameters
        self._gate = gate
        self._emit = emit
        self._oids = list(dict.fromkeys(oid for unit in of_agent for oid in unit.oids().values()))

    async def run(self) -> None:
        admitted = self._gate.admit(replace(self._units[0].target, port=None), LEVEL, method=self._action.method)
        for attempt in range(self._parameters.attempts):
            utc_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
            if isinstance(admitted, Refusal):
                reply: dict[str, Any] = {"error": admitted.error, "reason": admitted.reason}
            else:
                reply = await self._ask(admitted, attempt)
            rows = []
            for unit in self._units:
                value, error, facts = reading(unit, reply)
                if unit.target.port is not None:
                    facts = {"port": unit.target.port} | facts
                if value is not None:
                    rows.append(self._recorder.value(unit.target, attempt, value, utc_ns, monotonic_ns, compact(facts)))
                else:
                    rows.append(self._recorder.error(unit.target, attempt, error, utc_ns, monotonic_ns, **facts))
            self._emit(rows)

    async def _ask(self, ticket: Ticket, attempt: int) -> dict[str, Any]:
        """The task's reply; in its place an ``error`` with a ``reason``, if there is none."""
        requests = self._parameters.requests(len(self._oids))
        request = {
            "oids": self._oids,
            "chunk": self._parameters.chunk,
            "requests": requests,
            "timeout_s": self._parameters.timeout_ms / 1000,
            "retries": self._parameters.retries,
        }
        patience_s = partial(self._parameters.patience_s, len(self._oids))
        raw = f"snmp/{ticket.target.address}-{self._port}-{attempt}.json"
        return await ask(self._gate, self._emit, ticket, self._port, TASK, request, patience_s, raw)


# --- reading ------------------------------------------------------------------------------------------------------


def reading(unit: Unit, reply: Mapping[str, Any]) -> tuple[float | None, str, dict[str, Any]]:
    """Received power of ``unit`` in dBm, or else an error code; and further facts."""
    values, oids = reply.get("values", {}), unit.oids()
    said = {name: values[oid] for name, oid in oids.items() if oid in values}
    facts: dict[str, Any] = {"index": unit.instance, **dict(_further(unit, said))}
    facts |= {"raw": reply["raw"]} if "raw" in reply else {}
    if RX_POWER not in said:
        reason = reply.get("reason", "")
        return None, reply.get("error", "bad-answer"), facts | ({"reason": reason} if reason else {})
    states = unit.dialect.get("status", {"meaning": {}, "online": []})
    if facts.get("status") in {*states["meaning"].values()} - {*states["online"]}:
        return None, "absent", facts | {"reason": "off-line"}
    found = decode(said[RX_POWER], unit.dialect["objects"][RX_POWER])
    if isinstance(found, str):
        absent = found in ("no-such-instance", "no-reading")
        return None, "absent" if absent else "bad-answer", facts | {"reason": found}
    return found, "", facts | {"integer": said[RX_POWER]["integer"]}


def _further(unit: Unit, said: Mapping[str, Any]) -> Iterator[tuple[str, float | str]]:
    """What else was read: numbers in their units, or why there is none."""
    for name, value in said.items():
        if name == "status":
            number = str(value.get("integer", value.get("missing", "not-a-number")))
            yield name, unit.dialect["status"]["meaning"].get(number, number)
        elif name != RX_POWER:
            yield name, decode(value, unit.dialect["objects"][name])


def decode(value: Mapping[str, Any], how: Mapping[str, Any]) -> float | str:
    """The number that an object's value stands for, or why there is none.

    ``no-such-object`` and ``no-such-instance`` as the agent says; ``not-a-number``; ``no-reading``; ``implausible``.
    """
    if "missing" in value:
        return str(value["missing"])
    integer = value.get("integer")
    if type(integer) is not int:
        return "not-a-number"
    if integer in how["unknown"]:
        return "no-reading"
    if how.get("signed16"):
        if not -(1 << 15) <= integer < 1 << 16:
            return "implausible"
        integer = (integer & 0xFFFF ^ 0x8000) - 0x8000
    number = Fraction(str(how["scale"])) * integer + Fraction(str(how["offset"]))
    return float(number) if how["least"] <= number <= how["most"] else "implausible"


METHOD = Method("snmp-read", LEVEL, cost, run, {RX_POWER: "dBm"}, credentials=True, needs=("python:pysnmp",))
