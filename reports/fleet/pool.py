"""Work on many bundles in several processes, each bundle by itself.

A bundle may be damaged or hostile. What it does to the process that reads it, such as using up its memory, never ending
or crashing it, is the fate of that bundle alone: it is told, another process takes the place, and the others go on.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any
from typing import Generic
from typing import TypeVar

_Task = TypeVar("_Task")
_Done = TypeVar("_Done")

#: A process that has answered nothing for so long is stopped.
TIMEOUT_S = 300.0
#: Memory of one process, of what it allocates (``RLIMIT_DATA``); a bundle of 50 million rows is refused with it.
MEMORY_BYTES = 4 << 30
_SAID = 300  #: characters of an exception that are passed on


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a task came to nothing."""

    code: str  #: names a text ``fleet.fault.<code>``
    said: str = ""


@dataclass(frozen=True, slots=True)
class Done(Generic[_Task, _Done]):
    """What came of a task: either a value or a fault."""

    task: _Task
    value: _Done | None
    fault: Fault | None


def attempt(work: Callable[[_Task], _Done], task: _Task) -> Done[_Task, _Done]:
    """Do one task here, whatever it raises."""
    try:
        return Done(task, work(task), None)
    except MemoryError:
        return Done(task, None, Fault("out-of-memory"))
    except Exception as error:  # noqa: BLE001  # a bundle may break anything; it must not break its neighbours
        return Done(task, None, Fault("broke", f"{type(error).__name__}: {error}"[:_SAID]))


def each(
    work: Callable[[_Task], _Done],
    tasks: Iterable[_Task],
    *,
    workers: int,
    timeout_s: float = TIMEOUT_S,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[Done[_Task, _Done]]:
    """Do every task in one of so many processes, in whatever order they end; one in each process at a time.

    Args:
        work: a function of a module, which the processes import.
        tasks: read as they are needed.
        workers: processes; with 0 it is all done here, where nothing protects one task from another.
        timeout_s: after which a task's process is stopped.
        memory_bytes: what a process may allocate.
    """
    if not workers:
        yield from (attempt(work, task) for task in tasks)
        return
    waiting = iter(tasks)
    crew: list[_Worker[_Task]] = []
    try:
        for task in waiting:
            crew.append(_Worker(work, memory_bytes))
            crew[-1].give(task, timeout_s)
            if len(crew) == workers:
                break
        while crew:
            for worker in _ready(crew):
                done = worker.take()
                further = list(islice(waiting, 1))
                if not worker.alive or not further:
                    worker.stop()
                    crew.remove(worker)
                for task in further:
                    if not worker.alive:
                        crew.append(_Worker(work, memory_bytes))
                    (worker if worker.alive else crew[-1]).give(task, timeout_s)
                yield done
    finally:
        for worker in crew:
            worker.stop()


class _Worker(Generic[_Task]):
    """One process, and the task it is at."""

    def __init__(self, work: Callable[[Any], Any], memory_bytes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, far = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(far, work, memory_bytes), daemon=True)
        self.process.start()
        far.close()
        self.alive = True
        self._task: list[_Task] = []
        self.deadline = 0.0

    def give(self, task: _Task, timeout_s: float) -> None:
        self._task = [task]
        self.deadline = time.monotonic() + timeout_s
        with suppress(OSError):  # it died before it began, which is told when its end is read
            self.connection.send(task)

    def take(self) -> Done[_Task, Any]:
        """What came of its task; it is at an end if it is not :attr:`alive` afterwards."""
        task = self._task[0]
        try:
            if self.connection.poll():
                value, fault = self.connection.recv()
                return Done(task, value, fault)
            self.alive = False
            return Done(task, None, Fault("took-too-long"))
        except (EOFError, OSError):
            self.alive = False
            self.process.join(1)
            return Done(task, None, Fault("process-died", str(self.process.exitcode)))

    def stop(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def _ready(crew: list[_Worker[_Task]]) -> list[_Worker[_Task]]:
    """The workers that have said something, have died, or have been at it for too long; waits for one."""
    first = min(worker.deadline for worker in crew)
    heard = set(wait([worker.connection for worker in crew], max(0.0, first - time.monotonic())))
    now = time.monotonic()
    return [worker for worker in crew if worker.connection in heard or worker.deadline <= now]


def _serve(connection: Connection, work: Callable[[Any], Any], memory_bytes: int) -> None:
    """The process: a task comes, what came of it goes, until nobody is there any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the user's Ctrl-C is for the one who waits
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    least = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
    resource.setrlimit(resource.RLIMIT_DATA, (least, most))
    while True:
        try:
            task = connection.recv()
        except EOFError:
            return
        done = attempt(work, task)
        connection.send((done.value, done.fault))
