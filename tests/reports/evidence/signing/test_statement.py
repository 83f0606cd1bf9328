"""The statement says of every verdict what the mapping says, and is written in one way only."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from profiles.verdict import Outcome
from profiles.verdict import Verdict
from reports.bundle import Bundle
from reports.bundle import FileRecord
from reports.bundle import canonical_json
from reports.result import Campaign
from reports.result import Result
from reports.signing.rules import rules
from reports.signing.statement import statement

LISTS = {
    Verdict.PASS: "passedTests",
    Verdict.FAIL: "failedTests",
    Verdict.INCONCLUSIVE: "warnedTests",
    Verdict.ERROR: "warnedTests",
    Verdict.NOT_TESTED: "warnedTests",
    Verdict.NOT_APPLICABLE: None,
    Verdict.INFO: None,
}


@pytest.fixture(scope="module")
def opened(sealed: Path) -> Bundle:
    return Bundle(sealed)


def stated(opened: Bundle, *verdicts: Verdict) -> dict[str, Any]:
    """The statement about a campaign with these verdicts."""
    one = opened.campaign.results[0]
    results = [
        one.model_copy(update={"item": f"item-{at}", "verdict": it, "scope": {}}) for at, it in enumerate(verdicts)
    ]
    campaign: Campaign = opened.campaign.model_copy(update={"results": tuple(results)})
    found: dict[str, Any] = json.loads(statement(b"{}", opened.manifest.files, campaign))
    return found


def test_every_verdict_has_its_list() -> None:
    assert {verdict: rules().tests.get(verdict.value) for verdict in Verdict} == LISTS
    assert set(rules().result) == {one.value for one in Outcome}


@pytest.mark.parametrize("verdict", Verdict)
def test_an_item_stands_in_the_list_of_its_verdict_and_in_no_other(opened: Bundle, verdict: Verdict) -> None:
    predicate = stated(opened, verdict)["predicate"]
    found = {name for name in set(LISTS.values()) - {None} if predicate[name]}  # type: ignore[index]
    assert found == {LISTS[verdict]} - {None}


@pytest.mark.parametrize(
    ("verdicts", "result"),
    [
        ((Verdict.PASS,), "PASSED"),
        ((Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.INFO), "PASSED"),
        ((Verdict.PASS, Verdict.INCONCLUSIVE), "WARNED"),
        ((Verdict.PASS, Verdict.ERROR), "WARNED"),
        ((Verdict.PASS, Verdict.NOT_TESTED), "WARNED"),
        ((Verdict.FAIL, Verdict.ERROR), "FAILED"),
        ((), "WARNED"),
        ((Verdict.INFO,), "WARNED"),
    ],
)
def test_nothing_open_and_nothing_empty_is_passed(opened: Bundle, verdicts: tuple[Verdict, ...], result: str) -> None:
    assert stated(opened, *verdicts)["predicate"]["result"] == result


def test_it_is_a_statement_of_in_toto_about_the_manifest_the_plant_and_the_profiles(opened: Bundle) -> None:
    manifest = (opened.path / "manifest.json").read_bytes()
    found = json.loads(statement(manifest, opened.manifest.files, opened.campaign))
    assert found.keys() == {"_type", "subject", "predicateType", "predicate"}
    assert found["_type"] == "https://in-toto.io/Statement/v1"
    assert found["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    digests = {one["name"]: one["digest"]["sha256"] for one in found["subject"]}
    assert list(digests) == ["manifest.json", "plant.yaml", "profiles/small.yaml"]
    for name, digest in digests.items():
        assert digest == hashlib.sha256((opened.path / name).read_bytes()).hexdigest()
    configuration = found["predicate"]["configuration"]
    assert [one["name"] for one in configuration] == ["profiles/small.yaml", "plant.yaml"]
    assert all(one.keys() == {"name", "digest"} for one in [*configuration, *found["subject"]])
    named = [item for name in ("passedTests", "warnedTests", "failedTests") for item in found["predicate"][name]]
    silent = {Verdict.NOT_APPLICABLE, Verdict.INFO}
    items = [one for one in opened.campaign.results if not one.scope]
    assert len(items) < len(opened.campaign.results)  # breakdowns are no items of their own, as in the outcome
    assert sorted(named) == sorted(one.item for one in items if one.verdict not in silent)
    assert found["predicate"]["result"] == rules().result[opened.campaign.outcome.value]


def test_documents_beside_the_plant_are_configuration_too(opened: Bundle) -> None:
    files = dict(opened.manifest.files) | {"waivers.yaml": FileRecord(sha256="0" * 64, size=1)}
    found = json.loads(statement(b"{}", files, opened.campaign))
    assert "waivers.yaml" in [one["name"] for one in found["predicate"]["configuration"]]


def test_the_order_of_results_is_kept(opened: Bundle) -> None:
    first: Result = opened.campaign.results[0]
    assert first.item in statement(b"{}", opened.manifest.files, opened.campaign).decode()
    assert stated(opened, *[Verdict.PASS] * 3)["predicate"]["passedTests"] == ["item-0", "item-1", "item-2"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text("abYZ_", min_size=1, max_size=3)
VALUES = st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=5)


@settings(max_examples=50)
@given(st.dictionaries(NAMES, VALUES))
def test_canonical_is_what_rfc_8785_says(value: dict[str, Any]) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)
