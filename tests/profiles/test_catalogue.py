"""The catalogue of indicators: complete, bilingual, in known units."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from profiles.indicators import find
from profiles.indicators import known
from profiles.loader import load_profile
from profiles.loader import shipped
from profiles.quantity import check_unit

CATALOGUE = tomllib.loads(files("profiles.indicators").joinpath("catalogue.toml").read_text("utf-8"))


@pytest.mark.parametrize("id", sorted(CATALOGUE))
def test_each_entry_has_a_known_unit_and_a_title_in_both_languages(id: str) -> None:
    entry = CATALOGUE[id]
    assert set(entry) == {"unit", "title"}
    check_unit(entry["unit"])
    assert set(entry["title"]) == {"zh", "en"}
    assert any("\u4e00" <= letter <= "\u9fff" for letter in entry["title"]["zh"])
    assert entry["title"]["en"].isascii()
    indicator = find(id)
    assert indicator is not None
    assert (indicator.unit, dict(indicator.title)) == (entry["unit"], entry["title"])


def test_titles_are_distinct() -> None:
    for language in ("zh", "en"):
        titles = [entry["title"][language] for entry in CATALOGUE.values()]
        assert len(set(titles)) == len(titles)


def test_every_computed_indicator_stands_in_the_catalogue_and_says_how_it_is_computed() -> None:
    computed = [indicator for indicator in known().values() if indicator.reduce]
    assert "access-reachability" in {indicator.id for indicator in computed}
    for indicator in computed:
        assert indicator.id in CATALOGUE
        assert indicator.methods
        assert indicator.definition.endswith(".")


def test_every_entry_is_named_by_a_shipped_profile() -> None:
    named = {it.indicator for name in shipped() for it in load_profile(name).requirements}
    assert named == set(CATALOGUE)


def test_an_unknown_indicator_is_not_found() -> None:
    assert find("no-such-indicator") is None
