"""SSH: the server's identification, our farewell, and a real server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import NotThisProtocol
from probes.applications.ssh import farewell
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import hear
from tests.probes.talk import perform
from tests.probes.talk import recorded

WHOLE = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"


@pytest.mark.parametrize(
    ("heard", "facts"),
    [
        (WHOLE, {"version": "2.0", "software": "OpenSSH_9.2p1", "comment": "Debian-2"}),
        (b"SSH-2.0-dropbear\n", {"version": "2.0", "software": "dropbear"}),
        (b"Authorized use only\r\n\r\nSSH-1.99-Cisco-1.25\r\n", {"version": "1.99", "software": "Cisco-1.25"}),
    ],
)
def test_an_identification_names_the_server_and_is_answered_with_a_farewell(
    heard: bytes, facts: dict[str, str]
) -> None:
    found, said = hear("ssh", heard)
    assert found == facts
    assert said == b"SSH-2.0-plantproof\r\n" + farewell()


def test_the_farewell_is_a_packet() -> None:
    packet = farewell()
    length, padding = int.from_bytes(packet[:4]), packet[4]
    assert (len(packet), len(packet) % 8) == (4 + length, 0)
    assert padding >= 4
    assert packet[5 : len(packet) - padding] == bytes.fromhex("01 0000000b 00000000 00000000")


def test_a_server_of_version_1_alone_has_answered_and_is_told_nothing() -> None:
    assert hear("ssh", b"SSH-1.5-old\n") == ({"version": "1.5", "software": "old"}, b"")


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (b"SSH-2.0\r\n", "no identification: SSH-2.0"),
        (b"SSH-2.0-" + b"x" * 300 + b"\r\n", "no identification"),
        (b"SSH-2.0-\x00\r\n", "no identification"),
        (b"HTTP/1.1 200 OK\r\n" * 50, "first 50 lines"),
        (b"x" * 2000, "line"),
    ],
)
def test_what_is_no_answer(heard: bytes, why: str) -> None:
    with pytest.raises(NotThisProtocol, match=why):
        hear("ssh", heard)


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda it: b"SSH-2.0-" + it + b"\r\n"))
def test_whatever_comes_ends_in_facts_or_in_a_reason(heard: bytes) -> None:
    try:
        facts, _ = hear("ssh", heard)
    except (NotThisProtocol, Ended):
        return
    assert all(text.isprintable() and len(text) <= 80 for text in facts.values())


def test_a_recorded_server_is_read() -> None:
    facts, _ = hear("ssh", next(recorded("zeek/traces/ssh/ssh.pcap", 22)))
    assert facts["software"].startswith("OpenSSH")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server of OpenSSH on the loopback: its port and its log."""
    program, keygen = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin"), shutil.which("ssh-keygen")
    if not (program and keygen):
        pytest.skip("no sshd here")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where a server of root leaves its privileges behind
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    with socket.create_server((HOST, 0)) as one:
        port = one.getsockname()[1]
    lines = (f"ListenAddress {HOST}:{port}", f"HostKey {tmp_path}/key", "UsePAM no", f"PidFile {tmp_path}/pid")
    (tmp_path / "config").write_text("\n".join((*lines, "LogLevel VERBOSE", "")))
    log = tmp_path / "log"
    running = subprocess.Popen([program, "-D", "-f", tmp_path / "config", "-E", log])
    try:
        _until(lambda: log.exists() and "listening" in log.read_text())
        yield port, log
    finally:
        running.terminate()
        running.wait()


def _until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_a_real_server_says_who_it_is_and_sees_us_leave_in_order(server: tuple[int, Path]) -> None:
    port, log = server
    (seen,) = perform("ssh", port)
    assert seen.error is None, seen
    assert json.loads(seen.detail)["said"]["software"].startswith("OpenSSH")
    _until(lambda: "Received disconnect" in log.read_text())
    assert "error" not in log.read_text().lower().replace("received disconnect", "")
