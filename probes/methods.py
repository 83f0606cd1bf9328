"""The register of methods: name, needed level, price, and the coroutine that performs it.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from functools import cache
from importlib import import_module
from typing import Any
from typing import Protocol

from probes.action import Action
from probes.action import Cost
from probes.action import Target
from probes.gate import Gate
from probes.permit import Permit
from profiles.observation import Observation


class Emit(Protocol):
    """Where a method puts what it has found, as it finds it; batches may come in any order."""

    def __call__(self, rows: Sequence[Observation], /) -> None:
        """Hand on observations."""

    def raw(self, name: str, text: str) -> None:
        """Keep what an instrument or a tool said, as it said it, under ``name`` such as ``iperf3/cnc-a-01-dl.json``.

        Names are unique within an action; rows refer to them by ``"raw": name`` in their detail.
        """


#: Module of each built-in method. A module defines ``METHOD``.
MODULES = {
    "icmp-echo": "probes.icmp",
    "tcp-connect": "probes.tcp",
    "application-exchange": "probes.application",
    "neighbour": "probes.neighbour",
    "router-solicitation": "probes.router",
    "dns-query": "probes.dns",
    "cyclic-flow": "probes.flow",
    "ptp-management": "probes.ptp",
    "tcp-throughput": "probes.throughput",
    "udp-throughput": "probes.udp_throughput",
    "http-throughput": "probes.download",
    "compute-benchmark": "probes.compute",
    "modem-status": "probes.modem",
    "snmp-read": "probes.snmp",
    "snmp-walk": "probes.snmp_walk",
    "survey-log": "probes.survey",
    "earlier-bundle": "probes.earlier",
}


@dataclass(frozen=True, slots=True)
class Method:
    """One way to measure."""

    name: str
    level: str  #: safety level it needs
    cost: Callable[[Action, Permit], Cost]  #: price of an action under a permit; sends nothing
    run: Callable[[Action, Gate, Emit], Awaitable[None]]
    """Perform an action: one observation per target, attempt and quantity, each exactly once, whatever happens.

    Instrument failures become observations with an error of ``INSTRUMENT_ERRORS``; only a bug raises. The number of
    attempts is the action's parameter ``attempts``, else 1.
    """
    quantities: Mapping[str, str] = field(default_factory=lambda: {"presence": "1"})
    """What it observes at each attempt, and in which units; of a lost vantage point, the host supplies these rows."""
    joint: bool = False
    """Several vantage points take part in one attempt: what is owed of one end is owed of all."""
    credentials: bool = False  #: whether it needs what the devices it asks accept, see :attr:`Permit.credentials`
    credentials_useful: Callable[[Target], bool] | None = None
    """Of which targets it asks more where the plant file says what they accept, and less where it does not."""
    here: bool = False
    """Performed by the program itself, not at a vantage point: it puts on record what was read, and sends nothing."""
    needs: tuple[str, ...] = ()
    """What the vantage point must have: ``python:NAME`` (an importable package), ``library:NAME``, ``program:NAME``."""
    owed: Callable[[Mapping[str, Any]], Collection[str]] | None = None
    """Which of its quantities it observes under an action's parameters; all of them, if nothing tells."""

    def observes(self, parameters: Mapping[str, Any]) -> Mapping[str, str]:
        """What it observes at each attempt under an action's ``parameters``, and in which units."""
        names = self.quantities if self.owed is None else self.owed(parameters)
        return {name: unit for name, unit in self.quantities.items() if name in names}


#: Entry points of this group name modules of other packages that define ``METHOD``; the entry's name is the method's.
ENTRY_POINT_GROUP = "plantproof.methods"


@cache
def further() -> Mapping[str, str]:
    """Module of each method that other packages add; those of an action travel with it."""
    from importlib.metadata import entry_points

    return {entry.name: entry.module for entry in entry_points(group=ENTRY_POINT_GROUP)}


def method(name: str) -> Method:
    """The method ``name``; one that is built in goes before others of its name.

    Raises:
        LookupError: if there is none of that name.
    """
    module = MODULES.get(name) or further().get(name)
    if module is None:
        raise LookupError(f"no method {name!r}; known: {', '.join(sorted({*MODULES, *further()}))}")
    found: Method = import_module(module).METHOD
    return found
