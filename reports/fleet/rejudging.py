"""A whole fleet judged again under another profile: in processes here or on a Dask cluster, and resumable.

What comes of it is a folder of Parquet tables, ``results`` and ``bundles``, in parts that appear one after another, and
``changes.json``, which counts for each requirement what became of its verdicts. ``docs/fleet.md`` describes them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

from profiles.loader import dump
from profiles.problem import Problem
from profiles.problem import UserMistake
from profiles.requirement import Profile
from reports.fleet.again import REJUDGED
from reports.fleet.again import Again
from reports.fleet.again import about
from reports.fleet.again import again
from reports.fleet.cluster import each_on
from reports.fleet.finding import find_bundles
from reports.fleet.finding import fingerprint
from reports.fleet.index import shown_name
from reports.fleet.layout import UNREADABLE
from reports.fleet.pool import Done
from reports.fleet.pool import each
from reports.fleet.reading import Task

FORMAT = "plantproof-fleet-rejudged/1"
ABOUT, CHANGES, RESULTS, BUNDLES = "rejudged.json", "changes.json", "results", "bundles"
_PART = 256  #: bundles in a part; as many are judged again at most when it is resumed


@dataclass(slots=True)
class Rejudged:
    """What became of a fleet."""

    bundles: int = 0
    before: int = 0  #: of those, judged in an earlier run that was not finished
    failed: int = 0  #: bundles that are altered or could not be judged
    changes: list[dict[str, Any]] = field(default_factory=list)  #: verdicts by requirement: was, became, how many


def rejudge_fleet(
    root: Path,
    profiles: Sequence[Profile],
    out: Path,
    *,
    workers: int,
    scheduler: str = "",
    full: bool = False,
    told: Callable[[Rejudged], object] = lambda _: None,
) -> Rejudged:
    """Judge every bundle below ``root`` again under ``profiles``; go on where an earlier run was interrupted.

    Args:
        root: folder of folders.
        profiles: under which.
        out: folder for what comes of it, which is made, or holds an earlier run under the same profiles.
        workers: processes on this machine.
        scheduler: address of a Dask scheduler, whose workers are used instead.
        full: whether each bundle's own verdicts are computed again first; otherwise its hashes are compared.
        told: is told after every bundle.

    Raises:
        UserMistake: if ``root`` cannot be read, ``out`` cannot be written or holds something else, a bundle changed
            since an earlier run, or the cluster cannot be reached.
    """
    texts = {profile.profile: dump(profile) for profile in profiles}
    found = Rejudged()
    try:
        done = _begin(out, texts)
        with _Parts(out) as parts:
            work = partial(again, texts)
            tasks = _tasks(root, full, done, found, parts)
            ends = each_on(scheduler, work, tasks) if scheduler else each(work, tasks, workers=workers)
            for one in ends:
                parts.add(_outcome(one))
                found.bundles += 1
                told(found)
        found.failed, found.changes = _summary(out)
        (out / CHANGES).write_text(json.dumps(found.changes, ensure_ascii=False, indent=1), "utf-8")
    except OSError as error:
        facts = {"error": error.strerror or str(error)}
        raise UserMistake([Problem("fleet-cannot-write", "reports.fleet", file=str(out), facts=facts)]) from error
    return found


def _tasks(root: Path, full: bool, done: Mapping[str, str], found: Rejudged, parts: _Parts) -> Iterator[Task]:
    """Bundles that were not judged yet; what is no bundle is laid down at once."""
    for it in find_bundles(root):
        name = shown_name(it.name)
        if name in done:
            _refuse_changed(root, it.name, done[name])
            found.bundles += 1
            found.before += 1
        elif it.fault:
            parts.add(Again(about(name, UNREADABLE, it.fault, "")))
            found.bundles += 1
        else:
            yield Task(str(root.resolve()), it.name, full)


def _refuse_changed(root: Path, name: str, manifest: str) -> None:
    try:
        now, _ = fingerprint(root / name)
    except OSError:
        return
    if manifest and now != manifest:
        raise UserMistake([Problem("fleet-changed", "reports.fleet", file=str(root / name))])


def _outcome(done: Done[Task, Again]) -> Again:
    name = shown_name(done.task.name)
    if done.value is None:
        fault = done.fault
        return Again(about(name, UNREADABLE, *((fault.code, fault.said) if fault else ("broke", ""))))
    for row in (done.value.bundle, *done.value.results):
        row["bundle"] = name
    return done.value


def _begin(out: Path, texts: Mapping[str, str]) -> dict[str, str]:
    """Make the folder, or find out which bundles of an earlier run are done, each with its manifest's hash."""
    import pyarrow.parquet as pq

    told = {"format": FORMAT, "profiles": {name: _digest(text) for name, text in texts.items()}}
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        for folder in (RESULTS, BUNDLES):
            (out / folder).mkdir(parents=True)
        (out / ABOUT).write_text(json.dumps(told), "utf-8")
        return {}
    try:
        before = json.loads((out / ABOUT).read_text("utf-8"))
    except (OSError, ValueError):
        raise UserMistake([Problem("fleet-rejudged-taken", "reports.fleet", file=str(out))]) from None
    if before != told:
        raise UserMistake([Problem("fleet-rejudged-differs", "reports.fleet", file=str(out))])
    done: dict[str, str] = {}
    for path in sorted((out / BUNDLES).glob("part-*.parquet")):
        table = pq.read_table(path, columns=["bundle", "manifest"])
        done |= dict(zip(*(table[name].to_pylist() for name in ("bundle", "manifest")), strict=True))
    return done


class _Parts:
    """Writes what was judged in parts. A part is there when its list of bundles is, which is renamed last."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._pending: list[Again] = []

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()  # also when interrupted: what is done is done

    def add(self, one: Again) -> None:
        """Keep what came of a bundle."""
        self._pending.append(one)
        if len(self._pending) >= _PART:
            self._flush()

    def _flush(self) -> None:
        from reports.fleet import tables

        if not self._pending:
            return
        number = 1 + len(list((self._out / BUNDLES).glob("part-*.parquet")))
        rows: Iterable[Any]
        for folder, schema, rows in (
            (RESULTS, tables.REJUDGED, [row for one in self._pending for row in one.results]),
            (BUNDLES, tables.REJUDGED_BUNDLES, [one.bundle for one in self._pending]),
        ):
            path = self._out / folder / f"part-{number:06d}.parquet"
            draft = path.with_suffix(".draft")
            with tables.TableWriter(draft, schema) as writer:
                writer.write(rows)
            draft.rename(path)
        self._pending = []


def _summary(out: Path) -> tuple[int, list[dict[str, Any]]]:
    """How many bundles failed; and for each item, from which verdict to which how many bundles went."""
    import duckdb

    if not any((out / BUNDLES).glob("part-*.parquet")):
        return 0, []
    with duckdb.connect(":memory:") as connection:
        done = connection.execute(
            "SELECT count(*) FILTER (state <> ?) FROM read_parquet(?)",
            [REJUDGED, str(out / BUNDLES / "part-*.parquet")],
        ).fetchone()
        changes = connection.execute(
            "SELECT item, any_value(pillar), was, verdict, count(*) FROM read_parquet(?) WHERE scope = '' "
            "GROUP BY item, was, verdict ORDER BY item, was, verdict",
            [str(out / RESULTS / "part-*.parquet")],
        ).fetchall()
    names = ("item", "pillar", "was", "verdict", "bundles")
    return (done[0] if done else 0), [dict(zip(names, row, strict=True)) for row in changes]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
