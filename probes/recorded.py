"""Methods that send nothing: the program itself puts on record what it has read, such as the log of a walk test.

What was read stands in each target's ``ask``: ``{"utc_ns": ..., "values": {quantity: number or null}, "detail": {}}``;
a quantity of which there is no number is ``absent``. So the observations are complete before anything is measured, and
judging them again needs no more than they are.

Standard library only, as every method.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from probes.action import Action
from probes.action import Cost
from probes.gate import Gate
from probes.methods import Emit
from probes.methods import Method
from probes.permit import Permit
from probes.record import Recorder
from probes.record import compact

HERE = "plantproof"  #: stands for the program itself where others name their vantage point
LEVEL = "passive"


def recorded(name: str, quantities: Mapping[str, str]) -> Method:
    """The method ``name``, which puts ``quantities`` (with their units) on record."""

    async def run(action: Action, _: Gate, emit: Emit) -> None:
        recorders = {quantity: Recorder(action, quantity, unit) for quantity, unit in quantities.items()}
        for target in action.targets:
            read = json.loads(target.ask)
            for quantity, recorder in recorders.items():
                value = read["values"].get(quantity)
                if value is None:
                    row = recorder.error(target, 0, "absent", read["utc_ns"], **read["detail"])
                else:
                    row = recorder.value(target, 0, float(value), read["utc_ns"], 0, compact(read["detail"]))
                emit([row])

    return Method(name, LEVEL, _cost, run, quantities, here=True)


def _cost(_: Action, __: Permit) -> Cost:
    """Nothing is sent."""
    return Cost(0, 0, 0.0, LEVEL)
