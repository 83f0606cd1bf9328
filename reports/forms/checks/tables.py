"""Tables of the 2024 form: rows that must be complete, directions, effects, durations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.answer import found
from reports.forms.checks.cells import content
from reports.forms.checks.cells import labelled
from reports.forms.checks.cells import rows_below
from reports.forms.document import Cell
from reports.forms.document import Table
from reports.forms.form import Rule
from reports.forms.subject import Subject
from reports.forms.subject import squeezed

_MONTH = re.compile(r"([0-9]{4})\s*[年./-]\s*([0-9]{1,2})")


def complete_rows(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether each row of the tables with these columns that holds anything holds all of them."""
    columns = [squeezed(column) for column in rule.facts["columns"]]
    tables = 0
    for table in subject.document.tables:
        for at, row in enumerate(table):
            heads = [re.sub(r"[0-9*]+$", "", squeezed(cell.text)) for cell in row]
            if not all(column in heads for column in columns):
                continue
            tables += 1
            places = [heads.index(column) for column in columns]
            yield from _rows(subject, table, at, places, rule)
    if not tables:
        yield found(Mark.FAIL, "table-missing", columns="、".join(rule.facts["columns"]))


def _rows(subject: Subject, table: Table, at: int, places: list[int], rule: Rule) -> Iterator[Finding]:
    filled = 0
    for row in rows_below(table, at):
        missing = [rule.facts["columns"][index] for index, place in enumerate(places) if not row[place].text]
        if missing == rule.facts["columns"]:
            continue
        filled += 1
        mark, code = (Mark.FAIL, "row-gaps") if missing else (Mark.PASS, "row")
        first = row[places[0]]
        paragraph = subject.document.paragraphs[(first.paragraph or 1) - 1]
        yield found(mark, code, paragraph, missing="、".join(missing), name=first.text)
    if not filled:
        yield found(Mark.WARN, "table-empty", columns="、".join(rule.facts["columns"]))


def at_most_filled(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether at most so many fields of a kind, such as directions, are filled."""
    filled = [cell for label in rule.facts["labels"] for cell in labelled(subject.document, label) if cell.text]
    mark = Mark.PASS if len(filled) <= rule.facts["most"] else Mark.FAIL
    yield found(mark, "at-most", count=len(filled), most=rule.facts["most"])


def effects(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether each industry that has any effect filled in has at least so many."""
    seen = False
    for table in subject.document.tables:
        industry, values = "", list[Cell]()
        for row in [*table, []]:
            name = next((text for cell in row if re.match(r"重点行业[一二三四五六]", text := squeezed(cell.text))), "")
            if (name or not row) and industry and values:
                seen = True
                mark = Mark.PASS if len(values) >= rule.facts["least"] else Mark.FAIL
                at = subject.document.paragraphs[(values[0].paragraph or 1) - 1]
                yield found(mark, "effects", at, industry=industry, count=len(values), least=rule.facts["least"])
            if name:
                industry, values = name, []
            elif industry:
                labels = pairwise(row)
                values += [two for one, two in labels if _is_effect(one, rule) and content(two.text)]
    if not seen:
        yield found(Mark.WARN, "effects-none")


def _is_effect(cell: Cell, rule: Rule) -> bool:
    return any(squeezed(cell.text).startswith(squeezed(label)) for label in rule.facts["labels"])


def duration(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether from the first to the last month it is not longer than so many months."""
    for cell in labelled(subject.document, rule.facts["label"]):
        at = subject.document.paragraphs[(cell.paragraph or 1) - 1]
        months = [int(year) * 12 + int(month) for year, month in _MONTH.findall(cell.text)]
        if len(months) < 2:
            yield found(Mark.WARN, "duration-unread", at)
            continue
        long = months[-1] - months[0]
        mark = Mark.PASS if 0 <= long <= rule.facts["months"] else Mark.WARN
        yield found(mark, "duration", at, months=long, most=rule.facts["months"])
