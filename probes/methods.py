"""The register of methods: name, needed level, price, and the coroutine that performs it.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from probes.action import Action
from probes.action import Cost
from probes.gate import Gate
from probes.permit import Permit
from profiles.observation import Observation

#: Called by a method with each batch of observations as it arrives; batches may come in any order.
Emit = Callable[[Sequence[Observation]], None]

#: Module of each built-in method. A module defines ``METHOD``.
MODULES = {
    "icmp-echo": "probes.icmp",
    "tcp-connect": "probes.tcp",
    "neighbour": "probes.neighbour",
}


@dataclass(frozen=True, slots=True)
class Method:
    """One way to measure."""

    name: str
    level: str  #: safety level it needs
    cost: Callable[[Action, Permit], Cost]  #: price of an action under a permit; sends nothing
    run: Callable[[Action, Gate, Emit], Awaitable[None]]
    """Perform an action: one observation per target and attempt, each exactly once, whatever happens.

    Instrument failures become observations with an error of ``INSTRUMENT_ERRORS``; only a bug raises. The number of
    attempts is the action's parameter ``attempts``, else 1.
    """
    quantity: str = "presence"  #: what it observes, for those observations that the host must supply for a lost vantage
    unit: str = "1"  #: the unit of that quantity


def method(name: str) -> Method:
    """The method ``name``.

    Raises:
        LookupError: if there is none of that name.
    """
    if name not in MODULES:
        raise LookupError(f"no method {name!r}; known: {', '.join(sorted(MODULES))}")
    found: Method = import_module(MODULES[name]).METHOD
    return found
