"""Goodput over HTTPS on loopback: against servers that serve, and against what is no TLS or stops being it."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from probes.http_answer import stays
from probes.http_push import Push
from probes.http_transfer import Want
from probes.load_port import LoadPort
from profiles.observation import Observation
from tests.probes.test_download import OK
from tests.probes.test_download import Serve
from tests.probes.test_download import by_length
from tests.probes.test_download import chunked
from tests.probes.test_download import closing
from tests.probes.test_download import head
from tests.probes.test_download import measure
from tests.probes.test_download import redirecting
from tests.probes.test_download import server
from tests.probes.test_download import taking
from tests.probes.test_http import LATER
from tests.probes.test_http import certificate

TLS = {"tls": "yes"}
LIMIT_MBIT_S = 20  #: a server in a thread of the same process makes the tester busy


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key in one file."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(b"".join(certificate(LATER, (NameOID.COMMON_NAME, "speed.example"))))
    return file


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda it: it.name)
def context(request: pytest.FixtureRequest, both: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(both)
    made.minimum_version = made.maximum_version = request.param
    return made


def within(context: ssl.SSLContext, serve: Serve) -> Serve:
    """The same server within TLS."""

    def secured(connection: socket.socket, number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            serve(tls, number)

    return secured


def asked(serve: Serve, way: str = "down", **parameters: Any) -> Observation:
    with server(serve) as port:
        (row,), _ = measure(port, way, more=TLS, **{"limit_mbit_s": LIMIT_MBIT_S, **parameters})
    return row


@pytest.mark.parametrize("serve", [by_length, chunked, closing, redirecting])
def test_bodies_within_tls_are_counted_up_to_the_limit(serve: Serve, context: ssl.SSLContext, both: Path) -> None:
    row = asked(within(context, serve))
    assert row.error is None, row.detail
    assert row.value == pytest.approx(LIMIT_MBIT_S, rel=0.3)
    facts = json.loads(row.detail)
    seen = x509.load_pem_x509_certificate(both.read_bytes()).fingerprint(SHA256()).hex()
    assert (facts["certificate"], facts["verified"], facts["subject"]) == (seen, "no", "CN=speed.example")
    assert facts["tls"] == context.maximum_version.name.replace("_", ".")


def test_what_is_sent_within_tls_counts_as_far_as_it_was_acknowledged(context: ssl.SSLContext) -> None:
    row = asked(within(context, taking), "up")
    assert row.error is None, row.detail
    assert row.value is not None
    assert LIMIT_MBIT_S / 2 < row.value < LIMIT_MBIT_S * 1.25


def test_what_tls_adds_is_no_goodput() -> None:
    push = Push(cast("LoadPort", None), Want("up", "/", "", "", 443, 1, 1.0, 1.0, 0.0, 0.5, secure=True))
    push._samples = [(0.0, 1000), (0.5, 2000), (1.0, 3000)]
    assert push.rate() == (2000, 1.0)
    push.tls = [cast("Any", SimpleNamespace(plain=49, sent=50)), cast("Any", SimpleNamespace(plain=49, sent=50))]
    assert push.rate() == (1960, 1.0)


def plain(connection: socket.socket, _: int) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def hanging_up(connection: socket.socket, _: int) -> None:
    connection.recv(1000)


def silent(connection: socket.socket, _: int) -> None:
    while connection.recv(1000):
        pass


def dripping(connection: socket.socket, _: int) -> None:
    connection.sendall(b"\x16\x03\x03\x40\x00")
    while True:
        connection.sendall(b"\x02")
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("serve", "error", "why"),
    [(plain, "bad-answer", "TLS"), (hanging_up, "reset", ""), (silent, "timeout", ""), (dripping, "bad-answer", "TLS")],
)
@pytest.mark.parametrize("way", ["down", "up"])
def test_what_is_no_tls_gives_a_reason_and_no_rate(serve: Serve, error: str, why: str, way: str) -> None:
    began_s = time.monotonic()
    row = asked(serve, way, timeout_ms=400)
    assert (row.value, row.error) == (None, error), row.detail
    assert why in json.loads(row.detail).get("why", "")
    assert time.monotonic() - began_s < 10


def test_a_server_can_have_no_such_name(context: ssl.SSLContext) -> None:
    with server(within(context, by_length)) as port:
        (row,), _ = measure(port, more={**TLS, "name": "a..b"})
    assert (row.value, row.error) == (None, "bad-answer"), row.detail


def torn(connection: socket.socket, _: int) -> None:
    """Octets that are no record, in the middle of a body."""
    tls = cast("ssl.SSLSocket", connection)
    head(tls)
    tls.sendall(OK + b"Content-Length: 100000000\r\n\r\n" + bytes(1 << 16))
    with socket.socket(fileno=os.dup(tls.fileno())) as raw:
        raw.sendall(b"x" * 1000)
        raw.recv(1)


def farewell(connection: socket.socket, _: int) -> None:
    """An orderly end of TLS in the middle of a body."""
    tls = cast("ssl.SSLSocket", connection)
    head(tls)
    tls.sendall(OK + b"Content-Length: 100000000\r\n\r\n" + bytes(1 << 16))
    tls.unwrap()


@pytest.mark.parametrize(("serve", "error"), [(torn, "bad-answer"), (farewell, "reset")])
def test_tls_that_ends_in_a_body_gives_a_reason_and_no_rate(serve: Serve, error: str, context: ssl.SSLContext) -> None:
    row = asked(within(context, serve))
    assert (row.value, row.error) == (None, error), row.detail


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("https://speed.example/b", "/b"),
        ("https://speed.example:443/b", "/b"),
        ("http://speed.example/b", None),  # out of TLS
        ("https://speed.example:80/b", None),
        ("/b", "/b"),
    ],
)
def test_a_redirection_stays_within_tls(location: str, path: str | None) -> None:
    assert stays(location, "speed.example", 443, secure=True) == path
