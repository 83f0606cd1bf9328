"""Tasks that misbehave cost their own answer and nothing else: no time, no memory, no packet, no process that stays."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from probes.action import Target
from probes.gate import Gate
from probes.gate import Refusal
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.programs import Finished
from probes.programs import lacking
from probes.programs import run

TASK = "tests.probes.bad_task"
LIMIT = 1 << 20
HOST = "127.0.0.1"


def gate_with(stop: list[bool] | None = None) -> Gate:
    zones = {"bench": ZonePermit("bench", "query")}
    return Gate(Permit("v", {HOST: "bench"}, zones, {}, {"node:n": "bench"}), stop=lambda: bool(stop and stop[0]))


def perform(do: str, *, timeout_s: float = 20, gate: Gate | None = None, local: bool = False, **more: Any) -> Finished:
    keeper = gate or gate_with()
    target = Target("plc", "node:n" if local else HOST, "bench")
    ticket = keeper.admit_local(target, "query") if local else keeper.admit(target, "query")
    assert not isinstance(ticket, Refusal)
    assert keeper.claim(ticket, 1, 60, keeper.clock()) == 0
    return asyncio.run(keeper.run_task(ticket, 60, TASK, {"do": do, **more}, timeout_s=timeout_s, output_bytes=LIMIT))


@pytest.fixture
def port() -> Iterator[int]:
    """A server on loopback that says ``hello`` and ends."""
    with socket.create_server((HOST, 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    opened, _ = server.accept()
                    with opened:
                        opened.sendall(b"hello")

        serving = Thread(target=serve, daemon=True)
        serving.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    serving.join(5)


def gone_within(pid: int, limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if status == "Z":
            return True
        time.sleep(0.01)
    return False


def test_a_sound_task_replies() -> None:
    finished = perform("answer", text="焊\n“x”", number=1.5)
    assert finished.sound, finished.stderr
    assert json.loads(finished.reply) == {"do": "answer", "text": "焊\n“x”", "number": 1.5}


def test_what_it_prints_is_not_its_reply() -> None:
    finished = perform("chatter")
    assert (finished.sound, json.loads(finished.reply)) == (True, "ok")
    assert finished.stdout == b"x" * 1000
    assert finished.stderr == b"y" * 1000


@pytest.mark.parametrize(
    ("do", "more", "said"),
    [
        ("die", {}, f"{-signal.SIGSEGV}"),
        ("leave", {}, "reply"),
        ("leave_half", {}, "reply"),
        ("fail", {}, "a bug in the task"),
        ("no_json", {}, "not JSON serializable"),
        ("flood", {}, "output"),
        ("flood_quickly", {"bytes": LIMIT}, "output"),
        ("long_reply", {"bytes": LIMIT}, "output"),
        ("unheard_of", {}, "unheard_of"),
    ],
)
def test_what_a_broken_task_leaves_is_no_sound_reply(do: str, more: dict[str, Any], said: str) -> None:
    finished = perform(do, **more)
    assert not finished.sound
    assert said in f"{finished.status} {finished.ended_by} {finished.stderr.decode()}"
    assert max(map(len, (finished.stdout, finished.stderr, finished.reply))) <= LIMIT


def test_one_that_closes_its_output_still_replies() -> None:
    finished = perform("close")
    assert (finished.sound, json.loads(finished.reply)) == (True, "ok")


@pytest.mark.parametrize("do", ["hang", "spin"])
def test_one_that_does_not_end_is_ended(tmp_path: Path, do: str) -> None:
    note = tmp_path / "pid"
    finished = perform(do, timeout_s=3, note=str(note))
    assert (finished.sound, finished.ended_by, finished.status) == (False, "timeout", -signal.SIGKILL)
    assert finished.duration_s < 5
    assert gone_within(int(note.read_text("ascii")), 1)


def test_the_stop_switch_ends_it_at_once(tmp_path: Path) -> None:
    stop, note = [False], tmp_path / "pid"

    def throw() -> None:
        deadline = time.monotonic() + 15
        while not (note.exists() and note.read_text("ascii")) and time.monotonic() < deadline:
            time.sleep(0.01)
        thrown.append(time.monotonic())
        stop[0] = True

    thrown: list[float] = []
    throwing = Thread(target=throw)
    throwing.start()
    finished = perform("hang", gate=gate_with(stop), note=str(note))
    throwing.join()
    assert finished.ended_by == "stopped"
    assert time.monotonic() - thrown[0] < 1
    assert gone_within(int(note.read_text("ascii")), 1)


def test_one_whose_wait_is_cancelled_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"

    async def cancelled() -> None:
        keeper = gate_with()
        ticket = keeper.admit(Target("plc", HOST, "bench"), "query")
        assert not isinstance(ticket, Refusal)
        assert keeper.claim(ticket, 1, 60, keeper.clock()) == 0
        request = {"do": "hang", "note": str(note)}
        running = asyncio.create_task(keeper.run_task(ticket, 60, TASK, request, timeout_s=20))
        while not (note.exists() and note.read_text("ascii")):  # noqa: ASYNC110 - a file of another process
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(cancelled(), 15))
    assert gone_within(int(note.read_text("ascii")), 1)


def test_one_whose_worker_is_killed_dies_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    parent = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_tasks
        test_tasks.perform("hang", note={str(note)!r})
        """)
    with subprocess.Popen([sys.executable, "-c", parent]) as worker:
        deadline = time.monotonic() + 20
        while not (note.exists() and note.read_text("ascii")) and time.monotonic() < deadline:
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        assert gone_within(int(note.read_text("ascii")), 1)


def test_the_admitted_address_may_be_spoken_to(port: int) -> None:
    finished = perform("connect", host=HOST, port=port)
    assert finished.sound, finished.stderr
    assert json.loads(finished.reply) == "hello"


@pytest.mark.parametrize(
    ("do", "more"),
    [
        ("connect", {"host": "127.0.0.2"}),
        ("connect", {"host": "::1"}),
        ("connect", {"host": "localhost"}),
        ("send", {"host": "127.0.0.2"}),
        ("unix", {}),
        ("bind", {"host": "192.0.2.1"}),
        ("look_up", {}),
        ("look_back", {"host": HOST}),
        ("fork", {}),
        ("spawn", {}),
        ("system", {}),
        ("execute", {}),
        ("connect", {"host": HOST, "local": True}),
        ("connect", {"host": "localhost", "local": True}),
        ("send", {"host": "localhost", "local": True}),
    ],
    ids=str,
)
def test_everything_else_is_forbidden(port: int, do: str, more: dict[str, Any]) -> None:
    finished = perform(do, port=port, **more)
    assert not finished.sound
    assert b"Forbidden" in finished.stderr


@pytest.mark.parametrize("host", ["", "0.0.0.0", HOST])
def test_a_socket_may_be_bound_to_the_wildcard_and_to_loopback(host: str) -> None:
    finished = perform("bind", host=host)
    assert finished.sound, finished.stderr


def test_no_other_port_is_spoken_to_than_that_of_the_ticket_or_the_method(port: int) -> None:
    def sound(ticketed: int, asked: int) -> bool:
        keeper = gate_with()
        ticket = keeper.admit(Target("plc", HOST, "bench"), "query", ticketed)
        assert not isinstance(ticket, Refusal)
        assert keeper.claim(ticket, 1, 60, keeper.clock()) == 0
        request = {"do": "connect", "host": HOST, "port": port}
        finished = asyncio.run(keeper.run_task(ticket, 60, TASK, request, timeout_s=20, port=asked))
        assert finished.sound or b"Forbidden" in finished.stderr, finished.stderr
        return finished.sound

    assert [sound(port, 0), sound(0, port), sound(0, 0)] == [True] * 3
    assert [sound(port ^ 1, 0), sound(0, port ^ 1), sound(port, port ^ 1)] == [False] * 3


def test_a_link_local_address_is_admitted_on_its_own_interface_only() -> None:
    name, address = "lo", "fe80::1"
    index = socket.if_nametoindex(name)
    zones = {"bench": ZonePermit("bench", "query")}

    def said(scope_id: int) -> bytes:
        keeper = Gate(Permit("v", {f"{address}%{name}": "bench"}, zones, {}, {}))
        ticket = keeper.admit(Target("plc", f"{address}%{name}", "bench"), "query")
        assert not isinstance(ticket, Refusal)
        assert keeper.claim(ticket, 1, 60, keeper.clock()) == 0
        request = {"do": "send_scoped", "host": address, "scope_id": scope_id}
        finished = asyncio.run(keeper.run_task(ticket, 60, TASK, request, timeout_s=20))
        return b"tried" if finished.sound else finished.stderr

    assert said(index) == b"tried"
    assert b"Forbidden" in said(index + 1)
    assert b"Forbidden" in said(0)


def with_credentials(do: str, secret: str, **more: Any) -> Finished:
    zones = {"bench": ZonePermit("bench", "query")}
    keeper = Gate(Permit("v", {HOST: "bench"}, zones, {}, {}, credentials={HOST: {"community": secret}}))
    ticket = keeper.admit(Target("plc", HOST, "bench"), "query")
    assert not isinstance(ticket, Refusal)
    assert keeper.claim(ticket, 1, 60, keeper.clock()) == 0
    request = {"do": do, **more}
    return asyncio.run(keeper.run_task(ticket, 60, TASK, request, timeout_s=20, credentials=True, words={"late"}))


@pytest.mark.parametrize("secret", ["1", "2011", "late", "a\"b\\c'd", "密码密码"])
def test_a_secret_spoils_no_structure(secret: str) -> None:
    said = {"1.3.2011.1": 20111, "error": "late"}
    finished = with_credentials("write", secret, reply=said | {"text": f"<{secret}>"}, said=repr(secret))
    assert finished.sound, finished.stderr
    hidden = len(secret) > 1
    assert json.loads(finished.reply) == said | {"text": "<***>" if hidden else f"<{secret}>"}
    assert finished.stderr.decode() == ("'***'" if hidden else f"'{secret}'")


def test_a_reply_that_is_none_is_taken_away() -> None:
    finished = with_credentials("write_no_json", "hunter-2")
    assert (finished.sound, finished.reply, finished.ended_by) == (False, b"", "reply")


def test_what_was_not_claimed_is_not_run(tmp_path: Path) -> None:
    keeper = gate_with()
    ticket = keeper.admit(Target("plc", HOST, "bench"), "query")
    assert not isinstance(ticket, Refusal)
    note = tmp_path / "pid"
    with pytest.raises(PermissionError):
        asyncio.run(keeper.run_task(ticket, 60, TASK, {"do": "answer", "note": str(note)}, timeout_s=5))
    with pytest.raises(PermissionError):
        asyncio.run(keeper.run_program(ticket, 0, ["pmc"], timeout_s=5))
    assert not note.exists()


def program(*argv: str, timeout_s: float = 10, stopped: bool = False, stdin: bytes = b"") -> Finished:
    return asyncio.run(run(argv, stdin=stdin, timeout_s=timeout_s, output_bytes=1 << 16, stopped=lambda: stopped))


def test_a_program_reads_and_says_and_ends() -> None:
    finished = program("cat", stdin=b"asked\0\xff")
    assert (finished.sound, finished.stdout, finished.reply) == (True, b"asked\0\xff", b"")
    assert program("sh", "-c", "echo no >&2; exit 3").status == 3
    with pytest.raises(OSError, match="no-such-program"):
        program("no-such-program")


@pytest.mark.parametrize(
    ("argv", "ended_by"),
    [(("sleep", "60"), "timeout"), (("yes",), "output"), (("sh", "-c", "yes; sleep 60"), "timeout")],
)
def test_a_program_that_misbehaves_is_ended(argv: tuple[str, ...], ended_by: str) -> None:
    finished = program(*argv, timeout_s=1)
    assert (finished.sound, finished.ended_by) == (False, ended_by)
    assert len(finished.stdout) <= 1 << 16
    assert finished.duration_s < 3


def test_a_program_is_not_let_go_on_after_a_stop() -> None:
    assert program("sleep", "60", stopped=True).ended_by == "stopped"


def test_no_descriptor_stays_open() -> None:
    program("true")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        program("true")
        with suppress(OSError):
            program("no-such-program")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_is_lacking_is_found_out_by_another_process() -> None:
    needs = ["python:json", "python:no_such_package", "program:sh", "program:no-such", "library:libc.so.6", "other:x"]
    assert asyncio.run(lacking(needs)) == ["python:no_such_package", "program:no-such", "other:x"]
