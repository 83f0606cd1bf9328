"""What a result shows of its data: kept, computed again like everything else, and absent from older evidence."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import reports.rejudge
from profiles.evaluate import evaluate
from profiles.exhibit import exhibit
from profiles.observation import Observation
from profiles.reduced import Bars
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Curve
from profiles.reduced import Exhibit
from profiles.reduced import Judgement
from profiles.reduced import Matrix
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Requirement
from reports import keeping
from reports.bundle import Bundle
from reports.exhibit import record_of
from reports.html import render
from reports.result import Result
from reports.verify import verify
from tests.reports.evidence.forging import as_version_1
from tests.reports.evidence.forging import reseal

KINDS: dict[str, Callable[[list[Observation]], Exhibit | None]] = {
    "bars": lambda rows: exhibit(
        Samples(tuple(row.value or math.inf for row in rows), "ms", labels=tuple(row.target for row in rows))
    ),
    "curve": lambda rows: exhibit(Samples(tuple(row.value or math.inf for row in rows), "ms")),
    "matrix": lambda rows: exhibit(
        Checklist(tuple(Check(row.target, f"window-{row.window}", row.value is not None, "silent") for row in rows))
    ),
}


@pytest.fixture(params=KINDS)
def bundle(request: pytest.FixtureRequest, evidence: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sealed bundle whose every judgement shows something of one kind."""

    def judged(requirement: Requirement, register: Register, observations: Iterable[Observation]) -> Judgement:
        rows = list(observations)
        return replace(evaluate(requirement, register, rows), exhibit=KINDS[request.param](rows))

    monkeypatch.setattr(reports.rejudge, "evaluate", judged)
    path: Path = evidence.sealed().path
    return path


def edit(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change every result that shows something, and write the manifest anew, as a forger would."""
    path = bundle / "results.json"
    content = json.loads(path.read_text("utf-8"))
    for result in content["results"]:
        if result["exhibit"]:
            change(result)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    reseal(bundle)


def test_it_is_kept_and_follows_from_the_data(bundle: Path) -> None:
    assert verify(bundle).alterations == []
    content = json.loads((bundle / "results.json").read_text("utf-8"))
    shown = {result["item"]: result["exhibit"] for result in content["results"] if result["exhibit"]}
    assert set(shown) == {"RCH-E", "RCH-P", "RCH-S"}  # of breakdowns and of what was not measured, nothing


FORGERIES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a unit": ("bars", lambda it: it["exhibit"].update(unit="s")),
    "a value": ("bars", lambda it: it["exhibit"]["rows"][0].__setitem__(1, 0.001)),
    "no value": ("bars", lambda it: it["exhibit"]["rows"][0].__setitem__(1, None)),
    "a row less": ("bars", lambda it: it["exhibit"]["rows"].pop()),
    "a point": ("curve", lambda it: it["exhibit"]["points"][0].__setitem__(0, 0.001)),
    "the losses": ("curve", lambda it: it["exhibit"].update(lost=7)),
    "an outcome": ("matrix", lambda it: it["exhibit"]["cells"][0].__setitem__(2, None)),
    "a subject": ("matrix", lambda it: it["exhibit"]["subjects"].__setitem__(0, "nobody")),
    "no picture": ("matrix", lambda it: it.update(exhibit=None)),
    "another kind": ("matrix", lambda it: it.update(exhibit={"format": "curve/1", "unit": "", "points": [], "n": 0,
                                                             "lost": 0})),
}  # fmt: skip


@pytest.mark.parametrize(("bundle", "change"), FORGERIES.values(), ids=FORGERIES, indirect=["bundle"])
def test_what_is_shown_and_does_not_follow_is_found(bundle: Path, change: Callable[[dict[str, Any]], object]) -> None:
    edit(bundle, change)
    found = {(it.code, it.place, it.facts.get("name")) for it in verify(bundle).alterations}
    assert ("result-differs", "RCH-P", "exhibit") in found


def test_last_digits_of_another_release_are_no_alteration(bundle: Path) -> None:
    as_version_1(bundle)  # else they are chained, and written once only

    def nudge(result: dict[str, Any]) -> None:
        for row in result["exhibit"].get("rows", []) + result["exhibit"].get("points", []):
            row[1] = row[1] and row[1] * (1 + 1e-13)

    edit(bundle, nudge)
    assert verify(bundle).sound


def test_evidence_from_before_there_was_any_verifies_and_renders(bundle: Path) -> None:
    as_version_1(bundle)
    edit(bundle, lambda it: it.pop("exhibit"))
    assert verify(bundle).sound
    assert "RCH-E" in render(Bundle.open(bundle))


def test_a_store_from_before_there_was_any_is_sealed_without_a_new_attempt(evidence: Any) -> None:
    with evidence.create() as store:
        result = Result(item="i", profile="p", requirement="R", indicator="x", scope={}, verdict="pass", reason="met")
        old = result.model_dump(mode="json", exclude={"exhibit"})
        row = (store.run, 1, "i", json.dumps(old))
        store._keep("results", "run, utc_ns, item, record", [row], [keeping.result(*row)])
        store.put_result(result)
        assert [it.attempts for it in store.results()] == [1]
        assert store.superseded() == []


@pytest.mark.parametrize(
    ("shown", "format"),
    [
        (Bars("dB", (("a", None), ("b", -3.5))), "bars/1"),
        (Curve("ms", ((1.0, 0.5),), 2, 1), "curve/1"),
        (Matrix(("a",), ("b",), ((0, 0, None, "n"),), 3, 4), "matrix/1"),
    ],
)
def test_each_kind_is_told_by_its_format_and_read_back(shown: Exhibit, format: str) -> None:
    record = record_of(shown)
    result = Result(
        item="i", profile="p", requirement="R", indicator="x", scope={}, verdict="pass", reason="met", exhibit=record
    )
    again = Result.model_validate_json(result.model_dump_json())
    assert again == result
    assert again.exhibit is not None
    assert again.exhibit.format == format
    with pytest.raises(ValidationError):
        Result.model_validate(result.model_dump() | {"exhibit": {"format": "pie/1"}})


def test_nothing_is_shown_of_nothing() -> None:
    assert record_of(None) is None
