"""Transactions on SQLite: durable, one writer at a time, and the bell only after a commit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from coordinator.jobs.tables import JobLogRow
from coordinator.running.tables import HeartbeatRow, LeaseRow, SchemaRow
from coordinator.schema import WrongSchema, verify_schema, write_schema
from coordinator.storage.bell import Bell, Topic
from coordinator.storage.database import Database, announce


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'test.sqlite').as_posix()}", Bell())
    database.create_tables()
    yield database
    database.close()


def test_sqlite_is_set_up_to_keep_its_word(database: Database) -> None:
    with database.read() as session:
        settings = [
            session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]


def test_failed_transaction_leaves_nothing_and_rings_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.add(HeartbeatRow(name="api", beat_at=1))
            announce(session, Topic.ROUNDS)
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert database.bell.count(Topic.ROUNDS) == 0
    with database.read() as session:
        assert session.exec(select(HeartbeatRow)).all() == []


def test_bell_rings_after_the_commit(database: Database) -> None:
    with database.write() as session:
        announce(session, Topic.ROUNDS, Topic.JOBS)
        assert database.bell.count(Topic.ROUNDS) == 0
    assert (database.bell.count(Topic.ROUNDS), database.bell.count(Topic.JOBS)) == (1, 1)


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(JobLogRow(job=b"j" * 32, at=1, text="about no job"))


def test_reader_sees_one_state_while_a_writer_commits(database: Database) -> None:
    with database.read() as reading:
        assert reading.get(HeartbeatRow, "api") is None
        with database.write() as session:
            session.add(HeartbeatRow(name="api", beat_at=1))
        reading.expire_all()
        assert reading.get(HeartbeatRow, "api") is None


async def test_writers_of_many_threads_take_turns(database: Database) -> None:
    import asyncio  # noqa: PLC0415

    def count(session: Session) -> None:
        row = session.get(LeaseRow, "counter") or LeaseRow(name="counter", holder="", expires_at=0)
        row.expires_at += 1
        session.add(row)

    def count_beside() -> None:
        with database.write() as session:
            count(session)

    await asyncio.gather(
        *(database.run_write(count) for _ in range(20)), *(asyncio.to_thread(count_beside) for _ in range(20))
    )
    with database.read() as session:
        assert session.get_one(LeaseRow, "counter").expires_at == 40


def test_tables_of_another_version_are_refused(database: Database) -> None:
    with database.write() as session:
        write_schema(session)
    with database.write() as session:
        verify_schema(session)
        session.delete(session.exec(select(SchemaRow)).one())
        session.add(SchemaRow(version=99))
    with pytest.raises(WrongSchema, match=r"version 3, got version 99"), database.read() as session:
        verify_schema(session)
