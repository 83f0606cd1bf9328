"""Whether a TCP test could have been faster but for its own ends: then its rate says nothing about the path. Pure.

RFC 6349 asks that windows and socket buffers be no bottleneck (section 3.3). Linux says for how long a sender had
something on its way, and for how much of that the receiver's window or the own send buffer let no more pass
(``tcpi_busy_time``, ``tcpi_rwnd_limited``, ``tcpi_sndbuf_limited``); a test whose sender is here is judged by that.
The kernel counts in ticks, 1 to 10 ms each: on a path of microseconds it may see none of it, and then nothing is said.
Of a test whose sender is at the far end, only the own receive buffer can be judged, by the data in flight.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Share of a test for which its sender may have waited for a window, a buffer or itself, all together. In the rest of
#: the time the path was in use, so that it carries at most 1 / (1 - 0.25) = 1.33 times the rate that was found.
WAITED = 0.25
#: Linux gives half of a receive buffer to the window (tcp_adv_win_scale 1, ip-sysctl), and less to small segments.
WINDOW_OF_BUFFER = 0.5
FULL = 0.9  #: share of a window from which the data in flight fill it


@dataclass(frozen=True, slots=True)
class Test:
    """A test that was made as asked, below its cap."""

    __test__ = False  # pytest would take it for a class of tests
    reverse: bool  #: whether the far end sends
    streams: int
    seconds: float  #: with its omitted beginning
    bits_per_s: float  #: goodput


def facts(kernel: Mapping[str, Any], *, reverse: bool) -> dict[str, Any]:
    """What the kernel of the tester said, for an observation's detail; of what it sent only if it was the sender."""
    found: dict[str, Any] = {}
    if _count(kernel, "min_rtt_us"):
        found["min_rtt_us"] = kernel["min_rtt_us"]
    busy = _count(kernel, "busy_us")
    if reverse or not busy:
        return found
    for name in ("rwnd_limited", "sndbuf_limited"):
        if (limited := _count(kernel, name + "_us")) is not None:
            found[name + "_percent"] = round(100 * min(limited / busy, 1), 1)
    return found


def why_not(test: Test, told: Mapping[str, Any], kernel: Mapping[str, Any]) -> str:
    """What but the path bounded the rate; empty if nothing is known to have."""
    return _receiving(test, told, kernel) if test.reverse else _sending(test, told, kernel)


def _sending(test: Test, told: Mapping[str, Any], kernel: Mapping[str, Any]) -> str:
    busy = _count(kernel, "busy_us")
    if not busy:
        return ""
    used = min(busy / 1e6 / (test.streams * test.seconds), 1)
    waits = {name: told.get(f"{name}_percent", 0) / 100 * used for name in ("sndbuf_limited", "rwnd_limited")}
    if 1 - used + sum(waits.values()) < WAITED:
        return ""
    if 1 - used > max(waits.values()):
        return f"the sender had something to send for {100 * used:.0f} % of the time only"
    name = max(waits, key=lambda it: waits[it])
    what = {"sndbuf_limited": "the tester's send buffer", "rwnd_limited": "the receiver's window"}[name]
    return f"{what} was the limit for {100 * waits[name]:.0f} % of the time; try more streams"


def _receiving(test: Test, told: Mapping[str, Any], kernel: Mapping[str, Any]) -> str:
    rtt_us, buffer = _count(told, "min_rtt_us"), _count(kernel, "tcp_rmem")
    if not rtt_us or not buffer:
        return ""
    in_flight = test.bits_per_s / 8 * rtt_us / 1e6 / test.streams
    if in_flight >= FULL * WINDOW_OF_BUFFER * buffer:
        return f"the tester's receive buffer of {buffer} bytes was the limit; try more streams"
    return ""


def _count(found: Mapping[str, Any], name: str) -> int | None:
    value = found.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
