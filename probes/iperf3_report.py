"""What an iperf3 client says of one TCP test: read strictly, cross-checked, and told apart from what it is not.

libiperf prints one JSON document, also when the test failed (``error``), and has been seen to print figures that
contradict each other or are no numbers at all. Nothing here becomes a rate before every check below holds. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import NoReturn
from typing import TypeVar

from probes import soundness

Made = TypeVar("Made")

DURATION_TOLERANCE = 0.1  #: share of the asked duration by which the receiver's may differ
RATE_TOLERANCE = 0.01  #: share by which a rate may differ from its bytes over its seconds
BUFFERED_BYTES = 1 << 18  #: what may lie between two counters of one test that are read at different moments, a stream
#: Data that was on the way when the omitted beginning ended: counted by the receiver, and not by the sender any more.
IN_FLIGHT_S = 1.0
BUSY_TESTER_PERCENT = 95.0  #: processor time of the client, or of a server that sends, which is what limits the rate
AT_CAP = 0.9  #: share of the cap from which a rate is taken to be the cap's and not the path's

#: What libiperf says, in part (iperf_error.c, strerror(3)), and what it means.
MEANINGS = (
    ("server is busy", "busy"),
    ("Connection refused", "refused"),
    ("No route to host", "unreachable"),
    ("Network is unreachable", "no-route"),
    ("Cannot assign requested address", "no-route"),
    ("timed out", "timeout"),
    ("Operation now in progress", "timeout"),  # its own limit of the connection's time
    ("Resource temporarily unavailable", "timeout"),
    ("reset by peer", "reset"),
    ("Broken pipe", "reset"),
    ("control socket has closed", "reset"),
    ("server has terminated", "reset"),
    ("Bad file descriptor", "reset"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The test that was asked for."""

    address: str
    port: int
    reverse: bool  #: whether the server sends
    streams: int
    duration_s: int
    omit_s: int
    bits_per_s: int = 0  #: payload that may flow, all streams together; 0 if nobody says


@dataclass(frozen=True, slots=True)
class Transfer:
    """A test that was made as asked."""

    mbit_s: float  #: goodput: what the receiver got, in 10^6 bit/s
    moved_bytes: int  #: payload of the whole test, its omitted beginning included
    facts: Mapping[str, Any]  #: for the observation's detail


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no rate: an error code of :mod:`profiles.observation`, and what was wrong."""

    error: str
    why: str
    idle: bool = False  #: whether no connection for data ever stood, so that no data flowed


class Doubt(Exception):
    """Something does not hold, and so there is no figure."""

    def __init__(self, why: str, error: str = "bad-answer") -> None:
        super().__init__(why)
        self.failure = Failure(error, why)


def read(text: bytes | str, asked: Asked, kernel: Mapping[str, Any] | None = None) -> Transfer | Failure:
    """The rate that ``text`` reports of the test ``asked``, or why it reports none.

    Args:
        text: what the client printed.
        asked: the question.
        kernel: what the tester's kernel said of the test's connections, see :mod:`probes.tasks.tcp_watch`.
    """

    def transfer(report: Any) -> Transfer:  # noqa: ANN401 - JSON
        same_test(report, asked, "TCP")
        return _transfer(report, asked, kernel or {})

    return strictly(text, transfer)


def strictly(text: bytes | str, make: Callable[[Any], Made]) -> Made | Failure:
    """What ``make`` makes of a report, or why it makes nothing of it."""
    try:
        report = json.loads(text, parse_constant=_no_number)
        if said := field(report, "error", str, default=""):
            return Failure(meaning(said), said, idle=_idle(report))
        return make(report)
    except (ValueError, RecursionError) as error:
        return Failure("bad-answer", f"no JSON: {error}"[:200])
    except OverflowError:
        return Failure("bad-answer", "a number beyond all measure")
    except Doubt as error:
        return error.failure


def _idle(report: Mapping[str, Any]) -> bool:
    """Whether a report of a failure tells that no stream was connected."""
    start = report.get("start")
    return isinstance(start, dict) and start.get("connected") == [] and report.get("intervals") == []


def meaning(said: str) -> str:
    """The error code of an error message of libiperf."""
    return next((code for part, code in MEANINGS if part in said), "bad-answer")


def _no_number(found: str) -> NoReturn:
    raise ValueError(f"{found} is no number")


def same_test(report: Any, asked: Asked, protocol: str) -> None:  # noqa: ANN401 - JSON
    """See that this is the answer to the question: peer, protocol, direction, streams, duration."""
    start = field(report, "start", dict)
    test = field(start, "test_start", dict)
    wanted = {
        "protocol": protocol,
        "reverse": int(asked.reverse),
        "num_streams": asked.streams,
        "duration": asked.duration_s,
        "omit": asked.omit_s,
    }
    found = {name: test.get(name) for name in wanted} | {"bidir": test.get("bidir", 0)}
    if found != wanted | {"bidir": 0}:
        raise Doubt(f"another test: {found}")
    peers = field(start, "connected", list)
    if len(peers) != asked.streams:
        raise Doubt(f"{len(peers)} streams")
    for peer in peers:
        host, port = field(peer, "remote_host", str), field(peer, "remote_port", int)
        if _packed(host) != _packed(asked.address) or port != asked.port:
            raise Doubt(f"another peer: {host} port {port}")


def _transfer(report: Any, asked: Asked, kernel: Mapping[str, Any]) -> Transfer:  # noqa: ANN401 - JSON
    end = field(report, "end", dict)
    sent, received = (Sum.of(field(end, name, dict)) for name in ("sum_sent", "sum_received"))
    if abs(received.seconds - asked.duration_s) > DURATION_TOLERANCE * asked.duration_s:
        raise Doubt(f"took {received.seconds:g} s")
    if not sent.size:
        raise Doubt("nothing was sent")
    spare = BUFFERED_BYTES * asked.streams
    counted, moved = intervals(report, asked)
    own = received if asked.reverse else sent
    if abs(counted - own.size) > spare + RATE_TOLERANCE * own.size:
        raise Doubt(f"intervals of {counted} bytes make {own.size}")
    # What the far end says is held against what was counted here, so that it can claim no more than was sent to it.
    early = min(own.bits_per_s / 8 * IN_FLIGHT_S, math.inf if asked.reverse else moved - counted)
    if received.size > sent.size + (early if asked.omit_s else 0):
        raise Doubt(f"{received.size} bytes received of {sent.size} sent")
    facts = {
        "seconds": round(received.seconds, 3),
        "sent_bytes": sent.size,
        "received_bytes": received.size,
        **processors(end),
        "iperf3": version(report),
        **_diagnosis(report, end),
        **soundness.facts(kernel, reverse=asked.reverse),
    }
    if received.bits_per_s < AT_CAP * asked.bits_per_s:
        test = soundness.Test(asked.reverse, asked.streams, asked.omit_s + asked.duration_s, received.bits_per_s)
        if why := soundness.why_not(test, facts, kernel):
            raise Doubt(why, "unsound")
        if asked.reverse and facts["remote_cpu_percent"] >= BUSY_TESTER_PERCENT:
            raise Doubt(f"the sender's processor was busy: {facts['remote_cpu_percent']} %", "unsound")
    return Transfer(received.bits_per_s / 1e6, moved, facts)


def version(report: Any) -> str:  # noqa: ANN401 - JSON
    """Which iperf3 says so."""
    return str(field(report, "start", dict).get("version", ""))


def processors(end: Mapping[str, Any]) -> dict[str, float]:
    """Processor time of both ends in percent of one; a tester that was busy is what limited the rate."""
    usage = field(end, "cpu_utilization_percent", dict)
    host, remote = (number(usage, name) for name in ("host_total", "remote_total"))
    if host >= BUSY_TESTER_PERCENT:
        raise Doubt(f"the tester's processor was busy: {host:.1f} %", "unsound")
    return {"host_cpu_percent": round(host, 1), "remote_cpu_percent": round(remote, 1)}


@dataclass(frozen=True, slots=True)
class Sum:
    """One of the two sums at the end."""

    size: int  #: bytes
    seconds: float
    bits_per_s: float

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Sum:
        """Read strictly."""
        size = field(found, "bytes", int)
        seconds, rate = number(found, "seconds"), number(found, "bits_per_second")
        if size < 0 or not seconds > 0:
            raise Doubt(f"{size} bytes in {seconds:g} s")
        if abs(rate * seconds / 8 - size) > RATE_TOLERANCE * size + 1:
            raise Doubt(f"{size} bytes in {seconds:g} s are not {rate:g} bit/s")
        return cls(size, seconds, rate)


def intervals(report: Any, asked: Asked) -> tuple[int, int]:  # noqa: ANN401 - JSON
    """The bytes of the intervals that count, and of all; a client that stalled reports fewer than one a second."""
    sums = [field(interval, "sum", dict) for interval in field(report, "intervals", list)]
    sizes = [(field(it, "omitted", bool, default=False), field(it, "bytes", int)) for it in sums]
    if any(size < 0 for _, size in sizes):
        raise Doubt("an interval of less than no bytes")
    counted = [size for omitted, size in sizes if not omitted]
    if not asked.duration_s <= len(counted) <= asked.duration_s + 1:
        raise Doubt(f"{len(counted)} intervals of 1 s", "unsound" if counted else "bad-answer")
    return sum(counted), sum(size for _, size in sizes)


def _diagnosis(report: Any, end: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Retransmissions, round-trip time and segment size, as far as the kernel of the sender told them."""
    streams = end.get("streams")
    listed = streams if isinstance(streams, list) else ()
    senders = [it["sender"] for it in listed if isinstance(it, dict) and is_kind(it.get("sender"), dict)]
    found: dict[str, Any] = {}
    segment = field(report, "start", dict).get("tcp_mss_default")
    if is_kind(segment, int) and 0 < segment < 1 << 16:
        found["segment_bytes"] = segment
    if senders and all(is_kind(it.get("retransmits"), int) for it in senders):
        found["retransmits"] = sum(it["retransmits"] for it in senders)
    if senders and all(is_kind(it.get("mean_rtt"), int) and it["mean_rtt"] > 0 for it in senders):
        found["rtt_us"] = round(sum(it["mean_rtt"] for it in senders) / len(senders))
    return found


def field(found: Any, name: str, kind: type[Any], default: Any = None) -> Any:  # noqa: ANN401 - JSON
    """``found[name]`` if it is there and of this kind."""
    value = found.get(name, default) if isinstance(found, dict) else None
    if not is_kind(value, kind):
        raise Doubt(f"{name} is {type(value).__name__}")
    return value


def is_kind(value: object, kind: type[Any]) -> bool:
    """Whether JSON's ``value`` is of this kind; truth is no number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def number(found: Mapping[str, Any], name: str) -> float:
    """``found[name]`` if it is a finite number that is not negative."""
    value = found.get(name)
    if not is_kind(value, int) and not is_kind(value, float):
        raise Doubt(f"{name} is {type(value).__name__}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not (math.isfinite(number) and number >= 0):
        raise Doubt(f"{name} is {number:g}")
    return number


def _packed(host: str) -> bytes:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.inet_pton(family, host.partition("%")[0])
    except OSError:
        return host.encode()
