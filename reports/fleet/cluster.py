"""The work of :mod:`reports.fleet.pool` on a Dask cluster that somebody else runs.

Its workers need this program and the folder of bundles under the same path. Who can reach a Dask scheduler can run
anything on its workers: use one in a network that you trust.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
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
_SAID = 300  #: characters of an error that are passed on


def each_on(address: str, work: Callable[[_Task], _Done], tasks: Iterable[_Task]) -> Iterator[Done[_Task, _Done]]:
    """Do every task on the cluster whose scheduler is at ``address``, in whatever order they end.

    A task that kills its worker time and again is a fault of its own; those sent together with it are done.

    Raises:
        UserMistake: if the package ``distributed`` is missing, or the scheduler cannot be reached.
    """
    try:
        import distributed
    except ImportError as error:
        raise UserMistake([Problem("fleet-no-dask", "reports.fleet", facts={"error": error})]) from None
    dask: Any = distributed  # which has no types
    try:
        client = dask.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        facts = {"address": address, "error": str(error)[:200]}
        raise UserMistake([Problem("fleet-no-scheduler", "reports.fleet", facts=facts)]) from None
    with client:
        suspects: list[_Task] = []
        yield from _all_at_once(dask, client, work, tasks, suspects)
        for task in suspects:  # alone, so that none is blamed for what another did to their common worker
            future = client.submit(_attempt_all, work, [task], pure=False)
            if (broken := future.exception()) is None:
                yield from future.result()
            else:
                yield Done(task, None, Fault("process-died", str(broken)[:_SAID]))


def _all_at_once(
    dask: Any,  # noqa: ANN401 - the package distributed
    client: Any,  # noqa: ANN401
    work: Callable[[_Task], _Done],
    tasks: Iterable[_Task],
    suspects: list[_Task],
) -> Iterator[Done[_Task, _Done]]:
    """Keep the cluster busy; what was on a worker that died is put among the ``suspects``."""
    waiting = _chunks(tasks)
    sent: dict[Any, Sequence[_Task]] = {}

    def send(chunk: Sequence[_Task]) -> Any:  # noqa: ANN401 - a future
        future = client.submit(_attempt_all, work, chunk, pure=False)
        sent[future] = chunk
        return future

    ahead = _AHEAD * max(1, sum(client.nthreads().values()))
    ends = dask.as_completed([send(chunk) for chunk in islice(waiting, ahead)], loop=client.loop)
    for future in ends:
        chunk = sent.pop(future)
        if future.status == "finished":
            yield from future.result()
        else:
            suspects += chunk
        for further in islice(waiting, 1):
            ends.add(send(further))


def _chunks(tasks: Iterable[_Task]) -> Iterator[Sequence[_Task]]:
    waiting = iter(tasks)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _attempt_all(work: Callable[[_Task], _Done], tasks: Sequence[_Task]) -> list[Done[_Task, _Done]]:
    """On a worker of the cluster."""
    return [attempt(work, task) for task in tasks]
