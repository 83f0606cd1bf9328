"""The work of :mod:`reports.fleet.pool` on a Dask cluster that somebody else runs.

Its workers need this program and the folder of bundles under the same path. Who can reach a Dask scheduler can run
anything on its workers: use one in a network that you trust.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from typing import TypeVar

from profiles.problem import Problem
from profiles.problem import UserMistake
from reports.fleet.pool import Done
from reports.fleet.pool import Fault
from reports.fleet.pool import attempt

_Task = TypeVar("_Task")
_Done = TypeVar("_Done")

_CHUNK = 8  #: tasks sent at a time, so that sending them costs little
_AHEAD = 3  #: chunks for each thread of the cluster that are under way or waiting there
_CONNECT_S = 10
_LOOK_S = 5.0  #: after so long without an answer it is looked whether there are workers at all
_WORKERLESS_S = 60.0  #: for which the cluster may have none, as while one is started anew
_SAID = 300  #: characters of an error that are passed on


def each_on(address: str, work: Callable[[_Task], _Done], tasks: Iterable[_Task]) -> Iterator[Done[_Task, _Done]]:
    """Do every task on the cluster whose scheduler is at ``address``, in whatever order they end.

    A task that kills its worker time and again is a fault of its own; those sent together with it are done.

    Raises:
        UserMistake: if the package ``distributed`` is missing, the scheduler cannot be reached, or the cluster has no
            workers for a minute.
    """
    try:
        import distributed
    except ImportError as error:
        raise UserMistake([Problem("fleet-no-dask", "reports.fleet", facts={"error": error})]) from None
    dask: Any = distributed  # which has no types
    try:
        client = dask.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise _no_scheduler(address, error) from None
    with client:
        suspects: list[_Task] = []
        cluster = _Cluster(dask, client, address)
        yield from _all_at_once(cluster, work, tasks, suspects)
        for task in suspects:  # alone, so that none is blamed for what another did to their common worker
            future = client.submit(_attempt_all, work, [task], pure=False)
            cluster.ended([future])
            if (broken := future.exception()) is None:
                yield from future.result()
            else:
                yield Done(task, None, Fault("process-died", str(broken)[:_SAID]))


@dataclass(frozen=True, slots=True)
class _Cluster:
    """The cluster while it works."""

    dask: Any  #: the package ``distributed``
    client: Any
    address: str

    def threads(self) -> int:
        """Of all its workers together.

        Raises:
            UserMistake: if the scheduler does not answer any more.
        """
        try:
            return int(sum(self.client.nthreads().values()))
        except OSError as error:
            raise _no_scheduler(self.address, error) from None

    def ended(self, futures: Iterable[Any]) -> Iterable[Any]:
        """Those of ``futures`` that have ended; waits for one while there is somebody to end it.

        Raises:
            UserMistake: if there are no workers for too long, or the scheduler is gone.
        """
        waiting = list(futures)
        alive = time.monotonic()
        while True:
            try:
                with self.client.as_current():
                    ended: Iterable[Any] = self.dask.wait(waiting, timeout=_LOOK_S, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                if self.threads():
                    alive = time.monotonic()
                elif time.monotonic() - alive >= _WORKERLESS_S:
                    facts = {"address": self.address, "seconds": f"{_WORKERLESS_S:g}"}
                    raise UserMistake([Problem("fleet-no-workers", "reports.fleet", facts=facts)]) from None
            else:
                return ended


def _no_scheduler(address: str, error: Exception) -> UserMistake:
    facts = {"address": address, "error": str(error)[:200]}
    return UserMistake([Problem("fleet-no-scheduler", "reports.fleet", facts=facts)])


def _all_at_once(
    cluster: _Cluster, work: Callable[[_Task], _Done], tasks: Iterable[_Task], suspects: list[_Task]
) -> Iterator[Done[_Task, _Done]]:
    """Keep the cluster busy; what was on a worker that died is put among the ``suspects``."""
    waiting = _chunks(tasks)
    sent: dict[Any, Sequence[_Task]] = {}

    def send(count: int) -> None:
        for chunk in islice(waiting, count):
            sent[cluster.client.submit(_attempt_all, work, chunk, pure=False)] = chunk

    send(_AHEAD * max(1, cluster.threads()))
    while sent:
        for future in cluster.ended(sent):
            chunk = sent.pop(future)
            if future.status == "finished":
                yield from future.result()
            else:
                suspects += chunk
            send(1)


def _chunks(tasks: Iterable[_Task]) -> Iterator[Sequence[_Task]]:
    waiting = iter(tasks)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _attempt_all(work: Callable[[_Task], _Done], tasks: Sequence[_Task]) -> list[Done[_Task, _Done]]:
    """On a worker of the cluster."""
    return [attempt(work, task) for task in tasks]
