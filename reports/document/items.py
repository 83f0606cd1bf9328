"""The items of a document: the table of all verdicts, and what is to be said of each item."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from reports.document.blocks import Block
from reports.document.blocks import Facts
from reports.document.blocks import Figure
from reports.document.blocks import Heading
from reports.document.blocks import Kind
from reports.document.blocks import Paragraph
from reports.document.blocks import Run
from reports.document.blocks import Style
from reports.document.blocks import Table
from reports.document.blocks import Text
from reports.document.blocks import Words
from reports.document.front import Places
from reports.document.front import verdict_run
from reports.figures import count
from reports.pictures import Picture
from reports.view.item import ItemView
from reports.view.item import Provenance
from reports.view.listing import Row
from reports.view.page import Page
from reports.wording import Said

#: Failing objects listed with an item, and rows of all such lists together: the bundle has all of them.
LISTED, LISTED_IN_ALL = 20, 500
OPEN = "open"  #: where items stand that were not measured
_OTHERS = "others"
_SECTIONS = 100  #: items that have a section of their own
_IN_SHORT = 5  #: failing objects of an item in a summary
_PARTS = 12  #: rows of a breakdown, the worst first


def places(page: Page) -> Places:
    """Where the document speaks of each item: in a section of its own, in a table of many, or among the open ones.

    Of more than :data:`_SECTIONS` measured items, those that need action first have a section.
    """
    urgent = sorted(page.measured, key=lambda item: (item.urgency, not item.failing, item.number))
    found = {item.number: f"item-{item.number}" for item in urgent[:_SECTIONS]}
    found |= {item.number: f"{_OTHERS}-{item.pillar}" for item in urgent[_SECTIONS:]}
    return found | {item.number: OPEN for item in page.unmeasured}


def verdicts(page: Page, places: Places, words: Words) -> Iterator[Block]:
    """The table of all items, by pillar."""
    yield Heading(1, words.say("document.verdicts"), "verdicts")
    if not page.items:
        yield Paragraph(words.text(words.say("document.nothing-planned")))
        return
    rows: list[list[Text]] = []
    for group in page.groups:
        rows.append([words.text(group.name, Style.STRONG)])
        rows += [_verdict_row(item, places, words) for item in group.items]
    shares = {"verdict": words.verdict_share, "item": 6.2, "value": 3.4, "interval": 3.6, "threshold": 3.4}
    columns = [
        words.column(f"column.{name}", share, number=name in ("value", "interval")) for name, share in shares.items()
    ]
    yield Table(words.say("document.verdicts"), columns, rows)


def _verdict_row(item: ItemView, places: Places, words: Words) -> list[Text]:
    value = [Run(item.figures.value, Style.STRONG)]
    if item.figures.share:
        value.append(Run(f" {item.figures.share}", Style.ASIDE))
    limit = [Run(item.figures.threshold)]
    if item.limit:
        limit.append(Run(f" {words(item.limit.origin)}", Style.ASIDE))
    name = (Run(words(item.id), Style.CODE, places.get(item.number, "")), Run(f" {words(item.title)}"))
    return [_verdict(item, words), name, tuple(value), words.text(item.figures.interval), tuple(limit)]


def _verdict(item: ItemView, words: Words) -> Text:
    told = verdict_run(item.verdict, words(item.word))
    beside = [words.say("item.passed-on-repeat")] if item.repeated else []
    beside += [words.say("item.waived")] if item.waivers else []
    return (told, *(Run(f" {one}", Style.ASIDE) for one in beside))


def details(page: Page, pictures: Mapping[str, Sequence[Picture]], places: Places, words: Words) -> Iterator[Block]:
    """Every item that was measured, by pillar."""
    if not page.measured:
        return
    yield Heading(1, words.say("page.details"), "details")
    failing = sum(bool(item.failing) for item in page.measured)
    room = max(3, min(LISTED, LISTED_IN_ALL // max(1, failing)))
    for group in page.groups:
        if group.measured:
            yield Heading(2, words(group.name), f"pillar-{group.id}")
        others = [item for item in group.measured if places[item.number].startswith(_OTHERS)]
        if others:
            yield Paragraph(words.text(words.say("document.others-why")), Kind.LEAD)
        for item in group.measured:
            if item not in others:
                yield from _item(item, pictures.get(item.id, ()), room, words)
        if others:
            yield Heading(3, words.say("document.others"), places[others[0].number])
            yield _in_short(others, words)


def _in_short(items: Sequence[ItemView], words: Words) -> Table:
    """What is to be told of items that have no section of their own, beside the table of all verdicts."""
    shares = {"column.item": 5, "item.scope": 3, "item.uncertainty": 4, "item.methods": 3.4, "item.n": 1.6}
    rows: list[list[Text]] = []
    for rule in dict.fromkeys(item.basis.rule for item in items):
        rows.append([words.text(rule, Style.STRONG)])
        for item in items:
            if item.basis.rule == rule:
                name = (Run(words(item.id), Style.CODE), Run(f" {words(item.title)}"))
                told = (item.basis.scope, item.figures.uncertainty, item.basis.methods)
                rows.append([name, *(words.text(said) for said in told), words.text(item.evidence.n)])
    columns = [words.column(name, share, number=name == "item.n") for name, share in shares.items()]
    return Table(words.say("document.others"), columns, rows)


def failures(page: Page, words: Words) -> Iterator[Block]:
    """Every item with something to do about, in short: why, what to do, and the first objects that fail."""
    if not page.remedies:
        return
    yield Heading(1, words.say("item.remedies"), "remedies")
    for item in page.remedies:
        yield Heading(2, f"{words(item.id)} {words(item.title)}", f"item-{item.number}")
        yield Paragraph((*_verdict(item, words), Run(f" {_ruling(item, words)}")))
        yield from _remedy(item, words)
        if item.failing:
            yield from _failing(item, _IN_SHORT, words)


def _item(item: ItemView, pictures: Sequence[Picture], room: int, words: Words) -> Iterator[Block]:
    yield Heading(3, f"{words(item.id)} {words(item.title)}", f"item-{item.number}")
    yield Paragraph((*_verdict(item, words), Run(f" {_ruling(item, words)}")))
    for waiver in item.waivers:
        told = f"{words(waiver.effect)}; {words(waiver.state)}; {words(waiver.justification)}"
        yield Paragraph((Run(f"{words.say('item.waived')} ", Style.STRONG), Run(told)), Kind.NOTE)
    yield Facts(list(_figures(item, words)))
    for note in item.notes:
        yield Paragraph((Run(f"{words.say('item.notes')} ", Style.STRONG), Run(words(note))), Kind.NOTE)
    yield from _remedy(item, words)
    if item.failing:
        yield from _failing(item, room, words)
    if item.breakdowns:
        yield _breakdowns(item, words)
    for picture in pictures:
        yield figure(picture, words)


def _ruling(item: ItemView, words: Words) -> str:
    told = [item.statement, item.reason] if item.statement else [item.reason]
    return ("" if words.language == "zh" else " ").join(words(said) for said in told)


def _remedy(item: ItemView, words: Words) -> Iterator[Block]:
    if item.remedy:
        yield Paragraph((Run(f"{words.say('item.remedy')} ", Style.STRONG), Run(words(item.remedy))), Kind.NOTE)


def _figures(item: ItemView, words: Words) -> Iterator[tuple[str, Text]]:
    """The result with its unit, uncertainty, limit, rule, method and sources, as far as there are any."""
    figures, basis, evidence = item.figures, item.basis, item.evidence
    value = f"{figures.value} ({figures.share})" if figures.share else figures.value
    yield words.say("item.value"), (Run(words(value), Style.STRONG),)
    yield words.say("item.uncertainty"), words.text(figures.uncertainty)
    if item.limit:
        yield words.say("item.threshold"), words.text(figures.threshold)
        yield words.say("item.threshold-source"), _source(item.limit, words)
    if item.source:
        yield words.say("item.source"), _source(item.source, words)
    for delay in item.delays:
        facts = "; ".join(f"{words(name)} {words(value)}" for name, value in delay.facts)
        yield words.say("item.delay", quantity=delay.quantity), words.text(facts)
    if item.picture and item.picture.facts:
        facts = "; ".join(f"{words(name)} {words(value)}" for name, value in item.picture.facts)
        yield words(item.picture.title), words.text(facts)
    told: dict[str, Said | str] = {
        "item.scope": basis.scope,
        "item.rule": basis.rule,
        "document.indicator": item.indicator,
        "item.methods": basis.methods,
        "item.parameters": basis.parameters,
        "item.vantages": evidence.vantages,
        "item.times": evidence.times,
        "item.attempts": evidence.attempts,
        "item.n": evidence.n,
    }
    for name, said in told.items():
        if text := words(said):
            yield words.say(name), words.text(text)


def _source(source: Provenance, words: Words) -> Text:
    said = f"{words(source.document)} ({words(source.origin)} · {words(source.checked)})"
    return (Run(said), Run(f" “{words(source.quote)}”", Style.ASIDE)) if source.quote else (Run(said),)


def _failing(item: ItemView, room: int, words: Words) -> Iterator[Block]:
    shares = {"target": 4, "class": 3.5, "addresses": 3.5, "reason": 5}
    yield Table(
        f"{words(item.id)} {words.say('item.failing')}",
        [words.column(f"column.{name}", share) for name, share in shares.items()],
        [_failing_row(row, words) for row in item.failing[:room]],
    )
    if item.failing_total > room:
        more = words.say("document.more", shown=count(min(room, len(item.failing))), total=count(item.failing_total))
        yield Paragraph(words.text(more), Kind.ASIDE)


def _failing_row(row: Row, words: Words) -> list[Text]:
    thing = row.thing
    name = words(thing.name)
    called = (Run(words(thing.id), Style.CODE), *([Run(f" {name}")] if name and name != thing.id else []))
    place = " · ".join(part for part in (words(thing.cls), words(thing.zone), words(thing.area)) if part)
    note = words(row.note)
    why = (Run(words(row.reason)), *([Run(f" {note}", Style.ASIDE)] if note else []))
    return [called, words.text(place), words.text(thing.addresses, Style.CODE), why]


def _breakdowns(item: ItemView, words: Words) -> Table:
    """The parts of all dimensions in one table; what a part lacks a value for is told where there is any."""
    remarks = any(part.remark for breakdown in item.breakdowns for part in breakdown.parts)
    columns = [
        words.column("column.part", 5),
        words.column("item.share", 3, number=True),
        words.column("item.value", 3, number=True),
        *([words.column("item.reason", 5)] if remarks else []),
    ]
    rows: list[list[Text]] = []
    for breakdown in item.breakdowns:
        rows.append([words.text(breakdown.dimension, Style.STRONG)])
        for part in breakdown.parts[:_PARTS]:
            remark = [words.text(part.remark or "")] if remarks else []
            rows.append([words.text(part.name), words.text(part.share), words.text(part.value), *remark])
        if len(breakdown.parts) > _PARTS:
            more = words.say("document.more", shown=_PARTS, total=count(len(breakdown.parts)))
            rows.append([words.text(more, Style.ASIDE)])
    return Table(words.say("document.breakdown", item=item.id), columns, rows)


def figure(picture: Picture, words: Words) -> Figure:
    """A picture with its caption."""
    title, caption = words(picture.title), words(picture.caption)
    return Figure(
        picture, f"{title}。{caption}" if words.language == "zh" else f"{title}. {caption}", f"{title}: {caption}"
    )
