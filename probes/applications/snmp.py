"""SNMP: which engine answers, by the discovery of version 3, which needs no secret.

A request to an engine that is not named is answered by a report that names it (RFC 3414 section 4), whatever it may be
asked afterwards and by whom. So no community has to be known here, and none can be guessed. An agent that speaks
versions 1 and 2c alone leaves it unanswered: such a service is to be declared without its protocol.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping

from probes.applications import Datagram
from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Send
from probes.applications import expect
from probes.applications.der import INTEGER
from probes.applications.der import OCTETS
from probes.applications.der import SEQUENCE
from probes.applications.der import arcs
from probes.applications.der import element
from probes.applications.der import elements
from probes.applications.der import integer
from probes.applications.der import number
from probes.applications.der import parts
from probes.applications.der import whole

GET, REPORT = 0xA0, 0xA8  #: RFC 3416 section 3
V3, USM = 3, 3
REPORTABLE = b"\x04"  #: no authentication, no privacy (RFC 3412 section 6.4)
LARGEST = 65_507  #: octets of a message that we take (RFC 3412 section 6.3)
UNKNOWN_ENGINES = "1.3.6.1.6.3.15.1.1.4.0"  #: usmStatsUnknownEngineIDs (RFC 3414 section 5)
FIRST_REQUEST = 0x5050_0000


def discovery(request: int) -> bytes:
    """A request of version 3 to an engine that is not named."""
    header = element(SEQUENCE, integer(request), integer(LARGEST), element(OCTETS, REPORTABLE), integer(USM))
    nobody = element(OCTETS)
    security = element(SEQUENCE, nobody, integer(0), integer(0), nobody, nobody, nobody)
    pdu = element(GET, integer(request), integer(0), integer(0), element(SEQUENCE))
    scoped = element(SEQUENCE, nobody, nobody, pdu)
    return element(SEQUENCE, integer(V3), header, element(OCTETS, security), scoped)


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask which engine it is."""
    request = FIRST_REQUEST + int(asked.get("attempt", "0")) % 0x10000
    yield Send(discovery(request))
    return report((yield Datagram()), request)


def report(datagram: bytes, request: int) -> dict[str, str]:
    """Which engine a report names.

    Raises:
        NotThisProtocol: if it is none to this discovery.
    """
    version, header, security, scoped = parts(whole(datagram, SEQUENCE), INTEGER, SEQUENCE, OCTETS, SEQUENCE)
    expect(number(version) == V3, "another version than was asked in")
    said, _, _, model = parts(header, INTEGER, INTEGER, OCTETS, INTEGER)
    expect(number(said) == request and number(model) == USM, "an answer to another request")
    of_engine = (OCTETS, INTEGER, INTEGER, OCTETS, OCTETS, OCTETS)
    engine, boots, up_s, *_ = parts(whole(security, SEQUENCE), *of_engine)
    expect(5 <= len(engine) <= 32, "no identifier of an engine")  # RFC 3411 section 5, SnmpEngineID
    _, _, pdu = parts(scoped, OCTETS, OCTETS, REPORT)
    *_, bindings = parts(pdu, INTEGER, INTEGER, INTEGER, SEQUENCE)
    counted = list(elements(whole(bindings, SEQUENCE)))
    expect(len(counted) == 2 and arcs(counted[0][1]) == UNKNOWN_ENGINES, "a report of something else")
    maker = int.from_bytes(engine[:4]) & 0x7FFF_FFFF  # an enterprise number, registered at IANA
    told = {"engine": engine.hex(), "enterprise": str(maker)}
    return told | {"boots": str(number(boots)), "up-s": str(number(up_s))}


PROTOCOL = Protocol("snmp", "udp", converse)
