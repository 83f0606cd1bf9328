"""Facts of the machine that measured and sealed: versions, kernel, and how well its clock is kept."""

from __future__ import annotations

import platform
import sqlite3
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path

from probes.hello import clock_state

#: Packages that measure, compute or write evidence.
_PACKAGES = (
    "plantproof",
    "cryptography",
    "dnspython",
    "execnet",
    "iperf3",
    "numpy",
    "pint",
    "pyarrow",
    "pydantic",
    "pysnmp",
    "pytest",
    "scapy",
    "scipy",
)
_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_SYNCHRONISED = {True: "yes", False: "no", None: "unknown"}


def versions() -> dict[str, str]:
    """Versions of this program, of Python, of the kernel, and of the libraries that measure, compute or write."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    """Read once: what this process has loaded stays as it is, and reading costs more than sealing a small bundle."""
    found = {"python": platform.python_version(), "kernel": kernel(), "sqlite": sqlite3.sqlite_version}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def kernel() -> str:
    """The kernel's name, release and architecture."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def clock() -> dict[str, str]:
    """State of the system clock as the kernel knows it (``adjtimex(2)``, which changes nothing here).

    ``synchronised`` is ``yes`` only while something such as NTP or PTP disciplines the clock; ``maximum_error_us`` then
    bounds how far it may be off.
    """
    state = clock_state()
    facts = {"clocksource": _clock_source(), "synchronised": _SYNCHRONISED[state["synchronised"]]}
    if state["synchronised"] is None:
        return facts
    return facts | {
        "offset_ns": str(state["offset_ns"]),
        "maximum_error_us": str(state["max_error_us"]),
        "estimated_error_us": str(state["estimated_error_us"]),
    }


def _clock_source() -> str:
    try:
        return _CLOCK_SOURCE.read_text("ascii").strip()
    except OSError:
        return "unknown"
