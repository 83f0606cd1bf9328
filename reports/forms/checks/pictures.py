"""Pictures: their bytes, their pixels, their number, and that they are shown whole and captioned."""

from __future__ import annotations

from collections.abc import Iterator

from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.answer import found
from reports.forms.captions import Caption
from reports.forms.captions import assign
from reports.forms.captions import mentioned
from reports.forms.document import Paragraph
from reports.forms.document import Placed
from reports.forms.form import Rule
from reports.forms.media import Medium
from reports.forms.subject import Subject

_MEGA = 1_000_000


def size(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether each picture file has as many bytes as asked for, by both readings of 5M."""
    yield from _no_pictures(subject)
    enough = len(_qualified(subject, rule)) >= rule.facts["least"]
    for index, picture in enumerate(subject.document.pictures, 1):
        at, medium = _at(subject, picture), picture.medium
        if medium is None:
            yield found(Mark.FAIL, "picture-linked" if picture.target else "picture-missing", at, index=index)
        elif medium.size < rule.facts["also"]:
            yield found(Mark.WARN if enough else Mark.FAIL, "picture-small", at, index=index, bytes=f"{medium.size:,}")
        elif medium.size < rule.facts["bytes"]:
            yield found(Mark.WARN, "picture-decimal", at, index=index, bytes=f"{medium.size:,}")
        else:
            yield found(Mark.PASS, "picture-size", at, index=index, bytes=f"{medium.size:,}", format=medium.format)


def pixels(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether each picture has as many pixels as asked for, as its file's header states them."""
    yield from _no_pictures(subject)
    enough = len(_qualified(subject, rule)) >= rule.facts["least"]
    for index, picture in enumerate(subject.document.pictures, 1):
        at, medium = _at(subject, picture), picture.medium
        if medium is None:
            continue
        if medium.pixels is None:
            yield found(Mark.MANUAL if enough else Mark.FAIL, "picture-unknown", at, index=index, format=medium.format)
            continue
        facts = {"index": index, "width": medium.width, "height": medium.height, "mega": f"{medium.pixels / _MEGA:.2f}"}
        if medium.pixels >= rule.facts["pixels"]:
            yield found(Mark.PASS, "picture-pixels", at, **facts)
        else:
            yield found(Mark.WARN if enough else Mark.FAIL, "picture-coarse", at, **facts)


def number(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether there are as many different pictures that are large and fine enough."""
    qualified = _qualified(subject, rule)
    placed = len(subject.document.pictures)
    different = len({picture.medium.sha256 for picture in subject.document.pictures if picture.medium})
    mark = Mark.PASS if len(qualified) >= rule.facts["least"] else Mark.FAIL
    facts = {"qualified": len(qualified), "placed": placed, "different": different, "least": rule.facts["least"]}
    yield found(mark, "picture-count", **facts)


def whole(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether pictures are shown whole: a line of exact height cuts off what stands in it."""
    del rule
    for index, picture in enumerate(subject.document.pictures, 1):
        at = _at(subject, picture)
        if picture.inline and at.spacing.rule == "exact":
            yield found(Mark.WARN, "picture-cut-by-line", at, index=index, points=f"{at.spacing.line / 20:g}")
        if picture.cut:
            yield found(Mark.WARN, "picture-cut", at, index=index)


def captions(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether each picture has a number and words, and the numbers run 1, 2, 3 without gap and repetition."""
    del rule
    yield from _no_pictures(subject)
    before: Caption | None = None
    for index, (picture, caption) in enumerate(assign(subject.document), 1):
        if caption is None:
            yield found(Mark.FAIL, "caption-missing", _at(subject, picture), index=index)
            continue
        at = caption.paragraph
        if not caption.text:
            yield found(Mark.FAIL, "caption-empty", at, name=caption.name)
        if not _follows(before, caption):
            expected = "1" if before is None else "-".join(map(str, (*before.number[:-1], before.number[-1] + 1)))
            yield found(Mark.FAIL, "caption-order", at, name=caption.name, expected=expected)
        elif caption.text:
            yield found(Mark.PASS, "caption", at, name=caption.name)
        before = caption


def mentions(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the text names each picture by its number."""
    del rule
    known = [caption for _, caption in assign(subject.document) if caption is not None]
    named = mentioned(subject.document, known)
    for caption in known:
        if caption.number not in named:
            yield found(Mark.WARN, "caption-unnamed", caption.paragraph, name=caption.name)


def _follows(before: Caption | None, caption: Caption) -> bool:
    if before is None:
        return all(part == 1 for part in caption.number[-1:])
    if len(before.number) != len(caption.number):
        return False
    if before.number[:-1] == caption.number[:-1]:
        return caption.number[-1] == before.number[-1] + 1
    return caption.number[:-1] > before.number[:-1] and caption.number[-1] == 1


def _qualified(subject: Subject, rule: Rule) -> dict[str, Medium]:
    """Different pictures that are large and fine enough, by their hash."""
    return {
        picture.medium.sha256: picture.medium
        for picture in subject.document.pictures
        if picture.medium is not None
        and picture.medium.size >= rule.facts["bytes"]
        and (picture.medium.pixels or 0) >= rule.facts["pixels"]
    }


def _no_pictures(subject: Subject) -> Iterator[Finding]:
    if not subject.document.pictures:
        yield found(Mark.FAIL, "picture-none")


def _at(subject: Subject, picture: Placed) -> Paragraph:
    return subject.document.paragraphs[picture.paragraph - 1]
