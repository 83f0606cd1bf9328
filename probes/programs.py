"""Runs one program for the gate: bounded in time and output, ended when the campaign stops, never through a shell.

Only :class:`probes.gate.Gate` runs what speaks to anybody. What a program writes goes to files in memory and not to
pipes, so that neither side can block on the other however much there is.

Standard library only: this module travels to vantage points.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

END = "\n"  #: of a task's reply; one without it is not whole
_BLOCK_BYTES = 512  #: unit of ulimit -f (POSIX)
#: Limits the size of the files that the program and all its children write, and becomes the program: the words of its
#: command line are passed on as they are. A limit that is set from outside comes too late for what it starts at once.
_LIMITED = 'ulimit -f {blocks} && exec "$@"'
LOOK_S = 0.05  #: how often a running program is looked after
NEEDS_S = 10.0  #: longest time to find out what a vantage point lacks
#: Where administrators' tools are, which an ordinary user's PATH leaves out.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended and what it said."""

    status: int  #: exit status; negative: ended by that signal
    stdout: bytes
    stderr: bytes
    reply: bytes  #: what it wrote to its reply file, if it was given one
    duration_s: float
    ended_by: str = ""  #: what ended it or spoilt its output: ``timeout``, ``stopped``, ``output``, ``reply``

    @property
    def sound(self) -> bool:
        """Whether it ended by itself and says that it succeeded."""
        return self.status == 0 and not self.ended_by


async def run(
    argv: Sequence[str],
    *,
    stdin: bytes,
    timeout_s: float,
    output_bytes: int,
    stopped: Callable[[], bool],
    keep: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run ``argv`` and return how it ended, at the latest after ``timeout_s``.

    Args:
        argv: the program and its arguments; ``{reply}`` stands for the number of its reply file.
        stdin: what it reads.
        timeout_s: when it is killed.
        output_bytes: largest size of each of its files; a program that writes more is killed.
        stopped: looked at every :data:`LOOK_S`; the program is killed once it says so.
        keep: further descriptors that it inherits.
        environment: its environment besides ``PATH`` and the locale.

    Raises:
        OSError: if it cannot be started.
    """
    if shutil.which(argv[0], path=SEARCH_PATH) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    with _files(4) as (source, out, err, reply):
        os.write(source, stdin)
        os.lseek(source, 0, os.SEEK_SET)
        began_s = time.monotonic()
        blocks = -(-output_bytes // _BLOCK_BYTES)
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", _LIMITED.format(blocks=blocks), "sh"),
            *(part.replace("{reply}", str(reply)) for part in argv),
            stdin=source,
            stdout=out,
            stderr=err,
            pass_fds=(reply, *keep),
            env={"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", **(environment or {})},
            process_group=0,  # so that it ends with everything that it has started
        )
        try:
            ended_by = await _end(process, began_s + timeout_s, stopped)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            status = await process.wait()  # also where the wait for it was cancelled: none stays behind
        if any(os.fstat(file).st_size >= output_bytes for file in (out, err, reply)):
            ended_by = ended_by or "output"  # what there is may be cut
        stdout, stderr, replied = (_read(file, output_bytes) for file in (out, err, reply))
        return Finished(status, stdout, stderr, replied, time.monotonic() - began_s, ended_by)


def interpreter(module: str) -> tuple[list[str], tuple[int, ...]]:
    """A fresh interpreter that calls ``main`` of ``module``, with the installed packages, and what it must inherit.

    The module is found where this code is: in a folder, or in the archive that travelled (``/proc/self/fd/N``).
    """
    code = str(Path(__file__).parent.parent)
    keep = (int(code.rpartition("/")[2]),) if code.startswith("/proc/self/fd/") else ()
    call = f"import sys; sys.path.insert(0, sys.argv[1]); from {module} import main; main()"
    return [sys.executable, "-I", "-c", call, code, "{reply}"], keep


async def lacking(needs: Sequence[str]) -> list[str]:
    """Those of ``needs`` (see :attr:`probes.methods.Method.needs`) that this vantage point lacks; sends nothing."""
    argv, keep = interpreter("probes.tasks.needs")
    asked = json.dumps(list(needs)).encode()
    try:
        finished = await run(
            argv, stdin=asked, timeout_s=NEEDS_S, output_bytes=1 << 16, stopped=lambda: False, keep=keep
        )
        return [need for need in json.loads(finished.reply) if need in needs] if finished.sound else list(needs)
    except (OSError, ValueError):  # where no process can be made, nothing is there that needs one
        return list(needs)


async def _end(process: asyncio.subprocess.Process, deadline_s: float, stopped: Callable[[], bool]) -> str:
    """Wait for the program, or say why it must end now."""
    while True:
        try:
            status = await asyncio.wait_for(asyncio.shield(process.wait()), LOOK_S)
        except TimeoutError:
            if stopped():
                return "stopped"
            if time.monotonic() > deadline_s:
                return "timeout"
        else:
            return "output" if status == -25 else ""  # SIGXFSZ: the limit of a file's size


def _read(file: int, limit: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    parts, left = [], limit
    while left > 0 and (part := os.read(file, min(left, 1 << 20))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


@contextmanager
def _files(number: int) -> Iterator[list[int]]:
    """Files in memory, closed at the end."""
    files = [os.memfd_create("plantproof") for _ in range(number)]
    try:
        yield files
    finally:
        for file in files:
            os.close(file)
