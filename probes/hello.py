"""What a vantage point says of itself when it is opened: host, interpreter, privileges and clocks.

Standard library only: this module travels to vantage points. It reads, and sends nothing.
"""

from __future__ import annotations

import os
import platform
import socket
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probes.gate import may_open

#: Sockets that methods need, by the name under which the privilege is reported.
SOCKETS: dict[str, tuple[int, int, int]] = {
    "raw-icmp": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "raw-icmpv6": (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),  # protocol 0: bound to nothing, receives nothing
    "ping": (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "ping-v6": (socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6),
}

#: Of which a method needs at least one; a method that is not named needs no privilege.
ANY_OF: dict[str, tuple[str, ...]] = {"icmp-echo": ("raw-icmp", "raw-icmpv6", "ping", "ping-v6")}

_STA_UNSYNC = 0x0040  # adjtimex(2): the kernel's clock is not disciplined
_STA_NANO = 0x2000  # adjtimex(2): the offset is in nanoseconds, else in microseconds
_TIME_ERROR = 5  # adjtimex(2): return value, clock not synchronised
_TIMEX = struct.Struct("@I4li")  # the beginning of struct timex: modes, offset, freq, maxerror, esterror, status


def facts() -> dict[str, Any]:
    """Facts of this process and its host, JSON types only, kept as evidence."""
    return {
        "hostname": socket.gethostname(),
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "capabilities": _effective_capabilities(),
        "network_namespace": _network_namespace(),
        "interfaces": [name for _, name in socket.if_nameindex()],
        "sockets": {name: may_open(*socket_type) for name, socket_type in SOCKETS.items()},
        "clock": clock_state(),
    }


def lacking(method: str, sockets: Mapping[str, bool]) -> bool:
    """Whether ``method`` cannot be performed at all where the kernel lets these ``sockets`` be opened."""
    return method in ANY_OF and not any(sockets.get(name) for name in ANY_OF[method])


def clock_state() -> dict[str, Any]:
    """UTC and monotonic time of one moment, and whether the kernel holds its clock synchronised (adjtimex(2)).

    ``synchronised`` is ``None`` where the kernel does not say; errors are the kernel's own bounds, microseconds.
    """
    before_ns = time.monotonic_ns()
    utc_ns = time.time_ns()
    after_ns = time.monotonic_ns()
    return {"utc_ns": utc_ns, "monotonic_ns": (before_ns + after_ns) // 2} | _adjtimex()


def _adjtimex() -> dict[str, Any]:
    try:
        import ctypes

        timex = ctypes.create_string_buffer(512)  # larger than struct timex; modes = 0 only reads
        state = ctypes.CDLL(None).adjtimex(timex)
    except (ImportError, OSError, AttributeError):
        state = -1
    if state < 0:
        return {"synchronised": None}
    _, offset, _, max_error_us, estimated_error_us, status = _TIMEX.unpack_from(timex)
    return {
        "synchronised": state != _TIME_ERROR and not status & _STA_UNSYNC,
        "offset_ns": offset if status & _STA_NANO else offset * 1_000,
        "max_error_us": max_error_us,
        "estimated_error_us": estimated_error_us,
    }


def _effective_capabilities() -> str | None:
    """The effective capability set as hexadecimal text (capabilities(7)), ``None`` where the kernel does not say."""
    try:
        status = Path("/proc/self/status").read_text("ascii", "replace")
    except OSError:
        return None
    return next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), None)


def _network_namespace() -> int | None:
    try:
        return Path("/proc/self/ns/net").stat().st_ino
    except OSError:
        return None
