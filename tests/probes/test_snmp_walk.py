"""Forwarding and neighbour tables by SNMP: recorded dumps, a real agent, and agents that answer in every wrong way."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder
from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from fixtures.lab.instruments import olt
from probes.action import Action
from probes.action import Target
from probes.device_tables import Sighting
from probes.device_tables import sightings
from probes.dialects import tables as load
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.snmp_walk import Seen as Shown
from profiles.observation import Observation

COMMUNITY = "community-5d10"
CORPUS = Path(os.environ.get("PLANTPROOF_CORPUS") or Path(__file__).parents[3] / "shared" / "data")
DUMPS = CORPUS / "snmp" / "librenms" / "snmprec"
CNC, PLC, LAPTOP = "00:00:5e:00:53:01", "00:00:5e:00:53:02", "00:00:5e:00:53:99"
FDB, NEIGHBOURS = "1.3.6.1.2.1.17.4.3.1", "1.3.6.1.2.1.4.35.1"
MAC_INDEX = {mac: ".".join(str(int(part, 16)) for part in mac.split(":")) for mac in (CNC, PLC, LAPTOP)}


# --- reading tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "instance", "row", "expected"),
    [
        ("bridge-fdb", MAC_INDEX[CNC], [7, 3], (CNC, "", "7")),
        ("bridge-fdb", MAC_INDEX[CNC], [7, None], (CNC, "", "7")),  # an agent without that column
        ("bridge-fdb", MAC_INDEX[CNC], [7, 4], None),  # the bridge's own
        ("bridge-fdb", MAC_INDEX[CNC], [0, 3], None),  # on no known port
        ("bridge-fdb", MAC_INDEX[CNC] + ".1", [7, 3], None),
        ("bridge-fdb", "1.0.94.0.0.1", [7, 3], None),  # multicast
        ("bridge-fdb", "0.0.0.0.0.0", [7, 3], None),
        ("bridge-fdb", "0.0.94.0.83.256", [7, 3], None),
        ("q-bridge-fdb", "1200." + MAC_INDEX[CNC], [9, 3], (CNC, "", "9")),
        ("q-bridge-fdb", MAC_INDEX[CNC], [9, 3], None),
        ("ip-net-to-physical", "2.1.4.192.0.2.10", ["00005e005301", 3, 1], (CNC, "192.0.2.10", "2")),
        ("ip-net-to-physical", "2.1.4.192.0.2.10", ["00005e005301", 3, 2], None),  # stale
        ("ip-net-to-physical", "2.1.4.192.0.2.10", ["00005e005301", 5, 1], None),  # its own
        ("ip-net-to-physical", "2.1.4.192.0.2", ["00005e005301", 3, 1], None),
        ("ip-net-to-physical", "2.9.4.192.0.2.10", ["00005e005301", 3, 1], None),
        ("ip-net-to-physical", "2.1.4.192.0.2.10", ["", 3, 1], None),  # incomplete
        ("ip-net-to-physical", "2.1.4.192.0.2.10", ["zz", 3, 1], None),
        ("ip-net-to-physical", "2.1.4.192.0.2.10", [17, 3, 1], None),
        (
            "ip-net-to-physical",
            "3.2.16.32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.16",
            ["00005e005301", 3, 6],
            (CNC, "2001:db8::10", "3"),
        ),
        ("ip-net-to-media", "10.192.0.2.10", ["00005e005301", 3], (CNC, "192.0.2.10", "10")),
        ("ip-net-to-media", "10.192.0.2.10", ["00005e005301", 4], None),  # static: somebody wrote it
    ],
)
def test_rows_by_table(table: str, instance: str, row: list[Any], expected: tuple[str, str, str] | None) -> None:
    found = list(sightings(table, load()[table], {instance: row}))
    assert found == ([] if expected is None else [Sighting(table, *expected)])


@pytest.mark.parametrize("table", sorted(load()))
@given(
    instance=st.lists(st.integers(0, 1 << 32), min_size=1, max_size=24),
    row=st.lists(st.none() | st.integers() | st.text(max_size=20), min_size=3, max_size=3),
)
def test_whatever_an_agent_says_is_a_sighting_or_none(table: str, instance: list[int], row: list[Any]) -> None:
    for it in sightings(table, load()[table], {".".join(map(str, instance)): row}):
        assert len(it.mac) == 17


def test_all_hardware_addresses_of_an_object_are_told() -> None:
    """A switch may have heard the second network card only, of which no table but this router's says whose it is."""
    rows = {f"2.1.4.192.0.2.{last}": [mac.replace(":", ""), 3, 1] for last, mac in ((10, CNC), (11, PLC), (12, PLC))}
    shown = Shown(load(), {"tables": {"ip-net-to-physical": {"rows": rows, "cut": False}}})
    entries, error, facts = shown.of({"addresses": ["192.0.2.10", "192.0.2.11", "192.0.2.12"]})
    assert (entries, error, facts["mac"], facts["macs"]) == (3, "", CNC, [PLC])
    assert "macs" not in shown.of({"addresses": ["192.0.2.11", "192.0.2.12"]})[2]


@pytest.mark.parametrize(
    ("dump", "table", "expected"),
    [
        ("nexans", "bridge-fdb", 381),
        ("advantech", "bridge-fdb", 17),
        ("hirschmann_ms4128", "q-bridge-fdb", 778),
        ("jetstream_vlans", "q-bridge-fdb", 74),
        ("fortigate_60f3g4g", "ip-net-to-media", 11),
        ("edgeosolt", "ip-net-to-physical", 5),
        ("xclarity_sr665", "ip-net-to-media", 18),
    ],
)
def test_recorded_tables_are_read_as_they_stand(dump: str, table: str, expected: int) -> None:
    """Every entry of the recording has a hardware address of a single device, but for what is told here."""
    if not DUMPS.is_dir():
        pytest.skip(f"no recordings at {DUMPS}; set PLANTPROOF_CORPUS")
    how, rows = load()[table], {}
    numbers = {str(number): place for place, number in enumerate(how["columns"].values())}
    for line in (DUMPS / f"{dump}.snmprec").read_text("utf-8", "replace").splitlines():
        oid, tag, value = line.split("|", 2)
        if oid.startswith(how["entry"] + "."):
            column, _, instance = oid.removeprefix(how["entry"] + ".").partition(".")
            if column in numbers:
                row = rows.setdefault(instance, [None] * len(numbers))
                row[numbers[column]] = value.lower() if tag[0] == "4" else int(value)
    found = list(sightings(table, how, rows))
    nobody = sum(not row[0] for row in rows.values())
    group = sum(int(it.split(".")[-6]) & 1 for it in rows) if table.endswith("fdb") else 0
    assert len(rows) == expected
    assert len(found) == expected - nobody - group
    assert len({(it.mac, it.address) for it in found}) > expected / 2


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
    def by_target(self) -> dict[str, float | str | None]:
        return {row.target: row.value if row.error is None else row.error for row in self.rows}

    def facts(self, target: str) -> dict[str, Any]:
        found = json.loads(next(row.detail for row in self.rows if row.target == target))
        return {name: fact for name, fact in found.items() if name not in ("port", "raw")}


def ask(port: int, known: tuple[str, ...] = (), community: str = COMMUNITY, **parameters: Any) -> Seen:
    common = {"timeout_ms": 400, "retries": 0, "tables": load(), "known": list(known)}
    asked = {
        "switch": {"agent": True},
        "cnc": {"macs": [CNC], "addresses": ["192.0.2.10"]},
        "plc": {"macs": [PLC]},
        "pad": {"addresses": ["192.0.2.20"]},
    }
    targets = tuple(Target(id, "127.0.0.1", "cell", port, json.dumps(it)) for id, it in asked.items())
    action = Action("desk", "snmp-walk", targets, common | parameters)
    permit = Permit(
        "desk",
        {"127.0.0.1": "cell"},
        {"cell": ZonePermit("cell", "query")},
        {},
        credentials={"127.0.0.1": {"community": community}},
    )
    seen = Seen()
    asyncio.run(method("snmp-walk").run(action, Gate(permit), seen))
    assert sorted(row.target for row in seen.rows) == sorted(asked)
    assert community not in json.dumps([row.row() for row in seen.rows]) + json.dumps(seen.outputs)
    return seen


FORWARDING = "".join(
    f"{FDB}.2.{MAC_INDEX[mac]}|2|{port}\n{FDB}.3.{MAC_INDEX[mac]}|2|3\n" for mac, port in ((CNC, 4), (LAPTOP, 9))
)
NEIGHBOURHOOD = f"""\
{NEIGHBOURS}.4.2.1.4.192.0.2.20|4x|00005e005320
{NEIGHBOURS}.6.2.1.4.192.0.2.20|2|3
{NEIGHBOURS}.7.2.1.4.192.0.2.20|2|1
{NEIGHBOURS}.4.2.1.4.192.0.2.21|4x|00005e005302
{NEIGHBOURS}.6.2.1.4.192.0.2.21|2|3
{NEIGHBOURS}.7.2.1.4.192.0.2.21|2|2
"""


def test_a_real_agent_shows_whom_it_has_heard(tmp_path: Path) -> None:
    table = tmp_path / "table"
    table.write_text(FORWARDING + NEIGHBOURHOOD, "utf-8")
    with served(table, tmp_path) as agent:
        seen = ask(agent.port, (CNC, "192.0.2.10", PLC, "192.0.2.20"), agent.community, timeout_ms=3000)
    assert seen.by_target == {"switch": 3.0, "cnc": 1.0, "plc": "absent", "pad": 1.0}, "a stale entry shows nobody"
    assert seen.facts("cnc") == {"table": "bridge-fdb", "mac": CNC, "interface": "4"}
    assert seen.facts("pad")["address"] == "192.0.2.20"
    assert seen.facts("switch")["strangers"] == [f"{LAPTOP}: bridge-fdb 9"]
    assert seen.facts("switch")["tables"] == {"bridge-fdb": 2, "ip-net-to-physical": 1}


def test_a_recorded_switch_of_many_entries_is_walked_to_its_end(tmp_path: Path) -> None:
    if not DUMPS.is_dir():
        pytest.skip(f"no recordings at {DUMPS}; set PLANTPROOF_CORPUS")
    with served(DUMPS / "hirschmann_ms4128.snmprec", tmp_path) as agent:
        whole = ask(agent.port, (), agent.community, timeout_ms=3000)
        cut = ask(agent.port, (), agent.community, timeout_ms=3000, rows=100)
        short = ask(agent.port, (), agent.community, timeout_ms=3000, requests=3)
    assert whole.by_target["switch"] == 778
    assert whole.by_target["cnc"] == "absent"
    strangers = whole.facts("switch")
    assert len(strangers["strangers"]) + strangers["more"] > 600
    for limited in (cut, short):
        assert "q-bridge-fdb" in limited.facts("switch")["cut"]
        assert limited.by_target["cnc"] == "bad-answer", "it may stand in the part that was not read"


@contextmanager
def served(table: Path, directory: Path) -> Iterator[olt.Served]:
    if shutil.which("snmpd", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("snmpd is not installed")
    home = directory / "agent"
    home.mkdir()
    with olt.serve(table, home) as found:
        yield found


# --- bad agents ---------------------------------------------------------------------------------------------------

Bound = list[tuple[str, Any]]
#: Takes the objects that are asked for and how often; gives what is bound in the answer, or nothing for silence.
Answer = Callable[[list[str], int], Bound | bytes | None]


class Agent:
    """An agent that answers GETBULK as it is told."""

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
                pdu = v2c.apiMessage.get_pdu(request)
                asked = [str(oid) for oid, _ in v2c.apiBulkPDU.get_varbinds(pdu)]
                said = self._answer(asked, int(v2c.apiBulkPDU.get_max_repetitions(pdu)))
                if said is not None:
                    self._socket.sendto(said if isinstance(said, bytes) else _response(request, said), peer)

    def __enter__(self) -> Agent:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()


def _response(request: Any, bound: Bound) -> bytes:
    answer = v2c.apiMessage.get_response(request)
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, v2c.apiPDU.get_request_id(v2c.apiMessage.get_pdu(request)))
    v2c.apiPDU.set_varbinds(pdu, bound)
    v2c.apiMessage.set_pdu(answer, pdu)
    return bytes(encoder.encode(answer))


def again(asked: list[str], _: int) -> Bound:
    """The object that was asked for, which is no successor."""
    return [(f"{oid}.{MAC_INDEX[CNC]}" if oid.count(".") < 12 else oid, v2c.Integer(3)) for oid in asked]


def back(asked: list[str], _: int) -> Bound:
    return [("1.3.6.1.2.1.1.1.0", v2c.Integer(3)) for _ in asked]


def endless(asked: list[str], times: int) -> Bound:
    """Always one more."""
    parts = [oid.split(".") for oid in asked]
    started = [it if len(it) > 13 else [*it, "1", *MAC_INDEX[CNC].split(".")] for it in parts]
    return [
        (".".join([*it[:-4], str((int(it[-4]) + step) % (1 << 31)), *it[-3:]]), v2c.Integer(3))
        for step in range(1, times + 1)
        for it in started
    ]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        pytest.param(lambda *_: None, "timeout", None, id="silent"),
        pytest.param(lambda *_: b"\x30\x82\x01", "bad-answer", "unreadable-datagram", id="garbage"),
        pytest.param(lambda *_: [], "bad-answer", "EmptyResponse", id="nothing bound"),
        pytest.param(again, "bad-answer", "does-not-advance", id="the same again"),
        pytest.param(back, "bad-answer", "does-not-advance", id="backwards"),
        pytest.param(
            lambda asked, _: [(oid, v2c.EndOfMibView("")) for oid in asked], "absent", "no-table", id="no table"
        ),
    ],
)
def test_an_agent_that_shows_nothing_says_nothing_of_anybody(answer: Answer, error: str, reason: str | None) -> None:
    with Agent(answer) as agent:
        seen = ask(agent.port)
        assert agent.requests <= 8
    assert seen.by_target["switch"] == error
    others = {it for target, it in seen.by_target.items() if target != "switch"}
    assert others == {"bad-answer" if error == "absent" else error}
    if reason:
        assert seen.facts("switch")["reason"] == reason


def test_an_agent_without_end_is_left_at_the_limit() -> None:
    with Agent(endless) as agent:
        seen = ask(agent.port, rows=200, requests=50, timeout_ms=3000)
        assert agent.requests <= 50
    assert seen.by_target["cnc"] == "bad-answer"
    assert "q-bridge-fdb" in seen.facts("switch")["cut"]


def test_what_was_read_before_the_agent_fell_silent_still_counts() -> None:
    asked_once: list[bool] = []

    def answer(asked: list[str], _: int) -> Bound | None:
        if "17.7" in asked[0]:
            return [(oid, v2c.EndOfMibView("")) for oid in asked]
        if asked_once:
            return None
        asked_once.append(True)
        return [(f"{oid}.{MAC_INDEX[CNC]}", v2c.Integer(3)) for oid in asked]

    with Agent(answer) as agent:
        seen = ask(agent.port)
    assert seen.by_target == {"switch": "timeout", "cnc": 1.0, "plc": "timeout", "pad": "timeout"}


def test_an_agent_that_tells_the_community_is_not_quoted() -> None:
    def answer(asked: list[str], _: int) -> Bound:
        return [(f"{oid}.2.1.4.192.0.2.20", v2c.OctetString(COMMUNITY.encode())) for oid in asked[:1]]

    with Agent(answer) as agent:
        seen = ask(agent.port)
    assert COMMUNITY.encode().hex() not in "".join(seen.outputs.values())


def test_the_price_is_that_of_every_request() -> None:
    targets = tuple(Target(id, "192.0.2.1", "cell", None, json.dumps({"macs": [CNC]})) for id in ("a", "b"))
    action = Action("desk", "snmp-walk", targets, {"tables": load(), "requests": 10})
    permit = Permit("desk", {"192.0.2.1": "cell"}, {"cell": ZonePermit("cell", "query")}, {})
    cost = method("snmp-walk").cost(action, permit)
    assert (cost.packets, cost.level) == (13, "query"), "one agent, whoever is looked for in its tables"
    nothing = Permit("desk", {}, {"cell": ZonePermit("cell", "query")}, {})
    assert method("snmp-walk").cost(action, nothing).packets == 0
