"""``kill -9`` at any moment: nothing that was acknowledged is lost, and the store opens clean."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

from profiles.observation import Observation
from reports.journal import FILE
from reports.store import EvidenceStore

BATCH = 50
CHILDREN = 6
KILLS = 2  #: of each: the second process resumes what the first one left

#: Waits for a line, then appends, and says the number of every batch that :meth:`EvidenceStore.append` has taken.
CHILD = """
import sys
from pathlib import Path
from profiles.observation import Observation
from reports.store import EvidenceStore

directory, start, size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
sys.stdin.readline()
print("begun", flush=True)
if EvidenceStore.exists(directory):
    store = EvidenceStore.open(directory)
else:
    store = EvidenceStore.create(directory, campaign="c", plant_yaml="p", profile_yamls={"n": "t"}, facts={})
for batch in range(start, start + 1_000):
    store.append([
        Observation("icmp-echo", "here", f"t-{row}", "192.0.2.1", "round-trip-delay", 0.5, "ms", None,
                    batch, row, batch, row, '{"ttl":64}')
        for row in range(size)
    ])
    print(batch, flush=True)
"""


@contextmanager
def child(directory: Path, start: int) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to append; gone when the block ends."""
    arguments = [sys.executable, "-c", CHILD, str(directory), str(start), str(BATCH)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


def killed_at_random(process: subprocess.Popen[str], chance: random.Random) -> set[int]:
    """Kill it somewhere between its first moment and its thirtieth batch; the batches that it acknowledged."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert process.stdout.readline() == "begun\n"
    said = "".join(process.stdout.readline() for _ in range(chance.randrange(30)))
    time.sleep(chance.random() * 0.01)  # so that the kill falls anywhere between two acknowledgements
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read()
    assert process.wait(timeout=30) == -signal.SIGKILL
    return {int(line) for line in said.splitlines(keepends=True) if line.endswith("\n")}


def stored(directory: Path) -> Counter[int]:
    """Rows of each batch, read as the next session reads them."""
    with EvidenceStore.open(directory) as store:
        rows = [Observation(*row[:-2]) for row in store.rows()]
        assert store.plant_yaml == "p"
    with closing(sqlite3.connect(directory / FILE)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return Counter(row.window for row in rows)


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    chance = random.Random()
    directories = [tmp_path / str(number) for number in range(CHILDREN)]
    acknowledged: dict[Path, set[int]] = {directory: set() for directory in directories}
    for kill in range(1, KILLS + 1):
        with ExitStack() as running:
            processes = {each: running.enter_context(child(each, 1_000 * kill)) for each in directories}
            for directory, process in processes.items():
                acknowledged[directory] |= killed_at_random(process, chance)
                if EvidenceStore.exists(directory):
                    check(stored(directory), acknowledged[directory], kill)
                else:  # killed before it had made its store
                    assert acknowledged[directory] == set()
    assert sum(map(len, acknowledged.values())) > CHILDREN


def check(found: Counter[int], acknowledged: set[int], kills: int) -> None:
    """Compare the rows found of each batch with what was acknowledged."""
    assert set(found.values()) <= {BATCH}, "a batch was kept in part"
    assert found.keys() >= acknowledged, "an acknowledged batch is lost"
    assert len(found.keys() - acknowledged) <= kills, "more was in flight than one batch"
