"""Where no ptp4l listens there is no clock to be judged: trouble of the instrument, whatever is in its place."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.indicators.clocks import TimeSyncParameters
from profiles.indicators.clocks import time_sync
from profiles.observation import Observation
from profiles.reduced import Check
from profiles.reduced import Checklist
from profiles.reduced import Member
from profiles.reduced import Register


class Collector:
    """Takes what a method tells."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.rows.extend(rows)

    def raw(self, name: str, text: str) -> None:
        raise AssertionError(f"nobody was there to say {text!r} for {name}")


def asked(path: Path) -> list[Observation]:
    action = Action("seat", "ptp-management", (Target("clock", str(path), "cell"),), {"attempts": 2, "spacing_s": 0.2})
    permit = Permit("seat", {}, {"cell": ZonePermit("cell", "query")}, {}, {str(path): "cell"})
    seen = Collector()
    asyncio.run(method("ptp-management").run(action, Gate(permit), seen))
    return seen.rows


def put(what: str, path: Path) -> None:
    if what == "file":
        path.touch()
    elif what == "folder":
        path.mkdir()
    elif what in ("stream", "abandoned"):
        kind = socket.SOCK_STREAM if what == "stream" else socket.SOCK_DGRAM
        with socket.socket(socket.AF_UNIX, kind) as opened:
            opened.bind(str(path))


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("nothing", "ENOENT"),
        ("file", "ENOTSOCK"),
        ("folder", "ENOTSOCK"),
        ("stream", "ECONNREFUSED"),
        ("abandoned", "ECONNREFUSED"),
    ],
)
def test_where_nobody_listens_the_instrument_is_in_trouble(tmp_path: Path, what: str, name: str) -> None:
    path = tmp_path / "ptp4l"
    put(what, path)
    rows = asked(path)
    assert [(row.error, row.attempt) for row in rows] == [("send-failed", 0), ("send-failed", 1)]
    assert all(row.is_instrument_error and json.loads(row.detail)["errno"] == name for row in rows)
    found = time_sync(Register((Member("clock", "clock"),)), rows, TimeSyncParameters(polls=2))
    assert isinstance(found, Checklist)
    assert found.checks == (Check("clock", "clock-answers", None, f"no-socket {path} ({name})"),)


def test_a_socket_that_may_not_be_used_is_a_lack_of_privilege(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "refused")  # root is refused nothing here

    monkeypatch.setattr(Gate, "find_listener", refuse)
    assert {row.error for row in asked(tmp_path / "ptp4l")} == {"no-privilege"}
