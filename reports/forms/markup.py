"""XML of a package, parsed without entities, without DTD and without the network, in bounded memory."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from reports.forms.package import Package
from reports.forms.package import refuse

#: An element of lxml, which has no types of its own.
Element = Any

#: An element takes some 150 bytes, so this bounds the memory that parsing takes.
MAX_TAGS = 1_500_000

NAMESPACES = {
    "w": "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "pic": "http://schemas.openxmlformats.org/drawingml/2006/picture",
    "wp": "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
    "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
    "v": "urn:schemas-microsoft-com:vml",
    "rel": "http://schemas.openxmlformats.org/package/2006/relationships",
    "ct": "http://schemas.openxmlformats.org/package/2006/content-types",
}
#: The strict variant of the format (ISO/IEC 29500-1) names the same things otherwise.
_STRICT = {
    b"http://purl.oclc.org/ooxml/wordprocessingml/main": NAMESPACES["w"].encode(),
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": NAMESPACES["r"].encode(),
    b"http://purl.oclc.org/ooxml/officeDocument/math": NAMESPACES["m"].encode(),
    b"http://purl.oclc.org/ooxml/drawingml/main": NAMESPACES["a"].encode(),
    b"http://purl.oclc.org/ooxml/drawingml/picture": NAMESPACES["pic"].encode(),
    b"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing": NAMESPACES["wp"].encode(),
}
_ENCODING = re.compile(rb"^<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_REMARK = re.compile(rb"<!--(.*?)-->|<\?(?!xml[\s?])(.*?)\?>", re.DOTALL)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@cache
def q(name: str) -> str:
    """``w:p`` as lxml names it."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"


def parse(package: Package, name: str) -> Element:
    """The root element of the part ``name``.

    Raises:
        UserMistake: if it is missing, too large, not XML, or declares a document type or entities.
    """
    from lxml import etree

    content = _plain(package, name)
    if b"<!--" in content or b"<?" in content[1:]:
        found = (match[1] or match[2] or b"" for match in _REMARK.finditer(content))
        package.markup_remarks[name] = [one.decode("utf-8", "replace") for one in found]
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True, collect_ids=False,
    )  # fmt: skip
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        refuse(package.file, "docx-not-xml", part=name, error=error.msg or "")


def _plain(package: Package, name: str) -> bytes:
    """The part as UTF-8 without any document type; the format allows UTF-8 and UTF-16 only (ECMA-376 part 2)."""
    content = package.read(name)
    if content.startswith(_UTF16):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError as error:
            refuse(package.file, "docx-not-xml", part=name, error=str(error))
        content = re.sub(r"^<\?xml.*?\?>", "", text, count=1, flags=re.DOTALL).encode("utf-8", "replace")
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    encoding = _ENCODING.match(content)
    if encoding and encoding[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        refuse(package.file, "docx-not-xml", part=name, error=encoding[1].decode())
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        refuse(package.file, "docx-doctype", part=name)
    if content.count(b"<") > MAX_TAGS:
        refuse(package.file, "docx-part-too-large", part=name, limit_mib=16)
    for strict, usual in _STRICT.items():
        content = content.replace(strict, usual)
    return content


def remarks(package: Package, name: str) -> list[str]:
    """Comments and processing instructions of the part ``name``, which was parsed: no program shows them."""
    return package.markup_remarks.get(name, [])


class Relations:
    """What a part refers to: by relationship id, the part's name, or the outside target."""

    def __init__(self, package: Package, part: str) -> None:
        folder, base = posixpath.split(part)
        name = posixpath.join(folder, "_rels", f"{base}.rels")
        self.inside: dict[str, str] = {}
        self.outside: dict[str, str] = {}
        self.kinds: dict[str, str] = {}  #: last word of the relationship's type, by id
        if name not in package.names:
            return
        for relation in parse(package, name).iter(q("rel:Relationship")):
            id, target = relation.get("Id", ""), relation.get("Target", "")
            self.kinds[id] = relation.get("Type", "").rpartition("/")[2]
            if relation.get("TargetMode") == "External":
                self.outside[id] = target
            else:
                joined = target if target.startswith("/") else posixpath.join("/", folder, target)
                self.inside[id] = posixpath.normpath(joined).lstrip("/")

    def of_kind(self, kind: str) -> Iterator[str]:
        """Names of the parts of this kind, such as ``styles``."""
        for id, name in self.inside.items():
            if self.kinds[id] == kind:
                yield name


def main_part(package: Package) -> str:
    """Name of the document itself.

    Raises:
        UserMistake: if the package is no word-processing document.
    """
    if "[Content_Types].xml" not in package.names:
        refuse(package.file, "docx-not-word")
    names = Relations(package, "").of_kind("officeDocument")
    main = next((name for name in names if name in package.names and _is_word(package, name)), None)
    return main or refuse(package.file, "docx-not-word")


def _is_word(package: Package, name: str) -> bool:
    for one in parse(package, "[Content_Types].xml").iter(q("ct:Override")):
        if one.get("PartName", "").lstrip("/") == name:
            return "wordprocessingml" in one.get("ContentType", "") or "ms-word" in one.get("ContentType", "")
    return name.endswith(".xml")
