"""Parts that several kinds of pictures share: limits, intervals, legends beside the data, scales."""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from profiles.requirement import Threshold
from reports.figures import limit_in
from reports.figures import number
from reports.figures import threshold_text
from reports.pictures import marks
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import Sheet
from reports.pictures.wording import tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def finite_limit(threshold: Threshold | None, unit: str) -> float | None:
    """The limit in ``unit``; ``None`` where there is none that can be drawn."""
    limit = limit_in(threshold, unit)
    return limit if limit is not None and math.isfinite(limit) else None


def limit_across(sheet: Sheet, axes: Axes, threshold: Threshold, at: float, *, label: bool = True) -> None:
    """A limit of the horizontal axis: a line over its whole height, named above it, the side that fails hatched."""
    axes.axvline(at, color=marks.LIMIT, lw=1.3, zorder=4)
    low, high = axes.get_xlim()
    start, end = (at, high) if threshold.op.startswith("<") else (low, at)
    if start < end and threshold.op != "==":
        axes.axvspan(start, end, facecolor="none", edgecolor=marks.RULE, hatch="////", lw=0, zorder=0)
    axes.set_xlim(low, high)
    if label:
        _named(sheet, axes, threshold, at)


def _named(sheet: Sheet, axes: Axes, threshold: Threshold, at: float) -> None:
    """The limit's name above the axes, on the side of its line where there is more room."""
    fraction = float(axes.transAxes.inverted().transform(axes.transData.transform((at, 0)))[0])
    side = "right" if fraction > 0.6 else "left" if fraction < 0.4 else "center"
    axes.annotate(
        sheet.text(tell("sheet.limit", limit=threshold_text(threshold))),
        (at, 1.0), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points", ha=side, va="bottom",
        size=SMALL, weight="bold",
    )  # fmt: skip


def legend_above(axes: Any, handles: Sequence[Any] | None = None, columns: int = 4, above_pt: float = 0.0) -> None:  # noqa: ANN401
    """The legend over the axes, where no data are; ``above_pt`` points higher, where something else stands there."""
    from matplotlib.transforms import ScaledTranslation

    more = {} if handles is None else {"handles": list(handles)}
    if handles is not None and not handles:
        return
    place = axes.transAxes + ScaledTranslation(0, above_pt / 72, axes.figure.dpi_scale_trans)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0.0, 1.0), bbox_transform=place, ncols=columns, handlelength=1.8,
        columnspacing=1.4, borderpad=0.2, borderaxespad=0.2, **more,
    )  # fmt: skip


def boxes(axes: Axes, at: Iterable[tuple[float, float, float, float]], **style: Any) -> None:  # noqa: ANN401
    """Rectangles (left, bottom, width, height) as one path, which keeps an SVG small."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    corners: list[tuple[float, float]] = []
    codes: list[Any] = []
    for x, y, wide, high in at:
        corners += [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high), (x, y)]
        codes += [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    if corners:
        axes.add_patch(PathPatch(Path(corners, codes), **style))


def plain_log(axes: Axes, which: str = "x") -> None:
    """A logarithmic axis with ticks at 1, 2 and 5 (fewer over many decades), written as plain numbers."""
    from matplotlib.ticker import FuncFormatter
    from matplotlib.ticker import LogLocator
    from matplotlib.ticker import NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0) if high / low < 300 else (1.0,), numticks=20))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_locator(NullLocator())


def nines(share: float, n: int) -> float:
    """A share on a scale that spreads what is near 1: 0.9 at 1, 0.99 at 2; the greatest value of ``n`` ends it."""
    return -math.log10(max(1.0 - share, 0.5 / max(n, 1)))


def nines_axis(axes: Axes, top: float) -> None:
    """Ticks of :func:`nines`, up to that height."""
    shown = [it for it in (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999) if nines(it, 10**9) <= top * 1.05]
    axes.set_yticks([nines(it, 10**9) for it in shown], [f"{100 * it:g}" for it in shown])
    axes.set_ylim(0, top * 1.05)
