"""Delay distributions behind the results, from one pass over the observations."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profiles.observation import Observation
from reports.result import ObservationFilter

#: Quantities whose values are delays.
QUANTITIES = ("round-trip-delay", "connect-delay")
_MS = {"s": 1e3, "ms": 1.0, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
_BINS = 48
_QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Distribution:
    """Delays of one quantity behind one result; lost packets are counted as infinite (RFC 7679 section 5)."""

    quantity: str
    delays_ms: NDArray[np.float64]  #: of the answered attempts, ascending
    lost: int  #: valid attempts without an answer
    instrument_errors: int  #: attempts that say nothing about the target

    @property
    def answered(self) -> int:
        """Attempts with a delay."""
        return len(self.delays_ms)

    @property
    def attempts(self) -> int:
        """Valid attempts, answered or lost."""
        return self.answered + self.lost

    @property
    def minimum_ms(self) -> float:
        """The shortest delay."""
        return float(self.delays_ms[0]) if self.answered else math.inf

    @property
    def maximum_ms(self) -> float:
        """The longest delay of an answered attempt."""
        return float(self.delays_ms[-1]) if self.answered else math.inf

    def quantile(self, share: float) -> float:
        """The smallest delay that ``share`` of all valid attempts do not exceed; infinite if too many were lost."""
        rank = max(1, math.ceil(share * self.attempts - 1e-9))
        return float(self.delays_ms[rank - 1]) if rank <= self.answered else math.inf

    def named_quantiles(self) -> list[tuple[str, float]]:
        """p50, p95 and p99."""
        return [(name, self.quantile(share)) for name, share in _QUANTILES.items()]

    def histogram(self, low: float, high: float, *, log: bool) -> list[int]:
        """Counts in bins of equal width, or of equal ratio, from ``low`` to ``high``; the end bins take the rest."""
        edges = np.geomspace(low, high, _BINS + 1) if log else np.linspace(low, high, _BINS + 1)
        inside = np.clip(self.delays_ms, edges[0], edges[-1])
        return [int(number) for number in np.histogram(inside, edges)[0]]


class _Gathered:
    """The delays of one object by one method while they grow: eight bytes for each."""

    __slots__ = ("delays_ms", "instrument_errors", "lost")

    def __init__(self) -> None:
        self.delays_ms = array("d")
        self.lost = 0
        self.instrument_errors = 0

    def add(self, observation: Observation) -> None:
        if observation.value is not None and math.isfinite(observation.value):
            self.delays_ms.append(observation.value * _MS[observation.unit])
        elif observation.value is not None or observation.is_instrument_error:
            self.instrument_errors += 1
        else:
            self.lost += 1


class Delays:
    """The delays of every object, of which those behind a result can be asked for."""

    def __init__(self) -> None:
        self._gathered: dict[tuple[str, str, str], _Gathered] = {}  #: by quantity, method and target

    def note(self, observations: Iterable[Observation]) -> None:
        """Take the delays of more observations, in any order."""
        gathered = self._gathered
        for seen in observations:
            if seen.quantity not in QUANTITIES or seen.unit not in _MS:
                continue
            key = (seen.quantity, seen.method, seen.target)
            found = gathered.get(key)
            if found is None:
                found = gathered[key] = _Gathered()
            found.add(seen)

    def behind(self, filter: ObservationFilter) -> tuple[Distribution, ...]:
        """The distributions of what ``filter`` selects, one for each quantity of which there are sound attempts."""
        return tuple(found for quantity in QUANTITIES if (found := self._of(quantity, filter)).attempts)

    def _of(self, quantity: str, filter: ObservationFilter) -> Distribution:
        keys = dict.fromkeys((quantity, method, target) for method in filter.methods for target in filter.targets)
        parts = [self._gathered[key] for key in keys if key in self._gathered]
        delays = np.concatenate([np.empty(0), *(np.frombuffer(part.delays_ms) for part in parts if part.delays_ms)])
        lost, errors = sum(part.lost for part in parts), sum(part.instrument_errors for part in parts)
        return Distribution(quantity, np.sort(delays), lost, errors)
