"""SNMP as an application that lives: discovery without a secret, and a real agent."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.codec.ber import encoder
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message

from probes.applications import NotThisProtocol
from probes.applications.der import arcs
from probes.applications.der import element
from probes.applications.der import integer
from probes.applications.der import oid
from probes.applications.snmp import OBJECT_ID
from probes.applications.snmp import discovery
from probes.applications.snmp import get
from probes.applications.snmp import report
from probes.gate import Gate
from probes.permit import Permit
from probes.permit import ZonePermit
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import captures
from tests.probes.talk import hear
from tests.probes.talk import perform

REQUEST = 0x5050_0000
ENGINE = bytes.fromhex("80001f8803aabbccddeeff")
COMMUNITY = "not-public-at-all"


def reported(request: int = REQUEST, engine: bytes = ENGINE, counter: str = "1.3.6.1.6.3.15.1.1.4.0") -> bytes:
    """By hand from RFC 3412 section 6 and RFC 3414 section 4."""
    nobody = element(4)
    header = element(0x30, integer(request), integer(65507), element(4, b"\0"), integer(3))
    security = element(0x30, element(4, engine), integer(7), integer(1234), nobody, nobody, nobody)
    binding = element(0x30, oid(counter), element(0x41, b"\1"))
    pdu = element(0xA8, integer(request), integer(0), integer(0), element(0x30, binding))
    return element(0x30, integer(3), header, element(4, security), element(0x30, element(4, engine), element(4), pdu))


def test_a_discovery_reads_as_another_implementation_writes_it() -> None:
    message, rest = decoder.decode(discovery(REQUEST), asn1Spec=SNMPv3Message())
    assert not rest
    assert (int(message["msgVersion"]), int(message["msgGlobalData"]["msgID"])) == (3, REQUEST)
    assert bytes(message["msgGlobalData"]["msgFlags"]) == b"\x04"
    assert bytes(message["msgData"]["plaintext"]["contextEngineId"]) == b""
    assert encoder.encode(message) == discovery(REQUEST)


def test_without_a_secret_the_engine_is_asked_for_its_name() -> None:
    facts, said = hear("snmp", reported())
    assert facts == {"engine": ENGINE.hex(), "enterprise": "8072", "boots": "7", "up-s": "1234"}
    assert said == discovery(REQUEST)


def responded(
    request: int = REQUEST,
    value: bytes = oid("1.3.6.1.4.1.99999.7"),
    name: str = OBJECT_ID,
    status: int = 0,
    tag: int = 0xA2,
) -> bytes:
    """By hand from RFC 1901 section 3 and RFC 3416 section 3."""
    bindings = element(0x30, element(0x30, oid(name), value))
    pdu = element(tag, integer(request), integer(status), integer(0), bindings)
    return element(0x30, integer(1), element(4, COMMUNITY.encode()), pdu)


def test_a_request_with_a_community_reads_as_another_implementation_writes_it() -> None:
    from pysnmp.proto import api

    message, rest = decoder.decode(get(COMMUNITY, REQUEST), asn1Spec=api.v2c.Message())
    assert not rest
    assert (int(message["version"]), bytes(message["community"])) == (1, COMMUNITY.encode())
    pdu = api.v2c.apiMessage.get_pdu(message)
    assert pdu.tagSet == api.v2c.GetRequestPDU.tagSet
    ((name, value),) = api.v2c.apiPDU.get_varbinds(pdu)
    assert (str(name), int(api.v2c.apiPDU.get_request_id(pdu))) == (OBJECT_ID, REQUEST)
    assert not bytes(value)


@pytest.mark.parametrize(
    ("heard", "facts"),
    [
        (responded(), {"object-id": "1.3.6.1.4.1.99999.7"}),
        (responded(value=b"\x80\0"), {"refused": "no-such-object"}),
        (responded(value=b"\x81\0"), {"refused": "no-such-instance"}),
        (responded(status=16), {"refused": "error-status 16"}),
    ],
)
def test_with_a_community_the_kind_of_device_is_asked_for(heard: bytes, facts: dict[str, str]) -> None:
    assert hear("snmp", heard, community=COMMUNITY) == (facts, get(COMMUNITY, REQUEST))
    other = reported(REQUEST + 1)
    assert hear("snmp", other, community=COMMUNITY, attempt="1")[1] == discovery(REQUEST + 1)


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (responded(REQUEST + 1), "another request"),
        (responded(name="1.3.6.1.2.1.1.1.0"), "something else"),
        (responded(value=integer(7)), "no object identifier"),
        (responded(value=b""), "no binding"),
        (responded(tag=0xA0), "other kinds"),
        (reported(), "other kinds"),
        (responded()[:-1], "beyond the end"),
        (responded() + b"\0", "without a length"),
    ],
)
def test_what_is_no_answer_to_that(heard: bytes, why: str) -> None:
    with pytest.raises((NotThisProtocol, Ended), match=why):
        hear("snmp", heard, community=COMMUNITY)


@given(st.integers(0, 80), st.binary(min_size=1, max_size=3))
def test_a_spoilt_answer_with_a_community_ends_in_facts_or_in_a_reason(at: int, octets: bytes) -> None:
    whole = responded()
    try:
        facts, _ = hear("snmp", whole[:at] + octets + whole[at + len(octets) :], community=COMMUNITY)
    except (NotThisProtocol, Ended):
        return
    assert all(text.isprintable() for text in facts.values())


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (reported(REQUEST + 1), "another request"),
        (reported(engine=b"1234"), "identifier of an engine"),
        (reported(counter="1.3.6.1.6.3.15.1.1.3.0"), "something else"),
        (reported() + b"\0", "without a length"),
        (reported()[:-1], "beyond the end"),
        (bytes.fromhex("3084ffffffff"), "beyond the end"),
        (bytes.fromhex("3089ffffffffffffffffff"), "a length that is none"),
        (bytes.fromhex("3080 0000"), "a length that is none"),
    ],
)
def test_what_is_no_answer(heard: bytes, why: str) -> None:
    with pytest.raises(NotThisProtocol, match=why):
        hear("snmp", heard)


@given(
    st.binary(min_size=1, max_size=100) | st.tuples(st.integers(0, 80), st.binary(min_size=1, max_size=3)),
)
def test_whatever_comes_ends_in_facts_or_in_a_reason(heard: bytes | tuple[int, bytes]) -> None:
    if isinstance(heard, tuple):  # an answer with some octets spoilt
        whole = reported()
        heard = whole[: heard[0]] + heard[1] + whole[heard[0] + len(heard[1]) :]
    try:
        facts, _ = hear("snmp", heard)
    except (NotThisProtocol, Ended):
        return
    assert all(text.isprintable() for text in facts.values())


@given(st.lists(st.integers(0, 2**32), max_size=20))
def test_an_object_identifier_is_read_as_it_was_written(rest: list[int]) -> None:
    text = ".".join(map(str, (1, 3, *rest)))
    assert arcs(oid(text)[2:]) == text


def test_recorded_reports_of_a_router_name_its_engine() -> None:
    from scapy.all import UDP
    from scapy.all import rdpcap

    packets = [it[UDP] for it in rdpcap(str(captures() / "ndpi/pcap/snmp.pcap")) if it.haslayer(UDP)]
    said = [bytes(it.payload) for it in packets if it.sport == 161]
    reports = [it for it in said if oid("1.3.6.1.6.3.15.1.1.4.0") in it]
    assert reports
    for heard in reports:
        told = report(heard, int.from_bytes(heard[9:13]))  # its request stands there
        assert (told["engine"], told["enterprise"], told["boots"]) == ("800000090300aabbcc000100", "9", "12")
    for heard in set(said) - set(reports):
        with pytest.raises(NotThisProtocol):
            report(heard, int.from_bytes(heard[9:13]))


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """An agent of Net-SNMP on the loopback; its port."""
    program = shutil.which("snmpd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if not program:
        pytest.skip("no snmpd here")
    folder = tmp_path_factory.mktemp("agent")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HOST, 0))
        port = one.getsockname()[1]
    lines = (f"rocommunity {COMMUNITY}", "sysDescr Example PX-7", "sysObjectID 1.3.6.1.4.1.99999.7", "")
    (folder / "snmpd.conf").write_text("\n".join(lines))
    command = [program, "-f", "-Lf", folder / "log", "-C", "-c", folder / "snmpd.conf", "-p", folder / "pid"]
    environment = {"SNMP_PERSISTENT_DIR": str(folder), "PATH": "/usr/bin:/bin", "MIBS": ""}
    running = subprocess.Popen([*command, f"udp:{HOST}:{port}"], env=environment)
    try:
        deadline_s = time.monotonic() + 10
        while not ((folder / "log").exists() and "NET-SNMP version" in (folder / "log").read_text()):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        yield port
    finally:
        running.terminate()
        running.wait()


def test_a_real_agent_names_its_engine_without_a_secret(agent: int) -> None:
    seen = perform("snmp", agent, attempts=2)
    assert [it.error for it in seen] == [None, None], seen
    assert json.loads(seen[0].detail)["said"]["enterprise"] == "8072"


def permitting(**secret: object) -> Gate:
    zone = ZonePermit("cell", "query")
    return Gate(Permit("v", {HOST: "cell"}, {"cell": zone}, {}, credentials={HOST: secret}))


def test_a_real_agent_says_what_it_is_to_who_knows_its_community_and_nobody_is_told_that(agent: int) -> None:
    seen = perform("snmp", agent, gate=permitting(community=COMMUNITY), attempts=3)
    said = [json.loads(it.detail)["said"] for it in seen]
    assert [it.error for it in seen] == [None] * 3
    assert [set(it) for it in said] == [{"object-id"}, {"engine", "enterprise", "boots", "up-s"}, {"object-id"}]
    assert said[0]["object-id"] == "1.3.6.1.4.1.99999.7"
    assert not seen.kept
    everything = "".join(f"{it.detail}{it.error}" for it in seen)
    assert COMMUNITY not in everything
    assert COMMUNITY.encode().hex() not in everything


@pytest.mark.parametrize("secret", [{"user": "ops", "authentication": {"password": "hunter-2"}}, {"community": ""}])
def test_without_a_community_the_engine_is_asked_for_as_ever(agent: int, secret: dict[str, object]) -> None:
    (seen,) = perform("snmp", agent, gate=permitting(**secret))
    assert "engine" in json.loads(seen.detail)["said"]


def test_a_wrong_community_is_no_fault_of_an_agent_that_answers_the_other_question(agent: int) -> None:
    seen = perform("snmp", agent, gate=permitting(community="wrong-altogether"), attempts=2, timeout_ms=300)
    assert [it.error for it in seen] == ["timeout", None]
    assert not seen.kept
