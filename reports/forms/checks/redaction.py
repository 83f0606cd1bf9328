"""That a public document tells nothing it should not, and which bundle it belongs to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import pairwise

from reports.bundle import Bundle
from reports.fingerprint import fingerprint
from reports.fingerprint import is_evidence
from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.answer import found
from reports.forms.document import Cell
from reports.forms.document import Paragraph
from reports.forms.form import Rule
from reports.forms.known import KnownValues
from reports.forms.lint import leaks
from reports.forms.subject import Subject
from reports.plain import Malformed
from reports.plain import open_plain

_PEOPLE = ("creator", "lastModifiedBy", "Manager", "Company")
_FORMAL_LEAST = 8  #: characters; shorter values stand among the format's own words
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_SHOWN = 20
_LABEL = 40  # characters of a label, of which the last say what follows


def secrets(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether nothing in the file looks like an address, a device's or a person's number, or a host's name."""
    without = rule.facts.get("without", ())
    told: set[str] = set()
    for texts, again in ((_texts(subject), True), (_labelled(subject), False), (_formal(subject), False)):
        for at, where, text in texts:
            for leak in leaks(text, without):
                if (again and at is not None) or not any(leak.text in other for other in told):
                    yield found(Mark.FAIL, "leak", at, kind=_kind(leak.kind), text=leak.text, where=where)
                told.add(leak.text)
    positions = [medium.part for medium in subject.document.media if medium.position]
    for part in positions:
        yield found(Mark.FAIL, "leak-position", part=part)
    for aside in subject.document.asides:
        part, _, name = aside.where.partition("#")
        if name in _PEOPLE and aside.text.strip() not in rule.facts.get("authors", ()):
            yield found(Mark.WARN, "leak-author", text=aside.text.strip(), where=part)
    unread = subject.document.unread
    for name in unread[:_SHOWN]:
        yield found(Mark.MANUAL, "unread", part=name)
    if len(unread) > _SHOWN:
        yield found(Mark.MANUAL, "more", count=len(unread) - _SHOWN)
    if subject.document.pictures:
        yield found(Mark.MANUAL, "look-at-pictures", count=len(subject.document.pictures))
    if not told and not positions:
        yield found(Mark.PASS, "no-leak")


def known_values(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether no id, name, address or person of the bundle's plant stands anywhere in the file."""
    del rule
    if subject.bundle is None:
        return
    known = KnownValues(subject.bundle)
    told: set[str] = set()
    caught = 0
    for texts, least in ((_texts(subject), 1), (_formal(subject), _FORMAL_LEAST)):
        for at, where, text in texts:
            for value in known.within(text, least):
                if at is None and value in told:
                    continue
                told.add(value)
                caught += 1
                if caught <= _SHOWN:
                    yield found(Mark.FAIL, "known-value", at, value=value, where=where)
    if caught > _SHOWN:
        yield found(Mark.FAIL, "more", count=caught - _SHOWN)
    if not caught:
        yield found(Mark.PASS, "no-known-value", count=len(known.values))
    for code, values in (("common-values", known.common), ("short-values", known.short)):
        if values:
            yield found(Mark.PASS, code, count=len(values), values="、".join(values[:_SHOWN]))


def tie(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the document quotes the fingerprint of the bundle, and the bundle's files are those of its manifest."""
    del rule
    if subject.bundle is None:
        return
    expected = fingerprint(subject.bundle.manifest)
    quoted = {match for one in subject.document.paragraphs for match in _HASH.findall(_joined(one.text))}
    if expected in quoted:
        yield found(Mark.PASS, "tie", fingerprint=expected)
    elif quoted:
        yield found(Mark.FAIL, "tie-other", fingerprint=expected, quoted=min(quoted))
    else:
        yield found(Mark.FAIL, "tie-none", fingerprint=expected)
    for name in _changed(subject.bundle):
        yield found(Mark.FAIL, "tie-changed", name=name)


def _changed(bundle: Bundle) -> Iterator[str]:
    """Evidence files that are not what the manifest says, whose hashes the fingerprint is made of."""
    for name, record in bundle.manifest.files.items():
        if not is_evidence(name):
            continue
        digest = hashlib.sha256()
        try:
            with open_plain(bundle.path, name) as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        except Malformed:
            yield name
            continue
        if digest.hexdigest() != record.sha256:
            yield name


def _texts(subject: Subject) -> Iterator[tuple[Paragraph | None, str, str]]:
    """Every text in the file with its paragraph, or where else it stands."""
    for one in subject.document.paragraphs:
        yield one, one.story, one.text
        for kind in ("hidden", "deleted", "instructions"):
            if text := "".join(getattr(one, kind)):
                yield one, kind, text
    for aside in subject.document.asides:
        yield None, aside.where.partition("#")[0], aside.text
    for target in subject.document.outside:
        yield None, "link", target
    for medium in subject.document.media:
        for text in medium.metadata:
            yield None, medium.part, text


def _labelled(subject: Subject) -> Iterator[tuple[Paragraph | None, str, str]]:
    """Cells of tables with the words that stand left of them and above: a number tells what it is by these."""
    for table in subject.document.tables:
        pairs = [*pairwise(table), *((table[0], cells) for cells in table[2:])]
        for heads, cells in pairs:
            yield from (_cell(subject, label, value) for label, value in zip(heads, cells, strict=False))
        for row in table:
            yield from (_cell(subject, label, value) for label, value in pairwise(row))


def _cell(subject: Subject, label: Cell, value: Cell) -> tuple[Paragraph | None, str, str]:
    at = subject.document.paragraphs[value.paragraph - 1] if value.paragraph else None
    return at, "table", f"{label.text.strip()[-_LABEL:]}: {value.text.strip()}"


def _formal(subject: Subject) -> Iterator[tuple[None, str, str]]:
    """Everything in the parts, with the words of the format itself."""
    for part, values in subject.document.formal.items():
        yield None, part, "\n".join(values)


def _kind(kind: str) -> str:
    from profiles.language import Texts
    from reports.forms.package import CATALOGUE

    return Texts.of(CATALOGUE).get(f"leak.{kind}")


def _joined(text: str) -> str:
    """A number that is written in groups, as one."""
    return re.sub(r"(?<=[0-9a-f])[ \t\n\u00a0\u200b](?=[0-9a-f])", "", text)
