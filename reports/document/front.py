"""The beginning of a document: its cover, the outcome, and the facts of the campaign."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence

from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.document.blocks import Block
from reports.document.blocks import Cover
from reports.document.blocks import Facts
from reports.document.blocks import Heading
from reports.document.blocks import Kind
from reports.document.blocks import Paragraph
from reports.document.blocks import Run
from reports.document.blocks import Style
from reports.document.blocks import Table
from reports.document.blocks import Text
from reports.document.blocks import Words
from reports.figures import count
from reports.view.fact import Fact
from reports.view.fact import fact
from reports.view.page import Page
from reports.wording import SHAPES
from reports.wording import pillar
from reports.wording import same
from reports.wording import say

#: Facts that the cover shows, as the page names them; the others follow inside.
_ON_COVER = tuple(
    f"fact.{name}"
    for name in ("report-id", "client", "client-address", "laboratory", "organisation", "plant", "place", "tested")
)
_DEPARTURES, _VANTAGES, _WAIVERS = 100, 50, 200  #: rows shown
#: Columns of the table of pillars, and the verdicts counted in each.
_STATES = {
    "pass": (Verdict.PASS,),
    "fail": (Verdict.FAIL,),
    "open": tuple(OPEN_VERDICTS),
    "info": (Verdict.INFO,),
    "not-applicable": (Verdict.NOT_APPLICABLE,),
}


#: Where the document speaks of an item: its anchor, by the item's number.
Places = Mapping[int, str]


def verdict_run(verdict: Verdict, word: str) -> Run:
    """A verdict's mark and word: never told by colour alone."""
    return Run(f"{SHAPES[verdict]}\u00a0{word}", verdict.value)


def cover(page: Page, words: Words) -> Cover:
    """The first page: what was tested, by whom, where and when, what came out, and who answers for it."""
    stated = {one.name: one for one in page.particulars}
    facts = [stated[name] for name in map(say, _ON_COVER) if name in stated]
    profiles = words.listed([words(profile) for profile in page.profiles])
    return Cover(
        kind=words.say("page.kind"),
        plant=words(page.plant),
        outcome=Run(words(page.headline), page.outcome.value),
        facts=Facts([*_told(facts, words), (words.say("page.profile"), words.text(profiles))]),
        signatures=_signatures(page, words),
        statements=[words.say("claim.items-tested"), words.say("claim.accreditation")],
    )


def _signatures(page: Page, words: Words) -> Table:
    """Who answers for the report: the names that were stated, and room for signatures and dates."""
    stated = {one.name: one for one in page.particulars if one.stated}
    rows = []
    for role in ("tester", "witness", "authoriser"):
        name = stated.get(say(f"fact.{role}"))
        rows.append([words.text(say(f"fact.{role}")), words.text(name.value) if name else (), (), ()])
    shares = {"role": 2, "name": 3, "signature": 4, "date": 3}
    return Table("", [words.column(f"document.sign-{name}", share) for name, share in shares.items()], rows, tall=True)


def summary(page: Page, words: Words) -> Iterator[Block]:
    """The outcome, why it is so, what may be claimed, and the counts."""
    yield Heading(1, words.say("document.summary"), "summary")
    yield Paragraph((Run(words(page.headline), page.outcome.value),), Kind.HEADLINE)
    yield Paragraph(words.text(page.why))
    for said in (*page.claims, page.limits):
        yield Paragraph(words.text(said))
    yield Table(
        words.say("page.tally"),
        [
            words.column("column.verdict", words.verdict_share),
            words.column("document.means", 10),
            words.column("document.items", 2, number=True),
        ],
        [
            [(verdict_run(tally.verdict, words(tally.word)),), words.text(tally.means), words.text(count(tally.count))]
            for tally in page.tallies
        ],
    )
    if page.groups:
        yield _by_pillar(page, words)
    yield Paragraph(words.text(words.say("page.about")), Kind.ASIDE)
    for code in ("whole", "compare", "items-tested", "accreditation"):
        yield Paragraph(words.text(words.say(f"claim.{code}")), Kind.NOTE)


def _by_pillar(page: Page, words: Words) -> Table:
    """How the items of each pillar ended."""
    columns = [words.column("document.pillar", 3), words.column("document.items", 1.5, number=True)]
    columns += [words.column(f"document.state-{state}", 1.5, number=True) for state in _STATES]
    rows: list[list[Text]] = []
    for group in page.groups:
        counts = {tally.verdict: tally.count for tally in group.tallies}
        told = [sum(counts.get(verdict, 0) for verdict in verdicts) for verdicts in _STATES.values()]
        rows.append([words.text(pillar(group.id)), *(_number(each, words) for each in (len(group.items), *told))])
    return Table(words.say("document.by-pillar"), columns, rows)


def _number(value: int, words: Words) -> Text:
    return words.text(count(value)) if value else words.text("–", Style.ASIDE)


def particulars(page: Page, words: Words) -> Iterator[Block]:
    """Who, where, when, on what, under which conditions, and what did not go as planned."""
    yield Heading(1, words.say("document.particulars"), "particulars")
    profiles = words.listed([words(profile) for profile in page.profiles])
    yield Facts([*_told(page.particulars, words), (words.say("page.profile"), words.text(profiles))])
    yield from methods(page, words)
    yield from _environment(page, words)
    yield from departures(page, words, level=2)


def departures(page: Page, words: Words, level: int = 1) -> Iterator[Block]:
    """What did not go as planned: stated by people, and shown by the bundle."""
    yield Heading(level, words.say("departure.title"), "departures")
    stated = list(map(same, page.departures.stated)) or [say("departure.stated-none")]
    recorded = page.departures.recorded or [say("departure.recorded-none")]
    for code, many in (("stated", stated), ("recorded", recorded)):
        yield Paragraph(words.text(words.say(f"departure.{code}"), Style.STRONG), Kind.LEAD)
        for one in many[:_DEPARTURES]:
            yield Paragraph(words.text(one), Kind.POINT)
        if len(many) > _DEPARTURES:
            more = words.say("document.more", shown=_DEPARTURES, total=count(len(many)))
            yield Paragraph(words.text(more), Kind.ASIDE)


def _environment(page: Page, words: Words) -> Iterator[Block]:
    yield Heading(2, words.say("environment.title"), "environment")
    conditions = page.environment.conditions
    noted = fact("environment.conditions", same("; ".join(conditions)))
    yield Facts(list(_told([*page.environment.facts, noted], words)))
    if page.environment.vantages:
        shares = {"vantage": 2.6, "where": 2.6, "zones": 4, "machine": 4, "vantage-clock": 3, "offset": 2.8}
        yield Table(
            words.say("document.vantages"),
            [words.column(f"environment.{name}", share) for name, share in shares.items()],
            [
                [
                    words.text(one.id, Style.CODE),
                    words.text(one.where, Style.CODE),
                    words.text(one.zones),
                    words.text(" · ".join(part for part in (one.host, one.system) if part) or "–"),
                    words.text(one.clock),
                    words.text(one.offset or "–"),
                ]
                for one in page.environment.vantages[:_VANTAGES]
            ],
        )
        if len(page.environment.vantages) > _VANTAGES:
            more = words.say("document.more", shown=_VANTAGES, total=count(len(page.environment.vantages)))
            yield Paragraph(words.text(more), Kind.ASIDE)


def _told(facts: Sequence[Fact], words: Words) -> Iterator[tuple[str, Text]]:
    for name, value, stated in facts:
        yield words(name), words.text(value, Style.PLAIN if stated else Style.ASIDE)


def methods(page: Page, words: Words) -> Iterator[Block]:
    """How each indicator that the items use is defined."""
    defined = {item.indicator: item.basis.definition for item in page.items}
    if not defined:
        return
    yield Heading(2, words.say("document.methods"), "methods")
    yield Paragraph(words.text(words.say("document.methods-why")), Kind.LEAD)
    yield Table(
        words.say("document.methods"),
        [words.column("document.indicator", 3), words.column("item.definition", 10)],
        [[words.text(indicator), words.text(definition)] for indicator, definition in defined.items()],
    )


def remedies(page: Page, places: Places, words: Words) -> Iterator[Block]:
    """What to do, what needs action first."""
    if not page.remedies:
        return
    yield Heading(1, words.say("item.remedies"), "remedies")
    yield Paragraph(words.text(words.say("item.remedies-why")), Kind.LEAD)
    shares = {"column.verdict": words.verdict_share, "column.item": 5, "document.objects": 1.8, "item.remedy": 8}
    columns = [words.column(name, share, number=name == "document.objects") for name, share in shares.items()]
    rows = [
        [
            (verdict_run(item.verdict, words(item.word)),),
            (Run(words(item.id), Style.CODE, places.get(item.number, "")), Run(f" {words(item.title)}")),
            _number(item.failing_total, words),
            words.text(item.remedy or ""),
        ]
        for item in page.remedies
    ]
    yield Table(words.say("item.remedies"), columns, rows)


def waivers(page: Page, words: Words) -> Iterator[Block]:
    """All waivers, which change no verdict."""
    if not page.waivers:
        return
    yield Heading(1, words.say("waiver.title"), "waivers")
    yield Paragraph(words.text(words.say("waiver.why")), Kind.LEAD)
    shares = {
        "requirement": 3,
        "scope": 3,
        "expires": 2.8,
        "justification": 4,
        "owner": 2.4,
        "approver": 2.4,
        "effect": 4,
    }
    rows = [
        [
            words.text(one.id, Style.CODE),
            words.text(one.scope),
            (Run(words(one.expires), Style.STRONG), Run(f" {words(one.state)}", Style.ASIDE)),
            *(words.text(said) for said in (one.justification, one.owner, one.approver, one.effect)),
        ]
        for one in page.waivers[:_WAIVERS]
    ]
    yield Table(
        words.say("waiver.title"), [words.column(f"waiver.{name}", share) for name, share in shares.items()], rows
    )
    if len(page.waivers) > _WAIVERS:
        more = words.say("document.more", shown=_WAIVERS, total=count(len(page.waivers)))
        yield Paragraph(words.text(more), Kind.ASIDE)
