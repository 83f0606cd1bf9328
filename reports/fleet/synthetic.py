"""Honest synthetic bundles, in any number: made-up observations of made-up plants, really judged and really sealed.

They are for trying out and timing what reads many bundles. Whatever is random is drawn from the seed and the plant's
number alone, so that a seed gives the same plants, observations and verdicts on any number of processes. When and where
a bundle was sealed is true, so that no two are the same bytes. Each says that it is synthetic, in its plant's name and
among the facts of its campaign (:data:`FACT`).
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from functools import partial
from pathlib import Path
from typing import TypedDict

from fixtures.plant.dump import dump_plant
from profiles.loader import dump
from profiles.loader import load_profile
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports import host
from reports.fleet.synthetic_plant import SyntheticPlant
from reports.fleet.synthetic_plant import settings
from reports.seal import seal
from reports.store import EvidenceStore

FACT = "synthetic"  #: the fact of a campaign by which a synthetic bundle is known
PROFILE = Path(__file__).with_name("synthetic.yaml")
_MEMORY = Path("/dev/shm")  # noqa: S108  # folders in it are made by tempfile
_CHUNK = 16  #: bundles that a process is given at a time


class _Texts(TypedDict):
    plant_yaml: str
    profile_yamls: dict[str, str]


def synthesise(
    directory: Path, count: int, *, seed: int = 0, workers: int = 1, told: Callable[[int], object] = lambda _: None
) -> None:
    """Make the bundles ``plant-00000`` to ``plant-<count - 1>`` in ``directory``; those that are there already stay.

    Args:
        directory: made if need be.
        count: how many plants the fleet has.
        seed: of everything random.
        workers: processes.
        told: is told of every further handful, with how many bundles there are then.

    Raises:
        UserMistake: if the folder cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        facts = {"error": error.strerror or str(error)}
        raise UserMistake([Problem("bundle-cannot-write", "reports", file=str(directory), facts=facts)]) from error
    numbers = [number for number in range(count) if not folder_of(directory, number).exists()]
    chunks = [numbers[start : start + _CHUNK] for start in range(0, len(numbers), _CHUNK)]
    made = count - len(numbers)
    make = partial(_make, directory, seed)
    if workers == 1:
        for chunk in chunks:
            make(chunk)
            told(made := made + len(chunk))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in pool.map(make, chunks):
            told(made := made + done)


def folder_of(directory: Path, number: int) -> Path:
    """Where the bundle of plant ``number`` is."""
    return directory / f"plant-{number:05d}"


def _make(directory: Path, seed: int, numbers: Sequence[int]) -> int:
    for number in numbers:
        _seal(SyntheticPlant(seed, number), folder_of(directory, number))
    return len(numbers)


def _seal(made: SyntheticPlant, folder: Path) -> None:
    """Through the evidence store and the sealing, as every other bundle; the store is gone afterwards."""
    plant = made.plant()
    campaign = str(uuid.UUID(int=made.rng.getrandbits(128), version=4))
    facts = host.versions() | {FACT: settings()["note"], "seed": f"{made.seed}:{made.number}", "host": "synthetic"}
    texts = _Texts(plant_yaml=dump_plant(plant), profile_yamls=_profile())
    with (
        tempfile.TemporaryDirectory(prefix="plantproof-synthetic-", dir=_in_memory()) as scratch,
        EvidenceStore.create(Path(scratch) / "evidence", campaign=campaign, facts=facts, **texts) as store,
    ):
        store.append(made.observations(plant))
        sealed = seal(store, Path(scratch) / "bundle")
        draft = folder.with_name(f".{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # of a run that was interrupted
        shutil.copytree(sealed.path, draft)
        draft.rename(folder)


def _in_memory() -> Path | None:
    """Where writing waits for no disk, if there is such a place: sealing makes everything durable, step by step."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else None


@cache
def _profile() -> dict[str, str]:
    profile = load_profile(str(PROFILE))
    return {profile.profile: dump(profile)}
