"""A small synthetic fleet and its index, made once; tests that change bundles work on copies."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.bundle import Bundle
from reports.fleet.index import index
from reports.fleet.synthetic import synthesise
from reports.scoring import template

PLANTS = 12


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of bundles, only to be read."""
    folder = tmp_path_factory.mktemp("fleet") / "bundles"
    synthesise(folder, PLANTS)
    return folder


@pytest.fixture(scope="session")
def indexed(fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its index."""
    out = tmp_path_factory.mktemp("index") / "index"
    index(fleet, out, workers=0)
    return out


@pytest.fixture
def some(fleet: Path, tmp_path: Path) -> Callable[[int], Path]:
    """Copies of the first few bundles, to be spoiled."""

    def copied(count: int) -> Path:
        folder = tmp_path / "some"
        for path in sorted(fleet.iterdir())[:count]:
            shutil.copytree(path, folder / path.name)
        return folder

    return copied


@pytest.fixture
def weights(fleet: Path, tmp_path: Path) -> Path:
    """A weights file in which everything weighs the same."""
    file = tmp_path / "weights.yaml"
    file.write_text(template(Bundle.open(fleet / "plant-00000")).replace("null", "1"), "utf-8")
    return file
