"""RTSP: OPTIONS (RFC 2326 section 10.1), which changes nothing in the server; it is what cameras are asked first.

Any status is an answer. No stream is described, set up or played.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import Protocol
from probes.applications import Send
from probes.applications import expect
from probes.applications.head import head

AGENT = "plantproof"


def converse(asked: Mapping[str, str]) -> Dialogue:
    """Ask which methods the server knows."""
    number = str(1 + int(asked.get("attempt", "0")))
    lines = ("OPTIONS * RTSP/1.0", f"CSeq: {number}", f"User-Agent: {AGENT}", "", "")
    yield Send("\r\n".join(lines).encode("ascii"))
    found = yield from head("RTSP")
    said = found.fields.get("cseq")
    expect(said is None or said.strip() == number.encode(), "an answer to another request")
    return found.facts(server="server", methods="public")


PROTOCOL = Protocol("rtsp", "tcp", converse)
