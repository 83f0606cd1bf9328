"""UDP at an asked rate between the measuring point and each terminal: what is lost of it, and what arrives.

For traffic that does not wait for what was lost: video, voice, cyclic messages. The figures are the receiver's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from statistics import fmean
from typing import Any
from typing import Literal

from pydantic import Field

from profiles.indicators.rates import partly
from profiles.indicators.rates import serves
from profiles.indicators.registry import indicator
from profiles.indicators.trials import facts
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Strict

METHODS = ("udp-throughput",)


class DatagramParameters(Strict):
    """How datagrams are sent; the defaults are proposals of this project, no standard states them."""

    port: int = Field(default=5201, ge=1, le=65_535)  #: port of the measuring server that a terminal declares, as TCP
    direction: Literal["up", "down", "both"] = "both"  #: up is towards the terminal; of both, the worse is judged
    attempts: int = Field(default=1, ge=1, le=100)  #: tests of each terminal in each direction
    duration_s: int = Field(default=3, ge=1, le=60)  #: of one test
    rate_mbit_s: float = Field(default=10, gt=0, le=100_000)  #: payload that is sent, all streams together
    streams: int = Field(default=1, ge=1, le=128)  #: parallel streams of one test
    payload_bytes: int = Field(default=1200, ge=64, le=65_000)  #: of one datagram
    timeout_ms: float = Field(default=3000, gt=0, le=60_000)  #: for the connection to the server

    @property
    def directions(self) -> tuple[str, ...]:
        """What is measured."""
        return ("up", "down") if self.direction == "both" else (self.direction,)

    @property
    def datagrams(self) -> int:
        """Datagrams of one test."""
        return max(1, int(self.rate_mbit_s * 1e6 / 8 / self.payload_bytes * self.duration_s))


@dataclass(slots=True)
class _Seen:
    """What was seen of one terminal, by direction and attempt."""

    values: dict[str, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    told: dict[str, dict[int, Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    fault: str = ""  #: first reason why an attempt gave nothing


@indicator(
    "udp-loss",
    unit="%",
    methods=METHODS,
    parameters=DatagramParameters,
    objects=("terminal",),
    counts=serves,
    sampled=False,  # what one terminal loses says nothing of another
)
def udp_loss(register: Register, observations: Iterable[Observation], parameters: DatagramParameters) -> Reduced:
    """Datagrams that did not arrive, over all of which the receiver can tell, of all terminals with a server together.

    Of two directions the one that loses more is judged. Datagrams of a test that was not made, or whose sender did not
    send what was asked, are unknown. Loss at the receiver's own socket counts, since it cannot be told from the path's.
    """
    owing = _owing(register, parameters)
    if not owing:
        return Invalid("no-rate-server", f"tcp/{parameters.port}")
    _collect(owing, observations, parameters, "udp-loss")
    ratios = {it: _lost(owing, it, parameters) for it in parameters.directions}
    judged = max(ratios, key=lambda it: _share(ratios[it]))
    worse = (f"judged-by-{judged}-loss",) if len(ratios) > 1 else ()
    lost, sent, unknown = ratios[judged]
    if not sent:
        return Invalid(
            next(filter(None, (it.fault for it in owing.values())), "not-measured"), failing=_unmeasured(owing)
        )
    return Ratio(
        lost,
        sent,
        unknown,
        failing=(*_losing(owing, judged), *_unmeasured(owing)),
        notes=(*worse, *partly(_serving(register, parameters), register)),
        facts=tuple((f"loss_{it}", f"{lost}/{sent}") for it, (lost, sent, _) in ratios.items()),
    )


@indicator(
    "udp-rate", unit="Mbit/s", methods=METHODS, parameters=DatagramParameters, objects=("terminal",), counts=serves
)
def udp_rate(register: Register, observations: Iterable[Observation], parameters: DatagramParameters) -> Reduced:
    """Mean rate of the datagrams that arrived, one value for each terminal with a server: its lower direction's.

    It is never more than what was sent (rate_mbit_s): a terminal that gets all of it has shown that, and no more. One
    without a sound test in each direction asked for is unknown.
    """
    owing = _owing(register, parameters)
    if not owing:
        return Invalid("no-rate-server", f"tcp/{parameters.port}")
    _collect(owing, observations, parameters, "udp-rate")
    complete = {id: it for id, it in owing.items() if all(it.values[way] for way in parameters.directions)}
    rates = {id: min(fmean(it.values[way].values()) for way in parameters.directions) for id, it in complete.items()}
    missing = {id: it for id, it in owing.items() if id not in complete}
    failing = tuple(Finding(id, it.fault or "not-measured") for id, it in missing.items())
    if not rates:
        return Invalid(failing[0].reason, failing=failing)
    serving = _serving(register, parameters)
    return Samples(
        tuple(rates.values()),
        "Mbit/s",
        len(missing),
        tuple(rates),
        failing=failing,
        notes=partly(serving, register),
        population=None if len(owing) == serving else serving,
    )


def _owing(register: Register, parameters: DatagramParameters) -> dict[str, _Seen]:
    return {it.id: _Seen() for it in register.members if it.drawn and serves(it, parameters)}


def _serving(register: Register, parameters: DatagramParameters) -> int:
    return sum(serves(it, parameters) for it in register.members)


def _collect(
    owing: Mapping[str, _Seen], observations: Iterable[Observation], parameters: DatagramParameters, kind: str
) -> None:
    """One pass; further attempts and other ports that others asked for do not count."""
    directions = {f"{kind}-{it}": it for it in parameters.directions}
    for row in observations:
        seen, direction = owing.get(row.target), directions.get(row.quantity)
        if seen is None or direction is None or row.attempt >= parameters.attempts:
            continue
        told = facts(row.detail)
        if told.get("port", parameters.port) != parameters.port:
            continue
        if (fault := _fault(row, told, kind)) or row.value is None:
            seen.fault = seen.fault or fault
        else:
            seen.values[direction][row.attempt] = row.value
            seen.told[direction][row.attempt] = told


def _fault(row: Observation, told: Mapping[str, Any], kind: str) -> str:
    """Why the attempt gave nothing; empty if it gave something."""
    if row.error is not None:
        return row.error if row.error in INSTRUMENT_ERRORS | TARGET_ERRORS else "bad-answer"
    sound = row.value is not None and 0 <= row.value < math.inf
    if kind == "udp-loss":
        counts = (told.get("lost"), told.get("judged"))
        whole = [it for it in counts if isinstance(it, int) and not isinstance(it, bool)]
        sound = sound and row.unit == "%" and len(whole) == len(counts) and 0 <= whole[0] <= whole[1] > 0
    else:
        sound = sound and row.unit == "Mbit/s"
    return "" if sound else "bad-answer"


def _lost(owing: Mapping[str, _Seen], direction: str, parameters: DatagramParameters) -> tuple[int, int, int]:
    """Lost, all that were judged, and those of tests that were owed and gave nothing."""
    told = [it for seen in owing.values() for it in seen.told[direction].values()]
    missing = len(owing) * parameters.attempts - len(told)
    return sum(it["lost"] for it in told), sum(it["judged"] for it in told), missing * parameters.datagrams


def _share(counts: tuple[int, int, int]) -> float:
    lost, sent, unknown = counts
    return (lost + unknown) / (sent + unknown) if sent + unknown else 0.0


def _losing(owing: Mapping[str, _Seen], direction: str) -> Iterator[Finding]:
    for id, seen in owing.items():
        told = seen.told[direction].values()
        if lost := sum(it["lost"] for it in told):
            yield Finding(id, "messages-lost", f"{lost}/{sum(it['judged'] for it in told)}")


def _unmeasured(owing: Mapping[str, _Seen]) -> tuple[Finding, ...]:
    return tuple(Finding(id, seen.fault) for id, seen in owing.items() if seen.fault)
