"""How a document looks: its length, its type, the distance of its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator

from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.answer import found
from reports.forms.counting import Count
from reports.forms.counting import is_asian
from reports.forms.counting import is_latin
from reports.forms.counting import total
from reports.forms.document import Paragraph
from reports.forms.form import Rule
from reports.forms.subject import Subject

_SHOWN = 8  # paragraphs named for one rule
_PERCENT = 100


def counts(subject: Subject) -> dict[str, Count]:
    """Characters by reading: as Word's status bar counts, with notes and text boxes, and the running text alone."""
    counted = [one for one in subject.document.paragraphs if one.number not in subject.uncounted]
    main = [one for one in counted if one.story in ("body", "table")]
    running = [one for one in counted if one.story == "body" and one.number not in subject.captions]
    stories = {"word": main, "all": counted, "running": running}
    return {name: total(one.text for one in some) for name, some in stories.items()}


def length(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the document has as many characters as asked for, by every reading."""
    low, high = rule.facts["low"], rule.facts["high"]
    readings = counts(subject)
    facts = {name: str(count) for name, count in readings.items()} | {"low": low, "high": high}
    outside = [name for name, count in readings.items() if not count.within(low, high)]
    if not outside:
        yield found(Mark.PASS, "length", **facts)
    for name in outside:
        yield found(Mark.FAIL, f"length-{name}", count=str(readings[name]), **facts)
    left_out = total(one.text for one in subject.document.paragraphs if one.number in subject.uncounted)
    if left_out.high:
        yield found(Mark.PASS, "length-left-out", count=str(left_out))
    for kind in ("hidden", "deleted"):
        texts = total("".join(getattr(one, kind)) for one in subject.document.paragraphs)
        if texts.high:
            yield found(Mark.PASS, f"length-{kind}", count=str(texts))
    if subject.document.unread and "altChunk" in subject.document.unread:
        yield found(Mark.MANUAL, "length-unread")


def font(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether Chinese characters are set in the font and the size asked for."""
    fonts = {name.casefold() for name in rule.facts["fonts"]}
    size = rule.facts["half_points"]
    matched: Counter[bool] = Counter()
    wrong: dict[bool, list[tuple[Paragraph, str, int]]] = {True: [], False: []}
    latin: Counter[bool] = Counter()
    for paragraph in subject.document.paragraphs:
        if not paragraph.text.strip():
            continue
        apart = is_apart(subject, paragraph)
        seen = None
        for piece in paragraph.pieces:
            asian = sum(map(is_asian, piece.text))
            fits = piece.look.asian.casefold() in fonts and piece.look.half_points == size
            matched[fits] += asian
            latin[piece.look.latin.casefold() in fonts and piece.look.half_points == size] += sum(
                map(is_latin, piece.text)
            )
            if asian and not fits and seen is None:
                seen = (paragraph, piece.look.asian or "?", piece.look.half_points)
        if seen is not None:
            wrong[apart].append(seen)
    every = matched[True] + matched[False]
    share = f"{_PERCENT * matched[True] / every:.1f}" if every else "0"
    names = "、".join(rule.facts["fonts"])
    facts = {"share": share, "matched": matched[True], "every": every, "size": size / 2, "fonts": names}
    if not every:
        yield found(Mark.FAIL, "font-no-text")
    elif not wrong[False]:
        yield found(Mark.PASS, "font", **facts)
    else:
        yield found(Mark.FAIL, "font-share", **facts)
    for apart, mark in ((False, Mark.FAIL), (True, Mark.WARN)):
        for paragraph, name, half_points in wrong[apart][:_SHOWN]:
            yield found(mark, "font-other", paragraph, font=name, size=half_points / 2)
        yield from _more(len(wrong[apart]) - _SHOWN, mark)
    if latin[False]:
        yield found(Mark.PASS, "font-latin", count=latin[False])


def line_spacing(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the lines of all text are exactly so far apart; paragraphs of pictures are not asked."""
    twips = rule.facts["twips"]
    asked = [one for one in subject.document.paragraphs if one.text.strip() and not one.pictures]
    wrong = [one for one in asked if not one.spacing.is_exactly(twips)]
    running, apart = ([one for one in wrong if is_apart(subject, one) is is_one] for is_one in (False, True))
    facts = {"points": twips / 20, "good": len(asked) - len(wrong), "every": len(asked)}
    if not asked:
        yield found(Mark.FAIL, "font-no-text")
    else:
        yield found(Mark.FAIL if running else Mark.PASS, "spacing", **facts)
    for mark, some in ((Mark.FAIL, running), (Mark.WARN, apart)):
        for one in some[:_SHOWN]:
            rule_name = one.spacing.rule if one.spacing.rule in ("exact", "atLeast", "auto") else "auto"
            per = 20 if rule_name != "auto" else 240
            yield found(mark, f"spacing-{rule_name}", one, value=f"{one.spacing.line / per:g}")
        yield from _more(len(some) - _SHOWN, mark)


def is_apart(subject: Subject, paragraph: Paragraph) -> bool:
    """Whether it is a heading, a caption, or stands in a table or beside the text: the rule does not name those."""
    return paragraph.is_heading or paragraph.story != "body" or paragraph.number in subject.captions


def _more(number: int, mark: Mark) -> Iterable[Finding]:
    if number > 0:
        yield found(mark, "more", count=number)
