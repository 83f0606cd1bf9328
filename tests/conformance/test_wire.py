"""What left the vantage points, seen on the wire: nothing but what was declared, and as much as ``--plan`` said."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.lab import Lab
from fixtures.plant.loader import load_plant
from fixtures.scope import permits
from profiles.verdict import ExitStatus

pytestmark = pytest.mark.lab

PROFILE = ("--profile", str(Path(__file__).with_name("reachability.yaml")))
SEATS = ("office", "cell-a", "cell-b")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab.up(f"wire{os.getpid()}") as lab:
        yield lab


@contextmanager
def _captured(lab: Lab, room: str, file: Path) -> Iterator[None]:
    """Capture what leaves ``room``, but not what the kernel says to find a neighbour."""
    chosen = "(ip or ip6) and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 137) and not (icmp6 and ip6[6] == 0)"
    inside = ["ip", "netns", "exec", lab.namespace(room)]
    options = ["-i", "eth0", "-Q", "out", "-U", "--immediate-mode", "-B", "16384", "-w", file, chosen]
    with subprocess.Popen([*inside, "tcpdump", *options], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        while "listening on" not in process.stderr.readline():
            assert process.poll() is None
        try:
            yield
        finally:
            process.terminate()
            said = process.stderr.read()
    assert "\n0 packets dropped by kernel" in f"\n{said}", said


def _sent(file: Path) -> Counter[tuple[str, str]]:
    """Packets by kind (icmp or tcp) and destination."""
    from scapy.layers.inet import ICMP
    from scapy.layers.inet import IP
    from scapy.layers.inet import TCP
    from scapy.layers.inet6 import ICMPv6EchoRequest
    from scapy.layers.inet6 import IPv6
    from scapy.utils import PcapReader

    counts: Counter[tuple[str, str]] = Counter()
    with PcapReader(str(file)) as packets:
        for packet in packets:
            layer = packet[IP] if IP in packet else packet[IPv6]
            is_echo = (ICMP in packet and packet[ICMP].type == 8) or ICMPv6EchoRequest in packet
            counts["icmp" if is_echo else "tcp" if TCP in packet else "other", layer.dst] += 1
    return counts


def test_only_declared_addresses_and_no_more_than_planned(
    lab: Lab, tmp_path: Path, run_campaign: Callable[..., Any]
) -> None:
    planned = run_campaign(lab.plant_file, tmp_path / "plan", *PROFILE, "--plan")
    assert planned.status == ExitStatus.CONFORMANT, planned.output
    promised = {
        method: sum(
            int(row.replace(",", ""))
            for row in re.findall(rf"{method}.*?([\d,]+) │\s+[\d,]+ │\s+[\d.]+ s", planned.output)
        )
        for method in ("icmp-echo", "tcp-connect")
    }
    assert not (tmp_path / "plan").exists(), "a plan leaves nothing behind"

    with ExitStack() as captures:
        for room in SEATS:
            captures.enter_context(_captured(lab, room, tmp_path / f"{room}.pcap"))
        campaign = run_campaign(lab.plant_file, tmp_path / "run", *PROFILE)
    assert campaign.status == ExitStatus.CONFORMANT, campaign.output

    sent: Counter[tuple[str, str]] = Counter()
    for room in SEATS:
        sent += _sent(tmp_path / f"{room}.pcap")
    declared = {address for permit in permits(load_plant(lab.plant_file)).values() for address in permit.addresses}
    assert {address for _, address in sent} <= declared
    kinds: Counter[str] = Counter()
    for (kind, _), count in sent.items():
        kinds[kind] += count
    assert kinds["icmp"] == promised["icmp-echo"] > 0
    assert 0 < kinds["tcp"] <= promised["tcp-connect"]
    assert kinds["other"] == 0
