"""The pictures of a campaign inside the page: SVG of both languages, its styles as classes of the page's own style.

The page's policy forbids styles of elements, and a style sheet inside a drawing would hold for the whole page. So
every style that occurs becomes one class. In the dark, lightness is turned round and hues stay.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET  # reads only what matplotlib wrote a moment ago

from markupsafe import Markup

from profiles.language import LANGUAGES
from reports.pictures import Picture
from reports.pictures.fonts import svg_families
from reports.wording import Said

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}\b")
_DIGITS = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"url\(#")
_XLINK = "{http://www.w3.org/1999/xlink}href"
#: Lightness of the page in the dark, and how far it may go from there.
_DARKEST, _RANGE = 0.09, 0.85
#: From which saturation and below which lightness a colour is one of lines and marks, and how light it is in the dark.
_COLOURFUL, _LINES, _OUTSTANDING = 0.25, 0.72, 0.62
_SAFE = re.compile(r"[a-z-]+: *[^;{}<>@\\]+")


class Shown(NamedTuple):
    """One picture as the page has it."""

    id: str
    title: Said
    caption: Said
    drawings: list[tuple[str, Markup]]  #: language and drawing


class Gallery(NamedTuple):
    """All pictures, and the rules of style that they need."""

    pictures: list[Shown]
    style: str


def gallery(pictures: Sequence[Picture]) -> Gallery:
    """Draw the pictures for a page.

    Raises:
        UserMistake: if no installed font can write Chinese.
    """
    classes: dict[str, str] = {}
    shown = []
    for place, picture in enumerate(pictures):
        drawings = [(language, _inline(picture.svg(language), f"{language}{place}", classes)) for language in LANGUAGES]
        shown.append(Shown(f"picture-{place}", picture.title, picture.caption, drawings))
    return Gallery(shown, _style(classes))


def _inline(svg: str, prefix: str, classes: dict[str, str]) -> Markup:
    """The drawing without names of spaces, without styles of its own, and with ids that are unique in the page."""
    root = ET.fromstring(svg)  # noqa: S314
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.endswith("}style"):
                parent.remove(child)
    for it in root.iter():
        it.tag = it.tag.rpartition("}")[2]
        _tidy(it, prefix, classes)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("class", "drawing")
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - written by the tree, which escapes


def _tidy(element: ET.Element, prefix: str, classes: dict[str, str]) -> None:
    if element.text is not None and not element.text.strip():
        element.text = None
    if element.tail is not None and not element.tail.strip():
        element.tail = None
    if (style := element.attrib.pop("style", "")) and (rules := _rules(style, prefix)):
        element.set("class", classes.setdefault(rules, f"d{len(classes)}"))
    for key, value in list(element.attrib.items()):
        if key == _XLINK:
            del element.attrib[key]
            element.set("href", f"#{prefix}-{value[1:]}")
        elif key == "id":
            element.set(key, f"{prefix}-{value}")
        elif key in ("d", "x", "y", "transform", "points"):
            element.set(key, _DIGITS.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), value))
        else:
            element.set(key, _REFERENCE.sub(f"url(#{prefix}-", value))


def _rules(style: str, prefix: str) -> str:
    """The style's rules but for its fonts, which are the page's; anything that is no plain rule is left out."""
    rules = [rule.strip() for rule in style.split(";")]
    kept = [rule for rule in rules if _SAFE.fullmatch(rule) and not rule.startswith("font-family")]
    return ";".join(_REFERENCE.sub(f"url(#{prefix}-", rule).replace(": ", ":") for rule in kept)


def _style(classes: dict[str, str]) -> str:
    if not classes:
        return ""
    families = ", ".join(family if family == "sans-serif" else f"'{family}'" for family in svg_families())
    light = f".drawing {{ font-family: {families}; }}\n" + "".join(
        f".{name}{{{rules}}}\n" for rules, name in classes.items()
    )
    turned = {name: _COLOUR.sub(lambda found: _turned(found[0]), _coloured(rules)) for rules, name in classes.items()}
    dark = "".join(f".{name}{{{rules}}}\n" for name, rules in turned.items() if rules)
    return f"{light}@media screen and (prefers-color-scheme: dark) {{\n{dark}}}\n"


def _coloured(rules: str) -> str:
    return ";".join(rule for rule in rules.split(";") if _COLOUR.search(rule))


def _turned(colour: str) -> str:
    """The colour for a dark page: as light as it was dark; white is the page."""
    if colour.lower() == "#ffffff":
        return "var(--paper)"
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    turned = _DARKEST + _RANGE * (1 - lightness)
    if saturation > _COLOURFUL and lightness < _LINES:  # of lines and marks, not of grounds: it must stand out
        turned = max(turned, _OUTSTANDING)
    parts = colorsys.hls_to_rgb(hue, turned, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
