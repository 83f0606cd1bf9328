"""Indicators: pure functions from a register and observations to one reduced value.

An indicator is declared by decorating its ``reduce`` function::

    @indicator("access-reachability", unit="%", methods=("icmp-echo", "tcp-connect"), parameters=ReachabilityParameters)
    def access_reachability(register, observations, parameters): ...

Indicators that a profile may name but nothing computes yet stand in ``catalogue.toml`` only.
"""

from __future__ import annotations

from profiles.indicators.registry import OBJECTS
from profiles.indicators.registry import Indicator
from profiles.indicators.registry import find
from profiles.indicators.registry import indicator
from profiles.indicators.registry import is_computed
from profiles.indicators.registry import known

__all__ = ["OBJECTS", "Indicator", "find", "indicator", "is_computed", "known"]
