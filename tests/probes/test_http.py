"""HTTP, HTTPS and RTSP: what is asked, which answers are answers, what a certificate tells, and real servers."""

from __future__ import annotations

import datetime
import http.server
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from probes.applications import NotThisProtocol
from probes.applications.certificate import told_by
from tests.probes.talk import HOST
from tests.probes.talk import Ended
from tests.probes.talk import hear
from tests.probes.talk import peer
from tests.probes.talk import perform
from tests.probes.talk import recorded

WHOLE = b'HTTP/1.1 401 Unauthorized\r\nServer: Example-WebS/2.1\r\nWWW-Authenticate: Basic realm="PX-7"\r\n\r\n'


def test_the_head_of_the_root_is_asked_for_and_the_server_may_close() -> None:
    _, said = hear("http", WHOLE, port="8080")
    assert said.startswith(b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n")
    assert b"\r\nConnection: close\r\n" in said
    assert said.endswith(b"\r\n\r\n")


def test_an_address_of_version_6_stands_in_brackets_and_without_its_zone() -> None:
    _, said = hear("http", WHOLE, address="fe80::7%eth0", port="80")
    assert b"\r\nHost: [fe80::7]:80\r\n" in said


def test_a_refusal_is_an_answer() -> None:
    facts, _ = hear("http", WHOLE)
    assert facts == {
        "status": "401 Unauthorized", "version": "1.1", "server": "Example-WebS/2.1", "realm": 'Basic realm="PX-7"'
    }  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "status"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n", "200 OK"),
        (b"HTTP/1.1 200 \r\n\r\n", "200"),
        (b"HTTP/1.1 404\r\n\r\n", "404"),
        (b"HTTP/1.0 501 Method Not Implemented\nServer: x\n\n", "501 Method Not Implemented"),
        (b"HTTP/1.1 302 Found\r\nX: a\r\n b\r\nLocation: /login\r\n\r\n", "302 Found"),
    ],
)
def test_any_status_is_an_answer(heard: bytes, status: str) -> None:
    assert hear("http", heard)[0]["status"] == status


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no status line: SSH-2.0"),
        (b"\x15\x03\x01\x00\x02\x02\x0a\n", "no status line"),
        (b"RTSP/1.0 200 OK\r\n\r\n", "no status line"),
        (b"HTTP/1.1 999 Strange\r\n\r\n", "no status line"),
        (b"HTTP/1.1 200 OK\r\nno field\r\n\r\n", "no header field: no field"),
        (b"HTTP/1.1 200 OK\r\n folded\r\n\r\n", "no header field"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n", "more than 100 header fields"),
        (b"x" * 600, "line"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000, "line"),
    ],
)
def test_what_is_no_answer(heard: bytes, why: str) -> None:
    with pytest.raises(NotThisProtocol, match=why):
        hear("http", heard)


@pytest.mark.parametrize("count", range(len(WHOLE)))
def test_half_an_answer_is_none(count: int) -> None:
    with pytest.raises(Ended):
        hear("http", WHOLE[:count])


_HEADS = st.lists(st.binary(max_size=40), max_size=5).map(lambda it: b"\r\n".join((b"HTTP/1.1 200 OK", *it, b"", b"")))


@given(st.sampled_from(["http", "https", "rtsp"]), st.binary(max_size=300) | _HEADS)
def test_whatever_comes_ends_in_facts_or_in_a_reason(protocol: str, heard: bytes) -> None:
    try:
        facts, _ = hear(protocol, heard)
    except (NotThisProtocol, Ended):
        return
    assert all(text.isprintable() and len(text) <= 100 for text in facts.values())


def test_the_options_of_a_camera_are_asked_for() -> None:
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nPublic: OPTIONS, DESCRIBE\r\nServer: Example Camera\r\n\r\n"
    facts, said = hear("rtsp", answer, attempt="2")
    assert facts == {
        "status": "200 OK", "version": "1.0", "server": "Example Camera", "methods": "OPTIONS, DESCRIBE"
    }  # fmt: skip
    assert said.startswith(b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\n")


def test_an_answer_to_another_request_is_none() -> None:
    with pytest.raises(NotThisProtocol, match="another request"):
        hear("rtsp", b"RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n")


def test_recorded_options_of_a_media_server_are_read() -> None:
    answers = [it for it in recorded("ndpi/pcap/rtsp.pcap", 8554) if b"Cseq: 2" in it]
    assert answers
    facts, _ = hear("rtsp", answers[0], attempt="1")
    assert facts["server"] == "VLC/3.0.12"
    assert facts["methods"].startswith("DESCRIBE,SETUP")


def test_a_recorded_head_is_read() -> None:
    facts, _ = hear("http", next(recorded("zeek/traces/http/http-single-conn-22.pcap", 22)))
    assert facts == {"status": "200 OK", "version": "1.1"}


def test_a_recorded_alert_is_an_answer_in_tls_and_a_hello_of_another_session_is_none() -> None:
    refused, _ = hear("https", b"\x15\x03\x03\x00\x02\x02\x28")
    assert refused == {"refused": "alert: handshake failure"}
    for heard in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" * 3, bytes(100)):
        with pytest.raises(NotThisProtocol, match="no TLS"):
            hear("https", heard)


LATER = datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC)


def certificate(not_after: datetime.datetime, *names: tuple[x509.ObjectIdentifier, str]) -> tuple[bytes, bytes]:
    """A certificate and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(*it) for it in names])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(not_after)
        .sign(key, hashes.SHA256())
    )
    unlocked = serialization.NoEncryption()
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return made.public_bytes(serialization.Encoding.PEM), key.private_bytes(serialization.Encoding.PEM, form, unlocked)


@pytest.mark.parametrize("year", [2021, 2049, 2077])  # the last one is written in another type
def test_a_certificate_says_whose_it_is_and_until_when(year: int) -> None:
    pem, _ = certificate(
        datetime.datetime(year, 3, 4, 5, 6, 7, tzinfo=datetime.UTC),
        (NameOID.COMMON_NAME, "px-7.example"),
        (NameOID.ORGANIZATION_NAME, "示例工厂"),
        (NameOID.TITLE, "PLC"),
    )
    told = told_by(ssl.PEM_cert_to_DER_cert(pem.decode()))
    assert told == {"subject": "CN=px-7.example, O=示例工厂, 2.5.4.12=PLC", "expires": f"{year}-03-04T05:06:07Z"}


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda it: b"\x30" + bytes([len(it)]) + it))
def test_a_certificate_that_cannot_be_read_tells_nothing(octets: bytes) -> None:
    assert told_by(octets).keys() in ({}.keys(), {"subject", "expires"})


class _Handler(http.server.BaseHTTPRequestHandler):
    server_version, sys_version = "Example-WebS/2.1", ""

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer((HOST, 0), _Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    pem, key = certificate(
        datetime.datetime(2021, 3, 4, 5, 6, 7, tzinfo=datetime.UTC), (NameOID.COMMON_NAME, "px-7.example")
    )
    (tmp_path / "both.pem").write_bytes(pem + key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(tmp_path / "both.pem")
    return made


def test_a_real_server_says_who_it_is() -> None:
    with served() as port:
        (seen,) = perform("http", port)
    assert seen.error is None
    said = json.loads(seen.detail)["said"]
    assert said == {"status": "200 OK", "version": "1.0", "server": "Example-WebS/2.1"}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_real_server_with_an_expired_certificate_answers_and_its_certificate_is_told(
    context: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    context.minimum_version = context.maximum_version = version
    with served(context) as port:
        (seen,) = perform("https", port)
    assert seen.error is None, seen
    said = json.loads(seen.detail)["said"]
    assert said["tls"] == ("TLSv1.2" if version == ssl.TLSVersion.TLSv1_2 else "TLSv1.3")
    assert (said["subject"], said["expires"]) == ("CN=px-7.example", "2021-03-04T05:06:07Z")
    assert said["server"] == "Example-WebS/2.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate_of_ours_lives(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    with served(context) as port:
        (seen,) = perform("https", port)
    assert seen.error is None, seen
    assert "alert" in json.loads(seen.detail)["said"]["refused"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "timeout"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200, "bad-answer"),
        (b"x" * 40_000, "bad-answer"),
        (b"HTTP/1.1 200 OK\r\nServer:", "timeout"),
    ],
)
def test_what_a_hostile_peer_says_within_tls_becomes_a_reason(context: ssl.SSLContext, said: bytes, error: str) -> None:
    def shakes_hands(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as shaken:
            shaken.sendall(said)
            while shaken.recv(4096):
                pass

    with peer(shakes_hands) as port:
        (seen,) = perform("https", port, timeout_ms=1500 if error == "timeout" else 10_000, close_ms=100)
    assert seen.error == error, seen


def test_plain_http_where_tls_was_declared_is_no_answer() -> None:
    with served() as port:
        (seen,) = perform("https", port)
    assert seen.error == "bad-answer"
    with served() as port:
        (seen,) = perform("ssh", port, timeout_ms=300)
    assert seen.error == "timeout"
