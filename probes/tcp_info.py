"""What Linux says of TCP connections (``struct tcp_info``, linux/tcp.h): why they were no faster. Reads, sends nothing.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

SIZE = 256
#: Offsets, all in microseconds, of 64 bits but the least round-trip time.
_MIN_RTT = 148
_COUNTERS = {
    "busy_us": 168,  #: time in which something was on the way or waiting to be
    "rwnd_limited_us": 176,  #: part of it in which the receiver's window let no more pass
    "sndbuf_limited_us": 184,  #: and in which the own send buffer was full and all of it on the way
}
_RETRANSMITTED, _ACKNOWLEDGED = 100, 120
_UNKNOWN_RTT = 0xFFFFFFFF


def told(raws: Collection[bytes]) -> dict[str, int]:
    """Sums over connections, the least round-trip time of any, and limits of this host; for :mod:`probes.soundness`.

    Args:
        raws: ``struct tcp_info`` of each, :data:`SIZE` octets, zeros where the kernel told less.
    """
    found = {name: sum(struct.unpack_from("=Q", raw, at)[0] for raw in raws) for name, at in _COUNTERS.items()}
    rtts = [struct.unpack_from("=I", raw, _MIN_RTT)[0] for raw in raws]
    if known := [it for it in rtts if 0 < it < _UNKNOWN_RTT]:
        found["min_rtt_us"] = min(known)
    return found | _memory()


def acknowledged(raw: bytes) -> tuple[int, int]:
    """Octets acknowledged (``tcpi_bytes_acked``) and segments sent again (``tcpi_total_retrans``)."""
    return struct.unpack_from("=Q", raw, _ACKNOWLEDGED)[0], struct.unpack_from("=I", raw, _RETRANSMITTED)[0]


def _memory() -> dict[str, int]:
    """The largest buffer that the kernel gives a TCP socket by itself, in octets."""
    found = {}
    for name in ("tcp_rmem", "tcp_wmem"):
        with suppress(OSError, ValueError, IndexError):
            found[name] = int(Path(f"/proc/sys/net/ipv4/{name}").read_text("ascii").split()[2])
    return found
