"""The detection matrix: every defect of the virtual plant turns exactly the verdicts it names."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab import DEFECTS
from fixtures.lab import Lab
from profiles.verdict import ExitStatus

pytestmark = pytest.mark.lab

PROFILE = ("--profile", "terminal-reachability")
CLEAN = {f"NET-RCH-{scope}": "pass" for scope in ("E", "P", "S", "X", "PSX")}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"matrix{os.getpid()}") as lab:
        yield lab


def test_the_clean_plant_conforms(lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]) -> None:
    campaign = run_campaign(lab.plant_file, tmp_path, *PROFILE)
    assert campaign.verdicts == CLEAN, campaign.output
    assert campaign.status == ExitStatus.CONFORMANT


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_defect_turns_exactly_its_verdicts(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any], name: str
) -> None:
    defect = lab.defect(name)
    defect.on()
    try:
        campaign = run_campaign(lab.plant_file, tmp_path, *PROFILE)
    finally:
        defect.off()
    assert campaign.verdicts == CLEAN | dict(defect.turns), campaign.output
    assert campaign.status == (ExitStatus.NONCONFORMANT if defect.turns else ExitStatus.CONFORMANT)


def test_every_measured_requirement_has_a_defect() -> None:
    assert {requirement for defect in DEFECTS.values() for requirement in defect.turns} >= set(CLEAN)
