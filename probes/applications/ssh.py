"""SSH: the identification string of the server (RFC 4253 section 4.2), and a farewell in order.

The server speaks first. We answer with our own identification and ``SSH_MSG_DISCONNECT`` (section 11.1), so that it
sees a client that says goodbye, and logs no broken connection. No key is exchanged and nobody logs in.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from probes.applications import Dialogue
from probes.applications import NotThisProtocol
from probes.applications import Protocol
from probes.applications import ReadLine
from probes.applications import Send
from probes.applications import printable

LINE_LIMIT = 1024  #: octets; the identification itself has 255 at most, CR and LF included
LINES_BEFORE = 50  #: lines that a server may say before its identification
IDENTIFICATION_LIMIT = 255
AGENT = b"SSH-2.0-plantproof\r\n"
DISCONNECT, BY_APPLICATION = 1, 11

_IDENTIFICATION = re.compile(rb"SSH-([0-9]\.[0-9]+)-([\x21-\x7e]+)(?: ([^\r\n]*))?\r?\n")


def farewell() -> bytes:
    """``SSH_MSG_DISCONNECT`` as a packet in the clear (RFC 4253, 6): a multiple of 8 octets, padding of 4 at least.

    Before keys are exchanged the padding hides nothing, and zeros do.
    """
    payload = struct.pack(">BIII", DISCONNECT, BY_APPLICATION, 0, 0)
    padding = 8 - (5 + len(payload)) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


def converse(asked: Mapping[str, str]) -> Dialogue:  # noqa: ARG001 - the server speaks first
    """Hear who answers, and say goodbye."""
    for _ in range(LINES_BEFORE):
        line = yield ReadLine(LINE_LIMIT)
        if not line.startswith(b"SSH-"):
            continue
        found = _IDENTIFICATION.fullmatch(line)
        if found is None or len(line) > IDENTIFICATION_LIMIT:
            raise NotThisProtocol(f"no identification: {printable(line, 40)}")
        if found[1] in (b"2.0", b"1.99"):  # section 5.1: the latter knows both versions
            yield Send(AGENT + farewell())
        told = {"version": found[1].decode(), "software": printable(found[2]), "comment": printable(found[3] or b"")}
        return {name: text for name, text in told.items() if text}
    raise NotThisProtocol(f"no identification in the first {LINES_BEFORE} lines")


PROTOCOL = Protocol("ssh", "tcp", converse)
