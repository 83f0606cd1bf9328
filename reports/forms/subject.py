"""What the checks look at: the document, the form, and where the form's headings are in the document."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from reports.forms.captions import CAPTION
from reports.forms.captions import assign
from reports.forms.document import Document
from reports.forms.document import Paragraph
from reports.forms.form import Form
from reports.forms.form import Section

if TYPE_CHECKING:
    from reports.bundle import Bundle

#: Where the applicant still has to write something.
PLACEHOLDER = re.compile(r"【待填[^】]*】")
_NUMBER = re.compile(
    r"^(第[一二三四五六七八九十百0-9]+(部分|章|节|篇)|[(（]?[一二三四五六七八九十0-9]+[)）]?(\.[0-9]+)*)[、.．:：,，\s]*"
)
_LONGEST_HEADING = 60  # characters
_SHORT = ("body", "textbox", "table")


@dataclass(frozen=True, slots=True)
class Located:
    """A heading of the form as found in the document."""

    section: Section
    heading: Paragraph
    body: tuple[Paragraph, ...]  #: up to the next heading of the form

    @property
    def text(self) -> str:
        """What stands below the heading, or behind it in the same paragraph, without placeholders."""
        below = "\n".join(paragraph.text for paragraph in self.body)
        return PLACEHOLDER.sub("", below).strip()


class Subject:
    """One document under one form."""

    def __init__(self, document: Document, form: Form, bundle: Bundle | None = None, *, attached: bool = False) -> None:
        self.document = document
        self.form = form
        self.bundle = bundle
        self.attached = attached  #: whether the self-assessment report was given beside the document

    @cached_property
    def located(self) -> list[Located]:
        """The form's headings, in the order of the document."""
        headings = self._headings()
        starts = sorted(headings, key=lambda pair: pair[1].number)
        bounds = [paragraph.number for _, paragraph in starts] + [len(self.document.paragraphs) + 1]
        return [
            Located(section, heading, tuple(self.document.paragraphs[heading.number : bounds[index + 1] - 1]))
            for index, (section, heading) in enumerate(starts)
        ]

    def of(self, section: str) -> list[Located]:
        """Where the heading with this id was found: once, or once for each direction and industry."""
        return [one for one in self.located if one.section.id == section]

    @cached_property
    def uncounted(self) -> frozenset[int]:
        """Numbers of the paragraphs in sections that do not count."""
        return frozenset(
            paragraph.number
            for one in self.located
            if not one.section.counted
            for paragraph in (one.heading, *one.body)
        )

    @cached_property
    def captions(self) -> frozenset[int]:
        """Numbers of the paragraphs that are captions of pictures: others may begin with 图 1 and are running text."""
        return frozenset(one.paragraph.number for _, one in assign(self.document) if one is not None)

    def _headings(self) -> list[tuple[Section, Paragraph]]:
        parts = [section for section in self.form.sections if section.level == "part"]
        found = [(part, _likeliest(matches)) for part in parts if (matches := list(self._matches(part)))]
        begins = sorted(paragraph.number for _, paragraph in found)
        at = {part.id: paragraph.number for part, paragraph in found}
        for section in self.form.sections:
            if section.level == "part":
                continue
            low = at.get(section.within, 0)
            high = next((number for number in begins if number > low), len(self.document.paragraphs) + 1)
            inside = (
                [one for one in self._matches(section) if low < one.number < high] if low or not section.within else []
            )
            several = section.limit is not None or not inside
            found += [(section, one) for one in (inside if several else [_likeliest(inside)])]
        return found

    def _matches(self, section: Section) -> Iterator[Paragraph]:
        for paragraph in self.document.paragraphs:
            if paragraph.story not in _SHORT or paragraph.in_contents:
                continue
            text = squeezed(paragraph.text)
            if not text or len(text) > _LONGEST_HEADING or text.endswith("。") or CAPTION.match(text):
                continue
            bare = _NUMBER.sub("", text)
            if any(bare.startswith(key) or text.startswith(key) for key in section.match):
                yield paragraph


def _likeliest(matches: list[Paragraph]) -> Paragraph:
    """Of several paragraphs that read like a heading the last that is one by its style, or the last: lists precede."""
    return next((one for one in reversed(matches) if one.is_heading), matches[-1])


def squeezed(text: str) -> str:
    """``text`` in compatibility form and without spaces, as headings and labels are compared."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
