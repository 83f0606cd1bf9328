"""HTTPS beyond the usual: which alerts are answers, ends told within TLS, old servers, and the real nginx."""

from __future__ import annotations

import asyncio
import datetime
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.x509.oid import NameOID

from probes.applications import Ended as EndedInTls
from probes.applications import NotThisProtocol
from probes.applications import dialogue
from probes.applications import https
from probes.applications.certificate import told_by
from probes.applications.exchange import Broken
from probes.applications.exchange import Exchange
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import hear
from tests.probes.talk import peer
from tests.probes.talk import perform
from tests.probes.talk import recorded
from tests.probes.test_http import LATER
from tests.probes.test_http import certificate
from tests.probes.test_http import served

ASKED = {"address": HOST, "port": "443", "attempt": "0"}
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(params=VERSIONS, ids=lambda it: it.name)
def context(request: pytest.FixtureRequest, both: Path) -> ssl.SSLContext:
    """What a server needs, in one version of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(both)
    made.minimum_version = made.maximum_version = request.param
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(b"".join(certificate(LATER, (NameOID.COMMON_NAME, "px-7.example"))))
    return file


def alert(level: int, *description: int) -> bytes:
    """A record in the clear (RFC 8446, 5.1 and 6)."""
    return bytes((21, 3, 3, 0, 1 + len(description), level, *description))


@pytest.mark.parametrize(
    ("description", "name"),
    [(40, "handshake failure"), (70, "protocol version"), (80, "internal error"), (112, "unrecognized name"),
     (115, "unknown psk identity"), (120, "no application protocol")],
)  # fmt: skip
def test_an_alert_that_ends_the_connection_is_an_answer(description: int, name: str) -> None:
    facts, _ = hear("https", alert(2, description))
    assert facts == {"refused": f"alert: {name}"}


@pytest.mark.parametrize(
    "heard",
    [alert(7, 7), alert(2), alert(2, 40, 40), alert(1, 112) * 8, alert(2, 200)],
    ids=["no level", "too short", "too long", "warnings alone", "no such alert"],
)
def test_what_only_looks_like_an_alert_is_no_answer(heard: bytes) -> None:
    with pytest.raises(NotThisProtocol, match="no TLS"):
        hear("https", heard)


def test_goodbye_where_hands_are_to_be_shaken_is_no_answer() -> None:
    with pytest.raises(EndedInTls):
        hear("https", alert(1, 0))


def test_a_server_that_says_goodbye_within_tls_instead_of_answering_is_a_reset(context: ssl.SSLContext) -> None:
    def goodbye(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as shaken:
            shaken.recv(4096)
            shaken.unwrap()

    with peer(goodbye) as port:
        (seen,) = perform("https", port, timeout_ms=10_000, close_ms=100)
    assert (seen.error, json.loads(seen.detail)["reason"]) == ("reset", "TLS was closed before the answer came")


def test_a_server_older_than_secure_renegotiation_is_talked_to() -> None:
    """Such a one leaves an extension of RFC 5746 out of its hello: cut short here, and not refused."""
    hello = b"\3\3" + bytes(range(32)) + b"\0" + b"\xc0\x2f" + b"\0"  # no session, a common suite, no compression
    shaking = b"\2" + len(hello).to_bytes(3) + hello
    with pytest.raises(Ended):
        hear("https", b"\x16\3\3" + len(shaking).to_bytes(2) + shaking)


def test_a_peer_cannot_make_tls_talk_without_end(context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https, "MOST_SAYINGS", 2)
    with served(context) as port:
        (seen,) = perform("https", port)
    assert seen.error == "bad-answer"


def test_an_answer_that_drips_within_tls_costs_one_timeout(context: ssl.SSLContext) -> None:
    """Each octet in a record of its own, and never the last one."""

    def drips(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(connection, server_side=True) as shaken:
            for octet in b"HTTP/1.1 200 OK\r\nServer: x\r\n\r":
                shaken.sendall(bytes((octet,)))
            while shaken.recv(4096):
                pass

    with peer(drips) as port:
        (seen,) = perform("https", port, timeout_ms=1500, close_ms=100)
    assert seen.error == "timeout", seen
    assert json.loads(seen.detail)["accepted"] is True


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x03\x40\x00",  # a long record of a handshake is begun
        b"\x16\x03\x03\x00\x04\x02\xff\xff\xff",  # and a handshake message of 16 MiB
        b"",
    ],
)
def test_hands_that_are_never_shaken_cost_one_timeout(said: bytes) -> None:
    def drips(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in said:
            connection.sendall(bytes((octet,)))
        while connection.recv(4096):
            pass

    with peer(drips) as port:
        (seen,) = perform("https", port, timeout_ms=500, close_ms=100)
    assert seen.error in ("timeout", "bad-answer"), seen


def test_a_recorded_alert_is_an_answer() -> None:
    facts, _ = hear("https", next(recorded("ndpi/pcap/tls_alert.pcap", 443)))
    assert facts == {"refused": "alert: protocol version"}


#: Of the certificates in a recorded handshake: common name, and end in seconds of Unix time, as Zeek's log has them.
RECORDED = [("*.google.com", 1516800660), ("Google Internet Authority G2", 1546300799),
            ("GeoTrust Global CA", 1534824000)]  # fmt: skip


def test_recorded_certificates_are_read_as_another_reader_reads_them() -> None:
    heard = b"".join(recorded("zeek/traces/tls/tls1_1.pcap", 443))
    hello = 5 + int.from_bytes(heard[3:5])
    listed = heard[hello + 5 + 4 + 3 :]  # behind the heads of the record, of the message and of its list
    for name, ends_s in RECORDED:
        length = int.from_bytes(listed[:3])
        told, listed = told_by(listed[3 : 3 + length]), listed[3 + length :]
        assert f"CN={name}" in told["subject"]
        assert datetime.datetime.fromisoformat(told["expires"]).timestamp() == ends_s


class TornLine:
    """A connection that the other side has torn down, after it said something."""

    def __init__(self, *said: bytes | None) -> None:
        self._said = list(said)

    def send(self, octets: bytes) -> None:
        raise BrokenPipeError(32, "torn")

    async def receive(self, most: int, timeout_s: float) -> bytes | None:
        return self._said.pop(0)

    def packets(self) -> int:
        return 1


class WholeLine(TornLine):
    """One that takes what is said."""

    def send(self, octets: bytes) -> None:
        pass


def test_what_was_said_before_a_connection_was_torn_down_is_heard() -> None:
    exchange = Exchange(TornLine(alert(2, 40)), time.monotonic_ns, time.monotonic_ns() + 10**10, 99)
    facts = asyncio.run(exchange.hold(dialogue("https").converse(ASKED)))
    assert facts == {"refused": "alert: handshake failure"}


@pytest.mark.parametrize("end", [b"", None], ids=["end", "silence"])
def test_a_torn_connection_without_an_answer_is_one(end: bytes | None) -> None:
    exchange = Exchange(TornLine(alert(2, 40)[:3], end), time.monotonic_ns, time.monotonic_ns() + 10**10, 99)
    with pytest.raises(BrokenPipeError):
        asyncio.run(exchange.hold(dialogue("https").converse(ASKED)))


def test_an_orderly_end_is_a_reset_and_no_answer() -> None:
    exchange = Exchange(WholeLine(alert(1, 0)), time.monotonic_ns, time.monotonic_ns() + 10**10, 99)
    with pytest.raises(Broken) as broken:
        asyncio.run(exchange.hold(dialogue("https").converse(ASKED)))
    assert broken.value.error == "reset"


CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 32; }}
http {{
  access_log off; ssl_certificate {both}; ssl_certificate_key {both};
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen {host}:{plain}; return 403; }}
  server {{ listen {host}:{tls} ssl; return 204; }}
  server {{ listen {host}:{silent} ssl; return 444; }}
  server {{ listen {host}:{knows} ssl; ssl_verify_client on; ssl_client_certificate {both}; return 204; }}
}}
"""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, both: Path) -> Iterator[dict[str, int]]:
    """The real one on the loopback; its ports by what they do."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if not program:
        pytest.skip("no nginx here")
    folder = tmp_path_factory.mktemp("nginx")
    taken = [socket.create_server((HOST, 0)) for _ in range(4)]
    ports = dict(zip(("plain", "tls", "silent", "knows"), (it.getsockname()[1] for it in taken), strict=True))
    for one in taken:
        one.close()
    (folder / "conf").write_text(CONFIGURATION.format(folder=folder, both=both, host=HOST, **ports))
    log = ["-e", str(folder / "error.log")]
    with subprocess.Popen([program, "-p", str(folder), *log, "-c", str(folder / "conf")]) as running:
        try:
            deadline_s = time.monotonic() + 10
            while not all(_accepts(port) for port in ports.values()):
                assert time.monotonic() < deadline_s
                assert running.poll() is None, (folder / "error.log").read_text()
                time.sleep(0.01)
            yield ports
        finally:
            running.terminate()


def _accepts(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0


@pytest.mark.parametrize(
    ("protocol", "port", "error", "status"),
    [
        ("http", "plain", None, "403 Forbidden"),
        ("https", "tls", None, "204 No Content"),
        ("https", "knows", None, "400 Bad Request"),  # it wants a certificate of ours
        ("https", "silent", "reset", None),
        ("http", "tls", None, "400 Bad Request"),  # as this server says in the clear: in HTTP, so it lives
        ("https", "plain", "bad-answer", None),
        ("rtsp", "plain", "bad-answer", None),
    ],
)
def test_nginx(nginx: dict[str, int], protocol: str, port: str, error: str | None, status: str | None) -> None:
    seen = perform(protocol, nginx[port], attempts=2, timeout_ms=10_000)
    assert [it.error for it in seen] == [error] * 2, seen
    said = json.loads(seen[0].detail).get("said", {})
    assert said.get("status") == status
    assert error or said["server"].startswith("nginx")
