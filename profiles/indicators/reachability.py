"""Network access reachability (网络接入可达率): the share of objects with two-way connectivity (RFC 2678 section 6).

One object is reachable if, in each of M spread windows, at least one of N probes came back within the loss threshold.
Presence on the link (ARP, neighbour discovery) and an application that answers are a diagnosis and never prove a path:
what is not reachable is told with the layers that gave a sign of life (:mod:`profiles.indicators.layers`).
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from pydantic import Field

from profiles.indicators.layers import BIT
from profiles.indicators.layers import REFUSALS
from profiles.indicators.layers import told
from profiles.indicators.registry import indicator
from profiles.observation import INSTRUMENT_ERRORS
from profiles.observation import TARGET_ERRORS
from profiles.observation import Observation
from profiles.reduced import Finding
from profiles.reduced import Invalid
from profiles.reduced import Member
from profiles.reduced import Ratio
from profiles.reduced import Reduced
from profiles.reduced import Register
from profiles.requirement import Strict

#: Methods whose answer proves a path there and back.
PATH_PROVING = frozenset({"icmp-echo", "tcp-connect"})
#: Methods that show where the way ends, and change no verdict.
DIAGNOSES = frozenset({"neighbour", "application-exchange"})

#: What was found of one object, and why if it is not reachable.
Judged = tuple[Literal["reachable", "unreachable", "unknown"], Finding | None]

#: ICMP "destination unreachable" that says "by policy": (type, code), RFC 1812 5.2.7.1 and RFC 4443 3.1.
PROHIBITED = frozenset({(3, 9), (3, 10), (3, 13), (1, 1), (1, 5)})


class ProbingParameters(Strict):
    """How paths are probed; the defaults are proposals of this project, no standard states them."""

    attempts: int = Field(default=5, ge=1, le=100)  #: probes per object, method and family in one window (N)
    timeout_ms: float = Field(default=1000, gt=0, le=60_000)  #: loss threshold Tmax of one probe (W)
    windows: int = Field(default=3, ge=1, le=100)  #: spread windows in each of which an answer is needed (M)
    spacing_s: float = Field(default=0, ge=0, le=86_400)  #: pause between windows
    payload_bytes: int = Field(default=32, ge=8, le=64)  #: ICMP payload; OT devices get no more than 64 bytes


class ReachabilityParameters(ProbingParameters):
    """How reachability is sampled, and of what."""

    basis: Literal["area", "terminal", "both"] = "both"  #: reading of the definition; ``both`` judges the lower one
    #: Which terminals count: every registered one, or only those that are meant to be on a network themselves.
    counted: Literal["registered", "networked"] = "registered"


@dataclass(slots=True)
class _Record:
    """What was seen of one object; bit w of a mask stands for window w."""

    answered: int = 0  #: windows with an answer
    silent: Counter[int] = field(default_factory=Counter)  #: sound attempts without an answer, by window
    alive: int = 0  #: layers that gave a sign of life, see :data:`profiles.indicators.layers.BIT`
    dead: int = 0  #: layers that were asked for one in vain
    refusing: int = 0  #: those of them at which somebody said no
    refused: bool = False  #: whether a connection was
    prohibited: str = ""  #: ``type/code`` of the ICMP message that said so
    fault: str = ""  #: first instrument error


def _counts(member: Member, parameters: ReachabilityParameters) -> bool:
    """Whether it counts: every registered one, or no dumb device, and none without an address behind a gateway."""
    elsewhere = member.fact("connectable") == "no" or (not member.measurable and bool(member.fact("gateway")))
    return parameters.counted == "registered" or not elsewhere


@indicator(
    "access-reachability",
    unit="%",
    methods=("icmp-echo", "tcp-connect", "neighbour", "application-exchange"),
    parameters=ReachabilityParameters,
    counts=_counts,
)
def access_reachability(
    register: Register, observations: Iterable[Observation], parameters: ReachabilityParameters
) -> Reduced:
    """Objects that answered at least one probe in every window, over all objects of the register.

    An object without an address is unreachable. A window shows an object unreachable only if every attempt that was
    owed in it, at every address and service, was made and stayed unanswered; an object that is neither reachable nor
    shown unreachable is unknown. By area, terminal or both; of both, the lower share is judged. Every registered
    terminal counts, unless the profile counts those alone that are meant to be on a network themselves: then what is
    declared as not connectable, or has no address and works behind a gateway, is left out, and that is told.
    """
    found = judged_objects(register.members, observations, parameters)
    bases = ("terminal", "area") if parameters.basis == "both" else (parameters.basis,)
    own = [member for member in register.members if _counts(member, parameters)]
    members = {basis: [member for member in own if member.basis == basis] for basis in bases}
    missing = tuple(f"{basis}-basis-not-measured" for basis in bases if not members[basis])
    ratios = [_ratio(basis, members[basis], found) for basis in bases if members[basis]]
    left_out = ("unnetworked-left-out",) if len(own) < len(register.members) else ()
    return _lower(ratios, (*left_out, *missing)) if ratios else Invalid(missing[-1])


def judged_objects(
    members: Iterable[Member], observations: Iterable[Observation], parameters: ProbingParameters
) -> dict[str, Judged]:
    """Of every drawn member: ``reachable``, ``unreachable`` or ``unknown``, and why if it is not reachable."""
    drawn = [member for member in members if member.drawn]
    records = {member.id: _Record() for member in drawn if member.measurable}
    _collect(records, observations, parameters)
    return {member.id: _judge_object(member, records, parameters) for member in drawn}


def _collect(records: dict[str, _Record], observations: Iterable[Observation], parameters: ProbingParameters) -> None:
    """One pass; what is neither asked for nor about a drawn object is left aside.

    Others may have asked for more attempts and more patience at the same objects: further attempts do not count, and
    an answer after this requirement's own Tmax is none.
    """
    windows, attempts, timeout_ms = parameters.windows, parameters.attempts, parameters.timeout_ms
    for seen in observations:
        record = records.get(seen.target)
        if record is None or not 0 <= seen.window < windows or seen.attempt >= attempts:
            continue
        if seen.method in PATH_PROVING:
            error = seen.error
            if error is None and seen.quantity != "instrument":
                value = seen.value
                if value is not None and 0 <= value <= timeout_ms:  # NaN compares false
                    record.answered |= 1 << seen.window
                    record.alive |= BIT[seen.method]
                elif value is not None and timeout_ms < value < math.inf:
                    record.silent[seen.window] += 1
                    record.dead |= BIT[seen.method]
                elif not record.fault:
                    record.fault = "bad-answer"
            elif error is not None:
                _note_error(record, seen, error)
        elif seen.method in DIAGNOSES and seen.quantity != "instrument":
            if seen.error is None and seen.value:
                record.alive |= BIT[seen.method]
            elif seen.error in TARGET_ERRORS:
                _note_silence(record, seen, seen.error)


def _note_error(record: _Record, seen: Observation, error: str) -> None:
    if error not in TARGET_ERRORS or seen.quantity == "instrument":
        record.fault = record.fault or (error if error in INSTRUMENT_ERRORS else "bad-answer")
        return
    record.silent[seen.window] += 1
    _note_silence(record, seen, error)
    if error == "refused":
        record.refused = True
    elif error == "unreachable" and not record.prohibited:
        record.prohibited = _prohibition(seen.detail)


def _note_silence(record: _Record, seen: Observation, error: str | None) -> None:
    record.dead |= BIT[seen.method]
    if error in REFUSALS:
        record.refusing |= BIT[seen.method]


@lru_cache(maxsize=4096)
def _prohibition(detail: str) -> str:
    """``type/code`` if the detail reports an administrative prohibition, else nothing."""
    try:
        facts = json.loads(detail)
        message = (facts["icmp_type"], facts["icmp_code"])
        return f"{message[0]}/{message[1]}" if message in PROHIBITED else ""
    except (ValueError, TypeError, LookupError):
        return ""


def _ratio(basis: str, members: Sequence[Member], judged: dict[str, Judged]) -> Ratio:
    drawn = [member for member in members if member.drawn]
    found = [judged[member.id] for member in drawn]
    unreachable = tuple(finding for state, finding in found if finding and state == "unreachable")
    unknown = tuple(finding for state, finding in found if finding and state == "unknown")
    known = len(drawn) - len(unknown)
    population = None if len(drawn) == len(members) else len(members)
    return Ratio(known - len(unreachable), known, len(unknown), population, basis, unreachable + unknown)


def _judge_object(member: Member, records: dict[str, _Record], parameters: ProbingParameters) -> Judged:
    if not member.measurable:
        return "unreachable", Finding(member.id, "no-address")
    record, windows = records[member.id], parameters.windows
    everywhere = (1 << windows) - 1
    if record.answered == everywhere:
        return "reachable", None
    owed = member.addresses * (parameters.attempts + member.services)
    if any(silent >= owed and not record.answered >> window & 1 for window, silent in record.silent.items()):
        reason, note = _why_unreachable(record, windows)
        layers = told(record.alive, record.dead, record.refusing)
        return "unreachable", Finding(member.id, reason, " · ".join(filter(None, (note, layers))))
    note = f"{record.answered.bit_count()}/{windows}" if record.answered else ""
    return "unknown", Finding(member.id, record.fault or "not-measured", note)


def _why_unreachable(record: _Record, windows: int) -> tuple[str, str]:
    if record.answered:
        return "partly-reachable", f"{record.answered.bit_count()}/{windows}"
    if record.prohibited:
        return "administratively-blocked", f"ICMP {record.prohibited}"
    if record.refused:
        return "refused-only", ""
    return ("present-but-silent" if record.alive & BIT["neighbour"] else "no-answer"), ""


def _lower(ratios: Sequence[Ratio], notes: tuple[str, ...]) -> Ratio:
    """The lower share, fractions compared: of two readings that both have to hold, the one that cannot rise higher.

    Objects unknown in the other reading stay owed as long as they could make that one the lower.
    """
    judged, *others = sorted(ratios, key=lambda ratio: (_best(ratio), _worst(ratio), ratio.population is None))
    owed = sum(other.unknown for other in others if _worst(other) < _best(judged))
    return replace(
        judged,
        unknown=judged.unknown + owed,
        population=None if judged.population is None else judged.population + owed,
        failing=tuple(finding for ratio in (judged, *others) for finding in ratio.failing),
        notes=(*notes, f"judged-by-{judged.basis}") if others else notes,
        facts=tuple((ratio.basis, _told(ratio)) for ratio in ratios),
        at_most=_best(judged) if owed and judged.population is None else None,
    )


def _best(ratio: Ratio) -> Fraction:
    """The share if all unknown objects were reachable."""
    return _of_drawn(ratio, ratio.numerator + ratio.unknown)


def _worst(ratio: Ratio) -> Fraction:
    """The share if none of the unknown objects were."""
    return _of_drawn(ratio, ratio.numerator)


def _of_drawn(ratio: Ratio, reachable: int) -> Fraction:
    drawn = ratio.denominator + ratio.unknown
    return Fraction(reachable, drawn) if drawn else Fraction(0)


def _told(ratio: Ratio) -> str:
    unknown = f" + {ratio.unknown}?" if ratio.unknown else ""
    return f"{ratio.numerator}/{ratio.denominator}{unknown}"
