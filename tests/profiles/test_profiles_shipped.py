"""The shipped profiles: complete, true to the document, and fit to be used."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from profiles.indicators import find
from profiles.indicators import is_computed
from profiles.loader import load_profile
from profiles.loader import shipped
from profiles.requirement import Profile
from profiles.requirement import Provenance
from profiles.requirement import Requirement
from profiles.requirement import Rule
from profiles.requirement import Source

SOURCES = Path(__file__).parents[3] / "shared" / "sources"
POLICY = "沪经信基〔2022〕617 号"

#: Every row of the document's indicators by id, with rule, sample rule, and limit where there is one.
ROWS = {
    "NET-RCH-E": ("R0", None, ">= 100 %"),
    "NET-RCH-P": ("R0", "R2", ">= 90 %"),
    "NET-RCH-S": ("R0", "R2", ">= 90 %"),
    "NET-RCH-X": ("R0", "R2", ">= 90 %"),
    "NET-RCH-PSX": ("R0", "R2", ">= 90 %"),
    "NET-COV": ("R1", None, None),
    "NET-COV-TREND": ("R1", None, "> 0 pp"),
    "NET-CONN": ("R0", None, None),
    "NET-DUMB": ("R0", "R2", "< 30 %"),
    "NET-RATE-LAN": ("R3", None, None),
    "NET-RATE-WAN": ("R1", None, None),
    "NET-V6-ACT": ("R0", "R2", None),
    "NET-V6-SUP": ("R0", None, None),
    "NET-TECH-5G": ("info", None, None),
    "NET-TECH-PON": ("info", None, None),
    "NET-TECH-TSN": ("info", None, None),
    "NET-TECH-V6": ("info", None, None),
    "CMP-BASE": ("R1", None, None),
    "CMP-AI": ("R1", None, None),
    "CMP-HPC": ("R1", None, None),
    "CMP-USE": ("info", None, None),
    "CMP-SRV-TENANT": ("info", None, None),
    "CMP-SRV-JOB": ("info", None, None),
    "CMP-SRV-HOUR": ("info", None, None),
    "CMP-REQ": ("R0", None, ">= 100 %"),
    "CMP-LST": ("R0", None, ">= 100 %"),
    "CMP-REG": ("R0", None, ">= 100 %"),
    "CMP-SCH": ("R0", None, ">= 100 %"),
    "CMP-MAT": ("R0", None, None),
    "CMP-NETQ-RTT": ("R4", None, None),
    "CMP-NETQ-LOSS": ("R2", None, None),
    "CMP-NETQ-PDV": ("R4", None, None),
    "CMP-NETQ-RATE": ("R3", None, None),
    "CMP-NETQ-AVAIL": ("R5", None, None),
    "SEC-ID": ("R0", "R2", None),
    "SEC-LIC": ("R0", None, None),
    "SEC-DOM": ("R0", None, "<= 0 count"),
    "SEC-PRV": ("R0", None, "<= 0 count"),
    "SEC-DBH": ("R0", None, None),
    "SEC-DEL": ("R0", None, None),
    "DAT-VOL": ("info", None, None),
    "DAT-KG": ("info", None, None),
    "DAT-ALG": ("info", None, None),
    "DAT-APP-KIND": ("info", None, None),
    "DAT-APP-FREQ": ("info", None, None),
    "DAT-ID-REG": ("info", None, None),
    "DAT-ID-RES": ("info", None, None),
    "DAT-XCHG": ("info", None, None),
}


@cache
def shanghai() -> Profile:
    return load_profile("shanghai-617-2022")


def requirements() -> list[Requirement]:
    return list(shanghai().requirements)


def sources(requirement: Requirement) -> list[Source]:
    return [requirement.source, *([requirement.threshold.source] if requirement.threshold else [])]


def condensed(text: str) -> str:
    """Without white space: the copies differ in line breaks and in spaces around numbers."""
    return "".join(text.split())


def test_every_row_is_there_with_its_rules_and_limit() -> None:
    found = {
        it.id: (
            it.rule.value,
            it.sample_rule.value if it.sample_rule else None,
            f"{it.threshold.op} {it.threshold.value}" if it.threshold else None,
        )
        for it in requirements()
    }
    assert found == ROWS


@pytest.mark.parametrize(
    ("id", "classes", "breakdown"),
    [
        ("NET-RCH-E", ("E",), ("technology", "segment", "zone")),
        ("NET-RCH-P", ("P",), ("technology", "segment", "zone")),
        ("NET-RCH-S", ("S",), ("technology", "segment", "zone")),
        ("NET-RCH-X", ("X",), ("technology", "segment", "zone")),
        ("NET-RCH-PSX", ("P", "S", "X"), ()),
        ("NET-DUMB", ("E", "S", "X"), ("class", "segment", "area")),
    ],
)
def test_scopes_follow_the_object_classes(id: str, classes: tuple[str, ...], breakdown: tuple[str, ...]) -> None:
    it = next(it for it in requirements() if it.id == id)
    assert (it.scope.classes, it.breakdown) == (classes, breakdown)


@pytest.mark.parametrize("it", requirements(), ids=lambda it: it.id)
def test_each_requirement_says_where_it_comes_from(it: Requirement) -> None:
    assert (it.source.standard, it.source.provenance, it.source.verified) == (POLICY, Provenance.STATED, True)
    assert it.source.clause.startswith("附件 四（")
    assert it.weight is None  # the document states no weights
    if it.threshold and it.threshold.source.provenance is Provenance.STATED:
        assert (it.threshold.source.standard, it.threshold.source.clause) == (POLICY, "附件 四（九）")
    elif it.threshold:
        assert (it.threshold.source.standard, it.threshold.source.provenance) == ("Plantproof", Provenance.PROJECT)
    assert it.rule is not Rule.INFO or it.threshold is None


@pytest.mark.parametrize("it", requirements(), ids=lambda it: it.id)
def test_quotes_are_literal(it: Requirement) -> None:
    found = sorted(SOURCES.glob("000_*.txt"))
    if not found:
        pytest.skip("the policy document is not here: ../shared/sources/000_*.txt")
    document = condensed(found[0].read_text("utf-8"))
    for source in sources(it):
        if source.quote is not None:
            assert condensed(source.quote) in document


@pytest.mark.parametrize("it", requirements(), ids=lambda it: it.id)
def test_quotes_stand_in_the_clause_that_is_named(it: Requirement) -> None:
    found = sorted(SOURCES.glob("000_*.txt"))
    if not found:
        pytest.skip("the policy document is not here: ../shared/sources/000_*.txt")
    document = condensed(found[0].read_text("utf-8")).replace("(", "（").replace(")", "）")
    marks = ["（四）聚焦", "（五）聚焦", "（六）聚焦", "（七）聚焦", "（八）推进", "（九）促进", "（十）建立"]
    clauses = {mark[:3]: document[document.index(mark) : document.index(end)] for mark, end in pairwise(marks)}
    for source in sources(it):
        if source.quote is not None:
            quote = condensed(source.quote).replace("(", "（").replace(")", "）")
            assert quote in clauses[source.clause.removeprefix("附件 四")]


@pytest.mark.parametrize("it", requirements(), ids=lambda it: it.id)
def test_each_text_is_in_its_language_and_of_use(it: Requirement) -> None:
    for text in (it.title, it.remedy):
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
        assert not any("\u3000" <= letter <= "\u9fff" for letter in text.en)
    assert len(it.remedy.zh) >= 20
    assert len(it.remedy.en) >= 40


def test_remedies_and_titles_are_not_copies_of_each_other() -> None:
    for texts in ([it.remedy.zh for it in requirements()], [it.remedy.en for it in requirements()]):
        assert Counter(texts).most_common(1)[0][1] == 1
    assert len({it.title.zh for it in requirements()}) == len(requirements())


def test_terminal_reachability_is_the_five_rows_unchanged() -> None:
    made = load_profile("terminal-reachability")
    assert made.requirements == shanghai().requirements[:5]
    assert made.derived_from == ("shanghai-617-2022 1.0",)
    assert all((indicator := find(it.indicator)) and indicator.reduce for it in made.requirements)  # all computed today


#: Rows of the small profiles: rule, limit, and what vouches for the limit.
SMALL = {
    "3gpp-22104-control-panel": {
        "TSN-FLOW-LAT": ("R4", "< 4 ms", "recalled"),
        "TSN-FLOW-LOSS": ("R2", "<= 0.1 %", "project"),
        "TSN-FLOW-SURV": ("R5", "<= 0 count", "recalled"),
    },
    "tsn-time-sync": {"TSN-SYNC": ("R0", ">= 100 %", "project")},
    "nr-signal": {"5G-REG": ("R0", ">= 100 %", "project"), "5G-RSRP": ("R0", ">= -105 dBm", "project")},
    "pon-optical": {"PON-RX-MARGIN": ("R0", ">= 3 dB", "secondary")},
    "terminal-rates": {
        "NET-RATE-SHARE": ("R0", None, None),
        "NET-UDP-LOSS": ("R2", "<= 0.5 %", "project"),
        "NET-UDP-RATE": ("R0", None, None),
    },
    "compute-node-acceptance": {
        "CMP-GEMM-FP64": ("R0", None, None),
        "CMP-STREAM": ("R0", None, None),
        "CMP-CORES": ("R0", None, None),
        "CMP-GEMM-EFF": ("R0", None, None),
    },
    "network-strangers": {"NET-UNREG": ("R0", "<= 0 count", "project")},
    "terminal-applications": {"NET-APP": ("R0", ">= 100 %", "project")},
    "identifier-resolution": {"DATA-ID-RES": ("R0", ">= 100 %", "project")},
}


def row(it: Requirement) -> tuple[str, str | None, str | None]:
    if it.threshold is None:
        return it.rule.value, None, None
    return it.rule.value, f"{it.threshold.op} {it.threshold.value}", it.threshold.source.provenance.value


@pytest.mark.parametrize("name", SMALL)
def test_the_small_profiles_say_what_they_ask_and_who_says_so(name: str) -> None:
    assert {it.id: row(it) for it in load_profile(name).requirements} == SMALL[name]


def test_every_shipped_profile_is_tested() -> None:
    assert set(shipped()) == {*SMALL, "shanghai-617-2022", "terminal-reachability", "virtual-plant"}


@pytest.mark.parametrize("it", [it for name in SMALL for it in load_profile(name).requirements], ids=lambda it: it.id)
def test_no_number_is_said_to_be_a_standards_unless_somebody_read_it_there(it: Requirement) -> None:
    assert it.threshold is None or not it.threshold.source.verified
    for source in sources(it):
        if source.provenance is Provenance.STATED:
            assert source.standard == POLICY
            assert source.quote
    test_each_text_is_in_its_language_and_of_use(it)


@pytest.mark.parametrize("it", [it for name in SMALL for it in load_profile(name).requirements], ids=lambda it: it.id)
def test_policy_quotes_of_the_small_profiles_are_literal(it: Requirement) -> None:
    if it.source.standard != POLICY:
        pytest.skip("quotes nothing of the policy")
    test_quotes_are_literal(it)
    test_quotes_stand_in_the_clause_that_is_named(it)


def test_the_virtual_plant_asks_something_of_every_pillar() -> None:
    made = load_profile("virtual-plant")
    assert {it.pillar for it in made.requirements} == {
        "network", "fiveg", "pon", "tsn", "ipv6", "security", "compute", "data",
    }  # fmt: skip
    inherited = {it.id: it for name in ("shanghai-617-2022", *SMALL) for it in load_profile(name).requirements}
    asked = {id for small in SMALL.values() for id in small}
    assert asked <= {it.id for it in made.requirements}
    changed = {it.id: row(it) for it in made.requirements if it != inherited[it.id]}
    assert changed == {
        "NET-RCH-E": ("R0", ">= 100 %", "stated"),
        "NET-RCH-P": ("R0", ">= 90 %", "stated"),
        "NET-RCH-S": ("R0", ">= 90 %", "stated"),
        "NET-RCH-X": ("R0", ">= 90 %", "stated"),
        "NET-RCH-PSX": ("R0", ">= 90 %", "stated"),
        "NET-APP": ("R0", ">= 100 %", "project"),
        "NET-COV": ("R1", ">= 95 %", "project"),
        "NET-CONN": ("R0", ">= 90 %", "project"),
        "NET-DUMB": ("R0", "< 30 %", "stated"),
        "NET-RATE-LAN": ("R3", ">= 140 Mbit/s", "project"),
        "NET-RATE-SHARE": ("R0", ">= 100 %", "project"),
        "NET-UDP-LOSS": ("R2", "<= 0.5 %", "project"),
        "NET-UDP-RATE": ("R0", None, None),
        "NET-RATE-WAN": ("R1", ">= 120 Mbit/s", "project"),
        "NET-V6-SUP": ("R0", ">= 100 %", "project"),
        "TSN-SYNC": ("R0", ">= 100 %", "project"),
        "TSN-FLOW-LAT": ("R4", "< 4 ms", "recalled"),
        "TSN-FLOW-LOSS": ("R2", "<= 0.1 %", "project"),
        "TSN-FLOW-SURV": ("R0", "<= 0 count", "project"),
        "CMP-BASE": ("R1", None, None),
        "CMP-GEMM-FP64": ("R0", None, None),
        "CMP-STREAM": ("R0", None, None),
        "CMP-CORES": ("R0", ">= 80 %", "project"),
        "CMP-GEMM-EFF": ("R0", ">= 10 %", "project"),
    }
    assert not made.omitted
    asked = {it.id: it.parameters for it in made.requirements}
    assert asked["TSN-SYNC"] == {"port_states": ["SLAVE", "UNCALIBRATED"], "max_offset_ns": 50_000_000}
    assert asked["TSN-FLOW-SURV"] == {"max_latency_ms": 4, "survival_time_ms": 12, "messages": 10_600}


@pytest.mark.parametrize("it", load_profile("virtual-plant").requirements, ids=lambda it: it.id)
def test_something_computes_everything_that_is_asked_of_the_virtual_plant(it: Requirement) -> None:
    assert is_computed(it.indicator)


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_profile_is_named_like_its_file(name: str) -> None:
    assert load_profile(name).profile == name
