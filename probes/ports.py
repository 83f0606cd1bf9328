"""What the gate hands out: tickets instead of addresses, and ports instead of sockets.

A port sends only to a ticket, and only what :meth:`probes.gate.Gate.claim` charged to it. The sockets inside are made
by the gate; this module uses the socket library for its constants alone.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
import sys
from array import array
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ECONNRESET
from errno import EINPROGRESS
from errno import ETIMEDOUT
from socket import AF_INET
from socket import AF_INET6
from socket import IPPROTO_ICMPV6
from socket import IPPROTO_IP
from socket import IPPROTO_IPV6
from socket import IPPROTO_TCP
from socket import MSG_ERRQUEUE
from socket import SHUT_WR
from socket import SO_ERROR
from socket import SO_RCVBUF
from socket import SO_SNDBUF
from socket import SOL_SOCKET
from socket import TCP_INFO
from socket import TCP_SYNCNT
from socket import TCP_USER_TIMEOUT
from typing import TYPE_CHECKING
from typing import Any

from probes.action import Target
from probes.bulk import Batch
from probes.limits import Device
from probes.limits import Zone

if TYPE_CHECKING:
    from socket import socket

# linux/net_tstamp.h, asm-generic/socket.h, linux/in.h, linux/in6.h, linux/icmp.h, linux/icmpv6.h, linux/filter.h
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_TIMESTAMPING, SO_MEMINFO, SO_ATTACH_FILTER = 32, 33, 37, 55, 26
TX_SOFTWARE, RX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
SOL_RAW, ICMP_FILTER, ICMPV6_FILTER = 255, 1, 1
IP_RECVERR, IP_RECVTTL, IPV6_RECVERR, IPV6_RECVHOPLIMIT = 11, 12, 25, 51

RTM_GET = 2  #: the remainder by 4 of every netlink message type that asks
SLOTS = 512  #: packets handled in one system call
THREAD_FROM = 32  #: so many packets are worth a thread's attention
MESSAGE_BYTES = 256  #: room for an answer, or an ICMP error that quotes a question with IP options
NAME_BYTES = 28  #: sockaddr_in6
CONTROL_BYTES = 128  #: time stamp and hop limit, or time stamp and extended error
RECEIVE_BYTES = 16 << 20  #: asked for; the kernel accounts for twice as much
#: Kernel memory that one echo in flight may take from the receive buffer: its answer and its transmit stamp, each a
#: small packet buffer with its bookkeeping (768 to 1280 bytes).
BYTES_IN_FLIGHT = 2560


class Ticket:
    """Leave to probe one address, given by the gate. Nothing can be sent without one."""

    __slots__ = (
        "connects", "credit", "device", "earliest_ns", "on_link", "packed", "sockaddr", "target", "unlimited", "zone"
    )  # fmt: skip

    def __init__(
        self, target: Target, packed: bytes, sockaddr: bytes, zone: Zone, device: Device, connects: bool
    ) -> None:
        self.target = target
        self.packed = packed  #: the address, 4 or 16 bytes
        self.sockaddr = sockaddr  #: as the kernel wants it, with port and scope
        self.zone = zone
        self.device = device
        self.connects = connects  #: whether it is for connections rather than datagrams
        self.credit = 0  #: IP bytes that were claimed and not yet sent
        self.earliest_ns = 0  #: for a method's own spacing of attempts
        self.on_link = False  #: whether the kernel must resolve the address itself
        #: Whether no rate, budget or time window applies to it: only a stop does.
        self.unlimited = not (connects or zone.limited or device.limited)

    @property
    def lane(self) -> tuple[str, bool]:
        """Tickets of the same lane wait for the same budgets."""
        return self.zone.permit.zone, self.on_link

    @property
    def scope_id(self) -> int:
        """Index of the interface that a link-local address is on; 0 for others."""
        return int.from_bytes(self.sockaddr[24:28], sys.byteorder)


def pack_sockaddr(packed: bytes, port: int, scope_id: int) -> bytes:
    """``sockaddr_in`` or ``sockaddr_in6`` of a packed address."""
    port_bytes = port.to_bytes(2)
    if len(packed) == 4:
        return struct.pack("=H2s4s8x", AF_INET, port_bytes, packed)
    return struct.pack("=H2sI16sI", AF_INET6, port_bytes, 0, packed, scope_id)


class EchoPort:
    """ICMP or ICMPv6 echo in bulk, with the kernel's time stamps on both ways."""

    def __init__(self, opened: socket, *, raw: bool, clock: Callable[[], int], receive_bytes: int | None) -> None:
        self.version = 4 if opened.family == AF_INET else 6
        self.raw = raw  #: whether it sees IPv4 headers and chooses its identifier itself
        self._socket = opened
        self._fd = opened.fileno()
        self._clock = clock
        self._name_bytes = 16 if self.version == 4 else NAME_BYTES
        self.overhead = 20 if self.version == 4 else 40  #: bytes of the IP header
        self.stamp_base = 0  #: how many packets had been sent when the kernel's count of them was last set to zero
        self._sent = 0
        self.received = Batch(SLOTS, MESSAGE_BYTES, self._name_bytes, CONTROL_BYTES)
        self._stamped = Batch(SLOTS, MESSAGE_BYTES, self._name_bytes, CONTROL_BYTES)
        self._sending: Batch | None = None
        opened.setblocking(False)
        self._buffers(receive_bytes)
        self._count_from_zero()
        self.ident = self._identify()
        self._options()

    # --- options ---------------------------------------------------------------------------------------------------

    def _buffers(self, receive_bytes: int | None) -> None:
        wanted = receive_bytes if receive_bytes is not None else RECEIVE_BYTES
        for force, plain in ((SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)):
            try:
                self._socket.setsockopt(SOL_SOCKET, force, wanted)
            except PermissionError:
                self._socket.setsockopt(SOL_SOCKET, plain, wanted)  # capped by net.core.{r,w}mem_max
        granted = self._socket.getsockopt(SOL_SOCKET, SO_RCVBUF)
        self.window = max(1, granted // BYTES_IN_FLIGHT)  #: echoes in flight that cannot overflow the receive buffer

    def _count_from_zero(self) -> None:
        """Let the kernel number transmit stamps from zero; a failed send leaves it unclear where its count stands."""
        flags = TX_SOFTWARE | RX_SOFTWARE | SOFTWARE | OPT_TSONLY
        self._socket.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, flags)
        self._socket.setsockopt(SOL_SOCKET, SO_TIMESTAMPING, flags | OPT_ID)
        self.stamp_base = self._sent

    def _identify(self) -> int:
        if self.raw:
            return secrets.randbelow(1 << 16)
        self._socket.bind(("0.0.0.0" if self.version == 4 else "::", 0))  # noqa: S104 - the kernel picks the identifier
        ident: int = self._socket.getsockname()[1]
        return ident

    def _options(self) -> None:
        set_option = self._socket.setsockopt
        if self.version == 6:
            set_option(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
        if not self.raw:
            if self.version == 4:
                set_option(IPPROTO_IP, IP_RECVTTL, 1)
                set_option(IPPROTO_IP, IP_RECVERR, 1)
            else:
                set_option(IPPROTO_IPV6, IPV6_RECVERR, 1)
            return
        if self.version == 4:  # echo reply, destination unreachable, time exceeded, parameter problem (RFC 792)
            set_option(SOL_RAW, ICMP_FILTER, struct.pack("=I", 0xFFFFFFFF & ~(1 << 0 | 1 << 3 | 1 << 11 | 1 << 12)))
        else:  # the same of RFC 4443
            blocked = array("I", [0xFFFFFFFF] * 8)
            for kind in (1, 2, 3, 4, 129):
                blocked[kind >> 5] &= ~(1 << (kind & 31))
            set_option(IPPROTO_ICMPV6, ICMPV6_FILTER, blocked.tobytes())
        self._filter()

    def _filter(self) -> None:
        """Keep the answers to other processes out of the receive buffer (classic BPF).

        A raw IPv4 socket filters from the IP header on, an ICMPv6 one from the ICMP header on (RFC 3542 section 3).
        """
        load_type, load_ident, reply = (0x50, 0x48, 0) if self.version == 4 else (0x30, 0x28, 129)
        program = [
            (0xB1, 0, 0, 0) if self.version == 4 else (0x00, 0, 0, 0),  # X = length of the IP header
            (load_type, 0, 0, 0),
            (0x15, 0, 2, reply),  # not an echo reply, so an error: accept
            (load_ident, 0, 0, 4),
            (0x15, 0, 1, self.ident),
            (0x06, 0, 0, 0xFFFFFFFF),  # accept
            (0x06, 0, 0, 0),
        ]
        code = array("B", b"".join(struct.pack("=HBBI", *instruction) for instruction in program))
        address, length = code.buffer_info()
        self._socket.setsockopt(SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", length // 8, address))

    # --- sending ---------------------------------------------------------------------------------------------------

    async def send(self, tickets: Sequence[Ticket], messages: Sequence[bytes], claimed_ns: int) -> tuple[int, int]:
        """Send ``messages`` (all of one length, at most :data:`SLOTS`) to the holders of ``tickets``.

        Returns:
            How many were sent, and the errno that kept the next one from being sent (0 if all were).

        Raises:
            PermissionError: if a packet was not claimed. It is a bug of the caller; nothing is sent.
        """
        size = len(messages[0]) + self.overhead
        for ticket in tickets:
            ticket.credit -= size
            if ticket.credit < 0:
                raise PermissionError(f"nothing was claimed for {ticket.target.address}")
        batch = self._sending
        if batch is None or len(batch.messages) != SLOTS * len(messages[0]):
            batch = self._sending = Batch(SLOTS, len(messages[0]), self._name_bytes)
        count = len(messages)
        batch.messages[: count * len(messages[0])] = b"".join(messages)
        batch.names[: count * self._name_bytes] = b"".join([ticket.sockaddr for ticket in tickets])
        if count < THREAD_FROM:
            sent, error = batch.send(self._fd, 0, count)
        else:  # the kernel sends on one core while the answers that are here already are read on another
            loop = asyncio.get_running_loop()
            sent, error = await loop.run_in_executor(None, batch.send, self._fd, 0, count)
        self._sent += sent
        for ticket in tickets[sent:]:
            ticket.credit += size
        if error:
            self._count_from_zero()
        left_ns = self._clock()
        paced = [ticket for ticket in tickets if not ticket.unlimited]
        for zone in {ticket.zone for ticket in paced}:
            zone.settle(claimed_ns, left_ns)
        for ticket in paced:
            ticket.device.settle(claimed_ns, left_ns)
        return sent, error

    # --- receiving -------------------------------------------------------------------------------------------------

    def receive(self) -> int:
        """Read queued messages into :attr:`received`; how many."""
        return self.received.receive(self._fd)

    def errors(self) -> tuple[Batch, int]:
        """Read the error queue (transmit stamps, and ICMP errors of a ping socket): the batch and how many."""
        return self._stamped, self._stamped.receive(self._fd, MSG_ERRQUEUE)

    def drops(self) -> int:
        """Messages that the kernel threw away so far because the receive buffer was full.

        The same counter as SO_RXQ_OVFL, which however is told only with a later message.
        """
        return struct.unpack("=9I", self._socket.getsockopt(SOL_SOCKET, SO_MEMINFO, 36))[8]  # type: ignore[no-any-return]

    async def wait(self, timeout_s: float) -> None:
        """Wait until something is queued, or the time is over."""
        await _ready(self._fd, timeout_s)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


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
        if not await _ready(self._socket.fileno(), timeout_s, write=True):
            return ETIMEDOUT, True
        return self._socket.getsockopt(SOL_SOCKET, SO_ERROR), True

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
                if not await _ready(self._socket.fileno(), linger_s):
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


class NetlinkPort:
    """Questions to this host's kernel (rtnetlink(7)), and the one command that makes it ask for a neighbour."""

    def __init__(self, opened: socket) -> None:
        self._socket = opened
        self._socket.bind((0, 0))

    def ask(self, kind: int, message: bytes) -> list[bytes]:
        """Put a question (an ``RTM_GET...``, which changes and sends nothing) and return its answer's datagrams.

        Raises:
            PermissionError: if it is no question. It is a bug of the caller; nothing is sent.
        """
        if kind % 4 != RTM_GET:
            raise PermissionError(f"netlink message type {kind} asks nothing")
        return self._exchange(message)

    def solicit(self, ticket: Ticket, size: int, message: bytes) -> list[bytes]:
        """Have the kernel ask for the neighbour ``ticket``, which must have been claimed for ``size`` bytes.

        Raises:
            PermissionError: if it was not claimed, or the message is about another address. It is a bug of the caller.
        """
        if ticket.credit < size or ticket.packed not in message:
            raise PermissionError(f"nothing was claimed for {ticket.target.address}")
        ticket.credit -= size
        return self._exchange(message)

    def _exchange(self, message: bytes) -> list[bytes]:
        self._socket.send(message)
        datagrams = []
        with suppress(BlockingIOError):  # the kernel answers before send() returns
            while True:
                datagrams.append(self._socket.recv(1 << 18))
        return datagrams

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


async def _ready(fd: int, timeout_s: float, *, write: bool = False) -> bool:
    """Wait until ``fd`` can be read (or written); false if the time was over first."""
    loop = asyncio.get_running_loop()
    woken: asyncio.Future[bool] = loop.create_future()

    def wake(ready: bool) -> None:
        if not woken.done():
            woken.set_result(ready)

    (loop.add_writer if write else loop.add_reader)(fd, wake, True)
    timer = loop.call_later(timeout_s, wake, False)
    try:
        return await woken
    finally:
        timer.cancel()
        (loop.remove_writer if write else loop.remove_reader)(fd)
