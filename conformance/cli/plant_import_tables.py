"""What an import makes of asset lists, as tables for the person who confirms it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from fixtures.plant.import_columns import Column
from fixtures.plant.import_columns import Layout
from fixtures.plant.import_columns import Level
from fixtures.plant.import_columns import Use
from fixtures.plant.import_list import Import
from fixtures.plant.import_row import Kind
from fixtures.plant.import_words import IGNORED
from fixtures.plant.import_words import How
from fixtures.plant.import_words import label
from fixtures.plant.sheets import column_letters
from profiles.language import Texts
from profiles.language import current_language
from profiles.problem import Problem
from reports.wording import visible

if TYPE_CHECKING:
    from fixtures.plant.import_words import Meaning

_WORDS, _REASONS, _PROBLEMS = 40, 25, 10  #: so many are shown of each
_CUT = 28  #: characters of a sample
_NOTHING = "–"
_STYLES = {Level.ASKED: "bold", Level.SURE: "green", Level.LIKELY: "yellow", Level.UNSURE: "red"}


def mapping(made: Import) -> Iterator[Table | Text]:
    """What each column holds, sheets of the same columns together, and what each word means."""
    alike: dict[tuple[object, ...], list[Layout]] = {}
    for layout in made.layouts:
        key = tuple((column.number, column.header, column.uses) for column in layout.columns)
        alike.setdefault(key, []).append(layout)
    for layouts in alike.values():
        yield _columns(layouts)
    if made.found.words:
        yield _words(made)


def outcome(made: Import) -> Iterator[Table | Text]:
    """How many rows were placed, which were not, and why."""
    kinds = Counter(it.kind for it in made.checked.asides)
    placed, rejected, skipped = len(made.checked.entries), kinds[Kind.REJECTED], kinds[Kind.SKIPPED]
    rows = sum(number > it.row for it in made.layouts for number, _ in it.sheet.rows)
    yield Text(text("sum", rows=rows, placed=placed, rejected=rejected, skipped=skipped), "bold")
    for note in made.notes:
        yield _said(note, "yellow")
    yield from (Text(text(f"remark-{code}", count=count)) for code, count in made.remarks.items())
    if made.checked.asides:
        yield _asides(made)
    if made.checked.problems:
        yield Text(text("lacking"), "yellow")
        yield from (_said(it) for it in made.checked.problems[:_PROBLEMS])


def text(code: str, **facts: object) -> str:
    """A text of imports in the current language, safe to show."""
    return visible(Texts.of("fixtures").get(f"import.{code}", current_language(), **facts))


def _said(problem: Problem, style: str = "") -> Text:
    return Text(visible(problem.text(current_language())), style)


def _columns(layouts: Sequence[Layout]) -> Table:
    names = [f"{it.sheet.file}#{it.sheet.name}" if it.sheet.name else it.sheet.file for it in layouts]
    table = _table("columns", sheets=f" · {', '.join(names)}")
    for column in layouts[0].columns:
        uses: list[Use | None] = [it for it in column.uses if it.field != IGNORED] or [None]
        for use in uses:
            samples = ", ".join(it if len(it) <= _CUT else f"{it[: _CUT - 1]}…" for it in column.samples)
            field, level, how = text("unused"), "", ""
            if use:
                field, how = label(use.field), text(f"how-{use.how}")
                level = text(f"level-{use.level}") if use.used or use.level is Level.UNSURE else text("unused")
            style = _STYLES[use.level] if use and (use.used or use.level is Level.UNSURE) else "dim"
            _add(table, style, column_letters(column.number), _header(column), field, level, how, samples)
    return table


def _header(column: Column) -> str:
    return column.header or _NOTHING


def _words(made: Import) -> Table:
    """Unknown words first, then those that were guessed; names that tell a class are as many as devices, so cut."""
    table = _table("words", numeric=4)

    def order(entry: tuple[tuple[str, str], int]) -> tuple[int, int]:
        meaning = made.found.meanings[entry[0]]
        known = -1 if meaning is None else [How.LIKELY, How.PART, How.CONTENTS, How.WHOLE, How.ASKED].index(meaning.how)
        return known, -entry[1]

    entries = sorted(made.found.words.items(), key=order)
    for (field, word), count in entries[:_WORDS]:
        meaning = made.found.meanings[field, word]
        how = text(f"how-{meaning.how}") if meaning else ""
        style = "red" if meaning is None else "yellow" if meaning.how in (How.LIKELY, How.PART) else ""
        _add(table, style, label(field), word, _code(field, meaning), how, str(count))
    if len(entries) > _WORDS:
        _add(table, "dim", "", text("more", count=len(entries) - _WORDS), "", "", "")
    return table


def _code(field: str, meaning: Meaning | None) -> str:
    if meaning is None:
        return text("unknown")
    if field == "class" and len(meaning.code) == 1 and meaning.code != "-":
        return f"{meaning.code} {Texts.of('fixtures').get(f'plant.class-{meaning.code}', current_language())}"
    return meaning.code


def _asides(made: Import) -> Table:
    """The reasons, each with its first case and how many rows it has."""
    table = _table("asides", numeric=2)
    first: dict[tuple[Kind, str, object], Problem] = {}
    counts: Counter[tuple[Kind, str, object]] = Counter()
    for aside in made.checked.asides:
        for key, problem in {(aside.kind, it.code, it.facts.get("field")): it for it in aside.problems}.items():
            first.setdefault(key, problem)
            counts[key] += 1
    entries = sorted(counts.items(), key=lambda it: (str(it[0][0]), -it[1]))
    for key, count in entries[:_REASONS]:
        style = "red" if key[0] is Kind.REJECTED else "dim"
        _add(table, style, text(f"kind-{key[0]}"), first[key].text(current_language()), str(count))
    if len(entries) > _REASONS:
        _add(table, "dim", "", text("more", count=len(entries) - _REASONS), "")
    return table


def _table(code: str, numeric: int = -1, **facts: object) -> Table:
    title, *headers = text(code, **facts).split("|")
    table = Table(title=Text(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, header in enumerate(headers):
        table.add_column(header, justify="right" if number == numeric else "left", overflow="fold")
    return table


def _add(table: Table, style: str, *cells: str) -> None:
    table.add_row(*(Text(visible(cell)) for cell in cells), style=style)
