"""What a vantage point says of itself when it is opened: host, interpreter, privileges and clocks.

Standard library only: this module travels to vantage points. It reads, and sends nothing.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
import time
from pathlib import Path
from typing import Any

from probes.gate import may_open

#: Sockets that methods need, by the name under which the privilege is reported.
SOCKETS: dict[str, tuple[int, int, int]] = {
    "raw-icmp": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "raw-icmpv6": (socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),  # protocol 0: bound to nothing, receives nothing
    "ping": (socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
}

_STA_UNSYNC = 0x0040  # adjtimex(2): the kernel's clock is not disciplined
_TIME_ERROR = 5  # adjtimex(2): return value, clock not synchronised


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

        timex = (ctypes.c_long * 64)()  # larger than struct timex; modes = 0 only reads
        state = ctypes.CDLL(None).adjtimex(timex)
    except (ImportError, OSError, AttributeError):
        state = -1
    if state < 0:
        return {"synchronised": None}
    # struct timex: modes, offset, freq, maxerror, esterror, status; each padded to the size of a long
    _, _, _, max_error_us, estimated_error_us, status = timex[:6]
    return {
        "synchronised": state != _TIME_ERROR and not status & _STA_UNSYNC,
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
