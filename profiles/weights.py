"""Weights of requirements and pillars, which only a user sets: no source states any (沪经信基〔2022〕617 号).

A weights file names every requirement that can be met or not, each with a number from 0 on; ``null`` is one that nobody
has decided yet. Numbers are taken as they are written, so 0.1 is a tenth exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from fractions import Fraction
from pathlib import Path
from typing import Annotated
from typing import Literal
from typing import get_args

from pydantic import Field

from profiles.complaints import Complaint
from profiles.complaints import meant
from profiles.document import Document
from profiles.document import load
from profiles.document import validate
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Profile
from profiles.requirement import Requirement
from profiles.requirement import Strict

FORMAT: Literal["plantproof-weights/1"] = "plantproof-weights/1"
PILLARS: tuple[str, ...] = get_args(Requirement.model_fields["pillar"].annotation)

_Weight = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, strict=True)]


class WeightsFile(Strict):
    """A weights file as written; ``docs/fleet.md`` describes it."""

    format: Literal["plantproof-weights/1"]
    profile: str | None = None  #: name of the profile whose requirements are weighed; for no other are they meant
    set_by: str = ""  #: who set them; shown with every score
    weights: dict[str, _Weight | None] = Field(min_length=1)  #: by item, such as ``NET-RCH-E``
    pillars: dict[str, _Weight | None] | None = None  #: by pillar; absent: the total is that of all items together


@dataclass(frozen=True, slots=True)
class Weights:
    """What somebody decided about weights; whatever is not in it was not decided."""

    items: Mapping[str, Fraction] = field(default_factory=dict)
    pillars: Mapping[str, Fraction] | None = None
    set_by: str = ""
    profile: str | None = None
    document: Document | None = None  #: where they stand; none if they are the profile's own

    def check_names(self, known: Iterable[str]) -> None:
        """Do nothing if every item that is weighed is one of ``known``.

        Raises:
            UserMistake: naming each that is not, with its place.
        """
        names = list(known)
        if self.document is None:
            return
        found = []
        for name in self.document.value["weights"]:
            if name not in names:
                near = meant(name, names)
                code = "weights-unknown-like" if near else "weights-unknown"
                found.append(Complaint(("weights", name), code, {"found": name, "meant": near or ""}, at_key=True))
        if found:
            raise UserMistake(self.document.problems(found))


def load_weights(path: Path) -> Weights:
    """The weights in the file ``path``.

    Raises:
        UserMistake: with every mistake in the file.
    """
    document = load(path)
    file = validate(document, WeightsFile)
    unknown = [name for name in file.pillars or () if name not in PILLARS]
    facts = {"allowed": ", ".join(PILLARS)}
    found = [Complaint(("pillars", it), "weights-no-pillar", facts | {"found": it}, at_key=True) for it in unknown]
    if found:
        raise UserMistake(document.problems(found))
    pillars = None if file.pillars is None else _decided(file.pillars)
    return Weights(_decided(file.weights), pillars, file.set_by, file.profile, document)


def weights_of(profiles: Iterable[Profile]) -> Weights:
    """The weights that the profiles themselves set, by requirement id; those shipped set none.

    Raises:
        UserMistake: if one is negative or no number.
    """
    set_here = {it.id: it.weight for profile in profiles for it in profile.requirements}
    wrong = [id for id, weight in set_here.items() if weight is not None and not 0 <= weight <= 1e12]
    if wrong:
        raise UserMistake([Problem("weights-negative", facts={"found": ", ".join(wrong)})])
    return Weights(_decided(set_here))


def _decided(written: Mapping[str, float | None]) -> dict[str, Fraction]:
    """The weights that are not ``null``, exactly as they are written."""
    return {name: Fraction(repr(weight)) for name, weight in written.items() if weight is not None}
