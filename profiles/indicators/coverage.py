"""Network access coverage (网络接入覆盖率): of the places in which people and machines work, the share with access.

Places are the cells of a grid where a log of a walk test has positions, and survey points otherwise. Coverage is not
reachability: a cell may have signal and no service, so that both are asked for.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from statistics import median_low

from pydantic import Field

from profiles.indicators.grid import Cell
from profiles.indicators.grid import TooManyCellsError
from profiles.indicators.grid import cell_at
from profiles.indicators.grid import cells_of
from profiles.indicators.grid import described
from profiles.indicators.radio import RSRP_DBM
from profiles.indicators.reachability import Judged
from profiles.indicators.reachability import ProbingParameters
from profiles.indicators.reachability import judged_objects
from profiles.indicators.registry import indicator
from profiles.indicators.tally import Tally
from profiles.indicators.tally import lower
from profiles.indicators.trials import all_of
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Reduced
from profiles.reduced import Register

LOG = "survey-log"
LIVE = ("icmp-echo", "neighbour")
BASES = ("cells", "points")
#: SS-SINR that can be reported, dB (3GPP TS 38.133 table 10.1.16.1-1: half a decibel from -23 to 40).
SINR_DB = (-23.5, 40.5)
_RANGES = {"access": (0.0, 1.0), "ss-rsrp": RSRP_DBM, "ss-sinr": SINR_DB}
_STATES = {"reachable": True, "unreachable": False, "unknown": None}


class CoverageParameters(ProbingParameters):
    """When a place is covered; the defaults are proposals of this project, no standard states them."""

    grid_m: float = Field(default=5, ge=0.5, le=1000, allow_inf_nan=False)  #: side of a cell
    least_samples: int = Field(default=10, ge=1, le=1000)  #: samples without which nothing is said of a cell
    rsrp_dbm: float = Field(default=-105, ge=-157, le=-30)  #: 5G: least median SS-RSRP
    sinr_db: float = Field(default=0, ge=-23, le=40)  #: 5G: least median SS-SINR


@dataclass(slots=True)
class _Sample:
    """One row of a log: what was seen at one position, or at one survey point; a lost signal is ``-inf``."""

    place: Mapping[str, object]
    utc_ns: int = 0
    values: dict[str, float] = field(default_factory=dict)

    def is_whole(self, radio: bool) -> bool:
        return all(name in self.values for name in (_RANGES if radio else ("access",)))


@dataclass(frozen=True, slots=True)
class Place:
    """One place of an activity area, and what was found of it by one technology."""

    area: str
    at: Cell | str  #: a cell of the grid, or the id of a survey point
    covered: bool | None  #: ``None`` if it is not known: not sampled, too few samples, or the instrument failed


@indicator(
    "access-coverage",
    unit="%",
    methods=(LOG, *LIVE),
    parameters=CoverageParameters,
    objects=("coverage",),
    sampled=False,  # areas are not equals, and what was sampled in them was not drawn
)
def access_coverage(register: Register, observations: Iterable[Observation], parameters: CoverageParameters) -> Reduced:
    """Covered places over all places of the activity areas, each technology by itself.

    Places are the cells of a grid of which a log has positions, and survey points. A cell has at least so many samples
    and is covered if access worked in more than half of them and, of 5G, the medians of SS-RSRP and SS-SINR reach
    their limits (a sample without signal is below any). A survey point is covered if it is reachable in the sense of
    access-reachability, and as a log says of it. Of cells and points, the lower share is judged.
    """
    found = surveyed(register, observations, parameters)
    return found if isinstance(found, Invalid) else lower(found)


def surveyed(
    register: Register,
    observations: Iterable[Observation],
    parameters: CoverageParameters,
    places: list[Place] | None = None,
) -> dict[str, Tally] | Invalid:
    """What was found, by kind of place; or why there is nothing to be counted. Each place is added to ``places``."""
    members = [member for member in register.members if member.drawn]
    if empty := [member.id for member in members if not _is_sampled(member)]:
        return _invalid("area-not-sampled", empty)
    grids = _grids(members, parameters.grid_m)
    if isinstance(grids, Invalid):
        return grids
    log: dict[str, dict[str, _Sample]] = defaultdict(dict)
    points = [Member(id, "area", addresses) for member in members for id, addresses in _points(member) if addresses]
    live = judged_objects(points, _apart(observations, log), parameters)
    tallies: dict[str, Tally] = defaultdict(Tally)
    kept = [] if places is None else places
    for member in members:
        samples = _once(log[member.id].values())
        if "cells" in member.fact("logged"):
            counted = _count_cells(member, grids[member.fact("area")], samples, parameters, tallies["cells"])
            kept += [Place(member.fact("area"), cell, outcome) for cell, outcome in counted]
        if _points(member):
            counted_points = _count_points(member, samples, live, parameters, tallies["points"])
            kept += [Place(member.fact("area"), id, outcome) for id, outcome in counted_points]
    for tally in tallies.values():  # of areas that were not drawn nothing is known
        tally.unsampled += len(register.members) - len(members)
    return dict(sorted(tallies.items()))


def _is_sampled(member: Member) -> bool:
    return bool(member.fact("logged") or _points(member))


def _points(member: Member) -> list[tuple[str, int]]:
    """The survey points, each with the number of its addresses."""
    return [(id, addresses) for id, addresses in json.loads(member.fact("points", "[]"))]


def _invalid(reason: str, objects: Sequence[str]) -> Invalid:
    return Invalid(reason, ", ".join(objects[:12]), tuple(Finding(id, reason) for id in objects))


def _grids(members: Sequence[Member], size_m: float) -> dict[str, frozenset[Cell]] | Invalid:
    """The cells of each area; none may be in two areas of one class, for it would be counted twice."""
    grids: dict[str, frozenset[Cell]] = {}
    holders: dict[tuple[Cell, str], str] = {}
    overlaps: Counter[tuple[str, str]] = Counter()
    for member in members:
        area = member.fact("area")
        if area in grids:
            continue
        try:
            grids[area] = cells_of(json.loads(member.fact("polygon_m", "[]")), size_m)
        except TooManyCellsError:
            return _invalid("area-too-large", [area])
        for key in ((cell, cls) for cell in grids[area] for cls in member.fact("area_classes").split()):
            other = holders.setdefault(key, area)
            overlaps[other, area] += other != area
    if pairs := [" / ".join(pair) for pair, count in overlaps.items() if count]:
        return _invalid("areas-overlap", pairs)
    if bare := [it.id for it in members if "cells" in it.fact("logged") and not grids[it.fact("area")]]:
        return _invalid("area-without-cells", bare)
    return grids


def _apart(observations: Iterable[Observation], log: dict[str, dict[str, _Sample]]) -> Iterator[Observation]:
    """Put rows of logs aside, by object and row; pass on what was probed."""
    for seen in observations:
        if seen.method != LOG:
            yield seen
            continue
        sample = log[seen.target].setdefault(seen.address, _Sample(facts(seen.detail), seen.utc_ns))
        low, high = _RANGES.get(seen.quantity, (math.inf, -math.inf))
        if seen.value is not None and low <= seen.value <= high:  # NaN compares false
            sample.values[seen.quantity] = seen.value
        elif seen.error == "absent" and seen.quantity != "access":
            sample.values[seen.quantity] = -math.inf


def _once(samples: Iterable[_Sample]) -> list[_Sample]:
    """The samples but those that say again what another one said: copied rows, or a log that is there twice."""
    told: dict[tuple[object, ...], _Sample] = {}
    for it in samples:
        place = (str(it.place.get(name)) for name in ("x_m", "y_m", "point"))
        told.setdefault((it.utc_ns, *place, *sorted(it.values.items())), it)
    return list(told.values())


def _count_cells(
    member: Member, cells: frozenset[Cell], samples: Sequence[_Sample], parameters: CoverageParameters, tally: Tally
) -> list[tuple[Cell, bool | None]]:
    """Counts the cells of an object; returns what was found of each."""
    by_cell: dict[Cell, list[_Sample]] = defaultdict(list)
    for sample in samples:
        x, y = (sample.place.get(name) for name in ("x_m", "y_m"))
        if _is_number(x) and _is_number(y) and sample.is_whole(_is_radio(member)):
            by_cell[cell_at(float(x), float(y), parameters.grid_m)].append(sample)  # type: ignore[arg-type]
    if samples and cells.isdisjoint(by_cell):
        tally.failing.append(Finding(member.id, "log-elsewhere"))
    outcomes: list[tuple[Cell, bool | None]] = []
    for cell in sorted(cells):
        if len(by_cell[cell]) < parameters.least_samples:
            outcomes.append((cell, None))
            continue
        lacking = _lacking(by_cell[cell], _is_radio(member), parameters)
        tally.count(not lacking)
        outcomes.append((cell, not lacking))
        if lacking:
            where = described(cell, parameters.grid_m)
            tally.failing.append(Finding(member.id, "cell-not-covered", f"{where} · {lacking}"))
    unsampled = sum(outcome is None for _, outcome in outcomes)
    tally.unsampled += unsampled
    if unsampled:
        tally.failing.append(Finding(member.id, "cells-not-sampled", f"{unsampled}/{len(cells)}"))
    return outcomes


def _count_points(
    member: Member,
    samples: Iterable[_Sample],
    live: Mapping[str, Judged],
    parameters: CoverageParameters,
    tally: Tally,
) -> list[tuple[str, bool | None]]:
    """A point that was both probed and logged is covered if both say so; returns what was found of each."""
    found: list[tuple[str, bool | None]] = []
    logged: dict[str, list[_Sample]] = defaultdict(list)
    for sample in samples:
        logged[str(sample.place.get("point"))].append(sample)
    for id, _ in _points(member):
        outcomes: list[bool | None] = []
        if id in live:
            state, finding = live[id]
            outcomes.append(_STATES[state])
            tally.failing += [finding] if finding else []
        if rows := logged[id]:
            whole = [sample for sample in rows if sample.is_whole(_is_radio(member))]
            lacking = _lacking(whole, _is_radio(member), parameters) if whole else ""
            outcomes.append(not lacking if whole else None)
            tally.failing += [Finding(id, "point-not-covered", lacking)] if lacking else []
        found.append((id, all_of(outcomes) if outcomes else None))
        if outcomes:
            tally.count(found[-1][1])
        else:
            tally.unsampled += 1
            tally.failing.append(Finding(id, "point-not-sampled"))
    return found


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and math.isfinite(found)


def _is_radio(member: Member) -> bool:
    """Whether its signal is measured besides its access."""
    return member.fact("technology") == "5g"


def _lacking(samples: Sequence[_Sample], radio: bool, parameters: CoverageParameters) -> str:
    """What of the samples' medians is not enough; empty if they make the place a covered one.

    Of an even number, the lower of the two in the middle: access that failed in half of the samples is none.
    """
    found = []
    worked = sum(sample.values["access"] == 1 for sample in samples)
    if 2 * worked <= len(samples):
        found.append(f"{worked}/{len(samples)}")
    limits = (("SS-RSRP", "ss-rsrp", parameters.rsrp_dbm, "dBm"), ("SS-SINR", "ss-sinr", parameters.sinr_db, "dB"))
    for title, quantity, limit, unit in limits if radio else ():
        median = median_low(sample.values[quantity] for sample in samples)
        if median < limit:
            found.append(f"{title} {median:g} {unit}" if math.isfinite(median) else f"{title} –")
    return " · ".join(found)
