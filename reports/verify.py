"""Verification: is every file of a bundle the one that was sealed, and do the verdicts follow from the data?

Hashes, plan, results, counts and outcome are computed again. What that cannot show is *who* sealed it: somebody who
writes a new manifest can change whatever no result follows from, or forge the data and compute everything anew.
Signatures are the answer to that (``reports.signing``). ``docs/bundle.md`` says exactly what shows.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.archive import differs_at
from reports.archive import opened
from reports.bundle import ATTEMPTS
from reports.bundle import CHAIN
from reports.bundle import EVENTS
from reports.bundle import MANIFEST
from reports.bundle import OBSERVATIONS
from reports.bundle import PLANT
from reports.bundle import RESULTS
from reports.bundle import Bundle
from reports.bundle import FileRecord
from reports.bundle import Manifest
from reports.bundle import canonical_json
from reports.bundle import checksum
from reports.bundle import is_known
from reports.plain import Malformed
from reports.plain import is_safe
from reports.plain import open_plain
from reports.plain import read_plain
from reports.recompute import Recomputation
from reports.signing.check import SignatureCheck
from reports.signing.expected import Expected
from reports.signing.names import is_attached
from reports.verification import Verification

MAX_FILES = 100_000
MAX_DEPTH = 32  #: folders in folders
CLOCK_SLACK = timedelta(minutes=10)  #: by which the clocks of who seals and who verifies may differ
_HOUR = timedelta(hours=1)
_REQUIRED = (RESULTS, OBSERVATIONS, PLANT, ATTEMPTS, EVENTS)


def verify(bundle: Path | str, expected: Expected | None = None, *, recompute: bool = True) -> Verification:
    """Check a bundle, a folder or an archive of one; everything that is wrong with it is in the answer.

    Nothing in the bundle is run, no link is followed, and no more is read than a campaign can hold.

    Args:
        bundle: its folder, or the archive that ``reports.archive.pack`` made of it.
        expected: who must have signed it, and whom to trust; without, signatures are checked by their enclosed keys.
        recompute: whether to judge it again too; without, only files are compared with the manifest.

    Raises:
        UserMistake: if it cannot be checked: there is no such folder, it is no bundle, it is of a later version, or it
            may not be read.
    """
    path = Path(bundle)
    with opened(path) as folder:
        verification = Verification(path)
        _verify_folder(Bundle(folder), verification, expected or Expected(), recompute=recompute)
        if folder != path:
            _compare_archive(path, folder, verification)
    return verification


def verify_read(bundle: Bundle, *, recompute: bool = True) -> Verification:
    """Check a bundle in a folder as :func:`verify` does; what it holds is then read, and what is said of it verified.

    Raises:
        UserMistake: as :func:`verify`.
    """
    verification = Verification(bundle.path)
    _verify_folder(bundle, verification, Expected(), recompute=recompute)
    return verification


def _verify_folder(read: Bundle, verification: Verification, expected: Expected, *, recompute: bool) -> None:
    bundle, folder = verification.bundle, read.path
    if not folder.is_dir():
        raise UserMistake([Problem("bundle-absent", "reports", file=str(bundle))])
    try:
        present = dict(_files(folder, verification))
    except OSError as error:
        facts = {"error": error.strerror or str(error)}
        place = str(error.filename or folder)
        raise UserMistake([Problem("bundle-unreadable", "reports", file=place, facts=facts)]) from error
    if not present.keys() & {MANIFEST, RESULTS}:
        raise UserMistake([Problem("bundle-no-results", "reports", file=str(bundle), facts={"name": RESULTS})])
    read.refuse_newer()
    manifest = _manifest(read, present, verification)
    if manifest is not None:
        _compare_files(folder, present, manifest, verification)
    if recompute:
        Recomputation(read, verification).run(manifest)
    SignatureCheck(read, verification, expected).run(present, manifest)


def _compare_archive(archive: Path, folder: Path, verification: Verification) -> None:
    """Between and behind its files, an archive has no byte that its folder does not account for."""
    try:
        at = differs_at(archive, folder)
    except (Malformed, OSError) as error:
        verification.found("file-malformed", archive.name, error=error)
        return
    if at is not None:
        verification.found("archive-altered", archive.name, at=at)


def _files(folder: Path, verification: Verification) -> Iterator[tuple[str, int]]:
    """Path and size of every plain file; anything else is noted."""
    waiting = [("", 0)]
    count = 0
    while waiting:
        prefix, depth = waiting.pop()
        with os.scandir(folder / prefix) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
            if not found and prefix:
                verification.found("folder-extra", prefix)
            for entry in found:
                name = prefix + entry.name
                count += 1
                if count > MAX_FILES or depth > MAX_DEPTH:
                    raise OSError(0, f"more than {MAX_FILES} files or {MAX_DEPTH} folders deep", str(folder))
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{name}/", depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    yield name, entry.stat(follow_symlinks=False).st_size
                else:
                    verification.found("file-not-plain", name)


def _manifest(bundle: Bundle, present: Mapping[str, int], verification: Verification) -> Manifest | None:
    if MANIFEST not in present:
        verification.found("manifest-missing", MANIFEST)
        return None
    try:
        written = read_plain(bundle.path, MANIFEST)
        value = bundle.read_manifest_json()
        manifest = bundle.read_manifest()
        verification.version = bundle.read_version()
    except Malformed as malformed:
        verification.found("manifest-malformed", MANIFEST, error=malformed.error)
        return None
    if _canonical(value) != written:
        verification.found("manifest-not-canonical", MANIFEST)
    if verification.version > 1:
        _compare_checksum(value, manifest, verification)
    _compare_clock(manifest, verification)
    verification.chain = manifest.chain
    return manifest


def _canonical(value: object) -> bytes:
    try:
        return canonical_json(value)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell and UTF-8 cannot
        return b""


def _compare_checksum(value: Mapping[str, Any], manifest: Manifest, verification: Verification) -> None:
    """A version that has a checksum and a chain must state them."""
    if manifest.checksum != (computed := checksum(value)):
        verification.found("manifest-altered", MANIFEST, stored=manifest.checksum, computed=computed)
    if manifest.chain is None:
        verification.found("chain-missing", MANIFEST)


def _compare_files(folder: Path, present: Mapping[str, int], manifest: Manifest, verification: Verification) -> None:
    for name, record in sorted(manifest.files.items()):
        if not is_safe(name):
            verification.found("path-unsafe", name)
        elif name not in present:
            verification.found("file-missing", name)
        elif present[name] != record.size:
            verification.found("file-altered", name, what=f"{record.size} → {present[name]} B")
        else:
            _compare_hash(folder, name, record, verification)
    for name in sorted(present.keys() - manifest.files.keys() - {MANIFEST}):
        if not is_attached(name):
            verification.found("file-extra", name)
    for name in sorted(filter(is_attached, manifest.files)):
        verification.found("signing-sealed", name)
    for name in sorted(manifest.files):
        if is_safe(name) and not is_known(name) and not is_attached(name):
            verification.found("file-unknown", name)
    required = {*_REQUIRED, CHAIN} if manifest.chain else set(_REQUIRED)
    for name in sorted(required - manifest.files.keys()):
        verification.found("file-not-sealed", name)


def _compare_clock(manifest: Manifest, verification: Verification) -> None:
    """Nothing is sealed later than now; which clock is wrong cannot be told."""
    try:
        sealed = datetime.fromisoformat(manifest.sealed_utc)
        ahead = sealed - datetime.now(UTC)
    except (TypeError, ValueError) as error:
        verification.found("manifest-malformed", MANIFEST, error=error)
        return
    if ahead > CLOCK_SLACK:
        verification.found("sealed-in-future", MANIFEST, sealed=manifest.sealed_utc, hours=f"{ahead / _HOUR:.1f}")


def _compare_hash(folder: Path, name: str, record: FileRecord, verification: Verification) -> None:
    try:
        with open_plain(folder, name) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except (Malformed, OSError) as error:
        verification.found("file-malformed", name, error=error)
        return
    verification.files += 1
    if digest != record.sha256:
        verification.found("file-altered", name, what=f"SHA-256 {record.sha256[:12]}… → {digest[:12]}…")
