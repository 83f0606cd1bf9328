"""The suites of IPv6 support and identifier resolution as pure functions: a case in, actions out, nothing sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.bulk import Bulk
from conformance.data.test_identifiers import test_identifier_resolution as identifier_resolution
from conformance.ipv6.test_support import test_ipv6_network_support as ipv6_network_support
from conformance.network.test_reachability import test_access_reachability as access_reachability
from conformance.security.test_zones import test_user_domains as user_domains
from fixtures.plant.model import Plant
from fixtures.scope import permits
from fixtures.scoping import Case
from fixtures.scoping import plan
from probes.action import Action
from probes.action import Target
from probes.dns import PORT
from probes.methods import method
from probes.record import Recorder
from probes.record import compact
from profiles.loader import load_profile
from profiles.observation import Observation
from reports.store import EvidenceStore

PLANT = Plant.model_validate(
    {
        "plant": "small",
        "zones": [
            {"id": "cell", "networks": ["192.0.2.0/24", "2001:db8:a::/64"]},
            {"id": "far", "networks": ["198.51.100.0/24"]},
            {"id": "out", "kind": "external", "networks": ["2001:db8:f::/64"]},
        ],
        "devices": [
            {
                "id": "sw",
                "kind": "switch",
                "zone": "cell",
                "addresses": ["192.0.2.2", "2001:db8:a::2"],
                "host_name": "sw.plant.example",
                "services": ["tcp/22", "udp/161"],
            },
            {"id": "old", "kind": "switch", "zone": "far", "addresses": ["198.51.100.2"], "services": ["tcp/22"]},
            {"id": "new", "kind": "switch", "zone": "cell", "addresses": ["2001:db8:a::3"], "services": ["tcp/22"]},
        ],
        "endpoints": [{"id": "cnc", "class": "E", "zone": "cell", "addresses": ["192.0.2.9"], "services": ["tcp/502"]}],
        "identifiers": [{"id": "id1", "name": "88.1.id.plant.example", "answers": ["urn:x"]}],
        "services": {"dns": "198.51.100.53"},
        "vantages": [
            {"id": "seat", "where": "local", "zone": "cell", "measures": ["cell", "far"]},
            {"id": "gate", "where": "local", "zone": "out"},
        ],
    }
)


def case(profile: str, id: str) -> Case:
    (found,) = [one for one in plan(PLANT, [load_profile(profile)]) if one.id == id]
    return found


@pytest.fixture
def by_method() -> dict[str, Action]:
    actions = ipv6_network_support(case("shanghai-617-2022", "NET-V6-SUP"), PLANT)
    assert {action.vantage for action in actions} == {"seat"}
    return {action.method: action for action in actions}


def test_echo_goes_to_ipv6_addresses_only(by_method: dict[str, Action]) -> None:
    assert by_method["icmp-echo"].targets == (
        Target("sw", "2001:db8:a::2", "cell"),
        Target("new", "2001:db8:a::3", "cell"),
    )


def test_services_are_tried_where_there_is_an_ipv4_address_to_compare_with(by_method: dict[str, Action]) -> None:
    assert by_method["tcp-connect"].targets == (
        Target("sw", "192.0.2.2", "cell", 22),
        Target("sw", "2001:db8:a::2", "cell", 22),
        Target("old", "198.51.100.2", "far", 22),
    )


def test_names_are_asked_for_at_the_resolver(by_method: dict[str, Action]) -> None:
    (target,) = by_method["dns-query"].targets
    assert (target.id, target.address, target.zone, target.port) == ("sw", "198.51.100.53", "far", 53)
    assert json.loads(target.ask) == {"name": "sw.plant.example", "type": "AAAA"}


def test_a_router_is_looked_for_on_links_of_the_plants_own(by_method: dict[str, Action]) -> None:
    assert by_method["router-solicitation"].targets == (Target("segment:cell", "2001:db8:a::/64", "cell"),)
    assert by_method["router-solicitation"].parameters["attempts"] == 1


def test_identifiers_are_asked_for_at_their_resolver() -> None:
    (action,) = identifier_resolution(case("identifier-resolution", "DATA-ID-RES"), PLANT)
    (target,) = action.targets
    assert (action.vantage, action.method, target.id, target.address) == ("seat", "dns-query", "id1", "198.51.100.53")
    assert json.loads(target.ask) == {"name": "88.1.id.plant.example", "type": "TXT"}


@pytest.mark.parametrize("error", [None, "timeout"])
def test_names_that_were_asked_for_are_not_asked_for_again_on_resuming(
    tmp_path: Path, by_method: dict[str, Action], error: str | None
) -> None:
    """The rows carry the port that the method speaks to, and the target must name the same one."""
    (identifiers,) = identifier_resolution(case("identifier-resolution", "DATA-ID-RES"), PLANT)
    asked = (by_method["dns-query"], identifiers)
    texts: Any = {"plant_yaml": "plant: small\n", "profile_yamls": {}}
    with EvidenceStore.create(tmp_path / "evidence", campaign=str(uuid.uuid4()), facts={}, **texts) as store:
        for action in asked:
            store.append(list(_answered(action, error)))
    with EvidenceStore.resume(tmp_path / "evidence", **texts) as store:
        assert [store.missing(action) for action in asked] == [None, None]


def _answered(action: Action, error: str | None) -> Iterator[Observation]:
    """What the method records of its questions."""
    record = Recorder(action, "resolution-delay", "ms")
    for target in action.targets:
        for attempt in range(int(action.parameters["attempts"])):
            if error:
                yield record.error(target, attempt, error, port=PORT)
            else:
                yield record.value(target, attempt, 1.0, 1, 1, compact({"port": PORT, "rcode": 0}))


def test_all_of_it_can_be_measured_together_and_is_permitted() -> None:
    """Merged with reachability and the zone matrix: no parameter clashes, and every target is one of the permit's."""
    shanghai: Any = "shanghai-617-2022"
    bulk = Bulk()
    for suite, one in (
        (access_reachability, case(shanghai, "NET-RCH-E")),
        (ipv6_network_support, case(shanghai, "NET-V6-SUP")),
        (user_domains, case(shanghai, "SEC-DOM")),
        (identifier_resolution, case("identifier-resolution", "DATA-ID-RES")),
    ):
        actions = suite(one, PLANT)
        bulk.agree(actions)
        bulk.add(actions)
    allowed = permits(PLANT)
    for action in bulk:
        for target in action.targets:
            permit = allowed[action.vantage]
            assert target.address in permit.addresses or target.address in permit.local
            alone = Action(action.vantage, action.method, (target,), action.parameters)
            assert method(action.method).cost(alone, permit).packets > 0
