"""The process of one task: confines itself, performs, replies, ends.

The audit hook refuses every address but the admitted one to whatever Python code makes a socket, and every program.
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
    sys.addaudithook(_Guard(order["address"]))
    reply = json.dumps(perform(order["request"]), ensure_ascii=False)
    with os.fdopen(int(sys.argv[-1]), "w", encoding="utf-8") as file:
        file.write(reply + END)


class _Guard:
    """Refuses addresses other than the admitted one."""

    def __init__(self, address: str) -> None:
        self._admitted = _packed(address)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FORBIDDEN or event in REVERSED:
            raise Forbidden(event)
        if event in LOOKED_UP and arguments[0] is not None and _packed(arguments[0]) is None:
            raise Forbidden(f"{event} {arguments[0]!r}")
        if event in ADDRESSED and arguments[1] is not None:  # without one, it is that of an earlier connect
            address = arguments[1]
            spoken_to = _packed(address[0]) if isinstance(address, tuple) else None
            if spoken_to is None or spoken_to != self._admitted:
                raise Forbidden(f"{event} {address!r}")


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
