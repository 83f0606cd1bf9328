"""The score of one bundle under the weights that a user set: for the score sheet, and for reports."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Profile
from profiles.score import Bounds
from profiles.score import Judged
from profiles.score import Score
from profiles.score import Unscored
from profiles.score import score
from profiles.verdict import Verdict
from profiles.weights import FORMAT
from profiles.weights import Weights
from profiles.weights import load_weights
from profiles.weights import weights_of

if TYPE_CHECKING:
    from reports.bundle import Bundle
    from reports.result import Result

_DIGITS = 2  #: of a score out of 100, as shown


def judged_items(results: Iterable[Result], profiles: Iterable[Profile]) -> list[Judged]:
    """The items of a plan as they are scored: breakdowns are parts of items and count for nothing of their own."""
    pillars = pillars_by_requirement(profiles)
    return [
        Judged(it.item, pillars.get((it.profile, it.requirement), ""), it.verdict) for it in results if not it.scope
    ]


def pillars_by_requirement(profiles: Iterable[Profile]) -> dict[tuple[str, str], str]:
    """The pillar of each requirement, by profile and id."""
    return {(profile.profile, it.id): it.pillar for profile in profiles for it in profile.requirements}


def weights_for(profiles: Sequence[Profile], file: Path | None, items: Iterable[Judged]) -> Weights:
    """The weights in ``file``, else those that the profiles themselves set.

    Raises:
        UserMistake: if the file is wrong, was made for another profile, or weighs what nobody asked for.
    """
    if file is None:
        return weights_of(profiles)
    weights = load_weights(file)
    names = [profile.profile for profile in profiles]
    check_profile(weights, names)
    weights.check_names(it.item for it in items)
    return weights


def check_profile(weights: Weights, profiles: Sequence[str]) -> None:
    """Do nothing if the weights are meant for one of these ``profiles``, or for whatever comes.

    Raises:
        UserMistake: if they were set for another one.
    """
    if weights.profile is not None and weights.profile not in profiles:
        facts = {"found": weights.profile, "profiles": ", ".join(profiles)}
        place = weights.document.file if weights.document else ""
        raise UserMistake([Problem("weights-other-profile", file=place, facts=facts)])


def score_bundle(bundle: Bundle, file: Path | None = None) -> tuple[Score, Weights]:
    """The bundle's score under the weights in ``file``, or under those of its profiles; and the weights.

    Raises:
        UserMistake: if the bundle or the file is malformed, or a weight is missing, naming each that is.
    """
    items = judged_items(bundle.campaign.results, bundle.profiles)
    weights = weights_for(bundle.profiles, file, items)
    found = score(items, weights)
    refuse_unscored(found, weights)
    assert isinstance(found, Score)  # noqa: S101 - the other was refused
    if found.total is None:
        raise UserMistake([Problem("weights-all-zero", file=_place(weights))])
    return found, weights


def refuse_unscored(found: Score | Unscored | None, weights: Weights) -> None:
    """Do nothing if there is a score.

    Raises:
        UserMistake: naming every weight that is missing.
    """
    if isinstance(found, Unscored):
        names = [*found.items, *(f"pillars.{name}" for name in found.pillars)]
        raise UserMistake([Problem("weights-missing", file=_place(weights), facts={"items": ", ".join(names)})])


def template(bundle: Bundle) -> str:
    """A weights file for the bundle's requirements, in which nothing is decided."""
    titles = {(profile.profile, it.id): it.title.zh for profile in bundle.profiles for it in profile.requirements}
    items = [it for it in bundle.campaign.results if not it.scope and it.verdict is not Verdict.INFO]
    names = [profile.profile for profile in bundle.profiles]
    lines = [f"format: {FORMAT}", *([f"profile: {names[0]}"] if len(names) == 1 else []), 'set_by: ""', "weights:"]
    width = max((len(it.item) for it in items), default=0) + 7
    lines += [f"  {f'{it.item}: null':{width}}  # {_one_line(titles, it)}" for it in items]
    return "\n".join(lines) + "\n"


def points(score: Fraction) -> str:
    """A score out of 100 as it is shown, rounded half up: ``87.50``.

    Neither end is shown for what has not reached it: whatever fails, however little it weighs, is not ``100.00``.
    """
    all = 100 * 10**_DIGITS
    rounded = math.floor(score * all + Fraction(1, 2))
    return _shown(rounded if score in (0, 1) else min(max(rounded, 1), all - 1))


def shown(bounds: Bounds) -> str:
    """A score out of 100; bounds are rounded outwards, so that what is shown contains what was computed."""
    if bounds.exact:
        return points(bounds.low)
    scale = 100 * 10**_DIGITS
    return f"{_shown(math.floor(bounds.low * scale))}–{_shown(math.ceil(bounds.high * scale))}"


def _shown(scaled: int) -> str:
    whole, rest = divmod(scaled, 10**_DIGITS)
    return f"{whole}.{rest:0{_DIGITS}d}"


def _place(weights: Weights) -> str:
    return weights.document.file if weights.document else ""


def _one_line(titles: Mapping[tuple[str, str], str], result: Result) -> str:
    return " ".join(titles.get((result.profile, result.requirement), "").split())
