"""Goodput over HTTP on loopback: against servers that serve, and against everything that does not."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from typing import Any

import pytest

from probes.action import Action
from probes.action import Target
from probes.download import QUANTITIES
from probes.download import DownloadParameters
from probes.gate import Gate
from probes.load_port import LoadPort
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from profiles.observation import Observation

HOST = "127.0.0.1"
QUICK = {"duration_s": 0.3, "omit_s": 0.1, "timeout_ms": 1000, "streams": 2, "slice_ms": 50, "limit_mbit_s": 80}
OK = b"HTTP/1.1 200 OK\r\n"
BODY = bytes(1 << 16)

Serve = Callable[[socket.socket, int], None]


class Kept:
    """What the method emits."""

    def __init__(self) -> None:
        self.rows: list[Observation] = []
        self.raws: dict[str, str] = {}

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.rows += rows

    def raw(self, name: str, text: str) -> None:
        assert name not in self.raws
        self.raws[name] = text


@contextmanager
def server(serve: Serve) -> Iterator[int]:
    """A server that does to each connection, and its number, what the test says; its port."""
    listening = socket.create_server((HOST, 0), backlog=64)
    threads: list[threading.Thread] = []
    taken: list[socket.socket] = []

    def one(connection: socket.socket, number: int) -> None:
        with suppress(OSError, ValueError):
            serve(connection, number)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            taken.append(connection)
            threads.append(threading.Thread(target=one, args=(connection, len(threads)), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for connection in taken:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()
        for connection in taken:
            connection.close()


def measure(
    port: int,
    way: str = "down",
    stop: Callable[[], bool] = lambda: False,
    limits: dict[str, Any] | None = None,
    more: dict[str, str] | None = None,
    **asked: Any,
) -> tuple[list[Observation], Kept]:
    """The rows of one direction; there are none of the other."""
    asks = json.dumps({"down": "/a", "up": "/b", **(more or {})})
    action = Action(
        "desk", "http-throughput", (Target("s", HOST, "z", port, asks),), {**QUICK, "direction": way, **asked}
    )
    permit = Permit("desk", {HOST: "z"}, {"z": ZonePermit("z", **{"level": "load", **(limits or {})})}, {})
    kept = Kept()
    asyncio.run(method("http-throughput").run(action, Gate(permit, stop=stop), kept))
    assert [row.quantity for row in kept.rows] == [f"goodput-{way}"] * asked.get("attempts", 1)
    assert all((row.value is None) != (row.error is None) and row.unit == QUANTITIES[row.quantity] for row in kept.rows)
    return kept.rows, kept


def head(connection: socket.socket) -> bytes:
    """The next request's head."""
    octets = b""
    while not octets.endswith(b"\r\n\r\n"):
        if not (more := connection.recv(1)):
            raise ConnectionError
        octets += more
    return octets


def by_length(connection: socket.socket, _: int, body: bytes = BODY * 16) -> None:
    while head(connection):
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)


def chunked(connection: socket.socket, _: int) -> None:
    part = b"%x\r\n%b\r\n" % (len(BODY), BODY)
    while head(connection):
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n" + part * 16 + b"0\r\n\r\n")


def closing(connection: socket.socket, _: int) -> None:
    head(connection)
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + BODY * 16)


def redirecting(connection: socket.socket, number: int) -> None:
    if b"GET /a " in head(connection):
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n")
    else:
        connection.sendall(OK + b"Content-Length: 99999999\r\n\r\n")
        for _ in range(1500):
            connection.sendall(BODY)


def taking(connection: socket.socket, _: int, answer: bytes = OK + b"Content-Length: 0\r\n\r\n") -> None:
    head(connection)
    file = connection.makefile("rb")
    while size := int(file.readline(), 16):
        file.read(size + 2)
    file.readline()
    connection.sendall(answer)


@pytest.mark.parametrize("serve", [by_length, chunked, closing, redirecting])
def test_bodies_of_every_form_are_counted_up_to_the_limit(serve: Serve) -> None:
    with server(serve) as port:
        (row,), kept = measure(port)
    assert row.error is None, row.detail
    assert row.value == pytest.approx(80, rel=0.3)
    facts = json.loads(row.detail)
    assert (facts["port"], facts["bound"], facts["streams"]) == (port, "asked", 2)
    lines = kept.raws[facts["raw"]].splitlines()
    assert lines[0] == "ms,octets"
    counted = [int(line.split(",")[1]) for line in lines[1:]][2:8]
    assert sum(counted) == facts["octets"]
    assert row.value == pytest.approx(sum(counted) * 8 / 0.3 / 1e6)


def test_what_the_far_end_has_acknowledged_counts_upwards() -> None:
    with server(taking) as port:
        (row,), kept = measure(port, "up")
    assert row.error is None, row.detail
    assert row.value is not None
    assert 40 < row.value < 100
    assert len(kept.raws) == 1


def test_a_budget_that_binds_is_kept_and_told() -> None:
    with server(by_length) as port:
        (row,), _ = measure(port, limits={"bits_per_s": 20e6}, duration_s=0.6, omit_s=0.5)
    assert row.value is not None
    assert 5 < row.value < 20
    assert json.loads(row.detail)["bound"] == "permit"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What the kernel is made to say of the connections."""
    said: dict[str, int] = {}
    own = LoadPort.kernel
    monkeypatch.setattr(LoadPort, "kernel", lambda port: own(port) | said)
    return said


def slow(connection: socket.socket, _: int) -> None:
    """3 Mbit/s on each connection, without an end."""
    head(connection)
    connection.sendall(OK + b"Content-Length: 99999999\r\n\r\n")
    while True:
        connection.sendall(bytes(7_500))
        time.sleep(0.02)


def taking_slowly(connection: socket.socket, _: int) -> None:
    head(connection)
    file = connection.makefile("rb")
    while size := int(file.readline(), 16):
        file.read(size + 2)
        time.sleep(0.004)
    file.readline()
    connection.sendall(OK + b"Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize(("rtt_us", "bound"), [(900_000, "permit"), (50_000, None)])
def test_a_window_that_kept_to_a_budget_binds_on_a_long_path(
    rtt_us: int, bound: str | None, kernel: dict[str, int]
) -> None:
    """A server that may send 0.25 s ahead reaches no budget over a round trip of more; the line is not to blame."""
    kernel |= {"min_rtt_us": rtt_us}
    with server(slow) as port:
        (row,), _ = measure(port, limits={"bits_per_s": 20e6}, duration_s=0.6, omit_s=0.6)
    assert row.value is not None
    assert row.value < 9
    assert json.loads(row.detail).get("bound") == bound


@pytest.mark.parametrize(
    ("way", "said", "why"),
    [
        ("down", {"min_rtt_us": 900_000, "tcp_rmem": 100_000}, "receive buffer"),
        ("up", {"busy_us": 800_000, "rwnd_limited_us": 700_000}, "receiver's window"),
        ("up", {"busy_us": 800_000, "sndbuf_limited_us": 700_000, "rwnd_limited_us": 0}, "send buffer"),
        ("up", {"busy_us": 100_000, "rwnd_limited_us": 0, "sndbuf_limited_us": 0}, "something to send"),
    ],
)
def test_a_rate_that_the_ends_bounded_is_none(way: str, said: dict[str, int], why: str, kernel: dict[str, int]) -> None:
    kernel |= said
    with server(slow if way == "down" else taking_slowly) as port:
        (row,), _ = measure(port, way, limit_mbit_s=1_000)
        assert (row.value, row.error) == (None, "unsound"), row.detail
        assert why in row.detail
        (row,), _ = measure(port, way, limit_mbit_s=1)  # at the cap it is a lower bound, whatever else bounded it
        assert row.value is not None


# --- servers that are none -------------------------------------------------------------------------------------------


def say(octets: bytes, *, then: Callable[[], None] = lambda: None) -> Serve:
    def serve(connection: socket.socket, _: int) -> None:
        head(connection)
        connection.sendall(octets)
        then()

    return serve


def drip(before: bytes, octets: bytes) -> Serve:
    def serve(connection: socket.socket, _: int) -> None:
        head(connection)
        connection.sendall(before)
        for n in range(200):
            connection.sendall(octets[n % len(octets) :][:1])
            time.sleep(0.02)  # a drip is slow by nature

    return serve


def quiet(connection: socket.socket, _: int) -> None:
    head(connection)
    connection.recv(1)


def vanishing(connection: socket.socket, number: int) -> None:
    """Half of them fall silent in the middle of a body."""
    head(connection)
    connection.sendall(OK + b"Content-Length: 99999999\r\n\r\n" + BODY)
    if number % 2:
        connection.recv(1)
    for _ in range(1500):
        connection.sendall(BODY)


def hanging_up(connection: socket.socket, _: int) -> None:
    head(connection)
    connection.sendall(OK + b"Content-Length: 99999999\r\n\r\n" + BODY)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@pytest.mark.parametrize(
    ("serve", "error", "why"),
    [
        (quiet, "timeout", "silent"),
        (vanishing, "timeout", "silent"),
        (hanging_up, "reset", ""),
        (say(b"SSH-2.0-server\r\n\r\n"), "bad-answer", "no HTTP"),
        (say(bytes(range(256)) * 100), "bad-answer", "without an end"),
        (say(OK + b"X: y\r\n" * 9000), "bad-answer", "without an end"),
        (say(OK + b"Content-Length: 5000\r\n\r\nhello"), "reset", "4995 octets before its end"),
        (say(OK + b"Content-Length: 2\r\n\r\nhello"), "bad-answer", "more than it has declared"),
        (say(OK + b"Content-Length: 0\r\n\r\n"), "bad-answer", "a body of nothing"),
        (say(b""), "reset", "closed after 0 octets"),
        (say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), "bad-answer", "status 404"),
        (say(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), "busy", "status 503"),
        (say(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"), "access-denied", "status 403"),
        (say(b"HTTP/1.1 302 F\r\nLocation: http://192.0.2.1/\r\n\r\n"), "bad-answer", "another place"),
        (say(b"HTTP/1.1 302 F\r\nLocation: /a\r\n\r\n"), "bad-answer", "in circles"),
        (drip(OK, b"X-Drip: y\r\n"), "timeout", "head"),
        (drip(OK + b"Content-Length: 5000000\r\n\r\n", b"x"), "timeout", "octets in"),
    ],
)
def test_what_does_not_serve_gives_a_reason_and_no_rate(serve: Serve, error: str, why: str) -> None:
    with server(serve) as port:
        began_s = time.monotonic()
        (row,), _ = measure(port)
        took_s = time.monotonic() - began_s
    assert (row.value, row.error) == (None, error), row.detail
    assert why in json.loads(row.detail).get("why", "")
    assert took_s < DownloadParameters(**QUICK).longest_s + 5


def test_bodies_that_are_too_short_to_fill_the_way_are_no_measure() -> None:
    def slow(connection: socket.socket, _: int) -> None:
        while head(connection):
            time.sleep(0.05)
            connection.sendall(OK + b"Content-Length: 8192\r\n\r\n" + bytes(8192))

    with server(slow) as port:
        (row,), _ = measure(port)
    assert (row.error, "too short" in row.detail) == ("bad-answer", True)


@pytest.mark.parametrize(
    ("serve", "error", "why"),
    [
        (quiet, "timeout", ""),
        (say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), "bad-answer", "status 413"),
        (say(OK + b"Content-Length: 0\r\n\r\n"), "bad-answer", "status 200"),  # before the body was whole
        (say(b"nonsense\r\n\r\n"), "bad-answer", "no HTTP"),
        (lambda c, n: taking(c, n, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), "bad-answer", "status 500"),
        (lambda c, n: taking(c, n, b"HTTP/1.1 200"), "reset", "closed"),
    ],
)
def test_a_server_that_does_not_take_gives_a_reason_and_no_rate(serve: Serve, error: str, why: str) -> None:
    with server(serve) as port:
        (row,), _ = measure(port, "up", limit_mbit_s=800)
    assert row.value is None
    assert row.error in {error, "reset"}, row.detail  # what is unread when it closes makes its kernel reset
    assert row.error == "reset" or why in json.loads(row.detail).get("why", "")


def test_nobody_there_is_refused_and_a_guard_that_forbids_sends_nothing() -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
    (row,), _ = measure(port)
    assert row.error == "refused"
    rows, _ = measure(port, limits={"level": "query"})
    assert [(row.error, "level-too-high" in row.detail) for row in rows] == [("refused-by-guard", True)]


def test_the_kill_switch_ends_a_test() -> None:
    stopped = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        stopped.set()
        by_length(connection, number)

    with server(serve) as port:
        began_s = time.monotonic()
        (row,), _ = measure(port, stop=stopped.is_set, duration_s=20)
        assert time.monotonic() - began_s < 10
    assert row.error == "stopped"


def test_a_price_counts_what_targets_have() -> None:
    permit = Permit("desk", {HOST: "z"}, {"z": ZonePermit("z", "load")}, {})

    def bytes_of(*ways: str, direction: str = "both") -> int:
        asks = json.dumps(dict.fromkeys(ways, "/a"))
        action = Action(
            "desk", "http-throughput", (Target("s", HOST, "z", 80, asks),), {**QUICK, "direction": direction}
        )
        return method("http-throughput").cost(action, permit).bytes

    assert bytes_of("down", "up") == 2 * bytes_of("down") == 2 * bytes_of("down", "up", direction="down") > 0
    assert bytes_of("up", direction="down") == 0


@pytest.mark.parametrize(
    "wrong",
    [{"streams": 0}, {"streams": 10_000}, {"direction": "side"}, {"slice_ms": 5}, {"duration_s": 0.0}, {"omit_s": -1}],
)
def test_parameters_that_make_no_test_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        DownloadParameters(**QUICK | wrong)
