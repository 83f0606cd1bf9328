"""Figures as files: SVG of one size, PNG of an exact number of pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from reports.pictures.sheet import WIDTH_IN
from reports.pictures.sheet import Sheet
from reports.pictures.sheet import styled
from reports.pictures.vector import cleaned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG_HEIGHT_IN = 5.0
_POINTS = 72
_MOST_PX = 12_000  #: on either side
_LEAST_PX = 240

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
    return cleaned(out.getvalue(), name, language, re.sub(r"[^A-Za-z0-9]+", "-", about))


def png(draw: Draw, language: str, width_px: int, height_px: int) -> bytes:
    """A PNG file of exactly so many pixels.

    Raises:
        ValueError: for less than 240 or more than 12,000 pixels on a side.
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
