"""Sealing: from the evidence store to a bundle, all at once or not at all. The format is in ``docs/bundle.md``."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable
from collections.abc import Container
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from fixtures.plant.model import Plant
from fixtures.scoping import plan
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.verdict import Verdict
from reports import host
from reports.bundle import ATTEMPTS
from reports.bundle import CHAIN
from reports.bundle import EVENTS
from reports.bundle import JUNIT
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PLANT
from reports.bundle import RAW
from reports.bundle import RESULTS
from reports.bundle import Bundle
from reports.bundle import ChainRecord
from reports.bundle import FileRecord
from reports.bundle import Manifest
from reports.bundle import canonical
from reports.bundle import parse_profile
from reports.bundle import profile_path
from reports.chain import Entry
from reports.chain import iso
from reports.journal import sync_directory
from reports.junit import write_report as write_junit
from reports.raw import write_raw
from reports.rejudge import Select
from reports.rejudge import conclude
from reports.result import Campaign
from reports.result import Counts
from reports.result import Result
from reports.secrets import Secrets
from reports.standing import Standing
from reports.store import EvidenceStore

#: Writes one rendering of a bundle, complete but for its renderings, to the path given.
Rendering = Callable[[Bundle, Path], None]


class Signing(Protocol):
    """Adds to a bundle, complete with its manifest, what cannot be listed there: the signatures of it."""

    @property
    def keyids(self) -> tuple[str, ...]:
        """Ids of the keys that will sign, which the manifest names."""

    def __call__(self, folder: Path) -> None:
        """Sign the bundle that is being sealed in ``folder``."""


def seal(
    store: EvidenceStore,
    directory: Path,
    results: Iterable[Result] = (),
    renderings: Mapping[str, Rendering] | None = None,
    signing: Signing | None = None,
) -> Bundle:
    """Write the bundle of ``store``'s campaign to the folder ``directory``, complete or not at all.

    Every item of the plan has a result in the bundle, judged from everything observed until now: also an item that was
    never run, if its objects were observed on behalf of others and nothing it is owed is missing. An earlier bundle of
    the same campaign is kept as ``NAME.1``, ``NAME.2``, ...

    Args:
        store: the open store; it stays open.
        directory: the folder to be made.
        results: why items were not tested; without one, an item of which nothing was observed is ``not-run``, and one
            of which too little was observed is an ``error``.
        renderings: further renderings by file name, such as ``report.html``; ``junit.xml`` is always made.
        signing: signs the bundle before anybody sees it.

    Raises:
        UserMistake: if the folder cannot be written or is taken, a secret would get into the bundle, the store does not
            hold what was kept in it, or the bundle cannot be signed.
    """
    _refuse_strangers(directory, store.campaign)
    draft = directory.parent / f".{directory.name}.sealing-{store.campaign}"
    try:
        if draft.exists():  # of a sealing that was killed; the store's lock sees to it that there is no other
            shutil.rmtree(draft)
        draft.mkdir(parents=True)
        _write(store, draft, results, {JUNIT: write_junit, **(renderings or {})}, signing.keyids if signing else ())
        if signing is not None:
            signing(draft)
        _put_in_place(draft, directory)
    except OSError as error:
        raise _mistake("bundle-cannot-write", directory, error=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Bundle.open(directory)


def conclude_campaign(store: EvidenceStore, plant: Plant, select: Select, results: Iterable[Result] = ()) -> Campaign:
    """Judge every item of the plan from what was observed, and keep in the store what is new.

    Args:
        store: the open store.
        plant: the store's plant.
        select: gives the store's observations.
        results: see :func:`seal`.
    """
    profiles = store.profile_yamls
    known = store.results()
    measured = {result.item for result in known if result.verdict is not Verdict.NOT_TESTED}
    untested = {result.item: result for result in [*known, *results] if result.verdict is Verdict.NOT_TESTED}
    cases = plan(plant, [parse_profile(name, text) for name, text in profiles.items()])
    judged = [conclude(case, select) for case in cases]
    store.put_result(*(untested.get(one.item, one) if _says_nothing(one, measured) else one for one in judged))
    kept = {result.item: result for result in store.results()}
    concluded = tuple(kept[case.id] for case in cases)
    standing = Standing.of(concluded)
    facts = store.facts
    started, ended = (iso(utc_ns) for utc_ns in store.span_utc_ns())
    return Campaign(
        campaign=store.campaign,
        plant=plant.plant,
        profiles=tuple(profiles),
        started_utc=started,
        ended_utc=ended,
        outcome=standing.outcome,
        counts=Counts(planned=standing.planned, verdicts=dict(sorted(standing.counts.items()))),
        versions=host.versions() | {name: fact for name, fact in facts.items() if name != "host"},
        host=facts.get("host") or platform.node(),
        results=concluded,
    )


def _says_nothing(judged: Result, measured: Container[str]) -> bool:
    """Whether why an item was not tested tells more: what was seen for others' sake owes nobody the rest."""
    owing = judged.verdict is Verdict.ERROR and judged.item not in measured
    return owing or judged.verdict is Verdict.NOT_TESTED


def _write(
    store: EvidenceStore,
    draft: Path,
    results: Iterable[Result],
    renderings: Mapping[str, Rendering],
    signers: tuple[str, ...],
) -> None:
    """Fill the folder ``draft`` with a bundle."""
    store.require_unaltered()
    _write_text(draft / PLANT, store.plant_yaml)
    for name, text in store.profile_yamls.items():
        _write_text(draft / profile_path(name), text)
    for name, text in store.documents().items():
        _write_text(draft / name, text)
    bundle = Bundle(draft)
    secrets = Secrets(bundle.plant)
    _write_observations(store, draft / OBSERVATIONS, secrets)
    # Columns in memory are faster to judge from than the store's file, and are what a verifier will have.
    campaign = conclude_campaign(store, bundle.plant, bundle.observations, results)
    _write_text(draft / RESULTS, campaign.model_dump_json(indent=1) + "\n")
    _write_lines(draft / ATTEMPTS, store.superseded())
    _write_lines(draft / EVENTS, store.events())
    write_raw(store.raw(), draft / RAW)
    chain = _write_chain(store, draft / CHAIN, secrets)
    manifest = Manifest(
        campaign=campaign.campaign,
        sealed_utc=iso(time.time_ns()),
        host=platform.node(),
        kernel=host.kernel(),
        clock=host.clock(),
        versions=host.versions(),
        files={},
        chain=chain,
        signers=signers,
    )
    _write_manifest(draft, manifest)  # for the renderings, which quote its facts: they stay as they are
    for name, render in renderings.items():
        render(bundle, draft / name)
    for path in _files(draft):
        if found := secrets.in_file(path) or secrets.in_texts([path.relative_to(draft)]):
            raise _mistake("bundle-secret", path.relative_to(draft), reference=found)
    _write_manifest(draft, manifest)


def _write_observations(store: EvidenceStore, path: Path, secrets: Secrets) -> None:
    from reports.parquet import ObservationWriter

    def checked() -> Iterator[tuple[object, ...]]:
        for row in store.rows():  # compressed, so a secret could not be found in the file
            if found := secrets.in_texts(row):
                raise _mistake("bundle-secret", Path(path.name), reference=found)
            yield row

    with ObservationWriter(path) as writer:
        writer.write(checked() if secrets else store.rows())


def _write_chain(store: EvidenceStore, path: Path, secrets: Secrets) -> ChainRecord:
    from reports.chain_file import ChainTable
    from reports.chain_file import write_chain

    def checked() -> Iterator[Entry]:
        for entry in store.chain():
            if found := secrets.in_texts([entry.subject]):
                raise _mistake("bundle-secret", Path(path.name), reference=found)
            yield entry

    write_chain(path, checked())
    with path.open("rb") as file:
        return ChainTable.read(file).record()


def _write_manifest(draft: Path, facts: Manifest) -> None:
    """Hash every file but the manifest, making each durable, and write the manifest in canonical form."""
    names = sorted(path.relative_to(draft).as_posix() for path in _files(draft))
    files = {name: _hashed(draft / name) for name in names if name != MANIFEST}
    (draft / MANIFEST).write_bytes(canonical(facts.model_copy(update={"files": files})))


def _hashed(path: Path) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
        return FileRecord(sha256=digest, size=os.fstat(file.fileno()).st_size)


def _put_in_place(draft: Path, directory: Path) -> None:
    with (draft / MANIFEST).open("rb") as manifest:
        os.fsync(manifest.fileno())
    for folder in [draft, *(path for path in draft.rglob("*") if path.is_dir())]:
        sync_directory(folder)
    if directory.exists():
        numbers = (number for number in range(1, 10_000) if not _numbered(directory, number).exists())
        directory.rename(_numbered(directory, next(numbers)))
    draft.rename(directory)
    sync_directory(directory.parent)


def _numbered(directory: Path, number: int) -> Path:
    return directory.with_name(f"{directory.name}.{number}")


def _refuse_strangers(directory: Path, campaign: str) -> None:
    """Only an earlier bundle of this campaign may give way; an empty folder holds nothing."""
    if not directory.exists():
        return
    if directory.is_dir() and not any(directory.iterdir()):
        directory.rmdir()
        return
    try:
        stranger = Bundle.open(directory).campaign.campaign != campaign
    except UserMistake:
        stranger = True
    if stranger:
        raise _mistake("bundle-taken", directory)


def _files(folder: Path) -> Iterator[Path]:
    """Every plain file below ``folder``, in a stable order."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def _write_lines(path: Path, records: Iterable[BaseModel]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(record.model_dump_json() + "\n" for record in records)


def _mistake(code: str, place: Path, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, "reports", file=str(place), facts=facts)])
