"""Trials: what came of the attempts at one address, service or question. Shared by indicators; computes none itself."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from functools import lru_cache
from typing import Any

from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation


@dataclass(slots=True)
class Trial:
    """Every attempt at one thing from one vantage point, each counted once."""

    answers: list[Observation] = field(default_factory=list)
    silent: dict[int, Observation] = field(default_factory=dict)  #: sound attempts without an answer, by index
    fault: str = ""  #: the first instrument error

    def add(self, seen: Observation, patience_ms: float = math.inf, most: float = sys.float_info.max) -> None:
        """Count one attempt; an answer slower than ``patience_ms`` is none, and one above ``most`` is absurd."""
        error, value = seen.error, seen.value
        if error in TARGET_ERRORS:
            self.silent[seen.attempt] = seen
        elif error is not None or value is None or not 0 <= value <= most:  # NaN compares false
            self.fault = self.fault or (error if error in INSTRUMENT_ERRORS else "bad-answer")
        elif value > patience_ms:
            self.silent[seen.attempt] = seen
        else:
            self.answers.append(seen)

    def outcome(self, owed: int) -> bool | None:
        """Whether it answered; ``None`` if neither that nor the silence of all ``owed`` attempts was seen."""
        return True if self.answers else False if len(self.silent) >= owed else None

    def why(self) -> str:
        """What stood in the way, as a code: of silence the first attempt's, else of the instrument."""
        if self.silent and not self.fault:
            return how(self.silent[min(self.silent)])
        return self.fault or "not-measured"


def any_of(outcomes: Iterable[bool | None]) -> bool | None:
    """Whether one holds; ``None`` if an unknown one could decide it."""
    found = set(outcomes)
    return True if True in found else None if None in found else False


def all_of(outcomes: Iterable[bool | None]) -> bool | None:
    """Whether all hold; ``None`` if an unknown one could decide it."""
    found = set(outcomes)
    return False if False in found else None if None in found else True


def how(seen: Observation) -> str:
    """How an attempt without an answer in time went: its error code, with the ICMP message that said so."""
    told = facts(seen.detail)
    if seen.error == "unreachable" and "icmp_type" in told:
        return f"unreachable, ICMP {told['icmp_type']}/{told.get('icmp_code')}"
    return seen.error or "late"


def where(seen: Observation) -> str:
    """Which instrument the kernel refused, and its reason, such as ``/dev/ttyUSB2 (EBUSY)``; empty if it told none."""
    name = facts(seen.detail).get("errno")
    return f"{seen.address} ({name})" if name and isinstance(name, str) else ""


@lru_cache(maxsize=4096)
def facts(detail: str) -> dict[str, Any]:
    """The facts of an observation's ``detail``; none if it is no JSON object. Not to be changed: it is shared."""
    try:
        found = json.loads(detail) if detail else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
