"""Captions of pictures: which belongs to which, and what number it has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from reports.forms.document import Document
from reports.forms.document import Paragraph
from reports.forms.document import Placed

_DIGITS = "一二三四五六七八九"
CAPTION = re.compile(
    rf"^(?:图|Figure|Fig\.)\s*([0-9]+(?:[-.][0-9]+)?|[{_DIGITS}十]+)(?![0-9])[\s:.、。)）]*(.*)$", re.DOTALL
)
MENTION = re.compile(r"图\s*([0-9]+(?:[-.][0-9]+)?)(?:\s*(?:[~～至到—–-]|、|和|及|与)\s*图?\s*([0-9]+))?")
_NEAR = 4  # paragraphs without text between a picture and its caption


@dataclass(frozen=True, slots=True)
class Caption:
    """A numbered caption."""

    paragraph: Paragraph
    number: tuple[int, ...]  #: one number, or chapter and number
    text: str  #: what follows the number

    @property
    def name(self) -> str:
        """The number as written in Arabic digits."""
        return "-".join(map(str, self.number))


def caption_of(paragraph: Paragraph) -> Caption | None:
    """The caption that the paragraph is, if it is one."""
    text = unicodedata.normalize("NFKC", paragraph.text).strip()
    match = CAPTION.match(text)
    if match is None:
        return None
    return Caption(paragraph, _number(match[1]), match[2].strip())


def assign(document: Document) -> list[tuple[Placed, Caption | None]]:
    """Each picture with its caption; whether captions stand below or above is taken from what fits more pictures."""
    below, above = (_assigned(document, step) for step in (1, -1))
    matched = [sum(caption is not None for _, caption in one) for one in (below, above)]
    return below if matched[0] >= matched[1] else above


def _assigned(document: Document, step: int) -> list[tuple[Placed, Caption | None]]:
    used: set[int] = set()
    found = []
    for picture in document.pictures:
        caption = _near(document.paragraphs, picture.paragraph - 1, step, used)
        if caption is not None:
            used.add(caption.paragraph.number)
        found.append((picture, caption))
    return found


def _near(paragraphs: Sequence[Paragraph], at: int, step: int, used: set[int]) -> Caption | None:
    """The caption in the picture's own paragraph, or in the nearest one with text on that side.

    Pictures side by side have their captions side by side: one that another picture has is passed over, up to the next
    picture.
    """
    own = caption_of(paragraphs[at])
    if own is not None:
        return None if own.paragraph.number in used else own
    left, passed = _NEAR, False
    while (at := at + step) in range(len(paragraphs)) and left:
        one = paragraphs[at]
        if passed and one.pictures:
            return None
        if one.text.strip():
            found = caption_of(one)
            if found is None or one.number not in used:
                return found
            passed = True
        else:
            left -= 1
    return None


def mentioned(document: Document, captions: Sequence[Caption]) -> set[tuple[int, ...]]:
    """Numbers of pictures that the text names, ranges such as 图 1 至图 3 resolved."""
    own = {caption.paragraph.number for caption in captions}
    numbers: set[tuple[int, ...]] = set()
    for paragraph in document.paragraphs:
        if paragraph.number in own:
            continue
        for match in MENTION.finditer(unicodedata.normalize("NFKC", paragraph.text)):
            first = _number(match[1])
            numbers.add(first)
            if match[2] and len(first) == 1:
                last = min(int(match[2]), first[0] + 999)
                joined = re.search(r"[、和及与]", match[0]) is not None
                numbers |= {(last,)} if joined else {(one,) for one in range(first[0], last + 1)}
    return numbers


def _number(text: str) -> tuple[int, ...]:
    if text[0].isdigit():
        return tuple(int(part[:9]) for part in re.split(r"[-.]", text))
    tens, ten, ones = text.rpartition("十")
    value = (_DIGITS.find(tens) + 1 or 1) * 10 if ten else 0
    return (value + (_DIGITS.find(ones) + 1 if ones else 0),)
