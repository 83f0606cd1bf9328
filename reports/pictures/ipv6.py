"""IPv6: which check each network element passed."""

from __future__ import annotations

from collections.abc import Iterator

from reports.exhibit import MatrixRecord
from reports.figures import count
from reports.pictures import grid
from reports.pictures.axes import legend_above
from reports.pictures.found import Found
from reports.pictures.sheet import Sheet
from reports.pictures.source import Source
from reports.pictures.source import limit_source
from reports.pictures.source import standing
from reports.pictures.wording import tell
from reports.result import Result
from reports.wording import Said
from reports.wording import check
from reports.wording import say

_MOST = 26  #: elements


def found(source: Source) -> Iterator[Found]:
    """One picture for each result about the support of IPv6."""
    for result in source.of_indicators("ipv6-network-support"):
        if isinstance(result.exhibit, MatrixRecord) and result.exhibit.cells:
            yield _of_result(source, result, result.exhibit)


def _of_result(source: Source, result: Result, record: MatrixRecord) -> Found:
    sound = [it for it in record.cells if 0 <= it[0] < len(record.subjects) and 0 <= it[1] < len(record.items)]
    shown = grid.worst(len(record.subjects), _MOST, [(it[0], it[2]) for it in sound])
    items = grid.worst(len(record.items), grid.MOST_COLUMNS, [(it[1], it[2]) for it in sound])
    at_row, at_column = ({index: place for place, index in enumerate(it)} for it in (shown, items))
    cells = {
        (at_row[subject], at_column[item]): passed
        for subject, item, passed, _ in sound
        if subject in at_row and item in at_column
    }
    rows = [_element(source, record.subjects[it]) for it in shown]
    columns = [check(record.items[it]) for it in items]
    more = len(record.subjects) - len(shown) + record.more_subjects
    title = tell("ipv6.title", item=source.title(result))
    about = tell("ipv6.about", elements=count(len(shown) + more), n=count(result.n), standing=standing(result))
    notes = [it for it in (limit_source(result), tell("ipv6.note")) if it]
    if more:
        notes.insert(0, tell("grid.more", count=count(more)))

    def draw(sheet: Sheet) -> None:
        sheet.lay_out(title, about, notes)
        axes = sheet.figure.add_subplot()
        above = grid.draw(sheet, axes, rows, columns, cells)
        words = {True: say("matrix.passed"), False: say("matrix.failed"), None: say("matrix.not-made")}
        legend_above(axes, grid.keys(sheet, cells, words), columns=3, above_pt=above)

    return Found(result.item, title, tell("ipv6.caption", about=about), draw)


def _element(source: Source, id: str) -> Said:
    """A device, or the segment of a zone."""
    kind, colon, zone = id.partition(":")
    if kind == "segment" and colon:
        return tell("ipv6.segment", zone=source.zone(zone))
    return source.thing(id)
