"""The chapter for annex 4 of 2025: the form's parts in order, filled with what the evidence supports.

What no measurement can tell comes from the applicant's file, or is a place to be filled in. How much is said of each
result is fitted to the number of characters that the form allows: it is lowered, last results first, never raised
beyond what is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence

from profiles.verdict import Verdict
from reports.forms.annex.blocks import Block
from reports.forms.annex.told import FULL
from reports.forms.annex.told import LEAST
from reports.forms.annex.told import Measured
from reports.forms.annex.told import Told
from reports.forms.applicant import Applicant
from reports.forms.counting import total
from reports.forms.form import Form
from reports.forms.form import Section
from reports.pictures import Picture

_AIM = 4700  #: characters; the applicant may still add some
_SPARSE = 3600  #: characters; below, there is room to explain
_HIDDEN = LEAST - 1  #: a result that passed and is only counted
_ENOUGH = 10  #: pictures that the form asks for


class Chapter:
    """One chapter while it is fitted."""

    def __init__(self, told: Told, form: Form, applicant: Applicant, pictures: Sequence[Picture]) -> None:
        self._told = told
        self._form = form
        self._applicant = applicant
        self._supported = len(pictures)
        self._pictures = chosen(pictures)
        self._details = {one.result.item: FULL for one in told.measured}
        self._numbered: list[Picture] = []
        self._defined: set[str] = set()  # indicators whose definition was told
        self._explained = False  # whether rules and words are explained, which is room for what is known anyway

    def fitted(self) -> list[Block]:
        """The blocks, with as much of each result as there is room for."""
        self._explained = self._length() < _SPARSE
        order = list(reversed(self._told.measured))
        for detail in range(FULL - 1, _HIDDEN - 1, -1):
            for one in order:
                if self._length() <= _AIM:
                    return self.blocks()
                if detail >= LEAST or one.result.verdict is Verdict.PASS:
                    self._details[one.result.item] = detail
        return self.blocks()

    def _length(self) -> int:
        return total(text for block in self.blocks() for text in block.texts).high

    def blocks(self) -> list[Block]:
        """All blocks, as detailed as set."""
        self._numbered = []
        self._defined = set()
        return list(self._all())

    def _all(self) -> Iterator[Block]:
        yield Block("title", self._told.words["heading"])
        yield Block("table", rows=self._cover())
        number = 0
        for section in self._form.sections:
            if section.level == "part":
                number = 0
                yield Block("part", section.title)
            else:
                number += 1
                yield Block("section", f"{number}、{section.title}")
            yield from self._section(section)

    def _cover(self) -> tuple[tuple[str, ...], ...]:
        one = self._applicant
        given = dict(
            zip(self._told.words["cover"], (one.enterprise, one.factory, one.industry, one.district), strict=True)
        )
        cells = [text for label, value in given.items() for text in (label, value or self._fill(label))]
        return tuple(cells[:4]), tuple(cells[4:])

    def _section(self, section: Section) -> Iterator[Block]:
        own = self._applicant.texts.get(section.id, "").strip()
        yield from (Block("text", text) for text in own.splitlines() if text.strip())
        supported = [Block("text", text) for text in self._evidence(section)]
        yield from supported
        if section.level != "part" and not own and section.id not in _SUPPORTED:
            yield Block("text", self._told.words["fill_text"].format(title=section.title))
        kinds = self._told.words["sections"].get(section.id, {}).get("pictures", ())
        yield from self._placed([one for kind in kinds for one in self._pictures if one.kind == kind])

    def _evidence(self, section: Section) -> Iterator[str]:
        told = self._told
        if section.id == "architecture":
            yield "".join(told.architecture())
        elif section.id == "innovation":
            yield "".join(told.campaign())
            if self._explained:
                yield told.rules()
        elif section.id == "leadership":
            yield told.unmet()
            if self._supported < _ENOUGH:
                yield told.say("partial", count=self._supported)
            yield told.say("evidence", fingerprint=told.fingerprint) + told.say("relates")
        elif section.id == "part-4":
            yield told.say("scene")
        elif section.id == "part-5":
            level = self._applicant.level
            yield told.say("report_level", level=level) if level else told.say("report")
        pillars = told.words["sections"].get(section.id, {}).get("pillars", ())
        results = [text for pillar in pillars for text in self._pillar(pillar)]
        yield from (told.say("numbered", number=at, text=text) for at, text in enumerate(results, 1))

    def _pillar(self, id: str) -> Iterator[str]:
        items = self._told.of_pillar(id)
        shown = [one for one in items if self._details[one.result.item] >= LEAST]
        for one in shown:
            detail, indicator = self._details[one.result.item], one.result.indicator
            yield self._told.result(one, detail, defined=indicator not in self._defined)
            if detail == FULL:
                self._defined.add(indicator)
        if rest := len(items) - len(shown):
            yield self._told.say("pillar_rest", pillar=self._told.pillar(id), count=rest)

    def _placed(self, pictures: Sequence[Picture]) -> Iterator[Block]:
        if not pictures:
            return
        first = len(self._numbered) + 1
        self._numbered += pictures
        code = "seen_one" if len(pictures) == 1 else "seen_many"
        yield Block("text", self._told.words[code].format(first=first, last=len(self._numbered)))
        for number, one in enumerate(pictures, first):
            title, caption = one.title.zh, one.caption.zh
            for said in (title, title.partition("：")[2]):
                caption = caption.removeprefix(f"{said}：") if said else caption
            yield Block("picture", picture=one)
            facts = {"number": number, "title": title, "caption": caption}
            yield Block("caption", self._told.clean(self._told.words["caption"].format(**facts)))

    def _fill(self, what: str) -> str:
        text: str = self._told.words["fill"].format(what=what)
        return text


#: Sections about which a bundle always has something to say.
_SUPPORTED = frozenset({"architecture", "innovation", "new-technology", "efficiency"})


def chosen(pictures: Sequence[Picture], most: int = _ENOUGH) -> list[Picture]:
    """At most ``most`` pictures, one of each kind first, so that no kind takes the place of another."""
    kinds: dict[str, list[Picture]] = {}
    for one in pictures:
        kinds.setdefault(one.kind, []).append(one)
    rounds = max(map(len, kinds.values()), default=0)
    ordered = [some[at] for at in range(rounds) for some in kinds.values() if at < len(some)]
    kept = ordered[:most]
    return [one for one in pictures if one in kept]


def measured_of(told: Told, indicators: Sequence[str]) -> list[Measured]:
    """Items of these indicators that have a value."""
    return [one for one in told.measured if one.result.indicator in indicators and one.result.value is not None]
