"""Presence on a real link: who is there, who is not, and what the kernel sends to find out."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from probes.methods import method
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

PRESENT = {4: "198.18.1.2", 6: "2001:db8:1::2"}
ABSENT = {4: "198.18.1.9", 6: "2001:db8:1::9"}
OWN = {4: "198.18.1.1", 6: "2001:db8:1::1"}
BEYOND = {4: "198.19.0.1", 6: "2001:db8:2::1"}


def of_targets(seen: list[Observation]) -> list[Observation]:
    return [observation for observation in seen if observation.quantity != "instrument"]


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("known", [False, True])
def test_presence_and_absence(rig: Rig, ask: Ask, version: int, known: bool) -> None:
    subprocess.run(["ip", "-n", rig.client, "neigh", "flush", "dev", "eth0"], check=True)
    wanted = [PRESENT[version], ABSENT[version]]
    action = ask.action("neighbour", wanted, attempts=2, timeout_ms=500)
    if known:
        rig.probe(action, ask.permit(wanted))
    permit = ask.permit(wanted)
    with rig.capture() as sent:
        seen = rig.probe(action, permit)
    mac = json.loads(_ip(rig.server, "-j", "link", "show", "eth0"))[0]["address"]
    found = Counter((one.address, one.value, one.error) for one in of_targets(seen))
    assert found == {(PRESENT[version], 1.0, None): 2, (ABSENT[version], None, "absent"): 2}
    assert {json.loads(one.detail)["mac"] for one in of_targets(seen) if one.answered} == {mac}
    solicited = [one for one in sent if one.protocol == -1 or (one.protocol == 58 and one.payload[0] == 135)]
    price = method("neighbour").cost(action, permit)
    assert 0 < len(solicited) <= price.packets
    assert sum(one.size for one in solicited) <= price.bytes
    assert all(one.protocol in (-1, 0, 58) for one in sent)  # no datagram to anybody; 0: the host's own MLD
    assert ABSENT[version] not in _ip(rig.client, "neigh")  # nothing is left behind


@pytest.mark.parametrize("version", [4, 6])
def test_addresses_that_have_no_neighbour_entry(rig: Rig, ask: Ask, version: int) -> None:
    wanted = [BEYOND[version], OWN[version]]
    seen = rig.probe(ask.action("neighbour", wanted, attempts=1), ask.permit(wanted))
    beyond, own = of_targets(seen)
    assert (beyond.error, own.error) == ("no-route", "no-route")
    assert json.loads(beyond.detail)["reason"] == f"off-link, via {PRESENT[version]}"
    assert json.loads(own.detail)["reason"] == "own-address"


def test_undeclared_addresses_are_not_asked_for(rig: Rig, ask: Ask) -> None:
    action = ask.action("neighbour", ["198.18.1.9", "198.18.1.10"], attempts=1, timeout_ms=200)
    with rig.capture() as sent:
        seen = rig.probe(action, ask.permit(["198.18.1.10"]))
    solicited = {one.destination for one in sent if one.protocol == -1} - {PRESENT[4]}  # the host's own upkeep
    assert solicited == {"198.18.1.10"}
    assert {one.address: one.error for one in of_targets(seen)} == {
        "198.18.1.9": "refused-by-guard",
        "198.18.1.10": "absent",
    }


def test_a_static_entry_proves_nothing(rig: Rig, ask: Ask) -> None:
    entry = ["ip", "-n", rig.client, "neigh", "replace", "198.18.1.11", "lladdr", "02:00:00:00:00:11", "dev", "eth0"]
    subprocess.run([*entry, "nud", "permanent"], check=True)
    seen = rig.probe(ask.action("neighbour", ["198.18.1.11"], attempts=1), ask.permit(["198.18.1.11"]))
    (only,) = of_targets(seen)
    assert only.error == "bad-answer"
    assert "static" in only.detail


def test_the_kill_switch_ends_it(rig: Rig, ask: Ask) -> None:
    wanted = ["198.18.1.12", "198.18.1.13"]
    looked = []

    def stop() -> bool:
        looked.append(1)
        return len(looked) > 5

    seen = rig.probe(ask.action("neighbour", wanted, attempts=9, timeout_ms=9000), ask.permit(wanted), stop=stop)
    assert Counter(one.error for one in of_targets(seen)) == {"stopped": 18}


def _ip(name: str, *arguments: str) -> str:
    return subprocess.run(["ip", "-n", name, *arguments], check=True, capture_output=True, text=True).stdout
