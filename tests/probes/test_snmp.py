"""Optical power by SNMP: what integers mean, a real agent, and agents that answer in every wrong way."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from probes import snmp
from probes.action import Action
from probes.action import Target
from probes.dialects import known
from probes.dialects import load
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.programs import Finished
from probes.snmp import decode
from probes.snmp_task import reply_of
from probes.tasks.snmp_message import message_id
from profiles.observation import Observation

HUAWEI = load("snmp", "huawei-gpon")
RX = HUAWEI["objects"]["onu-rx-power"]["oid"]
STATUS = HUAWEI["status"]["oid"]
V3 = {
    "user": "ops",
    "authentication": {"protocol": "SHA-256", "password": "authentic-9f31"},
    "privacy": {"protocol": "AES-128", "password": "private-77c2"},
}
COMMUNITY = "community-5d10"
INDEX = "4194304000.1"


# --- what integers mean -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "name", "integer", "expected"),
    [
        ("huawei-gpon", "onu-rx-power", -2150, -21.5),
        ("huawei-gpon", "onu-rx-power", 2147483647, "no-reading"),
        ("huawei-gpon", "onu-rx-power", -5001, "implausible"),
        ("huawei-gpon", "onu-rx-power", 501, "implausible"),
        ("huawei-gpon", "onu-tx-power", 711, 7.11),
        ("huawei-gpon", "olt-rx-power", 7766, -22.34),
        ("huawei-gpon", "onu-ranging", -1, "no-reading"),
        ("huawei-gpon", "onu-ranging", 40001, "implausible"),
        ("huawei-epon", "onu-rx-power", -1905, -19.05),
        ("huawei-epon", "olt-rx-power", 7500, -25.0),
        ("zte-c300", "onu-rx-power", 5000, -20.0),
        ("zte-c300", "onu-rx-power", 62286, -36.5),  # 0xF34E, a negative number of 16 bits
        ("zte-c300", "onu-rx-power", 65535, "no-reading"),
        ("zte-c300", "onu-rx-power", 65536, "implausible"),
        ("zte-c300", "onu-rx-power", 32767, "implausible"),
        ("zte-c300-old", "onu-rx-power", 4321, -21.358),
        ("epon-standard", "onu-rx-power", -187, -18.7),
        ("ubiquiti-ufiber", "onu-rx-power", 0, "no-reading"),
    ],
)
def test_integers_by_dialect(dialect: str, name: str, integer: int, expected: float | str) -> None:
    assert decode({"integer": integer}, load("snmp", dialect)["objects"][name]) == expected


@pytest.mark.parametrize("dialect", sorted(known("snmp")))
@given(value=st.one_of(st.integers(), st.integers(-(1 << 31), 1 << 32)))
def test_no_integer_gives_an_implausible_number(dialect: str, value: int) -> None:
    for how in load("snmp", dialect)["objects"].values():
        found = decode({"integer": value}, how)
        assert isinstance(found, str) or how["least"] <= found <= how["most"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"text": "-21.5"}, "not-a-number"),
        ({"integer": True}, "not-a-number"),
        ({"missing": "no-such-instance"}, "no-such-instance"),
        ({"missing": "no-such-object"}, "no-such-object"),
        ({}, "not-a-number"),
    ],
)
def test_what_is_no_integer_is_no_number(value: dict[str, Any], expected: str) -> None:
    assert decode(value, HUAWEI["objects"]["onu-rx-power"]) == expected


def test_a_recorded_olt_reads_as_its_pollers_read_it() -> None:
    folder = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data")
    folder = folder / "snmp" / "librenms"
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set PLANTPROOF_CORPUS")
    rows = (line.split("|", 2) for line in (folder / "snmprec" / "edgeosolt.snmprec").read_text("utf-8").splitlines())
    values = {oid: {"integer": int(value)} for oid, tag, value in rows if tag == "2"}
    truth = json.loads((folder / "truth_compact.shared.json").read_text("utf-8"))["edgeosolt"]["sensors"]
    expected = {it["index"].removeprefix("rx-"): it["value"] for it in truth if it["index"].startswith("rx-12.")}
    assert len(expected) == 29
    dialect, read, off = load("snmp", "ubiquiti-ufiber"), {}, set()
    for index in expected:
        unit = snmp.Unit(Target(index, "192.0.2.1", "cell"), dialect, index)
        value, error, facts = snmp.reading(unit, {"values": values})
        if value is None:
            assert (error, facts["reason"]) == ("absent", "off-line")
            off.add(index)
        else:
            read[index] = value
    assert read == {index: value for index, value in expected.items() if index not in off}
    assert {expected[index] for index in off} == {0}
    assert len(read) == 16


# --- which message a datagram is ----------------------------------------------------------------------------------


def test_messages_are_told_by_version_and_id() -> None:
    request = v2c.GetRequestPDU()
    v2c.apiPDU.set_defaults(request)
    v2c.apiPDU.set_request_id(request, 77)
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_pdu(message, request)
    whole = encoder.encode(message)
    assert message_id(whole) == (1, 77)
    assert {message_id(whole[:cut]) for cut in range(len(whole))} == {None}
    assert message_id(whole + b"\0") is None


@given(st.binary(max_size=200))
def test_any_datagram_is_a_message_or_none(datagram: bytes) -> None:
    found = message_id(datagram)
    assert found is None or len(found) == 2


# --- asking -------------------------------------------------------------------------------------------------------


class Seen:
    """What the method gave."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []
        self.outputs: dict[str, str] = {}

    def __call__(self, rows: Any, /) -> None:
        self.rows += rows

    def raw(self, name: str, text: str) -> None:
        self.outputs[name] = text

    @property
    def by_unit(self) -> dict[str, float | str | None]:
        return {row.target: row.value if row.error is None else row.error for row in self.rows}

    def fact(self, name: str, target: str = "u0") -> Any:
        return json.loads(next(row.detail for row in self.rows if row.target == target)).get(name)


def ask(
    port: int,
    *indices: str,
    secret: Any = None,
    dialect: dict[str, Any] = HUAWEI,
    zone: ZonePermit | None = None,
    **parameters: Any,
) -> Seen:
    common = {"timeout_ms": 400, "retries": 0, "dialects": {"d": dialect}}
    targets = tuple(
        Target(f"u{number}", "127.0.0.1", "cell", port, json.dumps({"dialect": "d", "index": index}))
        for number, index in enumerate(indices or (INDEX,))
    )
    action = Action("desk", "snmp-read", targets, common | parameters)
    credentials = {"127.0.0.1": {"community": COMMUNITY} if secret is None else secret}
    permit = Permit(
        "desk", {"127.0.0.1": "cell"}, {"cell": zone or ZonePermit("cell", "query")}, {}, credentials=credentials
    )
    seen, gate = Seen(), Gate(permit)
    asyncio.run(method("snmp-read").run(action, gate, seen))
    assert sorted(row.target for row in seen.rows) == sorted(target.id for target in targets)
    assert (snmp.cost(action, permit).packets > 0) == (gate.permit.zones["cell"].level != "passive")
    for secret_text in (COMMUNITY, "authentic-9f31", "private-77c2"):
        assert secret_text not in json.dumps([row.row() for row in seen.rows]) + json.dumps(seen.outputs)
    return seen


TABLE = f"""\
{RX}.{INDEX}|2|-2150
{RX}.4194304000.2|2|2147483647
{RX}.4194304000.3|2|-2900
{RX}.4194304000.4|2|99999
{HUAWEI["objects"]["onu-tx-power"]["oid"]}.{INDEX}|2|212
{HUAWEI["objects"]["olt-rx-power"]["oid"]}.{INDEX}|2|7700
{HUAWEI["objects"]["onu-ranging"]["oid"]}.{INDEX}|2|1234
{STATUS}.{INDEX}|2|1
{STATUS}.4194304000.2|2|1
{STATUS}.4194304000.3|2|2
{STATUS}.4194304000.4|2|1
{STATUS}.4194304000.6|2|1
"""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real snmpd on loopback that serves a Huawei OLT's table; its port."""
    if shutil.which("snmpd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("snmpd is not installed")
    home, port = tmp_path_factory.mktemp("agent"), free_port()
    script = Path(__file__).parents[2] / "fixtures" / "lab" / "instruments" / "table.py"
    (home / "olt.snmprec").write_text(TABLE, "utf-8")
    (home / "overlays").mkdir()
    (home / "agent.conf").write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity {COMMUNITY}\n"
        f'createUser ops SHA-256 "{V3["authentication"]["password"]}" AES "{V3["privacy"]["password"]}"\n'  # type: ignore[index]
        "rouser ops authpriv .1\n"
        f"pass_persist .1.3.6.1.4.1.2011.6.128 {sys.executable} -I -S {script} {home}/olt.snmprec {home}/overlays\n",
        "utf-8",
    )
    environment = {"SNMP_PERSISTENT_DIR": str(home), "MIBS": "", "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    command = ["snmpd", "-f", "-Lo", "-C", "-c", str(home / "agent.conf"), "-p", str(home / "pid")]
    with (home / "log").open("wb") as log:
        daemon = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        get = ["snmpget", "-v2c", "-c", COMMUNITY, "-t1", "-r0", f"127.0.0.1:{port}", f".{RX}.{INDEX}"]
        deadline = time.monotonic() + 15
        while subprocess.run(get, capture_output=True, env=environment, check=False).returncode:
            assert daemon.poll() is None, (home / "log").read_text("utf-8")
            assert time.monotonic() < deadline
        yield port
    finally:
        daemon.terminate()
        daemon.wait(10)


@pytest.mark.parametrize("secret", [{"community": COMMUNITY}, V3, V3 | {"community": "not-the-one"}])
def test_a_real_agent_is_read(agent: int, secret: Any) -> None:
    indices = [INDEX, *(f"4194304000.{number}" for number in (2, 3, 4, 5))]
    seen = ask(agent, *indices, secret=secret, timeout_ms=3000)
    assert seen.by_unit == {"u0": -21.5, "u1": "absent", "u2": "absent", "u3": "bad-answer", "u4": "absent"}
    assert [seen.fact("reason", unit) for unit in ("u1", "u2", "u3", "u4")] == [
        "no-reading", "off-line", "implausible", "no-such-instance",
    ]  # fmt: skip
    assert seen.fact("integer") == -2150
    assert (seen.fact("onu-tx-power"), seen.fact("olt-rx-power"), seen.fact("onu-ranging")) == (2.12, -23.0, 1234.0)
    assert seen.fact("status") == "up"
    (output,) = seen.outputs.values()
    assert json.loads(output)["requests"] == 2, "25 objects, 16 in a request: all units of the OLT together"


def test_an_object_that_the_agent_does_not_have_is_a_wrong_dialect(agent: int) -> None:
    seen = ask(agent, "5.1", dialect=load("snmp", "epon-standard"), timeout_ms=3000)
    assert seen.by_unit == {"u0": "bad-answer"}
    assert seen.fact("reason") == "no-such-object"


@pytest.mark.parametrize(
    ("secret", "error"),
    [
        (V3 | {"authentication": {"protocol": "SHA-256", "password": "wrong-password"}}, "access-denied"),
        (V3 | {"privacy": {"protocol": "AES-128", "password": "wrong-password"}}, "access-denied"),
        (V3 | {"user": "nobody"}, "access-denied"),
        ({"user": "ops", "authentication": V3["authentication"]}, "access-denied"),  # the agent wants privacy
        ({"user": "ops", "authentication": {"protocol": "ROT-13", "password": "x"}}, "access-denied"),
        ({"token": "x"}, "access-denied"),
        ({"community": "wrong"}, "timeout"),  # version 2c cannot tell: an agent says nothing to strangers
    ],
)
def test_wrong_credentials_are_told_from_silence_where_the_protocol_allows(agent: int, secret: Any, error: str) -> None:
    assert ask(agent, secret=secret, timeout_ms=1000).by_unit == {"u0": error}


# --- bad agents ---------------------------------------------------------------------------------------------------

#: Takes a request's message and gives datagrams, each with a delay in seconds.
Answer = Callable[[Any], list[tuple[float, bytes]]]


def respond(request: Any, values: Callable[[str], Any], **changes: int) -> bytes:
    """A response to ``request``; ``values`` gives each object's."""
    asked = v2c.apiMessage.get_pdu(request)
    pdu = v2c.apiPDU.get_response(asked)
    v2c.apiPDU.set_request_id(pdu, int(v2c.apiPDU.get_request_id(asked)) + changes.get("id", 0))
    v2c.apiPDU.set_error_status(pdu, changes.get("status", 0))
    bound = [(oid, values(str(oid))) for oid, _ in v2c.apiPDU.get_varbinds(asked)]
    v2c.apiPDU.set_varbinds(pdu, [(str(oid) + ".9", it) for oid, it in bound] if changes.get("other") else bound)
    answer = v2c.apiMessage.get_response(request)
    v2c.apiMessage.set_pdu(answer, pdu)
    return bytes(encoder.encode(answer))


def good(oid: str) -> Any:
    return v2c.Integer(1 if oid.startswith(STATUS) else -2150)


def number(integer: int) -> Callable[[str], Any]:
    return lambda oid: (
        v2c.Integer(1) if oid.startswith(STATUS) else v2c.Gauge32(integer) if integer >= 0 else v2c.Integer(integer)
    )


class Agent:
    """An agent that answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self.port = int(self._socket.getsockname()[1])
        self.requests = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                datagram, peer = self._socket.recvfrom(65535)
                self.requests += 1
                request, _ = decoder.decode(datagram, asn1Spec=v2c.Message())
                for delay_s, said in self._answer(request):
                    self._over.wait(delay_s)
                    self._socket.sendto(said, peer)

    def __enter__(self) -> Agent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        pytest.param(lambda _: [], "timeout", None, id="silent"),
        pytest.param(lambda _: [(0, os.urandom(300))], "bad-answer", "unreadable-datagram", id="garbage"),
        pytest.param(lambda _: [(0, b"")], "bad-answer", "unreadable-datagram", id="empty"),
        pytest.param(lambda it: [(0, respond(it, good)[:-7])], "bad-answer", "unreadable-datagram", id="half"),
        pytest.param(
            lambda it: [(0, respond(it, good, id=1))], "bad-answer", "answer-to-another-request", id="another request"
        ),
        pytest.param(lambda it: [(0, respond(it, good, other=1))], "bad-answer", "other-objects", id="other objects"),
        pytest.param(lambda it: [(0.6, respond(it, good))], "late", None, id="late"),
        pytest.param(lambda it: [(0, respond(it, good, status=5))], "bad-answer", "error-status 5", id="genErr"),
        pytest.param(lambda it: [(0, respond(it, good, status=16))], "access-denied", "16", id="not authorised"),
        pytest.param(lambda it: [(0, respond(it, number(4294967295)))], "bad-answer", "implausible", id="overflow"),
        pytest.param(lambda it: [(0, respond(it, number(-2147483648)))], "bad-answer", "implausible", id="negative"),
        pytest.param(
            lambda it: [(0, respond(it, lambda _: v2c.OctetString("NaN")))], "bad-answer", "not-a-number", id="text"
        ),
        pytest.param(lambda it: [(0, respond(it, lambda _: v2c.Null("")))], "bad-answer", None, id="null"),
    ],
)
def test_bad_answers_are_no_numbers(answer: Answer, error: str, reason: str | None) -> None:
    with Agent(answer) as agent:
        seen = ask(agent.port)
        assert agent.requests == 1
    assert seen.by_unit == {"u0": error}
    if reason:
        assert seen.fact("reason") == reason


def test_garbage_before_the_answer_does_not_disturb() -> None:
    with Agent(lambda it: [(0, b"\x30\x82"), (0, respond(it, good, id=5)), (0, respond(it, good))]) as agent:
        assert ask(agent.port).by_unit == {"u0": -21.5}


def test_a_lost_request_is_sent_again_and_no_more_often_than_allowed() -> None:
    lost = iter([True, False])
    with Agent(lambda it: [] if next(lost) else [(0, respond(it, good))]) as agent:
        assert ask(agent.port, retries=1).by_unit == {"u0": -21.5}
        assert agent.requests == 2
    with Agent(lambda _: []) as agent:
        assert ask(agent.port, INDEX, "4194304000.2", retries=2).by_unit == {"u0": "timeout", "u1": "timeout"}
        assert agent.requests == 3


def test_an_answer_to_the_try_before_is_late() -> None:
    tries = iter([0.6, None])
    with Agent(lambda it: [] if (delay_s := next(tries)) is None else [(delay_s, respond(it, good))]) as agent:
        assert ask(agent.port, retries=1).by_unit == {"u0": "late"}


def test_what_is_too_big_is_halved() -> None:
    def answer(request: Any) -> list[tuple[float, bytes]]:
        many = len(v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(request))) > 4
        return [(0, respond(request, good, status=1 if many else 0))]

    with Agent(answer) as agent:
        seen = ask(agent.port, *(f"4194304000.{number}" for number in range(6)))
        assert set(seen.by_unit.values()) == {-21.5}
        assert agent.requests <= snmp.SnmpParameters({}).requests(30)


def test_an_agent_too_small_for_anything_is_asked_no_longer() -> None:
    with Agent(lambda it: [(0, respond(it, good, status=1))]) as agent:
        seen = ask(agent.port, *(f"4194304000.{number}" for number in range(6)))
        assert agent.requests <= snmp.SnmpParameters({}, retries=0).requests(30)
    assert set(seen.by_unit.values()) == {"bad-answer"}


@pytest.mark.parametrize("community", ["2011", "timeout", "Integer", 'a"b\\\\c', "éàüx"])
def test_a_community_that_looks_like_something_else_spoils_nothing(community: str) -> None:
    secret = {"community": community}
    with Agent(lambda it: [(0, respond(it, good))]) as agent:
        assert ask(agent.port, secret=secret).by_unit == {"u0": -21.5}
    with Agent(lambda _: []) as agent:
        assert ask(agent.port, secret=secret).by_unit == {"u0": "timeout"}


def test_a_community_that_cannot_be_sent_is_not_quoted_either() -> None:
    with Agent(lambda it: [(0, respond(it, good))]) as agent:
        seen = ask(agent.port, secret={"community": "x密码x"})
        assert (agent.requests, seen.by_unit) == (0, {"u0": "method-failed"})
    said = json.dumps([row.row() for row in seen.rows], ensure_ascii=False) + "".join(seen.outputs.values())
    assert not [form for form in ("密码", r"\u5bc6", r"\xe5\xaf\x86") if form in said]


@pytest.mark.parametrize("before", [b"my community is ", b"\x00"], ids=["text", "binary"])
def test_an_agent_that_tells_the_community_is_not_quoted(before: bytes) -> None:
    with Agent(lambda it: [(0, respond(it, lambda _: v2c.OctetString(before + COMMUNITY.encode())))]) as agent:
        seen = ask(agent.port)
    assert seen.by_unit == {"u0": "bad-answer"}
    (output,) = seen.outputs.values()
    assert "***" in output
    assert COMMUNITY.encode().hex() not in output


@pytest.mark.parametrize("reply", [b"", b"{\n", b"[1]\n", b"***\n", b"\xff\n", b"[" * 100_000])
def test_a_reply_that_cannot_be_read_is_a_fault_of_the_method(reply: bytes) -> None:
    found = reply_of(Finished(0, b"", b"", reply, 0.1))
    assert (found["error"], found["reason"]) == ("method-failed", "unreadable-reply")


# --- the gate -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "error"),
    [
        (ZonePermit("cell", "passive"), "refused-by-guard"),
        (ZonePermit("cell", "query", total_bytes=100), "stopped"),
        (ZonePermit("cell", "query", open_until_utc_ns=1), "stopped"),
    ],
)
def test_nothing_is_sent_that_the_permit_does_not_allow(zone: ZonePermit, error: str) -> None:
    with Agent(lambda it: [(0, respond(it, good))]) as agent:
        assert ask(agent.port, zone=zone).by_unit == {"u0": error}
        assert agent.requests == 0


def test_requests_keep_the_rate_to_a_device() -> None:
    zone = ZonePermit("cell", "query", packets_per_s=100, packets_per_s_per_device=10)
    with Agent(lambda it: [(0, respond(it, good))]) as agent:
        began = time.monotonic()
        seen = ask(agent.port, *(f"4194304000.{number}" for number in range(4)), zone=zone, chunk=2)
        assert time.monotonic() - began >= 0.9, "ten requests at ten a second"
        assert agent.requests == 10
    assert set(seen.by_unit.values()) == {-21.5}
