"""A file that is only ever appended to: SQLite in WAL mode, durable at every commit, one writing process.

:class:`Journal` knows nothing of what is kept; ``reports.store`` does. The tables stand in ``store.sql``.
"""

from __future__ import annotations

import fcntl
import os
import platform
import sqlite3
import threading
import time
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import closing
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import IO
from typing import Any
from typing import Self

from profiles.problem import Problem
from profiles.problem import UserMistake

FILE = "evidence.sqlite"
LOCK = "evidence.lock"
VERSION = 4  #: of the tables, kept as SQLite's ``user_version``
APPLICATION_ID = 0x506C5072  #: "PlPr", kept in the file's header, which tells it from other SQLite files

_APPEND_ONLY = (
    "campaign",
    "profiles",
    "facts",
    "owed",
    "sessions",
    "observations",
    "results",
    "events",
    "raw",
    "documents",
    "chain",
)


#: Called in the transaction that begins a session, with the connection and the session's number.
Beginning = Callable[[sqlite3.Connection, int], None]


class EvidenceLost(UserMistake):
    """Evidence could not be written; the campaign must stop, for what it does from now on leaves no proof."""


def mistake(code: str, place: Path, **facts: object) -> UserMistake:
    """One mistake about the store, at ``place``."""
    return UserMistake([Problem(code, "reports", file=str(place), facts=facts)])


class Journal:
    """The open file of one campaign; each opening is a session with a number, the :attr:`run`, from 1."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.run = 0
        self._held = threading.RLock()
        self._lost: EvidenceLost | None = None
        self._lock = _locked(directory)
        try:
            self._db = _connect(directory / FILE)
        except sqlite3.Error as error:
            self._lock.close()
            raise mistake("store-damaged", directory / FILE, error=error) from None

    @staticmethod
    def exists(directory: Path) -> bool:
        """Whether ``directory`` holds a journal with anything in it, or another file in its place."""
        path = directory / FILE
        if not path.exists():
            return False
        try:
            with closing(sqlite3.connect(path)) as db:  # a create that was killed leaves a file without tables
                return bool(db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        except sqlite3.Error:
            return True

    @classmethod
    def create(
        cls, directory: Path, rows: Iterable[tuple[str, str, Sequence[Any]]], begun: Beginning | None = None
    ) -> Self:
        """A new journal that begins with ``rows`` (table, columns, values); all of it appears at once.

        Args:
            directory: where it is to lie.
            rows: what it begins with.
            begun: see :data:`Beginning`.

        Raises:
            UserMistake: if the directory cannot be written, is in use, or holds a journal already.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise mistake("store-cannot-write", directory, error=error.strerror) from None
        journal = cls(directory)
        try:
            journal._populate(rows, begun)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open(
        cls, directory: Path, approve: Callable[[Self], None] | None = None, begun: Beginning | None = None
    ) -> Self:
        """The journal in ``directory``, for one more session.

        Args:
            directory: where it lies.
            approve: raises if there must be no session, which then leaves no trace.
            begun: see :data:`Beginning`.

        Raises:
            UserMistake: if there is none, it is in use, damaged, or of a later version.
        """
        if not cls.exists(directory):
            raise mistake("store-absent", directory)
        journal = cls(directory)
        try:
            _check(journal._db, directory / FILE)
            if approve is not None:
                approve(journal)
            with journal.transaction() as db:
                if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                    _lay_out(db)
                journal._begin(db, begun)
        except BaseException:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        """Close it and let others open it; nothing is lost by a process that cannot call this."""
        self._db.close()
        self._lock.close()

    def query(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Rows, read as they are asked for."""
        return self._db.execute(sql, values)

    @property
    def connection(self) -> sqlite3.Connection:
        """For what reads only; whatever writes asks for a :meth:`transaction`."""
        return self._db

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several statements, all durable when the block ends, or none.

        Raises:
            EvidenceLost: if they cannot be written; the journal takes nothing more then.
        """
        with self._held:
            if self._lost:
                raise self._lost
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._roll_back()
                cause = Problem("store-cannot-write", "reports", file=str(self.directory), facts={"error": error})
                self._lost = EvidenceLost([cause])
                raise self._lost from error
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _populate(self, rows: Iterable[tuple[str, str, Sequence[Any]]], begun: Beginning | None) -> None:
        if self.exists(self.directory):
            raise mistake("store-exists", self.directory)
        with self.transaction() as db:
            _lay_out(db)
            for table, columns, values in rows:
                db.execute(insertion(table, columns), values)
            self._begin(db, begun)
        sync_directory(self.directory)
        sync_directory(self.directory.parent)

    def _begin(self, db: sqlite3.Connection, begun: Beginning | None) -> None:
        session = (time.time_ns(), platform.node(), os.getpid())
        self.run = int(db.execute(insertion("sessions", "utc_ns, host, pid"), session).lastrowid or 0)
        if begun is not None:
            begun(db, self.run)


def insertion(table: str, columns: str) -> str:
    """The statement that appends a row; ``table`` and ``columns`` are names of our own."""
    marks = ", ".join("?" * (columns.count(",") + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - names of our own, never values


def _locked(directory: Path) -> IO[str]:
    """The directory's lock; the kernel lets go of it when its process ends, however it ends."""
    try:
        lock = (directory / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise mistake("store-cannot-write", directory, error=error.strerror) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        holder = lock.read(32).strip() or "?"
        lock.close()
        raise mistake("store-in-use", directory, holder=holder) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    # One connection for all threads: SQLite's own mutex guards single calls, the journal's lock whole transactions.
    db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")  # flush at every commit, not only at checkpoints
    db.execute("PRAGMA recursive_triggers = ON")  # INSERT OR REPLACE removes rows, and triggers should see it
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA wal_autocheckpoint = 4000")  # pages; every checkpoint flushes the main file
    return db


def _lay_out(db: sqlite3.Connection) -> None:
    """Make every table that is not there yet."""
    script = files("reports").joinpath("store.sql").read_text("utf-8")
    for statement in _statements(script):
        db.execute(statement)
    for table in _APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            db.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_refuses_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'evidence is only appended to'); END"
            )
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {VERSION}")


def _statements(script: str) -> Iterator[str]:
    """The single statements of ``script``: ``executescript`` would commit the transaction around it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _check(db: sqlite3.Connection, path: Path) -> None:
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        soundness = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise mistake("store-damaged", path, error=error) from None
    if application != APPLICATION_ID:
        raise mistake("store-damaged", path, error=f"application_id {application:#x}")
    if soundness != "ok":
        raise mistake("store-damaged", path, error=soundness)
    if not 1 <= version <= VERSION:
        raise mistake("store-version", path, found=version, expected=VERSION)


def sync_directory(directory: Path) -> None:
    """Make the names of new files in ``directory`` durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
