"""A user's mistake, told so that it can be mended: what is wrong, where, what was expected, and the cure."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

from profiles.language import Texts
from profiles.language import current_language


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one place.

    ``code`` names a text ``problem.<code>`` in the catalogue ``catalogue`` (an import package with a ``texts.toml``);
    ``facts`` fill it. A text says what was found, what was expected, and what to do.
    """

    code: str
    catalogue: str = "profiles"
    file: str = ""
    line: int = 0  #: 1-based; 0 where there is none
    column: int = 0  #: 1-based; 0 where there is none
    path: str = ""  #: such as ``endpoints[3].zone``
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """``file:line:column path`` as far as known, in the form editors understand."""
        place = self.file
        if self.line:
            place += f":{self.line}:{self.column or 1}"
        return f"{place} {self.path}".strip()

    def text(self, language: str | None = None) -> str:
        """The mistake as one line for a person."""
        said = Texts.of(self.catalogue).get(f"problem.{self.code}", language or current_language(), **self.facts)
        return f"{self.place}: {said}" if self.place else said


class UserMistake(Exception):
    """One or more mistakes of the user; shown as text, never as a traceback, before any packet is sent."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text("en") for problem in self.problems))

    def text(self, language: str | None = None) -> str:
        """All mistakes, one a line, in the order in which they were found."""
        return "\n".join(problem.text(language) for problem in self.problems)
