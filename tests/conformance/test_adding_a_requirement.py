"""The page docs/adding-a-requirement.md is true: its blocks, installed as somebody else's package, work as it says."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.lab import DEFECTS
from fixtures.lab import Lab
from fixtures.lab.defects import DefectFile
from profiles.verdict import ExitStatus

pytestmark = pytest.mark.lab

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-requirement.md"
BLOCK = re.compile(r'^```\w+ title="(\w+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)
ENTRY_POINTS = """
[plantproof.indicators]
example = plantproof_example.indicator
[plantproof.suites]
example = plantproof_example.test_loss
"""


@pytest.fixture(scope="module")
def blocks() -> dict[str, str]:
    return dict(BLOCK.findall(PAGE.read_text("utf-8")))


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"adding{os.getpid() % 10**9}") as lab:
        yield lab


@pytest.fixture
def installed(blocks: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's code as an installed package; returns the profile."""
    site = tmp_path / "site"
    package, info = site / "plantproof_example", site / "plantproof_example-1.0.dist-info"
    package.mkdir(parents=True)
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "indicator.py").write_text(blocks["indicator"], "utf-8")
    (package / "test_loss.py").write_text(blocks["suite"], "utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plantproof-example\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.setenv("PYTHONPATH", str(site))
    profile = tmp_path / "profile.yaml"
    profile.write_text(blocks["profile"], "utf-8")
    return profile


def test_the_page_s_requirement_passes_on_the_clean_plant_and_fails_with_the_page_s_defect(
    lab: Lab,
    blocks: dict[str, str],
    installed: Path,
    tmp_path: Path,
    run_campaign: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clean = run_campaign(lab.plant_file, tmp_path / "clean", "--profile", str(installed))
    assert clean.verdicts == {"NET-LOSS-E": "pass"}, clean.output
    assert clean.status == ExitStatus.CONFORMANT
    written = DefectFile.model_validate({"profile": "page", "defects": [yaml.safe_load(blocks["defect"])]}).defects[0]
    monkeypatch.setattr("fixtures.lab.lab.DEFECTS", {**DEFECTS, written.id: written})
    defect = lab.defect(written.id)
    defect.on()
    try:
        broken = run_campaign(lab.plant_file, tmp_path / "broken", "--profile", str(installed))
    finally:
        defect.off()
    assert broken.verdicts == {id: str(verdict) for id, verdict in defect.turns.items()}, broken.output
    assert broken.status == ExitStatus.NONCONFORMANT


def test_its_suite_item_is_as_short_as_promised(blocks: dict[str, str]) -> None:
    function = blocks["suite"][blocks["suite"].index("@measures") :]
    assert len(function.strip().splitlines()) <= 25
