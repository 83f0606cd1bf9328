"""Which bundles are compared, and why others are not."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from typing import Any

import pytest

from profiles.problem import UserMistake
from reports.fleet.eligible import Field
from reports.fleet.eligible import choose

NOW = datetime(2030, 6, 1, tzinfo=UTC)


def row(bundle: str, plant: str = "", year: int = 2029, **more: Any) -> dict[str, Any]:
    facts = {
        "bundle": bundle, "plant": plant or bundle, "organisation": "o", "state": "verified", "reason": "", "said": "",
        "basis": "b1", "synthetic": False, "ended_utc": f"{year}-03-01T00:00:00+00:00",
        "sealed_utc": f"{year}-03-01T01:00:00+00:00", "n_inconclusive": 0, "n_error": 0, "n_not_tested": 0,
    }  # fmt: skip
    return facts | more


def chosen(*rows: dict[str, Any], **more: Any) -> tuple[list[str], dict[str, str]]:
    found: Field = choose(rows, now=NOW, **more)
    return [it["bundle"] for it in found.rows], {it.row["bundle"]: it.code for it in found.excluded}


def test_only_what_was_judged_again_is_compared() -> None:
    rows = [row("a"), row("b", state="hashed"), row("c", state="altered", reason="file-altered"),
            row("d", state="unreadable", plant=None)]  # fmt: skip
    assert chosen(*rows) == (["a"], {"b": "hashed", "c": "altered", "d": "unreadable"})


def test_of_a_plant_the_newest_complete_bundle_counts() -> None:
    rows = [row("a", "P", 2027), row("b", "P", 2028), row("c", "P", 2029, n_error=1)]
    assert chosen(*rows) == (["b"], {"a": "older", "c": "incomplete"})
    assert chosen(row("a", "P", 2027, n_error=1), row("b", "P", 2028, n_not_tested=2)) == (["b"], {"a": "older"})
    assert chosen(row("a", "P"), row("b", "P", organisation="other"))[0] == ["a", "b"]  # one name, two plants


def test_times_with_zones_are_compared_as_moments() -> None:
    east = row("a", "P", ended_utc="2029-03-01T07:00:00+08:00")  # an hour before the other
    assert chosen(east, row("b", "P")) == (["b"], {"a": "older"})


@pytest.mark.parametrize("moment", ["2031-01-01T00:00:00+00:00", "not a time", "", "2029-03-01T00:00:00"])
@pytest.mark.parametrize("field", ["ended_utc", "sealed_utc"])
def test_what_comes_from_the_future_would_be_newest_for_ever(field: str, moment: str) -> None:
    assert chosen(row("a", "P"), row("b", "P", **{field: moment})) == (["a"], {"b": "in-future"})


def test_other_limits_are_set_apart() -> None:
    rows = [row("a"), row("b"), row("c", basis="b2")]
    assert chosen(*rows) == (["a", "b"], {"c": "other-basis"})
    assert chosen(*rows, basis="b2") == (["c"], {"a": "other-basis", "b": "other-basis"})
    with pytest.raises(UserMistake, match="b1, b2"):
        chosen(*rows, basis="b3")


def test_synthetic_plants_are_not_ranked_among_real_ones() -> None:
    made = row("s", synthetic=True)
    assert chosen(row("a"), made) == (["a"], {"s": "synthetic"})
    alone = choose([made], now=NOW)
    assert (len(alone.rows), alone.synthetic) == (1, True)


def test_nothing_is_left_of_nothing() -> None:
    assert chosen() == ([], {})
