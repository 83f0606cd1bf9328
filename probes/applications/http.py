"""HTTP: HEAD / (RFC 9110 9.3.2), which is safe by definition and has no body in its answer.

Any status is an answer: a server that wants to know who asks (401), has nothing there (404) or does not know HEAD (501)
lives. A server that speaks TLS on this port was declared wrongly: most say something that is no status line, and some
say in plain HTTP that it is the wrong one (400), which is an answer.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Generator
from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Send
from probes.applications import Step
from probes.applications import authority
from probes.applications.head import head

AGENT = "plantproof"


def request(asked: Mapping[str, str]) -> bytes:
    """The request: one that lets the server close when it has answered."""
    host = f"Host: {authority(asked)}"
    lines = ("HEAD / HTTP/1.1", host, f"User-Agent: {AGENT}", "Accept: */*", "Connection: close")
    return "\r\n".join((*lines, "", "")).encode("ascii")


def answer() -> Generator[Step, bytes, dict[str, str]]:
    """Hear the answer; returns what the server says of itself.

    Raises:
        NotThisProtocol: if it is none.
    """
    found = yield from head("HTTP")
    return found.facts(server="server", realm="www-authenticate", location="location")


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask for the head of the root."""
    yield Send(request(asked))
    return (yield from answer())


PROTOCOL = Protocol("http", "tcp", converse)
