"""Trend: what requirements came to in this campaign and in those before, with intervals and limits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import NamedTuple

from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.figures import count
from reports.figures import number
from reports.figures import threshold_text
from reports.pictures import marks
from reports.pictures.axes import finite_limit
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import TINY
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.wording import tell
from reports.result import Result
from reports.wording import BY_URGENCY
from reports.wording import Said
from reports.wording import verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 9  #: requirements, each with a panel of its own
_GREATEST = 1e15  #: values beyond have no place on an axis
_MOST_YEARS = 12  #: campaigns, the latest


class _Point(NamedTuple):
    """One campaign's value."""

    year: float  #: with its fraction
    label: str  #: such as ``2026-11``
    result: Result


class _Series(NamedTuple):
    """One requirement over the campaigns."""

    title: Said
    points: list[_Point]


def found(source: Source) -> Iterator[Found]:
    """One picture, if some requirement has a value in this campaign and in an earlier one."""
    campaigns = sorted([*source.earlier, source.bundle], key=_moment)[-_MOST_YEARS:]
    series = list(_series(source, campaigns)) if len(campaigns) > 1 else []
    if not series:
        return
    series.sort(key=lambda it: BY_URGENCY.index(it.points[-1].result.verdict))
    shown = series[:_MOST]
    title = tell("trend.title")
    about = tell("trend.about", campaigns=len(campaigns), items=count(len(series)))
    notes = [tell("trend.note")]
    if len(series) > len(shown):
        notes.insert(0, tell("trend.more", count=count(len(series) - len(shown))))

    def draw(sheet: Sheet) -> None:
        words = [Verdict.PASS, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.INFO]
        sheet.lay_out(title, about, notes, list(_keys(sheet, words)))
        columns = min(3, len(shown))
        every = list(sheet.figure.subplots(math.ceil(len(shown) / columns), columns, squeeze=False).flat)
        for axes, one in zip(every, shown, strict=False):
            _draw(sheet, axes, one)
        for axes in every[len(shown) :]:
            axes.set_axis_off()

    yield Found("", title, tell("trend.caption", about=about), draw)


def _series(source: Source, campaigns: Sequence[Bundle]) -> Iterator[_Series]:
    """What is asked in the same unit by the same requirement, and has a value now and before."""
    for now in source.results:
        if not _has_value(now):
            continue
        points = []
        for campaign in campaigns:
            for one in campaign.campaign.results:
                same = one.requirement == now.requirement and one.profile == now.profile and not one.scope
                if same and one.indicator == now.indicator and one.unit == now.unit and _has_value(one):
                    moment = _moment(campaign)
                    points.append(_Point(_year(moment), f"{moment:%Y-%m}", one))
        if len(points) > 1 and points[-1].result is now:
            yield _Series(source.title(now), points)


def _has_value(result: Result) -> bool:
    return result.value is not None and abs(result.value) < _GREATEST


def _moment(bundle: Bundle) -> datetime:
    """When the campaign began; the epoch if it says nothing that is a moment."""
    try:
        told = datetime.fromisoformat(bundle.campaign.started_utc)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def _year(moment: datetime) -> float:
    return moment.year + (moment.timetuple().tm_yday - 1) / 366


def _draw(sheet: Sheet, axes: Axes, one: _Series) -> None:
    years = [it.year for it in one.points]
    if len(set(years)) < len(years):  # several in a day: in their order
        years = [float(index) for index in range(len(years))]
    values = [it.result.value or 0.0 for it in one.points]
    unit = one.points[-1].result.unit
    axes.plot(years, values, color=marks.FAINT, lw=1.1, zorder=2)
    known = [*values]
    for year, value, point in zip(years, values, one.points, strict=True):
        known += _interval(axes, year, value, point.result)
        mark = marks.of(point.result.verdict)
        face = "white" if mark.hollow else mark.colour
        axes.plot([year], [value], mark.marker, ms=7, mfc=face, mec=mark.colour, mew=1.4, zorder=5)
    limit = finite_limit(one.points[-1].result.threshold, unit)
    if limit is not None:
        axes.axhline(limit, color=marks.LIMIT, lw=1.2)
        known.append(limit)
    spread = max(max(known) - min(known), abs(max(known)) * 0.02, 1e-9)
    axes.set_ylim(min(known) - 0.22 * spread, max(known) + 0.3 * spread)
    margin = max(years[-1] - years[0], 0.5) * 0.18
    axes.set_xlim(years[0] - margin, years[-1] + margin)
    axes.set_title(sheet.text(one.title, 17), size=SMALL, weight="bold", pad=13)
    told = [number(float(f"{values[-1]:.4g}")), unit if unit not in ("1", "count") else ""]
    threshold = one.points[-1].result.threshold
    limits = [] if limit is None or threshold is None else [f"({threshold_text(threshold)})"]
    axes.annotate(
        sheet.text(" ".join(filter(None, [*told, *limits]))), (0, 1), (0, 3), xycoords="axes fraction",
        textcoords="offset points", va="bottom", size=TINY, color=marks.FAINT,
    ).set_in_layout(False)  # fmt: skip
    shown = {0, len(years) - 1} if len(years) > 3 else set(range(len(years)))
    axes.set_xticks([years[it] for it in sorted(shown)], [one.points[it].label for it in sorted(shown)], size=TINY)
    axes.locator_params(axis="y", nbins=4)
    axes.tick_params(axis="y", labelsize=TINY)
    axes.grid(visible=True, axis="y")


def _interval(axes: Axes, year: float, value: float, result: Result) -> list[float]:
    """The interval's bar; an unbounded end has none. Returns what must be within the axes."""
    if result.interval is None:
        return []
    low, high = (
        value if it is None or not math.isfinite(it) else it for it in (result.interval.low, result.interval.high)
    )
    axes.plot([year, year], [low, high], color=marks.INK, lw=1.6, marker="_", ms=7, mew=1.4, zorder=3)
    return [low, high]


def _keys(sheet: Sheet, words: Sequence[Verdict]) -> Iterator[object]:
    from matplotlib.lines import Line2D

    for word in words:
        mark = marks.of(word)
        face = "white" if mark.hollow else mark.colour
        label = tell("outcome.open") if word is Verdict.INCONCLUSIVE else verdict(word)
        yield Line2D([], [], marker=mark.marker, ls="", ms=7, mfc=face, mec=mark.colour, label=sheet.text(label))
