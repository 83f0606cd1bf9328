"""The port for ICMP and ICMPv6 echo: many packets a call, stamped by the kernel, and an account of what it dropped.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import secrets
import struct
from array import array
from collections.abc import Callable
from collections.abc import Sequence
from socket import AF_INET
from socket import IPPROTO_ICMPV6
from socket import IPPROTO_IP
from socket import IPPROTO_IPV6
from socket import MSG_ERRQUEUE
from socket import SO_RCVBUF
from socket import SO_SNDBUF
from socket import SOL_SOCKET
from typing import TYPE_CHECKING

from probes.mmsg import Batch
from probes.ports import IP_RECVERR
from probes.ports import IPV6_RECVERR
from probes.ports import Ticket
from probes.ports import ready

if TYPE_CHECKING:
    from socket import socket

# linux/net_tstamp.h, asm-generic/socket.h, linux/in.h, linux/in6.h, linux/icmp.h, linux/icmpv6.h, linux/filter.h
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_TIMESTAMPING, SO_MEMINFO, SO_ATTACH_FILTER = 32, 33, 37, 55, 26
TX_SOFTWARE, RX_SOFTWARE, SOFTWARE, OPT_ID, OPT_TSONLY = 1 << 1, 1 << 3, 1 << 4, 1 << 7, 1 << 11
SOL_RAW, ICMP_FILTER, ICMPV6_FILTER = 255, 1, 1
IP_RECVTTL, IPV6_RECVHOPLIMIT = 12, 51

SLOTS = 256  #: packets sent in one system call; more do not fit in the cache
RECEIVE_SLOTS = 320  #: messages read in one; some more, so that one call shows that there are no others
MESSAGE_BYTES = 256  #: room for an answer, or an ICMP error that quotes a question with IP options
NAME_BYTES = 28  #: sockaddr_in6
CONTROL_BYTES = 160  #: time stamp, hop limit and extended error
RECEIVE_BYTES = 16 << 20  #: asked for; the kernel accounts for twice as much
#: Kernel memory that one echo in flight may take from the receive buffer: its answer and its transmit stamp, each a
#: small packet buffer with its bookkeeping (768 to 1280 bytes).
BYTES_IN_FLIGHT = 2560


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
        self.received = Batch(RECEIVE_SLOTS, MESSAGE_BYTES, self._name_bytes, CONTROL_BYTES)
        self._stamped = Batch(RECEIVE_SLOTS, MESSAGE_BYTES, self._name_bytes, CONTROL_BYTES)
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

    def send(self, tickets: Sequence[Ticket], messages: Sequence[bytes], claimed_ns: int) -> tuple[int, int]:
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
        sent, error = batch.send(self._fd, 0, count)
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
        await ready(self._fd, timeout_s)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
