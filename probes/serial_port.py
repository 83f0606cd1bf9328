"""The port to a modem's command port: raw, exclusive, bounded in time, and for questions that change nothing.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import termios
from contextlib import suppress
from typing import Any

from probes.ports import Ticket
from probes.ports import ready

#: What may be asked (3GPP TS 27.007, ITU-T V.250; the last two lines as modem makers document them): all of it reads.
QUESTIONS = (
    r"AT",  # nothing: the modem says OK
    r"ATI",  # identification
    r"AT\+C(GMI|GMM|GMR)",  # manufacturer, model, revision
    r"AT\+CESQ",  # extended signal quality
    r"AT\+COPS\?",  # operator and access technology; without "?" it would search for networks
    r"AT\+C(|E|5G)REG\?",  # registration
    r'AT\+QENG="servingcell"',  # serving cell, Quectel
    r"AT\+GTCCINFO\?",  # serving cell, Fibocom
)
_QUESTION = re.compile("|".join(QUESTIONS))
READ_OCTETS = 4096


class SerialPort:
    """One command port, open for one ticket; nobody else has it meanwhile."""

    def __init__(self, opened: int, ticket: Ticket) -> None:
        """Take the open descriptor ``opened``, which is closed if this fails.

        Raises:
            OSError: if it is no terminal (``ENOTTY``) or in use (``EBUSY``).
        """
        self._ticket = ticket
        self._fd = opened
        try:
            self._before = _raw(opened)
        except BaseException:
            os.close(opened)
            raise

    async def write(self, question: str, timeout_s: float) -> None:
        """Put a question, which must have been claimed, and must be one of :data:`QUESTIONS`.

        Raises:
            PermissionError: if it is not. It is a bug of the caller; nothing is written.
            OSError: if the port is gone, or takes nothing within the time (``ETIMEDOUT``).
        """
        line = f"{question}\r".encode()
        if not _QUESTION.fullmatch(question):
            raise PermissionError(f"{question!r} is no question that may be put to a modem")
        if self._ticket.credit < len(line):
            raise PermissionError(f"nothing was claimed for {self._ticket.target.address}")
        self._ticket.credit -= len(line)
        while line:
            if not await ready(self._fd, timeout_s, write=True):
                raise TimeoutError(errno.ETIMEDOUT, "the port takes nothing")
            with suppress(BlockingIOError):
                line = line[os.write(self._fd, line) :]

    async def read(self, timeout_s: float) -> bytes:
        """What has come, waiting for it if need be; empty if nothing came in time.

        Raises:
            OSError: if the port is gone.
        """
        if timeout_s <= 0 or not await ready(self._fd, timeout_s):
            return b""
        try:
            octets = os.read(self._fd, READ_OCTETS)
        except BlockingIOError:
            return b""
        if not octets:
            raise OSError(errno.EIO, "the port was hung up")
        return octets

    def close(self) -> None:
        """Give the port back as it was."""
        with suppress(OSError, termios.error):
            termios.tcsetattr(self._fd, termios.TCSANOW, self._before)
        with suppress(OSError):
            fcntl.ioctl(self._fd, termios.TIOCNXCL)
        os.close(self._fd)


def _raw(fd: int) -> list[Any]:
    """Take the terminal for ourselves (ioctl_tty(2), flock(2)) and let octets pass as they are; its state before."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(errno.EBUSY, "the port is in use") from None
    try:
        before: list[Any] = termios.tcgetattr(fd)
        fcntl.ioctl(fd, termios.TIOCEXCL)
        attributes = termios.tcgetattr(fd)
        attributes[0] = attributes[1] = attributes[3] = 0  # no translation, no editing, no echo, no signals
        attributes[2] = attributes[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8 | termios.CREAD | termios.CLOCAL
        attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
        termios.tcflush(fd, termios.TCIOFLUSH)
    except termios.error as refusal:
        raise OSError(*refusal.args) from None
    return before
