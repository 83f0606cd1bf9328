"""What the kernel knows of this process's TCP connections while a library uses them: why they were no faster.

The library keeps its sockets to itself; but they are this process's, and a thread may ask the kernel about each of its
descriptors while the library, which holds no lock of the interpreter, is at work. Also the counters of UDP datagrams
that this host itself lost for want of room in a socket's buffer.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from socket import IPPROTO_TCP
from socket import TCP_INFO
from types import TracebackType
from typing import Any
from typing import Self

from probes import tcp_info

PERIOD_S = 0.1


class Watch:
    """Looks every :data:`PERIOD_S` while it is entered."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._seen: dict[int, bytes] = {}
        self._began_ns = self._ended_ns = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._lost_before = lost_datagrams()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended_ns = time.monotonic_ns()
        self._over.set()
        self._thread.join()

    @property
    def found(self) -> dict[str, Any]:
        """The sums over all connections as last seen, the least round-trip time of any, and limits of this host."""
        told: dict[str, Any] = {"connections": len(self._seen), **tcp_info.told(self._seen.values())}
        if self._began_ns:  # the control connection and another: data flow, in the time of this host's clock
            told |= {"began_ns": self._began_ns, "ended_ns": self._ended_ns}
        told["lost_datagrams"] = lost_datagrams() - self._lost_before
        return told

    def _look_on(self) -> None:
        while not self._over.wait(PERIOD_S):
            with suppress(OSError):
                for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - names only, ten times a second
                    self._look(int(name))
            if len(self._seen) > 1:
                self._began_ns = self._began_ns or time.monotonic_ns()

    def _look(self, descriptor: int) -> None:
        raw, length = ctypes.create_string_buffer(tcp_info.SIZE), ctypes.c_uint(tcp_info.SIZE)
        if self._libc.getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, raw, ctypes.byref(length)) == 0:
            self._seen[descriptor] = raw.raw


def lost_datagrams() -> int:
    """UDP datagrams that sockets of this network namespace had no room for, received or sent, since it was made."""
    lost = 0
    with suppress(OSError, ValueError):
        names, values = (
            it.split() for it in Path("/proc/net/snmp").read_text("ascii").splitlines() if it[:4] == "Udp:"
        )
        lost += sum(int(value) for name, value in zip(names, values, strict=True) if name in _BUFFER_ERRORS)
    with suppress(OSError, ValueError):
        lines = (line.split() for line in Path("/proc/net/snmp6").read_text("ascii").splitlines())
        lost += sum(int(value) for name, value in lines if name.removeprefix("Udp6") in _BUFFER_ERRORS)
    return lost


_BUFFER_ERRORS = ("RcvbufErrors", "SndbufErrors")
