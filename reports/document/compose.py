"""From the page of a report to a document: the chapters in their order, with everything numbered."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace

from reports.bundle import Bundle
from reports.document import back
from reports.document import front
from reports.document import items
from reports.document.blocks import Block
from reports.document.blocks import Document
from reports.document.blocks import Figure
from reports.document.blocks import Heading
from reports.document.blocks import Table
from reports.document.blocks import Words
from reports.pictures import Picture
from reports.pictures import pictures
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view

#: Items up to which each is listed in the table of contents; of more, their pillars are.
_CONTENTS = 60
_DIGITS = 16  #: of the fingerprint at the foot of a page


def document(bundle: Bundle, language: str) -> Document:
    """The report of ``bundle`` as a document.

    Raises:
        UserMistake: if a file of the bundle is missing or malformed.
    """
    return compose(view(material(bundle), register=False), pictures(bundle), bundle.campaign.ended_utc, language)


def compose(page: Page, drawn: Sequence[Picture], ended: str, language: str) -> Document:
    """Lay ``page`` out as a document, with ``drawn`` where they belong.

    Args:
        page: the content.
        drawn: publication pictures; those called ``KIND:ITEM`` stand with their item.
        ended: when the campaign ended, ISO 8601.
        language: ``zh`` or ``en``.
    """
    words = Words(language)
    of_items, of_all = _placed(page, drawn)
    places = items.places(page)
    chapters = (
        front.summary(page, words),
        front.particulars(page, words),
        items.verdicts(page, places, words),
        front.remedies(page, places, words),
        front.waivers(page, words),
        _overview(of_all, words),
        items.details(page, of_items, places, words),
        back.open_items(page, places, words),
        back.checking(page, words),
        back.events(page, words),
    )
    return _bound(page, words, ended, chapters)


def summary(bundle: Bundle, language: str) -> Document:
    """What a reader must know of ``bundle``, as a short document without pictures.

    Raises:
        UserMistake: if a file of the bundle is missing or malformed.
    """
    page, words = view(material(bundle), register=False), Words(language)
    chapters = (
        front.summary(page, words),
        items.verdicts(page, {}, words),
        items.failures(page, words),
        front.waivers(page, words),
        back.open_items(page, {}, words),
        front.departures(page, words),
        back.checking(page, words),
    )
    return _bound(page, words, bundle.campaign.ended_utc, chapters)


def _bound(page: Page, words: Words, ended: str, chapters: Iterable[Iterable[Block]]) -> Document:
    """The chapters with their cover."""
    producer = f"Plantproof {words(page.version)}".strip()
    every_item = len(page.measured) <= _CONTENTS
    return Document(
        language=words.language,
        title=words(page.title),
        subject=words.listed([words(profile) for profile in page.profiles]),
        author=words(page.organisation),
        campaign=words(page.campaign),
        producer=producer,
        created=ended,
        running=words.say("document.running", plant=page.plant),
        foot=f"{producer} · {words.say('page.hash')} {page.fingerprint[:_DIGITS]}…",
        fingerprint=page.fingerprint,
        cover=front.cover(page, words),
        blocks=list(_numbered((block for chapter in chapters for block in chapter), every_item)),
    )


def _placed(page: Page, drawn: Sequence[Picture]) -> tuple[Mapping[str, Sequence[Picture]], Sequence[Picture]]:
    """Pictures by the item they show, and those that show more than one."""
    measured = {item.id for item in page.measured}
    of_items: dict[str, list[Picture]] = {}
    of_all = []
    for picture in drawn:
        item = picture.id.partition(":")[2]
        if item in measured:
            of_items.setdefault(item, []).append(picture)
        else:
            of_all.append(picture)
    return of_items, of_all


def _overview(drawn: Sequence[Picture], words: Words) -> Iterator[Block]:
    if drawn:
        yield Heading(1, words.say("document.pictures"), "pictures")
        yield from (items.figure(picture, words) for picture in drawn)


def _numbered(blocks: Iterable[Block], every_item: bool) -> Iterator[Block]:
    """The blocks with their numbers: of headings by level, of tables and figures from 1 through the document."""
    levels = [0, 0, 0]
    tables = figures = 0
    for block in blocks:
        match block:
            case Heading(level=level):
                levels = [*levels[: level - 1], levels[level - 1] + 1, *[0] * (3 - level)]
                number = ".".join(map(str, levels[:level]))
                yield replace(block, number=number, listed=level < 3 or every_item)
            case Table() if block.caption:
                tables += 1
                yield replace(block, number=tables)
            case Figure():
                figures += 1
                yield replace(block, number=figures)
            case _:
                yield block
