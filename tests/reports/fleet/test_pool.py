"""Whatever a task does to its process is its own fate; all others are done."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.fleet.pool import attempt
from reports.fleet.pool import each


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool's processes import the work by its module's name."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def outcomes(tasks: list[str], workers: int = 2, **more: float) -> dict[str, str]:
    from hurting import work  # type: ignore[import-not-found]

    found = {}
    for done in each(work, tasks, workers=workers, **more):
        assert (done.value is None) != (done.fault is None)
        found[done.task] = done.value if done.fault is None else f"{done.fault.code} {done.fault.said}".strip()
    return found


def test_every_task_is_done_whatever_the_others_do() -> None:
    tasks = ["a", "die", "b", "raise", "leave", "c", "grow", "d"]
    assert outcomes(tasks, memory_bytes=1 << 30) == {
        "a": "A",
        "b": "B",
        "c": "C",
        "d": "D",
        "die": "process-died -9",
        "leave": "process-died 3",
        "raise": "broke RuntimeError: cannot raise",
        "grow": "out-of-memory",
    }


def test_a_task_that_never_ends_is_stopped() -> None:
    assert outcomes(["hang", "a", "b"], timeout_s=3) == {"hang": "took-too-long", "a": "A", "b": "B"}


def test_no_task_and_a_last_task_that_kills() -> None:
    assert outcomes([]) == {}
    assert outcomes(["die"], workers=1) == {"die": "process-died -9"}


def test_tasks_are_taken_as_they_are_needed() -> None:
    from hurting import work

    taken = []

    def endless() -> Iterator[str]:
        for number in itertools.count():
            taken.append(number)
            yield str(number)

    found = each(work, endless(), workers=2)
    assert {next(found).task for _ in range(3)} <= {"0", "1", "2", "3", "4"}
    found.close()  # type: ignore[attr-defined]
    assert len(taken) <= 6


def test_a_task_can_be_tried_here() -> None:
    from hurting import work

    assert attempt(work, "a").value == "A"
    fault = attempt(work, "raise").fault
    assert fault is not None
    assert fault.code == "broke"
