"""OSCAL documents: valid against the official schema, and every reference resolves."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from conformance.cli import main
from probes.methods import MODULES
from probes.methods import method
from profiles.language import LANGUAGES
from profiles.problem import UserMistake
from profiles.verdict import OPEN_VERDICTS
from profiles.verdict import Verdict
from reports.bundle import RESULTS
from reports.bundle import Bundle
from reports.formats import FORMATS
from reports.oscal.observations import MAX_SUBJECTS
from reports.oscal.observations import READ
from reports.oscal.results import MAX_EVENTS
from reports.oscal.results import STATES
from reports.oscal.words import NAMESPACE

CORPUS = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[4] / "shared" / "data")
SCHEMA = CORPUS / "schemas" / "oscal" / "oscal_complete_schema-1-2-2.json"
NAMES = ("catalog", "assessment-plan", "assessment-results")
HOSTILE = "\"'><script>alert(1)</script>]]>&amp;{{7*7}}${x}[a](javascript:1)`b`*c*# \u202e\u2066"
WAIVERS = """format: plantproof-waivers/1
waivers:
  - {id: NET-RCH-E, justification: "等待<b>备件</b>到货后再整改", owner: 李工, approver: 王经理, expires: 2027-03-31}
  - {id: NET-RCH-S, justification: 已经满足的要求没有风险可言, owner: 李工, approver: 王经理, expires: 2027-03-31}
"""
PARTICULARS = "format: plantproof-particulars/1\nclient: 示例制造有限公司\ntester: 张工\nauthoriser: 王经理\n"

Make = Callable[..., Bundle]
Documents = dict[str, dict[str, Any]]


def written(bundle: Bundle, out: Path, language: str = "zh") -> Documents:
    FORMATS["oscal"].write(Bundle(bundle.path), out, language)
    return {name: json.loads((out / f"{name}.json").read_text("utf-8"))[name] for name in NAMES}


def stated(bundle: Bundle) -> Bundle:
    (bundle.path / "waivers.yaml").write_text(WAIVERS)
    (bundle.path / "particulars.yaml").write_text(PARTICULARS)
    return Bundle(bundle.path)


@pytest.fixture(scope="session")
def validator() -> Any:
    if not SCHEMA.is_file():
        pytest.skip("the corpus has no OSCAL schema")
    import jsonschema

    # Python's patterns have no \p{L}: letters and digits are written otherwise, a little more strictly
    token, same = r"^(\\p{L}|_)(\\p{L}|\\p{N}|[.\\-_])*$", r"^([^\\W\\d_]|_)([^\\W\\d_]|\\d|[.\\-_])*$"
    text = SCHEMA.read_text("utf-8")
    assert token in text
    schema = json.loads(text.replace(token, same))
    assert r"\p" not in json.dumps(schema)
    return jsonschema.Draft7Validator(schema)


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from objects_in(one)


def identifiers(document: Any) -> list[str]:
    return [it["uuid"] for it in objects_in(document) if "uuid" in it]


class Resolver:
    """Follows every reference of every document, and counts them by kind."""

    def __init__(self, documents: Documents, folder: Path) -> None:
        self.folder = folder
        self.seen: Counter[str] = Counter()
        catalog, plan, results = (documents[name] for name in NAMES)
        self.ids = [it["id"] for it in objects_in(catalog) if "id" in it]
        assert len(self.ids) == len(set(self.ids))
        known = {"catalog": {*identifiers(catalog)}, "assessment-plan": {*identifiers(plan)}}
        known["assessment-results"] = {*identifiers(results), *identifiers(plan)}
        for name, document in documents.items():
            own = identifiers(document)
            assert len(own) == len(set(own)), name
            self.known = known[name]
            self.roles = {role["id"] for role in document["metadata"].get("roles", [])}
            self.resources = {it["uuid"] for it in document["back-matter"]["resources"]}
            for it in objects_in(document):
                for key, value in it.items():
                    self.follow(key, value, it)

    def follow(self, key: str, value: Any, holder: dict[str, Any]) -> None:
        if key.endswith(("-uuid", "-uuids")):
            assert ({value} if isinstance(value, str) else set(value)) <= self.known, (key, value)
        elif key in ("control-id", "target-id", "objective-id"):
            assert value in self.ids, (key, value)
        elif key == "role-id":
            assert value in self.roles
        elif key == "href":
            self.href(value, holder)
        elif isinstance(value, str):
            for parameter in re.findall(r"\{\{ insert: param, (\S+) }}", value):
                assert parameter in self.ids
                self.seen["param"] += 1
        self.seen[key] += 1

    def href(self, href: str, holder: dict[str, Any]) -> None:
        if href.startswith("#"):
            assert href[1:] in self.resources, href
            self.seen["fragment"] += 1
            return
        assert re.fullmatch(r"([A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})+", href)  # RFC 3986, a relative path
        content = (self.folder / unquote(href)).read_bytes()
        for digest in holder.get("hashes", []):
            assert digest == {"algorithm": "SHA-256", "value": hashlib.sha256(content).hexdigest()}


def resolve(documents: Documents, folder: Path) -> Counter[str]:
    return Resolver(documents, folder).seen


@pytest.mark.parametrize("hostile", ["", HOSTILE])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_documents_are_valid_and_every_reference_resolves(
    make_bundle: Make, tmp_path: Path, validator: Any, language: str, hostile: str
) -> None:
    bundle = stated(make_bundle(hostile=hostile))
    documents = written(bundle, tmp_path / "out.oscal", language)
    for name, document in documents.items():
        assert [f"{list(it.absolute_path)} {it.message}" for it in validator.iter_errors({name: document})] == []
    seen = resolve(documents, tmp_path / "out.oscal")
    kinds = """subject-uuid observation-uuid risk-uuid actor-uuid activity-uuid component-uuid party-uuids control-id
        target-id role-id fragment href hashes param"""
    for kind in kinds.split():
        assert seen[kind], kind
    assert documents["assessment-results"]["import-ap"]["href"] == "assessment-plan.json"


def test_an_altered_or_missing_reference_is_found(make_bundle: Make, tmp_path: Path) -> None:
    """The resolver itself can fail."""
    folder = tmp_path / "out.oscal"
    documents = written(make_bundle(), folder)
    finding = documents["assessment-results"]["results"][0]["findings"][0]
    for place, key in ((finding["target"], "target-id"), (finding["related-observations"][0], "observation-uuid")):
        kept, place[key] = place[key], "req.absent"
        with pytest.raises(AssertionError):
            resolve(documents, folder)
        place[key] = kept
    resolve(documents, folder)
    with (tmp_path / "bundle" / "plant.yaml").open("a") as file:
        file.write("\n")
    with pytest.raises(AssertionError):
        resolve(documents, folder)


def told(properties: list[dict[str, str]]) -> dict[str, str]:
    assert all(it["ns"] == NAMESPACE for it in properties)
    return {it["name"]: it["value"] for it in properties}


def test_verdicts_become_what_the_mapping_says(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    result = written(bundle, tmp_path / "out.oscal")["assessment-results"]["results"][0]
    findings = {told(it["props"])["item"]: it for it in result["findings"]}
    logged = [told(it["props"]) for it in result["assessment-log"]["entries"] if "props" in it]
    observed = {told(it["props"])["item"]: it for it in result["observations"]}
    excluded = [it["control-id"] for it in result["reviewed-controls"]["control-selections"][0]["exclude-controls"]]
    whole = [one for one in bundle.campaign.results if not one.scope]
    assert {one.verdict for one in whole} == set(Verdict) == set(STATES)
    for one in whole:
        if one.verdict in (Verdict.INFO, Verdict.NOT_APPLICABLE):
            assert one.item not in findings
        else:
            finding = findings[one.item]
            status = finding["target"]["status"]
            expected = {Verdict.PASS: ("satisfied", "pass"), Verdict.FAIL: ("not-satisfied", "fail")}
            assert (status["state"], status["reason"]) == expected.get(one.verdict, ("not-satisfied", "other"))
            assert (status["reason"] == "other") == (one.verdict in OPEN_VERDICTS)
            assert told(finding["props"])["verdict"] == one.verdict
            assert finding["target"]["target-id"] == f"req.{one.profile}.{one.requirement}_obj"
        assert (one.item in observed) == (one.ended_utc_ns is not None)
    assert [it for it in logged if it["verdict"] == "not-applicable"] == [
        {"item": "NET-COV", "verdict": "not-applicable", "reason-code": "tailored-out"}
    ]
    assert excluded == ["req.shanghai-617-2022.NET-COV"]
    counts = told(result["props"])
    assert (counts["items-fail"], counts["items-inconclusive"], counts["planned"]) == ("1", "1", "8")


def test_figures_uncertainty_rule_and_source_are_properties(make_bundle: Make, tmp_path: Path) -> None:
    observations = written(make_bundle(), tmp_path / "out.oscal")["assessment-results"]["results"][0]["observations"]
    facts = {told(it["props"])["item"]: told(it["props"]) for it in observations}
    sampled = facts["NET-RCH-S"]
    assert sampled | {
        "value": "97.4359", "unit": "%", "numerator": "38", "denominator": "39", "n": "39", "rule": "R2",
        "interval-low": "91.24", "interval-confidence": "0.95", "limit-op": ">=", "limit": "90 %",
        "limit-provenance": "stated", "limit-verified": "yes",
    } == sampled  # fmt: skip
    assert "interval-high" not in sampled
    assert facts["NET-RCH-E:zone=cell-a"]["scope"] == "zone=cell-a"


def test_a_waiver_is_a_risk_beside_an_unchanged_finding(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    plain = written(bundle, tmp_path / "plain.oscal")["assessment-results"]["results"][0]
    result = written(stated(bundle), tmp_path / "waived.oscal")["assessment-results"]["results"][0]
    assert "risks" not in plain
    [risk] = result["risks"]
    assert (risk["status"], risk["deadline"][:10]) == ("deviation-approved", "2027-03-31")
    assert told(risk["props"])["approver"] == "王经理"
    assert r"\<b>" in risk["description"]
    linked = [it for it in result["findings"] if it.get("related-risks")]
    assert [it["related-risks"] for it in linked] == [[{"risk-uuid": risk["uuid"]}]]
    assert linked[0]["target"] == plain["findings"][0]["target"]


def test_the_same_bundle_gives_the_same_bytes(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    for language in (*LANGUAGES, *LANGUAGES):
        written(bundle, tmp_path / f"{language}.oscal", language)
    again = tmp_path / "again.oscal"
    written(bundle, again, "zh")
    for name in NAMES:
        assert (again / f"{name}.json").read_bytes() == (tmp_path / "zh.oscal" / f"{name}.json").read_bytes()
        one, other = (json.loads((tmp_path / f"{it}.oscal" / f"{name}.json").read_text())[name] for it in LANGUAGES)
        assert one["uuid"] != other["uuid"]
    assert bundle.campaign.campaign not in identifiers(one)


def test_names_of_a_result_are_bounded(make_bundle: Make, make_example: Any, tmp_path: Path) -> None:
    bundle = make_bundle(endpoints=500, failing=400)
    result = written(bundle, tmp_path / "out.oscal")["assessment-results"]["results"][0]
    for observation in result["observations"]:
        assert len(observation["subjects"]) <= MAX_SUBJECTS + 1
    assert told(result["observations"][0]["props"])["failing"] == "400"
    event = make_example().events[0].model_dump_json()
    (bundle.path / "events.jsonl").write_text(f"{event}\n" * (MAX_EVENTS + 7))
    entries = written(bundle, tmp_path / "more.oscal")["assessment-results"]["results"][0]["assessment-log"]["entries"]
    assert len(entries) < MAX_EVENTS + 20
    assert "7" in entries[-1]["description"]


def test_objects_that_the_plant_does_not_register_are_defined_where_they_are_named(
    make_bundle: Make, tmp_path: Path, validator: Any
) -> None:
    bundle = make_bundle()
    path = bundle.path / RESULTS
    path.write_text(path.read_text().replace('"target":"e-00000"', '"target":"02:00:5e:00:00:01"'))
    documents = written(bundle, tmp_path / "out.oscal")
    result = documents["assessment-results"]["results"][0]
    names = [it["props"][0]["value"] for it in result["local-definitions"]["inventory-items"]]
    assert names == ["02:00:5e:00:00:01"]
    assert not list(validator.iter_errors({"assessment-results": documents["assessment-results"]}))


def test_a_result_of_an_unknown_requirement_is_refused(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    path = bundle.path / RESULTS
    path.write_text(path.read_text().replace('"requirement":"NET-RCH-P"', '"requirement":"NET-ABSENT"'))
    with pytest.raises(UserMistake, match="NET-ABSENT"):
        written(bundle, tmp_path / "out.oscal")
    assert not (tmp_path / "out.oscal").exists()


def test_a_campaign_without_a_moment_is_refused(make_bundle: Make, tmp_path: Path) -> None:
    bundle = make_bundle()
    path = bundle.path / RESULTS
    path.write_text(path.read_text().replace("2027-01-15T08:00:00+00:00", "yesterday"))
    with pytest.raises(UserMistake, match="yesterday"):
        written(bundle, tmp_path / "out.oscal")


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_the_command_line_writes_a_folder_beside_the_bundle(
    make_bundle: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle()
    assert status("report", str(bundle.path), "--format", "oscal") == 0
    folder = bundle.path.with_name("bundle.oscal")
    assert capsys.readouterr().out.strip() == str(folder)
    assert sorted(it.name for it in folder.iterdir()) == sorted(f"{name}.json" for name in NAMES)
    taken = bundle.path.with_name("taken")
    taken.write_text("mine")
    assert status("report", str(bundle.path), "--format", "oscal", "--out", str(taken)) == 4
    assert taken.read_text() == "mine"


def test_methods_that_read_are_those_that_send_nothing() -> None:
    assert {id for id in MODULES if method(id).here} == READ
