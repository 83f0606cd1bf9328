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
from fixtures.lab.defects import defect_file
from profiles.loader import load_profile
from profiles.requirement import Rule
from profiles.verdict import ExitStatus
from profiles.verdict import Verdict

pytestmark = pytest.mark.lab

PILLARS = {"network", "fiveg", "pon", "tsn", "ipv6", "security", "compute", "data"}
SHIPPED = load_profile(defect_file().profile)
SHORT = str(Path(__file__).with_name("matrix.yaml"))
#: What the clean plant gets: a pass wherever there is a limit, a value wherever there is none.
CLEAN = {
    asked.id: "info" if asked.threshold is None or asked.rule is Rule.INFO else "pass" for asked in SHIPPED.requirements
}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"matrix{os.getpid()}") as lab:
        yield lab


@pytest.fixture(autouse=True)
def credentials(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)


def test_the_clean_plant_conforms_in_every_pillar(lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]) -> None:
    campaign = run_campaign(lab.plant_file, tmp_path, "--profile", SHIPPED.profile)
    assert campaign.verdicts == CLEAN, campaign.output
    assert campaign.status == ExitStatus.CONFORMANT


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_a_defect_turns_exactly_its_verdicts(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any], name: str
) -> None:
    defect = lab.defect(name)
    defect.on()
    try:
        campaign = run_campaign(lab.plant_file, tmp_path, "--profile", SHORT)
    finally:
        defect.off()
    expected = CLEAN | {id: str(verdict) for id, verdict in defect.turns.items()}
    assert campaign.verdicts == expected, campaign.output
    assert campaign.status == _status(defect.turns.values())


def _status(turned: Any) -> ExitStatus:
    if Verdict.FAIL in turned:
        return ExitStatus.NONCONFORMANT
    return ExitStatus.INCOMPLETE if turned else ExitStatus.CONFORMANT


def test_every_requirement_with_a_limit_has_a_defect_that_fails_it() -> None:
    failed = {id for defect in DEFECTS.values() for id, verdict in defect.turns.items() if verdict is Verdict.FAIL}
    assert failed >= {id for id, verdict in CLEAN.items() if verdict == "pass"}


def test_every_pillar_is_there() -> None:
    assert {asked.pillar for asked in SHIPPED.requirements} == PILLARS
