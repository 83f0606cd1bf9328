"""Single values that a form asks for."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator

from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.answer import found
from reports.forms.checks.cells import below
from reports.forms.checks.cells import labelled
from reports.forms.counting import is_asian
from reports.forms.document import Cell
from reports.forms.form import Rule
from reports.forms.subject import Subject
from reports.forms.subject import squeezed

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CODE = re.compile(rf"[{_ALPHABET}]{{18}}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LEVELS = dict(zip("一二三四五", "12345", strict=True))
_LEVEL = re.compile(r"(?<![A-Z])L([0-9])(?![0-9])|([一二三四五])级|(?<![0-9.])([0-9])级|^([0-9])$")
_SEPARATORS = re.compile(r"[、,，;；/\n]+")


def _values(subject: Subject, rule: Rule) -> list[Cell]:
    if rule.facts.get("where") == "below":
        return list(below(subject.document, rule.facts["label"]))
    return list(labelled(subject.document, rule.facts["label"], whole_row=rule.facts.get("row", False)))


def _given(subject: Subject, rule: Rule) -> Iterator[Finding | Cell]:
    """The values of the field, or what is said where there is none."""
    cells = _values(subject, rule)
    optional = rule.facts.get("optional", False)
    if not cells:
        yield found(Mark.WARN if optional else Mark.FAIL, "field-missing", label=rule.facts["label"])
    for cell in cells:
        if cell.text:
            yield cell
        else:
            yield _at(subject, cell, Mark.WARN if optional else Mark.FAIL, "field-empty", label=rule.facts["label"])


def _at(subject: Subject, cell: Cell, mark: Mark, code: str, **facts: object) -> Finding:
    at = subject.document.paragraphs[cell.paragraph - 1] if cell.paragraph else None
    return found(mark, code, at, **facts)


def filled(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the field has a value."""
    for one in _given(subject, rule):
        if isinstance(one, Finding):
            yield one
        else:
            yield _at(subject, one, Mark.PASS, "field", label=rule.facts["label"])


def factory_name(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the name ends as it must and is short enough; three Latin characters count as one."""
    suffix, most = rule.facts["suffix"], rule.facts["most"]
    for one in _given(subject, rule):
        if isinstance(one, Finding):
            yield one
            continue
        name = unicodedata.normalize("NFKC", one.text).strip()
        asian = sum(map(is_asian, name))
        latin = sum(not is_asian(character) and not character.isspace() for character in name)
        least, counted = asian + latin // 3, asian + math.ceil(latin / 3)
        facts = {"name": name, "suffix": suffix, "count": counted, "least": least, "most": most}
        if not name.endswith(suffix):
            yield _at(subject, one, Mark.FAIL, "factory-suffix", **facts)
        if least > most:
            yield _at(subject, one, Mark.FAIL, "factory-long", **facts)
        elif counted > most:
            yield _at(subject, one, Mark.WARN, "factory-rounding", **facts)
        elif name.endswith(suffix):
            yield _at(subject, one, Mark.PASS, "factory", **facts)


def one_of(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the value is one of a list, or, where several may be given, all are."""
    words = {squeezed(word): word for word in subject.form.lists[rule.facts["list"]]}
    more = (cell for label in rule.facts.get("also", ()) for cell in labelled(subject.document, label) if cell.text)
    for one in (*_given(subject, rule), *more):
        if isinstance(one, Finding):
            yield one
            continue
        parts = _SEPARATORS.split(one.text) if rule.facts.get("many") else [one.text]
        for part in filter(None, map(squeezed, parts)):
            bare = re.sub(r"^[(（]?[0-9]+[)）.、]?", "", part)
            good = part in words or bare in words
            facts = {"label": rule.facts["label"], "value": part, "words": "、".join(words.values())[:120]}
            yield _at(subject, one, Mark.PASS if good else Mark.FAIL, "word" if good else "word-other", **facts)


def level(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether one maturity level is given, and it is one of L3 to L5: the form's own hint names several."""
    for one in _given(subject, rule):
        if isinstance(one, Finding):
            yield one
            continue
        text = squeezed(one.text).upper()
        values = {_LEVELS.get(word, word) for match in _LEVEL.finditer(text) for word in match.groups() if word}
        good = len(values) == 1 and rule.facts["low"] <= int(min(values)) <= rule.facts["high"]
        facts = {"value": text, "low": rule.facts["low"], "high": rule.facts["high"]}
        yield _at(subject, one, Mark.PASS if good else Mark.FAIL, "level" if good else "level-other", **facts)


def credit_code(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the code has its eighteen characters and the right check character."""
    for one in _given(subject, rule):
        if isinstance(one, Finding):
            yield one
            continue
        code = squeezed(one.text).upper()
        if not _CODE.fullmatch(code):
            yield _at(subject, one, Mark.FAIL, "code-form", value=code)
        elif check_character(code[:17]) != code[17]:
            yield _at(subject, one, Mark.FAIL, "code-check", value=code)
        else:
            yield _at(subject, one, Mark.PASS, "code", value=code)


def check_character(body: str) -> str:
    """The eighteenth character of a unified social credit code (GB 32100-2015) for the first seventeen."""
    weighted = sum(_ALPHABET.index(character) * pow(3, place, 31) for place, character in enumerate(body))
    return _ALPHABET[-weighted % 31]


def mobile(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the value holds a mobile number of the mainland."""
    for one in _given(subject, rule):
        if isinstance(one, Finding):
            yield one
            continue
        good = _MOBILE.search(re.sub(r"[\s-]", "", one.text)) is not None
        yield _at(subject, one, Mark.PASS if good else Mark.FAIL, "mobile" if good else "mobile-other")
