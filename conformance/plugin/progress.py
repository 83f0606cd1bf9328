"""A live line for long collections, and the way to stop them in an orderly manner."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from types import FrameType

from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TaskID
from rich.progress import TextColumn
from rich.progress import TimeRemainingColumn

from probes.action import Action
from probes.methods import method
from profiles.language import Texts
from profiles.observation import Observation

#: Pause between two lines where there is no terminal to draw on.
PLAIN_INTERVAL_S = 10.0
#: Errors of attempts at which nothing was sent, by decision and not by a fault.
NOT_SENT = frozenset({"refused-by-guard", "stopped", "off-schedule"})


class Watcher:
    """Shows how a collection proceeds and notes the first Ctrl-C or SIGTERM; a second one breaks at once."""

    def __init__(self) -> None:
        self._console = Console(file=sys.__stderr__)
        self._stop = False
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._counts = {"answered": 0, "silent": 0, "unsent": 0, "trouble": 0}
        self._total = 0
        self._said_s = 0.0

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Turn the first SIGINT or SIGTERM into a request to stop, for as long as the context lasts."""

        def handle(number: int, frame: FrameType | None) -> None:
            del number, frame
            if self._stop:
                raise KeyboardInterrupt
            self._stop = True

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop_requested(self) -> bool:
        """Whether all sending is to end now."""
        return self._stop

    def begin(self, actions: Sequence[Action]) -> None:
        """Start a bar over all rows that ``actions`` owe."""
        self._counts = dict.fromkeys(self._counts, 0)
        self._total = sum(
            len(it.targets) * int(it.parameters.get("attempts", 1)) * len(method(it.method).observes(it.parameters))
            for it in actions
        )
        self._said_s = time.monotonic()
        if self._console.is_terminal:
            methods = ", ".join(dict.fromkeys(action.method for action in actions))
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[said]}"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(methods, total=self._total, said="")

    def seen(self, observations: Sequence[Observation]) -> None:
        """Count ``observations`` and show where the collection stands.

        Rows without a target are the instrument's own, and owed to nobody. What the tester repeats comes more often
        than it is owed, so that the bar may be full a little early.
        """
        for observation in observations:
            if not observation.target:
                continue
            if observation.answered:
                self._counts["answered"] += 1
            elif observation.error in NOT_SENT:
                self._counts["unsent"] += 1
            elif observation.is_instrument_error:
                self._counts["trouble"] += 1
            else:
                self._counts["silent"] += 1
        said = Texts.of("conformance").get("progress.counts", **self._counts)
        done = min(sum(self._counts.values()), self._total)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done, said=said)
        elif time.monotonic() - self._said_s >= PLAIN_INTERVAL_S:
            self._said_s = time.monotonic()
            self._console.print(f"plantproof: {done}/{self._total}, {said}")

    def end(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
