"""For tests of application protocols: a dialogue driven by hand, and the method against a peer on the loopback."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from probes.application import METHOD
from probes.applications import Datagram
from probes.applications import NotThisProtocol
from probes.applications import Read
from probes.applications import ReadLine
from probes.applications import ReadSome
from probes.applications import Send
from probes.applications import dialogue
from probes.gate import Gate
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

HOST = "127.0.0.1"


class Ended(Exception):
    """The other side said no more, and more was needed."""


def hear(protocol: str, answers: bytes, **asked: str) -> tuple[dict[str, str], bytes]:
    """What a dialogue makes of a stream of ``answers``, and what it said.

    Raises:
        NotThisProtocol: if it is none of that protocol.
        Ended: if it is half of one.
    """
    talking = dialogue(protocol).converse({"address": HOST, "port": "1", "attempt": "0"} | asked)
    said, heard = b"", b""
    try:
        step = next(talking)
        while True:
            match step:
                case Send(octets):
                    said, heard = said + octets, b""
                case Read(count):
                    heard = answers[:count]
                    if len(heard) < count:
                        raise Ended
                case ReadLine(limit):
                    heard = answers[: answers.find(b"\n", 0, limit) + 1]
                    if not heard:
                        raise NotThisProtocol("line") if len(answers) >= limit else Ended
                case ReadSome(limit):
                    heard = answers[:limit]
                    if not heard:
                        raise Ended
                case Datagram():
                    heard = answers
                    if not heard:
                        raise Ended
            answers = answers if isinstance(step, Send) else answers[len(heard) :]
            step = talking.send(heard)
    except StopIteration as ended:
        return dict(ended.value), said


def captures() -> Path:
    """The folder of recorded captures; the test is skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data") / "pcaps"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set PLANTPROOF_CORPUS")
    return folder


def recorded(capture: str, port: int) -> Iterator[bytes]:
    """What the side with this TCP port says in a recorded capture: payloads, segment by segment."""
    from scapy.all import TCP
    from scapy.all import Raw
    from scapy.all import rdpcap

    for packet in rdpcap(str(captures() / capture)):
        if packet.haslayer(TCP) and packet[TCP].sport == port and packet.haslayer(Raw):
            yield bytes(packet[Raw])


class Kept(list[Observation]):
    """Observations, and what was kept beside them."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.extend(row for row in rows if row.target)

    def raw(self, name: str, text: str) -> None:
        assert name not in self.kept
        self.kept[name] = text


def perform(
    protocol: str, port: int, host: str = HOST, *, gate: Gate | None = None, limits: Any = None, **parameters: Any
) -> Kept:
    """The method, once through, at one port."""
    gate = gate or Gate(Permit("v", {host: "cell"}, {"cell": ZonePermit("cell", "query", **(limits or {}))}, {}))
    target = Target("plc", host, "cell", port, json.dumps({"application": protocol}))
    seen = Kept()
    asyncio.run(METHOD.run(Action("v", METHOD.name, (target,), parameters), gate, seen))
    return seen


@contextmanager
def peer(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A TCP server on the loopback that does this with each connection; its port."""
    done = threading.Event()
    listener = socket.create_server((HOST, 0))
    listener.settimeout(0.02)

    def serve() -> None:
        while not done.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(2)
            try:
                behave(connection)
            except OSError:
                pass
            finally:
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        thread.join()
        listener.close()
