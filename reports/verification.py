"""What a verification found: the record, without the checking (see ``reports.verify``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from profiles.language import Texts
from reports.bundle import ChainRecord
from reports.signing.found import SignatureFound
from reports.wording import visible

_LONGEST = 200  #: characters of a fact; a whole list of objects helps nobody


@dataclass(frozen=True, slots=True)
class Alteration:
    """One thing in which a bundle is not what was sealed, or does not follow from its data."""

    code: str  #: names a text ``verify.finding.<code>``
    place: str  #: file or item
    facts: Mapping[str, str] = field(default_factory=dict)

    def text(self, language: str | None = None) -> str:
        """What is wrong, for a person."""
        return Texts.of("reports").get(f"verify.finding.{self.code}", language, **self.facts)


@dataclass(slots=True)
class Verification:
    """What was checked, and everything that is wrong."""

    bundle: Path
    campaign: str = ""
    version: int = 0  #: of the bundle's format; 0 where the manifest does not say
    chain: ChainRecord | None = None  #: what the manifest says of the hash chain
    files: int = 0  #: files whose hash was compared
    observations: int = 0  #: rows read
    items: int = 0  #: results computed again
    alterations: list[Alteration] = field(default_factory=list)
    notes: list[Alteration] = field(default_factory=list)  #: worth knowing, and nothing wrong
    signatures: list[SignatureFound] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.alterations

    def found(self, code: str, place: str, **facts: object) -> None:
        """Note something that is wrong."""
        self.alterations.append(Alteration(code, place, {name: _short(fact) for name, fact in facts.items()}))

    def noted(self, code: str, place: str, **facts: object) -> None:
        """Note something that is worth knowing and not wrong."""
        self.notes.append(Alteration(code, place, {name: _short(fact) for name, fact in facts.items()}))


def _short(fact: object) -> str:
    """A fact that may come from the bundle, made safe to show."""
    text = visible(str(fact))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
