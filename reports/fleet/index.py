"""The index of a fleet: many bundles verified and laid down as Parquet tables, which DuckDB reads in a moment.

``docs/fleet.md`` describes the tables. A bundle that has not changed since the last time is not read again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profiles.language import Texts
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports import host
from reports.fleet.finding import Found
from reports.fleet.finding import find_bundles
from reports.fleet.finding import fingerprint
from reports.fleet.layout import ABOUT
from reports.fleet.layout import ALTERED
from reports.fleet.layout import BUNDLES
from reports.fleet.layout import FAILING
from reports.fleet.layout import FORMAT
from reports.fleet.layout import HASHED
from reports.fleet.layout import RESULTS
from reports.fleet.layout import UNREADABLE
from reports.fleet.layout import VERIFIED
from reports.fleet.layout import require_index
from reports.fleet.pool import Done
from reports.fleet.pool import each
from reports.fleet.reading import Entry
from reports.fleet.reading import Task
from reports.fleet.reading import read
from reports.fleet.reading import unsound


@dataclass(slots=True)
class Indexed:
    """How many bundles an indexing found, and what became of them."""

    bundles: int = 0
    unchanged: int = 0  #: taken over from the index before, without being read
    verified: int = 0
    hashed: int = 0
    altered: int = 0
    unreadable: int = 0

    def count(self, state: str) -> None:
        """Note one more bundle in this state."""
        self.bundles += 1
        setattr(self, state, getattr(self, state) + 1)


def index(
    root: Path,
    out: Path,
    *,
    workers: int,
    full: bool = True,
    anew: bool = False,
    told: Callable[[Indexed], object] = lambda _: None,
) -> Indexed:
    """Index every bundle below ``root`` in the folder ``out``, which is replaced when all is done.

    Args:
        root: folder of folders.
        out: folder of the index; an index that is there saves reading what has not changed.
        workers: processes, each of which reads one bundle at a time.
        full: whether bundles are judged again; otherwise only their hashes are compared.
        anew: whether every bundle is read, changed or not.
        told: is told after every bundle.

    Raises:
        UserMistake: if ``root`` cannot be read, or ``out`` cannot be written or is something else.
    """
    _refuse_strangers(out)
    known = {} if anew or not (out / ABOUT).exists() else _known(out, full=full)
    draft = out.with_name(f".{out.name}.new-{os.getpid()}")
    counts = Indexed()
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _write(draft, _Plan(root, known, full), workers, out, counts, told)
        _put_in_place(draft, out)
    except OSError as error:
        facts = {"error": error.strerror or str(error)}
        raise UserMistake([Problem("fleet-cannot-write", "reports.fleet", file=str(out), facts=facts)]) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return counts


class _Plan:
    """Which bundles are read and which stay as they are; found while the others are at work already."""

    def __init__(self, root: Path, known: Mapping[str, tuple[str, ...]], full: bool) -> None:
        self._root, self._known, self._full = root, known, full
        self.unchanged: dict[str, str] = {}  #: and their states
        self.refused: list[Found] = []

    def tasks(self) -> Iterator[Task]:
        for found in find_bundles(self._root):
            if found.fault:
                self.refused.append(found)
            elif self._is_unchanged(found.name):
                name = shown_name(found.name)
                self.unchanged[name] = self._known[name][-1]
            else:
                yield Task(str(self._root), found.name, self._full)

    def _is_unchanged(self, name: str) -> bool:
        before = self._known.get(shown_name(name))
        try:
            return before is not None and fingerprint(self._root / name) == before[:-1]
        except OSError:
            return False  # the one who reads it tells


def shown_name(name: str) -> str:
    """A path as text: what is no UTF-8 in it is written out."""
    return name.encode("utf-8", "backslashreplace").decode()


def _write(
    draft: Path,
    plan: _Plan,
    workers: int,
    before: Path,
    counts: Indexed,
    told: Callable[[Indexed], object],
) -> None:
    from reports.fleet import tables

    with ExitStack() as stack:
        bundles, results, failing = (
            stack.enter_context(tables.TableWriter(draft / name, schema))
            for name, schema in ((BUNDLES, tables.BUNDLES), (RESULTS, tables.RESULTS), (FAILING, tables.FAILING))
        )
        for done in each(read, plan.tasks(), workers=workers):
            entry = _entry(done)
            bundles.write([entry.bundle])
            results.write(entry.results)
            failing.write(entry.failing)
            counts.count(entry.bundle["state"])
            told(counts)
        for found in plan.refused:
            bundles.write([unsound(shown_name(found.name), UNREADABLE, found.fault, _told(found.fault))])
            counts.count(UNREADABLE)
        if plan.unchanged:
            for writer, name in ((bundles, BUNDLES), (results, RESULTS), (failing, FAILING)):
                _copy(before / name, plan.unchanged, writer)
        for state in plan.unchanged.values():
            counts.count(state)
            counts.unchanged += 1
    about = {"format": FORMAT, "versions": host.versions()}
    (draft / ABOUT).write_text(json.dumps(about, indent=1), "utf-8")


def _told(fault: str) -> str:
    return Texts.of("reports.fleet").get("fleet.index.archive", "en") if fault == "archive" else ""


def _entry(done: Done[Task, Entry]) -> Entry:
    """What is indexed of a bundle, also where the process that read it died of it."""
    if done.value is None:
        fault = done.fault
        code, said = (fault.code, fault.said) if fault else ("broke", "")
        return Entry(unsound(shown_name(done.task.name), UNREADABLE, code, said))
    entry = done.value
    name = shown_name(done.task.name)
    if name != done.task.name:
        for row in (entry.bundle, *entry.results, *entry.failing):
            row["bundle"] = name
    return entry


def _copy(path: Path, names: Iterable[str], writer: Any) -> None:  # noqa: ANN401 - a TableWriter, imported where used
    """Take over the rows of these bundles, a row group at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    wanted = pa.array(sorted(names), pa.string())
    with pq.ParquetFile(path) as written:
        for group in range(written.num_row_groups):
            table = written.read_row_group(group)
            writer.copy(table.filter(pc.is_in(table["bundle"], value_set=wanted)))


def _known(before: Path, *, full: bool) -> dict[str, tuple[str, ...]]:
    """Marks and state of the bundles of the index before, of those that were checked no less than is asked now."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(before / BUNDLES, columns=["bundle", "manifest", "files", "state"]).to_pylist()
    except (pa.ArrowException, OSError):  # a damaged index saves nothing, and is no reason not to make a sound one
        return {}
    enough = {VERIFIED, ALTERED} if full else {VERIFIED, HASHED}
    return {name: tuple(marks) for name, *marks in (row.values() for row in rows) if marks[-1] in enough}


def _refuse_strangers(out: Path) -> None:
    """Only an index may give way to an index."""
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists() or out.is_symlink():
        try:
            require_index(out)
        except UserMistake as mistake:
            if mistake.problems[0].code == "fleet-no-index":
                raise UserMistake([Problem("fleet-index-taken", "reports.fleet", file=str(out))]) from None
            raise


def _put_in_place(draft: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.old-{os.getpid()}")
    if out.exists():
        out.rename(old)
    draft.rename(out)
    shutil.rmtree(old, ignore_errors=True)
