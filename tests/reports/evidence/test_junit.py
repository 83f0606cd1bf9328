"""JUnit XML: valid for the readers there are, one test case for each item, verdicts as the mapping says."""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from profiles.language import LANGUAGES
from profiles.verdict import Verdict
from reports.junit import ELEMENTS
from reports.junit import junit
from reports.result import Campaign
from reports.result import FindingRecord
from reports.waivers import Waived
from reports.waivers import Waiver

CORPUS = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[4] / "shared" / "data")
#: Ant's, and Jenkins' two. A fourth one asks for totals at the root, which Ant's forbids.
SCHEMAS = ("junit.xsd", "junit-4.xsd", "junit-10.xsd")
WITH_TOTALS = ("testdrive.xsd", "junit-4.xsd", "junit-10.xsd")
WAIVER = Waiver(
    id="NET-RCH-E",
    justification="等待备件到货后再整改",
    owner="<b>\x00李工",
    approver="]]>&amp;\u202e王经理",
    expires=date(2027, 3, 31),
)


@pytest.fixture
def campaign(evidence: Any) -> Campaign:
    """Every verdict, and texts that are hard to write as XML."""
    campaign: Campaign = evidence.sealed().campaign
    first = campaign.results[0]
    hostile = FindingRecord(target='<&"]]>\x00\x1b[31m\ud800', reason="no such code", note="\u202eabc")
    results = [
        first.model_copy(
            update={"item": f"ITEM-{verdict.name}", "verdict": verdict, "failing": (hostile,) * 25, "profile": profile}
        )
        for verdict in Verdict
        for profile in ("small", "second")
    ]
    more: dict[str, object] = {"profiles": ("small", "second", "empty"), "host": " a \n host ", "plant": "厂\x07"}
    more["results"] = tuple(it.model_copy(update={"item": f"{it.item}-{n}"}) for n, it in enumerate(results))
    return campaign.model_copy(update=more)


def parsed(campaign: Campaign) -> ET.Element:
    return ET.fromstring(junit(campaign))  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("schema", "totals"), [*((name, False) for name in SCHEMAS), *((name, True) for name in WITH_TOTALS)]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_valid(campaign: Campaign, schema: str, totals: bool, language: str, tmp_path: Path) -> None:
    path = CORPUS / "schemas" / "junit" / schema
    if not path.is_file():
        pytest.skip(f"the corpus has no {schema}")
    xmlschema = pytest.importorskip("xmlschema")
    validator = xmlschema.XMLSchema10(str(path))
    told = {campaign.results[0].item: [Waived(WAIVER, (), 0)]}
    (tmp_path / "junit.xml").write_bytes(junit(campaign, language, told, totals=totals))
    assert [error.reason for error in validator.iter_errors(str(tmp_path / "junit.xml"))] == []


def test_every_item_is_one_test_case_with_an_id_of_its_own(campaign: Campaign) -> None:
    root = parsed(campaign)
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(names)) == len(names) == len(campaign.results)
    assert {name for _, name in names} == {result.item for result in campaign.results}


def test_verdicts_become_what_the_mapping_says(campaign: Campaign) -> None:
    root = parsed(campaign)
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    for result in campaign.results:
        element = ELEMENTS[result.verdict]
        assert cases[result.item] == ([] if element is None else [element])
    assert ELEMENTS.keys() == set(Verdict)
    assert Counter(ELEMENTS.values()) == {None: 2, "failure": 1, "error": 1, "skipped": 3}


def test_a_suite_counts_its_cases(campaign: Campaign) -> None:
    suites = {suite.get("name"): suite for suite in parsed(campaign)}
    assert list(suites) == ["small", "second", "empty"]
    counted = ("tests", "failures", "errors", "skipped")
    assert [suites["small"].get(name) for name in counted] == ["7", "1", "1", "3"]
    assert [suites["empty"].get(name) for name in counted] == ["0"] * 4
    assert [suite.get("id") for suite in suites.values()] == ["0", "1", "2"]


def test_properties_tell_verdict_value_threshold_and_rule(campaign: Campaign) -> None:
    suite = parsed(campaign)[0]
    properties = {it.get("name"): it.get("value") for it in suite.iter("property")}
    item = campaign.results[0].item
    assert properties[f"{item} verdict"] == "pass"
    assert str(properties[f"{item} value"]).replace("\u00a0", " ") == "50 %"
    assert str(properties[f"{item} threshold"]).replace("\u00a0", " ") == "≥ 100 %"
    assert properties[f"{item} rule"] == "R0"
    assert properties["campaign"] == campaign.campaign


def test_offenders_are_named_but_not_without_end(campaign: Campaign) -> None:
    failure = next(parsed(campaign).iter("failure"))
    lines = str(failure.text).splitlines()
    assert lines[0].startswith("fail: ")
    assert len(lines) == 22
    assert lines[-1] == "… +5"
    assert '<&"]]>' in lines[1]
    assert "\x1b" not in str(failure.text)


def test_totals_at_the_root_are_those_of_the_suites(campaign: Campaign) -> None:
    root = ET.fromstring(junit(campaign, totals=True))  # noqa: S314 - our own
    assert root.attrib == {"tests": "14", "failures": "2", "errors": "2"}
    assert parsed(campaign).attrib == {}


def test_a_waiver_stands_beside_the_verdict(campaign: Campaign) -> None:
    failed = next(result for result in campaign.results if result.verdict is Verdict.FAIL)
    root = ET.fromstring(junit(campaign, "zh", {failed.item: [Waived(WAIVER, (), 0)]}))  # noqa: S314 - our own
    properties = {it.get("name"): str(it.get("value")) for it in root[0].iter("property")}
    assert "2027-03-31" in properties[f"{failed.item} waiver"]
    assert [name for name in properties if str(name).endswith(" waiver")] == [f"{failed.item} waiver"]
    lines = str(next(root.iter("failure")).text).splitlines()
    assert lines[0].startswith("fail: ")
    assert "王经理" in lines[1]
    assert root[0].get("failures") == "1"
