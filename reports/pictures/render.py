"""Figures as files: SVG that is small, searchable and fit to stand in a page with others; PNG of an exact size."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # reads only what matplotlib wrote a moment ago

from reports.pictures.fonts import svg_families
from reports.pictures.sheet import WIDTH_IN
from reports.pictures.sheet import Sheet
from reports.pictures.sheet import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG_HEIGHT_IN = 5.0
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_POINTS = 72
_MOST_PX = 12_000  #: on either side
_LEAST_PX = 320
_FAMILY = re.compile(r"(font(?:-family)?:[^;]*?)'[^']*'(?:, *(?:'[^']*'|[A-Za-z-]+))*")
_LONG = re.compile(r"-?\d+\.\d{3,}")

Draw = Callable[[Sheet], None]


def svg(draw: Draw, language: str, name: str, about: str) -> str:
    """An ``svg`` element of 576 by 360 points.

    Args:
        draw: what it shows.
        language: ``zh`` or ``en``.
        name: told to a reader who cannot see it.
        about: prefix of its ids, so that several may stand in one page.

    Raises:
        UserMistake: if no font can write Chinese.
    """
    out = io.StringIO()
    with styled(about):
        figure = _figure(draw, language, SVG_HEIGHT_IN, _POINTS)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _cleaned(out.getvalue(), name, language, re.sub(r"[^A-Za-z0-9]+", "-", about))


def png(draw: Draw, language: str, width_px: int, height_px: int) -> bytes:
    """A PNG file of exactly so many pixels.

    Raises:
        ValueError: for less than 320 or more than 12,000 pixels on a side.
        UserMistake: if no font can write Chinese.
    """
    if not all(_LEAST_PX <= it <= _MOST_PX for it in (width_px, height_px)):
        raise ValueError(f"a picture has {_LEAST_PX} to {_MOST_PX} pixels on a side, not {width_px} x {height_px}")
    dpi = width_px / WIDTH_IN
    out = io.BytesIO()
    with styled("png"):
        # The canvas rounds down: a hundredth of a pixel more makes it exactly as many.
        figure = _figure(draw, language, (height_px + 0.01) / dpi, dpi, (width_px + 0.01) / dpi)
        figure.savefig(out, format="png", dpi="figure", metadata={"Software": None})
    return out.getvalue()


def _figure(draw: Draw, language: str, height_in: float, dpi: float, width_in: float = WIDTH_IN) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=dpi, facecolor="white")
    draw(Sheet(figure, language))
    return figure


def _cleaned(text: str, name: str, language: str, prefix: str) -> str:
    """The drawing without what only its maker needs: metadata, ids that nothing refers to, digits nobody sees."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(text)  # noqa: S314
    families = ", ".join(it if it == "sans-serif" else f"'{it}'" for it in svg_families())
    used = {href[1:] for it in root.iter() if (href := it.get(_XLINK, "")).startswith("#")}
    used |= set(re.findall(r"url\(#([^)]+)\)", text))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata":
                parent.remove(child)
    for it in root.iter():
        if (id := it.get("id")) is not None:
            if id in used:
                it.set("id", f"{prefix}-{id}")
            else:
                del it.attrib["id"]
        _shorten(it, prefix, families)
    root.set("role", "img")
    root.set("lang", "zh-CN" if language == "zh" else "en")
    title = ET.Element(f"{{{_SVG}}}title")
    title.text = name
    root.insert(0, title)
    return ET.tostring(root, encoding="unicode")


def _shorten(element: ET.Element, prefix: str, families: str) -> None:
    """Refer to the ids as they are called now, name the fonts that readers have, round what is written too exactly."""
    for key, value in list(element.attrib.items()):
        if key == _XLINK:
            element.set(key, f"#{prefix}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{prefix}-"))
        elif key == "style" and "font" in value:
            element.set(key, _FAMILY.sub(lambda found: found[1] + families, value))
        elif key in ("d", "x", "y", "transform", "width", "height"):
            element.set(key, _LONG.sub(lambda found: f"{float(found[0]):.2f}", " ".join(value.split())))
