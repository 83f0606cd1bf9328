"""What was found of the places of an area, counted by kind. Shared by indicators; computes none itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from fractions import Fraction

from profiles.reduced import Finding
from profiles.reduced import Ratio


@dataclass(slots=True)
class Tally:
    """What was found of all places of one kind."""

    covered: int = 0
    uncovered: int = 0
    unknown: int = 0  #: owed and spoiled by the instrument
    unsampled: int = 0  #: never asked for, or with too few samples
    failing: list[Finding] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All places."""
        return self.covered + self.uncovered + self.unknown + self.unsampled

    @property
    def worst(self) -> Fraction:
        """The share if nothing of which nothing is known were covered."""
        return Fraction(self.covered, self.total or 1)

    @property
    def best(self) -> Fraction:
        """The share if all of that were covered."""
        return Fraction(self.total - self.uncovered, self.total or 1)

    def count(self, covered: bool | None) -> None:
        """Count one place that was sampled."""
        self.covered += covered is True
        self.uncovered += covered is False
        self.unknown += covered is None


def lower(tallies: Mapping[str, Tally]) -> Ratio:
    """The lower share is judged; what could make the other one the lower stays owed."""
    basis = min(tallies, key=lambda name: (tallies[name].best, tallies[name].worst))
    judged = tallies[basis]
    others = [tally for name, tally in tallies.items() if name != basis]
    rivals = [tally for tally in others if tally.worst < judged.best]
    unknown = judged.unknown + sum(tally.unknown for tally in rivals)
    unsampled = judged.unsampled + sum(tally.unsampled for tally in rivals)
    known = judged.covered + judged.uncovered
    return Ratio(
        judged.covered,
        known,
        unknown,
        known + unknown + unsampled if unsampled else None,
        basis,
        tuple(finding for tally in (judged, *others) for finding in tally.failing),
        (f"judged-by-{basis}",) if others else (),
        tuple((name, counts(tally)) for name, tally in tallies.items()),
        judged.best if rivals else None,
    )


def counts(tally: Tally) -> str:
    """Covered of all places of which something is known, and how many others there are."""
    others = tally.unknown + tally.unsampled
    return f"{tally.covered}/{tally.covered + tally.uncovered}" + (f" + {others}?" if others else "")
