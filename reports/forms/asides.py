"""What a document carries and does not show: metadata, authors, comments, headers, alternative texts, links.

All of it leaves the house with the file, so the lint looks at it as at the text.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.forms.document import Aside
from reports.forms.document import Document
from reports.forms.markup import NAMESPACES
from reports.forms.markup import Element
from reports.forms.markup import Relations
from reports.forms.markup import parse
from reports.forms.package import Package

#: Attributes that hold a person's words; all others are numbers, ids and names of the format.
_WORDS = frozenset({"descr", "title", "name", "alt", "author", "initials", "fullPath", "userId", "providerId"})
_PARAGRAPH = f"{{{NAMESPACES['w']}}}p"
_TEXT = frozenset(f"{{{NAMESPACES[prefix]}}}{name}" for prefix, name in (("w", "t"), ("w", "delText"), ("a", "t")))
#: Parts that the walk through the document has not shown already.
_PROPERTIES = ("docProps/", "customXml/")
#: Parts whose names are those of fonts and styles.
_FORMATS = ("theme/", "fontTable", "styles", "numbering", "webSettings")
#: Properties in which the program that wrote the file names itself.
_PROGRAM = frozenset({"Application", "Template", "AppVersion"})


def read_asides(package: Package, main: str, document: Document, *, raw: bool) -> None:
    """Add them to ``document``; with ``raw`` also every part as text."""
    for name in sorted(package.names):
        if name.endswith(".rels"):
            folder, _, base = name.removesuffix(".rels").rpartition("_rels/")
            relations = Relations(package, f"{folder}{base}")
            document.outside += relations.outside.values()
        elif name.endswith((".xml", ".vml")):
            root = parse(package, name)
            document.asides += _texts(root, name, main)
            if raw:
                document.raw[name] = " ".join(_everything(root))
        elif not name.endswith("/") and "/media/" not in f"/{name}" and not name.endswith((".odttf", ".ttf")):
            document.unread.append(name)


def _texts(root: Element, name: str, main: str) -> Iterator[Aside]:
    if any(word in name for word in _FORMATS):
        return
    for element in root.iter():
        for key, value in element.attrib.items():
            if key.rpartition("}")[2] in _WORDS and value.strip():
                yield Aside(name, value)
        if element.text and element.text.strip() and element.tag not in _TEXT and _is_own(element, name):
            yield Aside(f"{name}#{element.tag.rpartition('}')[2]}", element.text)
    if name != main:
        for paragraph in root.iter(_PARAGRAPH):
            text = "".join(node.text or "" for node in paragraph.iter(*_TEXT))
            if text.strip():
                yield Aside(name, text)


def _is_own(element: Element, name: str) -> bool:
    return name.startswith(_PROPERTIES) and element.tag.rpartition("}")[2] not in _PROGRAM


def _everything(root: Element) -> Iterator[str]:
    for element in root.iter():
        yield from (value for value in element.attrib.values() if not value.startswith("http"))
        if element.text:
            yield element.text
