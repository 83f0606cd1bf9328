"""The end of a document: what is open and why, what happened, and how to check the report."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.document.blocks import Block
from reports.document.blocks import Heading
from reports.document.blocks import Kind
from reports.document.blocks import Paragraph
from reports.document.blocks import Run
from reports.document.blocks import Style
from reports.document.blocks import Table
from reports.document.blocks import Words
from reports.document.front import Places
from reports.document.front import verdict_run
from reports.document.items import OPEN
from reports.figures import count
from reports.fingerprint import COMMAND
from reports.view.item import ItemView
from reports.view.page import Page

_EVENTS = 100  #: lines of the campaign's log


def open_items(page: Page, places: Places, words: Words) -> Iterator[Block]:
    """What has no verdict yet, or was left out, and why."""
    left = [item for item in page.items if item.verdict in OPEN_VERDICTS]
    out = [item for item in page.items if item.verdict is Verdict.NOT_APPLICABLE]
    yield Heading(1, words.say("document.open"), OPEN)
    yield Paragraph(words.text(words.say("document.open-why" if left else "document.open-none")), Kind.LEAD)
    if left:
        yield _listed(left, "document.open", places, words)
    if out:
        yield Paragraph(words.text(words.say("document.left-out-why")), Kind.LEAD)
        yield _listed(out, "document.left-out", {}, words)


def _listed(items: Sequence[ItemView], caption: str, places: Places, words: Words) -> Table:
    rows = []
    for item in items:
        link = places.get(item.number, "")
        name = (Run(words(item.id), Style.CODE, "" if link == OPEN else link), Run(f" {words(item.title)}"))
        source = words(item.source.document) if item.source else ""
        rows.append([(verdict_run(item.verdict, words(item.word)),), name, words.text(item.reason), words.text(source)])
    shares = {"column.verdict": words.verdict_share, "column.item": 5, "item.reason": 6, "item.source": 4}
    return Table(words.say(caption), [words.column(name, share) for name, share in shares.items()], rows)


def checking(page: Page, words: Words) -> Iterator[Block]:
    """How a stranger checks the report, from the bundle alone."""
    yield Heading(1, words.say("page.check"), "check")
    yield Paragraph((Run(f"{words.say('page.hash')} ", Style.STRONG), Run(page.fingerprint, Style.CODE)))
    yield Paragraph(words.text(words.say("page.hash-what")), Kind.ASIDE)
    for code, command in (("verify", "plantproof verify BUNDLE"), ("hash", COMMAND)):
        yield Paragraph(words.text(words.say(f"page.check-{code}")))
        yield Paragraph((Run(command, Style.CODE),), Kind.CODE)


def events(page: Page, words: Words) -> Iterator[Block]:
    """The campaign's log."""
    if not page.events:
        return
    yield Heading(1, words.say("page.events"), "events")
    shares = {"time": 3.5, "kind": 3, "event": 9}
    yield Table(
        words.say("page.events"),
        [words.column(f"column.{name}", share) for name, share in shares.items()],
        [
            [words.text(event.time), words.text(event.kind, Style.CODE), words.text(event.text)]
            for event in page.events[:_EVENTS]
        ],
    )
    if len(page.events) > _EVENTS:
        more = words.say("document.more", shown=_EVENTS, total=count(len(page.events)))
        yield Paragraph(words.text(more), Kind.ASIDE)
