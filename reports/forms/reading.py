"""Reads a DOCX file into a :class:`~reports.forms.document.Document`."""

from __future__ import annotations

from pathlib import Path

from reports.forms.asides import read_asides
from reports.forms.document import Document
from reports.forms.markup import Element
from reports.forms.markup import Relations
from reports.forms.markup import main_part
from reports.forms.markup import parse
from reports.forms.markup import q
from reports.forms.media import Medium
from reports.forms.media import measure
from reports.forms.package import Package
from reports.forms.package import open_package
from reports.forms.package import refuse
from reports.forms.styles import Styles
from reports.forms.walk import Walk

_NOTES = {"footnotes": "footnote", "endnotes": "endnote"}
#: Notes that only draw lines.
_LINES = frozenset({"separator", "continuationSeparator", "continuationNotice"})


def read_document(path: Path) -> Document:
    """Read the file ``path``.

    Args:
        path: any DOCX file.

    Raises:
        UserMistake: if it is no DOCX document that can be read, with the reason.
    """
    with open_package(path) as package:
        main = main_part(package)
        relations = Relations(package, main)
        document = Document(str(path))
        media = _Media(package)
        walk = Walk(document, _styles(package, relations), media.of(relations))
        body = parse(package, main).find(q("w:body"))
        if body is None:
            refuse(package.file, "docx-not-word")
        walk.blocks(body)
        for kind, story in _NOTES.items():
            for part in relations.of_kind(kind):
                inner = Walk(document, walk.styles, media.of(Relations(package, part)))
                _notes(inner, parse(package, part), story)
        document.media = media.all()
        read_asides(package, main, document)
        return document


def _notes(walk: Walk, root: Element, story: str) -> None:
    for note in root.iterchildren(q(f"w:{story}")):
        if note.get(q("w:type")) not in _LINES:
            walk.blocks(note, story)


def _styles(package: Package, relations: Relations) -> Styles:
    parts: list[Element | None] = []
    for kind in ("styles", "theme", "settings"):
        name = next(iter(relations.of_kind(kind)), None)
        parts.append(parse(package, name) if name in package.names else None)
    return Styles(*parts)


class _Media:
    """Picture files of the package, each looked at once."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._known: dict[str, Medium] = {}

    def of(self, relations: Relations) -> _Related:
        return _Related(self, relations)

    def get(self, part: str) -> Medium | None:
        if part not in self._package.names:
            return None
        if part not in self._known:
            self._known[part] = measure(part, self._package.stream(part))
        return self._known[part]

    def all(self) -> list[Medium]:
        """Also those that are in the file and placed nowhere: they travel with it."""
        for name in sorted(self._package.names):
            if "/media/" in f"/{name}":
                self.get(name)
        return list(self._known.values())


class _Related:
    """Pictures by the relationship ids of one part."""

    def __init__(self, media: _Media, relations: Relations) -> None:
        self._media = media
        self._relations = relations

    def medium(self, id: str) -> Medium | None:
        return self._media.get(self._relations.inside[id]) if id in self._relations.inside else None

    def target(self, id: str) -> str:
        return self._relations.outside.get(id, "")
