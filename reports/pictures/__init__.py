"""Pictures for print, made from a bundle: SVG with text that can be searched, and PNG of any exact size.

One module for each kind; each finds out what the bundle has for it, and draws that on a :class:`~.sheet.Sheet`.
matplotlib is loaded when the first picture is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from importlib import import_module

from reports.bundle import Bundle
from reports.pictures.render import Draw
from reports.pictures.render import png
from reports.pictures.render import svg
from reports.pictures.source import Source
from reports.wording import Said

#: Kinds of pictures in the order of a report, each with its module, which has ``found(source) -> Iterator[Found]``.
KINDS = (
    "pillars",
    "topology",
    "segmentation",
    "coverage",
    "delays",
    "rates",
    "optical",
    "ipv6",
    "roofline",
    "trend",
)

__all__ = ["KINDS", "Picture", "pictures"]


@dataclass(frozen=True)
class Picture:
    """One picture, drawn when it is asked for. The same bundle gives the same bytes on the same machine."""

    id: str  #: unique in the report, such as ``pillars`` or ``delays:TSN-FLOW-LAT``
    kind: str  #: one of :data:`KINDS`
    title: Said  #: short, for a caption: what is shown
    caption: Said  #: one or two sentences: what a reader sees in it, with n and units
    draw: Draw = field(repr=False, compare=False)

    def svg(self, language: str) -> str:
        """An ``<svg>`` element, 576 by 360 points, that may stand in a page with others; no XML declaration.

        Raises:
            UserMistake: if no installed font can write Chinese.
        """
        return svg(self.draw, language, self.title.in_language(language), self.id)

    def png(self, language: str, *, width_px: int = 1600, height_px: int = 1000) -> bytes:
        """A PNG file of exactly ``width_px`` by ``height_px`` pixels; type grows with the width.

        Raises:
            ValueError: for less than 240 or more than 12,000 pixels on a side.
            UserMistake: if no installed font can write Chinese.
        """
        return png(self.draw, language, width_px, height_px)


def pictures(bundle: Bundle, *, earlier: Sequence[Bundle] | None = None, public: bool = False) -> list[Picture]:
    """The pictures for which the bundle has data, in the order of :data:`KINDS`.

    Args:
        bundle: what is shown.
        earlier: bundles of the same plant from before, in any order, for the trend; default: the bundle's own.
        public: whether ids, names and addresses are replaced by pseudonyms.

    Raises:
        UserMistake: if a file of a bundle is missing or malformed.
    """
    source = Source(bundle, bundle.earlier if earlier is None else tuple(earlier), public)
    found = []
    for kind in KINDS:
        for one in import_module(f"reports.pictures.{kind}").found(source):
            id = ":".join(filter(None, (kind, one.of)))
            found.append(Picture(id, kind, one.title, one.caption, one.draw))
    return found
