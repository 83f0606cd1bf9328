"""Echo against a far end that lies: late, twice, damaged, in another's name, or as a forged error."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Any

import pytest

from profiles.observation import Observation

if TYPE_CHECKING:
    from tests.probes.conftest import Ask
    from tests.probes.conftest import Rig

pytestmark = pytest.mark.lab

CLIENT = "198.18.1.1"
TARGET, OTHER = "198.18.64.1", "198.18.64.2"  # the kernel's own blackhole: only the liar answers


def answer(question: bytes, *, code: int = 0, cut: int = 0, change: int | None = None) -> bytes:
    """The echo reply to an ICMP message, more or less."""
    body = bytearray(b"\0" + bytes([code]) + b"\0\0" + question[4:])
    if change is not None:
        body[change] ^= 0xFF
    body = body[: len(body) - cut]
    from scapy.utils import checksum

    body[2:4] = checksum(bytes(body)).to_bytes(2)
    return bytes(body)


def icmp_error(quoted: bytes, code: int) -> bytes:
    """An ICMP destination unreachable that quotes this much of a packet."""
    from scapy.layers.inet import ICMP

    return bytes(ICMP(type=3, code=code) / quoted)


@contextmanager
def liar(rig: Rig, tell: Callable[[bytes, Callable[..., None]], None]) -> Iterator[None]:
    """Call ``tell(question, send)`` for each echo request that reaches the far end."""
    from scapy.layers.inet import IP  # it takes long, and answers must not wait for it

    done = threading.Event()

    def serve() -> None:
        ears = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        mouth = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with ears, mouth:
            ears.bind(("eth0", 0x0800))
            ears.settimeout(0.05)
            ready.set()

            def send(message: bytes, source: str = TARGET) -> None:
                mouth.sendto(bytes(IP(src=source, dst=CLIENT, proto=1) / message), (CLIENT, 0))

            while not done.is_set():
                try:
                    packet = ears.recv(2048)
                except TimeoutError:
                    continue
                if packet[9] == 1 and packet[20] == 8 and packet[16:19] == socket.inet_aton(TARGET)[:3]:
                    tell(packet, send)

    ready = threading.Event()
    thread = threading.Thread(target=rig.within, args=(rig.server, serve))
    thread.start()
    assert ready.wait(5)
    try:
        yield
    finally:
        done.set()
        thread.join()


def probe(
    rig: Rig, ask: Ask, tell: Callable[..., object], targets: Sequence[str] = (TARGET,), **parameters: Any
) -> tuple[list[Observation], dict[str, Any]]:
    """One attempt at each target; errors by address, details by address, and the instrument's account."""
    action = ask.action("icmp-echo", list(targets), **({"attempts": 1, "timeout_ms": 250} | parameters))
    with liar(rig, tell):
        seen = rig.probe(action, ask.permit(list(targets)))
    (instrument,) = [observation for observation in seen if not observation.target]
    attempts = [observation for observation in seen if observation.target]
    keys = Counter((observation.target, observation.attempt) for observation in attempts)
    assert set(keys.values()) == {1}
    return attempts, json.loads(instrument.detail)


def honest(packet: bytes, send: Callable[..., None]) -> None:
    send(answer(packet[20:]))


def test_an_honest_far_end_is_believed(rig: Rig, ask: Ask) -> None:
    (only,), _ = probe(rig, ask, honest)
    assert only.error is None


def test_a_late_answer_is_late(rig: Rig, ask: Ask) -> None:
    def late(packet: bytes, send: Callable[..., None]) -> None:
        time.sleep(0.3)  # Tmax is 0.25 s; the sleep is the behaviour under test
        send(answer(packet[20:]))

    (only,), told = probe(rig, ask, late, linger_ms=600)
    assert only.error == "late"
    assert 250 < json.loads(only.detail)["delay_ms"] < 900
    assert told["late"] == 1


def test_an_answer_after_the_linger_is_lost(rig: Rig, ask: Ask) -> None:
    def later(packet: bytes, send: Callable[..., None]) -> None:
        time.sleep(0.3)
        send(answer(packet[20:]))

    (only,), _ = probe(rig, ask, later, linger_ms=0)
    assert only.error == "timeout"


def test_duplicates_are_counted_and_not_told_twice(rig: Rig, ask: Ask) -> None:
    def twice(packet: bytes, send: Callable[..., None]) -> None:
        for _ in range(3):
            send(answer(packet[20:]))

    # a second target that stays silent keeps the sweep listening
    seen, told = probe(rig, ask, lambda packet, send: packet[19] == 1 and twice(packet, send), [TARGET, OTHER])
    assert {one.address: one.error for one in seen} == {TARGET: None, OTHER: "timeout"}
    assert told["duplicates"] == 2


@pytest.mark.parametrize("damage", [{"cut": 1}, {"cut": 20}, {"cut": 32}, {"change": 30}, {"change": 9}, {"code": 7}])
def test_a_damaged_answer_is_a_bad_one(rig: Rig, ask: Ask, damage: dict[str, int]) -> None:
    (only,), told = probe(rig, ask, lambda packet, send: send(answer(packet[20:], **damage)))
    assert only.error == "bad-answer"
    assert told["corrupt"] == 1


def test_a_damaged_answer_does_not_outweigh_a_good_one(rig: Rig, ask: Ask) -> None:
    def both(packet: bytes, send: Callable[..., None]) -> None:
        send(answer(packet[20:], change=30))
        send(answer(packet[20:]))

    (only,), _ = probe(rig, ask, both)
    assert only.error is None


def test_an_answer_in_anothers_name_is_nobodys(rig: Rig, ask: Ask) -> None:
    (only,), told = probe(rig, ask, lambda packet, send: send(answer(packet[20:]), source="198.18.64.9"))
    assert only.error == "timeout"
    assert told["strange"] == 1


def test_an_answer_to_another_question_is_not_taken(rig: Rig, ask: Ask) -> None:
    heard = []

    def previous(packet: bytes, send: Callable[..., None]) -> None:
        """Answer every question with what would answer the one before."""
        heard.append(packet[20:])
        send(answer(heard[-2] if len(heard) > 1 else heard[0][:6] + b"\x55\x55" + heard[0][8:]))

    seen, _ = probe(rig, ask, previous, attempts=3, interval_ms=80)
    errors = {one.attempt: one.error for one in seen}
    assert errors[2] in ("timeout", "bad-answer")
    delays = [one.value for one in seen if one.answered]
    assert all(delay >= 60 for delay in delays)  # the answer that came with the next question


@pytest.mark.parametrize(
    ("quote", "error"),
    [(slice(None), "unreachable"), (slice(0, 28), "unreachable"), (slice(0, 27), "timeout"), (slice(0, 0), "timeout")],
    ids=["whole", "eight bytes", "seven bytes", "nothing"],
)
def test_errors_count_if_they_prove_what_they_quote(rig: Rig, ask: Ask, quote: slice, error: str) -> None:
    (only,), _ = probe(rig, ask, lambda packet, send: send(icmp_error(packet[quote], 10), source="198.18.64.200"))
    assert only.error == error
    if error == "unreachable":
        assert json.loads(only.detail) == {"icmp_type": 3, "icmp_code": 10, "from": "198.18.64.200"}


def test_forged_errors_are_not_believed(rig: Rig, ask: Ask) -> None:
    def forge(packet: bytes, send: Callable[..., None]) -> None:
        """All that somebody off the path could guess, and then the truth."""
        guessed = bytearray(packet)
        guessed[28:36] = bytes(8)  # the cookie
        send(icmp_error(bytes(guessed), 1))
        guessed = bytearray(packet[:28])
        guessed[22] ^= 1  # the checksum
        send(icmp_error(bytes(guessed), 1))
        guessed = bytearray(packet)
        guessed[19] = 77  # sent to somebody else
        send(icmp_error(bytes(guessed), 1))
        send(answer(packet[20:]))

    (only,), told = probe(rig, ask, forge)
    assert only.error is None
    assert told["icmp_errors"] == 0


def test_an_answer_outweighs_an_error(rig: Rig, ask: Ask) -> None:
    def both(packet: bytes, send: Callable[..., None]) -> None:
        send(icmp_error(packet, 1))
        send(answer(packet[20:]))

    (only,), told = probe(rig, ask, both)
    assert only.error is None
    assert told["icmp_errors"] == 1
