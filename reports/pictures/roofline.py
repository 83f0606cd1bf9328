"""Roofline: what a compute node reaches, by how much it computes for each byte that it moves.

The roof is the lower of the measured memory bandwidth (STREAM triad) times the intensity and the measured rate of
matrix products (GEMM); beside it stands what the node is rated at.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING
from typing import NamedTuple

from profiles.indicators.trials import facts
from profiles.observation import Observation
from reports.figures import count
from reports.figures import number
from reports.pictures import marks
from reports.pictures.axes import plain_log
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import TINY
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import standing
from reports.pictures.wording import joined
from reports.pictures.wording import tell
from reports.wording import Said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INDICATORS = ("node-gemm-fp64", "node-stream-triad", "compute-cpu-capacity", "node-gemm-efficiency")
_MOST = 4  #: nodes, each with a panel of its own
_LEAST, _GREATEST = 1e-6, 1e12  #: GFLOPS and GB/s that are drawn
_TRIAD = 2 / 24  #: operations for each byte that STREAM's triad moves: two, for three elements of eight bytes
_PRECISIONS = (("gemm-fp64", "FP64", 8), ("gemm-fp32", "FP32", 4))  #: quantity, name, bytes of an element


class _Runs(NamedTuple):
    """Sound runs of one kind."""

    values: list[float]
    size: float  #: order of the matrices, or 0

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.values)


class _Node(NamedTuple):
    """One node."""

    name: Said
    triad: _Runs
    products: dict[str, _Runs]  #: by precision
    ratings: dict[str, float]

    @property
    def share(self) -> float:
        """The lowest share of a rating that it reached; infinite without any rating."""
        found = [self.products[it].middle / self.ratings[it] for it in self.products if it in self.ratings]
        return min(found, default=math.inf)


def found(source: Source) -> Iterator[Found]:
    """One picture, if any node was measured in both respects."""
    results = list(source.of_indicators(*_INDICATORS))
    nodes = sorted(_nodes(source), key=lambda it: it.share) if results else []
    if not nodes:
        return
    runs = sum(len(it.triad.values) + sum(len(one.values) for one in it.products.values()) for it in nodes)
    title = tell("roofline.title")
    about = tell("roofline.about", nodes=count(len(nodes)), n=count(runs))
    judged = [joined([source.title(it), standing(it)], "：", ": ") for it in results if it.threshold is not None]
    notes = [*judged[:2], tell("roofline.note")]
    if len(nodes) > _MOST:
        notes.insert(0, tell("roofline.more", count=count(len(nodes) - _MOST)))

    def draw(sheet: Sheet) -> None:
        shown = nodes[:_MOST]
        sheet.lay_out(title, about, notes, list(_keys(sheet, shown)))
        columns = 1 if len(shown) == 1 else 2
        every = list(sheet.figure.subplots(math.ceil(len(shown) / columns), columns, squeeze=False).flat)
        for index, (axes, node) in enumerate(zip(every, shown, strict=False)):
            _draw(sheet, axes, node)
            if index + columns >= len(shown):
                axes.set_xlabel(sheet.text(tell("roofline.axis-x")), size=SMALL)
            if index % columns == 0:
                axes.set_ylabel(sheet.text(tell("roofline.axis-y")), size=SMALL)
        for axes in every[len(shown) :]:
            axes.set_axis_off()

    yield Found("", title, tell("roofline.caption", about=about), draw)


def _nodes(source: Source) -> Iterator[_Node]:
    plant = source.bundle.plant
    seen: dict[tuple[str, str], list[Observation]] = {}
    for row in source.bundle.observations({"compute-benchmark"}, {it.id for it in plant.nodes}):
        if row.error is None and row.value is not None and _LEAST < row.value < _GREATEST:
            seen.setdefault((row.target, row.quantity), []).append(row)
    for node in plant.nodes:
        triad = seen.get((node.id, "stream-triad"))
        products = {name: _runs(rows) for quantity, name, _ in _PRECISIONS if (rows := seen.get((node.id, quantity)))}
        rated = {"FP64": node.rated_fp64_gflops, "FP32": node.rated_fp32_gflops}
        ratings = {name: value for name, value in rated.items() if value is not None}
        if triad and products:
            yield _Node(source.thing(node.id), _runs(triad), products, ratings)


def _runs(rows: Sequence[Observation]) -> _Runs:
    size = facts(rows[0].detail).get("n", 0)
    return _Runs([row.value or 0.0 for row in rows], size if isinstance(size, int) and 0 < size < _GREATEST else 0)


def _draw(sheet: Sheet, axes: Axes, node: _Node) -> None:
    bandwidth = node.triad.middle
    peaks = [it.middle for it in node.products.values()]
    tops = [*peaks, *node.ratings.values()]
    intensities = [intensity for name, it in node.products.items() if (intensity := _intensity(name, it.size))]
    left, right = _TRIAD / 2.5, max([16 * max(peaks) / bandwidth, *(it * 2.5 for it in intensities)])
    axes.set(xscale="log", yscale="log", xlim=(left, right))
    axes.set_ylim(bandwidth * left / 1.2, max(tops) * 2.2)
    for (name, runs), (line, colour) in zip(node.products.items(), marks.LINES, strict=False):
        ridge = runs.middle / bandwidth
        axes.plot([left, ridge, right], [bandwidth * left, runs.middle, runs.middle], ls=line, color=colour, lw=1.8)
        _spread(axes, min(max(_intensity(name, runs.size) or ridge * 4, ridge), right / 1.2), runs, colour)
        if name in node.ratings:
            axes.axhline(node.ratings[name], color=colour, lw=1.1, ls=(0, (6, 3)))
    _spread(axes, _TRIAD, _Runs([it * _TRIAD for it in node.triad.values], 0), marks.INK, marker="s")
    axes.grid(visible=True)
    plain_log(axes)
    plain_log(axes, "y")
    told = sheet.text(joined(_told(node)))
    axes.set_title(sheet.text(node.name, 30), size=SMALL, weight="bold", pad=14)
    axes.annotate(
        told, (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points", va="bottom", size=TINY
    ).set_in_layout(False)


def _told(node: _Node) -> Iterator[Said]:
    """What was measured, in numbers, with the share of each rating."""
    for name, runs in node.products.items():
        facts = {"name": name, "value": number(_round(runs.middle))}
        if rating := node.ratings.get(name):
            share = number(float(f"{100 * runs.middle / rating:.3g}"))
            yield tell("roofline.told-rated", share=share, **facts)
        else:
            yield tell("roofline.told", **facts)
    yield tell("roofline.triad", value=number(_round(node.triad.middle)))


def _intensity(name: str, size: float) -> float:
    """Operations for each byte of a product of square matrices of that order, each of the three moved once."""
    wide = next(wide for _, precision, wide in _PRECISIONS if precision == name)
    return 2 * size / (3 * wide)


def _spread(axes: Axes, x: float, runs: _Runs, colour: str, marker: str = "o") -> None:
    """The median and all runs, from the least to the greatest."""
    low, high = min(runs.values), max(runs.values)
    axes.plot([x, x], [low, high], color=colour, lw=2, marker="_", ms=8, mew=1.6)
    axes.plot([x], [runs.middle], marker, ms=7, mfc=colour, mec="white", mew=0.8, ls="", zorder=5)


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def _keys(sheet: Sheet, nodes: Sequence[_Node]) -> Iterator[object]:
    from matplotlib.lines import Line2D

    names = dict.fromkeys(name for it in nodes for name in it.products)
    for name, (line, colour) in zip(names, marks.LINES, strict=False):
        yield Line2D([], [], ls=line, color=colour, lw=1.8, marker="o", ms=6, label=f"GEMM {name}")
    if any(it.ratings for it in nodes):
        label = sheet.text(tell("roofline.key-rating"))
        yield Line2D([], [], ls=(0, (6, 3)), color=marks.GREY, lw=1.1, label=label)
    label = sheet.text(tell("roofline.key-triad"))
    yield Line2D([], [], ls="", marker="s", ms=6, color=marks.INK, label=label)
