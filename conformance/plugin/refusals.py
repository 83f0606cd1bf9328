"""What the guard will refuse of a plan, known before anything is sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from ipaddress import ip_address

from conformance.bulk import Priced
from conformance.records import is_record
from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.methods import method
from probes.permit import Permit

#: One end of a flow is refused, so that the other has nobody to meet.
OTHER_END = "other-end"
#: The talker alone is refused where the permitted rates are slower than its flow.
BELOW_RATE = "rate-below-flow"
#: Reasons with a text ``plan.refused-*``; a window of time or a spent budget is not foreseen.
REASONS = (
    "level-too-high",
    "undeclared-address",
    "undeclared-instrument",
    "zone-without-permit",
    BELOW_RATE,
    OTHER_END,
)

_FLOW = "cyclic-flow"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A priced action, and how many of its targets will be refused, by reason."""

    priced: Priced
    refused: Mapping[str, int]


def foresee(priced: Sequence[Priced], permits: Mapping[str, Permit]) -> list[Foreseen]:
    """The actions with what will be refused of them, priced without it.

    A listener whose talker is refused waits, and sends nothing: it would reply, and nobody asks. A talker whose
    listener is refused greets it all the same, and keeps its price, which is more than that.
    """
    refused = [dict(_refusals(entry.action, permits[entry.action.vantage])) for entry in priced]
    ends = {
        (target.id, entry.action.window): target
        for entry, found in zip(priced, refused, strict=True)
        for target in found
        if entry.action.method == _FLOW
    }
    plan = []
    for entry, found in zip(priced, refused, strict=True):
        action = entry.action
        other = {it: ends.get((it.id, action.window)) for it in action.targets if action.method == _FLOW}
        alone = {target: end for target, end in other.items() if end is not None and target not in found}
        waiting = {target for target, end in alone.items() if _is_talker(end)}
        left = replace(action, targets=tuple(it for it in action.targets if it not in waiting))
        cost = entry.cost
        if waiting:
            cost = replace(method(_FLOW).cost(left, permits[action.vantage]), duration_s=cost.duration_s)
        plan.append(Foreseen(Priced(action, cost), Counter([*found.values(), *[OTHER_END] * len(alone)])))
    return plan


def _refusals(action: Action, permit: Permit) -> Iterator[tuple[Target, str]]:
    """The targets that the gate of the vantage point will refuse, and why."""
    gate = Gate(permit)
    level = method(action.method).level
    for target in () if is_record(action) else action.targets:
        admit = gate.admit if _is_address(target.address) else gate.admit_local
        admitted = admit(target, level)
        if isinstance(admitted, Refusal):
            if admitted.error == "refused-by-guard":  # a route that is missing here says nothing of one there
                yield target, admitted.reason
        elif action.method == _FLOW and not method(_FLOW).cost(replace(action, targets=(target,)), permit).packets:
            yield target, BELOW_RATE


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_talker(target: Target) -> bool:
    return bool(json.loads(target.ask)["role"] == "talker")
