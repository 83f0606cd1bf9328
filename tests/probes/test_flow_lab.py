"""Cyclic flows between two real network namespaces: both ends run as the worker runs them."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from probes.flow_message import MESSAGE
from probes.flow_message import Frame
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

pytestmark = pytest.mark.lab

CLIENT, SERVER = {4: "198.18.1.1", 6: "2001:db8:1::1"}, {4: "198.18.1.2", 6: "2001:db8:1::2"}
PORT = 20_400
_TABLE = """table ip {name} {{
chain in {{
type filter hook input priority 0
{match} drop
}}
}}
"""
Ends = tuple[list[Observation], list[Observation]]


def _ask(role: str, local: str, interval_ms: float = 4, size_bytes: int = 40, port: int = PORT) -> str:
    ask = {"role": role, "local": local, "listen_port": port, "interval_ms": interval_ms, "size_bytes": size_bytes}
    return json.dumps(ask)


def _ends(version: int = 4, messages: int = 250, interval_ms: float = 4, **more: Any) -> tuple[Action, Action]:
    parameters = {"attempts": messages, "timeout_ms": 200}
    talker = Target("axis", SERVER[version], "cell", ask=_ask("talker", CLIENT[version], interval_ms, **more))
    listener = Target("axis", CLIENT[version], "cell", ask=_ask("listener", SERVER[version], interval_ms, **more))
    return (
        Action("plc", "cyclic-flow", (talker,), parameters),
        Action("drive", "cyclic-flow", (listener,), parameters),
    )


def _permit(action: Action, **limits: Any) -> Permit:
    zone = replace(ZonePermit("cell", "query"), **limits)
    return Permit(action.vantage, {target.address: "cell" for target in action.targets}, {"cell": zone}, {})


def _perform(rig: Any, actions: tuple[Action, Action], stop: Callable[[], bool] = lambda: False, **limits: Any) -> Ends:
    """Both ends, each in its own namespace, side by side."""
    seen: Ends = ([], [])

    def end(namespace: str, index: int) -> None:
        gate = Gate(_permit(actions[index], **limits), stop=stop)
        run = method("cyclic-flow").run(actions[index], gate, seen[index].extend)
        rig.within(namespace, lambda: asyncio.run(run))

    ends = [threading.Thread(target=end, args=(name, n)) for n, name in enumerate((rig.client, rig.server))]
    for thread in ends:
        thread.start()
    for thread in ends:
        thread.join()
    return seen


def _account(rows: list[Observation]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rows[0].detail)["end"]
    return found


@pytest.mark.parametrize("version", [4, 6])
def test_every_message_is_stamped_by_the_kernel_at_both_ends(rig: Any, version: int) -> None:
    talked, heard = _perform(rig, _ends(version))
    assert [row.attempt for row in talked] == [row.attempt for row in heard] == list(range(250))
    late = [row for row in talked if row.error == "off-schedule"]
    assert len(late) <= 125  # this host may be busy; what it does send is stamped
    delays_ns = [came.utc_ns - left.utc_ns for left, came in zip(talked, heard, strict=True) if left.error is None]
    assert all(0 < delay_ns < 100_000_000 for delay_ns in delays_ns)
    assert sorted(delays_ns)[len(delays_ns) // 2] < 1_000_000
    assert not any('"stamp"' in row.detail for row in (*talked, *heard))
    talker, listener = _account(talked), _account(heard)
    met = {"established": True, "session": talker["session"]}
    begun = {"begun_ns": talker["begun_ns"]}
    assert talker | {"skipped": 0} == met | begun | {"same_clock": True, "offset_ns": [0, 0], "skipped": 0}
    names = ("duplicate", "reordered", "corrupted", "foreign", "dropped")
    assert listener == met | {"closed_ns": listener["closed_ns"]} | dict.fromkeys(names, 0)


def test_both_directions_run_beside_each_other(rig: Any) -> None:
    """A controller and its drive: each vantage point talks in one flow and listens in the other."""
    parameters = {"attempts": 200, "timeout_ms": 200}
    there, back = _ask("talker", CLIENT[4]), _ask("listener", CLIENT[4], port=PORT + 1)
    plc = (Target("axis", SERVER[4], "cell", ask=there), Target("back", SERVER[4], "cell", ask=back))
    there, back = _ask("listener", SERVER[4]), _ask("talker", SERVER[4], port=PORT + 1)
    drive = (Target("axis", CLIENT[4], "cell", ask=there), Target("back", CLIENT[4], "cell", ask=back))
    seen = _perform(
        rig, (Action("plc", "cyclic-flow", plc, parameters), Action("drive", "cyclic-flow", drive, parameters))
    )
    for rows in seen:
        assert len(rows) == 400
        assert sum(row.error is None for row in rows) > 200
        assert all(json.loads(row.detail)["end"]["established"] for row in rows if row.attempt == 0)


def test_what_the_network_loses_is_lost_at_the_listener_and_sent_at_the_talker(rig: Any) -> None:
    # A message of 40 octets has a UDP length of 48, and no frame of the exchanges has. It is dropped where it comes in:
    # a drop where it leaves would be that host's own no.
    rig.nft(rig.server, _TABLE.format(name="flowloss", match="udp length 48 numgen inc mod 20 == 0"))
    try:
        talked, heard = _perform(rig, _ends(size_bytes=40))
    finally:
        rig.nft(rig.server, "delete table ip flowloss")
    sent = sum(row.error is None for row in talked)
    lost = sum(left.error is None and came.error == "timeout" for left, came in zip(talked, heard, strict=True))
    assert 0 <= lost - sent / 20 <= 1
    assert {row.utc_ns for row in heard if row.error} == {_account(heard)["closed_ns"]}


def test_a_blocked_path_is_told_apart_from_loss(rig: Any) -> None:
    rig.nft(rig.server, _TABLE.format(name="flowblock", match=f"udp dport {PORT}"))
    try:
        stop_at = time.monotonic() + 3
        talked, heard = _perform(rig, _ends(messages=5), stop=lambda: time.monotonic() > stop_at)
    finally:
        rig.nft(rig.server, "delete table ip flowblock")
    for rows in (talked, heard):
        assert not _account(rows)["established"]
        assert {row.error for row in rows} == {"stopped"}


def test_a_late_listener_is_no_loss(rig: Any) -> None:
    actions = _ends(messages=50)
    seen: list[Observation] = []
    talking = threading.Thread(target=lambda: seen.extend(_one(rig, rig.client, actions[0])))
    talking.start()
    time.sleep(1.5)  # the talker asks meanwhile; nothing tells when it began
    heard = _one(rig, rig.server, actions[1])
    talking.join()
    assert sum(row.error is None for row in seen) == sum(row.error is None for row in heard) > 20


def test_a_stop_ends_both_ends_within_a_second(rig: Any) -> None:
    began = time.monotonic()
    talked, heard = _perform(rig, _ends(messages=5000), stop=lambda: time.monotonic() > began + 2)
    assert time.monotonic() - began < 4
    for rows in (talked, heard):
        assert len(rows) == 5000
        assert any(row.error is None for row in rows)
        assert rows[-1].error == "stopped"


def test_what_strangers_send_is_counted_and_changes_nothing(rig: Any) -> None:
    """Garbage, a message of another session, and a damaged frame, from the talker's own address."""
    forged = Frame(MESSAGE, b"stranger", 3, 0).packed(40)
    noise = [b"", b"x" * 2000, forged, forged[:-1] + b"?", forged[:20]]
    done = threading.Event()

    def shout() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            while not done.wait(0.02):
                for data in noise:
                    stranger.sendto(data, (SERVER[4], PORT))

    shouting = threading.Thread(target=lambda: rig.within(rig.client, shout))
    shouting.start()
    try:
        talked, heard = _perform(rig, _ends())
    finally:
        done.set()
        shouting.join()
    account = _account(heard)
    assert account["foreign"] > 10
    assert account["corrupted"] > 10
    assert sum(row.error is None for row in heard) == sum(row.error is None for row in talked) > 125
    assert all(row.value is not None and abs(row.value) < 1000 for row in heard if row.error is None)


def test_messages_are_never_bunched_up(rig: Any) -> None:
    talked, _ = _perform(rig, _ends(messages=500, interval_ms=2))
    left_ns = [row.utc_ns for row in talked if row.error is None]
    assert (
        min(later - sooner for sooner, later in pairwise(left_ns)) > 900_000
    )  # half an interval, less a stamp's delay


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"packets_per_s_per_device": 200.0}, "rate-below-flow"), ({"bits_per_s": 10_000.0}, "rate-below-flow")],
)
def test_a_flow_that_the_permit_has_no_rate_for_is_not_sent_slower(rig: Any, limits: Any, reason: str) -> None:
    (action, _) = _ends(messages=10)
    rows = _one(rig, rig.client, action, **limits)
    assert {(row.error, json.loads(row.detail)["reason"]) for row in rows} == {("refused-by-guard", reason)}
    assert method("cyclic-flow").cost(action, _permit(action, **limits)).packets == 0


def test_an_address_that_is_not_ones_own_is_told(rig: Any) -> None:
    (action, _) = _ends(messages=3)
    foreign = replace(action.targets[0], ask=_ask("talker", "198.18.77.7"))
    rows = _one(rig, rig.client, replace(action, targets=(foreign,)))
    assert [row.error for row in rows] == ["no-route"] * 3


def _one(rig: Any, namespace: str, action: Action, **limits: Any) -> list[Observation]:
    seen: list[Observation] = []
    run = method("cyclic-flow").run(action, Gate(_permit(action, **limits)), seen.extend)
    rig.within(namespace, lambda: asyncio.run(run))
    return seen
