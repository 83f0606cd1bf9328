"""Task: asks one resolver questions over UDP, and over TCP where its answer is truncated (RFC 1035, RFC 7766).

The library dnspython makes the questions, with a random id each from a socket and port of its own, and reads the
answers. An answer counts if it comes from the address that was asked, carries the id and repeats the question; whatever
else arrives is counted and left aside, and the wait goes on.
"""

from __future__ import annotations

import errno
import json
import socket
import time
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

MOST_ANSWERS_BYTES = 3000  #: of the answers as JSON; an observation has no room for more
MOST_BACK_OFF = 8  #: the pause grows to no more than this many times the usual one, as the gate has it
_LARGEST = 65_535  # bytes of a UDP datagram


@dataclass(frozen=True, slots=True)
class _Server:
    address: str
    port: int
    timeout_s: float

    @property
    def family(self) -> int:
        return dns.inet.af_for_address(self.address)

    @property
    def sockaddr(self) -> Any:  # noqa: ANN401 - what the socket library wants
        return dns.inet.low_level_address_tuple((self.address, self.port), self.family)


class _Failure(Exception):
    """No answer; the arguments are an error code of an observation, and further facts."""

    def __init__(self, error: str, **facts: object) -> None:
        super().__init__(error)
        self.error = error
        self.facts = facts


def perform(request: Any) -> Any:  # noqa: ANN401 - JSON
    """Ask every question once, one after the other, at the pace that is given.

    Args:
        request: ``address`` and ``port`` of the resolver; ``questions``, each a ``name`` and a ``type``; ``timeout_ms``
            of each; ``pause_ms`` between the beginnings of two, doubled after each timeout; and ``silence_limit``, how
            many timeouts in a row end the asking once there was an answer, if any number does.

    Returns:
        What came of each question, in order; shorter if the asking was ended.
    """
    server = _Server(request["address"], request["port"], request["timeout_ms"] / 1000)
    found: list[dict[str, Any]] = []
    pause_s, back_off, silent, heard = request["pause_ms"] / 1000, 1, 0, False
    for question in request["questions"]:
        if heard and request["silence_limit"] is not None and silent >= request["silence_limit"]:
            break
        if found:
            time.sleep(max(0.0, found[-1]["monotonic_ns"] / 1e9 + pause_s * back_off - time.monotonic()))
        found.append(_asked(question, server))
        lost = found[-1].get("error") == "timeout"
        back_off = min(2 * back_off, MOST_BACK_OFF) if lost else 1
        silent = silent + 1 if lost else 0
        heard = heard or not lost
    return found


def _asked(question: dict[str, str], server: _Server) -> dict[str, Any]:
    began = {"utc_ns": time.time_ns(), "monotonic_ns": time.monotonic_ns()}
    facts: dict[str, Any] = {}
    try:
        query = dns.message.make_query(question["name"], question["type"])
        response = _exchange(query, server, facts)
        facts["delay_ms"] = (time.monotonic_ns() - began["monotonic_ns"]) / 1e6
        return began | facts | _told(response)
    except _Failure as failure:
        return began | facts | {"error": failure.error} | failure.facts
    except dns.exception.DNSException as error:  # a name that is none, or an answer that cannot be read
        return began | facts | {"error": "bad-answer", "reason": type(error).__name__}


def _exchange(query: dns.message.Message, server: _Server, facts: dict[str, Any]) -> dns.message.Message:
    """The answer to ``query``; ``facts`` learn how it came."""
    deadline_s = time.monotonic() + server.timeout_s
    response = _over_udp(query, server, deadline_s, facts)
    if response.flags & dns.flags.TC:
        facts["truncated"] = True
        response = _over_tcp(query, server, deadline_s)
    return response


def _over_udp(
    query: dns.message.Message, server: _Server, deadline_s: float, facts: dict[str, Any]
) -> dns.message.Message:
    with socket.socket(server.family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(server.sockaddr)  # so the kernel lets nobody else answer
            asking.send(query.to_wire())
        except OSError as error:
            raise _Failure("no-route", errno=errno.errorcode.get(error.errno or 0, "")) from None
        while True:
            asking.settimeout(max(deadline_s - time.monotonic(), 1e-6))
            try:
                response = _read(asking.recv(_LARGEST))
            except (TimeoutError, BlockingIOError):
                raise _Failure("timeout") from None
            except ConnectionRefusedError:
                raise _Failure("refused") from None
            except OSError as error:
                raise _Failure("unreachable", errno=errno.errorcode.get(error.errno or 0, "")) from None
            if response is not None and query.is_response(response):
                return response
            facts["ignored"] = facts.get("ignored", 0) + 1


def _over_tcp(query: dns.message.Message, server: _Server, deadline_s: float) -> dns.message.Message:
    try:
        left_s = max(deadline_s - time.monotonic(), 1e-3)
        return dns.query.tcp(query, server.address, left_s, server.port)
    except dns.exception.Timeout:
        raise _Failure("timeout") from None
    except ConnectionRefusedError:
        raise _Failure("refused") from None
    except (EOFError, ConnectionError):
        raise _Failure("reset") from None
    except OSError as error:
        raise _Failure("unreachable", errno=errno.errorcode.get(error.errno or 0, "")) from None


def _read(datagram: bytes) -> dns.message.Message | None:
    """The message that a datagram holds; nothing if it holds none."""
    try:
        return dns.message.from_wire(datagram)
    except dns.exception.DNSException:
        return None


def _told(response: dns.message.Message) -> dict[str, Any]:
    """What a response says: code, flags, and the records of the type that was asked, at the end of aliases."""
    answers = _answers(response)
    if len(json.dumps(answers)) > MOST_ANSWERS_BYTES:
        return {"error": "bad-answer", "reason": "too-many-answers", "count": len(answers), "text": response.to_text()}
    return {
        "rcode": dns.rcode.to_text(response.rcode()),
        "flags": dns.flags.to_text(response.flags).lower(),
        "answers": answers,
        "text": response.to_text(),
    }


def _answers(response: dns.message.Message) -> list[str]:
    if not isinstance(response, dns.message.QueryMessage):
        return []
    try:
        records = response.resolve_chaining().answer
    except dns.exception.DNSException:  # no question, or aliases without end
        return []
    return [_text(record) for record in records or ()]


def _text(record: Any) -> str:  # noqa: ANN401 - one class for each type of record
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings).decode("utf-8", "backslashreplace")
    if record.rdtype == dns.rdatatype.CNAME:
        return str(record.target.to_text(omit_final_dot=True))
    return str(record.to_text())
