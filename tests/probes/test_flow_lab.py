"""Cyclic flows between two real network namespaces: both ends run as the worker runs them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

pytestmark = pytest.mark.lab

CLIENT, SERVER = {4: "198.18.1.1", 6: "2001:db8:1::1"}, {4: "198.18.1.2", 6: "2001:db8:1::2"}
PORT = 20_400
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
    late = [row for row in talked if row.error == "tester-loss"]
    assert len(late) <= 25
    delays_ns = [came.utc_ns - left.utc_ns for left, came in zip(talked, heard, strict=True) if left.error is None]
    assert all(0 < delay_ns < 100_000_000 for delay_ns in delays_ns)
    assert sorted(delays_ns)[len(delays_ns) // 2] < 1_000_000
    assert not any('"stamp"' in row.detail for row in (*talked, *heard))
    assert _account(talked) | {"skipped": 0} == {
        "established": True, "same_clock": True, "offset_ns": [0, 0], "skipped": 0,
    }  # fmt: skip
    names = ("duplicate", "reordered", "corrupted", "foreign", "dropped")
    assert _account(heard) == {"established": True} | dict.fromkeys(names, 0)
