"""What is told before and during a campaign: what the guard will refuse of a plan, and how far a collection is."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from rich.console import Console

from conformance.bulk import Priced
from conformance.plugin.plan import PLAIN_WIDTH
from conformance.plugin.plan import print_plan
from conformance.plugin.progress import Watcher
from conformance.plugin.refusals import REASONS
from conformance.plugin.refusals import Foreseen
from conformance.plugin.refusals import foresee
from probes.action import Action
from probes.action import Target
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.language import Texts
from profiles.language import choose_language
from profiles.observation import Observation

ENDS = {"talker": "192.0.2.1", "listener": "192.0.2.2"}


def end(role: str) -> Action:
    """One end of the flow, at a vantage point of its role's name."""
    other = ENDS["listener" if role == "talker" else "talker"]
    asked = {"role": role, "local": ENDS[role], "listen_port": 20400, "interval_ms": 4, "size_bytes": 40}
    target = Target("axis", other, "cell", ask=json.dumps(asked))
    return Action(role, "cyclic-flow", (target,), {"attempts": 500, "timeout_ms": 100})


def flow(**limits: dict[str, Any]) -> tuple[list[Foreseen], dict[str, Permit]]:
    """The plan of the flow, with ``limits`` of the zone by role."""
    permits = {}
    for role, other in (("talker", "listener"), ("listener", "talker")):
        zone = ZonePermit("cell", **{"level": "query"} | limits.get(role, {}))
        permits[role] = Permit(role, {ENDS[other]: "cell"}, {"cell": zone}, {})
    return foresee(priced([end("talker"), end("listener")], permits), permits), permits


def priced(actions: list[Action], permits: dict[str, Permit]) -> list[Priced]:
    return [Priced(it, method(it.method).cost(it, permits[it.vantage])) for it in actions]


def packets(plan: list[Foreseen]) -> list[int]:
    return [one.priced.cost.packets for one in plan]


def test_a_flow_within_its_budget_is_not_refused() -> None:
    plan, _ = flow()
    assert [dict(one.refused) for one in plan] == [{}, {}]
    assert packets(plan)[0] > 500
    assert packets(plan)[1] > 0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"packets_per_s": 10}, "rate-below-flow"),
        ({"packets_per_s_per_device": 100}, "rate-below-flow"),
        ({"bits_per_s": 1000}, "rate-below-flow"),
        ({"level": "passive"}, "level-too-high"),
    ],
)
def test_a_flow_whose_talker_is_refused_sends_nothing_at_either_end(limits: dict[str, Any], reason: str) -> None:
    plan, _ = flow(talker=limits)
    assert [dict(one.refused) for one in plan] == [{reason: 1}, {"other-end": 1}]
    assert packets(plan) == [0, 0]


def test_a_talker_whose_listener_is_refused_still_greets_it() -> None:
    plan, _ = flow(listener={"level": "passive"})
    assert [dict(one.refused) for one in plan] == [{"other-end": 1}, {"level-too-high": 1}]
    assert packets(plan)[0] > 0
    assert packets(plan)[1] == 0


def test_a_part_of_an_action_is_refused() -> None:
    targets = tuple(Target(f"t{n}", f"192.0.2.{n}", "cell") for n in range(1, 4))
    permits = {"seat": Permit("seat", {"192.0.2.1": "cell"}, {"cell": ZonePermit("cell", "query")}, {})}
    action = Action("seat", "icmp-echo", targets, {"attempts": 2, "payload_bytes": 32, "timeout_ms": 100})
    (one,) = foresee(priced([action], permits), permits)
    assert (dict(one.refused), one.priced.cost.packets) == ({"undeclared-address": 2}, 2)


def test_an_instrument_is_held_against_what_may_be_used_locally() -> None:
    action = Action("seat", "ptp-management", (Target("clock", "/run/ptp4l", "cell"),), {})
    for local, level, refused in (
        ({"/run/ptp4l": "cell"}, "query", {}),
        ({"/run/ptp4l": "cell"}, "passive", {"level-too-high": 1}),
        ({}, "query", {"undeclared-instrument": 1}),
    ):
        permits = {"seat": Permit("seat", {}, {"cell": ZonePermit("cell", level)}, {}, local)}
        (one,) = foresee(priced([action], permits), permits)
        assert dict(one.refused) == refused


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_table_says_what_is_refused(language: str) -> None:
    plan, permits = flow(talker={"packets_per_s": 10})
    out = io.StringIO()
    choose_language(language)
    try:
        print_plan(Console(file=out, width=PLAIN_WIDTH), plan, permits, 0)
    finally:
        choose_language(None)
    texts = Texts.of("conformance")
    said = re.sub(r"[^\w]", "", out.getvalue())
    for reason in ("rate-below-flow", "other-end"):
        why = texts.get(f"plan.refused-{reason}", language)
        assert re.sub(r"[^\w]", "", why) in said
    assert {f"plan.refused-{reason}" for reason in REASONS} <= set(texts.codes())


def row(target: str, error: str | None) -> Observation:
    value = None if error else 1.0
    return Observation("icmp-echo", "seat", target, "192.0.2.1", "presence", value, "1", error, 0, 0, 0, 0, "")


def test_a_collection_is_never_more_than_done_and_what_was_not_sent_is_not_silent(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("conformance.plugin.progress.PLAIN_INTERVAL_S", 0.0)
    choose_language("en")
    watcher = Watcher()
    out = io.StringIO()
    watcher._console = Console(file=out, width=PLAIN_WIDTH)
    try:
        watcher.begin([Action("seat", "icmp-echo", (Target("a", "192.0.2.1", "cell"),), {"attempts": 3})])
        watcher.seen([row("", None), row("a", "refused-by-guard"), row("a", "stopped")])
        watcher.seen([row("a", None), row("a", "timeout"), row("a", "send-failed")])
    finally:
        choose_language(None)
    first, last = out.getvalue().splitlines()
    assert first == "plantproof: 2/3, 0 answered, 0 silent, 2 not sent, 0 instrument errors"
    assert last == "plantproof: 3/3, 1 answered, 1 silent, 2 not sent, 1 instrument errors"
