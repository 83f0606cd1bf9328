"""Unregistered devices: heard by a switch or router, and declared nowhere in the plant file."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping

from pydantic import Field

from profiles.indicators.registry import indicator
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Exposure
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

_REASONS = {"timeout": "no-snmp-answer", "late": "no-snmp-answer", "absent": "no-table"}


class StrangerParameters(Strict):
    """How tables are read; the defaults are proposals of this project."""

    table_rows: int = Field(default=10_000, ge=100, le=100_000)  #: of one table of a switch or router
    table_requests: int = Field(default=400, ge=10, le=10_000)  #: to one switch or router


@indicator(
    "unregistered-devices",
    unit="count",
    methods=("snmp-walk", "neighbour"),
    parameters=StrangerParameters,
    objects=("element", "terminal"),
)
def unregistered_devices(
    register: Register, observations: Iterable[Observation], parameters: StrangerParameters
) -> Reduced:
    """Hardware addresses in forwarding and neighbour tables that nothing in the plant file accounts for, each once.

    One is accounted for if it is declared, or if a neighbour table, of whichever switch, router or vantage point,
    gives it an IP address that is declared. A switch or router whose tables could not be read, or were cut at a limit,
    is unknown. It is not known who or what a stranger is; an address that changes at random, as telephones have, is one
    more each time.
    """
    del parameters  # they say how to ask, not what an answer means
    looking_on = {it.id for it in register.members if it.drawn and it.fact("looks_on")}
    if not looking_on:
        return Invalid("no-onlooker")
    read: dict[str, Observation] = {}
    accounted: set[str] = set()
    for seen in observations:
        if seen.quantity == "sightings" and "tables" in facts(seen.detail):  # an onlooker may be looked for itself
            read[seen.target] = seen
        elif seen.error is None and seen.value:
            shown = facts(seen.detail)
            further = shown.get("macs")
            accounted.update(map(str, [shown.get("mac", ""), *(further if isinstance(further, list) else [])]))
    strangers: dict[str, list[str]] = {}
    trouble: list[Finding] = []
    for id in sorted(looking_on):
        why, told = _trouble(read.get(id))
        trouble += [Finding(id, why)] if why else []
        for mac, where in _listed(told):
            if mac not in accounted:
                strangers.setdefault(mac, []).append(f"{id} {where}")
    found = (Finding(mac, "unregistered-device", "; ".join(where)) for mac, where in sorted(strangers.items()))
    trials = len(looking_on) - len(trouble) + len(strangers)
    return Exposure(len(strangers), trials, len(trouble), failing=(*found, *trouble))


def _trouble(seen: Observation | None) -> tuple[str, Mapping[str, object]]:
    """Why there may be more than an agent's row lists, if there may; and what it tells."""
    if seen is None:
        return "not-measured", {}
    told = facts(seen.detail)
    if seen.error is not None:
        return _REASONS.get(seen.error, seen.error), told
    return "table-cut" if told.get("cut") or told.get("more") else "", told


def _listed(told: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    """The hardware addresses that a row lists, and where each was heard."""
    listed = told.get("strangers")
    for it in listed if isinstance(listed, list) else ():
        mac, _, where = str(it).partition(": ")
        yield mac, where
