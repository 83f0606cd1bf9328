"""A task that behaves as its request says; run by ``test_tasks.py`` in processes of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any


def perform(request: dict[str, Any]) -> Any:
    """Do as asked."""
    if note := request.get("note"):
        Path(note).write_text(str(os.getpid()), "ascii")
    return globals()[request["do"]](request)


def hang(request: dict[str, Any]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def spin(request: dict[str, Any]) -> None:
    while True:
        pass


def answer(request: dict[str, Any]) -> Any:
    return request


def chatter(request: dict[str, Any]) -> str:
    sys.stdout.write("x" * 1000)
    sys.stderr.write("y" * 1000)
    return "ok"


def flood(request: dict[str, Any]) -> None:
    while True:
        os.write(1, b"x" * 65536)


def flood_quickly(request: dict[str, Any]) -> str:
    os.write(1, b"x" * request["bytes"])
    return "ok"


def long_reply(request: dict[str, Any]) -> str:
    return "x" * request["bytes"]


def close(request: dict[str, Any]) -> str:
    os.close(1)
    os.close(2)
    return "ok"


def die(request: dict[str, Any]) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(request: dict[str, Any]) -> None:
    os._exit(0)


def leave_half(request: dict[str, Any]) -> None:
    os.write(int(sys.argv[-1]), b'{"half":')
    os._exit(0)


def fail(request: dict[str, Any]) -> None:
    raise ArithmeticError("a bug in the task")


def no_json(request: dict[str, Any]) -> Any:
    return object()


def connect(request: dict[str, Any]) -> str:
    with socket.create_connection((request["host"], request["port"]), timeout=1) as opened:
        return opened.recv(10).decode("ascii")


def send(request: dict[str, Any]) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.sendto(b"x", (request["host"], request["port"]))
    return "sent"


def send_scoped(request: dict[str, Any]) -> str:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened, suppress(OSError):
        opened.sendto(b"x", (request["host"], 9, 0, request["scope_id"]))
    return "tried"


def write(request: dict[str, Any]) -> Any:
    sys.stdout.write(request["said"])
    sys.stderr.write(request["said"])
    return request["reply"]


def write_no_json(request: dict[str, Any]) -> None:
    os.write(int(sys.argv[-1]), request["credentials"]["community"].encode() + b"\n")
    os._exit(0)


def bind(request: dict[str, Any]) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((request["host"], 0))
    return "bound"


def unix(request: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect("/run/nothing")


def look_up(request: dict[str, Any]) -> None:
    socket.getaddrinfo("name.example", 80)


def look_back(request: dict[str, Any]) -> None:
    socket.gethostbyaddr(request["host"])


def fork(request: dict[str, Any]) -> None:
    os.fork()


def spawn(request: dict[str, Any]) -> None:
    subprocess.run(["true"], check=True)


def system(request: dict[str, Any]) -> None:
    os.system("true")  # noqa: S605


def execute(request: dict[str, Any]) -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606
