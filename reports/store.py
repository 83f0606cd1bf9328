"""The evidence store: everything a campaign observes and concludes, durable as it arrives, never changed.

What :meth:`EvidenceStore.append` has accepted survives ``kill -9`` and power loss. Each opening of the store is a
session with a number, the *run*; an attempt that a later run made again stays in the store, and one of them counts:
see ``reports.effective``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any
from typing import Self

from probes.action import Action
from probes.methods import method
from probes.raw import is_name
from profiles.observation import COLUMNS
from profiles.observation import Observation
from profiles.problem import Problem
from profiles.problem import UserMistake
from reports import keeping
from reports.bundle import Event
from reports.chain import Entry
from reports.effective import OWED
from reports.journal import FILE
from reports.journal import Journal
from reports.journal import insertion
from reports.keeping import Kept
from reports.raw import RawRecord
from reports.result import Result
from reports.result import count_attempts
from reports.row import restored
from reports.row import stored

#: Errors of attempts for which nothing left this host.
NOT_SENT = frozenset({"refused-by-guard", "off-schedule", "stopped", "no-route", "no-privilege", "send-failed"})

_MOST_TOLD = 20  #: alterations

_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)


class EvidenceStore:
    """The evidence of one campaign, in an evidence directory.

    Made by :meth:`create`, :meth:`open` or :meth:`resume`; closed by leaving its ``with`` block. One process at a time
    has it open. Everything that writes raises :class:`~reports.journal.EvidenceLost` if it cannot be made durable.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.directory = journal.directory

    @staticmethod
    def exists(directory: Path) -> bool:
        """Whether ``directory`` holds a campaign, or something else in its place."""
        return Journal.exists(directory)

    @classmethod
    def create(
        cls,
        directory: Path,
        *,
        campaign: str,
        plant_yaml: str,
        profile_yamls: Mapping[str, str],
        facts: Mapping[str, str],
    ) -> Self:
        """A new store; the directory is made if need be.

        Args:
            directory: the evidence directory.
            campaign: UUID of the campaign.
            plant_yaml: the plant as resolved for the run, self-contained.
            profile_yamls: each profile as resolved for the run, by name, in the campaign's order.
            facts: what else is known at the start, such as versions and the host.

        Raises:
            UserMistake: if the directory cannot be written, is in use, or holds a campaign already.
        """
        rows: list[tuple[str, str, Sequence[Any]]] = [("campaign", "one, campaign, plant", (1, campaign, plant_yaml))]
        rows += [("profiles", "name, text", profile) for profile in profile_yamls.items()]
        rows += [("owed", "error", (error,)) for error in sorted(OWED)]
        rows += [("facts", "name, value", fact) for fact in facts.items()]
        return cls(Journal.create(directory, rows, keeping.begin))

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The store in ``directory``, whatever its campaign is about.

        Raises:
            UserMistake: if there is none, it is in use, damaged, of a later version, or not what was kept in it.
        """
        return cls(Journal.open(directory, require_unaltered, keeping.begin))

    @classmethod
    def resume(cls, directory: Path, *, plant_yaml: str, profile_yamls: Mapping[str, str]) -> Self:
        """:meth:`open`, and see to it that the campaign is about the same plant and the same profiles.

        Raises:
            UserMistake: as :meth:`open`; and one problem for each text that differs, with both hashes.
        """

        def approve(journal: Journal) -> None:
            cls(journal).require(plant_yaml, profile_yamls)
            require_unaltered(journal)

        return cls(Journal.open(directory, approve, keeping.begin))

    def require(self, plant_yaml: str, profile_yamls: Mapping[str, str]) -> None:
        """Do nothing if the campaign is about this plant and these profiles.

        Raises:
            UserMistake: one problem for each text that differs, with both hashes.
        """
        known = {"plant": self.plant_yaml} | {f"profile {name}": text for name, text in self.profile_yamls.items()}
        given = {"plant": plant_yaml} | {f"profile {name}": text for name, text in profile_yamls.items()}
        place = str(self.directory)
        problems = [
            Problem("store-differs", "reports", file=place, facts={"what": what, "stored": old, "given": new})
            for what in known | given
            if (old := _digest(known.get(what))) != (new := _digest(given.get(what)))
        ]
        if problems:
            raise UserMistake(problems)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store and let others open it."""
        self._journal.close()

    @property
    def run(self) -> int:
        """Number of this session, from 1."""
        return self._journal.run

    @property
    def campaign(self) -> str:
        """UUID of the campaign."""
        return str(self._journal.query("SELECT campaign FROM campaign").fetchone()[0])

    @property
    def plant_yaml(self) -> str:
        """The plant as resolved for the run."""
        return str(self._journal.query("SELECT plant FROM campaign").fetchone()[0])

    @property
    def profile_yamls(self) -> dict[str, str]:
        """The profiles as resolved for the run, by name, in the campaign's order."""
        return dict(self._journal.query("SELECT name, text FROM profiles ORDER BY position"))

    @property
    def facts(self) -> dict[str, str]:
        """Facts of the start."""
        return dict(self._journal.query("SELECT name, value FROM facts ORDER BY name"))

    def put_document(self, name: str, text: str) -> None:
        """Keep a document that a person wrote beside the plant; of several called ``name``, the latest counts.

        Args:
            name: of its file in the bundle.
            text: its content.

        Raises:
            EvidenceLost: if it cannot be written.
        """
        if self.documents().get(name) != text:
            row = (self.run, time.time_ns(), name, text)
            self._keep("documents", "run, utc_ns, name, text", [row], [keeping.document(*row)])

    def documents(self) -> dict[str, str]:
        """The documents that count, by the names of their files in the bundle."""
        return dict(self._journal.query("SELECT name, text FROM documents ORDER BY id"))

    def span_utc_ns(self) -> tuple[int, int]:
        """When the first session began, and when the last thing was observed, concluded or noted; since the epoch."""
        query = """
            SELECT min(utc_ns), max((SELECT min(utc_ns) FROM sessions),
              ifnull((SELECT max(utc_ns) FROM observations), 0),
              ifnull((SELECT max(utc_ns) FROM results), 0),
              ifnull((SELECT max(utc_ns) FROM events), 0)
            ) FROM sessions"""
        first, last = self._journal.query(query).fetchone()
        return int(first), int(last)

    def put_raw(self, vantage: str, method: str, window: int, name: str, text: str) -> None:
        """Keep what an instrument or a tool at a vantage point said, durable when this returns.

        Args:
            vantage: id of the vantage point.
            method: name of the method that asked.
            window: index of the window.
            name: a path of plain names (:func:`probes.raw.file_name`), by which rows refer to it.
            text: what was said; all of it is kept, also beside what an earlier session kept under the same name.

        Raises:
            EvidenceLost: if it cannot be written.
            ValueError: if ``name`` is no such path.
        """
        if not is_name(name):
            raise ValueError(f"{name!r} is no path of plain names")
        row = (self.run, time.time_ns(), vantage, method, window, name, text)
        self._keep("raw", 'run, utc_ns, "vantage", "method", "window", name, text', [row], [keeping.raw(*row)])

    def raw(self) -> Iterator[RawRecord]:
        """Everything that instruments and tools said, in the order in which it was stored."""
        query = 'SELECT run, "vantage", "window", name, text FROM raw ORDER BY id'
        return (RawRecord(*row) for row in self._journal.query(query))

    def append(self, observations: Sequence[Observation]) -> None:
        """Keep observations: all of them are durable when this returns, or it raises and none is kept.

        Raises:
            EvidenceLost: if they cannot be written (disk full, read-only, ...); the store takes nothing more then.
            ValueError: if one of them holds a number that no bundle could hold; the store goes on.
        """
        rows = [(*stored(one), self.run) for one in observations]
        entries = keeping.observations(self.run, time.time_ns(), [(*one.row(), self.run) for one in observations])
        self._keep("observations", f'{_NAMES}, "run"', rows, entries)

    def observations(self, methods: Iterable[str], targets: Iterable[str]) -> Iterator[Observation]:
        """The observations of these methods and targets that count, in the order in which they were stored."""
        # The index gives ids only; SQLite puts them in order, and the rows stream in the order of the table.
        query = f"""
            SELECT {_NAMES} FROM {self._counting} WHERE id IN (
              SELECT id FROM observations
              WHERE "method" IN (SELECT value FROM json_each(?)) AND "target" IN (SELECT value FROM json_each(?))
            ) ORDER BY id"""  # noqa: S608
        for row in self._journal.query(query, (json.dumps(list(methods)), json.dumps(list(targets)))):
            yield Observation(*restored(row))

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Every observation ever made, in the order of storing: its fields, its run and whether it counts."""
        once = "SELECT ifnull(min(run) = max(run), 1) FROM observations"  # then nothing was made again
        counts = "1" if self._journal.query(once).fetchone()[0] else "id IN (SELECT id FROM effective)"
        for row in self._journal.query(f'SELECT {_NAMES}, "run", {counts} FROM observations ORDER BY id'):  # noqa: S608
            yield (*restored(row)[:-1], row[-1] == 1)

    @property
    def _counting(self) -> str:
        """Where the rows that count stand; before any resumption every row counts."""
        return "observations" if self.run == 1 else "effective"

    def missing(self, action: Action) -> Action | None:
        """``action`` for those of its targets that lack a valid row of any attempt and quantity; ``None`` if none does.

        A target is measured again with all its attempts, so that an attempt's number keeps its meaning. Rows with an
        error of :data:`~reports.effective.OWED` are no measurement. Of a joint method, a target whose rows that count
        are of several runs, at this end or between ends, is measured again as well: those are not of one transmission.
        """
        attempts = int(action.parameters.get("attempts", 1))
        how = method(action.method)
        quantities = how.observes(action.parameters)
        query = f"""
            SELECT "target", "address", "port" FROM {self._counting}
            WHERE "method" = ? AND "vantage" = ? AND "window" = ? AND "attempt" < ?
              AND ("error" IS NULL OR "error" NOT IN owed) AND "quantity" IN (SELECT value FROM json_each(?))
            GROUP BY 1, 2, 3 HAVING count(DISTINCT "attempt" || ' ' || "quantity") = ?"""  # noqa: S608
        owed = attempts * len(quantities)
        asked = (action.method, action.vantage, action.window, attempts, json.dumps(list(quantities)), owed)
        done = set(self._journal.query(query, asked))
        torn = self._torn(action, attempts) if how.joint and self.run > 1 else set()
        left = tuple(it for it in action.targets if (it.id, it.address, it.port) not in done or it.id in torn)
        return replace(action, targets=left) if left else None

    def _torn(self, action: Action, attempts: int) -> set[str]:
        """Targets whose attempts are partly of one run and partly of another, whichever vantage point made them."""
        query = f"""
            SELECT "target" FROM {self._counting}
            WHERE "method" = ? AND "window" = ? AND "attempt" < ? AND "target" <> ''
              AND ("error" IS NULL OR "error" NOT IN owed)
            GROUP BY 1 HAVING count(DISTINCT "run") > 1"""  # noqa: S608
        return {target for (target,) in self._journal.query(query, (action.method, action.window, attempts))}

    def sent(self) -> Iterator[tuple[str, str, str, int | None, int]]:
        """How many probes may have left: (vantage, method, address, port, count), of all sessions together."""
        query = """
            SELECT "vantage", "method", "address", "port", count(*) FROM (
              SELECT DISTINCT "vantage", "method", "address", "port", "target", "window", "attempt", "run"
              FROM observations
              WHERE "target" <> '' AND ("error" IS NULL OR "error" NOT IN (SELECT value FROM json_each(?)))
            ) GROUP BY 1, 2, 3, 4"""
        yield from self._journal.query(query, (json.dumps(sorted(NOT_SENT)),))

    def put_result(self, *results: Result) -> None:
        """Keep results, all or none; every attempt is kept, and the latest of an item counts.

        The same result once more, as judging the same data again makes it, is no new attempt.
        """
        at = (self.run, time.time_ns())
        records = [(result.item, result.model_copy(update={"attempts": 1}).model_dump_json()) for result in results]
        rows = [(*at, item, record) for item, record in records if record != self._latest(item)]
        self._keep("results", "run, utc_ns, item, record", rows, (keeping.result(*row) for row in rows))

    def results(self) -> list[Result]:
        """The latest result of each item with its attempts counted, in the order of first conclusion."""
        kept: dict[str, list[Result]] = {}
        for result in self._all_results():
            kept.setdefault(result.item, []).append(result)
        return [results[-1].model_copy(update={"attempts": count_attempts(results)}) for results in kept.values()]

    def superseded(self) -> list[Result]:
        """The results that a later attempt at their item replaced, oldest first."""
        later = "SELECT max(id) FROM results WHERE item = it.item"
        query = f"SELECT record FROM results AS it WHERE id < ({later}) ORDER BY id"  # noqa: S608
        return [Result.model_validate_json(record) for (record,) in self._journal.query(query)]

    def _latest(self, item: str) -> str | None:
        query = "SELECT record FROM results WHERE item = ? ORDER BY id DESC LIMIT 1"
        found = self._journal.query(query, (item,)).fetchone()
        return found and Result.model_validate_json(found[0]).model_dump_json()  # as this version writes it

    def _all_results(self) -> Iterator[Result]:
        for (record,) in self._journal.query("SELECT record FROM results ORDER BY id"):
            yield Result.model_validate_json(record)

    def event(self, kind: str, text: str, facts: Mapping[str, str] | None = None) -> None:
        """Keep that something happened beside the measurements."""
        row = (self.run, time.time_ns(), kind, text, json.dumps(dict(facts or {})))
        self._keep("events", "run, utc_ns, kind, text, facts", [row], [keeping.event(*row)])

    def events(self) -> Iterator[Event]:
        """What happened, in order."""
        query = "SELECT utc_ns, run, kind, text, facts FROM events ORDER BY id"
        for utc_ns, run, kind, text, facts in self._journal.query(query):
            yield Event(utc_ns=utc_ns, run=run, kind=kind, text=text, facts=json.loads(facts))

    def chain(self) -> Iterator[Entry]:
        """The chain over everything above, in the order of keeping."""
        return (entry for entry, _ in keeping.entries(self._journal))

    def require_unaltered(self) -> None:
        """Do nothing if the store holds exactly what was kept in it, in that order. It takes a few seconds per million.

        Raises:
            UserMistake: one problem for each entry of the chain that is not that of what is there.
        """
        require_unaltered(self._journal)

    def _keep(self, table: str, columns: str, rows: Sequence[Sequence[Any]], entries: Iterable[Kept]) -> None:
        """Append rows and their entries of the chain, all or none; durable when this returns."""
        with self._journal.transaction() as db:
            db.executemany(insertion(table, columns), rows)
            keeping.extend(db, entries)


def require_unaltered(journal: Journal) -> None:
    """See :meth:`EvidenceStore.require_unaltered`; a store from before there were chains has none to compare with."""
    if not journal.query("SELECT count(*) FROM sqlite_master WHERE name = 'chain'").fetchone()[0]:
        return
    place = str(journal.directory / FILE)
    problems = [
        Problem(f"store-{found.code}", "reports", file=place, facts={"kind": kind, **found.facts})
        for kind, found in islice(keeping.breaks(journal), _MOST_TOLD)
    ]
    if problems:
        raise UserMistake(problems)


def _digest(text: str | None) -> str:
    return "-" if text is None else hashlib.sha256(text.encode()).hexdigest()[:16]
