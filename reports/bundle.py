"""The bundle: one folder that holds a whole campaign. Its format, version 2, is described in ``docs/bundle.md``.

:class:`Bundle` reads it. It may come from anybody: nothing in it is run, no link is followed, no name leads out of the
folder, and every file has a size beyond which it is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from functools import cached_property
from functools import lru_cache
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import Literal
from typing import TypeVar

from pydantic import BaseModel
from pydantic import Field
from pydantic import ValidationError

from fixtures.plant.model import Plant
from profiles import yaml12
from profiles.observation import Observation
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Profile
from reports.migrations import NEWEST
from reports.migrations import Newer
from reports.migrations import newest_manifest
from reports.migrations import version_of
from reports.particulars import Particulars
from reports.plain import Malformed
from reports.plain import is_safe
from reports.plain import open_plain
from reports.plain import read_plain
from reports.record import Record
from reports.result import Campaign
from reports.result import Result
from reports.waivers import Waiver
from reports.waivers import WaiverFile

if TYPE_CHECKING:
    from reports.chain_file import ChainTable
    from reports.parquet import ObservationTable

BUNDLE_FORMAT: Literal["plantproof-bundle/2"] = "plantproof-bundle/2"

MANIFEST = "manifest.json"
RESULTS = "results.json"
OBSERVATIONS = "observations.parquet"
CHAIN = "chain.parquet"
PLANT = "plant.yaml"
PROFILES = "profiles"  #: folder; one ``NAME.yaml`` for each profile
ATTEMPTS = "attempts.jsonl"  #: results that a later attempt replaced
EVENTS = "events.jsonl"
WAIVERS = "waivers.yaml"  #: if any were given
PARTICULARS = "particulars.yaml"  #: if any were given
RAW = "raw"  #: folder; output of the tools
JUNIT = "junit.xml"
REPORT = "report.html"  #: if it was made

_KNOWN = frozenset({RESULTS, OBSERVATIONS, CHAIN, PLANT, ATTEMPTS, EVENTS, WAIVERS, PARTICULARS, JUNIT, REPORT})
MAX_PROFILES = 100
_KEPT = 1 << 18  #: characters of YAML up to which what was read is kept, in case that it is read again

_Model = TypeVar("_Model", bound=BaseModel)
_T = TypeVar("_T")


class Event(Record):
    """Something that happened in the campaign beside the measurements."""

    utc_ns: int
    run: int  #: number of the session, from 1
    kind: str
    text: str
    facts: dict[str, str] = Field(default_factory=dict)


class FileRecord(Record):
    """What the manifest says of one file."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)  #: bytes


class ChainRecord(Record):
    """What the manifest says of the hash chain over everything that the campaign kept (``chain.parquet``)."""

    head: str = Field(pattern=r"^[0-9a-f]{64}$")  #: the last link
    entries: int = Field(ge=0)
    observations: int = Field(ge=0)  #: in all entries together
    adopted: int = Field(ge=0)  #: of them those made before there was a chain, by an older version


class Manifest(Record):
    """``manifest.json``: every other file of the bundle by its hash, and where and when it was sealed."""

    format: Literal["plantproof-bundle/2"] = BUNDLE_FORMAT
    campaign: str
    sealed_utc: str  #: ISO 8601 with zone
    host: str
    kernel: str
    clock: dict[str, str]  #: state of the system clock when sealing (``adjtimex(2)``)
    versions: dict[str, str]
    files: dict[str, FileRecord]  #: by path in the bundle, with ``/``
    chain: ChainRecord | None = None  #: a bundle of version 1 has none
    signers: tuple[
        str, ...
    ] = ()  #: ids of the keys that were to sign when it was sealed; whose signature is gone, shows
    checksum: str | None = None  #: SHA-256 of the canonical manifest without this field; none in version 1


def _once(read: Callable[[Bundle], _T]) -> Callable[[Bundle], _T]:
    """Keep what ``read`` gives: who verifies a bundle and then shows it asks for the same things several times."""

    @wraps(read)
    def kept(bundle: Bundle) -> _T:
        if read.__name__ not in bundle.already:
            bundle.already[read.__name__] = read(bundle)
        found: _T = bundle.already[read.__name__]
        return found

    return kept


class Bundle:
    """A bundle, each part of which is read once, when asked for; use :meth:`open`.

    What is read is checked against its model, not against the manifest: that is ``reports.verify``.
    Every property raises :class:`~profiles.problem.UserMistake` if its file is missing or malformed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.named = path  #: what a user called it by: an archive is read from the folder it was unpacked to
        self.already: dict[str, Any] = {}  #: what was read, by the method that read it
        self.already_profiles: dict[str, Profile] = {}
        self.earlier: tuple[Bundle, ...] = ()  #: of the same plant from before, where a reader wants the trend shown

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """The bundle in the folder ``path``.

        Raises:
            UserMistake: if there is no such folder, it holds no results, or it is of a later version.
        """
        folder = Path(path)
        if folder.is_file():
            raise UserMistake([Problem("bundle-is-file", "reports", file=str(path))])
        if not folder.is_dir():
            raise UserMistake([Problem("bundle-absent", "reports", file=str(path))])
        if not (folder / RESULTS).is_file():
            raise UserMistake([Problem("bundle-no-results", "reports", file=str(path), facts={"name": RESULTS})])
        bundle = cls(folder)
        bundle.refuse_newer()
        return bundle

    def refuse_newer(self) -> None:
        """Do nothing unless the manifest says that the bundle is of a version that this program does not know.

        Raises:
            UserMistake: if it does.
        """
        try:
            self.read_version()
        except Newer as newer:
            place, facts = str(self.path / MANIFEST), {"found": newer.found, "known": NEWEST}
            raise UserMistake([Problem("bundle-newer", "reports", file=place, facts=facts)]) from None
        except Malformed:
            return  # which whoever reads the manifest is told

    @cached_property
    def campaign(self) -> Campaign:
        """Facts, counts and results."""
        return self._told(self.read_campaign)

    @cached_property
    def manifest(self) -> Manifest:
        """Hashes, versions, host and clock."""
        return self._told(self.read_manifest)

    @cached_property
    def plant(self) -> Plant:
        """The plant as resolved for the run."""
        return self._told(self.read_plant)

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """The profiles as resolved for the run, in the campaign's order."""
        return self._told(lambda: self.read_profiles(self.campaign.profiles))

    @cached_property
    def waivers(self) -> tuple[Waiver, ...]:
        """Who has leave until when not to meet which requirement."""
        return self._told(self.read_waivers)

    @cached_property
    def particulars(self) -> Particulars:
        """What people stated of the test; empty where nobody stated anything."""
        return self._told(self.read_particulars)

    @cached_property
    def attempts(self) -> tuple[Result, ...]:
        """Results that a later attempt of the same item replaced, oldest first."""
        return self._told(self.read_attempts)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What happened beside the measurements, in order."""
        return self._told(self.read_events)

    @cached_property
    def table(self) -> ObservationTable:
        """All observations, as columns."""
        return self._told(self.read_table)

    def observations(self, methods: Iterable[str], targets: Iterable[str]) -> Iterator[Observation]:
        """The observations of these methods and targets that count, in the order in which they were stored.

        Where an attempt was repeated after an interruption, the last one counts.
        """
        return self.table.select(methods, targets)

    @_once
    def read_campaign(self) -> Campaign:
        """``results.json``. Raises :class:`Malformed`, as all ``read_`` methods do."""
        return self._json(RESULTS, Campaign)

    @_once
    def read_manifest(self) -> Manifest:
        """``manifest.json``, as the newest version has it."""
        try:
            return Manifest.model_validate(newest_manifest(MANIFEST, self.read_manifest_json()))
        except ValidationError as error:
            raise Malformed(MANIFEST, _first(error)) from None

    def read_version(self) -> int:
        """The version of the format in which the bundle was sealed."""
        return version_of(MANIFEST, self.read_manifest_json())

    @_once
    def read_manifest_json(self) -> Any:  # noqa: ANN401 - whatever stands there
        """``manifest.json`` as it stands there, whatever it says."""
        return self.read_json(MANIFEST)

    def read_json(self, name: str) -> Any:  # noqa: ANN401 - whatever stands there
        """A JSON file as it stands there, whatever it says."""
        try:
            return json.loads(_text(name, read_plain(self.path, name)))
        except (ValueError, RecursionError) as error:
            raise Malformed(name, str(error)) from None

    def read_json_lines(self, name: str) -> Iterator[Any]:
        """The lines of a JSON Lines file as they stand there."""
        for number, line in enumerate(read_plain(self.path, name).splitlines(), 1):
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise Malformed(name, f"line {number}: {error}") from None

    @_once
    def read_chain(self) -> ChainTable:
        """``chain.parquet``."""
        from reports.chain_file import ChainTable

        with open_plain(self.path, CHAIN) as file:
            try:
                return ChainTable.read(file)
            except ValueError as error:
                raise Malformed(CHAIN, str(error)) from None

    @_once
    def read_plant(self) -> Plant:
        """``plant.yaml``; it is self-contained, so it may not name further files."""
        plant = _parsed(PLANT, Plant, _text(PLANT, read_plain(self.path, PLANT)))
        if plant.endpoint_files:
            raise Malformed(PLANT, f"names other files: {', '.join(plant.endpoint_files[:3])}")
        return plant

    def read_profiles(self, names: Iterable[str]) -> tuple[Profile, ...]:
        """``profiles/NAME.yaml`` of each name."""
        wanted = tuple(names)
        if len(wanted) > MAX_PROFILES:
            raise Malformed(PROFILES, f"{len(wanted)} profiles")
        for name in wanted:
            if name not in self.already_profiles:
                self.already_profiles[name] = self._profile(name)
        return tuple(self.already_profiles[name] for name in wanted)

    @_once
    def read_waivers(self) -> tuple[Waiver, ...]:
        """``waivers.yaml``; nothing where there is none."""
        found = self._beside(WAIVERS, WaiverFile)
        return found.waivers if found else ()

    @_once
    def read_particulars(self) -> Particulars:
        """``particulars.yaml``; empty where there is none."""
        return self._beside(PARTICULARS, Particulars) or Particulars()

    @_once
    def read_attempts(self) -> tuple[Result, ...]:
        """``attempts.jsonl``."""
        return tuple(self._lines(ATTEMPTS, Result))

    @_once
    def read_events(self) -> tuple[Event, ...]:
        """``events.jsonl``."""
        return tuple(self._lines(EVENTS, Event))

    @_once
    def read_table(self) -> ObservationTable:
        """``observations.parquet``."""
        from reports.parquet import ObservationTable

        with open_plain(self.path, OBSERVATIONS) as file:
            try:
                return ObservationTable.read(file)
            except ValueError as error:
                raise Malformed(OBSERVATIONS, str(error)) from None

    def _beside(self, name: str, model: type[_Model]) -> _Model | None:
        """A document that a bundle may have or not."""
        if not (self.path / name).exists():
            return None
        return _parsed(name, model, _text(name, read_plain(self.path, name)))

    def _profile(self, name: str) -> Profile:
        return parse_profile(name, _text(profile_path(name), read_plain(self.path, profile_path(name))))

    def _json(self, name: str, model: type[_Model]) -> _Model:
        try:
            return model.model_validate_json(read_plain(self.path, name))
        except ValidationError as error:
            raise Malformed(name, _first(error)) from None

    def _lines(self, name: str, model: type[_Model]) -> Iterator[_Model]:
        for number, line in enumerate(read_plain(self.path, name).splitlines(), 1):
            try:
                yield model.model_validate_json(line)
            except ValidationError as error:
                raise Malformed(name, f"line {number}: {_first(error)}") from None

    def _told(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except Malformed as malformed:
            place = str(self.path / malformed.name)
            raise UserMistake(
                [Problem("bundle-malformed", "reports", file=place, facts={"error": malformed.error})]
            ) from None


def is_known(name: str) -> bool:
    """Whether the format has a file of this name; of any other, nobody could say what it is worth."""
    return name in _KNOWN or name.startswith((f"{PROFILES}/", f"{RAW}/"))


def profile_path(name: str) -> str:
    """Where in a bundle the profile ``name`` lies."""
    path = f"{PROFILES}/{name}.yaml"
    if not is_safe(path) or path.count("/") != 1:
        raise Malformed(PROFILES, f"{name!r} cannot be a profile's name")
    return path


def parse_profile(name: str, text: str) -> Profile:
    """The profile ``name`` as a bundle keeps it.

    Raises:
        Malformed: if ``text`` is not that profile.
    """
    profile = _parsed(profile_path(name), Profile, text)
    if profile.profile != name:
        raise Malformed(profile_path(name), f"holds the profile {profile.profile}")
    return profile


def canonical(manifest: Manifest) -> bytes:
    """The one way to write a manifest, with its checksum as it must be."""
    values = manifest.model_dump(mode="json")
    return canonical_json(values | {"checksum": checksum(values)})


def checksum(manifest: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of the canonical manifest without its checksum: it tells of a slip, not of a forger."""
    return hashlib.sha256(canonical_json({name: manifest[name] for name in manifest if name != "checksum"})).hexdigest()


def canonical_json(value: object) -> bytes:
    """Keys sorted, no spaces, UTF-8, whole numbers only (as RFC 8785 has it)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Malformed(name, str(error)) from None


def _parsed(name: str, model: type[_Model], text: str) -> _Model:
    return _kept(name, model, text) if len(text) <= _KEPT else _read(name, model, text)


@lru_cache(maxsize=16)
def _kept(name: str, model: type[_Model], text: str) -> _Model:
    """The same text is the same value, which nobody changes: many bundles share a profile, and one is read twice."""
    return _read(name, model, text)


def _read(name: str, model: type[_Model], text: str) -> _Model:
    value, mishaps = yaml12.parse(text)
    if mishaps:
        line, column = mishaps[0].place
        raise Malformed(name, f"line {line}, column {column}: {mishaps[0].code}")
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Malformed(name, _first(error)) from None


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
