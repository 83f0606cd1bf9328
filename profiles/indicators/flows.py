"""Cyclic flows (3GPP TS 22.104, periodic deterministic): one-way latency, loss, and interruptions beyond survival time.

First "is this a measurement?": both ends heard each other, their clocks are known well enough, the talker kept its
schedule, the listener's host dropped nothing. Only then what the network did. A message that the talker itself did not
send is left out, and is no loss (RFC 7680 section 2.7, third error source). Nor is one whose two rows are of different
transmissions, as they may be where a campaign was interrupted and resumed: of that message nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from fractions import Fraction

from pydantic import Field

from profiles.availability import Service
from profiles.availability import service
from profiles.indicators.registry import indicator
from profiles.indicators.trials import facts
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Exposure
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.reduced import Samples
from profiles.requirement import Strict

METHODS = ("cyclic-flow",)
#: Choices of this project. Stamps at both ends are the kernel's, so that a busy tester does not look like a slow
#: network; but a run of which it left out more than a tenth is not the flow that was to be measured.
LEAST_SENT = Fraction(9, 10)
CLOCK_SHARE = 10  #: the clocks' offset must be known to this part of the interval, and to this part of Tmax for loss
_ROUNDING_NS = 1_000  #: by how much a row may seem off the schedule: a lag is a float
_SKIPPED = frozenset({"off-schedule", "tester-loss"})  #: why a talker left a message out
_NEGATIVE_NS = 1_000  #: by how much a delay may seem negative: the granularity of stamps


class FlowParameters(Strict):
    """How a flow is run; the defaults are proposals of this project, no standard states them."""

    messages: int = Field(default=12_000, ge=100, le=100_000)  #: of each flow; p99.9 under R4 needs 10,000 sound ones
    timeout_ms: float = Field(default=1000, gt=0, le=60_000)  #: loss threshold Tmax


class SurvivalParameters(FlowParameters):
    """What the application bears; where nothing is said, one transfer interval, as most rows of TS 22.104 have it."""

    max_latency_ms: float | None = Field(default=None, gt=0, le=60_000)  #: Lmax, greatest end-to-end latency
    survival_time_ms: float | None = Field(default=None, ge=0, le=600_000)  #: Ts


@dataclass(slots=True)
class _Ends:
    """What was seen of one flow."""

    talker: dict[int, Observation] = field(default_factory=dict)
    listener: dict[int, Observation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Trace:
    """A sound measurement of one flow."""

    member: Member
    delays_ns: Sequence[int | None]  #: one-way delay of each message; ``None`` if it did not come within Tmax
    sent: Sequence[bool]
    same_clock: bool
    unpaired: int = 0  #: messages whose rows are of different transmissions

    @property
    def interval_ns(self) -> int:
        return _interval_ns(self.member)

    @property
    def delays_ms(self) -> list[float]:
        """Of those that were sent; what was lost is infinite."""
        pairs = zip(self.delays_ns, self.sent, strict=True)
        return [math.inf if delay is None else delay / 1e6 for delay, sent in pairs if sent]


class _Unsound(Exception):
    """This is no measurement of a flow, and why."""

    def __init__(self, reason: str, note: str = "") -> None:
        self.reason, self.note = reason, note
        super().__init__(reason)


@indicator("flow-latency", unit="ms", methods=METHODS, parameters=FlowParameters, objects=("flow",))
def flow_latency(register: Register, observations: Iterable[Observation], parameters: FlowParameters) -> Reduced:
    """One-way delay of each message (RFC 7679), from one kernel's stamp to the other's; infinite if it was lost.

    Of several flows, the greatest delay of any at each rank is judged: every flow must meet the requirement by itself,
    whatever quantile it names. Where both ends run on one host, a message that came late while the talker could not
    send the next one in time is left out as not sent: that host stood still, and the network in it.
    """

    def judged(traces: list[_Trace], notes: tuple[str, ...]) -> Reduced:
        return Samples(_greatest([trace.delays_ms for trace in traces]), "ms", failing=_lossy(traces), notes=notes)

    return _reduced(register, observations, parameters, lambda interval_ns: interval_ns, judged)


@indicator("flow-loss", unit="%", methods=METHODS, parameters=FlowParameters, objects=("flow",))
def flow_loss(register: Register, observations: Iterable[Observation], parameters: FlowParameters) -> Reduced:
    """Messages that did not arrive intact within Tmax, over those that were sent (RFC 7680 section 4.1).

    Of several flows, the one with the greatest share is judged: every flow must meet the requirement by itself.
    """

    def judged(traces: list[_Trace], notes: tuple[str, ...]) -> Reduced:
        lost, sent = max(map(_lost, traces), key=lambda counts: Fraction(*counts))
        return Ratio(lost, sent, failing=_lossy(traces), notes=notes)

    timeout_ns = round(parameters.timeout_ms * 1e6)
    return _reduced(register, observations, parameters, lambda _: timeout_ns, judged)


@indicator("flow-survival", unit="count", methods=METHODS, parameters=SurvivalParameters, objects=("flow",))
def flow_survival(register: Register, observations: Iterable[Observation], parameters: SurvivalParameters) -> Reduced:
    """How often an application went down: no message came in time for longer than its survival time (TS 22.261 3.1).

    Messages are expected on the talker's schedule; one is in time if its one-way delay is at most the maximum latency.
    The application goes down when maximum latency and survival time have passed since the first missed message was due
    and no later one came in time before, and comes up with the next that does. A run can refute availability only.
    Whether it went down where only messages that the talker never sent could have prevented it is not known.
    """

    def judged(traces: list[_Trace], notes: tuple[str, ...]) -> Reduced:
        served = [(trace, _served(trace, parameters)) for trace in traces]
        possible = sum(len(one.downs) for _, one in served)
        downs = min(possible, sum(len(_served(_as_if_all_sent(trace), parameters).downs) for trace in traces))
        failing = tuple(_interrupted(trace, one) for trace, one in served if one.misses)
        messages = sum(sum(trace.sent) for trace in traces)
        return Exposure(downs, messages, possible - downs, failing=failing, notes=notes)

    return _reduced(register, observations, parameters, lambda interval_ns: interval_ns, judged)


# --- from rows to traces --------------------------------------------------------------------------------------------


def _reduced(
    register: Register,
    observations: Iterable[Observation],
    parameters: FlowParameters,
    scale: Callable[[int], int],
    judged: Callable[[list[_Trace], tuple[str, ...]], Reduced],
) -> Reduced:
    """Judge the traces of all drawn flows, if every one of them is sound; ``scale`` says how well clocks must agree."""
    members = [member for member in register.members if member.drawn]
    ends = _collect(members, observations, parameters)
    traces, unsound = [], []
    for member in members:
        try:
            traces.append(_trace(member, ends[member.id], parameters, scale(_interval_ns(member)) // CLOCK_SHARE))
        except _Unsound as why:
            unsound.append(Finding(member.id, why.reason, why.note))
    if unsound:
        return Invalid(unsound[0].reason, unsound[0].note, failing=tuple(unsound))
    same = all(trace.same_clock for trace in traces)
    notes = ["one-clock" if same else "clocks-compared"]
    if any(trace.sent.count(False) > trace.unpaired for trace in traces):
        notes.append("tester-skipped")
    if any(trace.unpaired for trace in traces):
        notes.append("ends-unpaired")
    return judged(traces, tuple(notes))


def _interval_ns(member: Member) -> int:
    return round(float(member.fact("interval_ms")) * 1e6)


def _collect(
    members: Iterable[Member], observations: Iterable[Observation], parameters: FlowParameters
) -> dict[str, _Ends]:
    """One pass. Others may have asked for more messages; those beyond this requirement's own do not count."""
    known = {member.id: member for member in members}
    ends = {id: _Ends() for id in known}
    for seen in observations:
        member = known.get(seen.target)
        if member is None or seen.method not in METHODS or seen.window or seen.attempt >= parameters.messages:
            continue
        if seen.vantage == member.fact("talker"):
            ends[member.id].talker[seen.attempt] = seen
        elif seen.vantage == member.fact("listener"):
            ends[member.id].listener[seen.attempt] = seen
    return ends


def _trace(member: Member, ends: _Ends, parameters: FlowParameters, clock_ns: int) -> _Trace:
    """The flow's trace.

    Raises:
        _Unsound: if this is not a measurement of the flow.
    """
    numbers = range(parameters.messages)
    for rows in (ends.talker, ends.listener):
        if not all(number in rows for number in numbers):
            raise _Unsound("not-measured", f"{len(rows)}/{len(numbers)}")
    low_ns, high_ns, same = _offset_ns(ends, clock_ns)
    begun_ns, closed_ns = _transmission(ends)
    offset_ns, timeout_ns = (low_ns + high_ns) // 2, parameters.timeout_ms * 1e6
    interval_ns, unpaired = _interval_ns(member), 0
    delays_ns: list[int | None] = []
    sent: list[bool] = []
    for number in numbers:
        left, came = ends.talker[number], ends.listener[number]
        sent.append(left.error is None and '"stamp"' not in left.detail + came.detail)
        due_ns = begun_ns + number * interval_ns
        if left.error is None and not (_is_of(left, due_ns) and _is_of(came, due_ns, closed_ns)):
            sent[-1] = False
            unpaired += 1
        if came.error is not None and came.error not in TARGET_ERRORS:
            raise _Unsound(came.error)
        delay_ns = came.utc_ns - left.utc_ns - offset_ns if came.error is None and sent[-1] else None
        if same and delay_ns is not None and delay_ns > interval_ns and _skipped(ends.talker.get(number + 1)):
            sent[-1], delay_ns = False, None  # the one host of both ends stood still, and its network with it
        if delay_ns is not None and delay_ns < low_ns - offset_ns - _NEGATIVE_NS:
            raise _Unsound("clock-unknown", f"{delay_ns / 1e6:g} ms")
        delays_ns.append(delay_ns if delay_ns is not None and delay_ns <= timeout_ns else None)
    if sum(sent) < LEAST_SENT * len(sent):
        errors = [row.error for row in ends.talker.values() if row.error and row.error not in _SKIPPED]
        reasons = [*errors, *(["ends-unpaired"] if unpaired else []), "off-schedule"]
        raise _Unsound(reasons[0], f"{sum(sent)}/{len(sent)}")
    return _Trace(member, delays_ns, sent, same, unpaired)


def _skipped(row: Observation | None) -> bool:
    """Whether the talker could not send this message in time."""
    return row is not None and row.error in _SKIPPED


def _transmission(ends: _Ends) -> tuple[int, int]:
    """When the talker's schedule began, and when the listener closed, each by its own clock.

    Raises:
        _Unsound: if the ends do not name the same session, or do not say these times.
    """
    talker, listener = (facts(rows[0].detail)["end"] for rows in (ends.talker, ends.listener))
    match talker.get("session"), listener.get("session"), talker.get("begun_ns"), listener.get("closed_ns"):
        case str(one), str(other), int(begun_ns), int(closed_ns) if one == other and 0 < begun_ns < 1 << 63:
            return begun_ns, closed_ns
    raise _Unsound("ends-unpaired")


def _is_of(row: Observation, due_ns: int, closed_ns: int | None = None) -> bool:
    """Whether a row is of the transmission in which its message was due then; if it is an error, whether of that end's.

    A lag is behind the talker's schedule, at either end, so that the row tells when the message was due by that.
    """
    if row.value is None:
        return row.utc_ns == closed_ns
    return abs(row.utc_ns - due_ns - row.value * 1e6) <= _ROUNDING_NS


def _offset_ns(ends: _Ends, clock_ns: int) -> tuple[int, int, bool]:
    """Bounds of the listener's clock less the talker's, from what both ends say of themselves; whether it is one clock.

    Raises:
        _Unsound: if the ends did not meet, the listener's host dropped messages, or the offset is not known well.
    """
    talker, listener = (facts(rows[0].detail).get("end") for rows in (ends.talker, ends.listener))
    if not isinstance(talker, dict) or not isinstance(listener, dict):
        first = ends.talker[0].error or ends.listener[0].error or "bad-answer"
        raise _Unsound("bad-answer" if first in TARGET_ERRORS else first)
    if not (talker.get("established") and listener.get("established")):
        errors = [row.error for row in (ends.talker[0], ends.listener[0]) if row.error and row.is_instrument_error]
        raise _Unsound(errors[0] if errors else "flow-not-established")
    if listener.get("dropped") != 0:
        raise _Unsound("tester-loss", f"{listener.get('dropped')}")
    match talker.get("offset_ns"):
        case [int() as low_ns, int() as high_ns] if 0 <= high_ns - low_ns <= 2 * clock_ns:
            return low_ns, high_ns, talker.get("same_clock") is True
        case bounds:
            raise _Unsound("clock-unknown", f"{bounds} ns")


# --- from traces to values ------------------------------------------------------------------------------------------


def _greatest(flows: Sequence[list[float]]) -> tuple[float, ...]:
    """The greatest delay at each rank: of no quantile is any flow's delay greater."""
    ordered = [sorted(delays) for delays in flows]
    ranks = min(map(len, ordered))
    return tuple(max(it[-(-rank * len(it) // ranks) - 1] for it in ordered) for rank in range(1, ranks + 1))


def _as_if_all_sent(trace: _Trace) -> _Trace:
    """The trace with every message that was not sent taken for one that came at once."""
    delays_ns = [delay if sent else 0 for delay, sent in zip(trace.delays_ns, trace.sent, strict=True)]
    return replace(trace, delays_ns=delays_ns, sent=[True] * len(delays_ns))


def _lost(trace: _Trace) -> tuple[int, int]:
    pairs = list(zip(trace.delays_ns, trace.sent, strict=True))
    return sum(sent and delay is None for delay, sent in pairs), sum(trace.sent)


def _lossy(traces: Iterable[_Trace]) -> tuple[Finding, ...]:
    counted = ((trace.member.id, *_lost(trace)) for trace in traces)
    return tuple(Finding(id, "messages-lost", f"{lost}/{sent}") for id, lost, sent in counted if lost)


def _served(trace: _Trace, parameters: SurvivalParameters) -> Service:
    def asked(value_ms: float | None) -> int:
        return trace.interval_ns if value_ms is None else round(value_ms * 1e6)

    limits = asked(parameters.max_latency_ms), asked(parameters.survival_time_ms)
    return service(trace.delays_ns, trace.sent, trace.interval_ns, *limits)


def _interrupted(trace: _Trace, served: Service) -> Finding:
    """What happened to one flow: downs, availability, mean time between them, and the runs of missed messages."""
    runs = " ".join(f"{count}×{length}" for length, count in served.misses.items())
    note = f"A = {float(100 * served.availability):.6g} %; {runs}"
    if not served.downs:
        return Finding(trace.member.id, "messages-missed", note)
    mtbf_s = float(served.mtbf_ns or 0) / 1e9
    note = f"{len(served.downs)} ↓, {served.down_ns / 1e6:.4g} ms; MTBF {mtbf_s:.4g} s; {note}"
    return Finding(trace.member.id, "service-down", note)
