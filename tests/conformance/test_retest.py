"""A re-test beside its baseline, with waivers and particulars, on the virtual plant."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab import Lab
from profiles.verdict import ExitStatus
from reports.bundle import Bundle

pytestmark = pytest.mark.lab

PROFILE = ("--profile", str(Path(__file__).with_name("reachability.yaml")))
WAIVERS = """
format: plantproof-waivers/1
waivers:
  - {id: NET-RCH-E, justification: 等待十二月检修更换电源, owner: 李工, approver: 王经理, expires: 2999-12-31}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"retest{os.getpid()}") as lab:
        yield lab


def test_what_failed_is_measured_again_and_told_beside_the_baseline(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]
) -> None:
    waivers, stated = tmp_path / "waivers.yaml", tmp_path / "particulars.yaml"
    waivers.write_text(WAIVERS, "utf-8")
    stated.write_text("{client: 甲公司, authoriser: 赵工}", "utf-8")
    documents = ("--waivers", str(waivers), "--particulars", str(stated))
    lab.defect("equipment-down").on()
    try:
        first = run_campaign(lab.plant_file, tmp_path / "first", *PROFILE, *documents)
    finally:
        lab.defect("equipment-down").off()
    assert (first.status, first.verdicts["NET-RCH-E"]) == (ExitStatus.NONCONFORMANT, "fail"), first.output
    assert "2999-12-31" in first.output
    bundle = Bundle.open(first.bundle)
    assert (bundle.particulars.authoriser, bundle.waivers[0].approver) == ("赵工", "王经理")

    retest = ("--baseline", str(first.bundle), "--retest")
    second = run_campaign(lab.plant_file, tmp_path / "second", *PROFILE, *retest)
    assert second.verdicts["NET-RCH-E"] == "pass", second.output
    assert second.results["NET-RCH-P"]["reason"] == "deselected"
    assert second.status == ExitStatus.INCOMPLETE  # what was not asked again is not shown again
    events = [json.loads(line) for line in (second.bundle / "events.jsonl").read_text("utf-8").splitlines()]
    (noted,) = [event for event in events if event["kind"] == "baseline"]
    assert noted["facts"]["campaign"] == bundle.campaign.campaign
    compared = second.output[second.output.index("before: ") :].splitlines()
    assert any("NET-RCH-E" in line and "better" in line for line in compared), second.output
    assert not any("NET-RCH-P" in line for line in compared), second.output
