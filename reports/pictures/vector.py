"""An SVG drawing made small, and fit to stand in a page with others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET  # reads only what matplotlib wrote a moment ago

from reports.pictures.fonts import svg_families

_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_TO = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font: *((?:[a-z]+ +)*)([0-9.]+px) *[^;]*")  # style, weight and size; the family is the drawing's
_FAMILY = re.compile(r"font-family:[^;]*;? *")
_NO_TURN = re.compile(r"rotate\(-?0(\.0*)? [^)]*\)")
_LONG = re.compile(r"-?\d+\.\d{3,}")
_NUMBERS = ("d", "x", "y", "width", "height", "transform")


def cleaned(text: str, name: str, language: str, prefix: str) -> str:
    """The drawing without what only its maker needs: metadata, empty groups, what is said many times.

    Args:
        text: as matplotlib wrote it.
        name: told to a reader who cannot see it.
        language: of the text in it, ``zh`` or ``en``.
        prefix: of every id.
    """
    ET.register_namespace("", _SVG[1:-1])
    ET.register_namespace("xlink", _XLINK[1:-5])
    root = ET.fromstring(text)  # noqa: S314
    used = {href[1:] for it in root.iter() if (href := it.get(_XLINK, "")).startswith("#")} | set(_TO.findall(text))
    for it in root.iter():
        _shorten(it, prefix, used)
    _prune(root)
    root.set("role", "img")
    root.set("lang", "zh-CN" if language == "zh" else "en")
    families = ", ".join(it if it == "sans-serif" else f"'{it}'" for it in svg_families())
    root.set("style", f"font-family: {families}")
    title = ET.Element(f"{_SVG}title")
    title.text = name
    root.insert(0, title)
    return ET.tostring(root, encoding="unicode")


def _shorten(element: ET.Element, prefix: str, used: set[str]) -> None:
    """Keep the ids that something refers to, leave the family to the drawing, round what is written too exactly."""
    if (id := element.attrib.pop("id", "")) in used:
        element.set("id", f"{prefix}-{id}")
    for key, value in list(element.attrib.items()):
        if key == _XLINK:
            element.set(key, f"#{prefix}-{value[1:]}")
        elif key == "style":
            element.set(key, _FAMILY.sub("", _FONT.sub(_spelled, value)).replace("; ", ";").replace(": ", ":"))
        elif key in _NUMBERS:
            element.set(key, _LONG.sub(_rounded, _NO_TURN.sub("", " ".join(value.split()))))
        element.set(key, _TO.sub(rf"url(#{prefix}-\1)", element.get(key, "")))
    if not element.get("transform", "-"):
        del element.attrib["transform"]
    if element.tag != f"{_SVG}text":
        element.text = None
    element.tail = None


def _spelled(found: re.Match[str]) -> str:
    """``font: bold 13px Family`` without its family."""
    words = found[1].split()
    told = [f"font-size:{found[2]}"]
    return ";".join(told + [f"font-{'style' if it in ('italic', 'oblique') else 'weight'}:{it}" for it in words])


def _rounded(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def _prune(element: ET.Element) -> None:
    """Drop metadata and empty groups, put what is in a group that says nothing in its place, say styles once."""
    kept: list[ET.Element] = []
    for child in element:
        _prune(child)
        if child.tag != f"{_SVG}metadata":
            kept += _unwrapped(child)
    element[:] = kept
    styles = {child.get("style") if child.tag == f"{_SVG}use" else None for child in element}
    if element.tag == f"{_SVG}g" and "style" not in element.attrib and len(styles) == 1 and (style := styles.pop()):
        element.set("style", style)
        for child in element:
            del child.attrib["style"]


def _unwrapped(child: ET.Element) -> Iterator[ET.Element]:
    if child.tag in (f"{_SVG}g", f"{_SVG}defs") and not len(child):
        return
    if child.tag == f"{_SVG}g" and not child.attrib:
        yield from child
    else:
        yield child
