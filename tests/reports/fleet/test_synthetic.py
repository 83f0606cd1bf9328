"""Synthetic bundles are honest: really judged and sealed, the same for the same seed, and they say what they are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fixtures.plant.dump import dump_plant
from fixtures.plant.loader import load_plant
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.fleet.synthetic import FACT
from reports.fleet.synthetic import synthesise
from reports.fleet.synthetic_plant import SyntheticPlant
from reports.verify import verify


def told(folder: Path) -> list[tuple[str, object, object]]:
    """What follows from the seed: plant, results and observations; not when and where it was sealed."""
    bundles = [Bundle.open(path) for path in sorted(folder.iterdir())]
    return [(it.campaign.campaign, it.campaign.results, list(it.table.rows())) for it in bundles]


def test_every_one_verifies_and_says_that_it_is_synthetic(fleet: Path) -> None:
    for folder in fleet.iterdir():
        assert verify(folder).sound
        bundle = Bundle.open(folder)
        assert "synthetic" in bundle.campaign.plant
        assert bundle.campaign.versions[FACT]


def test_a_fleet_has_something_of_everything() -> None:
    """Of the generator's plants; sealing as many takes too long for a test."""
    made = [SyntheticPlant(0, number) for number in range(300)]
    amiss = sorted(it.amiss for it in made)
    assert amiss[0] == 0
    assert amiss[-1] > 0.2
    for name in ("clocks", "modems", "onus", "identifiers"):
        assert 0 < sum(not it.counts[name] for it in made) < 200


def test_verdicts_differ_from_plant_to_plant(fleet: Path) -> None:
    verdicts = Counter(it.verdict for path in fleet.iterdir() for it in Bundle.open(path).campaign.results)
    assert verdicts[Verdict.PASS]
    assert verdicts[Verdict.FAIL]
    assert verdicts[Verdict.NOT_APPLICABLE]


def test_plants_are_such_as_the_loader_takes(tmp_path: Path) -> None:
    for number in range(5):
        made = SyntheticPlant(3, number).plant()
        (tmp_path / "plant.yaml").write_text(dump_plant(made), "utf-8")
        assert load_plant(tmp_path / "plant.yaml") == made


def test_a_seed_makes_the_same_on_any_number_of_processes(tmp_path: Path) -> None:
    synthesise(tmp_path / "one", 3, seed=5)
    synthesise(tmp_path / "two", 3, seed=5, workers=2)
    synthesise(tmp_path / "other", 3, seed=6)
    assert told(tmp_path / "one") == told(tmp_path / "two")
    assert told(tmp_path / "one") != told(tmp_path / "other")


def test_what_is_there_stays(tmp_path: Path) -> None:
    synthesise(tmp_path, 1)
    sealed = (tmp_path / "plant-00000" / "manifest.json").read_bytes()
    synthesise(tmp_path, 2)
    assert (tmp_path / "plant-00000" / "manifest.json").read_bytes() == sealed
    assert (tmp_path / "plant-00001" / "manifest.json").exists()
