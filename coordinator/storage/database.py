"""The database: one writer at a time, readers beside it, and the bell after each commit.

SQLite: WAL, `synchronous=FULL` (what a receipt promises survives a power cut), `BEGIN IMMEDIATE` for writers, so that
no transaction fails half-way for want of the lock. Writers lock the rows they load `for update`, which SQLite passes by
and PostgreSQL would need. PostgreSQL was never run: no driver is among the dependencies, no test uses one, and between
processes nothing rings there (see `echo.py` and decision 0036).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlmodel import Session, SQLModel, create_engine

from coordinator.storage.bell import Bell, Topic

P = ParamSpec("P")
R = TypeVar("R")

_TOPICS = "topics"
_WRITES = "tally_writes"
_BUSY_SECONDS = 30
_LOOK_SECONDS = 0.02
# Any number of our own: who makes tables on PostgreSQL holds this lock.
_CREATION_KEY = 0x7A11
_READERS = 8


class Database:
    """Sessions on one database.

    Attributes:
        bell: rung after each commit with the topics that the transaction announced.
    """

    def __init__(self, url: str, bell: Bell) -> None:
        self.bell = bell
        self._engine = _connect(url)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        # SQLite's own wait for the lock sleeps up to 100 ms between looks; threads of this process queue here instead.
        self._turn = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")

    @property
    def engine(self) -> Engine:
        """The engine itself, for table creation and inspection."""
        return self._engine

    def create_tables(self) -> None:
        """Create what is missing; every room's tables must have been imported.

        One writing transaction: of several processes that begin on an empty database, the later find all tables made.
        """
        with self._turn, self._writing.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CREATION_KEY})
            SQLModel.metadata.create_all(connection)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one consistent state of the database; nothing written in it is kept."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block or rolled back on an error; then the bell."""
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session
        self.bell.ring(session.info.get(_TOPICS, ()))

    async def run_read(self, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work(session, …)` on a reader thread."""

        def run() -> R:
            with self.read() as session:
                return work(session, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def run_write(self, work: Callable[Concatenate[Session, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work(session, …)` as one transaction on the writer thread."""

        def run() -> R:
            with self.write() as session:
                return work(session, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    def close(self) -> None:
        """Wait for running work and close all connections."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._engine.dispose()


def announce(session: Session, *topics: Topic) -> None:
    """Ring these topics once this transaction is committed."""
    session.info.setdefault(_TOPICS, set()).update(topics)


def _connect(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, pool_size=_READERS + 2, max_overflow=40)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late and is never IMMEDIATE
    _switch_to_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        _execute(connection, f"PRAGMA {pragma}")


def _switch_to_wal(connection: DBAPIConnection) -> None:
    """Switching a new file needs it alone, and SQLite waits for no other process here, whatever the busy timeout."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            _execute(connection, "PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_SECONDS)
        else:
            return


def _execute(connection: DBAPIConnection, statement: str) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
