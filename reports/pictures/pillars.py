"""Pillars: which share of the requirements of each was shown to be met, and which might yet be.

Between the two lies what is open; nothing open is counted as met or as failed. What has no limit, or does not apply,
is in neither share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.pictures import marks
from reports.pictures.axes import legend_above
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import TEXT
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.wording import joined
from reports.pictures.wording import tell
from reports.wording import PILLARS
from reports.wording import Said
from reports.wording import pillar

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_SPOKES = 3  #: fewer make no area


class Spoke(NamedTuple):
    """One pillar: how many of its requirements ended how."""

    name: Said
    met: int
    failed: int
    open: int

    @property
    def judged(self) -> int:
        """Requirements with a limit that apply."""
        return self.met + self.failed + self.open


def found(source: Source) -> Iterator[Found]:
    """One picture, if anything was to be judged."""
    spokes = list(_spokes(source))
    if not spokes:
        return
    met, failed, unknown = (sum(it) for it in zip(*(spoke[1:] for spoke in spokes), strict=True))
    facts = {"n": met + failed + unknown, "met": met, "failed": failed, "open": unknown}
    caption = tell("pillars.caption", **facts)

    def draw(sheet: Sheet) -> None:
        sheet.lay_out(tell("pillars.title"), tell("pillars.about", **facts), [tell("pillars.note")])
        columns = sheet.figure.add_gridspec(1, 2, width_ratios=(1.0, 1.0))
        if len(spokes) >= _LEAST_SPOKES:
            _radar(sheet, sheet.figure.add_subplot(columns[0], projection="polar"), spokes)
            _bars(sheet, sheet.figure.add_subplot(columns[1]), spokes)
        else:
            _bars(sheet, sheet.figure.add_subplot(columns[:]), spokes)

    yield Found("", tell("pillars.title"), caption, draw)


def _spokes(source: Source) -> Iterator[Spoke]:
    verdicts: dict[str, list[Verdict]] = {}
    for result in source.results:
        asked = source.requirement(result)
        verdicts.setdefault(asked.pillar if asked else "other", []).append(result.verdict)
    for id in (*(it for it in PILLARS if it in verdicts), *sorted(verdicts.keys() - {*PILLARS})):
        ended = verdicts[id]
        unknown = sum(it in OPEN_VERDICTS for it in ended)
        spoke = Spoke(pillar(id), ended.count(Verdict.PASS), ended.count(Verdict.FAIL), unknown)
        if spoke.judged:
            yield spoke


def _told(spoke: Spoke) -> Iterator[Said]:
    yield tell("pillars.row", met=spoke.met, judged=spoke.judged)
    if spoke.failed:
        yield tell("pillars.row-failed", failed=spoke.failed)
    if spoke.open:
        yield tell("pillars.row-open", open=spoke.open)


def _radar(sheet: Sheet, axes: Any, spokes: Sequence[Spoke]) -> None:  # noqa: ANN401 - PolarAxes
    angles = [2 * math.pi * index / len(spokes) for index in range(len(spokes))]
    around = [*angles, angles[0]]
    met = [it.met / it.judged for it in spokes]
    possible = [(it.met + it.open) / it.judged for it in spokes]
    axes.set_theta_offset(math.pi / 2)
    axes.set_theta_direction(-1)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.25, 0.5, 0.75, 1.0])
    axes.set_yticklabels(["", "50 %", "", "100 %"], size=SMALL, color=marks.FAINT)
    axes.set_rlabel_position(180 / len(spokes))
    axes.yaxis.set_zorder(6)
    axes.set_xticks(angles, [""] * len(spokes))
    for angle, spoke in zip(angles, spokes, strict=True):
        aside = math.sin(angle)
        side = "center" if abs(aside) < 0.1 else "left" if aside > 0 else "right"
        axes.text(angle, 1.14, sheet.text(spoke.name, 8), ha=side, va="center", size=TEXT)
    axes.spines["polar"].set_color(marks.RULE)
    closed_met, closed_possible = [*met, met[0]], [*possible, possible[0]]
    if any(it.open for it in spokes):
        axes.fill(around, closed_possible, facecolor="white", edgecolor=marks.GREY, hatch=marks.OPEN.hatch, lw=0)
        axes.plot(around, closed_possible, color=marks.GREY, lw=1.2, ls=(0, (4, 2)))
        axes.fill(around, closed_met, facecolor="white", lw=0)
    axes.fill(around, closed_met, facecolor=marks.MET.tint, alpha=0.9, lw=0)
    axes.plot(around, closed_met, color=marks.BLUE, lw=1.8)
    for angle, share, spoke in zip(angles, met, spokes, strict=True):
        mark = marks.FAILED if spoke.failed else marks.OPEN if spoke.open else marks.MET
        face = "white" if mark.hollow else mark.colour
        axes.plot([angle], [share], mark.marker, ms=7, mfc=face, mec=mark.colour, mew=1.4, clip_on=False,
                  zorder=6 if spoke.failed else 5)  # fmt: skip


def _bars(sheet: Sheet, axes: Axes, spokes: Sequence[Spoke]) -> None:
    rows = list(range(len(spokes)))
    most = max(it.judged for it in spokes)
    starts = [0] * len(spokes)
    parts = (("met", marks.MET), ("open", marks.OPEN), ("failed", marks.FAILED))
    for name, mark in parts:
        widths = [getattr(it, name) for it in spokes]
        if not any(widths):
            continue
        shown = [row for row in rows if widths[row]]
        axes.barh(
            shown, [widths[it] for it in shown], left=[starts[it] for it in shown], height=0.62, lw=0.8,
            facecolor=mark.tint, edgecolor=mark.colour, hatch=mark.hatch, label=sheet.text(tell(f"outcome.{name}")),
        )  # fmt: skip
        starts = [start + one for start, one in zip(starts, widths, strict=True)]
    for row, spoke in zip(rows, spokes, strict=True):
        told = joined(_told(spoke))
        axes.annotate(
            sheet.text(told), (spoke.judged, row), (5, 0), textcoords="offset points", va="center", size=SMALL
        )  # fmt: skip
    axes.set_yticks(rows, [sheet.text(it.name, 9) for it in spokes], size=TEXT)
    axes.invert_yaxis()
    axes.set_xlim(0, most * 1.9)
    axes.set_xticks([])
    axes.spines[["bottom", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    legend_above(axes, columns=3)
