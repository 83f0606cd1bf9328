"""Answers to AT commands (ITU-T V.250, 3GPP TS 27.007): from octets to lines, from lines to readings. Pure.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from fractions import Fraction
from typing import Any

#: Result codes that end an answer (ITU-T V.250 table 1, 3GPP TS 27.007 clause 9).
FINAL = re.compile(r"OK|ERROR|NO CARRIER|ABORTED|\+CM[ES] ERROR:.*", re.DOTALL)
LINE_LIMIT = 1024  #: octets of a line; what is longer is no line of a modem's
_FIELD = re.compile(r'\s*((?:"[^"]*"|[^,"])*?)\s*(?:,|$)')
_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole answer."""

    lines: tuple[str, ...]  #: between the command and the result code, without empty ones
    final: str  #: the result code

    @property
    def ok(self) -> bool:
        """Whether the modem says that it did as asked."""
        return self.final == "OK"

    def holds(self, prefix: str) -> bool:
        """Whether some line begins with ``prefix``."""
        return any(line.startswith(prefix) for line in self.lines)


class Listener:
    """Makes answers to one ``command`` of octets as they come, in pieces of any size."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._rest = b""
        self.lines: list[str] = []  #: of the answer that has not ended yet
        self.heard = 0  #: octets so far

    def feed(self, octets: bytes) -> Iterator[Answer]:
        """The answers that ``octets`` complete.

        The echo of the command, if the modem echoes, begins the answer: lines before it belong to something else.
        """
        self.heard += len(octets)
        *lines, rest = re.split(rb"[\r\n]", self._rest + octets)
        self._rest = rest[-LINE_LIMIT:]
        for raw in lines:
            line = raw[:LINE_LIMIT].decode("ascii", "backslashreplace").strip()
            if line == self._command:
                self.lines = []
            elif FINAL.fullmatch(line):
                answer, self.lines = Answer(tuple(self.lines), line), []
                yield answer
            elif line:
                self.lines.append(line)


def fields(line: str, prefix: str) -> list[str]:
    """The fields of an information line behind ``prefix``; texts keep their quotes, commas inside are no separators."""
    text = line.removeprefix(prefix).strip()
    found, at = [], 0
    while match := _FIELD.match(text, at):
        found.append(match[1])
        if match.end() == len(text) and not match[0].endswith(","):
            break
        at = match.end()
    return found


@dataclass(frozen=True, slots=True)
class Value:
    """One number that a modem has reported."""

    number: float
    raw: str  #: the field as it came
    step: float  #: width of the interval that the field stands for
    command: str  #: what was asked


@dataclass(slots=True)
class Reading:
    """What the answers of one moment say."""

    values: dict[str, Value] = field(default_factory=dict)  #: the first number of each quantity
    unread: dict[str, str] = field(default_factory=dict)  #: quantities reported without a number, and why
    truths: dict[str, bool] = field(default_factory=dict)  #: ``registered``, ``standalone``; false if anything says so
    kept: dict[str, str] = field(default_factory=dict)  #: further facts, as they came
    notes: list[str] = field(default_factory=list)  #: where answers contradict each other
    strange: list[str] = field(default_factory=list)  #: lines of no known layout


def read(dialect: Mapping[str, Any], answers: Iterable[tuple[str, Answer]]) -> Reading:
    """Read ``answers``, each with its command, as ``dialect`` says (see :mod:`probes.dialects`)."""
    reading = Reading()
    asked = {ask["command"]: ask for ask in dialect["ask"]}
    for command, answer in answers:
        ask = asked[command]
        for line in answer.lines if answer.ok else ():
            if line.startswith(ask["prefix"]):
                _read_line(reading, dialect["value"], ask, line)
    return reading


def _read_line(reading: Reading, kinds: Mapping[str, Any], ask: Mapping[str, Any], line: str) -> None:
    found = fields(line, ask["prefix"])
    layout = next((layout for layout in ask["layout"] if _fits(layout["where"], found)), None)
    if layout is None:
        reading.strange.append(line)
        return
    for quantity, how in layout.get("read", {}).items():
        _note_value(reading, quantity, found[how["at"]], kinds[how["value"]], ask["command"])
    for fact in ("registered", "standalone"):
        if (truth := _truth(layout.get(fact), found)) is not None:
            if reading.truths.get(fact, truth) != truth:
                reading.notes.append(f"{fact}: {ask['command']} contradicts an earlier answer")
            reading.truths[fact] = truth and reading.truths.get(fact, True)
    for name, at in layout.get("keep", {}).items():
        if at < len(found) and found[at]:
            reading.kept.setdefault(name, found[at].strip('"')[:40])


def _fits(where: Mapping[str, str], found: Sequence[str]) -> bool:
    return all(int(at) < len(found) and re.fullmatch(pattern, found[int(at)]) for at, pattern in where.items())


def _truth(how: bool | Mapping[str, Any] | None, found: Sequence[str]) -> bool | None:
    if how is None or isinstance(how, bool):
        return how
    said = found[how["at"]] if how["at"] < len(found) else ""
    return True if said in how["yes"] else False if said in how["no"] else None


def _note_value(reading: Reading, quantity: str, raw: str, kind: Mapping[str, Any], command: str) -> None:
    """Keep a number; one that is there already is compared with it instead."""
    found = decode(raw, kind)
    if isinstance(found, str):
        reading.unread.setdefault(quantity, found)
        return
    value = Value(found, raw, float(kind["step"]), command)
    first = reading.values.setdefault(quantity, value)
    if abs(first.number - value.number) > first.step + value.step:
        reading.notes.append(f"{quantity}: {first.number:g} by {first.command}, {value.number:g} by {command}")


def decode(raw: str, kind: Mapping[str, Any]) -> float | str:
    """The number that a field stands for, or why there is none: ``not-reported``, ``not-a-number``, ``implausible``."""
    if raw in kind["unknown"]:
        return "not-reported"
    if not _NUMBER.fullmatch(raw):
        return "not-a-number"
    index = Fraction(raw)
    if not kind["least"] <= index <= kind["most"]:
        return "implausible"
    number = float(Fraction(str(kind["offset"])) + Fraction(str(kind["step"])) * index)
    return number if math.isfinite(number) else "implausible"
