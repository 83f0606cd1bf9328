"""What RFC 6349 adds to a TCP rate: transfer time ratio, efficiency and buffer delay. Pure; shared by indicators.

They tell why a rate is what it is: low efficiency is loss on the way, a long buffer delay is queues that fill, and a
transfer time ratio of more than one with neither is something else, such as a policer, a processor, or a window.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from statistics import fmean
from statistics import median
from typing import Any

#: Octets of payload that a TCP segment of a full frame carries (RFC 6349 section 3.3: MTU less 40), over IPv4 and IPv6;
#: and what that frame takes of an Ethernet line, with preamble and gap.
PAYLOAD_BYTES = {4: 1460, 6: 1440}
FRAME_BYTES = 1538
_Told = Mapping[str, Any]  #: the detail of one test's observation


def ideal_mbit_s(line_mbit_s: float, version: int) -> float:
    """The most that TCP can carry over an Ethernet line of this rate, MTU 1500 (RFC 6349 section 3.3)."""
    return line_mbit_s * PAYLOAD_BYTES[version] / FRAME_BYTES


def transfer_time_ratio(mbit_s: float, line_mbit_s: float, version: int) -> float | None:
    """Actual over ideal time of the same transfer (section 4.1); 1 is ideal, and there is none if nothing flowed."""
    return ideal_mbit_s(line_mbit_s, version) / mbit_s if mbit_s > 0 else None


def efficiency_percent(told: _Told) -> float | None:
    """Octets that were not repetitions, over all that were sent, in percent (section 4.2), omitted beginning aside."""
    payload, segment = _count(told, "sent_bytes"), _count(told, "segment_bytes")
    segments = _count(told, "retransmits")
    if not payload or not segment or segments is None:
        return None
    return 100 * payload / (payload + segments * segment)


def idle_ms(told: _Told) -> float | None:
    """Baseline round-trip time (section 3.2): the least of the echoes before the test."""
    echoes = _delays(told, "idle_us")
    return min(echoes) / 1000 if echoes else None


def loaded_ms(told: _Told) -> float | None:
    """Mean round-trip time of the echoes during the test: latency under load."""
    echoes = _delays(told, "loaded_us")
    return fmean(echoes) / 1000 if echoes else None


def buffer_delay_percent(told: _Told) -> float | None:
    """By how much the mean round-trip time during the transfer exceeds the baseline, in percent of that (section 4.3).

    By echoes before and during the test; where nothing answers them, by the sender's own round-trip times.
    """
    before, during = idle_ms(told), loaded_ms(told)
    if before is None or during is None:
        before, during = (_count(told, name) for name in ("min_rtt_us", "rtt_us"))
    return 100 * (during - before) / before if before and during is not None else None


def facts(direction: str, tests: Iterable[_Told]) -> Iterator[tuple[str, str]]:
    """Medians over the tests of one direction, and the worst, as named facts of a judgement."""
    known = list(tests)
    for name, of, unit, worst in _METRICS:
        found = [value for told in known if (value := of(told)) is not None]
        if found:
            yield f"{name}_{direction}", f"{median(found):.4g} {unit}"
            yield f"{name}_{direction}_worst", f"{worst(found):.4g} {unit}"


_METRICS: Sequence[tuple[str, Callable[[_Told], float | None], str, Callable[[Iterable[float]], float]]] = (
    ("efficiency", efficiency_percent, "%", min),
    ("idle_rtt", idle_ms, "ms", max),
    ("loaded_rtt", loaded_ms, "ms", max),
    ("buffer_delay", buffer_delay_percent, "%", max),
)


def _count(told: _Told, name: str) -> int | None:
    value = told.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _delays(told: _Told, name: str) -> list[int]:
    """Round-trip times; lost echoes have none."""
    found = told.get(name)
    known = found if isinstance(found, list) else []
    return [it for it in known if isinstance(it, int) and not isinstance(it, bool) and it > 0]
