"""What ``pmc`` prints, read strictly: the answers of one PTP node to management questions (IEEE 1588 clause 15). Pure.

An answer is a line with the port that answers and the name of the data set, and below it a line for each member:

    f6dd6f.fffe.e96d61-1 seq 2 RESPONSE MANAGEMENT PORT_DATA_SET
        portIdentity            f6dd6f.fffe.e96d61-1
        portState               SLAVE

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OFFSET_LIMIT_NS = 1 << 62  #: what lies beyond is no time
MOST_PORTS = 64
_ANSWER = re.compile(r"\t([0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6})-(\d+) seq (\d+) RESPONSE MANAGEMENT ([A-Z0-9_]+) ?")
_MEMBER = re.compile(r"\t\t(\S+)\s+(\S.*)")
_IDENTITY = re.compile(r"[0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6}")
_PORT = re.compile(r"([0-9a-f]{6}\.[0-9a-f]{4}\.[0-9a-f]{6})-(\d{1,5})")
#: States of a port, IEEE 1588-2008 table 10, and GRAND_MASTER, which ptp4l adds.
STATES = frozenset(
    {
        "INITIALIZING", "FAULTY", "DISABLED", "LISTENING", "PRE_MASTER", "MASTER", "PASSIVE", "UNCALIBRATED", "SLAVE",
        "GRAND_MASTER",
    }
)  # fmt: skip


class BadAnswer(ValueError):
    """An answer that no PTP node gives; the argument says where."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """One answer."""

    clock: str  #: identity of the clock that answered
    name: str
    members: dict[str, str]


def data_sets(said: str) -> Iterator[DataSet]:
    """The answers in what the program printed; other lines, and a last one without an end, are left aside."""
    current: DataSet | None = None
    for line in said.split("\n")[:-1]:
        if answer := _ANSWER.fullmatch(line):
            if current is not None:
                yield current
            current = DataSet(answer[1], answer[4], {})
        elif (member := _MEMBER.fullmatch(line)) and current is not None:
            current.members[member[1]] = member[2].strip()
        elif current is not None and not line.startswith("\t\t"):
            yield current
            current = None
    if current is not None:
        yield current


def facts(said: str) -> dict[str, Any]:
    """What the answers of one poll say, by names of this project; nothing if there were none.

    ``clock``, ``ports`` (state by port number), ``offset_ns``, ``path_delay_ns``, ``peer_delay_ns``, ``steps_removed``,
    ``gm_present``, ``gm_identity``, ``as_capable``, each only if it was told.

    Raises:
        BadAnswer: if an answer is unreadable, absurd, or not all are of one clock.
    """
    found: dict[str, Any] = {}
    for answer in data_sets(said):
        if found.setdefault("clock", answer.clock) != answer.clock:
            raise BadAnswer("answers of several clocks")
        for name, read in _MEMBERS.get(answer.name, {}).items():
            if name in answer.members:
                read(found, answer.members[name])
        if answer.name == "PORT_DATA_SET":
            _port(found, answer)
    return found


def complete(found: dict[str, Any], *, gptp: bool) -> bool:
    """Whether everything that is needed was told."""
    needed = {"ports", "offset_ns", "gm_present", "gm_identity", "steps_removed"} | ({"as_capable"} if gptp else set())
    return needed <= found.keys()


def _port(found: dict[str, Any], answer: DataSet) -> None:
    port, state = _PORT.fullmatch(answer.members.get("portIdentity", "")), answer.members.get("portState")
    if port is None or state is None:
        return
    if port[1] != answer.clock or state not in STATES:
        raise BadAnswer("portIdentity or portState")
    ports: dict[str, str] = found.setdefault("ports", {})
    if len(ports) < MOST_PORTS:
        ports[port[2]] = state


def _number(text: str, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise BadAnswer(what) from None
    if not (math.isfinite(number) and abs(number) < OFFSET_LIMIT_NS):
        raise BadAnswer(what)
    return number


def _offset(found: dict[str, Any], text: str) -> None:
    found["offset_ns"] = _number(text, "offset")


def _path(found: dict[str, Any], text: str) -> None:
    found["path_delay_ns"] = _number(text, "meanPathDelay")


def _peer(found: dict[str, Any], text: str) -> None:
    """Of several ports, the longest link."""
    found["peer_delay_ns"] = max(found.get("peer_delay_ns", -math.inf), _number(text, "peerMeanPathDelay"))


def _steps(found: dict[str, Any], text: str) -> None:
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
        raise BadAnswer("stepsRemoved")
    found["steps_removed"] = int(text)


def _present(found: dict[str, Any], text: str) -> None:
    if text not in ("true", "false"):
        raise BadAnswer("gmPresent")
    found["gm_present"] = text == "true"


def _grandmaster(found: dict[str, Any], text: str) -> None:
    if not _IDENTITY.fullmatch(text):
        raise BadAnswer("grandmaster identity")
    if found.setdefault("gm_identity", text) != text:  # it changed between two questions: the later answer counts
        found["gm_identity"] = text


def _capable(found: dict[str, Any], text: str) -> None:
    """Of several ports, whether one is."""
    if text not in ("0", "1"):
        raise BadAnswer("asCapable")
    found["as_capable"] = bool(found.get("as_capable")) or text == "1"


_MEMBERS = {
    "CURRENT_DATA_SET": {"stepsRemoved": _steps, "meanPathDelay": _path},
    "TIME_STATUS_NP": {"master_offset": _offset, "gmPresent": _present, "gmIdentity": _grandmaster},
    "PORT_DATA_SET": {"peerMeanPathDelay": _peer},
    "PORT_DATA_SET_NP": {"asCapable": _capable},
    "PARENT_DATA_SET": {"grandmasterIdentity": _grandmaster},
}
