"""Facts of the machine that measured and sealed: versions, kernel, and how well its clock is kept."""

from __future__ import annotations

import ctypes
import platform
import sqlite3
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path

#: Packages that measure, compute or write evidence.
_PACKAGES = ("plantproof", "execnet", "numpy", "pint", "pyarrow", "pydantic", "pytest", "scapy", "scipy")
_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_NANOSECONDS = 0x2000  # STA_NANO: the offset is in nanoseconds, else in microseconds


def versions() -> dict[str, str]:
    """Versions of this program, of Python, of the kernel, and of the libraries that measure, compute or write."""
    found = {"python": platform.python_version(), "kernel": kernel(), "sqlite": sqlite3.sqlite_version}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def kernel() -> str:
    """The kernel's name, release and architecture."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex`` (linux/timex.h), padded to more than its size."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def clock() -> dict[str, str]:
    """State of the system clock as the kernel knows it (``adjtimex(2)``, which changes nothing here).

    ``synchronised`` is ``yes`` only while something such as NTP or PTP disciplines the clock; ``maximum_error_us`` then
    bounds how far it may be off.
    """
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        state = -1
    facts = {"clocksource": _clock_source()}
    if state < 0:
        return facts | {"synchronised": "unknown"}
    scale = 1 if timex.status & _NANOSECONDS else 1_000
    return facts | {
        "synchronised": "no" if timex.status & _UNSYNCHRONISED else "yes",
        "offset_ns": str(timex.offset * scale),
        "maximum_error_us": str(timex.maxerror),
        "estimated_error_us": str(timex.esterror),
    }


def _clock_source() -> str:
    try:
        return _CLOCK_SOURCE.read_text("ascii").strip()
    except OSError:
        return "unknown"
