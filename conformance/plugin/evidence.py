"""Where a campaign's evidence lies, checked before anything is sent."""

from __future__ import annotations

import errno
import os
import platform
import re
import uuid
from datetime import UTC
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from conformance.campaign import Campaign
from fixtures.plant.dump import dump_plant
from profiles.language import current_language
from profiles.loader import dump
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.bundle import REPORT
from reports.bundle import Bundle
from reports.result import Campaign as CampaignRecord
from reports.seal import Signing
from reports.seal import seal
from reports.store import EvidenceStore

BUNDLE = "bundle"


def evidence_directory(asked: Path | None, plant: str, *, resume: bool) -> Path:
    """The campaign's evidence directory; nothing is created.

    Raises:
        UserMistake: if it holds a campaign already and none is to be resumed, or the other way round.
    """
    if asked is None:
        if resume:
            raise _mistake("resume-needs-evidence", "--resume")
        name = re.sub(r"[^\w.-]+", "-", plant).strip("-") or "plant"
        return Path("evidence") / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    _check_usable(asked)
    if EvidenceStore.exists(asked) != resume:
        raise _mistake("evidence-absent" if resume else "evidence-exists", str(asked))
    return asked


def _check_usable(directory: Path) -> None:
    """See to it now, and not after hours of measuring, that evidence can be written there."""
    nearest = next(path for path in [directory, *directory.absolute().parents] if path.exists())
    if not nearest.is_dir():
        raise _mistake("evidence-unusable", str(directory), error=f"{nearest}: {os.strerror(errno.ENOTDIR)}")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise _mistake("evidence-unusable", str(directory), error=f"{nearest}: {os.strerror(errno.EACCES)}")


def opened_store(campaign: Campaign, directory: Path, *, resume: bool) -> EvidenceStore:
    """The store in ``directory``: new, or the one of the campaign that is resumed.

    Raises:
        UserMistake: if it belongs to another plant or profile, or another process is writing to it.
    """
    plant = dump_plant(campaign.plant)
    profiles = {profile.profile: dump(profile) for profile in campaign.profiles}
    if resume:
        return EvidenceStore.resume(directory, plant_yaml=plant, profile_yamls=profiles)
    facts = {
        "plantproof": version("plantproof"),
        "python": platform.python_version(),
        "kernel": platform.release(),
        "host": platform.node(),
    }
    return EvidenceStore.create(
        directory, campaign=str(uuid.uuid4()), plant_yaml=plant, profile_yamls=profiles, facts=facts
    )


def finish(campaign: Campaign, directory: Path, signing: Signing) -> CampaignRecord:
    """Seal what is known, also of an interrupted campaign, render and sign it; return the record that was sealed.

    Raises:
        UserMistake: if the bundle cannot be written or signed.
    """
    bundle = directory / BUNDLE
    return seal(campaign.store, bundle, campaign.unreached(), {REPORT: _report}, signing).campaign


def _report(bundle: Bundle, path: Path) -> None:
    from reports.html import write_report

    write_report(bundle, path, current_language())


def _mistake(code: str, place: str, **facts: object) -> UserMistake:
    return UserMistake([Problem(code, catalogue="conformance", file=place, facts=facts)])
