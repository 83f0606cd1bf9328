"""Pictures of a fleet, by matplotlib: verdicts of each requirement, and how scores are distributed.

Imports matplotlib; import this module where it is used. Text is drawn as outlines, so that no font
is needed to read it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from profiles.verdict import Verdict
from reports.fleet.shown import said
from reports.pictures import fonts
from reports.pictures import marks
from reports.wording import BY_URGENCY

_MOST = 60  #: requirements drawn


def title(code: str, language: str) -> str:
    """The words ``fleet.report.CODE``."""
    return said(f"report.{code}").in_language(language)


def verdict_bars(
    rows: Sequence[tuple[str, Mapping[Verdict, int]]], words: Mapping[Verdict, str], heading: str
) -> io.BytesIO:
    """One bar for each requirement: plants by verdict."""
    shown = list(reversed(rows[:_MOST]))
    figure, axes = _sheet(9.5, 1.6 + 0.34 * len(shown))
    left = [0] * len(shown)
    for word in BY_URGENCY:
        counts = [row[1].get(word, 0) for row in shown]
        if any(counts):
            mark = marks.of(word)
            axes.barh([row[0] for row in shown], counts, left=left, label=words[word], color=mark.tint,
                      hatch=mark.hatch, edgecolor=mark.colour, linewidth=0.6)  # fmt: skip
            left = [before + count for before, count in zip(left, counts, strict=True)]
    axes.set_title(heading, loc="left")
    axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.08 - 0.3 / len(shown)), frameon=False)
    return _svg(figure)


def score_steps(scores: Sequence[tuple[float, float]], heading: str, labels: Sequence[str]) -> io.BytesIO:
    """How many plants have at most a score: by the least, and by the greatest that scores may turn out to be."""
    figure, axes = _sheet(9.5, 3.8)
    for values, label, colour, line in (
        (sorted(low for low, _ in scores), labels[0], marks.ORANGE, "--"),
        (sorted(high for _, high in scores), labels[1], marks.BLUE, "-"),
    ):
        axes.step([0.0, *values, 100.0], [0, *range(1, len(values) + 1), len(values)], where="post", color=colour,
                  linestyle=line, label=label)  # fmt: skip
    axes.set_title(heading, loc="left")
    axes.set_xlabel(labels[2])
    axes.set_ylabel(labels[3])
    axes.legend(frameon=False)
    return _svg(figure)


def _sheet(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["font.family"] = fonts.family()
    rcParams["svg.fonttype"] = "path"
    rcParams["svg.hashsalt"] = "plantproof"
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> io.BytesIO:  # noqa: ANN401 - matplotlib has no types
    drawn = io.BytesIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn
