"""The journal's file: SQLite that is durable when a call returns, shared by the threads of a process.

`synchronous=FULL` in WAL mode fsyncs every commit. `DatabaseThread` lets many nodes wait for one fsync.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from client.errors import ClientError

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS contributions (
    node BLOB NOT NULL, job BLOB NOT NULL, round INTEGER NOT NULL, contribution BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL, detail TEXT NOT NULL, request BLOB NOT NULL, assignment BLOB NOT NULL,
    payload_digest BLOB NOT NULL, vector_commitment BLOB NOT NULL, salt BLOB NOT NULL,
    receipt BLOB, closing BLOB, prepared_at INTEGER NOT NULL,
    PRIMARY KEY (node, job, round));
CREATE INDEX IF NOT EXISTS contributions_by_state ON contributions (node, state);
CREATE TABLE IF NOT EXISTS payloads (contribution BLOB PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS headers (
    job BLOB NOT NULL, round INTEGER NOT NULL, digest BLOB NOT NULL, header BLOB NOT NULL, PRIMARY KEY (job, round));
CREATE TABLE IF NOT EXISTS anchors (job BLOB NOT NULL, round INTEGER NOT NULL, PRIMARY KEY (job, round));
CREATE TABLE IF NOT EXISTS entries (
    node BLOB NOT NULL, job BLOB NOT NULL, round INTEGER NOT NULL, view BLOB NOT NULL, PRIMARY KEY (node, job, round));
CREATE TABLE IF NOT EXISTS nodes (node BLOB PRIMARY KEY);
CREATE TABLE IF NOT EXISTS contradictions (digest BLOB PRIMARY KEY, statement BLOB NOT NULL);
"""


class JournalUnusable(ClientError):
    """The journal cannot be read or written."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(
            f"the journal {path} cannot be used: {problem}; nothing that is not kept was sent. "
            "Free some space, check who owns the file, or restore a backup"
        )


class Database:
    """A connection that writes and one that reads. Safe to use from several threads; what is written is durable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._reading = threading.Lock()
        self._depth = 0
        self._writer: int | None = None
        with self._told():
            self._connection = self._connect()
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_SCHEMA)
            self._reader = self._connect()

    def close(self) -> None:
        """Closes the file."""
        with self._lock, self._reading:
            self._reader.close()
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Makes everything inside durable together, or nothing of it; an inner one is undone alone when it raises."""
        with self._lock, self._told():
            name = f"level{self._depth}"
            if self._depth == 0 and self._connection.in_transaction:
                # A commit that a full disk refused leaves its transaction open.
                self._connection.execute("ROLLBACK")
            self._connection.execute(f"SAVEPOINT {name}" if self._depth else "BEGIN IMMEDIATE")
            self._depth += 1
            self._writer = threading.get_ident()
            try:
                yield
            except BaseException:
                self._leave(f"ROLLBACK TO {name}", "ROLLBACK")
                raise
            self._leave(f"RELEASE {name}", "COMMIT")

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Runs a statement that returns nothing."""
        with self._lock, self._told():
            self._connection.execute(sql, values)

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Runs a statement that returns rows: what is committed, and within a transaction also what that wrote.

        Reading waits for no writer, whose fsync may take long: an event loop may call this.
        """
        inside = self._writer == threading.get_ident()
        with self._lock if inside else self._reading, self._told():
            return (self._connection if inside else self._reader).execute(sql, values).fetchall()

    def save_copy(self, path: Path) -> None:
        """Writes a consistent copy of the whole file, also while nodes run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, self._told():
            copy = sqlite3.connect(path)
            try:
                self._connection.backup(copy)
            finally:
                copy.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.execute("PRAGMA journal_mode=WAL")
        return connection

    def _leave(self, inner: str, outer: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._writer = None
        self._connection.execute(inner if self._depth else outer)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalUnusable(self.path, str(error)) from error


class DatabaseThread:
    """Runs calls on the journal outside the event loop; those that wait together share one fsync."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._working = False

    async def run(self, change: Callable[[], T]) -> T:
        """Runs `change` in a transaction and returns its result once that is durable; raises what `change` raises."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, future))
        if not self._working:
            self._working = True
            self._start()
        return await future

    def close(self) -> None:
        """Ends the thread after what it is doing."""
        self._thread.shutdown()

    def _start(self) -> None:
        batch, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._apply, [change for change, _ in batch])
        work.add_done_callback(lambda done: self._finish(batch, done))

    def _finish(
        self, batch: list[tuple[Callable[[], Any], asyncio.Future[Any]]], done: asyncio.Future[list[Any]]
    ) -> None:
        failure = done.exception()
        results = [failure] * len(batch) if failure is not None else done.result()
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)
        self._working = bool(self._waiting)
        if self._working:
            self._start()

    def _apply(self, changes: list[Callable[[], Any]]) -> list[Any]:
        with self._database.transaction():
            return [self._try(change) for change in changes]

    def _try(self, change: Callable[[], Any]) -> Any:
        try:
            with self._database.transaction():
                return change()
        except ClientError as error:
            # Its own savepoint is undone; the others of this batch are not its business.
            return error
