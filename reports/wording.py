"""Words for readers, in both languages: texts of the catalogues, and foreign text made safe to show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from profiles.indicators.layers import LABEL as LAYERS_LABEL
from profiles.language import Texts
from profiles.requirement import Bilingual
from profiles.requirement import Provenance
from profiles.requirement import Source
from profiles.verdict import Verdict

#: Control characters and characters that reorder or hide others: Unicode bidirectional formatting, zero width,
#: line and paragraph separators, tags. Lone surrogates cannot be written as UTF-8 at all.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

#: Verdicts in the order in which a reader should meet them: what needs action first.
BY_URGENCY = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_TESTED,
    Verdict.PASS,
    Verdict.INFO,
    Verdict.NOT_APPLICABLE,
)

#: Pillars in the order of a report.
PILLARS = ("network", "fiveg", "pon", "tsn", "ipv6", "security", "compute", "data")

#: Reasons of findings whose note names the check first.
CHECKS = frozenset({"check-failed", "check-not-made"})

#: Comparisons as a reader knows them.
SIGNS = {">=": "≥", ">": ">", "<=": "≤", "<": "<", "==": "="}

#: One shape for each verdict, so that none is told by colour alone.
SHAPES = {
    Verdict.PASS: "●",
    Verdict.FAIL: "✕",
    Verdict.INCONCLUSIVE: "◆",
    Verdict.ERROR: "▲",
    Verdict.NOT_TESTED: "○",
    Verdict.NOT_APPLICABLE: "–",
    Verdict.INFO: "□",
}


class Said(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """The text in ``zh`` or ``en``."""
        return self.zh if language == "zh" else self.en


def visible(text: str) -> str:
    """``text`` with every control, reordering and invisible character spelled out as ``‹U+202E›``.

    A name in a plant file can then neither drive a terminal nor make a reader see other letters than are there.
    """
    return _INVISIBLE.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)


def same(text: object) -> Said:
    """A text that is not translated: an id, a number, a name."""
    return Said(str(text), str(text))


def of(text: Bilingual) -> Said:
    """A profile's text."""
    return Said(text.zh, text.en)


def say(code: str, **facts: object) -> Said:
    """The text ``report.<code>`` of this room, filled with ``facts``; a :class:`Said` fact is filled by language."""
    return _say("reports", f"report.{code}", facts)


def reason(code: str, facts: Mapping[str, str] | None = None) -> Said:
    """The words of a reason code; the code itself where it has none, as another version's bundle may say."""
    try:
        return _say("profiles", f"reason.{code}", {name: SIGNS.get(fact, fact) for name, fact in (facts or {}).items()})
    except (KeyError, IndexError, TypeError):
        return same(code)


def event(kind: str, text: str, facts: Mapping[str, str]) -> Said:
    """What happened at a vantage point, in words; ``text``, which was told then, where its kind has none."""
    try:
        return _say("fixtures", f"event.{kind}", facts)
    except (KeyError, IndexError, TypeError):
        return same(text)


def check(item: str) -> Said:
    """The words of a check; the item itself where it has none, such as a zone."""
    try:
        return _say("profiles", f"check.{item}", {})
    except (KeyError, IndexError, TypeError):
        return same(item)


def note(code: str, text: str) -> Said:
    """The note of a finding; where checks are the reason, it begins with the check that was not passed.

    A part that tells layers is put into words.
    """
    if code not in CHECKS:
        parts = [layers(part) if part.startswith(f"{LAYERS_LABEL} ") else same(part) for part in text.split(" · ")]
        return Said(" · ".join(part.zh for part in parts), " · ".join(part.en for part in parts))
    item, dot, rest = text.partition(" · ")
    return Said(*(f"{words}{dot}{rest}" for words in check(item)))


def layers(text: str) -> Said:
    """Layered evidence in words; as it is where it is not understood, as another version's bundle may say."""
    try:
        pairs = [word.split(":") for word in text.split()[1:]]
        # `ends:network` has the layer last, `link:answered` first
        keys = [(one, other) if one == "ends" else (other, one) for one, other in pairs]
        said = [say(f"layer.{key}", layer=say(f"layer.{layer}")) for key, layer in keys]
    except (KeyError, IndexError, TypeError, ValueError):
        return same(text)
    return Said("，".join(it.zh for it in said), ", ".join(it.en for it in said))


def reached(text: str) -> Said:
    """Layered evidence in a word: where it ends, or the highest layer that answers; nothing where it tells neither."""
    pairs = [word.split(":") for word in text.split()[1:]]
    ends = [pair[1] for pair in pairs if pair[0] == "ends" and len(pair) > 1]
    answered = [pair[0] for pair in pairs if pair[1:] == ["answered"]]
    code, layer = ("ends", ends[-1]) if ends else ("reaches", answered[-1] if answered else "")
    try:
        return say(f"layer.{code}", layer=say(f"layer.{layer}")) if layer else same("")
    except (KeyError, TypeError):
        return same("")


def pillar(id: str) -> Said:
    """A pillar's name; the id itself where it has none."""
    try:
        return say(f"pillar.{id}")
    except (KeyError, TypeError):
        return same(id)


def verdict(word: Verdict) -> Said:
    """The verdict's word."""
    return say(f"verdict.{word.value}")


def trusted(source: Source) -> bool:
    """Whether a statement of conformity may name the document: its number is stated there, or was compared with it."""
    return source.verified or source.provenance is Provenance.STATED


def dimension(scope: Mapping[str, str]) -> Said:
    """A breakdown's scope in words, such as ``人员类别 P 作业人员``."""
    parts = [(say(f"dimension.{name}"), dimension_value(name, value)) for name, value in scope.items()]
    return Said(
        "，".join(f"{name.zh} {value.zh}" for name, value in parts), ", ".join(f"{n.en} {v.en}" for n, v in parts)
    )


def dimension_value(name: str, value: str) -> Said:
    """One value of a dimension in words; zones and areas are called as the plant calls them."""
    try:
        return say(f"{name}.{value}")
    except (KeyError, TypeError):
        return same(value)


def _say(package: str, code: str, facts: Mapping[str, object]) -> Said:
    texts = Texts.of(package)

    def filled(language: str) -> str:
        own = {name: fact.in_language(language) if isinstance(fact, Said) else fact for name, fact in facts.items()}
        return texts.get(code, language, **own)

    return Said(filled("zh"), filled("en"))
