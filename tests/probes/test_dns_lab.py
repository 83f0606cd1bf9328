"""DNS queries to a real dnsmasq in a network namespace, over both IP versions."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Rig

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("dnsmasq") is None, reason="dnsmasq is not installed"),
]

RESOLVERS = {4: "198.18.1.2", 6: "2001:db8:1::2"}
RECORDS = """\
port=53
no-resolv
no-hosts
local=/plant.example/
host-record=sw.plant.example,192.0.2.2,2001:db8:a::2
host-record=old.plant.example,192.0.2.3
cname=spare.plant.example,sw.plant.example
txt-record=88.118.1.id.plant.example,urn:plant:cnc-01
"""


class Seen(list[Observation]):
    """What a method gives."""

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.extend(rows)

    def raw(self, name: str, text: str) -> None:
        assert name
        assert "QUESTION" in text


def ask(rig: Rig, address: str, *questions: tuple[str, str], timeout_ms: float = 3000) -> list[Observation]:
    targets = tuple(
        Target(f"{kind} {name}", address, "cell", None, json.dumps({"name": name, "type": kind}))
        for name, kind in questions
    )
    action = Action("desk", "dns-query", targets, {"timeout_ms": timeout_ms})
    gate = Gate(Permit("desk", {address: "cell"}, {"cell": ZonePermit("cell", "query")}, {}))
    seen = Seen()
    rig.within(rig.client, lambda: asyncio.run(method("dns-query").run(action, gate, seen)))
    return seen


@pytest.fixture(scope="module")
def dnsmasq(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("dnsmasq")
    (folder / "conf").write_text(RECORDS)
    command = ["ip", "netns", "exec", rig.server, "dnsmasq", "-d", "-C", str(folder / "conf"), "--pid-file="]
    with subprocess.Popen([*command, "--user=root"], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while ask(rig, RESOLVERS[4], ("sw.plant.example", "A"), timeout_ms=500)[0].error:
                assert time.monotonic() < deadline, "dnsmasq does not answer"
            yield
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.usefixtures("dnsmasq")
@pytest.mark.parametrize("version", [4, 6])
def test_a_real_resolver_is_understood(rig: Rig, version: int) -> None:
    wanted: dict[tuple[str, str], tuple[str, list[str]]] = {
        ("sw.plant.example", "AAAA"): ("NOERROR", ["2001:db8:a::2"]),
        ("SW.Plant.Example", "A"): ("NOERROR", ["192.0.2.2"]),
        ("old.plant.example", "AAAA"): ("NOERROR", []),  # the name is there, and has no such record
        ("none.plant.example", "AAAA"): ("NXDOMAIN", []),
        ("spare.plant.example", "AAAA"): ("NOERROR", ["2001:db8:a::2"]),
        ("spare.plant.example", "CNAME"): ("NOERROR", ["sw.plant.example"]),
        ("88.118.1.id.plant.example", "TXT"): ("NOERROR", ["urn:plant:cnc-01"]),
        ("elsewhere.example", "A"): ("REFUSED", []),
    }
    seen = ask(rig, RESOLVERS[version], *wanted)
    assert [row.error for row in seen] == [None] * len(wanted)
    told = [json.loads(row.detail) for row in seen]
    assert [(it["rcode"], it["answers"]) for it in told] == list(wanted.values())
    assert all("ra" in it["flags"].split() for it in told[:-1])


@pytest.mark.usefixtures("dnsmasq")
def test_a_question_is_one_packet(rig: Rig) -> None:
    with rig.capture() as sent:
        (row,) = ask(rig, RESOLVERS[6], ("sw.plant.example", "AAAA"))
    assert row.error is None
    ours = [packet for packet in sent if packet.protocol == 17]
    assert [(packet.destination, packet.payload[2:4]) for packet in ours] == [(RESOLVERS[6], b"\0\x35")]
