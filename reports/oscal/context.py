"""What the three documents share: the bundle's content, identifiers, metadata and references to the bundle's files."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Requirement
from reports.bundle import ATTEMPTS
from reports.bundle import EVENTS
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PARTICULARS
from reports.bundle import PLANT
from reports.bundle import RESULTS
from reports.bundle import WAIVERS
from reports.bundle import Bundle
from reports.bundle import profile_path
from reports.oscal.words import line
from reports.oscal.words import prop
from reports.oscal.words import stamp
from reports.plain import read_plain
from reports.result import Result
from reports.view.item import ItemView
from reports.view.material import Material
from reports.view.material import material
from reports.view.page import Page
from reports.view.page import view
from reports.waivers import Waived
from reports.waivers import Waiver
from reports.waivers import waived
from reports.wording import Said
from reports.wording import say

Json = dict[str, Any]

OSCAL_VERSION = "1.2.2"
_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:plantproof:oscal:1")
#: Roles of a person or body that particulars may name, and whether it is a person.
_ROLES = {"client": False, "laboratory": False, "tester": True, "witness": True, "authoriser": True}
_TYPES = {".json": "application/json", ".jsonl": "application/jsonl", ".yaml": "application/yaml"}


@dataclass(frozen=True)
class Context:
    """A bundle, read once, and how its parts are called in OSCAL."""

    bundle: Bundle
    to_bundle: str  #: relative reference from the documents to the bundle's folder
    language: str
    material: Material
    page: Page
    asked: Mapping[tuple[str, str], Requirement]  #: by profile and id
    waived: Mapping[str, Sequence[Waived]]  #: by item
    waivers: Sequence[Waiver]

    @classmethod
    def of(cls, bundle: Bundle, to_bundle: str, language: str) -> Context:
        """Read ``bundle``.

        Raises:
            UserMistake: if a file is missing or malformed, or a result speaks of a requirement that no profile holds.
        """
        read = material(bundle, delays=False)
        asked = {(profile.profile, one.id): one for profile in read.profiles for one in profile.requirements}
        for result in read.campaign.results:
            if (result.profile, result.requirement) not in asked:
                raise _malformed(f"{result.item}: no requirement {result.requirement} in {result.profile}")
        told = waived(read.campaign.results, bundle.waivers, read.plant)
        return cls(bundle, to_bundle, language, read, view(read, register=False), asked, told, bundle.waivers)

    def said(self, text: Said) -> str:
        """``text`` in the language of the documents."""
        return text.in_language(self.language)

    def say(self, code: str, **facts: object) -> str:
        """The text ``report.oscal.<code>`` in the language of the documents."""
        return self.said(say(f"oscal.{code}", **facts))

    def uuid(self, kind: str, *names: object) -> str:
        """The identifier of something in this campaign, always the same."""
        return str(uuid.uuid5(_SPACE, "\0".join((self.material.campaign.campaign, kind, *map(str, names)))))

    def document_uuid(self, kind: str) -> str:
        """The identifier of a document, another one for other evidence or another language."""
        return self.uuid(kind, self.material.fingerprint, self.language)

    def moment(self, when: str) -> str:
        """A moment that every document needs.

        Raises:
            UserMistake: if it is none.
        """
        told = stamp(when)
        if told is None:
            raise _malformed(f"no moment with a zone: {when[:100]}")
        return told

    @property
    def items(self) -> Iterator[tuple[int, Result, ItemView]]:
        """Every planned item with its number from 1 and its view."""
        whole = (one for one in self.material.campaign.results if not one.scope)
        return ((view.number, result, view) for result, view in zip(whole, self.page.items, strict=True))

    @property
    def planned(self) -> dict[tuple[str, str], Requirement]:
        """The requirements that have an item."""
        return {key: self.asked[key] for _, result, _ in self.items for key in [(result.profile, result.requirement)]}

    def metadata(self, title: str) -> Json:
        """Metadata of a document: when it was sealed, and who is responsible as far as somebody stated it."""
        stated = {name: value for name in _ROLES if (value := getattr(self.bundle.particulars, name))}
        metadata: Json = {
            "title": line(title),
            "last-modified": self.moment(self.material.manifest.sealed_utc),
            "version": self.material.fingerprint[:16],
            "oscal-version": OSCAL_VERSION,
            "props": [prop("campaign", self.material.campaign.campaign), prop("language", self.language)],
        }
        if stated:
            metadata["roles"] = [{"id": name, "title": line(self.said(say(f"fact.{name}")))} for name in stated]
            metadata["parties"] = [
                {
                    "uuid": self.uuid("party", name),
                    "type": "person" if _ROLES[name] else "organization",
                    "name": prop("name", value)["value"],
                }
                for name, value in stated.items()
            ]
            metadata["responsible-parties"] = [
                {"role-id": name, "party-uuids": [self.uuid("party", name)]} for name in stated
            ]
        return metadata

    def files(self, names: Iterable[str]) -> list[Json]:
        """Back-matter resources of these files of the bundle, with the hashes that the manifest states."""
        return [self._file(name) for name in names if name == MANIFEST or name in self.material.manifest.files]

    def evidence(self) -> list[str]:
        """The files on which results rest."""
        profiles = [profile_path(profile.profile) for profile in self.material.profiles]
        return [MANIFEST, RESULTS, OBSERVATIONS, PLANT, *profiles, ATTEMPTS, EVENTS, WAIVERS, PARTICULARS]

    def file_uuid(self, name: str) -> str:
        """The identifier of the resource of a file."""
        return self.uuid("file", name, self.material.fingerprint)

    def _file(self, name: str) -> Json:
        if name == MANIFEST:
            digest = hashlib.sha256(read_plain(self.bundle.path, MANIFEST)).hexdigest()
        else:
            digest = self.material.manifest.files[name].sha256
        return resource(self.file_uuid(name), name, f"{self.to_bundle}/{quote(name)}", digest)


def resource(id: str, title: str, href: str, digest: str) -> Json:
    """A back-matter resource: one file and its SHA-256."""
    kind = next((kind for suffix, kind in _TYPES.items() if title.endswith(suffix)), "application/vnd.apache.parquet")
    link = {"href": href, "media-type": kind, "hashes": [{"algorithm": "SHA-256", "value": digest}]}
    return {"uuid": id, "title": line(title), "rlinks": [link]}


def control_id(profile: str, requirement: str) -> str:
    """The identifier of a requirement among those of all profiles of the campaign."""
    return f"req.{profile}.{requirement}"


def objective_id(profile: str, requirement: str) -> str:
    """The identifier of the part of a control that a finding is about."""
    return f"{control_id(profile, requirement)}_obj"


def _malformed(error: str) -> UserMistake:
    return UserMistake([Problem("bundle-malformed", "reports", file=RESULTS, facts={"error": line(error)})])
