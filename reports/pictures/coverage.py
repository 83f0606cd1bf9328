"""Coverage: the areas of the plant, what was found at each survey point and in each cell of a walk test."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from statistics import median_low
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from pydantic import ValidationError

from fixtures.objects import coverage as objects
from profiles.indicators.coverage import LOG
from profiles.indicators.coverage import CoverageParameters
from profiles.indicators.coverage import Place
from profiles.indicators.coverage import surveyed
from profiles.indicators.grid import Cell
from profiles.indicators.trials import facts
from profiles.observation import Observation
from profiles.reduced import Invalid
from profiles.reduced import Register
from reports.figures import count
from reports.pictures import marks
from reports.pictures.axes import boxes
from reports.pictures.axes import legend_above
from reports.pictures.found import Found
from reports.pictures.scale import A_ROW
from reports.pictures.scale import Shape
from reports.pictures.scale import shapes
from reports.pictures.scale import spots
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import limit_source
from reports.pictures.source import standing
from reports.pictures.wording import tell
from reports.pictures.wording import width
from reports.result import Result
from reports.wording import Said

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CELLS = 500  #: squares; finer grids are drawn coarser
_MOST_POINTS = 36  #: of one area; of more, the worst
_MOST_AREAS = 120
_LEAST_NAME = 3.0  #: type sizes; less of a name tells nothing
#: Steps of SS-RSRP above the limit, dB, and how dark each is; below the limit it is hatched.
_STEPS = ((20.0, "#7fa9cf"), (10.0, "#b3cfe6"), (0.0, "#dde9f4"))


class _Map(NamedTuple):
    """What is drawn."""

    shapes: list[Shape]
    places: list[Place]
    signals: dict[Cell, float]  #: median SS-RSRP by cell, dBm
    size_m: float  #: of a cell
    limit_dbm: float


def found(source: Source) -> Iterator[Found]:
    """One picture for each result about coverage, where the plant has areas."""
    for result in source.of_indicators("access-coverage"):
        made = _of_result(source, result) if source.bundle.plant.areas else None
        if made is not None:
            yield made


def _of_result(source: Source, result: Result) -> Found | None:
    asked = source.requirement(result)
    try:
        parameters = CoverageParameters.model_validate(asked.parameters if asked else {})
    except ValidationError:  # of another version's bundle
        return None
    targets = result.observations.targets if result.observations else ()
    methods = result.observations.methods if result.observations else ()
    wanted = set(targets)
    members = tuple(it.member for it in objects.objects(source.bundle.plant) if it.member.id in wanted)
    rows = list(source.bundle.observations(methods, targets))
    places: list[Place] = []
    if isinstance(surveyed(Register(members), rows, parameters, places), Invalid) or not places:
        return None
    drawn = _map(source, places, _signals(rows, parameters.grid_m), parameters)
    outcomes = [it.covered for it in places]
    told = {"covered": count(outcomes.count(True)), "uncovered": count(outcomes.count(False)),
            "open": count(outcomes.count(None)), "areas": count(len(source.bundle.plant.areas))}  # fmt: skip
    title = tell("coverage.title", item=source.title(result))
    about = tell("coverage.about", n=count(len(places)), standing=standing(result), **told)
    notes = [it for it in (limit_source(result), _note(drawn)) if it]
    return Found(
        result.item,
        title,
        tell("coverage.caption", about=about),
        lambda sheet: _draw(sheet, source, title, about, notes, drawn),
    )


def _note(drawn: _Map) -> Said:
    if drawn.signals:
        return tell("coverage.note-cells", size=f"{drawn.size_m:g}", limit=f"{drawn.limit_dbm:g}")
    return tell("coverage.note")


def _signals(rows: Iterable[Observation], size_m: float) -> dict[Cell, list[float]]:
    """SS-RSRP of the samples by cell; a sample without a signal is below any."""
    found: dict[Cell, list[float]] = defaultdict(list)
    for row in rows:
        if row.method != LOG or row.quantity != "ss-rsrp":
            continue
        place = facts(row.detail)
        x, y = place.get("x_m"), place.get("y_m")
        if isinstance(x, int | float) and isinstance(y, int | float) and math.isfinite(x) and math.isfinite(y):
            lost = row.value is None or not math.isfinite(row.value)
            found[math.floor(x / size_m), math.floor(y / size_m)].append(-math.inf if lost else row.value or 0.0)
    return found


def _map(
    source: Source, places: Sequence[Place], samples: dict[Cell, list[float]], parameters: CoverageParameters
) -> _Map:
    """What is drawn; where there are too many cells, several become one: the worst outcome, the median signal."""
    cells = {it.at for it in places if not isinstance(it.at, str)}
    step = max(1, math.ceil(math.sqrt(len(cells) / _MOST_CELLS)))
    coarse: dict[tuple[str, Cell], bool | None] = {}
    for it in places:
        if not isinstance(it.at, str):
            at = (it.area, (it.at[0] // step, it.at[1] // step))
            outcomes = {coarse.get(at, it.covered), it.covered}
            coarse[at] = False if False in outcomes else None if None in outcomes else True
    merged: dict[Cell, list[float]] = defaultdict(list)
    for (column, row), values in samples.items():
        if (column, row) in cells:  # samples beside the area count for nothing
            merged[column // step, row // step] += values
    kept = [it for it in places if isinstance(it.at, str)]
    kept += [Place(area, at, covered) for (area, at), covered in coarse.items()]
    medians = {at: median_low(values) for at, values in merged.items()}
    size = parameters.grid_m * step
    return _Map(shapes(source.bundle.plant.areas[:_MOST_AREAS]), kept, medians, size, parameters.rsrp_dbm)


def _draw(sheet: Sheet, source: Source, title: Said, about: Said, notes: list[Said], drawn: _Map) -> None:
    more = len(source.bundle.plant.areas) - len(drawn.shapes)
    more_points = sum(max(0, many - _MOST_POINTS) for many in _points_of(drawn).values())
    extra = [tell("coverage.more", areas=count(more), points=count(more_points))] if more or more_points else []
    sheet.lay_out(title, about, [*extra, *notes])
    axes = sheet.figure.add_subplot()
    axes.set_aspect("equal", anchor="N")
    _outlines(axes, drawn.shapes)
    handles = [*_cells(sheet, axes, drawn), *_points(sheet, axes, drawn)]
    axes.autoscale_view()
    sheet.figure.canvas.draw()  # the scale is known only now
    size = _room_for_marks(drawn) * _points_per_m(axes)
    for line in axes.lines:
        line.set_markersize(min(6.0, max(2.0, size)))
    _names(sheet, axes, source, drawn)
    own = all(it.placed for it in drawn.shapes)
    axes.set_xlabel(sheet.text(tell("coverage.axis-x" if own else "coverage.axis-none")))
    axes.set_ylabel(sheet.text(tell("coverage.axis-y")) if own else "")
    if not any(it.placed for it in drawn.shapes):
        axes.set_xticks([])
        axes.set_yticks([])
    legend_above(axes, handles, columns=4)


def _points_of(drawn: _Map) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for it in drawn.places:
        found[it.area] += isinstance(it.at, str)
    return found


def _outlines(axes: Axes, every: Sequence[Shape]) -> None:
    from matplotlib.patches import Polygon

    for shape in every:
        line = "-" if shape.placed else "--"
        axes.add_patch(Polygon(shape.corners, closed=True, facecolor="#fafafa", edgecolor=marks.INK, lw=0.9, ls=line))


def _cells(sheet: Sheet, axes: Axes, drawn: _Map) -> Iterator[object]:
    """Squares of the walk test: darker for a stronger signal, a cross where there is no coverage."""
    cells = {it.at: it.covered for it in drawn.places if not isinstance(it.at, str)}
    left = dict(drawn.signals)
    for above, colour in _STEPS:
        least = drawn.limit_dbm + above
        taken = [at for at, value in left.items() if value >= least]
        for at in taken:
            del left[at]
        if taken:
            yield _squares(axes, taken, drawn.size_m, sheet.text(tell("coverage.rsrp", least=f"{least:g}")), colour, "")
    if left:
        told = tell("coverage.rsrp-below", least=f"{drawn.limit_dbm:g}")
        yield _squares(axes, list(left), drawn.size_m, sheet.text(told), "#ffffff", "////")
    bare = [at for at in cells if at not in drawn.signals]
    if bare:
        yield _squares(axes, bare, drawn.size_m, sheet.text(tell("coverage.cell-bare")), "#efefef", "")
    for outcome in (False, None):
        here = [_centre(cell, drawn.size_m) for cell, one in cells.items() if one is outcome]
        if here:
            label = tell("coverage.cell-failed" if outcome is False else "coverage.cell-open", count=count(len(here)))
            yield _marked(axes, here, outcome, sheet.text(label))


def _centre(cell: Cell, size_m: float) -> tuple[float, float]:
    return (cell[0] + 0.5) * size_m, (cell[1] + 0.5) * size_m


def _squares(axes: Axes, cells: Sequence[Cell], size_m: float, label: str, colour: str, hatch: str) -> object:
    """All squares of one kind as one path, which keeps an SVG small."""
    from matplotlib.patches import Patch

    edge = marks.ORANGE if hatch else "#ffffff"
    style: dict[str, Any] = {"facecolor": colour, "edgecolor": edge, "hatch": hatch, "lw": 0.4}
    boxes(axes, ((column * size_m, row * size_m, size_m, size_m) for column, row in sorted(cells)), **style)
    return Patch(label=label, **style)


def _points(sheet: Sheet, axes: Axes, drawn: _Map) -> Iterator[object]:
    """Marks of the survey points in their areas: of too many, the worst."""
    at: dict[bool | None, list[tuple[float, float]]] = {True: [], False: [], None: []}
    for shape in drawn.shapes:
        found = [it.covered for it in drawn.places if it.area == shape.area.id and isinstance(it.at, str)]
        found.sort(key=lambda it: (it is not False, it is not None))
        for spot, outcome in zip(spots(shape, min(len(found), _MOST_POINTS)), found, strict=False):
            at[outcome].append(spot)
    everything = [it.covered for it in drawn.places if isinstance(it.at, str)]
    for outcome, name in ((True, "covered"), (False, "uncovered"), (None, "open")):
        if at[outcome]:
            label = tell(f"coverage.point-{name}", count=count(sum(it is outcome for it in everything)))
            yield _marked(axes, at[outcome], outcome, sheet.text(label))


def _marked(axes: Axes, at: Sequence[tuple[float, float]], outcome: bool | None, label: str) -> object:
    mark = marks.OUTCOMES[outcome]
    face = "white" if mark.hollow else mark.colour
    xs, ys = zip(*at, strict=True)
    (line,) = axes.plot(xs, ys, mark.marker, ms=6, mfc=face, mec=mark.colour, mew=1.1, ls="", label=label, zorder=4)
    return line


def _names(sheet: Sheet, axes: Axes, source: Source, drawn: _Map) -> None:
    """The name of each area with its count, in its upper left corner, if there is room for it."""
    tallies: dict[str, list[bool | None]] = defaultdict(list)
    gridded = {it.area for it in drawn.places if not isinstance(it.at, str)}
    for it in drawn.places:
        tallies[it.area].append(it.covered)
    per_m = _points_per_m(axes)
    for shape in drawn.shapes:
        left, bottom, right, top = shape.box
        room = (right - left) * per_m / SMALL - 0.6
        found = tallies[shape.area.id]
        share = f"{found.count(True)}/{len(found)}" if found else ""
        if room < width(share) or (top - bottom) * per_m < SMALL * 2:
            continue
        name = sheet.text(source.area(shape.area.id), max(room - width(share) - 0.3, 0))
        label = f"{name} {share}" if room - width(share) > _LEAST_NAME else share
        frame = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8}
        axes.annotate(label.strip(), (left, top), (3, -2), textcoords="offset points", va="top", size=SMALL, zorder=6,
                      bbox=frame if shape.area.id in gridded else None)  # fmt: skip


def _room_for_marks(drawn: _Map) -> float:
    """How large a mark may be in most areas, metres, so that it touches none beside it."""
    many = _points_of(drawn)
    room = [
        min((it.box[3] - it.box[1]) * 0.22, (it.box[2] - it.box[0]) * 0.75 / max(1, min(many[it.area.id], A_ROW)))
        for it in drawn.shapes
    ]
    return sorted(room)[len(room) // 4]


def _points_per_m(axes: Axes) -> float:
    """The scale of a map that was laid out: points for each metre."""
    start, end = axes.transData.transform([(0, 0), (1, 0)])
    return float(end[0] - start[0]) * 72 / float(axes.figure.dpi)
