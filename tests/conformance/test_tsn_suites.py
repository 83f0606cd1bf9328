"""The TSN suites as the pure functions that they are: a case in, actions out, nothing sent."""

from __future__ import annotations

import json
from typing import Any

from conformance.bulk import Bulk
from conformance.tsn.test_flow import test_flow_latency as flow_latency
from conformance.tsn.test_flow import test_flow_loss as flow_loss
from conformance.tsn.test_flow import test_flow_survival as flow_survival
from conformance.tsn.test_time_sync import test_time_sync as time_sync
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.methods import method
from profiles.loader import load_profile

PLANT = Plant.model_validate(
    {
        "plant": "small",
        "zones": [
            {"id": "cell", "budget": {"packets_per_s": 1000, "packets_per_s_per_device": 500}},
            {"id": "far", "budget": {"packets_per_s": 1000, "packets_per_s_per_device": 200}},
        ],
        "flows": [
            {
                "id": "axis",
                "talker": "plc",
                "listener": "drive",
                "talker_address": "192.0.2.1",
                "address": "192.0.2.2",
                "interval_ms": 4,
            },
            {
                "id": "back",
                "talker": "drive",
                "listener": "plc",
                "talker_address": "192.0.2.2",
                "address": "192.0.2.1",
                "port": 20401,
                "interval_ms": 8,
                "size_bytes": 64,
            },
        ],
        "clocks": [{"id": "drive-clock", "vantage": "drive", "transport_specific": 1, "domain": 20}],
        "vantages": [
            {"id": "plc", "where": "local", "zone": "cell"},
            {"id": "drive", "where": "local", "zone": "cell"},
        ],
    }
)


def case(id: str, **parameters: Any) -> Case:
    profiles = [load_profile("3gpp-22104-control-panel"), load_profile("tsn-time-sync")]
    (found,) = [one for one in plan(PLANT, profiles) if one.id == id]
    given = dict(found.requirement.parameters) | parameters
    return Case(found.id, found.profile, found.requirement.model_copy(update={"parameters": given}), found.register)


def test_both_ends_of_every_flow_are_asked_by_one_action_each() -> None:
    talks = {action.vantage: action for action in flow_latency(case("TSN-FLOW-LAT", messages=500), PLANT)}
    assert set(talks) == {"plc", "drive"}
    for action in talks.values():
        assert (action.method, action.parameters) == ("cyclic-flow", {"attempts": 500, "timeout_ms": 1000})
    asked = {(target.id, target.address): json.loads(target.ask) for target in talks["plc"].targets}
    assert asked == {
        ("axis", "192.0.2.2"): {
            "role": "talker", "local": "192.0.2.1", "listen_port": 20400, "interval_ms": 4.0, "size_bytes": 40,
        },
        ("back", "192.0.2.2"): {
            "role": "listener", "local": "192.0.2.1", "listen_port": 20401, "interval_ms": 8.0, "size_bytes": 64,
        },
    }  # fmt: skip


def test_one_run_of_a_flow_serves_all_three_requirements() -> None:
    bulk = Bulk()
    suites = {"TSN-FLOW-LAT": flow_latency, "TSN-FLOW-LOSS": flow_loss, "TSN-FLOW-SURV": flow_survival}
    for id, suite in suites.items():
        actions = suite(case(id), PLANT)
        bulk.agree(actions)
        bulk.add(actions)
    assert [(action.vantage, len(action.targets)) for action in bulk] == [("plc", 2), ("drive", 2)]


def test_a_flow_is_priced_message_by_message_and_not_run_below_its_rate() -> None:
    allowed = permits(PLANT)
    for action in flow_latency(case("TSN-FLOW-LAT", messages=500), PLANT):
        cost = method("cyclic-flow").cost(action, allowed[action.vantage])
        assert 500 < cost.packets < 1500
        assert 4 < cost.duration_s < 20
    slow = PLANT.model_copy(
        update={"zones": (PLANT.zones[0].model_copy(update={"budget": PLANT.zones[1].budget}), PLANT.zones[1])}
    )
    (talk, _) = flow_latency(case("TSN-FLOW-LAT", messages=500), PLANT)
    cost = method("cyclic-flow").cost(talk, permits(slow)["plc"])
    assert cost.packets < 500  # the listener's replies only: 200 probes a second are fewer than one every 4 ms


def test_each_clock_is_asked_through_its_own_socket() -> None:
    (action,) = time_sync(case("TSN-SYNC", polls=4, spacing_s=0.5), PLANT)
    assert (action.vantage, action.method) == ("drive", "ptp-management")
    assert action.parameters == {"attempts": 4, "spacing_s": 0.5, "timeout_ms": 2000}
    (target,) = action.targets
    assert target.address == "/var/run/ptp4l"
    assert json.loads(target.ask) == {"domain": 20, "transport_specific": 1}


def test_without_flows_nothing_is_asked() -> None:
    bare = PLANT.model_copy(update={"flows": ()})
    (latency,) = [it for it in plan(bare, [load_profile("3gpp-22104-control-panel")]) if it.id == "TSN-FLOW-LAT"]
    assert flow_latency(latency, bare) == []
