"""Characters counted as Word's 字数 counts them.

Each East Asian character counts one, punctuation of that script included; every other run without a space counts one.
Which script quotation marks, dashes and dots belong to depends on fonts and hints that Word does not document; so every
count has two ends: with them as Chinese punctuation (``high``, what Word shows in Chinese text), and as Latin.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

_ASIAN, _EITHER, _OTHER, _SPACE, _NOTHING = range(5)


class Count(NamedTuple):
    """Characters by the two readings of punctuation that both scripts have."""

    low: int
    high: int

    def plus(self, other: Count) -> Count:
        """Both counts together."""
        return Count(self.low + other.low, self.high + other.high)

    def within(self, low: float, high: float) -> bool:
        """Whether both ends are between ``low`` and ``high``, these included."""
        return low <= self.low and self.high <= high

    def __str__(self) -> str:
        return str(self.high) if self.low == self.high else f"{self.low}-{self.high}"


def count(text: str) -> Count:
    """The count of one paragraph's text: a run of Latin letters and digits ends with it."""
    return Count(_count(text, _OTHER), _count(text, _ASIAN))


def total(texts: Iterable[str]) -> Count:
    """The counts of paragraphs together."""
    result = Count(0, 0)
    for text in texts:
        result = result.plus(count(text))
    return result


def is_asian(character: str) -> bool:
    """Whether the character is set in the East Asian font, whatever the fonts' hints say."""
    return _kind(character) == _ASIAN


def is_latin(character: str) -> bool:
    """Whether the character is set in the Latin font, whatever the fonts' hints say."""
    return _kind(character) == _OTHER


def _count(text: str, either: int) -> int:
    counted, in_run = 0, False
    for character in text:
        kind = _kind(character)
        kind = either if kind == _EITHER else kind
        if kind == _ASIAN:
            counted, in_run = counted + 1, False
        elif kind == _SPACE:
            in_run = False
        elif kind == _OTHER and not in_run:
            counted, in_run = counted + 1, True
    return counted


@cache
def _kind(character: str) -> int:
    category = unicodedata.category(character)
    if character.isspace() or category == "Cc":
        return _SPACE
    if category in ("Cf", "Mn", "Me", "Cs"):
        return _NOTHING
    width = unicodedata.east_asian_width(character)
    if width in "WFH":
        return _ASIAN
    return _EITHER if width == "A" and category[0] in "PSN" else _OTHER
