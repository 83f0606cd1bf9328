"""The port for one TCP connection: full handshake, orderly close, and what the kernel knows of both.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from dataclasses import dataclass
from errno import EAGAIN
from errno import ECONNRESET
from errno import EINPROGRESS
from errno import ETIMEDOUT
from socket import AF_INET
from socket import IPPROTO_IP
from socket import IPPROTO_IPV6
from socket import IPPROTO_TCP
from socket import MSG_ERRQUEUE
from socket import SHUT_WR
from socket import SO_ERROR
from socket import SO_RCVBUF
from socket import SOL_SOCKET
from socket import TCP_INFO
from socket import TCP_SYNCNT
from socket import TCP_USER_TIMEOUT
from typing import TYPE_CHECKING
from typing import Any

from probes.ports import IP_RECVERR
from probes.ports import IPV6_RECVERR
from probes.ports import Ticket
from probes.ports import ready

if TYPE_CHECKING:
    from socket import socket


class StreamPort:
    """One TCP connection to one ticket's address and port: full handshake, orderly close."""

    def __init__(self, opened: socket, ticket: Ticket, address: tuple[Any, ...]) -> None:
        self._socket = opened
        self._ticket = ticket
        self._address = address
        level, option = (IPPROTO_IP, IP_RECVERR) if opened.family == AF_INET else (IPPROTO_IPV6, IPV6_RECVERR)
        opened.setsockopt(level, option, 1)  # keep the ICMP error that ends an attempt
        opened.setsockopt(IPPROTO_TCP, TCP_SYNCNT, 1)
        opened.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)  # a server that talks first gets a small window

    async def connect(self, timeout_s: float) -> tuple[int, bool]:
        """Shake hands.

        Returns:
            An errno (0 if connected, ``ETIMEDOUT`` if nothing came in time) and whether the network was asked: an errno
            without that is this host's own.
        """
        error = self._socket.connect_ex(self._address)
        if error != EINPROGRESS:
            return error, error == 0
        if not await ready(self._socket.fileno(), timeout_s, write=True):
            return ETIMEDOUT, True
        return self._socket.getsockopt(SOL_SOCKET, SO_ERROR), True

    def send(self, octets: bytes) -> None:
        """Say ``octets``, few enough for the socket's buffer.

        Raises:
            OSError: if the connection broke, or the buffer is full.
        """
        if self._socket.send(octets) < len(octets):
            raise BlockingIOError(EAGAIN, "the send buffer is full")

    async def receive(self, most: int, timeout_s: float) -> bytes | None:
        """What came, at most ``most`` octets; nothing after the peer's FIN; ``None`` if nothing came in time.

        Raises:
            OSError: if the connection broke.
        """
        if not await ready(self._socket.fileno(), timeout_s):
            return None
        return self._socket.recv(most)

    def packets(self) -> int:
        """Segments sent, as far as the kernel tells."""
        return self.info().sent

    def info(self) -> TcpInfo:
        """What the kernel knows of the connection."""
        raw = self._socket.getsockopt(IPPROTO_TCP, TCP_INFO, 256).ljust(256, b"\0")
        rtt_us, retransmitted, sent = (struct.unpack_from("=I", raw, at)[0] for at in (68, 100, 136))
        return TcpInfo(rtt_us, retransmitted, sent)

    def icmp_error(self) -> bytes:
        """Control data of the ICMP error that ended the attempt; empty if there was none."""
        with suppress(OSError):
            _, ancillary, _, _ = self._socket.recvmsg(0, 256, MSG_ERRQUEUE)
            for level, kind, data in ancillary:
                return struct.pack("@Nii", struct.calcsize("@Nii") + len(data), level, kind) + data
        return b""

    def was_reset(self) -> bool:
        """Whether the peer has torn the connection down already."""
        return self._socket.getsockopt(SOL_SOCKET, SO_ERROR) == ECONNRESET

    async def finish(self, linger_s: float, user_timeout_ms: int) -> str:
        """Close in order: our FIN, then the peer's, reading away what it still says; how it ended.

        Unread data at the close would make the kernel send a reset, so up to 64 KiB of a greeting are read.
        """
        try:
            self._socket.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms)  # bounds retransmitted FINs
            self._socket.shutdown(SHUT_WR)
            for _ in range(16):
                if not await ready(self._socket.fileno(), linger_s):
                    return "open"
                if not self._socket.recv(4096):
                    return "fin"
        except ConnectionError:
            return "reset"
        except OSError:
            return "lost"
        return "talking"

    def close(self) -> None:
        """Give the socket and the device's place back."""
        self._ticket.device.connections -= 1
        self._socket.close()


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """The part of ``struct tcp_info`` (linux/tcp.h) that is used here; zeros where the kernel does not tell."""

    rtt_us: int  #: after the handshake: from SYN to SYN-ACK, by the kernel's clock
    retransmitted: int  #: segments sent again
    sent: int  #: segments sent in all
