"""What an iperf3 client says of one UDP test: the receiver's rate, loss and jitter, and whether the sender really sent.

``end.sum`` mixes the sender's octets with the receiver's losses, so that it is not read. Loss has been seen as ``-nan``
and jitter as years; what cannot be is no figure. The receiver counts as lost what is missing before the last datagram
that it got; what it lacks after that was on the way when the test ended, or lost as well. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from probes.iperf3_report import DURATION_TOLERANCE
from probes.iperf3_report import RATE_TOLERANCE
from probes.iperf3_report import Asked
from probes.iperf3_report import Doubt
from probes.iperf3_report import Failure
from probes.iperf3_report import Sum
from probes.iperf3_report import Transfer
from probes.iperf3_report import field
from probes.iperf3_report import number
from probes.iperf3_report import processors
from probes.iperf3_report import same_test
from probes.iperf3_report import strictly
from probes.iperf3_report import version

REALLY_SENT = 0.9  #: share of the asked rate that must have left, or the test says nothing about the path
#: Time for which datagrams may be on the way when the test ends; what is missing beyond that is lost.
ON_THE_WAY_S = 0.5


@dataclass(frozen=True, slots=True)
class Datagrams(Transfer):
    """A UDP test that was made as asked; the rate is the receiver's."""

    sent: int  #: datagrams of which the receiver says something: the last that it got and all before it
    lost: int  #: of these
    jitter_ms: float  #: smoothed interarrival jitter of RFC 3550 section 6.4.1, at the end of the test

    @property
    def loss_percent(self) -> float:
        """Share of the datagrams that were lost."""
        return 100 * self.lost / self.sent


def read(text: bytes | str, asked: Asked, kernel: Mapping[str, Any] | None = None) -> Datagrams | Failure:
    """What ``text`` reports of the UDP test ``asked``, or why it reports nothing; ``kernel`` as for TCP."""

    def datagrams(report: Any) -> Datagrams:  # noqa: ANN401 - JSON
        same_test(report, asked, "UDP")
        return _datagrams(report, asked, kernel or {})

    return strictly(text, datagrams)


def _datagrams(report: Any, asked: Asked, kernel: Mapping[str, Any]) -> Datagrams:  # noqa: ANN401 - JSON
    end = field(report, "end", dict)
    sums = {name: field(end, name, dict) for name in ("sum_sent", "sum_received")}
    sent, received = (Sum.of(it) for it in sums.values())
    if field(sums["sum_received"], "sender", bool):
        raise Doubt("the receiver's sum is the sender's")
    for it in (sent, received):
        if abs(it.seconds - asked.duration_s) > DURATION_TOLERANCE * asked.duration_s:
            raise Doubt(f"took {it.seconds:g} s")
    used = processors(end)
    _really_sent(sent, asked, kernel)
    left, last, missing = (
        field(sums[name], what, int)
        for name, what in (("sum_sent", "packets"), ("sum_received", "packets"), ("sum_received", "lost_packets"))
    )
    if not 0 <= missing <= last <= left or not last:
        raise Doubt(f"{missing} lost of {last} at the receiver, {left} sent")
    arrived = (last - missing) / left * sent.size
    if abs(received.size - arrived) > RATE_TOLERANCE * sent.size + 1:
        raise Doubt(f"{received.size} bytes received are not {last - missing} datagrams of {left} in {sent.size}")
    jitter_ms = number(sums["sum_received"], "jitter_ms")
    if jitter_ms > asked.duration_s * 1000:
        raise Doubt(f"a jitter of {jitter_ms:g} ms in {asked.duration_s} s")
    beyond = max(0, left - last - round(left * ON_THE_WAY_S / sent.seconds))
    facts = {
        "seconds": round(received.seconds, 3),
        "sent": left,
        "judged": last + beyond,
        "lost": missing + beyond,
        "sent_mbit_s": round(sent.bits_per_s / 1e6, 3),
        **used,
        "iperf3": version(report),
    }
    return Datagrams(received.bits_per_s / 1e6, sent.size, facts, last + beyond, missing + beyond, jitter_ms)


def _really_sent(sent: Sum, asked: Asked, kernel: Mapping[str, Any]) -> None:
    if sent.bits_per_s < REALLY_SENT * asked.bits_per_s:
        raise Doubt(f"{sent.bits_per_s / 1e6:.3g} Mbit/s sent of {asked.bits_per_s / 1e6:.3g} asked", "unsound")
    dropped = kernel.get("lost_datagrams", 0)
    if isinstance(dropped, int) and dropped > 0:
        raise Doubt(f"the tester's own sockets had no room for {dropped} datagrams", "tester-loss")
