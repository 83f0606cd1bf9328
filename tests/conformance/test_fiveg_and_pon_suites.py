"""The suites of 5G and industrial PON are pure functions: what they ask of which instrument, from where."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.bulk import Bulk
from conformance.fiveg.test_signal import test_nr_registration as nr_registration_suite
from conformance.fiveg.test_signal import test_nr_rsrp as nr_rsrp_suite
from conformance.pon.test_optical import test_onu_rx_margin as onu_rx_margin_suite
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.dialects import load
from probes.methods import method
from profiles.loader import load_profile

PLANT: dict[str, Any] = {
    "plant": "p",
    "zones": [{"id": "cell", "networks": ["192.0.2.0/24"]}],
    "devices": [
        {"id": "olt", "kind": "olt", "zone": "cell", "addresses": ["192.0.2.5"], "credentials": "env:PLANTPROOF_TEST"}
    ],
    "modems": [
        {"id": "m1", "vantage": "desk", "port": "/dev/ttyUSB2", "dialect": "quectel"},
        {"id": "m2", "vantage": "far", "port": "/dev/ttyUSB2"},
    ],
    "onus": [
        {"id": "u1", "olt": "olt", "index": "4194304000.1", "sensitivity_dbm": -28},
        {"id": "u2", "olt": "olt", "index": "268501248.3", "sensitivity_dbm": -28, "dialect": "zte-c300"},
    ],
    "vantages": [
        {"id": "desk", "where": "local", "zone": "cell", "measures": ["cell"]},
        {"id": "far", "where": "netns:x", "zone": "cell"},
    ],
}


def cases(plant: Plant) -> dict[str, Case]:
    made = plan(plant, [load_profile("nr-signal"), load_profile("pon-optical")])
    return {case.requirement.indicator: case for case in made if not case.scope}


def test_each_modem_is_asked_where_its_port_is_and_once_for_both_requirements() -> None:
    plant = Plant.model_validate(PLANT)
    known, bulk = cases(plant), Bulk()
    for suite, indicator in ((nr_registration_suite, "nr-registration"), (nr_rsrp_suite, "nr-rsrp")):
        actions = suite(known[indicator], plant)
        bulk.agree(actions)
        bulk.add(actions)
    asked = {action.vantage: action for action in bulk}
    assert {id: [it.id for it in action.targets] for id, action in asked.items()} == {"desk": ["m1"], "far": ["m2"]}
    (target,) = asked["desk"].targets
    assert (target.address, json.loads(target.ask)) == ("/dev/ttyUSB2", {"dialect": "quectel"})
    assert asked["desk"].parameters["dialects"]["quectel"] == load("at", "quectel")
    cost = method("modem-status").cost(asked["desk"], permits(plant)["desk"])
    assert (cost.packets, cost.bytes, cost.level) == (0, 0, "query")


def test_the_units_of_an_olt_are_asked_for_in_one_action_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANTPROOF_TEST", "hunter-2")
    plant = Plant.model_validate(PLANT)
    (action,) = onu_rx_margin_suite(cases(plant)["onu-rx-margin"], plant)
    assert (action.vantage, action.method) == ("desk", "snmp-read")
    assert [json.loads(it.ask) for it in action.targets] == [
        {"dialect": "huawei-gpon", "index": "4194304000.1"},
        {"dialect": "zte-c300", "index": "268501248.3"},
    ]
    assert {it.address for it in action.targets} == {"192.0.2.5"}
    assert set(action.parameters["dialects"]) == {"huawei-gpon", "zte-c300"}
    assert "hunter" not in json.dumps(action.to_wire()) + json.dumps(permits(plant)["desk"].to_wire())
    assert method("snmp-read").cost(action, permits(plant)["desk"]).packets > 0
