"""The process of one task: confines itself, performs, replies, ends.

The audit hook refuses every address but the admitted one, of the admitted scope, and every port but the admitted one to
whatever Python code makes a socket; every own address but the wildcard and loopback; and every program.
A library that calls the C library directly is not seen by it; such a task passes on the admitted address alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from importlib import import_module
from typing import Any

from probes.programs import END

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
#: Audit events (PEP 578, CPython's table of audit events) of what a task may not do at all.
FORBIDDEN = frozenset(
    {"os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "subprocess.Popen"}
)
#: Audit events whose second argument is an address that is spoken to.
ADDRESSED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
#: Audit events whose first argument is a host; if it is a name, a resolver would be asked that nobody admitted.
LOOKED_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
#: Audit events of what asks a resolver for an address's name.
REVERSED = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})


class Forbidden(RuntimeError):
    """The task tried what it may not do."""


def main() -> None:
    """Perform the task that stands on standard input; the descriptor of the reply file is the last argument."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    order = json.load(sys.stdin)
    if os.getppid() != order["parent"]:  # which ended before this process could ask to end with it
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    perform = import_module(order["module"]).perform  # before the hook: importing may look at the machine
    sys.addaudithook(_Guard(order["address"], order["port"]))
    reply = json.dumps(perform(order["request"]), ensure_ascii=False)
    with os.fdopen(int(sys.argv[-1]), "w", encoding="utf-8") as file:
        file.write(reply + END)


class _Guard:
    """Refuses addresses other than the admitted one, and ports other than the admitted one if there is one."""

    def __init__(self, address: str, port: int) -> None:
        self._admitted = _packed(address)
        scope = address.partition("%")[2]
        self._scope_id = socket.if_nametoindex(scope) if scope and self._admitted else 0
        self._port = port

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN or event in REVERSED:
            raise Forbidden(event)
        if event in LOOKED_UP and arguments[0] is not None and _packed(arguments[0]) is None:
            raise Forbidden(f"{event} {arguments[0]!r}")
        # A call without an address speaks to that of an earlier connect.
        if event in ADDRESSED and arguments[1] is not None and not self._admits(arguments[1]):
            raise Forbidden(f"{event} {arguments[1]!r}")
        if event == "socket.bind" and not _own(arguments[1]):
            raise Forbidden(f"{event} {arguments[1]!r}")

    def _admits(self, address: object) -> bool:
        if not isinstance(address, tuple) or self._admitted is None or _packed(address[0]) != self._admitted:
            return False
        scope_id = address[3] if len(address) > 3 else 0  # which counts, whatever scope the text names
        return scope_id == self._scope_id and self._port in (0, address[1])


def _own(address: object) -> bool:
    """Whether it is the wildcard, which a socket that only asks is bound to, or loopback."""
    if not isinstance(address, tuple):
        return False
    packed = b"" if address[0] == "" else _packed(address[0])
    return packed is not None and (not any(packed) or packed[:1] == b"\x7f" or packed == bytes(15) + b"\x01")


def _packed(host: object) -> bytes | None:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return None
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
    return None
