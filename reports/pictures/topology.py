"""Topology: the zones by kind, what is registered in each, where is measured from, and the conduits between them."""

from __future__ import annotations

import math
from collections import Counter
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import NamedTuple

from fixtures.plant.model import Plant
from reports.figures import count
from reports.pictures import marks
from reports.pictures.axes import boxes
from reports.pictures.found import Found
from reports.pictures.sheet import SMALL
from reports.pictures.sheet import TEXT
from reports.pictures.sheet import TINY
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.wording import joined
from reports.pictures.wording import tell
from reports.wording import Said
from reports.wording import same

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KINDS = ("external", "it", "dmz", "ot")  #: from the outside to the machines
_MOST_BOXES = 24  #: zones drawn with their conduits; more become tiles
_MOST_ARROWS = 48
_A_ROW = 6  #: boxes
_A_TILE_ROW = 10
_MOST_TILES = 56
_LEFT = 13.0  #: of 100, room for the names of kinds


class _Zone(NamedTuple):
    """One zone and what is registered in it."""

    id: str
    kind: str
    name: Said
    terminals: int
    devices: int
    points: int
    vantages: int

    @property
    def weight(self) -> int:
        return self.terminals + self.devices + self.points


class _Box(NamedTuple):
    """Where a zone is drawn."""

    left: float
    bottom: float
    wide: float
    high: float

    @property
    def middle(self) -> float:
        return self.left + self.wide / 2


def found(source: Source) -> Iterator[Found]:
    """One picture; every plant has a zone."""
    plant = source.bundle.plant
    zones = _zones(source, plant)
    conduits = dict.fromkeys((it.source, it.destination) for it in plant.conduits)
    known = {it.id for it in zones}
    pairs = [pair for pair in conduits if known.issuperset(pair)]
    title = tell("topology.title")
    points = sum(it.points for it in zones)
    told = {"zones": len(zones), "terminals": len(plant.endpoints), "devices": len(plant.devices), "points": points}
    told |= {"vantages": len(plant.vantages), "conduits": len(pairs)}
    about = tell("topology.about", **{name: count(many) for name, many in told.items()})
    tiled = len(zones) > _MOST_BOXES or len(pairs) > _MOST_ARROWS

    def draw(sheet: Sheet) -> None:
        notes = [tell("topology.note-tiles" if tiled else "topology.note")]
        if tiled and len(zones) > _MOST_TILES:
            notes.insert(0, tell("topology.more", count=count(len(zones) - _MOST_TILES)))
        sheet.lay_out(title, about, notes, list(_keys(sheet, tiled=tiled)))
        axes = sheet.figure.add_subplot()
        axes.set_axis_off()
        axes.set_xlim(0, 100)
        if tiled:
            _tiles(sheet, axes, zones, pairs)
        else:
            _boxes(sheet, axes, zones, pairs)

    yield Found("", title, tell("topology.caption", about=about), draw)


def _zones(source: Source, plant: Plant) -> list[_Zone]:
    terminals = Counter(it.zone for it in plant.endpoints)
    devices = Counter(it.zone for it in plant.devices)
    vantages = Counter(it.zone for it in plant.vantages)
    points: Counter[str] = Counter()
    for area in plant.areas:
        points[area.zone] += len(area.points)
    return [
        _Zone(it.id, it.kind, source.zone(it.id), terminals[it.id], devices[it.id], points[it.id], vantages[it.id])
        for it in plant.zones
    ]


def _rows(zones: Sequence[_Zone], most: int) -> Iterator[tuple[str, list[_Zone]]]:
    """The zones in rows of one kind each, as evenly filled as they can be."""
    for kind in _KINDS:
        here = [it for it in zones if it.kind == kind]
        rows = math.ceil(len(here) / most)
        for row in range(rows):
            start, end = (round(len(here) * it / rows) for it in (row, row + 1))
            yield kind if row == 0 else "", here[start:end]


def _boxes(sheet: Sheet, axes: Axes, zones: Sequence[_Zone], pairs: Sequence[tuple[str, str]]) -> None:
    rows = list(_rows(zones, _A_ROW))
    axes.set_ylim(-len(rows), 0)
    boxes: dict[str, _Box] = {}
    row_of: dict[str, int] = {}
    for row, (kind, here) in enumerate(rows):
        pitch = (100 - _LEFT) / len(here)
        wide = min(pitch * 0.84, 24.0)
        for index, zone in enumerate(here):
            middle = _LEFT + pitch * (index + 0.5)
            boxes[zone.id] = _Box(middle - wide / 2, -row - 0.78, wide, 0.5)
            row_of[zone.id] = row
            _box(sheet, axes, zone, boxes[zone.id])
        _kind(sheet, axes, kind, -row - 0.53)
    _arrows(axes, boxes, row_of, pairs)


def _box(sheet: Sheet, axes: Axes, zone: _Zone, box: _Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.6"
    line = "--" if zone.kind == "external" else "-"
    axes.add_patch(
        FancyBboxPatch((box.left, box.bottom), box.wide, box.high, boxstyle=style, mutation_aspect=0.03,
                       facecolor="white", edgecolor=marks.INK, lw=1.0, ls=line, zorder=3)
    )  # fmt: skip
    room = box.wide / 100 * 8 * 72 / SMALL * 0.9
    top = box.bottom + box.high
    name = sheet.text(zone.name, room / 1.07)
    axes.annotate(name, (box.middle, top), (0, -4), textcoords="offset points", ha="center", va="top", size=SMALL,
                  weight="bold", zorder=4)  # fmt: skip
    told = joined(_contents(zone), "，", ", ")
    axes.annotate(sheet.text(told, room * SMALL / TINY), (box.middle, box.bottom), (0, 4), textcoords="offset points",
                  ha="center", va="bottom", size=TINY, zorder=4)  # fmt: skip
    if zone.vantages:
        axes.plot([box.left + box.wide], [top], "^", ms=7, mfc=marks.BLUE, mec="white", mew=0.8, zorder=5)


def _contents(zone: _Zone) -> Iterator[Said]:
    """What is registered in a zone; of nothing, that."""
    for name in ("terminals", "devices", "points"):
        if many := getattr(zone, name):
            yield tell(f"topology.{name}", count=count(many))
    if not zone.weight:
        yield tell("topology.empty")


def _kind(sheet: Sheet, axes: Axes, kind: str, y: float) -> None:
    if kind:
        axes.text(0, y, sheet.text(tell(f"topology.kind-{kind}")), va="center", size=TEXT, weight="bold")


def _arrows(axes: Axes, boxes: dict[str, _Box], row_of: dict[str, int], pairs: Sequence[tuple[str, str]]) -> None:
    """One arrow for each conduit, each at a place of its own on the edge of its box; behind the boxes."""
    from matplotlib.patches import FancyArrowPatch

    sides: dict[tuple[str, int], list[tuple[float, tuple[str, str], int]]] = defaultdict(list)
    for pair in pairs:
        for end, (here, there) in enumerate((pair, pair[::-1])):
            side = 1 if row_of[there] <= row_of[here] else -1
            sides[here, side].append((boxes[there].middle, pair, end))
    at: dict[tuple[tuple[str, str], int], tuple[float, float]] = {}
    for (id, side), ends in sides.items():
        box = boxes[id]
        y = box.bottom + (box.high if side > 0 else 0.0)
        for index, (_, pair, end) in enumerate(sorted(ends)):
            at[pair, end] = box.left + box.wide * (index + 1) / (len(ends) + 1), y
    for pair in pairs:
        start, stop = at[pair, 0], at[pair, 1]
        level = row_of[pair[0]] == row_of[pair[1]]
        bend = f"arc3,rad={-0.18 if stop[0] > start[0] else 0.18}" if level else "arc3,rad=0"
        axes.add_patch(
            FancyArrowPatch(start, stop, arrowstyle="-|>", mutation_scale=9, connectionstyle=bend, color=marks.GREY,
                            lw=1.0, shrinkA=0, shrinkB=1, zorder=2)
        )  # fmt: skip


def _tiles(sheet: Sheet, axes: Axes, zones: Sequence[_Zone], pairs: Sequence[tuple[str, str]]) -> None:
    """The zones with most in them, each with how many conduits go out and come in."""
    kept = {it.id for it in sorted(zones, key=lambda it: -it.weight)[:_MOST_TILES]}
    outward, inward = (Counter(pair[end] for pair in pairs) for end in (0, 1))
    rows = list(_rows([it for it in zones if it.id in kept], _A_TILE_ROW))
    axes.set_ylim(-len(rows), 0)
    pitch = (100 - _LEFT) / _A_TILE_ROW
    room = pitch * 0.92 / 100 * 8 * 72 / TINY * 0.93
    frames: list[tuple[float, float, float, float]] = []
    for row, (kind, here) in enumerate(rows):
        _kind(sheet, axes, kind, -row - 0.5)
        for index, zone in enumerate(here):
            x, y = _LEFT + pitch * index, -row - 0.95
            frames.append((x, y, pitch * 0.92, 0.88))
            counts = f"{count(zone.weight)} →{outward[zone.id]} ←{inward[zone.id]}"
            for line, said in enumerate((zone.name, same(counts))):
                shown = sheet.text(said, room / (1 if line else 1.07))
                axes.annotate(shown, (x, y + 0.88), (2, -3 - line * TINY * 1.35), textcoords="offset points", va="top",
                              size=TINY, weight="normal" if line else "bold")  # fmt: skip
            if zone.vantages:
                axes.plot([x + pitch * 0.92], [y + 0.88], "^", ms=6, mfc=marks.BLUE, mec="white", mew=0.8, zorder=5)
    boxes(axes, frames, facecolor="white", edgecolor=marks.GREY, lw=0.8)


def _keys(sheet: Sheet, *, tiled: bool) -> Iterator[object]:
    from matplotlib.lines import Line2D

    label = sheet.text(tell("topology.key-vantage"))
    yield Line2D([], [], marker="^", ls="", ms=7, mfc=marks.BLUE, mec="white", label=label)
    if not tiled:
        label = sheet.text(tell("topology.key-conduit"))
        yield Line2D([], [], marker=">", ls="-", ms=5, color=marks.GREY, label=label, markevery=[1])
