"""The port for an exchange of UDP datagrams with one ticket's address and port, and with nobody else.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
from socket import AF_INET
from socket import IPPROTO_IP
from socket import IPPROTO_IPV6
from typing import TYPE_CHECKING
from typing import Any

from probes.ports import IP_RECVERR
from probes.ports import IPV6_RECVERR
from probes.ports import Ticket
from probes.ports import ready

if TYPE_CHECKING:
    from socket import socket


class DatagramPort:
    """One connected UDP socket: the kernel drops what anybody else sends, and tells of ICMP errors."""

    def __init__(self, opened: socket, ticket: Ticket, address: tuple[Any, ...]) -> None:
        self._socket = opened
        self._ticket = ticket
        self._sent = 0
        level, option = (IPPROTO_IP, IP_RECVERR) if opened.family == AF_INET else (IPPROTO_IPV6, IPV6_RECVERR)
        opened.setsockopt(level, option, 1)  # an ICMP error ends the exchange at once, whatever it says
        opened.connect(address)  # sends nothing; fails where there is no route

    def send(self, octets: bytes) -> None:
        """Send one datagram.

        Raises:
            OSError: if it cannot be sent.
        """
        self._socket.send(octets)
        self._sent += 1

    async def receive(self, most: int, timeout_s: float) -> bytes | None:
        """The next datagram that is not empty, its first ``most`` octets; ``None`` if none came in time.

        Raises:
            OSError: if an ICMP error came instead.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while await ready(self._socket.fileno(), timeout_s):
                    if came := self._socket.recv(most):
                        return came
        except TimeoutError:
            pass
        return None

    def packets(self) -> int:
        """Datagrams sent."""
        return self._sent

    def close(self) -> None:
        """Give the socket and the device's place back."""
        self._ticket.device.connections -= 1
        self._socket.close()
