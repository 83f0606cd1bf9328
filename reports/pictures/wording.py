"""Words of pictures: their catalogue, foreign text made fit to be drawn, and lines of a bounded length."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from profiles.language import LANGUAGES
from profiles.language import Texts
from reports.pictures.fonts import CATALOGUE
from reports.pictures.fonts import advance
from reports.wording import Said
from reports.wording import visible

_SPACE = re.compile(r"[ \t\n\r]+")  # not the space that keeps a number with its unit
#: Right-to-left scripts: without an engine that orders them they would be drawn backwards.
_BACKWARDS = frozenset({"R", "AL", "AN"})
UNKNOWN = "□"  #: stands for a character that cannot be drawn


def tell(code: str, **facts: object) -> Said:
    """The text ``code`` of this catalogue, filled with ``facts``; a :class:`Said` fact is filled by language."""
    texts = Texts.of(CATALOGUE)

    def filled(language: str) -> str:
        own = {name: fact.in_language(language) if isinstance(fact, Said) else fact for name, fact in facts.items()}
        return texts.get(code, language, **own)

    return Said(*map(filled, LANGUAGES))


def joined(parts: Iterable[Said], zh: str = " · ", en: str = " · ") -> Said:
    """Texts one after the other; empty ones are left out."""
    found = list(parts)
    return Said(zh.join(it.zh for it in found if it.zh), en.join(it.en for it in found if it.en))


def drawable(text: str, known: frozenset[int]) -> str:
    """``text`` on one line, of characters that the font has (``known``) and that run from left to right."""
    shown = _SPACE.sub(" ", visible(text)).strip()
    return "".join(it if _is_drawable(it, known) else UNKNOWN for it in shown)


def _is_drawable(character: str, known: frozenset[int]) -> bool:
    return ord(character) in known and unicodedata.bidirectional(character) not in _BACKWARDS


def width(text: str) -> float:
    """How wide ``text`` is, in units of the type size: 1 for each Chinese character, about a half for others."""
    return sum(map(advance, text))


def shortened(text: str, most: float) -> str:
    """``text``, or its beginning and end around ``…``, at most ``most`` wide: ids differ at the end."""
    if width(text) <= most:
        return text
    tail = _fitting(text[::-1], most * 0.35)[::-1]
    return f"{_fitting(text, most - width(tail) - 1)}…{tail}"


def _fitting(text: str, most: float) -> str:
    taken = 0.0
    for index, character in enumerate(text):
        taken += advance(character)
        if taken > most:
            return text[:index]
    return text


def wrapped(text: str, most: float, lines: int) -> list[str]:
    """``text`` in so many lines, each ``most`` wide at most; broken at spaces and between Chinese characters."""
    found, line = [], ""
    for piece in _pieces(text):
        if line and width(line + piece.rstrip()) > most:
            found.append(line.rstrip())
            line = ""
        line += shortened(piece, most)
    found.append(line.rstrip())
    if len(found) > lines:
        found = [*found[: lines - 1], shortened(" ".join(found[lines - 1 :]), most)]
    return [it for it in found if it]


def _pieces(text: str) -> list[str]:
    """What may not be broken: words with the space after them, and Chinese characters with the mark after them."""
    return re.findall(r"[\u2e80-\u9fff\uff00-\uffef][，。；：、）】」》？！”’]*|[^ \u2e80-\u9fff]+ *| +", text)
