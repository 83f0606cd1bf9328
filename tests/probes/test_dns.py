"""DNS queries against a resolver that says whatever the test wants, on the loopback interface."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.action import Action
from probes.action import Target
from probes.gate import Gate
from probes.methods import method
from probes.permit import Permit
from probes.permit import ZonePermit
from probes.tasks import dns_query
from profiles.observation import Observation

NAME = "plc.plant.example"
Reply = Callable[[dns.message.Message], Sequence[bytes]]


class Seen(list[Observation]):
    """What a method gives."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def __call__(self, rows: Sequence[Observation], /) -> None:
        self.extend(rows)

    def raw(self, name: str, text: str) -> None:
        assert name not in self.kept
        self.kept[name] = text


def permit(**limits: Any) -> Permit:
    return Permit("desk", {"127.0.0.1": "cell", "::1": "cell"}, {"cell": ZonePermit("cell", "query", **limits)}, {})


def target(port: int, id: str = "id1", name: str = NAME, type: str = "TXT", address: str = "127.0.0.1") -> Target:
    return Target(id, address, "cell", port, json.dumps({"name": name, "type": type}))


def ask(*targets: Target, allowed: Permit | None = None, stop: Callable[[], bool] = lambda: False, **more: Any) -> Seen:
    seen = Seen()
    action = Action("desk", "dns-query", targets, {"timeout_ms": 400, **more})
    asyncio.run(method("dns-query").run(action, Gate(allowed or permit(), stop=stop), seen))
    return seen


def answer(query: dns.message.Message, *records: str, type: str = "TXT", name: str = NAME) -> dns.message.Message:
    response = dns.message.make_response(query)
    if records:
        response.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", type, *records))
    return response


@contextmanager
def resolver(reply: Reply, over_tcp: Reply | None = None, delay_s: float = 0) -> Iterator[int]:
    """A UDP server whose datagrams ``reply`` makes, and perhaps a TCP server at the same port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, socket.socket() as listener:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        done = threading.Event()
        threads = [threading.Thread(target=_serve, args=(server, reply, delay_s, done))]
        if over_tcp is not None:
            listener.bind(("127.0.0.1", port))
            listener.listen()
            threads.append(threading.Thread(target=_serve_streams, args=(listener, over_tcp, done)))
        for thread in threads:
            thread.start()
        try:
            yield port
        finally:
            done.set()
            for thread in threads:
                thread.join()


def _serve(server: socket.socket, reply: Reply, delay_s: float, done: threading.Event) -> None:
    server.settimeout(0.02)
    while not done.is_set():
        try:
            data, peer = server.recvfrom(4096)
        except TimeoutError:
            continue
        time.sleep(delay_s)
        for datagram in reply(dns.message.from_wire(data)):
            server.sendto(datagram, peer)


def _serve_streams(listener: socket.socket, reply: Reply, done: threading.Event) -> None:
    listener.settimeout(0.02)
    while not done.is_set():
        try:
            stream, _ = listener.accept()
        except TimeoutError:
            continue
        with stream:
            stream.settimeout(2)
            data = stream.recv(4096)
            for message in reply(dns.message.from_wire(data[2:])):
                stream.sendall(message)


def other_id(query: dns.message.Message) -> bytes:
    response = answer(query, "yes")
    response.id = (query.id + 1) % 65536
    return response.to_wire()


def other_question(query: dns.message.Message) -> bytes:
    asked = dns.message.make_query("press.plant.example", "TXT", id=query.id)
    return answer(asked, "yes", name="press.plant.example").to_wire()


def truncated(query: dns.message.Message) -> bytes:
    response = answer(query)
    response.flags |= dns.flags.TC
    return response.to_wire()


def coded(query: dns.message.Message, rcode: dns.rcode.Rcode) -> bytes:
    response = answer(query)
    response.set_rcode(rcode)
    return response.to_wire()


def aliases_without_end(query: dns.message.Message) -> bytes:
    response = answer(query)
    response.answer.append(dns.rrset.from_text(f"{NAME}.", 60, "IN", "CNAME", f"{NAME}."))
    return response.to_wire()


@pytest.mark.parametrize(
    ("reply", "error", "facts"),
    [
        (lambda it: [answer(it, "yes").to_wire()], None, {"rcode": "NOERROR", "answers": ["yes"]}),
        (lambda it: [answer(it, '"two " "parts"').to_wire()], None, {"answers": ["two parts"]}),
        (lambda it: [answer(it, "b", "a").to_wire()], None, {"count": 2}),
        (lambda it: [answer(it).to_wire()], None, {"rcode": "NOERROR", "answers": []}),
        (lambda it: [coded(it, dns.rcode.NXDOMAIN)], None, {"rcode": "NXDOMAIN", "answers": []}),
        (lambda it: [coded(it, dns.rcode.SERVFAIL)], None, {"rcode": "SERVFAIL", "answers": []}),
        (lambda it: [coded(it, dns.rcode.REFUSED)], None, {"rcode": "REFUSED", "answers": []}),
        (lambda it: [aliases_without_end(it)], None, {"rcode": "NOERROR", "answers": []}),
        (lambda it: [], "timeout", {}),
        (lambda it: [b""], "timeout", {"ignored": 1}),
        (lambda it: [b"garbage" * 9, b"\xff" * 500], "timeout", {"ignored": 2}),
        (lambda it: [it.to_wire()], "timeout", {"ignored": 1}),  # the question itself, sent back
        (lambda it: [other_id(it)], "timeout", {"ignored": 1}),
        (lambda it: [other_question(it)], "timeout", {"ignored": 1}),
        (lambda it: [answer(it, "yes").to_wire()[:-2]], "timeout", {"ignored": 1}),  # half an answer, then silence
        (lambda it: [other_id(it), answer(it, "yes").to_wire()], None, {"answers": ["yes"], "ignored": 1}),
        (lambda it: [answer(it, *(f"{n:02}" * 100 for n in range(30))).to_wire()], "bad-answer", {"count": 30}),
    ],
)
def test_answers_count_only_if_they_are_answers(reply: Reply, error: str | None, facts: dict[str, Any]) -> None:
    with resolver(reply) as port:
        seen = ask(target(port))
    (row,) = seen
    detail = json.loads(row.detail)
    detail = {"count": len(detail.get("answers", ()))} | detail
    assert (row.error, row.target, row.quantity, row.unit) == (error, "id1", "resolution-delay", "ms")
    assert {name: detail[name] for name in facts} == facts
    assert row.value is None if error else 0 < row.value <= 400
    assert detail["port"] == port
    if error is None:
        assert "QUESTION" in seen.kept["dns/id1-0.txt"]
        assert {"qr", "rd"} <= set(detail["flags"].split())


def test_a_task_that_does_not_start_is_told_of_each_question(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(Gate, "run_task", refuse)
    rows = ask(target(5353), target(5353, "id2"), attempts=2)
    assert sorted((row.target, row.attempt) for row in rows) == [("id1", 0), ("id1", 1), ("id2", 0), ("id2", 1)]
    assert {row.error for row in rows} == {"method-failed"}
    assert "did not start" in rows[0].detail


def test_a_late_answer_is_none() -> None:
    with resolver(lambda it: [answer(it, "yes").to_wire()], delay_s=0.6) as port:
        (row,) = ask(target(port), timeout_ms=300)
    assert row.error == "timeout"


def test_an_answer_from_another_address_is_none() -> None:
    def elsewhere(query: dns.message.Message) -> list[bytes]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.2", 0))
            other.sendto(answer(query, "forged").to_wire(), asker[0])
        return []

    asker: list[Any] = []
    plain = socket.socket.recvfrom

    class Noting(socket.socket):
        def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
            data, peer = plain(self, size, flags)
            asker[:] = [peer]
            return data, peer

    with Noting(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        done = threading.Event()
        thread = threading.Thread(target=_serve, args=(server, elsewhere, 0, done))
        thread.start()
        (row,) = ask(target(server.getsockname()[1]))
        done.set()
        thread.join()
    assert asker
    assert row.error == "timeout"


def test_a_closed_port_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    (row,) = ask(target(port))
    assert row.error == "refused"


def _framed(message: bytes) -> bytes:
    return len(message).to_bytes(2) + message


@pytest.mark.parametrize(
    ("over_tcp", "error", "answers"),
    [
        (lambda it: [_framed(answer(it, *(f"{n:03}" * 20 for n in range(30))).to_wire())], None, 30),
        (lambda it: [], "reset", 0),  # accepted and closed
        (lambda it: [_framed(answer(it, "yes").to_wire())[:9]], "reset", 0),
        (lambda it: [_framed(other_id(it))], "bad-answer", 0),
        (lambda it: [_framed(b"garbage")], "bad-answer", 0),
    ],
)
def test_what_is_truncated_is_asked_again_over_tcp(over_tcp: Reply, error: str | None, answers: int) -> None:
    with resolver(lambda it: [truncated(it)], over_tcp) as port:
        (row,) = ask(target(port))
    detail = json.loads(row.detail)
    assert (row.error, len(detail.get("answers", ()))) == (error, answers)
    assert detail["truncated"] is True


def test_a_truncated_answer_without_tcp_is_no_answer() -> None:
    with resolver(lambda it: [truncated(it)]) as port:
        (row,) = ask(target(port))
    assert row.error == "refused"


def test_addresses_and_aliases_are_followed_to_their_end() -> None:
    def alias(query: dns.message.Message) -> list[bytes]:
        response = answer(query)
        response.answer.append(dns.rrset.from_text(f"{NAME}.", 60, "IN", "CNAME", "SPARE.plant.example."))
        if query.question[0].rdtype == dns.rdatatype.AAAA:
            response.answer.append(dns.rrset.from_text("spare.plant.example.", 60, "IN", "AAAA", "2001:db8::7"))
        return [response.to_wire()]

    with resolver(alias) as port:
        seen = ask(target(port, "six", type="AAAA"), target(port, "name", type="CNAME"))
    assert {row.target: json.loads(row.detail)["answers"] for row in seen} == {
        "six": ["2001:db8::7"],
        "name": ["SPARE.plant.example"],
    }


def test_every_attempt_of_every_target_has_one_row_and_the_pace_holds() -> None:
    at_s: list[float] = []

    def note(query: dns.message.Message) -> list[bytes]:
        at_s.append(time.monotonic())
        return [answer(query, "yes").to_wire()]

    with resolver(note) as port:
        seen = ask(*(target(port, f"id{n}") for n in range(3)), attempts=2, allowed=permit(packets_per_s_per_device=10))
    assert sorted((row.target, row.attempt) for row in seen) == [(f"id{n}", k) for n in range(3) for k in range(2)]
    assert all(later - earlier > 0.095 for earlier, later in pairwise(at_s))
    assert len(seen.kept) == 6


def test_a_resolver_that_goes_silent_stops_its_zone() -> None:
    asked: list[int] = []

    def first_only(query: dns.message.Message) -> list[bytes]:
        asked.append(1)
        return [answer(query, "yes").to_wire()] if len(asked) == 1 else []

    allowed = permit(silence_limit=2)
    with resolver(first_only) as port:
        seen = ask(*(target(port, f"id{n}") for n in range(6)), allowed=allowed, timeout_ms=100)
    assert [row.error for row in seen] == [None, "timeout", "timeout", "stopped", "stopped", "stopped"]
    assert len(asked) == 3


def test_the_kill_switch_ends_the_asking() -> None:
    began_s = time.monotonic()
    with resolver(lambda it: []) as port:
        targets = [target(port, f"id{n}") for n in range(20)]
        seen = ask(*targets, stop=lambda: time.monotonic() > began_s + 0.8, timeout_ms=60_000)
    assert [row.error for row in seen] == ["stopped"] * 20
    assert time.monotonic() - began_s < 3


@pytest.mark.parametrize(
    ("address", "limits", "reason"),
    [("192.0.2.9", {}, "undeclared-address"), ("127.0.0.1", {"level": "passive"}, "level-too-high")],
)
def test_nothing_is_asked_without_permit(address: str, limits: dict[str, Any], reason: str) -> None:
    allowed = Permit("desk", {"127.0.0.1": "cell"}, {"cell": ZonePermit("cell", limits.get("level", "query"))}, {})
    (row,) = ask(target(53, address=address), allowed=allowed)
    assert (row.error, json.loads(row.detail)["reason"]) == ("refused-by-guard", reason)


def test_a_budget_that_does_not_suffice_stops_it() -> None:
    (row,) = ask(target(53), allowed=permit(total_bytes=100))
    assert (row.error, json.loads(row.detail)["reason"]) == ("stopped", "byte-budget-exhausted")


def test_the_price_is_that_of_truncated_answers() -> None:
    action = Action("desk", "dns-query", (target(53, "a"), target(53, "b")), {"attempts": 2, "timeout_ms": 1000})
    cost = method("dns-query").cost(action, permit(packets_per_s_per_device=1))
    assert (cost.packets, cost.level) == (2 * 2 * 11, "query")
    assert cost.duration_s == pytest.approx(2 + 4 + 8 + 4)  # one device, backing off, and four timeouts


@given(st.binary(max_size=600))
def test_no_datagram_makes_the_reader_raise(datagram: bytes) -> None:
    message = dns_query._read(datagram)
    if message is not None:
        told = dns_query._told(message)
        assert len(json.dumps(told.get("answers", []))) <= dns_query.MOST_ANSWERS_BYTES


@given(st.data())
def test_no_damaged_answer_makes_the_reader_raise(data: st.DataObject) -> None:
    wire = bytearray(answer(dns.message.make_query(NAME, "TXT"), "some", "text").to_wire())
    for _ in range(data.draw(st.integers(1, 6))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    message = dns_query._read(bytes(wire[: data.draw(st.integers(0, len(wire)))]))
    if message is not None:
        dns_query._told(message)
