"""Profile files: found by name or path, inherited, overridden, checked, and resolved into a :class:`Profile`.

A file may extend others. It then keeps all their requirements, or those that ``only`` names; changes some by
``override``; adds its own; and drops one by ``omitted`` with a written reason, which stays in the resolved profile so
that the campaign can report it as not applicable.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic import ConfigDict
from pydantic import Field
from pydantic import ValidationError

from profiles import yaml12
from profiles.checks import check
from profiles.complaints import Complaint
from profiles.complaints import complaints
from profiles.complaints import meant
from profiles.document import Document
from profiles.document import load
from profiles.document import validate
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Profile
from profiles.requirement import Requirement

_DATA = Path(__file__).parent / "data"
_SUFFIXES = (".yaml", ".yml")

#: Longer lines of descent are refused; a reader could not follow them either.
MAX_GENERATIONS = 16


class Override(BaseModel):
    """Changes to the inherited requirement ``id``; what is not named stays as it was.

    Mappings are merged key by key; lists, single values and each ``source`` are replaced whole.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    id: str


class ProfileFile(Profile):
    """A profile as written: complete in itself, or derived from others."""

    extends: tuple[str, ...] = ()  #: shipped names, or paths relative to this file
    only: tuple[str, ...] | None = Field(default=None, min_length=1)  #: of the inherited requirements, keep just these
    override: tuple[Override, ...] = ()
    requirements: tuple[Requirement, ...] = ()


def shipped() -> list[str]:
    """Names of the profiles that come with Plantproof."""
    return sorted(path.stem for path in _DATA.glob("*.yaml"))


def load_profile(name_or_path: str) -> Profile:
    """The resolved profile of a shipped name or of a file.

    Raises:
        UserMistake: with every mistake in the file and in all those that it extends.
    """
    path = _find(name_or_path, Path())
    if path is None:
        code, facts = _unknown_profile(name_or_path)
        raise UserMistake([Problem(code, facts=facts)])
    resolver = _Resolver()
    profile = resolver.resolve(path)
    if profile is None:
        raise UserMistake(resolver.problems)
    return profile


def dump(profile: Profile) -> str:
    """The resolved profile as YAML with every value written out; loads again to an equal object."""
    return yaml12.dump(profile.model_dump(mode="json"))


class _Resolver:
    """Resolves one file and all that it extends, each once, and gathers the mistakes of all of them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._resolved: dict[Path, Profile | None] = {}

    def resolve(self, path: Path, chain: tuple[Path, ...] = ()) -> Profile | None:
        """The profile in ``path``, or ``None`` if something is wrong, told in :attr:`problems`."""
        key = path.resolve()
        if key not in self._resolved:
            self._resolved[key] = self._read(path, (*chain, key))
        return self._resolved[key]

    def _read(self, path: Path, chain: tuple[Path, ...]) -> Profile | None:
        try:
            document = load(path)
            file = validate(document, ProfileFile)
        except UserMistake as mistake:
            self.problems += mistake.problems
            return None
        found: list[Complaint] = []
        parents = [self._parent(reference, index, path, chain, found) for index, reference in enumerate(file.extends)]
        known = [parent for parent in parents if parent is not None]
        draft = _Draft(file, document, known, complete=len(known) == len(parents))
        found += draft.complaints
        self.problems += document.problems(found)
        return draft.profile if draft.complete and not found else None

    def _parent(
        self, reference: str, index: int, path: Path, chain: tuple[Path, ...], found: list[Complaint]
    ) -> Profile | None:
        at = ("extends", index)
        target = _find(reference, path.parent)
        if target is None:
            found.append(Complaint(at, *_unknown_profile(reference)))
            return None
        if not target.is_file():
            found.append(Complaint(at, "absent-profile", {"found": str(target)}))
            return None
        if target.resolve() in chain:
            loop = [*chain[chain.index(target.resolve()) :], target]
            found.append(Complaint(at, "profile-cycle", {"chain": " → ".join(step.stem for step in loop)}))
            return None
        if len(chain) == MAX_GENERATIONS:
            found.append(Complaint(at, "too-many-generations", {"limit": MAX_GENERATIONS}))
            return None
        return self.resolve(target, chain)


class _Draft:
    """One file joined with its parents."""

    def __init__(self, file: ProfileFile, document: Document, parents: list[Profile], *, complete: bool) -> None:
        self.file = file
        self.document = document
        self.parents = parents
        self.complete = complete  #: whether every parent could be resolved, so that what is inherited is known
        self.complaints: list[Complaint] = []
        self.requirements: dict[str, Requirement] = {}
        self._inherit()
        self._select()
        self._override()
        self._add()
        self._check_omitted()

    @property
    def profile(self) -> Profile:
        inherited = {id: reason for parent in self.parents for id, reason in parent.omitted.items()}
        lineage = [(*parent.derived_from, f"{parent.profile} {parent.version}") for parent in self.parents]
        return Profile(
            profile=self.file.profile,
            version=self.file.version,
            title=self.file.title,
            description=self.file.description,
            requirements=tuple(self.requirements.values()),
            omitted={
                id: reason for id, reason in {**inherited, **self.file.omitted}.items() if id in self.requirements
            },
            derived_from=tuple(dict.fromkeys([*self.file.derived_from, *(name for line in lineage for name in line)])),
        )

    def _complain(self, at: yaml12.Path, code: str, **facts: object) -> None:
        self.complaints.append(Complaint(at, code, facts))

    def _inherit(self) -> None:
        for index, parent in enumerate(self.parents):
            for requirement in parent.requirements:
                if self.requirements.setdefault(requirement.id, requirement) != requirement:
                    self._complain(("extends", index), "conflicting-parents", id=requirement.id)

    def _select(self) -> None:
        if self.file.only is None:
            return
        for index, id in enumerate(self.file.only):
            self._is_known(id, ("only", index))
        self.requirements = {id: it for id, it in self.requirements.items() if id in self.file.only}

    def _override(self) -> None:
        seen: set[str] = set()
        for index, override in enumerate(self.file.override):
            at: yaml12.Path = ("override", index)
            if override.id in seen:
                self._complain((*at, "id"), "duplicate-id", id=override.id)
            elif self._is_known(override.id, (*at, "id")):
                changed = self._changed(self.requirements[override.id], self.document.value["override"][index], at)
                if changed is not None:
                    self.requirements[override.id] = changed
            seen.add(override.id)

    def _changed(self, base: Requirement, changes: Mapping[str, Any], at: yaml12.Path) -> Requirement | None:
        limits = changes.get("threshold")
        if base.threshold and isinstance(limits, dict) and {"op", "value"} & set(limits) and "source" not in limits:
            self._complain((*at, "threshold"), "override-keeps-source", standard=base.threshold.source.standard)
        merged = _merge(base.model_dump(mode="json"), changes)
        try:
            changed = Requirement.model_validate(merged)
        except ValidationError as error:
            self.complaints += _below(complaints(error, Requirement, merged), at)
            return None
        self.complaints += check(changed, at)
        return changed

    def _add(self) -> None:
        own: set[str] = set()
        for index, requirement in enumerate(self.file.requirements):
            at: yaml12.Path = ("requirements", index)
            if requirement.id in own:
                self._complain((*at, "id"), "duplicate-id", id=requirement.id)
            elif requirement.id in self.requirements:
                self._complain((*at, "id"), "inherited-id", id=requirement.id)
            own.add(requirement.id)
            self.complaints += check(requirement, at)
            self.requirements.setdefault(requirement.id, requirement)
        if not self.requirements and self.complete:
            self._complain((), "no-requirements")

    def _check_omitted(self) -> None:
        for id, reason in self.file.omitted.items():
            if self._is_known(id, ("omitted", id)) and not reason.strip():
                self._complain(("omitted", id), "reason-missing", id=id)

    def _is_known(self, id: str, at: yaml12.Path) -> bool:
        if id not in self.requirements and self.complete:
            near = meant(id, list(self.requirements))
            self._complain(
                at, "unknown-requirement-like" if near else "unknown-requirement", found=id, meant=near or ""
            )
        return id in self.requirements


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``changes``; mappings merged, but a source replaced: it vouches for one text as a whole."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict) and key != "source"
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _below(found: Iterable[Complaint], at: yaml12.Path) -> Iterator[Complaint]:
    for it in found:
        yield Complaint((*at, *it.path), it.code, it.facts, it.at_key)


def _find(reference: str, folder: Path) -> Path | None:
    """The file that ``reference`` means: a shipped name first, then a path; ``None`` for a name not shipped."""
    if reference in shipped():
        return _DATA / f"{reference}.yaml"
    path = folder / reference
    looks_like_path = reference.endswith(_SUFFIXES) or "/" in reference or path.is_file()
    return path if looks_like_path else None


def _unknown_profile(reference: str) -> tuple[str, dict[str, object]]:
    """Code and facts of the mistake."""
    names = shipped()
    near = meant(reference, names)
    return "unknown-profile-like" if near else "unknown-profile", {
        "found": reference,
        "meant": near or "",
        "allowed": ", ".join(names),
    }
