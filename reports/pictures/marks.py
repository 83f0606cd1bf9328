"""How pictures tell verdicts: each by a shape and a pattern of its own, and by a colour besides.

The colours are Okabe and Ito's, which people with any colour vision tell apart; in black and white the shapes and
patterns tell.
"""

from __future__ import annotations

from typing import NamedTuple

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict

INK = "#1a1a1a"
FAINT = "#6b6b6b"  #: axes, notes; 5:1 on white
RULE = "#d0d0d0"  #: grid lines, frames
BLUE, ORANGE, SKY, GREY = "#0072B2", "#D55E00", "#56B4E9", "#7a7a7a"
LIMIT = "#1a1a1a"


class Mark(NamedTuple):
    """How one outcome is drawn."""

    marker: str  #: matplotlib's, of a point
    colour: str
    hollow: bool  #: whether the marker is not filled
    tint: str  #: of an area
    hatch: str  #: of an area


MET = Mark("o", BLUE, False, "#a9cfe8", "")
FAILED = Mark("X", ORANGE, False, "#f3b58a", "xxx")
OPEN = Mark("o", GREY, True, "#eeeeee", "///")
REPORTED = Mark("s", SKY, True, "#dff0fb", "")
NONE = Mark("_", FAINT, True, "#f4f4f4", "")
#: Outcomes of checks and places.
OUTCOMES: dict[bool | None, Mark] = {True: MET, False: FAILED, None: OPEN}
#: Line styles, so that curves are told apart without colours; each with its colour.
LINES: tuple[tuple[str, str], ...] = (
    ("-", BLUE), ("--", ORANGE), ("-.", "#009E73"), (":", "#8a3ffc"), ("-", INK), ("--", GREY),
)  # fmt: skip


def of(verdict: Verdict) -> Mark:
    """How a verdict is drawn; whatever is open in one way."""
    if verdict in OPEN_VERDICTS:
        return OPEN
    return {Verdict.PASS: MET, Verdict.FAIL: FAILED, Verdict.INFO: REPORTED}.get(verdict, NONE)
