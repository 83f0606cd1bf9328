"""What a document is made of, before it is written."""

from __future__ import annotations

from typing import Literal
from typing import NamedTuple

from reports.pictures import Picture


class Block(NamedTuple):
    """A heading, a paragraph, a caption, a picture or a table."""

    kind: Literal["title", "part", "section", "text", "caption", "picture", "table"]
    text: str = ""
    picture: Picture | None = None
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[int, ...] = ()  #: of a table's columns, in proportion; empty: all the same

    @property
    def texts(self) -> list[str]:
        """Everything in it that counts as text."""
        return [cell for row in self.rows for cell in row] if self.rows else [self.text]
