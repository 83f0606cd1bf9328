"""Byte budgets across sessions: what earlier sessions of a campaign may have sent is off the budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import replace

from probes.action import Action
from probes.action import Target
from probes.methods import method
from probes.permit import Permit
from reports.store import EvidenceStore


def remaining(
    permits: Mapping[str, Permit], store: EvidenceStore, actions: Iterable[Action], asked: Iterable[Action] = ()
) -> dict[str, Permit]:
    """``permits`` with each zone's ``total_bytes`` less what the observations in ``store`` cost at most.

    ``actions`` tell how things are probed; an observation of a kind that none of them is counts nothing. ``asked`` tell
    what is asked of single targets, on which a price may depend.
    """
    if not any(zone.total_bytes is not None for permit in permits.values() for zone in permit.zones.values()):
        return dict(permits)
    kinds = {(action.vantage, action.method): action for action in actions}
    spent: Counter[tuple[str, str]] = Counter()
    asks = {(it.vantage, it.method, one.address, one.port): one.ask for it in asked for one in it.targets if one.ask}
    for vantage, name, address, port, probes in store.sent():
        action, permit = kinds.get((vantage, name)), permits.get(vantage)
        if action is not None and permit is not None and address in permit.addresses:
            ask = asks.get((vantage, name, address, port), "")
            target = Target("", address, permit.addresses[address], port, ask)
            single = replace(action, targets=(target,), parameters={**action.parameters, "attempts": 1})
            spent[vantage, target.zone] += probes * method(name).cost(single, permit).bytes
    return {vantage: _reduced(permit, spent) for vantage, permit in permits.items()}


def _reduced(permit: Permit, spent: Counter[tuple[str, str]]) -> Permit:
    zones = {
        name: zone
        if zone.total_bytes is None
        else replace(zone, total_bytes=max(zone.total_bytes - spent[permit.vantage, name], 0))
        for name, zone in permit.zones.items()
    }
    return replace(permit, zones=zones)
