"""Which bundles are compared with each other, and why all others are not; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.fleet.layout import VERIFIED

#: Clocks of testers may be off by so much, and zones be mistaken; what is later than that lies in the future.
_TOLERANCE = timedelta(days=1)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Excluded:
    """A bundle that is not compared."""

    row: Row
    code: str  #: names a text ``fleet.excluded.<code>``
    said: str = ""


@dataclass(slots=True)
class Field:
    """The bundles that are compared, one for each plant, and all others."""

    basis: str
    rows: list[Row]
    excluded: list[Excluded]
    bases: dict[str, int]  #: how many plants were verified on each basis
    synthetic: bool  #: whether those compared are


def choose(
    rows: Iterable[Row], *, now: datetime, basis: str | None = None, reviewed: Collection[str] | None = None
) -> Field:
    """The bundles that may be compared: verified, judged again, of one basis, one for each plant.

    Args:
        rows: the index's bundles.
        now: the time; bundles from later than that are left out, or a wrong clock would make them newest for ever.
        basis: which one; default: that of most plants.
        reviewed: names of the plants that passed the authority's review (复核), if it is known.

    Raises:
        UserMistake: if nothing is left, or there is no such basis.
    """
    excluded: list[Excluded] = []
    sound = [row for row in rows if _stays(row, now, reviewed, excluded)]
    real = [row for row in sound if not row["synthetic"]]
    if real:
        excluded += [Excluded(row, "synthetic") for row in sound if row["synthetic"]]
        sound = real
    bases = _bases(sound)
    if basis is None:
        basis = max(bases, key=lambda it: (bases[it], it), default="")
    elif basis not in bases:
        facts = {"found": basis, "known": ", ".join(bases) or "–"}
        raise UserMistake([Problem("fleet-no-basis", "reports.fleet", facts=facts)])
    excluded += [Excluded(row, "other-basis", str(row["basis"])) for row in sound if row["basis"] != basis]
    plants: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sound:
        if row["basis"] == basis:
            plants[identity(row)].append(row)
    chosen = [_newest(own, excluded) for own in plants.values()]
    return Field(basis, chosen, excluded, bases, synthetic=bool(chosen) and not real)


def identity(row: Row) -> tuple[str, str]:
    """By what a plant is known: its name and who runs it, as its plant file says."""
    return row["plant"], row["organisation"]


def is_complete(row: Row) -> bool:
    """Whether nothing that was planned is open."""
    return not (row["n_inconclusive"] or row["n_error"] or row["n_not_tested"])


def _stays(row: Row, now: datetime, reviewed: Collection[str] | None, excluded: list[Excluded]) -> bool:
    if row["state"] != VERIFIED:
        said = f"{row['reason']} {row['said']}".strip()
        excluded.append(Excluded(row, row["state"], said))
    elif _moment(latest := max(row["ended_utc"], row["sealed_utc"], key=_moment)) > now + _TOLERANCE:
        excluded.append(Excluded(row, "in-future", latest))
    elif reviewed is not None and row["plant"] not in reviewed:
        excluded.append(Excluded(row, "not-reviewed"))
    else:
        return True
    return False


def _moment(text: str) -> datetime:
    """A moment in a bundle; one that is not readable or has no zone is the latest of all, so that it is left out."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    return found if found is not None and found.tzinfo else datetime.max.replace(tzinfo=UTC)


def _bases(rows: Sequence[Row]) -> dict[str, int]:
    plants: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows:
        plants[row["basis"]].add(identity(row))
    return {basis: len(found) for basis, found in sorted(plants.items())}


def _newest(own: list[Row], excluded: list[Excluded]) -> Row:
    """Of a plant's bundles, the newest complete one; the newest of all where none is complete."""
    complete = [row for row in own if is_complete(row)]
    chosen = max(complete or own, key=lambda row: (_moment(row["ended_utc"]), row["sealed_utc"], row["bundle"]))
    for row in own:
        if row is not chosen:
            newer = _moment(row["ended_utc"]) > _moment(chosen["ended_utc"])
            excluded.append(Excluded(row, "incomplete" if newer else "older", chosen["bundle"]))
    return chosen
