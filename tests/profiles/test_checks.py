"""Bad profiles, one mistake each: the exact place, path and code, and a text in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from profiles.loader import load_profile
from profiles.problem import Problem
from profiles.problem import UserMistake

GOOD = """\
profile: mine
version: "1"
title: {zh: 标题, en: title}
description: {zh: 说明, en: text}
requirements:
  - id: A-1
    title: {zh: 一, en: one}
    pillar: network
    indicator: access-reachability
    rule: R0
    threshold:
      op: ">="
      value: 90 %
      source: {standard: S, clause: c, quote: limit, provenance: standard, verified: true}
    source: {standard: S, clause: c, quote: asked, provenance: standard, verified: false}
    remedy: {zh: 修, en: mend}
"""
LATENCY = ("access-reachability", "compute-network-rtt"), ("90 %", "10 ms")


def mistakes(folder: Path, text: str) -> list[Problem]:
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserMistake) as mistake:
        load_profile(str(file))
    return list(mistake.value.problems)


def changed(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def test_the_example_is_sound(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(GOOD, encoding="utf-8")
    assert load_profile(str(tmp_path / "mine.yaml")).requirements[0].id == "A-1"


@pytest.mark.parametrize(
    ("changes", "place", "path", "code"),
    [
        ([("version", "versionx")], (2, 1), "versionx", "unknown-key-like"),
        ([("profile: mine\n", "")], (1, 1), "", "missing-key"),
        ([("profile: mine", "profile: My Profile")], (1, 10), "profile", "wants-pattern"),
        ([('"1"', "1.0")], (2, 10), "version", "wants-text"),
        ([("{zh: 标题, en: title}", "{zh: 标题}")], (3, 8), "title", "missing-key"),
        ([("zh: 修", "zh: ''")], (16, 18), "requirements[0].remedy.zh", "too-short"),
        ([("A-1", "a-1")], (6, 9), "requirements[0].id", "wants-pattern"),
        ([("pillar: network", "pillar: netwrk")], (8, 13), "requirements[0].pillar", "not-a-choice-like"),
        ([("rule: R0", "rule: R9")], (10, 11), "requirements[0].rule", "not-a-choice"),
        ([("rule: R0", "rule: census")], (10, 11), "requirements[0].rule", "not-a-choice"),
        ([('">="', "at least")], (12, 11), "requirements[0].threshold.op", "not-a-choice"),
        ([("90 %", "90")], (13, 14), "requirements[0].threshold.value", "wants-text"),
        ([("90 %", '"90"')], (13, 14), "requirements[0].threshold.value", "quantity-without-unit"),
        ([("90 %", "a lot")], (13, 14), "requirements[0].threshold.value", "quantity-not-a-number"),
        ([("90 %", "nan %")], (13, 14), "requirements[0].threshold.value", "quantity-not-finite"),
        ([("90 %", "90 pct")], (13, 14), "requirements[0].threshold.value", "unknown-unit"),
        ([("90 %", "90 ms")], (13, 14), "requirements[0].threshold.value", "threshold-unit-unfit"),
        ([("90 %", "90 pp")], (13, 14), "requirements[0].threshold.value", "threshold-unit-unfit"),
        ([("access-reach", "acess-reach")], (9, 16), "requirements[0].indicator", "unknown-indicator-like"),
        ([("access-reachability", "zzz")], (9, 16), "requirements[0].indicator", "unknown-indicator"),
        ([*LATENCY, ("rule: R0", "rule: R2")], (10, 11), "requirements[0].rule", "rule-unfit"),
        (
            [LATENCY[0], LATENCY[1], ("rule: R0", "rule: R3\n    sample_rule: R2")],
            (11, 18),
            "requirements[0].sample_rule",
            "rule-unfit",
        ),
        ([("rule: R0", "rule: R4")], (10, 11), "requirements[0].rule", "quantile-missing"),
        (
            [("rule: R0", "rule: R0\n    sample_rule: R4")],
            (11, 18),
            "requirements[0].sample_rule",
            "quantile-missing",
        ),
        ([("rule: R0", "rule: R0\n    quantile: 0.9")], (11, 15), "requirements[0].quantile", "quantile-unused"),
        ([("rule: R0", "rule: R4\n    quantile: 1.0")], (11, 15), "requirements[0].quantile", "out-of-range"),
        (
            [("rule: R0", "rule: R0\n    sample_rule: R0")],
            (11, 18),
            "requirements[0].sample_rule",
            "sample-rule-unfit",
        ),
        (
            [("rule: R0", "rule: R0\n    sample_rule: info")],
            (11, 18),
            "requirements[0].sample_rule",
            "sample-rule-unfit",
        ),
        (
            [("rule: R0", "rule: R0\n    sample_size: 9")],
            (11, 18),
            "requirements[0].sample_size",
            "sample-without-rule",
        ),
        (
            [("access-reachability", "access-coverage"), ("rule: R0", "rule: R1\n    sample_rule: R2")],
            (11, 18),
            "requirements[0].sample_rule",
            "sample-unfit",
        ),
        ([("rule: R0", "rule: R0\n    sample_size: 0")], (11, 18), "requirements[0].sample_size", "out-of-range"),
        ([("rule: R0", "rule: info")], (12, 7), "requirements[0].threshold", "info-with-threshold"),
        ([(", quote: limit", "")], (14, 15), "requirements[0].threshold.source", "quote-missing"),
        ([("quote: asked", "quote: ' '")], (15, 13), "requirements[0].source", "quote-missing"),
        (
            [("provenance: standard, verified: false", "provenance: stated, verified: false")],
            (15, 82),
            "requirements[0].source.verified",
            "stated-unverified",
        ),
        (
            [("provenance: standard, verified: true", "provenance: project, verified: true")],
            (14, 85),
            "requirements[0].threshold.source.verified",
            "verified-unread",
        ),
        (
            [("provenance: standard, verified: true", "provenance: stat, verified: true")],
            (14, 66),
            "requirements[0].threshold.source.provenance",
            "not-a-choice-like",
        ),
        (
            [("rule: R0", "rule: R0\n    parameters: {attempts: 0}")],
            (11, 28),
            "requirements[0].parameters.attempts",
            "out-of-range",
        ),
        (
            [("rule: R0", "rule: R0\n    parameters: {attemptsx: 5}")],
            (11, 18),
            "requirements[0].parameters.attemptsx",
            "unknown-key-like",
        ),
        (
            [*LATENCY, ("rule: R0", "rule: R3\n    parameters: {x: 5}")],
            (11, 18),
            "requirements[0].parameters.x",
            "unknown-key",
        ),
        ([("rule: R0", "rule: R0\n    omitted: {}")], (11, 5), "requirements[0].omitted", "unknown-key"),
        ([("rule: R0", "rule: R0\n    scope: {classes: [E, Q]}")], (11, 26), "requirements[0].scope.classes[1]", None),
        ([("requirements:", "requirements: []\nx:")], (6, 1), "x", "unknown-key"),
    ],
)
def test_one_mistake_is_told_in_its_place(
    tmp_path: Path, changes: list[tuple[str, str]], place: tuple[int, int], path: str, code: str | None
) -> None:
    [it] = mistakes(tmp_path, changed(*changes))
    assert ((it.line, it.column), it.path, it.code) == (place, path, code or "not-a-choice")
    assert it.file == str(tmp_path / "mine.yaml")
    assert it.text("zh") != it.text("en")


def test_all_mistakes_of_all_requirements_are_told_at_once(tmp_path: Path) -> None:
    second = GOOD[GOOD.index("  - id") :].replace("A-1", "A-2").replace("90 %", "90 ms").replace("R0", "R4")
    text = changed(("90 %", "90 pct"), ("quote: asked, ", "")) + second
    assert [(it.line, it.code) for it in mistakes(tmp_path, text)] == [
        (13, "unknown-unit"),
        (15, "quote-missing"),
        (21, "quantile-missing"),
        (24, "threshold-unit-unfit"),
    ]
