"""Mean access rate (网络接入平均速率): goodput of TCP between the measuring point and each terminal, averaged.

The source names the average and no method; this one follows RFC 6349: TCP, each direction apart, the receiver's figure,
without the beginning in which TCP finds its rate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from statistics import fmean
from statistics import median
from typing import Literal
from typing import Protocol

from pydantic import Field

from profiles.indicators import rfc6349
from profiles.indicators.registry import indicator
from profiles.indicators.scatter import combine
from profiles.indicators.scatter import of_sample
from profiles.indicators.trials import all_of
from profiles.indicators.trials import facts
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

UNIT = "Mbit/s"
QUANTITIES = {"up": "goodput-up", "down": "goodput-down"}


class RateParameters(Strict):
    """How rates are measured; the defaults are proposals of this project, no standard states them."""

    port: int = Field(default=5201, ge=1, le=65_535)  #: TCP port of the measuring server that a terminal declares
    direction: Literal["up", "down", "both"] = "both"  #: up is towards the terminal; of both, the lower mean is judged
    attempts: int = Field(default=3, ge=1, le=100)  #: tests of each terminal in each direction
    duration_s: int = Field(default=3, ge=1, le=60)  #: of one test, without its omitted beginning
    omit_s: int = Field(default=1, ge=0, le=60)  #: omitted at the beginning of each test
    streams: int = Field(default=1, ge=1, le=128)  #: parallel connections of one test
    limit_mbit_s: float = Field(default=1000, gt=0, le=400_000)  #: no test goes faster; must be above what is required
    timeout_ms: float = Field(default=3000, gt=0, le=60_000)  #: for the connection to the server
    line_mbit_s: float | None = Field(default=None, gt=0)  #: rate of the access line (Ethernet), if it is known
    target_mbit_s: float | None = Field(default=None, gt=0)  #: what each terminal should reach, to be counted


class RateShareParameters(RateParameters):
    """The same, and what each terminal must reach in every direction that is measured."""

    target_mbit_s: float = Field(gt=0)


#: Parameters that say how results are read, and not how it is measured.
NOT_MEASURED = frozenset({"port", "line_mbit_s", "target_mbit_s"})


@dataclass(slots=True)
class _Seen:
    """What was seen of one terminal."""

    rates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  #: by direction
    fault: str = ""  #: first reason why an attempt gave no rate
    failed: int = 0  #: attempts that gave no rate
    capped: dict[str, str] = field(default_factory=dict)  #: by direction, what stood in the way of a higher rate
    floors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  #: rates at such a cap
    tests: dict[str, list[Observation]] = field(default_factory=lambda: defaultdict(list))  #: that gave a rate

    def meets(self, directions: Iterable[str], target: float) -> bool | None:
        """Whether its mean rate reaches ``target`` in each direction; ``None`` if that is not known."""
        return all_of(self._meets(it, target) for it in directions)

    def _meets(self, direction: str, target: float) -> bool | None:
        seen = self.rates[direction] + self.floors[direction]
        if not seen:
            return None
        if fmean(seen) >= target:
            return True  # rates at a cap are lower bounds, and suffice
        return None if direction in self.capped else False


class _Asked(Protocol):
    """Parameters that name the port of the measuring server."""

    @property
    def port(self) -> int: ...


def serves(member: Member, parameters: _Asked) -> bool:
    """Whether a terminal declares the measuring server by which its rate is measured."""
    return member.measurable and str(parameters.port) in member.fact("tcp_ports").split()


@indicator(
    "mean-access-rate",
    unit=UNIT,
    methods=("tcp-throughput",),
    parameters=RateParameters,
    objects=("terminal",),
    counts=serves,
)
def mean_access_rate(register: Register, observations: Iterable[Observation], parameters: RateParameters) -> Reduced:
    """Mean over the terminals with a measuring server of each one's mean goodput, up and down; the lower is judged.

    A terminal that declares no server on the port is not measured, and counted as such. One that owes a rate in a
    direction that is asked for and has none is unknown; so is one of which a rate was what the zone's budget permitted
    or the profile asked for (limit_mbit_s) and not what its line can carry: a lower bound is averaged with nothing.
    Tests that failed beside sound ones are told of. The uncertainty is that of repeated attempts (GUM, type A); in that
    of a sample is also which terminals were drawn.
    """
    serving = [it for it in register.members if serves(it, parameters)]
    owing = {it.id: _Seen() for it in serving if it.drawn}
    if not owing:
        return Invalid("no-rate-server", f"tcp/{parameters.port}")
    _collect(owing, observations, parameters)
    directions = _directions(parameters)
    complete = {
        id: seen for id, seen in owing.items() if all(seen.rates[it] and it not in seen.capped for it in directions)
    }
    failing = tuple(Finding(id, _why(seen, directions)) for id, seen in owing.items() if id not in complete)
    if not complete:
        return Invalid(Counter(it.reason for it in failing).most_common(1)[0][0], failing=failing)
    means = {it: {id: fmean(seen.rates[it]) for id, seen in complete.items()} for it in directions}
    judged = min(directions, key=lambda it: fmean(means[it].values()))
    found = combine([seen.rates[judged] for seen in complete.values()])
    of_draw = of_sample(found.values, len(serving) if len(owing) < len(serving) else len(found.values))
    failed = sum(seen.failed for seen in complete.values())
    notes = [f"judged-by-{judged}"] if len(directions) > 1 else []
    notes += [*partly(len(serving), register), *(["some-tests-failed"] if failed else [])]
    told = _facts(means, judged, len(serving), len(register.members))
    return Measurement(
        fmean(means[judged].values()),
        math.hypot(found.expanded_uncertainty / len(complete), of_draw),
        UNIT,
        n=len(complete),
        unknown=len(failing),
        failing=failing,
        notes=(*notes, *found.notes),
        parts=tuple(means[judged].items()),
        facts=(*told, ("failed_tests", str(failed)), *_diagnosis(owing.values(), directions, parameters)),
        population=None if len(owing) == len(serving) else len(serving),
    )


@indicator(
    "rate-target-share",
    unit="%",
    methods=("tcp-throughput",),
    parameters=RateShareParameters,
    objects=("terminal",),
    counts=serves,
)
def rate_target_share(
    register: Register, observations: Iterable[Observation], parameters: RateShareParameters
) -> Reduced:
    """Terminals whose mean goodput reaches the target in each direction that is asked for, over those with a server.

    A rate at a cap is a lower bound: it shows that a target is reached, and never that it is missed. A terminal without
    a rate is unknown. Terminals that declare no server on the port are not measured, and counted as such.
    """
    serving = [it for it in register.members if serves(it, parameters)]
    owing = {it.id: _Seen() for it in serving if it.drawn}
    if not owing:
        return Invalid("no-rate-server", f"tcp/{parameters.port}")
    _collect(owing, observations, parameters)
    directions = _directions(parameters)
    outcomes = {id: seen.meets(directions, parameters.target_mbit_s) for id, seen in owing.items()}
    below = [Finding(id, "rate-below-target", _told(owing[id], directions)) for id, met in outcomes.items() if not met
             and met is not None]  # fmt: skip
    unknown = [Finding(id, _why(owing[id], directions)) for id, met in outcomes.items() if met is None]
    failed = ("some-tests-failed",) if any(owing[id].failed for id, met in outcomes.items() if met is not None) else ()
    return Ratio(
        sum(met is True for met in outcomes.values()),
        len(outcomes) - len(unknown),
        len(unknown),
        None if len(owing) == len(serving) else len(serving),
        failing=(*below, *unknown),
        notes=(*partly(len(serving), register), *failed),
        facts=(
            ("target", f"{parameters.target_mbit_s:g} {UNIT}"),
            ("with_server", f"{len(serving)}/{len(register.members)}"),
        ),
    )


def _directions(parameters: RateParameters) -> tuple[str, ...]:
    return ("up", "down") if parameters.direction == "both" else (parameters.direction,)


def _told(seen: _Seen, directions: Iterable[str]) -> str:
    """The mean of each direction, for the reader."""
    means = ((it, [*seen.rates[it], *seen.floors[it]]) for it in directions)
    return ", ".join(f"{it} {fmean(rates):.4g} {UNIT}" for it, rates in means if rates)


def _diagnosis(
    owing: Iterable[_Seen], directions: Iterable[str], parameters: RateParameters
) -> Iterator[tuple[str, str]]:
    """RFC 6349's metrics of all tests that gave a rate, and the share of terminals that meet the target."""
    known = list(owing)
    for direction in directions:
        rows = [row for seen in known for row in seen.tests[direction]]
        yield from rfc6349.facts(direction, (facts(row.detail) for row in rows))
        if parameters.line_mbit_s and (ratios := list(_ratios(rows, parameters.line_mbit_s))):
            yield f"transfer_time_ratio_{direction}", f"{median(ratios):.4g}"
            yield f"transfer_time_ratio_{direction}_worst", f"{max(ratios):.4g}"
    if parameters.target_mbit_s:
        met = [seen.meets(directions, parameters.target_mbit_s) for seen in known]
        yield "meeting_target", f"{sum(it is True for it in met)}/{len(met)}"


def _ratios(rows: Iterable[Observation], line_mbit_s: float) -> Iterator[float]:
    for row in rows:
        version = 6 if ":" in row.address else 4
        ratio = rfc6349.transfer_time_ratio(row.value or 0, line_mbit_s, version)
        if ratio is not None:
            yield ratio


def partly(serving: int, register: Register) -> tuple[str, ...]:
    """The note to make where only so many of all terminals have a measuring server."""
    return ("some-without-rate-server",) if serving < len(register.members) else ()


def _collect(owing: Mapping[str, _Seen], observations: Iterable[Observation], parameters: RateParameters) -> None:
    """One pass; further attempts and other ports that others asked for do not count."""
    directions = {quantity: direction for direction, quantity in QUANTITIES.items()}
    for row in observations:
        seen, direction = owing.get(row.target), directions.get(row.quantity)
        if seen is None or direction is None or row.attempt >= parameters.attempts:
            continue
        told = facts(row.detail)
        if told.get("port", parameters.port) != parameters.port:
            continue
        if (why := fault(row)) or row.value is None:
            seen.fault, seen.failed = seen.fault or why, seen.failed + 1
        elif bound := next((reason for it, reason in BOUNDS.items() if told.get("bound") == it), ""):
            seen.capped.setdefault(direction, bound)
            seen.floors[direction].append(row.value)
        else:
            seen.rates[direction].append(row.value)
            seen.tests[direction].append(row)


def fault(row: Observation) -> str:
    """Why the attempt gave no rate; empty if it gave one."""
    if row.error is not None:
        return row.error if row.error in INSTRUMENT_ERRORS | TARGET_ERRORS else "bad-answer"
    return "" if row.unit == UNIT and row.value is not None and 0 <= row.value < math.inf else "bad-answer"


#: What a rate was bound by besides the path, and what that is called as a reason.
BOUNDS = {"permit": "rate-capped", "asked": "rate-at-asked-limit"}


def _why(seen: _Seen, directions: Iterable[str]) -> str:
    """Why a terminal has no rate: the cap, which somebody can raise, before an attempt that failed."""
    return next((seen.capped[it] for it in directions if it in seen.capped), "") or seen.fault or "not-measured"


def _facts(
    means: Mapping[str, Mapping[str, float]], judged: str, servers: int, registered: int
) -> tuple[tuple[str, str], ...]:
    """The mean of each direction; quantiles of the judged one; how many terminals have a server at all."""
    rates = sorted(means[judged].values())
    return (
        *((f"mean_{it}", f"{fmean(found.values()):.4g} {UNIT}") for it, found in means.items()),
        ("minimum", f"{rates[0]:.4g} {UNIT}"),
        ("p5", f"{_quantile(rates, 0.05):.4g} {UNIT}"),
        ("p50", f"{_quantile(rates, 0.5):.4g} {UNIT}"),
        ("with_server", f"{servers}/{registered}"),
    )


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The least value that at least ``share`` of all do not exceed."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1]
