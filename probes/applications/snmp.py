"""SNMP: who the agent is, with or without a community.

With a community, a GetRequest of version 2c for sysObjectID and sysDescr (RFC 3416 4.2.1, RFC 3418). Without one, the
discovery of version 3, which needs no secret: a request to an engine that is not named is answered by a report that
names it (RFC 3414 section 4). A wrong community is answered by silence, like an agent that is not there, and an agent
of version 2c alone leaves the discovery unanswered. Nothing is ever set.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping

from probes.applications import Datagram
from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Send
from probes.applications import expect
from probes.applications import printable
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
REPORTABLE = b"\x04"  #: no authentication, no privacy (RFC 3412 section 6.4)
LARGEST = 65_507  #: octets of a message that we take (RFC 3412 section 6.3)
SYS_DESCR, SYS_OBJECT_ID = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0"
UNKNOWN_ENGINES = "1.3.6.1.6.3.15.1.1.4.0"  #: usmStatsUnknownEngineIDs (RFC 3414 section 5)
FIRST_REQUEST = 0x5050_0000

#: error-status (RFC 3416 section 3)
ERRORS = {1: "too big", 2: "no such name", 5: "general error", 6: "no access", 13: "resource unavailable"}
ERRORS |= {16: "authorization error"}


def get(request: int, community: bytes) -> bytes:
    """A GetRequest of version 2c for the two objects that say what the agent is."""
    wanted = (element(SEQUENCE, oid(name), element(NULL)) for name in (SYS_OBJECT_ID, SYS_DESCR))
    pdu = element(GET, integer(request), integer(0), integer(0), element(SEQUENCE, *wanted))
    return element(SEQUENCE, integer(V2C), element(OCTETS, community), pdu)


def discovery(request: int) -> bytes:
    """A request of version 3 to an engine that is not named."""
    header = element(SEQUENCE, integer(request), integer(LARGEST), element(OCTETS, REPORTABLE), integer(USM))
    nobody = element(OCTETS)
    security = element(SEQUENCE, nobody, integer(0), integer(0), nobody, nobody, nobody)
    pdu = element(GET, integer(request), integer(0), integer(0), element(SEQUENCE))
    scoped = element(SEQUENCE, nobody, nobody, pdu)
    return element(SEQUENCE, integer(V3), header, element(OCTETS, security), scoped)


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask who the agent is."""
    request = FIRST_REQUEST + int(asked.get("attempt", "0")) % 0x10000
    if community := asked.get("community", "").encode():
        yield Send(get(request, community))
        return response((yield Datagram()), request, community)
    yield Send(discovery(request))
    return report((yield Datagram()), request)


def response(datagram: bytes, request: int, community: bytes) -> dict[str, str]:
    """What a response of version 2c says.

    Raises:
        NotThisProtocol: if it is none to this request.
    """
    version, told, pdu = parts(whole(datagram, SEQUENCE), INTEGER, OCTETS, RESPONSE)
    expect(number(version) == V2C, "another version than was asked in")
    expect(told == community, "an answer in another community")
    said, status, _, bindings = parts(pdu, INTEGER, INTEGER, INTEGER, SEQUENCE)
    expect(number(said) == request, "an answer to another request")
    if code := number(status):
        return {"refused": ERRORS.get(code, f"error {code}")}
    found = [list(elements(binding)) for tag, binding in elements(bindings) if tag == SEQUENCE]
    shaped = len(found) == 2 and all(len(it) == 2 and it[0][0] == OID for it in found)
    names = [arcs(it[0][1]) for it in found] if shaped else []
    expect(names == [SYS_OBJECT_ID, SYS_DESCR], "other objects than were asked for")
    (kind, object_id), (text_kind, text) = found[0][1], found[1][1]
    told_by = {"object-id": arcs(object_id) if kind == OID else ""}
    told_by["description"] = printable(text) if text_kind == OCTETS else ""
    return {name: value for name, value in told_by.items() if value}


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
