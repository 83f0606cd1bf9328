"""The reachability suite as a pure function: a case in, actions out, nothing sent."""

from __future__ import annotations

import pytest

from conformance.network.test_reachability import test_access_reachability as access_reachability
from fixtures.plant.model import Plant
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.action import Action
from probes.action import Target
from profiles.loader import load_profile

PLANT = Plant.model_validate(
    {
        "plant": "small",
        "zones": [{"id": "cell"}, {"id": "far"}],
        "endpoints": [
            {
                "id": "cnc",
                "class": "E",
                "zone": "cell",
                "addresses": ["192.0.2.1", "2001:db8::1"],
                "services": ["tcp/502"],
            },
            {"id": "agv", "class": "E", "zone": "far", "addresses": ["198.51.100.1"], "services": ["udp/161:snmp"]},
            {"id": "dumb", "class": "E", "zone": "cell"},
            {"id": "pad", "class": "P", "zone": "cell", "addresses": ["192.0.2.9"]},
        ],
        "vantages": [{"id": "seat", "where": "local", "zone": "cell", "measures": ["cell", "far"]}],
    }
)


@pytest.fixture
def case() -> Case:
    (equipment,) = [one for one in plan(PLANT, [load_profile("terminal-reachability")]) if one.id == "NET-RCH-E"]
    parameters = {"windows": 2, "spacing_s": 30, "attempts": 4, "timeout_ms": 500}
    return Case(
        equipment.id,
        equipment.profile,
        equipment.requirement.model_copy(update={"parameters": parameters}),
        equipment.register,
    )


def _of(actions: list[Action], method: str) -> list[Action]:
    return [action for action in actions if action.method == method]


def test_every_address_gets_echoes_in_every_window(case: Case) -> None:
    echoes = _of(access_reachability(case, PLANT), "icmp-echo")
    assert [(echo.window, echo.not_before_s) for echo in echoes] == [(0, 0), (1, 30)]
    for echo in echoes:
        assert [target.address for target in echo.targets] == ["192.0.2.1", "2001:db8::1", "198.51.100.1"]
        assert (echo.parameters["attempts"], echo.parameters["timeout_ms"]) == (4, 500)


def test_declared_tcp_services_get_one_handshake_in_every_window(case: Case) -> None:
    connects = _of(access_reachability(case, PLANT), "tcp-connect")
    asked = (Target("cnc", "192.0.2.1", "cell", 502), Target("cnc", "2001:db8::1", "cell", 502))
    assert [(connect.window, connect.targets) for connect in connects] == [(0, asked), (1, asked)]
    assert {connect.parameters["attempts"] for connect in connects} == {1}


def test_applications_that_name_their_protocol_are_asked_once(case: Case) -> None:
    (asked,) = _of(access_reachability(case, PLANT), "application-exchange")
    (target,) = asked.targets
    assert (target.id, target.port, target.ask) == ("agv", 161, '{"application":"snmp"}')
    assert (asked.window, asked.parameters) == (0, {"attempts": 1, "timeout_ms": 500})


def test_neighbours_are_looked_for_once_and_on_the_own_link_only(case: Case) -> None:
    (looked,) = _of(access_reachability(case, PLANT), "neighbour")
    assert [target.id for target in looked.targets] == ["cnc", "cnc"]


def test_nothing_is_asked_of_objects_out_of_scope_or_without_address(case: Case) -> None:
    asked = {target.id for action in access_reachability(case, PLANT) for target in action.targets}
    assert asked == {"cnc", "agv"}
