"""SNMP: which engine answers, by the discovery of version 3, which needs no secret; what it is, where one is known.

A request to an engine that is not named is answered by a report that names it (RFC 3414 section 4), whatever it may be
asked afterwards and by whom. So no community has to be known here, and none can be guessed. An agent that speaks
versions 1 and 2c alone leaves it unanswered: such a service is to be declared without its protocol, or its terminal
with credentials. If they hold a community, attempts in turn ask for sysObjectID by version 2c and discover the engine:
a wrong community is silence, and no fault of an agent that answers the other question.

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
from probes.applications.der import NULL
from probes.applications.der import OCTETS
from probes.applications.der import OID
from probes.applications.der import SEQUENCE
from probes.applications.der import arcs
from probes.applications.der import element
from probes.applications.der import elements
from probes.applications.der import integer
from probes.applications.der import number
from probes.applications.der import oid
from probes.applications.der import parts
from probes.applications.der import whole

GET, RESPONSE, REPORT = 0xA0, 0xA2, 0xA8  #: RFC 3416 section 3
V2C, V3, USM = 1, 3, 3
OBJECT_ID = "1.3.6.1.2.1.1.2.0"  #: sysObjectID (RFC 3418 section 2)
MISSING = {0x80: "no-such-object", 0x81: "no-such-instance", 0x82: "end-of-view"}  #: RFC 3416 section 3
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


def get(community: str, request: int) -> bytes:
    """A request of version 2c for sysObjectID (RFC 1901 section 3, RFC 3416 section 4.2.1)."""
    bindings = element(SEQUENCE, element(SEQUENCE, oid(OBJECT_ID), element(NULL)))
    pdu = element(GET, integer(request), integer(0), integer(0), bindings)
    return element(SEQUENCE, integer(V2C), element(OCTETS, community.encode("utf-8", "surrogatepass")), pdu)


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask which engine it is, or, if a community is known, what kind of device."""
    attempt = int(asked.get("attempt", "0"))
    request = FIRST_REQUEST + attempt % 0x10000
    community = asked.get("community", "")
    if community and attempt % 2 == 0:
        yield Send(get(community, request))
        return response((yield Datagram()), request)
    yield Send(discovery(request))
    return report((yield Datagram()), request)


def response(datagram: bytes, request: int) -> dict[str, str]:
    """Which sysObjectID a response names; why it names none, where the agent says so.

    Raises:
        NotThisProtocol: if it is none to this request.
    """
    version, _, pdu = parts(whole(datagram, SEQUENCE), INTEGER, OCTETS, RESPONSE)
    expect(number(version) == V2C, "another version than was asked in")
    said, status, _, bindings = parts(pdu, INTEGER, INTEGER, INTEGER, SEQUENCE)
    expect(number(said) == request, "an answer to another request")
    if number(status):
        return {"refused": f"error-status {number(status)}"}
    ((name, content), (kind, value)) = _pair(whole(bindings, SEQUENCE))
    expect(name == OID and arcs(content) == OBJECT_ID, "an answer about something else")
    if kind in MISSING:
        return {"refused": MISSING[kind]}
    expect(kind == OID, "no object identifier")
    return {"object-id": arcs(value)}


def _pair(octets: bytes) -> list[tuple[int, bytes]]:
    found = list(elements(octets))
    expect(len(found) == 2, "no binding of a name and a value")
    return found


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


PROTOCOL = Protocol("snmp", "udp", converse, community=True)
