"""Applications: one module for each protocol, which asks who answers and understands what is said, and sends nothing.

A module defines ``PROTOCOL``. Its ``converse(asked)`` is a generator that never sees a socket: it yields steps (say
this, hear so much), is resumed with what was heard, and returns what the device says of itself. It asks as little as
shows that the application lives, and never anything that writes, subscribes, logs in or changes a state. A refusal in
the protocol's own words is an answer: the application lives. What cannot be that protocol raises
:class:`NotThisProtocol`; an end that the protocol itself tells, where an answer is due, raises :class:`Ended`.

Whoever performs the steps (:mod:`probes.applications.exchange`) bounds time, octets and packets.

Standard library only: this package travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Generator
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from re import Pattern

#: Module of each protocol by the name that a plant file gives it, as in ``tcp/502:modbus``.
PROTOCOLS: dict[str, str] = {
    "bacnet": "probes.applications.bacnet",
    "dnp3": "probes.applications.dnp3",
    "ethernet-ip": "probes.applications.ethernet_ip",
    "http": "probes.applications.http",
    "https": "probes.applications.https",
    "iec104": "probes.applications.iec104",
    "modbus": "probes.applications.modbus",
    "mqtt": "probes.applications.mqtt",
    "opc-ua": "probes.applications.opc_ua",
    "profinet-dcp": "probes.applications.profinet_dcp",
    "rtsp": "probes.applications.rtsp",
    "s7": "probes.applications.s7",
    "snmp": "probes.applications.snmp",
    "ssh": "probes.applications.ssh",
}

TEXT_LIMIT = 80  #: characters of one fact
FACTS_LIMIT = 12  #: facts of one answer


@dataclass(frozen=True, slots=True)
class Send:
    """Say this; resumed with nothing."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """Hear exactly so many octets of a stream."""

    count: int


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Hear a line of a stream, LF included; one that is longer than ``limit`` octets is no line of this protocol."""

    limit: int = 512


@dataclass(frozen=True, slots=True)
class ReadSome:
    """Hear whatever comes next of a stream: one octet at the least, ``limit`` at the most."""

    limit: int


@dataclass(frozen=True, slots=True)
class Datagram:
    """Hear one datagram, whole; on a link, a frame's content behind its sender's hardware address."""


Step = Send | Read | ReadLine | ReadSome | Datagram
#: Yields steps, is resumed with what was heard, returns facts of the identity, made :func:`printable`.
Dialogue = Generator[Step, bytes, Mapping[str, str]]


class NotThisProtocol(Exception):
    """What came is not an answer in this protocol, and why it is not."""


class Ended(Exception):
    """The other side ended in the words of its protocol, without an answer."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One application protocol, as far as it is asked whether it lives."""

    name: str
    transport: str  #: ``tcp``, ``udp``, or ``ethernet`` where it is spoken below IP, on the own link
    converse: Callable[[Mapping[str, str]], Dialogue]
    """Begin a dialogue. What is ``asked`` holds ``address``, ``port`` and ``attempt``, from 0, as text, and ``station``
    if one is declared."""
    stations: range = range(0)  #: numbers of the stations or units that can be meant behind one address; empty: none
    needs_station: bool = False  #: whether nobody answers who is not called by number or name
    number: int = 0  #: the one EtherType that it is spoken under; 0: ports are free
    community: bool = False  #: whether more can be asked with a community, which ``asked`` holds then
    names: Pattern[str] | None = None  #: what the name of a station is, where they have names instead of numbers


def dialogue(name: str) -> Protocol:
    """The protocol ``name``.

    Raises:
        LookupError: if there is none of that name.
    """
    if name not in PROTOCOLS:
        raise LookupError(f"no application protocol {name!r}; known: {', '.join(sorted(PROTOCOLS))}")
    found: Protocol = import_module(PROTOCOLS[name]).PROTOCOL
    return found


def printable(octets: bytes, limit: int = TEXT_LIMIT) -> str:
    """What a device says of itself, as text to be shown: UTF-8, else Latin-1, without what does not print, bounded."""
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    return "".join(it if it.isprintable() else " " for it in text).strip()[:limit]


def authority(asked: Mapping[str, str]) -> str:
    """Address and port as URLs have them (RFC 3986 3.2.2): version 6 in brackets, without a zone of our own."""
    address = asked["address"]
    return f"[{address.partition('%')[0]}]:{asked['port']}" if ":" in address else f"{address}:{asked['port']}"


def expect(holds: bool, why: str) -> None:
    """Raise :class:`NotThisProtocol` unless it ``holds``."""
    if not holds:
        raise NotThisProtocol(why)
