"""Mean internet access rate (互联网接入平均速率): goodput from the plant's edge to reference servers, averaged.

The source names the average and no method. This one loads the way to two servers or more, because one server's limit is
not the line's, and tells busy from idle hours where the profile says which these are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from statistics import fmean
from typing import Annotated
from typing import Literal

from pydantic import Field
from pydantic import StringConstraints
from pydantic import model_validator

from profiles.indicators.rates import BOUNDS
from profiles.indicators.rates import QUANTITIES
from profiles.indicators.rates import UNIT
from profiles.indicators.rates import fault
from profiles.indicators.registry import indicator
from profiles.indicators.scatter import combine
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Measurement
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

FIRST_WINDOW = 100  #: number of the first window; the same tools' tests of terminals have lower ones
LEAST_SERVERS = 2
METHODS = {"http-throughput": "http", "tcp-throughput": "iperf3"}
DAY_MIN = 24 * 60
_MINUTE_NS = 60 * 10**9
_HOURS = r"^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$"
_OFFSET = r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"

Hours = Annotated[str, StringConstraints(pattern=_HOURS)]


class InternetRateParameters(Strict):
    """How the rate is measured; the defaults are proposals of this project, no standard states them."""

    tools: tuple[Literal["http", "iperf3"], ...] = Field(default=("http", "iperf3"), min_length=1)  #: those to be used
    direction: Literal["up", "down", "both"] = "down"  #: up is from the plant; of both, the lower mean is judged
    attempts: int = Field(default=3, ge=1, le=100)  #: tests of each server by each tool in each direction and window
    duration_s: float = Field(default=8, ge=0.5, le=60)  #: of one test, without its beginning; iperf3: whole seconds
    omit_s: float = Field(default=2, ge=0, le=60)  #: beginning that is left out
    slice_ms: int = Field(default=100, ge=10, le=100)  #: of the series of octets that is kept
    streams: int = Field(default=4, ge=1, le=64)  #: parallel connections of one test
    limit_mbit_s: float = Field(default=1000, gt=0, le=400_000)  #: no test goes faster; must be above what is required
    timeout_ms: float = Field(default=5000, gt=0, le=60_000)  #: for a connection, an answer, and any silence
    windows: int = Field(default=1, ge=1, le=100)  #: how often the campaign comes back to it
    spacing_s: float = Field(default=0, ge=0, le=604_800)  #: between the beginnings of these windows
    hours: dict[str, Hours] = Field(default={}, max_length=8)  #: times of day by name, such as busy: 09:00-11:30
    utc_offset: str = Field(default="+08:00", pattern=_OFFSET)  #: of the times of day, from UTC

    @model_validator(mode="after")
    def _periods_are_apart(self) -> InternetRateParameters:
        periods = [_minutes(text) for text in self.hours.values()]
        claimed = Counter(minute for it in periods for minute in it)
        if any(many > 1 for many in claimed.values()) or not all(periods):
            raise ValueError("hours: periods of the day must not overlap, and none may be empty")
        return self

    def uses(self, tool: str) -> bool:
        """Whether servers are measured by ``tool``."""
        return tool in self.tools

    def period(self, utc_ns: int) -> str | None:
        """The name of the period in which a moment lies; empty if none is named, ``None`` if it lies in none."""
        if not self.hours:
            return ""
        sign = -1 if self.utc_offset[0] == "-" else 1
        offset_min = sign * (int(self.utc_offset[1:3]) * 60 + int(self.utc_offset[4:6]))
        minute = (utc_ns // _MINUTE_NS + offset_min) % DAY_MIN
        return next((name for name, text in self.hours.items() if minute in _minutes(text)), None)


def _minutes(text: str) -> frozenset[int]:
    """The minutes of the day in a period, which may go over midnight; its end is not in it."""
    begin, end = (int(it[:2]) * 60 + int(it[3:]) for it in re.split("-", text))
    return frozenset(minute % DAY_MIN for minute in range(begin, end if end >= begin else end + DAY_MIN))


@dataclass(slots=True)
class _Seen:
    """What was seen of one server in one period and direction."""

    rates: list[float] = field(default_factory=list)
    fault: str = ""  #: first reason why an attempt gave no rate
    failed: int = 0
    capped: str = ""  #: what stood in the way of a higher rate

    @property
    def why(self) -> str:
        """Why there is no rate of the line; empty if there is one."""
        return self.capped or ("" if self.rates else self.fault or "not-measured")


_Place = tuple[str, str, str]  # period, direction, server


@indicator(
    "mean-internet-access-rate",
    unit=UNIT,
    methods=tuple(METHODS),
    parameters=InternetRateParameters,
    objects=("server",),
    sampled=False,  # they are means to measure a line, and no population
)
def mean_internet_access_rate(
    register: Register, observations: Iterable[Observation], parameters: InternetRateParameters
) -> Reduced:
    """Mean over the reference servers of each one's mean goodput from the plant's edge; two servers at the least.

    Where the profile names hours, each period has a mean of its own, and the lowest is judged; a test outside of them
    counts for none. Of both directions the lower is judged. A server of which a rate was what the zone's budget
    permitted or the profile asked for (limit_mbit_s), and not what the line carries, has none. Fewer than two servers
    with a rate in a period decide nothing. The uncertainty is that of repeated attempts (GUM, type A).
    """
    directions = ("up", "down") if parameters.direction == "both" else (parameters.direction,)
    serving = {
        way: [it.id for it in register.members if it.drawn and _serves(it, way, parameters)] for way in directions
    }
    if any(len(ids) < LEAST_SERVERS for ids in serving.values()):
        fewest = min(serving.values(), key=len)
        return Invalid("too-few-servers", f"{len(fewest)}/{LEAST_SERVERS}")
    periods = tuple(parameters.hours) or ("",)
    seen, outside = _collect(observations, parameters)
    places = {(period, way): serving[way] for period in periods for way in directions}
    failing = tuple(_findings(places, seen))
    sound = {key: [id for id in ids if not seen[(*key, id)].why] for key, ids in places.items()}
    if lacking := [key for key, ids in sound.items() if len(ids) < LEAST_SERVERS]:
        return _undecided(lacking[0], places, seen, failing)
    means = {key: fmean(fmean(seen[(*key, id)].rates) for id in ids) for key, ids in sound.items()}
    judged = min(means, key=lambda key: means[key])
    found = combine([seen[(*judged, id)].rates for id in sound[judged]])
    failed = sum(it.failed for it in seen.values())
    return Measurement(
        means[judged],
        found.expanded_uncertainty / len(sound[judged]),
        UNIT,
        n=len(sound[judged]),
        failing=failing,
        notes=(*_notes(parameters, judged, failing, failed, outside), *found.notes),
        parts=tuple((id, fmean(seen[(*judged, id)].rates)) for id in sound[judged]),
        facts=_facts(means, sound, places, failed),
    )


def _serves(member: Member, way: str, parameters: InternetRateParameters) -> bool:
    tools = member.fact("tools").split()
    return any(f"http-{way}" in tools if it == "http" else it in tools for it in parameters.tools)


def _collect(
    observations: Iterable[Observation], parameters: InternetRateParameters
) -> tuple[Mapping[_Place, _Seen], int]:
    """What was seen by period, direction and server, and how many rates lie in no period."""
    ways = {quantity: way for way, quantity in QUANTITIES.items()}
    windows = range(FIRST_WINDOW, FIRST_WINDOW + parameters.windows)
    seen: dict[_Place, _Seen] = defaultdict(_Seen)
    outside = 0
    for row in observations:
        way, tool = ways.get(row.quantity), METHODS.get(row.method, "")
        if way is None or not parameters.uses(tool) or row.window not in windows or row.attempt >= parameters.attempts:
            continue
        told = facts(row.detail)
        if row.error == "absent" and told.get("reason") == "no-path":
            continue
        period = parameters.period(row.utc_ns)
        if period is None:
            outside += 1
            continue
        place = seen[period, way, row.target]
        if (why := fault(row)) or row.value is None:
            place.fault, place.failed = place.fault or why, place.failed + 1
        elif bound := next((reason for it, reason in BOUNDS.items() if told.get("bound") == it), ""):
            place.capped = place.capped or bound
        else:
            place.rates.append(row.value)
    return seen, outside


def _findings(places: Mapping[tuple[str, str], list[str]], seen: Mapping[_Place, _Seen]) -> Iterable[Finding]:
    """Every server without a rate, once for each period and direction in which it has none."""
    for (period, way), ids in places.items():
        for id in ids:
            if why := seen[period, way, id].why:
                yield Finding(id, why, " · ".join(filter(None, (way, period))))


def _undecided(
    lacking: tuple[str, str],
    places: Mapping[tuple[str, str], list[str]],
    seen: Mapping[_Place, _Seen],
    failing: tuple[Finding, ...],
) -> Invalid:
    """Too little was measured: because of a cap, because it was not the hour, or because the servers did not answer."""
    whys = [seen[(*lacking, id)].why for id in places[lacking]]
    capped = Counter(why for why in whys if why in BOUNDS.values())
    if capped and len(whys) - capped.total() < LEAST_SERVERS:
        return Invalid(capped.most_common(1)[0][0], failing=failing)
    if lacking[0] and set(whys) == {"not-measured"}:
        return Invalid("period-not-measured", lacking[0], failing=failing)
    answered = sum(not why for why in whys)
    return Invalid("too-few-servers", f"{answered}/{LEAST_SERVERS}", failing=failing)


def _notes(
    parameters: InternetRateParameters,
    judged: tuple[str, str],
    failing: tuple[Finding, ...],
    failed: int,
    outside: int,
) -> Iterable[str]:
    if parameters.direction == "both":
        yield f"judged-by-{judged[1]}"
    yield "judged-by-lowest-period" if len(parameters.hours) > 1 else "hours-of-day" if judged[0] else "any-hour"
    if failing:
        yield "some-servers-without-rate"
    if failed:
        yield "some-tests-failed"
    if outside:
        yield "some-outside-hours"


def _facts(
    means: Mapping[tuple[str, str], float],
    sound: Mapping[tuple[str, str], list[str]],
    places: Mapping[tuple[str, str], list[str]],
    failed: int,
) -> tuple[tuple[str, str], ...]:
    """The mean of each direction and period, from how many servers."""
    named = {key: "_".join(filter(None, ("mean", key[1], key[0]))) for key in means}
    return (
        *((named[key], f"{mean:.4g} {UNIT}") for key, mean in means.items()),
        *((f"servers{named[key].removeprefix('mean')}", f"{len(sound[key])}/{len(places[key])}") for key in means),
        ("failed_tests", str(failed)),
    )
