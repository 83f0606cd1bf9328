"""What a document carries and does not show: metadata, authors, comments, headers, alternative texts, links.

All of it leaves the house with the file, so the lint looks at it as at the text: every text and every attribute of
every part, names of parts, comments of the archive and of the markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from reports.forms.document import Aside
from reports.forms.document import Document
from reports.forms.markup import NAMESPACES
from reports.forms.markup import Element
from reports.forms.markup import Relations
from reports.forms.markup import parse
from reports.forms.markup import remarks
from reports.forms.package import Package

#: Attributes that hold a person's words wherever they stand.
_WORDS = frozenset({
    "descr", "title", "name", "alt", "author", "initials", "fullPath", "userId", "providerId", "tooltip", "displayText",
    "string", "instr",
})  # fmt: skip
#: Elements whose attribute ``val`` holds a person's words: titles of controls and tables, texts and defaults of fields.
_VALUES = frozenset({
    "alias", "tag", "tblCaption", "tblDescription", "docVar", "default", "helpText", "statusText", "entryMacro",
    "exitMacro", "format",
})  # fmt: skip
#: Where a text is one by itself, though in the middle of another: paragraphs, what is shown instead, readings.
_PARAGRAPHS = frozenset((f"{{{NAMESPACES['w']}}}p", f"{{{NAMESPACES['a']}}}p"))
_APART = frozenset((f"{{{NAMESPACES['mc']}}}Choice", f"{{{NAMESPACES['mc']}}}Fallback", f"{{{NAMESPACES['w']}}}rt"))
_TEXT = frozenset(
    f"{{{NAMESPACES[prefix]}}}{name}"
    for prefix, name in (
        ("w", "t"), ("w", "delText"), ("w", "instrText"), ("w", "delInstrText"), ("a", "t"), ("m", "t"),
    )
)  # fmt: skip
#: Parts whose texts are a person's, whatever the elements are called.
_PROPERTIES = ("docProps/", "customXml/")
#: Parts whose names are those of fonts and styles.
_FORMATS = ("theme/", "fontTable", "styles", "numbering", "webSettings")
#: Properties in which the program that wrote the file names itself.
_PROGRAM = frozenset({"Application", "Template", "AppVersion"})
_SHORTEST = 6  # characters of a value that can tell anything by its form
_NUMBER = re.compile(r"[-+0-9.]{1,10}")


def read_asides(package: Package, main: str, document: Document) -> None:
    """Add them to ``document``."""
    document.formal["ZIP"] = list(package.remarks)
    for name in sorted(package.names):
        document.formal["ZIP"].append(name)
        if name.endswith(".rels"):
            folder, _, base = name.removesuffix(".rels").rpartition("_rels/")
            relations = Relations(package, f"{folder}{base}")
            document.outside += relations.outside.values()
        elif name.endswith((".xml", ".vml")):
            root = parse(package, name)
            document.asides += _told(root, name)
            document.formal[name] = [*_everything(root, name), *remarks(package, name)]
        elif not name.endswith(("/", ".ttf", ".odttf")) and "/media/" not in f"/{name}":
            document.unread.append(name)
    document.unread += [one.part for one in document.media if one.format == "?"]
    document.main = main


def _told(root: Element, name: str) -> Iterator[Aside]:
    """Words of persons, paragraph by paragraph."""
    if any(word in name for word in _FORMATS):
        return
    for element in root.iter():
        tag = element.tag.rpartition("}")[2]
        for key, value in element.attrib.items():
            attribute = key.rpartition("}")[2]
            if value.strip() and (attribute in _WORDS or (attribute == "val" and tag in _VALUES)):
                yield Aside(name, value)
        if element.text and element.text.strip() and element.tag not in _TEXT:
            if not name.startswith(_PROPERTIES):
                yield Aside(name, element.text)
            elif tag not in _PROGRAM:
                yield Aside(f"{name}#{tag}", element.text)
    yield from (Aside(name, text) for text in _paragraphs(root) if text.strip())


def _paragraphs(root: Element) -> Iterator[str]:
    """Texts of paragraphs, each with its own only: one may stand in a box within another."""
    from lxml import etree

    open_ones: list[list[str]] = [[]]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in _PARAGRAPHS or element.tag in _APART:
            if event == "start":
                open_ones.append([])
            else:
                yield "".join(open_ones.pop())
        elif event == "start" and element.tag in _TEXT:
            open_ones[-1].append(element.text or "")
    yield "".join(open_ones.pop())


def _everything(root: Element, name: str) -> list[str]:
    """Every value of every attribute and every text, once, but what is too short or too plain a number to tell."""
    found: dict[str, None] = {}
    for element in root.iter():
        text = "" if name.startswith(_PROPERTIES) and element.tag.rpartition("}")[2] in _PROGRAM else element.text
        for value in (*element.attrib.values(), text or "", element.tail or ""):
            if len(value) >= _SHORTEST and not _NUMBER.fullmatch(value):
                found[value] = None
    return list(found)
