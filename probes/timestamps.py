"""The kernel's time stamps of datagrams, read from the control messages of one recvmsg(2) (SO_TIMESTAMPING).

See Documentation/networking/timestamping.rst of the Linux source. Software stamps: taken when a datagram is handed to
the device driver, and when the device hands one up; what the sender's and the receiver's processes wait for is outside.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

# linux/net_tstamp.h, asm-generic/socket.h
SO_TIMESTAMPING = 37
TX_SOFTWARE, RX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
STAMPS = TX_SOFTWARE | RX_SOFTWARE | SOFTWARE | OPT_TSONLY

#: One control message: level, type, data.
Control = tuple[int, int, bytes]

_SOL_SOCKET = 1
_RECVERR = frozenset({(0, 11), (41, 25)})  #: level and type of an extended error, IPv4 and IPv6
_TIMESPEC = struct.Struct("@ll")
_EXTENDED = struct.Struct("@IBBBxII")  #: struct sock_extended_err: errno, origin, type, code, info, data
_ENOMSG, _ORIGIN_TIMESTAMPING, _STAMP_OF_SENDING = 42, 4, 0


def stamp_ns(ancillary: Iterable[Control]) -> int:
    """The software stamp among control messages, UTC nanoseconds; 0 if there is none."""
    for level, kind, data in ancillary:
        if level == _SOL_SOCKET and kind == SO_TIMESTAMPING and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return 0


def sent(ancillary: Iterable[Control]) -> tuple[int, int] | None:
    """Of a message of the error queue: the kernel's number of the datagram and when it was sent, UTC nanoseconds."""
    controls = list(ancillary)
    utc_ns = stamp_ns(controls)
    for level, kind, data in controls:
        if utc_ns and (level, kind) in _RECVERR and len(data) >= _EXTENDED.size:
            error, origin, _, _, info, number = _EXTENDED.unpack_from(data)
            if (error, origin, info) == (_ENOMSG, _ORIGIN_TIMESTAMPING, _STAMP_OF_SENDING):
                return number, utc_ns
    return None
