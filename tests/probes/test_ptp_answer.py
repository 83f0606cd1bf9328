"""What pmc prints: read from hand-written answers, from recordings, and from what nobody should print."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.action import Action
from probes.action import Target
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.ptp import METHOD
from probes.ptp import Ask
from probes.ptp_answer import BadAnswer
from probes.ptp_answer import complete
from probes.ptp_answer import data_sets
from probes.ptp_answer import facts

CLOCK, OTHER, LEADER = "00005e.fffe.005302", "00005e.fffe.005303", "00005e.fffe.005301"


def answer(name: str, clock: str = CLOCK, port: int = 0, **members: object) -> str:
    lines = [f"\t{clock}-{port} seq 0 RESPONSE MANAGEMENT {name} "]
    lines += [f"\t\t{member.replace('__', '.'):<24} {value}" for member, value in members.items()]
    return "\n".join(lines) + "\n"


STATUS = answer("TIME_STATUS_NP", master_offset=-44, gmPresent="true", gmIdentity=LEADER)
CURRENT = answer("CURRENT_DATA_SET", stepsRemoved=1, offsetFromMaster="-44.0", meanPathDelay="2510.0")
PORT = answer("PORT_DATA_SET", port=1, portIdentity=f"{CLOCK}-1", portState="SLAVE", peerMeanPathDelay=1312)
PARENT = answer("PARENT_DATA_SET", gm__ClockClass=248, grandmasterIdentity=LEADER)
CAPABLE = answer("PORT_DATA_SET_NP", port=1, neighborPropDelayThresh=20_000_000, asCapable=1)
WHOLE = "sending: GET TIME_STATUS_NP\n" + STATUS + CURRENT + PORT + PARENT + CAPABLE


def test_a_whole_answer_is_read() -> None:
    found = facts(WHOLE)
    assert found == {
        "clock": CLOCK,
        "offset_ns": -44.0,
        "gm_present": True,
        "gm_identity": LEADER,
        "steps_removed": 1,
        "path_delay_ns": 2510.0,
        "ports": {"1": "SLAVE"},
        "peer_delay_ns": 1312.0,
        "as_capable": True,
    }
    assert complete(found, gptp=True)


def test_every_port_of_a_bridge_is_told() -> None:
    second = answer("PORT_DATA_SET", port=2, portIdentity=f"{CLOCK}-2", portState="MASTER", peerMeanPathDelay=7)
    found = facts(WHOLE + second)
    assert found["ports"] == {"1": "SLAVE", "2": "MASTER"}
    assert found["peer_delay_ns"] == 1312.0


@pytest.mark.parametrize("said", ["", "sending: GET TIME_STATUS_NP\n", "garbage\n\x00\t\t\n", "\t\tportState SLAVE\n"])
def test_what_is_no_answer_tells_nothing(said: str) -> None:
    assert facts(said) == {}


@pytest.mark.parametrize("lacking", [STATUS, CURRENT, PORT])
def test_half_an_answer_is_not_complete(lacking: str) -> None:
    assert not complete(facts(WHOLE.replace(lacking, "")), gptp=False)


def test_an_answer_cut_in_the_middle_of_a_member_is_not_complete() -> None:
    cut = CURRENT + PORT + STATUS
    assert complete(facts(cut), gptp=False)
    assert not complete(facts(cut[:-1]), gptp=False)


def test_a_capability_is_owed_under_gptp_only() -> None:
    found = facts(WHOLE.replace(CAPABLE, ""))
    assert complete(found, gptp=False)
    assert not complete(found, gptp=True)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (STATUS + answer("CURRENT_DATA_SET", clock=OTHER, stepsRemoved=1), "several clocks"),
        (answer("TIME_STATUS_NP", master_offset="nan"), "offset"),
        (answer("TIME_STATUS_NP", master_offset="inf"), "offset"),
        (answer("TIME_STATUS_NP", master_offset="1e300"), "offset"),
        (answer("TIME_STATUS_NP", master_offset=1 << 70), "offset"),
        (answer("TIME_STATUS_NP", master_offset="0x2c"), "offset"),
        (answer("TIME_STATUS_NP", gmPresent="maybe"), "gmPresent"),
        (answer("TIME_STATUS_NP", gmIdentity="00005e"), "grandmaster"),
        (answer("CURRENT_DATA_SET", stepsRemoved=-1), "stepsRemoved"),
        (answer("CURRENT_DATA_SET", stepsRemoved=65_536), "stepsRemoved"),
        (answer("CURRENT_DATA_SET", meanPathDelay="-inf"), "meanPathDelay"),
        (answer("PORT_DATA_SET", portIdentity=f"{OTHER}-1", portState="SLAVE"), "portIdentity"),
        (answer("PORT_DATA_SET", portIdentity=f"{CLOCK}-1", portState="SLEEPY"), "portState"),
        (answer("PORT_DATA_SET_NP", asCapable="yes"), "asCapable"),
    ],
)
def test_what_no_clock_says_is_a_bad_answer(said: str, why: str) -> None:
    with pytest.raises(BadAnswer, match=why):
        facts(said)


@given(st.text(alphabet=st.sampled_from("\t\n -.0123456789abcdefNPSTU_:RESPONSE MANAGEMENT"), max_size=400))
def test_nothing_breaks_the_reader(noise: str) -> None:
    try:
        found = facts(noise + STATUS + noise)
    except BadAnswer:
        return
    assert set(found) <= set(facts(WHOLE))


@given(st.integers(0, len(WHOLE)))
def test_no_prefix_of_an_answer_tells_other_numbers(length: int) -> None:
    whole = facts(WHOLE)
    try:
        found = facts(WHOLE[:length])
    except BadAnswer:
        return
    numbers = {"offset_ns", "steps_removed", "path_delay_ns", "peer_delay_ns"} & found.keys()
    assert {name: found[name] for name in numbers} == {name: whole[name] for name in numbers}


def test_recorded_answers_are_read_as_their_recorder_did() -> None:
    folder = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data")
    recordings = folder / "ptp" / "linuxptp_daemon_vectors.json"
    if not recordings.is_file():
        pytest.skip(f"no recordings at {folder}; set PLANTPROOF_CORPUS")
    vectors: list[dict[str, Any]] = json.loads(recordings.read_text("utf-8"))["pmc"]
    assert vectors
    for vector in vectors:
        (found,) = data_sets(vector["raw"])
        expected = dict(vector["expected"])
        assert found.name == expected.pop("id")
        assert {name: found.members[name] for name in expected} == {name: str(it) for name, it in expected.items()}
        facts(vector["raw"])


def test_only_get_is_ever_asked() -> None:
    for transport in (0, 1):
        argv = Ask(7, transport).argv("/run/ptp4l", "/run/own")
        options, questions = argv[:12], argv[12:]
        assert options[0] == "pmc"
        assert options[1:] == ["-u", "-b", "0", "-t", str(transport), "-d", "7", "-s", "/run/ptp4l", "-i", "/run/own"]
        assert questions
        assert all(question.startswith("GET ") for question in questions)
        assert ("GET PORT_DATA_SET_NP" in questions) is bool(transport)


def test_asking_costs_nothing_on_a_wire() -> None:
    action = Action("seat", "ptp-management", (Target("c", "/run/ptp4l", "cell"),), {"attempts": 5, "spacing_s": 1})
    zone = {"cell": ZonePermit("cell", "query")}
    cost = METHOD.cost(action, Permit("seat", {}, zone, {}, {"/run/ptp4l": "cell"}))
    assert (cost.packets, cost.bytes, cost.duration_s) == (0, 0, 15)
    assert METHOD.cost(action, Permit("seat", {}, zone, {}, {})).duration_s == 0
