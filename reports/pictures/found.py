"""What a kind's module finds to be drawn."""

from __future__ import annotations

from typing import NamedTuple

from reports.pictures.render import Draw
from reports.wording import Said


class Found(NamedTuple):
    """One picture of a kind."""

    of: str  #: what tells it from others of its kind, such as an item's id; empty if there is but one
    title: Said
    caption: Said
    draw: Draw
