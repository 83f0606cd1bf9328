"""Dialogues on the wire: full handshakes, orderly ends, and no more packets than were priced, whoever answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from probes.action import Action
from probes.gate import Gate
from probes.methods import method
from tests.probes.talk import Kept

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

FIN, SYN, RST = 1, 2, 4
SERVER = {4: "198.18.1.2", 6: "2001:db8:1::2"}
Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def serving(rig: Rig, behave: Behave) -> Iterator[int]:
    """A server on both IP versions of the far end; its port."""
    ready, done = threading.Event(), threading.Event()
    ports: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await behave(reader, writer)
            writer.close()
        except OSError:
            pass

    async def serve() -> None:
        async with await asyncio.start_server(talk, "::", 0) as six:
            ports.append(six.sockets[0].getsockname()[1])
            async with await asyncio.start_server(talk, "0.0.0.0", ports[0]):
                ready.set()
                await asyncio.get_running_loop().run_in_executor(None, done.wait)

    thread = threading.Thread(target=rig.within, args=(rig.server, lambda: asyncio.run(serve())))
    thread.start()
    assert ready.wait(10)
    try:
        yield ports[0]
    finally:
        done.set()
        thread.join()


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    said = await reader.read(64)
    writer.write(said[:4] + bytes.fromhex("0003") + said[6:7] + bytes.fromhex("ab01"))
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    said = await reader.read(64)
    writer.write(said[:4] + bytes.fromhex("00fe") + said[6:7])
    while not writer.is_closing() and not reader.at_eof():
        writer.write(b"x")
        await asyncio.sleep(0.002)


async def floods(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(bytes(1 << 16))
        await writer.drain()


async def is_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize(
    ("behave", "errors"),
    [(answers, {None}), (is_silent, {"timeout"}), (floods, {"bad-answer"}), (drips, {"bad-answer", "timeout"})],
)
def test_no_peer_makes_us_send_more_than_was_priced(
    rig: Rig, ask: Ask, version: int, behave: Behave, errors: set[str | None]
) -> None:
    address = SERVER[version]
    with serving(rig, behave) as port:
        action = ask.action("application-exchange", [address], port, attempts=2, timeout_ms=400, close_ms=100)
        targets = tuple(replace(it, ask='{"application":"modbus"}') for it in action.targets)
        action, permit = replace(action, targets=targets), ask.permit([address])
        with rig.capture() as sent:
            seen = perform(rig, action, Gate(permit))
    assert {it.error for it in seen} <= errors
    assert [it.attempt for it in seen] == [0, 1]
    ours = [packet for packet in sent if packet.protocol == 6]
    price = method(action.method).cost(action, permit)
    assert sum(bool(packet.payload[13] & SYN) for packet in ours) == 2
    assert len(ours) <= price.packets
    assert sum(packet.size for packet in ours) <= price.bytes
    if behave in (answers, is_silent):
        assert sum(bool(packet.payload[13] & FIN) for packet in ours) == 2
        assert not any(packet.payload[13] & RST for packet in ours)


def perform(rig: Rig, action: Action, gate: Gate) -> Kept:
    seen = Kept()
    rig.within(rig.client, lambda: asyncio.run(method(action.method).run(action, gate, seen)))
    return seen
