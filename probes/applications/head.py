"""The head of an answer in the manner of HTTP: a status line and header fields (RFC 9112, 4; RFC 2326, 7).

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from dataclasses import field

from probes.applications import ReadLine
from probes.applications import Step
from probes.applications import expect
from probes.applications import printable

FIELDS_LIMIT = 100  #: header fields of one answer
LINE_LIMIT = 8192  #: octets; the longest lines are policies and cookies
STATUS_LIMIT = 512

_STATUS = re.compile(rb"([A-Z]+)/([0-9]\.[0-9]) ([1-5][0-9]{2})(?: ([^\r\n]*))?\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*\r?\n")


@dataclass(frozen=True, slots=True)
class Head:
    """A status and the header fields, each as it came first."""

    version: str
    code: int
    phrase: str
    fields: dict[str, bytes] = field(default_factory=dict)  #: by name in lower case

    def facts(self, **wanted: str) -> dict[str, str]:
        """The status, and under each name the header field that is ``wanted``, where it is there and says something."""
        told = {name: printable(self.fields.get(asked, b"")) for name, asked in wanted.items()}
        status = f"{self.code} {self.phrase}".strip()
        return {"status": status, "version": self.version} | {name: text for name, text in told.items() if text}


def head(protocol: str) -> Generator[Step, bytes, Head]:
    """Hear a head of ``protocol``; a status of any kind is an answer.

    Raises:
        NotThisProtocol: if it is none.
    """
    line = yield ReadLine(STATUS_LIMIT)
    found = _STATUS.fullmatch(line)
    expect(found is not None and found[1] == protocol.encode(), f"no status line: {printable(line, 40)}")
    assert found is not None  # noqa: S101 - for the type checker
    fields: dict[str, bytes] = {}
    for _ in range(FIELDS_LIMIT + 1):
        line = yield ReadLine(LINE_LIMIT)
        if line in (b"\r\n", b"\n"):
            return Head(found[2].decode(), int(found[3]), printable(found[4] or b"", 40), fields)
        if line[:1] in b" \t" and fields:
            continue  # a folded line goes on with the field before it (RFC 9112 5.2), which is told without it
        parts = _FIELD.fullmatch(line)
        expect(parts is not None, f"no header field: {printable(line, 40)}")
        assert parts is not None  # noqa: S101 - for the type checker
        fields.setdefault(parts[1].decode().lower(), parts[2])
    expect(False, f"more than {FIELDS_LIMIT} header fields")
    raise AssertionError  # not reached
