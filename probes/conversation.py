"""A conversation on a modem's command port that stays in step: each answer belongs to the question before it.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import time
from typing import Any

from probes.at import Answer
from probes.at import Listener
from probes.serial_port import SerialPort

GRACE = 1.0  #: how long a late answer is waited for, in timeouts
QUIET_S = 0.1  #: of silence after which a port that was out of step has nothing more to say
HEARD_LIMIT = 1 << 16  #: octets of one answer; a port that says more than that is no modem's
TRANSCRIPT_LIMIT = 1 << 18  #: characters kept of one port's conversation


class NoAnswerError(Exception):
    """A question was not answered as asked."""

    def __init__(self, error: str, **facts: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(error)
        self.error = error
        self.facts = facts


class Conversation:
    """Questions and answers on one port, in step: each answer belongs to the question before it."""

    def __init__(self, port: SerialPort, timeout_s: float) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._in_step = True
        self._said: list[str] = []
        self._left = TRANSCRIPT_LIMIT
        self._began_s = time.monotonic()

    async def ask(self, command: str, prefix: str) -> Answer:
        """The answer to ``command``: one with a line that begins with ``prefix``, or the modem's refusal.

        Raises:
            NoAnswerError: ``timeout`` if nothing came, ``late`` if it came after the timeout, ``bad-answer`` if what
                came is none. The port is out of step then.
            OSError: if the port is gone.
        """
        listener = Listener(command)
        await self._write(command)
        if (answer := await self._listen(listener, prefix, self._timeout_s)) is not None:
            return answer
        self._in_step = False
        begun = any(line.startswith(prefix) for line in listener.lines)
        heard = listener.heard
        if await self._listen(listener, prefix, self._timeout_s * GRACE) is not None:
            raise NoAnswerError("late", command=command)
        if not heard:
            raise NoAnswerError("timeout", command=command)
        raise NoAnswerError("bad-answer", command=command, reason="half-an-answer" if begun else "not-what-was-asked")

    async def get_in_step(self) -> None:
        """After a missing answer: have the modem say OK, and hear it out until it is quiet.

        Raises:
            NoAnswerError: if it does not.
            OSError: if the port is gone.
        """
        if self._in_step:
            return
        listener = Listener("AT")
        await self._write("AT")
        deadline_s, said_ok = time.monotonic() + self._timeout_s, False
        while (left_s := deadline_s - time.monotonic()) > 0 and listener.heard < HEARD_LIMIT:
            octets = await self._read(min(left_s, QUIET_S if said_ok else left_s))
            if not octets and said_ok:
                self._in_step = True
                return
            said_ok |= True in {answer.ok for answer in listener.feed(octets)}
        raise NoAnswerError("bad-answer" if listener.heard else "timeout", command="AT", reason="out-of-step")

    async def _listen(self, listener: Listener, prefix: str, time_s: float) -> Answer | None:
        deadline_s = time.monotonic() + time_s
        while (left_s := deadline_s - time.monotonic()) > 0 and listener.heard < HEARD_LIMIT:
            for answer in listener.feed(await self._read(left_s)):
                if answer.holds(prefix) or not answer.ok:
                    return answer
        return None

    async def _write(self, command: str) -> None:
        self._note(">", command)
        await self._port.write(command, self._timeout_s)

    async def _read(self, time_s: float) -> bytes:
        octets = await self._port.read(time_s)
        if octets:
            self._note("<", octets.decode("ascii", "backslashreplace").replace("\r", "\\r").replace("\n", "\\n"))
        return octets

    def _note(self, way: str, text: str) -> None:
        line = f"{(time.monotonic() - self._began_s) * 1000:10.1f} {way} {text}"
        if self._left > 0:
            self._said.append(line)
            self._left -= len(line)

    def transcript(self) -> str:
        """Everything said so far: milliseconds, direction, octets with escapes."""
        return "\n".join([*self._said, *(["[cut]"] if self._left <= 0 else []), ""])
